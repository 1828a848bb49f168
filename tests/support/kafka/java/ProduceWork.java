/* SPDX-License-Identifier: Apache-2.0 */
import static java.util.Map.entry;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;

/* Producers of every kind, and consumers without a group. */
final class ProduceWork {
	private static final int RECORDS = 40;
	private static final int BIG = 20_000_000;
	private static final String[] CODECS = { "none", "gzip", "snappy",
	    "lz4", "zstd" };

	private final String server;

	ProduceWork(String server) {
		this.server = server;
	}

	/* Every acks with every compression; acks=all is idempotent. */
	void codecs() throws Exception {
		List<byte[]> sent = new ArrayList<>();

		for (String acks : new String[] { "0", "1", "all" })
			for (String codec : CODECS)
				codec(acks, codec, sent);
		/* Not idempotent, with acks=all. */
		produce(Clients.options(server, "plain-all", "acks", "all",
		    "enable.idempotence", "false"), "codecs", "plain-all");
		remember(sent, "plain-all");
		readAll("codecs-reader", "codecs", sent);
	}

	private void codec(String acks, String codec, List<byte[]> sent)
	    throws Exception {
		String name = "p-" + acks + "-" + codec;

		produce(Clients.options(server, name, "acks", acks,
		    "compression.type", codec, "linger.ms", "0",
		    "enable.idempotence", "" + acks.equals("all")),
		    "codecs", name);
		remember(sent, name);
	}

	private void produce(java.util.Properties options, String topic,
	    String name) throws Exception {
		try (var producer = Clients.producer(options)) {
			/* In several requests. */
			for (int i = 0; i < RECORDS; i += RECORDS / 4)
				Clients.send(producer, topic, name, i,
				    RECORDS / 4, 300);
		}
	}

	private void remember(List<byte[]> sent, String name) {
		for (int i = 0; i < RECORDS; i++)
			sent.add(Clients.value(name, i, 300));
	}

	private void readAll(String id, String topic, List<byte[]> sent) {
		try (var consumer = Clients.consumer(
		    Clients.options(server, id, "fetch.max.wait.ms", "100"))) {
			consumer.assign(Clients.partitions(topic));
			Clients.whole(sent, Clients.read(consumer,
			    sent.size()));
			Clients.quiesce(consumer);
		}
	}

	/* Three commits, two aborts; offsets of a group inside of one. */
	void transactions() throws Exception {
		List<byte[]> committed = new ArrayList<>();
		List<byte[]> all = new ArrayList<>();

		try (var producer = Clients.producer(Clients.options(server,
		    "tx-producer", "transactional.id", "tx-1"))) {
			producer.initTransactions();
			for (int i = 0; i < 5; i++) {
				producer.beginTransaction();
				Clients.send(producer, "tx", "tx", i * 10, 10,
				    200);
				for (int j = i * 10; j < i * 10 + 10; j++)
					all.add(Clients.value("tx", j, 200));
				if (i == 2)
					producer.sendOffsetsToTransaction(
					    Map.of(new TopicPartition("tx", 0),
					        new OffsetAndMetadata(5)),
					    new ConsumerGroupMetadata(
					        "tx-group"));
				if (i % 2 == 0) {
					committed = new ArrayList<>(committed);
					committed.addAll(all.subList(i * 10,
					    i * 10 + 10));
					producer.commitTransaction();
				} else {
					producer.abortTransaction();
				}
			}
		}
		readAll("tx-reader-all", "tx", all);
		try (var consumer = Clients.consumer(Clients.options(server,
		    "tx-reader", "isolation.level", "read_committed",
		    "fetch.max.wait.ms", "100"))) {
			consumer.assign(Clients.partitions("tx"));
			Clients.whole(committed, Clients.read(consumer,
			    committed.size()));
			Clients.quiesce(consumer);
		}
	}

	/* Two records of 20 MB. */
	void big() throws Exception {
		List<byte[]> sent = new ArrayList<>();

		try (var producer = Clients.producer(Clients.options(server,
		    "big-producer", "max.request.size", "26000000",
		    "buffer.memory", "64000000"))) {
			Clients.send(producer, "big", "big", 0, 2, BIG);
		}
		for (int i = 0; i < 2; i++)
			sent.add(Clients.value("big", i, BIG));
		readAll("big-reader", "big", sent);
	}

	/* An incremental session: many polls with nothing, then data. */
	void sessions() throws Exception {
		List<byte[]> sent = new ArrayList<>();

		try (var consumer = Clients.consumer(Clients.options(server,
		    "sessions-reader", "fetch.max.wait.ms", "50"))) {
			consumer.assign(Clients.partitions("sessions"));
			Clients.until("twenty empty fetches", () -> {
				Clients.same(0, consumer.poll(Clients.POLL)
				    .count(), "records before any was sent");
				return Clients.figure(consumer,
				    "fetch-total") >= 20;
			});
			produce(Clients.options(server, "sessions-producer",
			    "acks", "1"), "sessions", "sessions");
			remember(sent, "sessions");
			Clients.whole(sent, Clients.read(consumer,
			    sent.size()));
			Clients.quiesce(consumer);
		}
	}

	/* Beyond its quota: the broker answers with a throttle time. */
	void throttled() throws Exception {
		try (Admin admin = Clients.admin(Clients.options(server,
		    "throttle-admin"))) {
			admin.alterClientQuotas(List.of(
			    new ClientQuotaAlteration(new ClientQuotaEntity(
			        Map.ofEntries(entry(
			            ClientQuotaEntity.CLIENT_ID,
			            "throttled"))),
			        List.of(new ClientQuotaAlteration.Op(
			            "producer_byte_rate", 100_000.0)))))
			    .all().get();
		}
		try (var producer = Clients.producer(Clients.options(server,
		    "throttled"))) {
			for (int i = 0; i < 3; i++)
				producer.send(new ProducerRecord<>("throttle",
				    Clients.value("throttled", i, 60_000)))
				    .get();
		}
	}
}
