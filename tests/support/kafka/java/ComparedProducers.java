/* SPDX-License-Identifier: Apache-2.0 */
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;

import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;

/* What producers are told, and whether they go on. */
final class ComparedProducers {
	private static final String SECRET = Compared.SECRET,
	    OPEN = Compared.OPEN, IDEMPOTENT = "open.idempotent",
	    TRANSACTIONAL = "open.transactional", ZERO = "open.zero";
	private static final int RECORDS = 10;

	private final Compared compared;
	/* They are there before anything is denied, and after it. */
	private Producer<byte[], byte[]> idempotent, transactional, secret;
	/* What they have sent that was not denied. */
	private int idempotents, transactionals;

	ComparedProducers(Compared compared) {
		this.compared = compared;
	}

	void begin() throws Exception {
		idempotent = compared.producer("compared-idempotent");
		transactional = compared.producer("compared-transactional",
		    "transactional.id", "open.tx");
		transactional.initTransactions();
		secret = compared.producer("compared-secret-tx",
		    "transactional.id", "secret.before");
		secret.initTransactions();
		for (String topic : List.of(SECRET, OPEN, IDEMPOTENT,
		    TRANSACTIONAL))
			idempotent.partitionsFor(topic);
	}

	/* Metadata are not denied. */
	void work() {
		oneRequest("1");
		oneRequest("all");
		withoutAcks();
		idempotent("idempotent");
		transactions("transaction");
		offsets();
		begunBefore();
		compared.tell("transactional id", () -> initialized("secret.tx"));
		compared.tell("another transactional id",
		    () -> initialized("open.late"));
		compared.tell("records of all", this::ends);
	}

	/* Metadata are, too. */
	void named() {
		oneRequest("1");
		idempotent("idempotent");
		transactions("transaction");
		compared.tell("partitions", () -> idempotent.partitionsFor(
		    "secret.read").size());
	}

	/* Nothing is, any more. */
	void end() {
		compared.tell("records of all", this::ends);
		compared.tell("idempotent", () -> Compared.outcome(
		    Compared.send(idempotent, SECRET, 0)));
		compared.tell("transaction", () -> {
			transactional.beginTransaction();
			Compared.send(transactional, SECRET, 1);
			transactional.commitTransaction();
			return "done";
		});
		compared.tell("records", () -> compared.count(SECRET, 2));
	}

	private Map<String, Long> ends() throws Exception {
		Map<String, Long> ends = new LinkedHashMap<>();

		/* Markers of transactions have offsets, too: those not. */
		for (String topic : List.of(SECRET, IDEMPOTENT))
			ends.put(topic, compared.end(topic));
		return ends;
	}

	/* Batches for both topics wait until they are asked for together. */
	private void oneRequest(String acks) {
		try (var producer = compared.producer("compared-acks-" + acks,
		    "enable.idempotence", "false", "linger.ms", "60000",
		    "acks", acks)) {
			Map<String, List<Future<?>>> sent =
			    new LinkedHashMap<>();

			producer.partitionsFor(OPEN);
			for (String topic : List.of(SECRET, OPEN))
				for (int i = 0; i < Compared.PARTITIONS; i++)
					sent.computeIfAbsent(topic,
					    t -> new ArrayList<>()).add(
					    Compared.send(producer, topic, i));
			producer.flush();
			sent.forEach((topic, futures) -> compared.tell(
			    "acks=" + acks + ", " + topic, () -> futures.stream()
			    .map(Compared::outcome).toList()));
		}
	}

	/* Nobody tells it; what was under way is lost with its connection. */
	private void withoutAcks() {
		try (var producer = compared.producer("compared-acks-0",
		    "enable.idempotence", "false", "acks", "0",
		    "reconnect.backoff.ms", "10")) {
			var sent = Compared.send(producer, SECRET, 0);

			compared.tell("acks=0", () -> Compared.outcome(sent));
			compared.tell("acks=0 goes on", () -> {
				Clients.until("records", () -> {
					Compared.outcome(Compared.send(producer,
					    ZERO, 0));
					return compared.count(ZERO, 0) > 0;
				});
				return "done";
			});
		}
	}

	/* What is refused leaves no hole in what follows. */
	private void idempotent(String what) {
		compared.tell(what, () -> {
			List<Object> told = new ArrayList<>();

			for (int i = 0; i < 3; i++)
				for (String topic : List.of(IDEMPOTENT, SECRET))
					told.add(Compared.outcome(Compared.send(
					    idempotent, topic, i)));
			return told;
		});
		compared.tell(what + " goes on", () -> {
			for (int i = 0; i < RECORDS; i++)
				Compared.send(idempotent, IDEMPOTENT, i);
			idempotent.flush();
			idempotents += RECORDS + 3;
			return compared.count(IDEMPOTENT, idempotents);
		});
	}

	private void transactions(String what) {
		compared.tell(what, () -> {
			transactional.beginTransaction();
			Compared.send(transactional, TRANSACTIONAL, 0);
			Compared.send(transactional, SECRET, 0);
			transactional.commitTransaction();
			return "done";
		});
		goesOn(what + " after that");
	}

	/* The one before can be aborted, and the next is a new one. */
	private void goesOn(String what) {
		compared.tell(what, () -> {
			transactional.abortTransaction();
			transactional.beginTransaction();
			for (int i = 0; i < RECORDS; i++)
				Compared.send(transactional, TRANSACTIONAL, i);
			transactional.commitTransaction();
			transactionals += RECORDS;
			return compared.count(TRANSACTIONAL,
			    transactionals);
		});
	}

	private void offsets() {
		Map<TopicPartition, OffsetAndMetadata> offsets =
		    new LinkedHashMap<>();

		for (var partition : Compared.both(SECRET, OPEN))
			offsets.put(partition, new OffsetAndMetadata(1));
		try (var producer = compared.producer("compared-tx-offsets",
		    "transactional.id", "open.tx-offsets")) {
			producer.initTransactions();
			producer.beginTransaction();
			compared.tell("offsets in a transaction", () -> {
				producer.sendOffsetsToTransaction(offsets,
				    new ConsumerGroupMetadata("open.group"));
				producer.commitTransaction();
				return "done";
			});
			compared.tell("its end", () -> {
				producer.abortTransaction();
				return "done";
			});
		}
	}

	/* Its id was not denied when it began. */
	private void begunBefore() {
		compared.tell("transactional id, begun before", () -> {
			secret.beginTransaction();
			Compared.send(secret, TRANSACTIONAL, 0);
			secret.commitTransaction();
			return "done";
		});
		/* It would wait for half a minute for what it did not abort. */
		secret.close(Duration.ZERO);
	}

	private Object initialized(String id) {
		try (var producer = compared.producer("compared-" + id,
		    "transactional.id", id)) {
			producer.initTransactions();
			return "done";
		}
	}
}
