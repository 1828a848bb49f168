/* SPDX-License-Identifier: Apache-2.0 */
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/* What administrators are told, of a denied topic and another in one request. */
final class ComparedAdmin {
	private static final String SECRET = Compared.SECRET,
	    OPEN = Compared.OPEN;
	private static final List<String> BOTH = List.of(SECRET, OPEN),
	    MADE = List.of("secret.made", "open.made");

	private final Compared compared;
	private final Admin admin;

	ComparedAdmin(Compared compared) {
		this.compared = compared;
		admin = compared.admin;
	}

	/* Of each topic by itself. */
	private void each(String what, Collection<String> topics,
	    Function<String, KafkaFuture<?>> of) {
		for (String topic : topics)
			compared.tell(what + ", " + topic,
			    () -> Compared.outcome(of.apply(topic)));
	}

	private static TopicPartition first(String topic) {
		return new TopicPartition(topic, 0);
	}

	private static <V> Map<TopicPartition, V> firsts(V value) {
		return Map.of(first(SECRET), value, first(OPEN), value);
	}

	private static ConfigResource resource(String topic) {
		return new ConfigResource(ConfigResource.Type.TOPIC, topic);
	}

	void what() throws Exception {
		topics();
		partitions();
		offsets();
		deletions();
	}

	private void topics() {
		Map<String, NewPartitions> more = new LinkedHashMap<>();
		Map<ConfigResource, Collection<AlterConfigOp>> configs =
		    new LinkedHashMap<>();

		for (String topic : BOTH) {
			more.put(topic, NewPartitions.increaseTo(
			    Compared.PARTITIONS + 1));
			configs.put(resource(topic), List.of(new AlterConfigOp(
			    new ConfigEntry("retention.ms", "7654321"),
			    AlterConfigOp.OpType.SET)));
		}
		each("CreateTopics", MADE, admin.createTopics(MADE.stream()
		    .map(t -> new NewTopic(t, 1, (short)1)).toList())
		    .values()::get);
		each("CreatePartitions", BOTH,
		    admin.createPartitions(more).values()::get);
		var altered = admin.incrementalAlterConfigs(configs).values();

		each("IncrementalAlterConfigs", BOTH,
		    t -> altered.get(resource(t)));
		configured();
	}

	private void configured() {
		var described = admin.describeConfigs(BOTH.stream()
		    .map(ComparedAdmin::resource).toList()).values();

		each("DescribeConfigs", BOTH, t -> described.get(resource(t)));
	}

	private void partitions() {
		var deleted = admin.deleteRecords(
		    firsts(RecordsToDelete.beforeOffset(0))).lowWatermarks();
		var producers = admin.describeProducers(firsts(0).keySet());
		var moved = admin.alterPartitionReassignments(firsts(
		    Optional.of(new NewPartitionReassignment(List.of(1)))))
		    .values();
		var elected = admin.electLeaders(ElectionType.PREFERRED,
		    firsts(0).keySet()).partitions();

		each("DeleteRecords", BOTH, t -> deleted.get(first(t)));
		each("DescribeProducers", BOTH,
		    t -> producers.partitionResult(first(t)));
		each("AlterPartitionReassignments", BOTH,
		    t -> moved.get(first(t)));
		for (String topic : BOTH)
			compared.tell("ElectLeaders, " + topic, () ->
			    elected.get().get(first(topic))
			    .map(Compared::why).orElse("done"));
	}

	private void offsets() {
		var altered = admin.alterConsumerGroupOffsets("open.altered",
		    firsts(new OffsetAndMetadata(1)));

		each("OffsetCommit", BOTH,
		    t -> altered.partitionResult(first(t)));
		var deleted = admin.deleteConsumerGroupOffsets("open.altered",
		    firsts(0).keySet());

		each("OffsetDelete", BOTH,
		    t -> deleted.partitionResult(first(t)));
		compared.tell("OffsetCommit of a group", () -> Compared.outcome(
		    admin.alterConsumerGroupOffsets("secret.altered", Map.of(
		        first(OPEN), new OffsetAndMetadata(1))).all()));
		compared.tell("OffsetFetch of a group", () -> Compared.outcome(
		    admin.listConsumerGroupOffsets("secret.altered")
		    .partitionsToOffsetAndMetadata()));
	}

	private void deletions() throws Exception {
		List<String> named = List.of("secret.read", "open.made"),
		    byId = List.of("secret.read", "open.by-id");
		Map<String, Uuid> ids = new LinkedHashMap<>();
		var deleted = admin.deleteTopics(named).topicNameValues();

		each("DeleteTopics", named, deleted::get);
		for (String topic : byId)
			ids.put(topic, admin.describeTopics(List.of(topic))
			    .topicNameValues().get(topic).get().topicId());
		var more = admin.deleteTopics(TopicCollection.ofTopicIds(
		    ids.values())).topicIdValues();

		for (String topic : byId)
			compared.tell("DeleteTopics by id, " + topic, () ->
			    Compared.outcome(more.get(ids.get(topic))));
	}

	/* Also what is asked. */
	void all() {
		var offsets = admin.listOffsets(firsts(OffsetSpec.latest()));
		var described = admin.describeTopics(BOTH).topicNameValues();
		var fetched = admin.listConsumerGroupOffsets("open.assigned");

		each("ListOffsets", BOTH,
		    t -> offsets.partitionResult(first(t)));
		each("DescribeTopicPartitions", BOTH, described::get);
		configured();
		compared.tell("OffsetFetch of all", () ->
		    new TreeSet<>(fetched.partitionsToOffsetAndMetadata().get()
		    .keySet().stream().map(Object::toString).toList()));
		compared.tell("Metadata of all", this::names);
	}

	private Object names() throws Exception {
		return new TreeSet<>(admin.listTopics().names().get());
	}

	/* What has become of it. */
	void end() throws Exception {
		compared.tell("topics", this::names);
		for (String topic : BOTH) {
			compared.tell("partitions of " + topic, () -> admin
			    .describeTopics(List.of(topic)).topicNameValues()
			    .get(topic).get().partitions().size());
			compared.tell("retention of " + topic, () -> admin
			    .describeConfigs(List.of(resource(topic))).all()
			    .get().get(resource(topic)).get("retention.ms")
			    .value());
		}
	}
}
