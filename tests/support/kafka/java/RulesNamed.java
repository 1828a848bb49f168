/* SPDX-License-Identifier: Apache-2.0 */
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;

/*
 * What is denied by a name alone: topics that are made, grown, configured and
 * deleted, groups that are joined, transactions.
 */
final class RulesNamed {
	/* Both ends of names that differ in nothing else, and one that is no
	 * letter. */
	private static final List<String> SECRET = List.of("secret.named.a",
	    "secret.named.Z", "secret.named-"), OPEN = List.of("open.named.a",
	    "open.named-");
	private static final String RETENTION = "retention.ms";
	private static final String GROUP = "secret.group";

	private final RulesWork work;
	private final Admin admin;
	private final List<Member> members = new ArrayList<>();

	RulesNamed(RulesWork work, Admin admin) {
		this.work = work;
		this.admin = admin;
	}

	interface Each {
		KafkaFuture<?> of(String topic) throws Exception;
	}

	/* Of one request for all, some are refused, the others done. */
	private static void some(String what, Each each) throws Exception {
		try {
			for (String topic : SECRET)
				RulesWork.refuses(each.of(topic), topic);
			for (String topic : OPEN)
				each.of(topic).get();
		} catch (Exception e) {
			throw new IllegalStateException(what, e);
		}
	}

	private static List<String> all() {
		List<String> all = new ArrayList<>(SECRET);

		all.addAll(1, OPEN);
		return all;
	}

	private boolean exists(String topic) throws Exception {
		return admin.listTopics().names().get().contains(topic);
	}

	private int partitions(String topic) throws Exception {
		return admin.describeTopics(List.of(topic)).topicNameValues()
		    .get(topic).get().partitions().size();
	}

	private Uuid id(String topic) throws Exception {
		return admin.describeTopics(List.of(topic)).topicNameValues()
		    .get(topic).get().topicId();
	}

	private String retention(String topic) throws Exception {
		var resource = new ConfigResource(ConfigResource.Type.TOPIC,
		    topic);

		return admin.describeConfigs(List.of(resource)).all().get()
		    .get(resource).get(RETENTION).value();
	}

	private static NewTopic topic(String name) {
		return new NewTopic(name, 1, (short)1);
	}

	void create() throws Exception {
		var made = admin.createTopics(all().stream()
		    .map(RulesNamed::topic).toList());

		some("CreateTopics", t -> made.values().get(t));
		for (String topic : SECRET)
			RulesWork.same(false, exists(topic), topic);
		for (String topic : OPEN)
			RulesWork.until(topic, () -> exists(topic));
	}

	/* Another rule denies these: now the topics are there. */
	void change() throws Exception {
		admin.createTopics(SECRET.stream().map(RulesNamed::topic)
		    .toList()).all().get();
		for (String topic : all())
			RulesWork.until(topic, () -> exists(topic));
		grow();
		configure();
		delete();
		deleteById();
	}

	private void grow() throws Exception {
		Map<String, NewPartitions> wanted = new HashMap<>();

		for (String topic : all())
			wanted.put(topic, NewPartitions.increaseTo(2));
		var grown = admin.createPartitions(wanted);

		some("CreatePartitions", t -> grown.values().get(t));
		for (String topic : SECRET)
			RulesWork.same(1, partitions(topic), topic);
		for (String topic : OPEN)
			RulesWork.until(topic + " to grow",
			    () -> partitions(topic) == 2);
	}

	private void configure() throws Exception {
		Map<ConfigResource, Collection<AlterConfigOp>> wanted =
		    new HashMap<>();

		for (String topic : all())
			wanted.put(new ConfigResource(
			    ConfigResource.Type.TOPIC, topic), List.of(
			        new AlterConfigOp(new ConfigEntry(RETENTION,
			            "7654321"), AlterConfigOp.OpType.SET)));
		var altered = admin.incrementalAlterConfigs(wanted);

		some("IncrementalAlterConfigs", t -> altered.values().get(
		    new ConfigResource(ConfigResource.Type.TOPIC, t)));
		for (String topic : SECRET)
			RulesWork.same(false, retention(topic)
			    .equals("7654321"), topic);
		for (String topic : OPEN)
			RulesWork.until(topic + " to be configured", () ->
			    retention(topic).equals("7654321"));
	}

