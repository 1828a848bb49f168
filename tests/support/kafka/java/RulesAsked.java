/* SPDX-License-Identifier: Apache-2.0 */
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicIdException;

/* What clients only ask for, of two topics at once, of which one is denied. */
final class RulesAsked {
	private static final TopicPartition SECRET =
	    new TopicPartition(RulesWork.SECRET, 0),
	    OPEN = new TopicPartition(RulesWork.OPEN, 0);
	private static final String GROUP = "rules-asked",
	    NEW = "secret.a.new";
	/* Neither the first record nor the last one. */
	private static final long AT = 3;

	private final RulesWork work;
	private final Admin admin;
	/* They are refused, and go on when the rule has gone. */
	private final Map<String, Consumer<byte[], byte[]>> waiting =
	    new LinkedHashMap<>();

	RulesAsked(RulesWork work, Admin admin) {
		this.work = work;
		this.admin = admin;
	}

	/* With the epoch, so that a consumer asks where that ended. */
	void begin() throws Exception {
		var at = new OffsetAndMetadata(AT, Optional.of(0), "here");

		work.put(RulesWork.SECRET);
		work.put(RulesWork.OPEN);
		admin.alterConsumerGroupOffsets(GROUP, Map.of(SECRET, at,
		    OPEN, at)).all().get();
	}

	private Consumer<byte[], byte[]> consumer(String protocol) {
		var consumer = Clients.consumer(work.options(
		    "rules-asked-" + protocol, "group.id", GROUP,
		    "enable.auto.commit", "false", "group.protocol",
		    protocol));

		consumer.assign(List.of(SECRET, OPEN));
		return consumer;
	}

	void offsets() throws Exception {
		offsets("classic");
	}

	/* Also of who speaks the protocol of KIP-848. */
	void offsets848() throws Exception {
		offsets("classic", "consumer");
	}

	/* Of all partitions of the group, and of some. */
	private void offsets(String... protocols) throws Exception {
		RulesWork.same(Set.of(OPEN), admin
		    .listConsumerGroupOffsets(GROUP)
		    .partitionsToOffsetAndMetadata().get().keySet(),
		    "offsets");
		for (String protocol : protocols) {
			var consumer = consumer(protocol);

			isRefused("committed", () -> consumer.committed(
			    Set.of(SECRET, OPEN)));
			RulesWork.same(AT, consumer.committed(Set.of(OPEN))
			    .get(OPEN).offset(), "committed");
			isRefusedToPoll(consumer);
			waiting.put(protocol, consumer);
		}
	}

	/* It has asked for offsets; where the epoch ended it may not know. */
	void epochs() {
		var consumer = consumer("classic");

		isRefusedToPoll(consumer);
		waiting.put("epochs", consumer);
	}

	private static void isRefusedToPoll(Consumer<byte[], byte[]> consumer) {
		isRefused("poll", () -> Clients.until("a refusal", () -> {
			for (var record : consumer.poll(Clients.POLL))
				RulesWork.same(RulesWork.OPEN, record.topic(),
				    "topic");
			return false;
		}));
	}

	private static void isRefused(String what, Runnable asks) {
		isRefused(what, RulesWork.SECRET, asks);
	}

	private static void isRefused(String what, String topic,
	    Runnable asks) {
		try {
			asks.run();
		} catch (TopicAuthorizationException e) {
			RulesWork.refusesBy(e, topic);
			return;
		}
		throw new IllegalStateException(what + " was let in");
	}

	/* What they are, by name, and by id; some have none to be told. */
	void names() throws Exception {
		var names = List.of(RulesWork.SECRET, RulesWork.OPEN);
		var all = admin.listTopics().listings().get();

		if (all.stream().filter(t -> names.contains(t.name()))
		    .count() != 2)
			throw new IllegalStateException("not all are listed");
		half("DescribeTopics", topic -> admin.describeTopics(names)
		    .topicNameValues().get(topic));
		half("DescribeConfigs", topic -> admin.describeConfigs(
		    List.of(config(RulesWork.SECRET), config(RulesWork.OPEN)))
		    .values().get(config(topic)));
		byId(all.stream().filter(t -> names.contains(t.name()))
		    .collect(Collectors.toMap(t -> t.name(),
		        t -> t.topicId())));
		try (var producer = RulesWork.producer(work.options(
		    "rules-asked-names"))) {
			isRefused("partitionsFor", () ->
			    producer.partitionsFor(RulesWork.SECRET));
			RulesWork.refuses(producer.send(new ProducerRecord<>(
			    RulesWork.SECRET, 0, null, new byte[1])),
			    RulesWork.SECRET);
			RulesWork.same(RulesReader.PARTITIONS,
			    producer.partitionsFor(RulesWork.OPEN).size(),
			    "partitions");
			/* Nor is it made. */
			isRefused("partitionsFor", NEW, () ->
			    producer.partitionsFor(NEW));
		}
		if (admin.listTopics().names().get().contains(NEW))
			throw new IllegalStateException("it was made");
	}

	private static ConfigResource config(String topic) {
		return new ConfigResource(ConfigResource.Type.TOPIC, topic);
	}

	interface Each {
		KafkaFuture<?> of(String topic) throws Exception;
	}

	private static void half(String what, Each each) throws Exception {
		try {
			RulesWork.refuses(each.of(RulesWork.SECRET),
			    RulesWork.SECRET);
			each.of(RulesWork.OPEN).get();
		} catch (ExecutionException | RuntimeException e) {
			throw new IllegalStateException(what, e);
		}
	}

	/* The name that is missing is all that this client looks at. */
	private void byId(Map<String, Uuid> ids) throws Exception {
		var told = admin.describeTopics(TopicCollection.ofTopicIds(
		    ids.values())).topicIdValues();

		told.get(ids.get(RulesWork.OPEN)).get();
		try {
			told.get(ids.get(RulesWork.SECRET)).get();
		} catch (ExecutionException e) {
			if (e.getCause() instanceof UnknownTopicIdException)
				return;
			throw e;
		}
		throw new IllegalStateException("it was told");
	}

	/* The rule has gone: they are where they were, and not reset. */
	void goOn() {
		for (var consumer : waiting.values()) {
			Clients.until("records", () -> {
				var records = consumer.poll(Clients.POLL)
				    .records(SECRET);

				if (records.isEmpty())
					return false;
				RulesWork.same(AT, records.get(0).offset(),
				    "the first record's offset");
				return true;
			});
			consumer.close();
		}
		waiting.clear();
	}
}
