/* SPDX-License-Identifier: Apache-2.0 */
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.TopicAuthorizationException;

/* What administrators ask of two topics at once, of which one is denied. */
final class RulesAdmin {
	private static final String SECRET = RulesWork.SECRET,
	    OPEN = RulesWork.OPEN;

	private final RulesWork work;
	private final Admin admin;

	RulesAdmin(RulesWork work, Admin admin) {
		this.work = work;
		this.admin = admin;
	}

	interface Each {
		KafkaFuture<?> of(TopicPartition partition) throws Exception;
	}

	/* Of one request for both, one is refused, the other done. */
	private static void half(String what, Each each) throws Exception {
		try {
			RulesWork.refuses(each.of(
			    new TopicPartition(SECRET, 0)), SECRET);
			each.of(new TopicPartition(OPEN, 0)).get();
		} catch (ExecutionException | RuntimeException e) {
			throw new IllegalStateException(what, e);
		}
	}

	private static <V> Map<TopicPartition, V> both(V value) {
		return Map.of(new TopicPartition(SECRET, 0), value,
		    new TopicPartition(OPEN, 0), value);
	}

	void everything() throws Exception {
		var ends = admin.listOffsets(both(OffsetSpec.latest()));
		var committed = admin.alterConsumerGroupOffsets("rules-altered",
		    both(new OffsetAndMetadata(1)));
		var deleted = admin.deleteRecords(both(
		    RecordsToDelete.beforeOffset(1)));
		var moved = admin.alterPartitionReassignments(both(Optional.of(
		    new NewPartitionReassignment(List.of(1)))));
		var producers = admin.describeProducers(
		    both(0).keySet());
		var elected = admin.electLeaders(ElectionType.PREFERRED,
		    both(0).keySet());

		half("ListOffsets", ends::partitionResult);
		half("OffsetCommit", committed::partitionResult);
		half("DeleteRecords", p -> deleted.lowWatermarks().get(p));
		half("AlterPartitionReassignments", p -> moved.values().get(p));
		half("DescribeProducers", producers::partitionResult);
		notElected(elected.partitions().get());
		var forgotten = admin.deleteConsumerGroupOffsets(
		    "rules-altered", both(0).keySet());

		half("OffsetDelete", forgotten::partitionResult);
		RulesWork.same(Map.of(), admin.listConsumerGroupOffsets(
		    "rules-altered").partitionsToOffsetAndMetadata().get(),
		    "offsets");
	}

	/* Of the other the only one that there is leads already. */
	private static void notElected(
	    Map<TopicPartition, Optional<Throwable>> why) {
		RulesWork.refusesBy(why.get(
		    new TopicPartition(SECRET, 0)).orElse(null), SECRET);
		RulesWork.same(ElectionNotNeededException.class, why.get(
		    new TopicPartition(OPEN, 0)).orElseThrow().getClass(),
		    "ElectLeaders");
	}

	/* A consumer's own, and those in a transaction. */
	void offsets() throws Exception {
		try (var consumer = Clients.consumer(work.options(
		    "rules-offsets", "group.id", "rules-offsets",
		    "enable.auto.commit", "false"))) {
			consumer.assign(both(0).keySet());
			try {
				consumer.commitSync(both(
				    new OffsetAndMetadata(2)));
				throw new IllegalStateException("committed");
			} catch (TopicAuthorizationException e) {
				RulesWork.refusesBy(e, SECRET);
			}
			RulesWork.same(Map.of(new TopicPartition(OPEN, 0),
			    new OffsetAndMetadata(2)), there(
			        consumer.committed(both(0).keySet())),
			    "committed");
		}
		try (var producer = RulesWork.producer(work.options(
		    "rules-tx-offsets", "transactional.id",
		    "rules-offsets"))) {
			producer.initTransactions();
			producer.beginTransaction();
			offsetsInTransaction(producer);
		}
	}

	/* As with an ACL: the client has no better word for it. */
	private static void offsetsInTransaction(
	    Producer<byte[], byte[]> producer) {
		try {
			producer.sendOffsetsToTransaction(
			    both(new OffsetAndMetadata(3)),
			    new ConsumerGroupMetadata("rules-offsets"));
			producer.commitTransaction();
		} catch (KafkaException e) {
			for (Throwable t = e; t != null; t = t.getCause())
				if (t.getMessage().contains(
				    "Topic authorization failed"))
					return;
			throw e;
		}
		throw new IllegalStateException("it was committed");
	}

	private static <V> Map<TopicPartition, V> there(
	    Map<TopicPartition, V> some) {
		var there = new LinkedHashMap<>(some);

		there.values().removeIf(value -> value == null);
		return there;
	}
}
