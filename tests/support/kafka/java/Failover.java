/* SPDX-License-Identifier: Apache-2.0 */
import java.io.BufferedReader;
import java.io.FileReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ClusterResource;
import org.apache.kafka.common.ClusterResourceListener;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/*
 * Failover BOOTSTRAP HOST PROPERTIES: clients that go on while brokers come and go.  An
 * idempotent producer and one of transactions, each record once; readers of
 * both, in groups of both protocols; an administrator, who obeys lines of
 * standard input, and answers each by "done LINE":
 *
 *	pass N		until every reader has got N more records
 *	move A,B,C	makes these nodes, A first, the replicas of every other
 *			partition's first, and so on, and A its leader
 *	whole		until all replicas are in sync
 *	asked		until every client has been told where the brokers are,
 *			twice: then it has asked since
 *	end		judges: prints "whole: ..." or why not, and ends
 *
 * HOST is where all brokers must be, or "-"; who hears of another one
 * complains.  PROPERTIES is a file, for all clients.
 */
public final class Failover {
	private static final String ONCE = "once", COMMITTED = "committed";
	private static final int PARTITIONS = 3;
	private static final int PATIENCE_S = 100;

	private final String server, host;
	private final Properties common = new Properties();
	private final Admin admin;
	private final List<String> wrong =
	    Collections.synchronizedList(new ArrayList<>());
	private final Set<String> sent = ConcurrentHashMap.newKeySet();
	private final Set<String> committed = ConcurrentHashMap.newKeySet();
	private final List<Reader> readers = new ArrayList<>();
	/* Of transactions whose end nobody told: all of one, or none. */
	private final Set<String> unknown = ConcurrentHashMap.newKeySet();
	private Thread once, transactions;
	private volatile boolean isOver;

	private Failover(String server, String host, String file)
	    throws Exception {
		this.server = server;
		this.host = host;
		try (var reader = new FileReader(file)) {
			common.load(reader);
		}
		admin = Admin.create(options("admin"));
	}

	public static void main(String[] args) throws Exception {
		Failover failover = new Failover(args[0], args[1],
		    args[2]);
		BufferedReader lines = new BufferedReader(
		    new InputStreamReader(System.in));
		String line;

		failover.begin();
		say("done begin");
		while ((line = lines.readLine()) != null) {
			if (line.equals("end"))
				System.exit(failover.end() ? 0 : 1);
			failover.obey(line.split(" "));
			say("done " + line);
		}
		System.exit(2);
	}

	private static void say(String line) {
		System.out.println(line);
		System.out.flush();
	}

	private Properties options(String id, String... more) {
		Properties options = new Properties();

		options.putAll(common);
		options.put("bootstrap.servers", server);
		options.put("client.id", id);
		options.put("metadata.max.age.ms", "1000");
		options.put("metric.reporters", Told.class.getName());
		options.put("request.timeout.ms", "10000");
		for (int i = 0; i < more.length; i += 2)
			options.put(more[i], more[i + 1]);
		return options;
	}

	private static Producer<byte[], byte[]> producer(Properties options) {
		return new KafkaProducer<>(options, new ByteArraySerializer(),
		    new ByteArraySerializer());
	}

	/* ---- what goes on ------------------------------------------------ */

	private void begin() throws Exception {
		admin.createTopics(List.of(
		    new NewTopic(ONCE, PARTITIONS, (short)3),
		    new NewTopic(COMMITTED, PARTITIONS, (short)3))).all()
		    .get();
		readers.add(new Reader("classic", ONCE, "read_uncommitted"));
		readers.add(new Reader("consumer", COMMITTED,
		    "read_committed"));
		for (Reader reader : readers)
			reader.start();
		once = start("once", this::produceOnce);
		transactions = start("transactions", this::produceCommitted);
		pass(100);
	}

	interface Work {
		void run() throws Exception;
	}

	private Thread start(String name, Work work) {
		Thread thread = new Thread(() -> {
			try {
				work.run();
			} catch (Throwable thrown) {
				wrong.add(name + ": " + thrown);
				thrown.printStackTrace();
			}
		}, name);

		thread.start();
		return thread;
	}

	/* About two hundred a second; what is not acknowledged is an error. */
	private void produceOnce() throws Exception {
		try (var producer = producer(options("once", "acks", "all",
		    "linger.ms", "5", "delivery.timeout.ms", "120000"))) {
			for (int i = 0; !isOver; i++) {
				String value = value(ONCE, i);

				producer.send(record(ONCE, i, value), (at, e) -> {
					if (e == null)
						sent.add(value);
					else
						wrong.add(value + ": " + e);
				});
				if (i % 10 == 0)
					Thread.sleep(50);
			}
		}
	}

