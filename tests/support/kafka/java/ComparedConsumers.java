/* SPDX-License-Identifier: Apache-2.0 */
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicAuthorizationException;

/* What consumers are told, and whether they go on. */
final class ComparedConsumers {
	private static final String SECRET = "secret.read", OPEN = "open.read";
	/* At a time, of each topic. */
	private static final int RECORDS = 10;

	private final Compared compared;
	private final List<String> protocols;
	private Producer<byte[], byte[]> producer;
	private ComparedSession session;
	private final Map<String, Integer> sent = new LinkedHashMap<>();

	ComparedConsumers(Compared compared, List<String> protocols) {
		this.compared = compared;
		this.protocols = protocols;
	}

	private void put(String... topics) {
		for (String topic : topics) {
			for (int i = 0; i < RECORDS; i++)
				Compared.send(producer, topic, i);
			sent.merge(topic, RECORDS, Integer::sum);
		}
		producer.flush();
	}

	void begin() {
		producer = compared.producer("compared-put");
		put(SECRET, OPEN);
		commit("open.assigned");
		session = new ComparedSession(compared.options(
		    "compared-session", "fetch.max.wait.ms", "10"), SECRET,
		    OPEN);
		session.start();
		Clients.until("all records", () ->
		    session.has(SECRET, RECORDS) && session.has(OPEN, RECORDS));
		session.fetchesHundred();
	}

	/* As it can be asked for before it is denied. */
	private void commit(String group) {
		try (var consumer = compared.consumer("compared-" + group,
		    "group.id", group, "enable.auto.commit", "false")) {
			consumer.commitSync(offsets(2));
		}
	}

	private static Map<TopicPartition, OffsetAndMetadata> offsets(
	    long offset) {
		Map<TopicPartition, OffsetAndMetadata> offsets =
		    new LinkedHashMap<>();

		for (var partition : Compared.both(SECRET, OPEN))
			offsets.put(partition, new OffsetAndMetadata(offset));
		return offsets;
	}

	/* Metadata are not denied. */
	void work() {
		session();
		assigned("assigned");
		for (String protocol : protocols)
			subscribed(protocol);
		asked();
		for (String protocol : protocols)
			group(protocol);
		compared.tell("commit of a group", () -> {
			commit("secret.assigned");
			return "done";
		});
	}

	/* Metadata are, too. */
	void named() {
		assigned("assigned");
		for (String protocol : protocols)
			refused(protocol);
		asked();
		compared.tell("partitions", () -> with("compared-asks",
		    c -> c.partitionsFor(SECRET)));
		compared.tell("topics", () -> with("compared-asks",
		    c -> new TreeSet<>(c.listTopics().keySet())));
		compared.tell("session", () -> refusal(session));
		compared.tell("session goes on", () -> more(OPEN));
	}

	/* Nothing is, any more. */
	void end() throws Exception {
		compared.tell("session, allowed", () -> {
			hasAll();
			session.refused();
			put(SECRET, OPEN);
			hasAll();
			session.fetchesHundred();
			return session.refused() + ", " +
			    session.counts();
		});
		session.isOver = true;
		session.join();
		session.isWell();
		compared.tell("session's connections", () ->
		    session.connections);
	}

	/* What it had forgotten it has read twice. */
	private void hasAll() {
		Clients.until("all records", () ->
		    session.has(SECRET, sent.get(SECRET) + RECORDS) &&
		    session.has(OPEN, sent.get(OPEN)));
	}

	/* ---- one that was there before --------------------------------- */

	private void session() {
		compared.tell("session", () -> refusal(session));
		compared.tell("session goes on", () -> more(OPEN));
		compared.tell("session, a hundred fetches later", () -> {
			session.fetchesHundred();
			return refusal(session) + ", " + more(OPEN);
		});
		compared.tell("session that forgets", () -> {
			session.want(OPEN);
			session.refused();
			session.fetchesHundred();
			return session.refused() + ", " + more(OPEN);
		});
		compared.tell("session that remembers", () -> {
			session.want(SECRET, OPEN);
			return refusal(session) + ", " + more(OPEN);
		});
	}

	private Object refusal(ComparedSession session) {
		session.refused();
		Clients.until("a refusal", session::isRefused);
		return session.refused();
	}

	/* New records of both come to be; of the open one they come. */
	private Object more(String topic) {
		put(topic);
		Clients.until("more of " + topic,
		    () -> session.has(topic, sent.get(topic)));
		return session.counts();
	}