	private void delete() throws Exception {
		var deleted = admin.deleteTopics(all());

		some("DeleteTopics", t -> deleted.topicNameValues().get(t));
		left();
	}

	private void left() throws Exception {
		for (String topic : OPEN)
			RulesWork.until(topic + " to go", () -> !exists(topic));
		for (String topic : SECRET)
			RulesWork.same(true, exists(topic), topic);
	}

	private void deleteById() throws Exception {
		Map<String, Uuid> ids = new HashMap<>();

		admin.createTopics(OPEN.stream().map(RulesNamed::topic)
		    .toList()).all().get();
		for (String topic : all()) {
			RulesWork.until(topic, () -> exists(topic));
			ids.put(topic, id(topic));
		}
		var deleted = admin.deleteTopics(
		    TopicCollection.ofTopicIds(ids.values()));

		some("DeleteTopics by id", t ->
		    deleted.topicIdValues().get(ids.get(t)));
		left();
	}

	/* The rules have gone. */
	void deleted() throws Exception {
		admin.deleteTopics(SECRET).all().get();
	}

	/* ---- groups ---------------------------------------------------- */

	private final class Member {
		final String group, protocol;
		final Consumer<byte[], byte[]> consumer;

		Member(String stem, String protocol) {
			group = stem + "." + protocol;
			this.protocol = protocol;
			Properties options = work.options("rules-" + group,
			    "group.id", group, "group.protocol", protocol);

			if (protocol.equals("classic"))
				options.put("heartbeat.interval.ms", "300");
			consumer = Clients.consumer(options);
			consumer.subscribe(List.of(RulesWork.OPEN));
		}

		void isIn() throws Exception {
			RulesWork.until("an assignment in " + group, () -> {
				consumer.poll(Clients.POLL);
				return !consumer.assignment().isEmpty();
			});
		}

		void isRefused() throws Exception {
			RulesWork.until(group + " to be refused", () -> {
				try {
					consumer.poll(Clients.POLL);
					return false;
				} catch (GroupAuthorizationException e) {
					return e.getMessage().endsWith(
					    ": " + group);
				} catch (TopicAuthorizationException e) {
					/* Of its offsets, by topic. */
					return false;
				}
			});
		}
	}

	/* They are there when the rule comes. */
	void join(String... protocols) throws Exception {
		for (String protocol : protocols)
			members.add(new Member(GROUP, protocol));
		for (Member member : members)
			member.isIn();
	}

	/*
	 * Who would join, and who is in; but a classic member takes a
	 * heartbeat that is refused for one that was lost.
	 */
	void refused() throws Exception {
		for (Member member : members) {
			var late = new Member(GROUP, member.protocol);
			var open = new Member("open.group", member.protocol);

			if (!member.protocol.equals("classic"))
				member.isRefused();
			late.isRefused();
			open.isIn();
			late.consumer.close();
			open.consumer.close();
		}
	}

	void again() throws Exception {
		for (Member member : members) {
			member.consumer.close();
			var late = new Member(GROUP, member.protocol);

			late.isIn();
			late.consumer.close();
		}
	}

	/* ---- transactions ---------------------------------------------- */

	private void begin(String id) throws Exception {
		try (var producer = RulesWork.producer(work.options(
		    "rules-" + id, "transactional.id", id))) {
			producer.initTransactions();
		}
	}

	void transactions() throws Exception {
		begin("open.tx");
		try {
			begin("secret.tx");
		} catch (TransactionalIdAuthorizationException e) {
			return;
		}
		throw new IllegalStateException("secret.tx was let in");
	}

	void transactionsAgain() throws Exception {
		begin("secret.tx");
	}
}