	/* A transaction that fails is tried again as another one. */
	private void produceCommitted() throws Exception {
		Producer<byte[], byte[]> producer = transactional();

		for (int i = 0; !isOver; i++) {
			Set<String> now = new HashSet<>();

			try {
				producer.beginTransaction();
				for (int j = 0; j < 10; j++) {
					String value = value(COMMITTED,
					    i * 10 + j);

					now.add(value);
					producer.send(record(COMMITTED, j,
					    value));
				}
				producer.commitTransaction();
				committed.addAll(now);
			} catch (KafkaException e) {
				unknown.addAll(now);
				producer.close(Duration.ZERO);
				producer = transactional();
			}
			Thread.sleep(20);
		}
		producer.close();
	}

	private Producer<byte[], byte[]> transactional() {
		var producer = producer(options("committed",
		    "transactional.id", "failover", "max.block.ms", "100000"));

		producer.initTransactions();
		return producer;
	}

	private static String value(String name, int number) {
		return name + " " + number + " " + "x".repeat(100);
	}

	private static ProducerRecord<byte[], byte[]> record(String topic,
	    int number, String value) {
		return new ProducerRecord<>(topic, number % PARTITIONS, null,
		    value.getBytes());
	}

	/* A record read twice by its place was read twice, and is there once. */
	private final class Reader extends Thread {
		final Map<String, String> got = new ConcurrentHashMap<>();
		final AtomicLong count = new AtomicLong();
		private final String protocol, topic, isolation;

		Reader(String protocol, String topic, String isolation) {
			super("reader of " + topic);
			this.protocol = protocol;
			this.topic = topic;
			this.isolation = isolation;
		}

		boolean has(Set<String> values) {
			return new HashSet<>(got.values()).containsAll(values);
		}

		@Override
		public void run() {
			try (var consumer = Clients.consumer(options(getName()
			    .replace(' ', '-'), "group.id", topic + "-group",
			    "group.protocol", protocol, "isolation.level",
			    isolation, "fetch.max.wait.ms", "100"))) {
				consumer.subscribe(List.of(topic));
				while (!isInterrupted())
					for (var record : consumer.poll(
					    Clients.POLL)) {
						got.put(record.partition() +
						    ":" + record.offset(),
						    new String(record.value()));
						count.set(got.size());
					}
			} catch (org.apache.kafka.common.errors
			    .InterruptException e) {
				return;
			} catch (Throwable thrown) {
				wrong.add(getName() + ": " + thrown);
				thrown.printStackTrace();
			}
		}
	}

	/* ---- what the administrator does ---------------------------------- */

	private void obey(String[] words) throws Exception {
		switch (words[0]) {
		case "pass":
			pass(Integer.parseInt(words[1]));
			break;
		case "move":
			List<Integer> nodes = new ArrayList<>();

			for (String node : words[1].split(","))
				nodes.add(Integer.parseInt(node));
			move(nodes);
			break;
		case "whole":
			until("all replicas to be in sync", this::isWhole);
			break;
		case "asked":
			asked();
			break;
		default:
			throw new IllegalArgumentException(words[0]);
		}
		look();
	}

	interface Condition {
		boolean holds() throws Exception;
	}

	/* Whatever fails meanwhile is tried again. */
	private static void until(String what, Condition condition)
	    throws Exception {
		long end = System.nanoTime() + PATIENCE_S * 1_000_000_000L;

		while (true) {
			try {
				if (condition.holds())
					return;
			} catch (ExecutionException e) {
				System.err.println(what + ": " + e.getCause());
			}
			if (System.nanoTime() > end)
				throw new IllegalStateException(
				    "waited in vain for " + what);
			Thread.sleep(50);
		}
	}

	private void pass(int more) throws Exception {
		Map<Reader, Long> want = new HashMap<>();

		for (Reader reader : readers)
			want.put(reader, reader.count.get() + more);
		until(more + " more records", () -> want.entrySet().stream()
		    .allMatch(e -> e.getKey().count.get() >= e.getValue()));
	}

