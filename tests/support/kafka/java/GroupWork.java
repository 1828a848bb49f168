/* SPDX-License-Identifier: Apache-2.0 */
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/* Consumers in groups: the classic one, KIP-848, and share groups. */
final class GroupWork {
	private static final int RECORDS = 40;

	private final String server;

	GroupWork(String server) {
		this.server = server;
	}

	/*
	 * One member has all partitions; another joins and they have two each,
	 * and read; it leaves, and the first has all of them again.
	 */
	void run(String protocol) throws Exception {
		String name = "group-" + protocol;
		List<ConsumerRecord<byte[], byte[]>> got = new ArrayList<>();
		List<byte[]> sent = new ArrayList<>();

		try (var first = member(name, "first", protocol)) {
			first.subscribe(List.of(name));
			Clients.until("all partitions", () -> has(4, first));
			try (var second = member(name, "second", protocol)) {
				second.subscribe(List.of(name));
				Clients.until("two partitions each",
				    () -> has(2, first) & has(2, second));
				produce(name, sent);
				Clients.until("all records", () -> {
					first.poll(Clients.POLL)
					    .forEach(got::add);
					second.poll(Clients.POLL)
					    .forEach(got::add);
					return got.size() >= sent.size();
				});
				first.commitSync();
				second.commitSync();
				Clients.quiesce(second);
			}
			Clients.until("all partitions again",
			    () -> has(4, first));
			Clients.quiesce(first);
		}
		Clients.whole(sent, got);
		committed(name);
	}

	private Consumer<byte[], byte[]> member(String name, String which,
	    String protocol) {
		var options = Clients.options(server, name + "-" + which,
		    "group.id", name, "group.protocol", protocol,
		    "enable.auto.commit", "false", "fetch.max.wait.ms", "100");

		if (protocol.equals("classic")) {
			options.put("heartbeat.interval.ms", "200");
			options.put("partition.assignment.strategy",
			    "org.apache.kafka.clients.consumer." +
			    "CooperativeStickyAssignor");
		}
		return Clients.consumer(options);
	}

	private static boolean has(int count, Consumer<byte[], byte[]> member) {
		Clients.same(0, member.poll(Clients.POLL).count(),
		    "records before any was sent");
		return member.assignment().size() == count;
	}

	private void produce(String name, List<byte[]> sent) throws Exception {
		try (var producer = Clients.producer(Clients.options(server,
		    name + "-producer"))) {
			Clients.send(producer, name, name, 0, RECORDS, 200);
		}
		for (int i = 0; i < RECORDS; i++)
			sent.add(Clients.value(name, i, 200));
	}

	private void committed(String name) throws Exception {
		try (Admin admin = Clients.admin(Clients.options(server,
		    name + "-admin"))) {
			Map<TopicPartition, OffsetAndMetadata> offsets =
			    admin.listConsumerGroupOffsets(name)
			    .partitionsToOffsetAndMetadata().get();

			Clients.same((long)RECORDS, offsets.values().stream()
			    .mapToLong(OffsetAndMetadata::offset).sum(),
			    "committed offsets");
			admin.describeConsumerGroups(List.of(name)).all()
			    .get();
			admin.deleteConsumerGroups(List.of(name)).all().get();
		}
	}

	/* Two consumers share; one record is released and comes again. */
	void share() throws Exception {
		List<byte[]> sent = new ArrayList<>();
		Map<String, byte[]> accepted = new HashMap<>();
		Set<String> released = new HashSet<>();

		shareFromTheBeginning();
		try (var first = sharer("share-first");
		    var second = sharer("share-second")) {
			first.subscribe(List.of("share"));
			second.subscribe(List.of("share"));
			first.poll(Clients.POLL);
			second.poll(Clients.POLL);
			produce("share", sent);
			Clients.until("all records", () -> {
				take(first, accepted, released);
				take(second, accepted, released);
				return accepted.size() >= RECORDS;
			});
		}
		Clients.same(1, released.size(), "records given back");
		for (byte[] value : sent)
			if (accepted.values().stream().noneMatch(
			    got -> java.util.Arrays.equals(got, value)))
				throw new IllegalStateException("a record of" +
				    " the share group is not there");
	}

	private void shareFromTheBeginning() throws Exception {
		try (Admin admin = Clients.admin(Clients.options(server,
		    "share-admin"))) {
			admin.incrementalAlterConfigs(Map.of(
			    new ConfigResource(
			        ConfigResource.Type.valueOf("GROUP"),
			        "sharers"),
			    List.of(new AlterConfigOp(new ConfigEntry(
			        "share.auto.offset.reset", "earliest"),
			        AlterConfigOp.OpType.SET)))).all().get();
		}
	}

	private KafkaShareConsumer<byte[], byte[]> sharer(String id) {
		return new KafkaShareConsumer<>(Clients.options(server, id,
		    "group.id", "sharers", "share.acknowledgement.mode",
		    "explicit", "fetch.max.wait.ms", "100"),
		    new ByteArrayDeserializer(), new ByteArrayDeserializer());
	}

	private static void take(KafkaShareConsumer<byte[], byte[]> consumer,
	    Map<String, byte[]> accepted, Set<String> released) {
		var records = consumer.poll(Clients.POLL);

		for (var record : records) {
			String place = record.partition() + ":" +
			    record.offset();

			if (released.isEmpty()) {
				released.add(place);
				consumer.acknowledge(record,
				    AcknowledgeType.RELEASE);
				continue;
			}
			if (accepted.put(place, record.value()) != null)
				throw new IllegalStateException(
				    "accepted before: " + place);
			consumer.acknowledge(record, AcknowledgeType.ACCEPT);
		}
		if (!records.isEmpty())
			consumer.commitSync();
	}
}
