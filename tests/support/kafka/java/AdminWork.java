/* SPDX-License-Identifier: Apache-2.0 */
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.quota.ClientQuotaFilter;

/* What administrators ask for, and what they are refused. */
final class AdminWork {
	private static final List<String> TOPICS = List.of("codecs", "tx",
	    "sessions", "group-classic", "group-consumer", "share", "secure",
	    "throttle", "kcat", "js", "raw");
	private static final ConfigResource CODECS =
	    new ConfigResource(ConfigResource.Type.TOPIC, "codecs");

	private final String server;

	AdminWork(String server) {
		this.server = server;
	}

	/* Makes the topics of all workloads too. */
	void run() throws Exception {
		try (Admin admin = Clients.admin(Clients.options(server,
		    "admin"))) {
			topics(admin);
			look(admin);
			configs(admin);
			records(admin);
			groups(admin);
		}
	}

	private void topics(Admin admin) throws Exception {
		Collection<NewTopic> topics = new ArrayList<>();

		for (String name : TOPICS)
			topics.add(new NewTopic(name, Clients.PARTITIONS,
			    (short)-1));
		topics.add(new NewTopic("big", Clients.PARTITIONS, (short)-1)
		    .configs(Map.of("max.message.bytes", "25000000")));
		topics.add(new NewTopic("spare", 1, (short)-1));
		done(admin.createTopics(topics).all());
		done(admin.createPartitions(Map.of("spare",
		    NewPartitions.increaseTo(3))).all());
		Clients.until("the spare topic's partitions", () ->
		    partitions(admin, "spare") == 3);
	}

	private static int partitions(Admin admin, String topic) {
		try {
			return admin.describeTopics(List.of(topic))
			    .allTopicNames().get().get(topic).partitions()
			    .size();
		} catch (ExecutionException e) {
			return 0;
		} catch (InterruptedException e) {
			throw new IllegalStateException(e);
		}
	}

	private void look(Admin admin) throws Exception {
		done(admin.describeCluster().nodes());
		done(admin.listTopics().names());
		done(admin.describeFeatures().featureMetadata());
		done(admin.describeMetadataQuorum().quorumInfo());
		done(admin.describeLogDirs(List.of(1)).allDescriptions());
		done(admin.describeClientQuotas(ClientQuotaFilter.all())
		    .entities());
		done(admin.describeUserScramCredentials().all());
		done(admin.listPartitionReassignments().reassignments());
		done(admin.listTransactions().all());
		done(admin.listClientMetricsResources().all());
	}

	private void configs(Admin admin) throws Exception {
		done(admin.incrementalAlterConfigs(Map.of(CODECS, List.of(
		    new AlterConfigOp(new ConfigEntry("retention.ms",
		        "7200000"), AlterConfigOp.OpType.SET)))).all());
		Clients.until("the new retention", () -> {
			try {
				return admin.describeConfigs(List.of(CODECS))
				    .all().get().get(CODECS)
				    .get("retention.ms").value()
				    .equals("7200000");
			} catch (Exception e) {
				throw new IllegalStateException(e);
			}
		});
		done(admin.describeConfigs(List.of(new ConfigResource(
		    ConfigResource.Type.BROKER, "1"))).all());
	}

	/* Sends, asks for offsets, deletes: of the spare topic. */
	private void records(Admin admin) throws Exception {
		TopicPartition spare = new TopicPartition("spare", 0);

		try (var producer = Clients.producer(Clients.options(server,
		    "admin-producer"))) {
			for (int i = 0; i < 10; i++)
				producer.send(new org.apache.kafka.clients
				    .producer.ProducerRecord<>("spare", 0,
				    null, Clients.value("spare", i, 100)))
				    .get();
		}
		Clients.same(10L, admin.listOffsets(Map.of(spare,
		    OffsetSpec.latest())).all().get().get(spare).offset(),
		    "the end of a partition");
		Clients.same(4L, admin.deleteRecords(Map.of(spare,
		    RecordsToDelete.beforeOffset(4))).lowWatermarks()
		    .get(spare).get().lowWatermark(),
		    "the beginning of a partition");
		done(admin.describeProducers(List.of(spare)).all());
		done(admin.deleteTopics(List.of("spare")).all());
	}

	private void groups(Admin admin) throws Exception {
		TopicPartition raw = new TopicPartition("raw", 0);

		done(admin.alterConsumerGroupOffsets("by-hand", Map.of(raw,
		    new OffsetAndMetadata(0))).all());
		done(admin.listConsumerGroups().all());
		done(admin.describeConsumerGroups(List.of("by-hand")).all());
		done(admin.deleteConsumerGroupOffsets("by-hand", Set.of(raw))
		    .all());
		done(admin.listConsumerGroupOffsets("by-hand")
		    .partitionsToOffsetAndMetadata());
	}

	/* Each of them is refused, and for this reason. */
	void errors() throws Exception {
		TopicPartition codecs = new TopicPartition("codecs", 0);

		try (Admin admin = Clients.admin(Clients.options(server,
		    "admin-errors", "retries", "0"))) {
			refused(TopicExistsException.class,
			    admin.createTopics(List.of(new NewTopic("codecs",
			        1, (short)1))).all());
			refused(InvalidReplicationFactorException.class,
			    admin.createTopics(List.of(new NewTopic("many", 1,
			        (short)7))).all());
			refused(InvalidTopicException.class,
			    admin.createTopics(List.of(new NewTopic("no/topic",
			        1, (short)1))).all());
			refused(UnknownTopicOrPartitionException.class,
			    admin.deleteTopics(List.of("nowhere")).all());
			refused(InvalidPartitionsException.class,
			    admin.createPartitions(Map.of("codecs",
			        NewPartitions.increaseTo(2))).all());
			refused(SecurityDisabledException.class,
			    admin.describeAcls(AclBindingFilter.ANY)
			    .values());
			refused(ElectionNotNeededException.class,
			    admin.electLeaders(ElectionType.PREFERRED,
			        Set.of(codecs)).partitions()
			    .thenApply(map -> {
				    if (map.get(codecs).isPresent())
					    throw (RuntimeException)map
					        .get(codecs).get();
				    return null;
			    }));
			refused(OffsetOutOfRangeException.class,
			    admin.deleteRecords(Map.of(codecs,
			        RecordsToDelete.beforeOffset(1_000_000)))
			    .all());
		}
	}

	private static void done(KafkaFuture<?> future) throws Exception {
		future.get();
	}

	private static void refused(Class<? extends Exception> why,
	    KafkaFuture<?> future) throws Exception {
		try {
			future.get();
		} catch (ExecutionException e) {
			if (why.isInstance(e.getCause()))
				return;
			throw e;
		}
		throw new IllegalStateException("no " + why.getSimpleName());
	}
}