	/* ---- new ones -------------------------------------------------- */

	private interface Use {
		Object by(Consumer<byte[], byte[]> consumer);
	}

	/*
	 * The last poll is its close, to which an answer for Metadata may come
	 * that refuses a topic, as it has before: so it is told no other thing.
	 */
	private Object with(String id, Use use, String... options) {
		Object told = null;

		try (var consumer = compared.consumer(id, options)) {
			told = use.by(consumer);
		} catch (KafkaException e) {
			if (told == null || !(e.getCause() instanceof
			    TopicAuthorizationException) || !told.toString()
			    .contains(Compared.why(e.getCause())))
				throw e;
		}
		return told;
	}

	/* Until it has all that it may have, and was told of the rest. */
	private Object reads(Consumer<byte[], byte[]> consumer) {
		Map<String, Integer> got = new LinkedHashMap<>();
		Set<String> told = new LinkedHashSet<>();

		Clients.until("records and a refusal", () -> {
			try {
				consumer.poll(Clients.POLL).forEach(r ->
				    got.merge(r.topic(), 1, Integer::sum));
			} catch (KafkaException e) {
				told.add(Compared.why(e));
			}
			return got.getOrDefault(OPEN, 0) >= sent.get(OPEN) &&
			    !told.isEmpty();
		});
		return told + ", " + got + ", " +
		    new TreeSet<>(consumer.assignment().stream()
		    .map(Object::toString).toList());
	}

	private void assigned(String what) {
		compared.tell(what, () -> with("compared-assigned", consumer -> {
			consumer.assign(Compared.both(SECRET, OPEN));
			return reads(consumer);
		}));
	}

	private void subscribed(String protocol) {
		compared.tell("subscribed, " + protocol, () -> with(
		    "compared-" + protocol, consumer -> {
			consumer.subscribe(List.of(SECRET, OPEN));
			return reads(consumer);
		    }, "group.id", "open." + protocol + "." + sent.get(OPEN),
		    "group.protocol", protocol));
		compared.tell("subscribed by pattern, " + protocol, () -> with(
		    "compared-pattern-" + protocol, consumer -> {
			consumer.subscribe(Pattern.compile("[a-z]*[.]read"));
			return reads(consumer);
		    }, "group.id", "open.pattern." + protocol + "." + sent.get(OPEN),
		    "group.protocol", protocol));
	}

	/*
	 * Who may not know of a topic does not join with it.  In the newer
	 * protocol the broker may be the first to say so, and names no topic.
	 */
	private void refused(String protocol) {
		compared.tell("subscribed, " + protocol, () -> with(
		    "compared-" + protocol, consumer -> {
			consumer.subscribe(List.of(SECRET, OPEN));
			try {
				while (true)
					consumer.poll(Clients.POLL);
			} catch (TopicAuthorizationException e) {
				return e.getClass().getSimpleName();
			}
		    }, "group.id", "open.refused." + protocol,
		    "group.protocol", protocol));
	}

	private void asked() {
		compared.tell("commit", () -> with("compared-asks", c -> {
			c.commitSync(offsets(3));
			return "done";
		}, "group.id", "open.assigned"));
		compared.tell("committed", () -> with("compared-asks", c ->
		    committed(c, SECRET, OPEN), "group.id", "open.assigned"));
		compared.tell("committed, open", () -> with("compared-asks", c ->
		    committed(c, OPEN), "group.id", "open.assigned"));
		compared.tell("ends", () -> with("compared-asks", c ->
		    c.endOffsets(Compared.both(SECRET, OPEN)).size()));
	}

	private static Object committed(Consumer<byte[], byte[]> consumer,
	    String... topics) {
		Set<String> all = new TreeSet<>();

		consumer.committed(Set.copyOf(Compared.both(topics)))
		    .forEach((p, o) -> all.add(p + "@" + (o == null ? "none" :
		        o.offset())));
		return all;
	}

	private void group(String protocol) {
		for (String group : List.of("secret.group", "open.group"))
			compared.tell(group + ", " + protocol, () -> with(
			    "compared-" + group, consumer -> {
				consumer.subscribe(List.of(Compared.OPEN));
				Clients.until("an assignment", () -> {
					consumer.poll(Clients.POLL);
					return !consumer.assignment().isEmpty();
				});
				return "joined";
			    }, "group.id", group + "." + protocol,
			    "group.protocol", protocol));
	}
}