	private void move(List<Integer> nodes) throws Exception {
		Map<TopicPartition, Optional<NewPartitionReassignment>> all =
		    new TreeMap<>((a, b) -> a.toString()
		    .compareTo(b.toString()));

		for (String topic : List.of(ONCE, COMMITTED))
			for (int i = 0; i < PARTITIONS; i++) {
				List<Integer> order = new ArrayList<>(nodes);

				Collections.rotate(order, i);
				all.put(new TopicPartition(topic, i),
				    Optional.of(new NewPartitionReassignment(
				        order)));
			}
		until("the reassignment to be taken", () -> {
			admin.alterPartitionReassignments(all).all().get();
			return true;
		});
		until("the reassignment to be done", () -> admin
		    .listPartitionReassignments().reassignments().get()
		    .isEmpty());
		until("all replicas to be in sync", this::isWhole);
		until("the leaders to be chosen", () -> {
			admin.electLeaders(ElectionType.PREFERRED,
			    all.keySet()).partitions().get();
			return leadersAre(all);
		});
	}

	private boolean leadersAre(
	    Map<TopicPartition, Optional<NewPartitionReassignment>> want)
	    throws Exception {
		var topics = admin.describeTopics(List.of(ONCE, COMMITTED))
		    .allTopicNames().get();

		return want.entrySet().stream().allMatch(e -> {
			var leader = topics.get(e.getKey().topic()).partitions()
			    .get(e.getKey().partition()).leader();

			return leader != null && leader.id() == e.getValue()
			    .get().targetReplicas().get(0);
		});
	}

	private boolean isWhole() throws Exception {
		Set<String> names = admin.listTopics(
		    new org.apache.kafka.clients.admin.ListTopicsOptions()
		    .listInternal(true)).names().get();

		return admin.describeTopics(names).allTopicNames().get()
		    .values().stream().flatMap(t -> t.partitions().stream())
		    .allMatch(p -> p.isr().size() == p.replicas().size());
	}

	/* How often each client was told, but the administrator, who is not. */
	private static final Map<String, Integer> told =
	    new ConcurrentHashMap<>();

	public static final class Told
	    implements MetricsReporter, ClusterResourceListener {
		private String id;

		@Override
		public void configure(Map<String, ?> options) {
			id = (String)options.get("client.id");
		}

		@Override
		public void onUpdate(ClusterResource cluster) {
			told.merge(id, 1, Integer::sum);
		}

		@Override
		public void init(List<KafkaMetric> metrics) {
		}

		@Override
		public void metricChange(KafkaMetric metric) {
		}

		@Override
		public void metricRemoval(KafkaMetric metric) {
		}

		@Override
		public void close() {
		}
	}

	/* An administrator who has nothing to do asks nothing else. */
	private double askedByAdmin() {
		return admin.metrics().values().stream()
		    .filter(m -> m.metricName().name().equals("request-total")
		        && m.metricName().tags().size() == 1)
		    .mapToDouble(m -> (double)m.metricValue()).max()
		    .orElseThrow();
	}

	private void asked() throws Exception {
		Map<String, Integer> before = new HashMap<>(told);
		double asked = askedByAdmin();

		if (before.size() < 4)
			throw new IllegalStateException("told: " + before);
		until("all to ask", () -> askedByAdmin() >= asked + 2 &&
		    before.entrySet().stream().allMatch(e ->
		        told.get(e.getKey()) >= e.getValue() + 2));
	}

	/* Wherever a node is told, it must be at the host. */
	private void look() throws Exception {
		until("the cluster's nodes", () -> {
			for (Node node : admin.describeCluster().nodes().get())
				if (!host.equals("-") &&
				    !node.host().equals(host))
					wrong.add("told of " + node);
			return true;
		});
	}

	/* ---- the end ------------------------------------------------------ */

	private boolean end() throws Exception {
		isOver = true;
		once.join();
		transactions.join();
		until("all records", () ->
		    readers.get(0).has(sent) && readers.get(1).has(committed));
		for (Reader reader : readers) {
			reader.interrupt();
			reader.join();
		}
		same(ONCE, sent, readers.get(0).got.values(), Set.of());
		same(COMMITTED, committed, readers.get(1).got.values(),
		    unknown);
		for (String what : wrong)
			say("wrong: " + what);
		if (wrong.isEmpty())
			say("whole: " + sent.size() + " once, " +
			    committed.size() + " committed, " + unknown.size() +
			    " in transactions that failed");
		return wrong.isEmpty();
	}

	/* Each of these once, and no others, but that `maybe`s may be there. */
	private void same(String topic, Set<String> want,
	    java.util.Collection<String> got, Set<String> maybe) {
		Set<String> seen = new HashSet<>();

		for (String value : got) {
			if (!seen.add(value))
				wrong.add("twice: " + value);
			if (!want.contains(value) && !maybe.contains(value))
				wrong.add("never sent: " + value);
		}
		for (String value : want)
			if (!seen.contains(value))
				wrong.add("lost: " + value);
	}
}
