/* SPDX-License-Identifier: Apache-2.0 */
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.errors.SaslAuthenticationException;

/* SASL in clear, which the wire shows, and TLS, which it does not. */
final class SecureWork {
	private static final int RECORDS = 20;
	private static final String MODULES =
	    "org.apache.kafka.common.security.";

	private final String server;

	SecureWork(String server) {
		this.server = server;
	}

	void sasl() throws Exception {
		for (String mechanism : new String[] { "PLAIN",
		    "SCRAM-SHA-256", "SCRAM-SHA-512" }) {
			String id = "sasl-" + mechanism.toLowerCase();

			through(id, user(mechanism, "alice", "alice-secret"));
			refused(id + "-wrong",
			    user(mechanism, "alice", "not-her-secret"));
		}
	}

	static String[] user(String mechanism, String name,
	    String password) {
		String module = mechanism.equals("PLAIN") ?
		    "plain.PlainLoginModule" : "scram.ScramLoginModule";

		return new String[] { "security.protocol", "SASL_PLAINTEXT",
		    "sasl.mechanism", mechanism, "sasl.jaas.config",
		    MODULES + module + " required username=\"" + name +
		    "\" password=\"" + password + "\";" };
	}

	/* By name, so that the client says it (SNI); see jdk.net.hosts.file. */
	void tls(String keystore) throws Exception {
		through("tls", "security.protocol", "SSL",
		    "ssl.truststore.location", keystore,
		    "ssl.truststore.password", "lab-secret",
		    "ssl.truststore.type", "PKCS12");
	}

	private void through(String id, String... security) throws Exception {
		List<byte[]> sent = new ArrayList<>();

		try (var producer = Clients.producer(
		    options(id + "-producer", security))) {
			Clients.send(producer, "secure", id, 0, RECORDS, 200);
		}
		for (int i = 0; i < RECORDS; i++)
			sent.add(Clients.value(id, i, 200));
		try (var consumer = Clients.consumer(
		    options(id + "-reader", security))) {
			var all = Clients.partitions("secure");

			consumer.assign(all);
			/* Behind what the others sent. */
			consumer.endOffsets(all).forEach((partition, end) ->
			    consumer.seek(partition,
			        end - RECORDS / Clients.PARTITIONS));
			Clients.whole(sent, Clients.read(consumer, RECORDS));
			Clients.quiesce(consumer);
		}
	}

	private Properties options(String id, String... security) {
		return Clients.options(server, id, security);
	}

	private void refused(String id, String... security) throws Exception {
		try (Admin admin = Clients.admin(options(id, security))) {
			admin.describeCluster().nodes().get();
			throw new IllegalStateException(id + " was let in");
		} catch (java.util.concurrent.ExecutionException e) {
			if (!(e.getCause() instanceof
			    SaslAuthenticationException))
				throw e;
		}
	}
}
