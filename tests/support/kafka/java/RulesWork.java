/* SPDX-License-Identifier: Apache-2.0 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/*
 * RulesWork SERVER OTHER: clients whose requests rules act on.  Rules come and
 * go between its steps, which are lines of standard input; each is answered by
 * "ok LINE", or by "failed LINE", and why on standard error.  OTHER tells of
 * the same cluster, and nobody listens.
 *
 * Topics whose name begins with "secret" are those that rules deny.
 */
public final class RulesWork {
	interface Step {
		void run() throws Exception;
	}

	interface Condition {
		boolean holds() throws Exception;
	}

	static final String SECRET = "secret.a", SECRET_TOO = "secret.b",
	    OPEN = "open";
	private static final String SECRET_READ = "secret.read",
	    OPEN_READ = "open.read";
	private static final String SECRET_SHARE = "secret.share",
	    OPEN_SHARE = "open.share";
	private static final int PARTITIONS = RulesReader.PARTITIONS,
	    RECORDS = 20, PATIENCE_S = 60;
	/* From this number on they are. */
	private static final int BIG = 100_000;

	private final String server, other;
	private final Admin admin;
	/* One that goes on from step to step, and what it was told is there. */
	private final Producer<byte[], byte[]> steady;
	private final Map<String, List<String>> sent = new LinkedHashMap<>();
	private Producer<byte[], byte[]> transactional;
	private RulesShare sharer;
	private final List<RulesReader> readers = new ArrayList<>();
	private final Map<String, Step> steps = new LinkedHashMap<>();

	private RulesWork(String server, String other) {
		RulesAdmin administrator;
		RulesAsked asked;
		RulesNamed named;

		this.server = server;
		this.other = other;
		admin = Admin.create(options("rules-admin"));
		administrator = new RulesAdmin(this, admin);
		asked = new RulesAsked(this, admin);
		named = new RulesNamed(this, admin);
		steady = producer(options("rules-steady"));
		steps.put("begin", this::begin);
		steps.put("one-request", this::oneRequest);
		steps.put("acks-0", this::withoutAcks);
		steps.put("idempotent", this::idempotent);
		steps.put("let-in", this::letIn);
		steps.put("transaction", this::transaction);
		steps.put("read", () -> read("classic"));
		steps.put("read-848", () -> read("classic", "consumer"));
		steps.put("refused", this::refused);
		steps.put("read-half", this::readHalf);
		steps.put("read-all", this::readAll);
		steps.put("read-end", this::readEnd);
		steps.put("read-unheard", this::readUnheard);
		steps.put("share", this::share);
		steps.put("share-refused", this::shareRefused);
		steps.put("share-all", this::shareAll);
		steps.put("administrator", administrator::everything);
		steps.put("offsets", administrator::offsets);
		steps.put("asked-begin", asked::begin);
		steps.put("asked-offsets", asked::offsets);
		steps.put("asked-offsets-848", asked::offsets848);
		steps.put("asked-epochs", asked::epochs);
		steps.put("asked-on", asked::goOn);
		steps.put("create", named::create);
		steps.put("change", named::change);
		steps.put("delete", named::deleted);
		steps.put("join", () -> named.join("classic"));
		steps.put("join-848", () -> named.join("classic", "consumer"));
		steps.put("join-refused", named::refused);
		steps.put("join-again", named::again);
		steps.put("transactional", named::transactions);
		steps.put("transactional-again", named::transactionsAgain);
		steps.put("asked-names", asked::names);
		steps.put("deletion-lost", this::deletionLost);
		steps.put("deletion", this::deletion);
		steps.put("not-created", this::notCreated);
		steps.put("created", this::created);
	}

	public static void main(String[] args) throws Exception {
		RulesWork work = new RulesWork(args[0], args[1]);
		BufferedReader lines = new BufferedReader(
		    new InputStreamReader(System.in));
		String line;

		while ((line = lines.readLine()) != null)
			work.obey(line);
		System.exit(0);
	}

	private void obey(String line) {
		String how = "ok";

		try {
			steps.get(line).run();
		} catch (Throwable thrown) {
			System.err.print(line + ": ");
			thrown.printStackTrace();
			how = "failed";
		}
		System.out.println(how + " " + line);
		System.out.flush();
	}

	Properties options(String id, String... more) {
		Properties options = new Properties();

		options.put("bootstrap.servers", server);
		options.put("client.id", id);
		for (int i = 0; i < more.length; i += 2)
			options.put(more[i], more[i + 1]);
		return options;
	}

	static Producer<byte[], byte[]> producer(Properties options) {
		return new KafkaProducer<>(options, new ByteArraySerializer(),
		    new ByteArraySerializer());
	}

	static void until(String what, Condition condition)
	    throws Exception {
		long end = System.nanoTime() + PATIENCE_S * 1_000_000_000L;

		while (!condition.holds()) {
			if (System.nanoTime() > end)
				throw new IllegalStateException(
				    "waited in vain for " + what);
			Thread.sleep(20);
		}
	}

	static void same(Object want, Object got, String what) {
		if (!want.equals(got))
			throw new IllegalStateException(what + ": " + got +
			    ", not " + want);
	}

	static void refuses(Future<?> future, String topic)
	    throws Exception {
		try {
			future.get();
		} catch (ExecutionException e) {
			refusesBy(e.getCause(), topic);
			return;
		}
		throw new IllegalStateException(topic + " was let in");
	}

	/* Where the client does not say of which topic the other is said. */
	static void refusesBy(Throwable thrown, String topic) {
		if (!(thrown instanceof TopicAuthorizationException))
			throw new IllegalStateException(topic, thrown);
		Set<String> topics = ((TopicAuthorizationException)thrown)
		    .unauthorizedTopics();

		if (!topics.isEmpty())
			same(Set.of(topic), topics, "topics not authorized");
	}

	/* ---- producers ------------------------------------------------- */

	private void begin() throws Exception {
		List<NewTopic> topics = new ArrayList<>();

		for (String topic : List.of(SECRET, SECRET_TOO, OPEN,
		    SECRET_READ, OPEN_READ, SECRET_SHARE, OPEN_SHARE,
		    "secret.kcat", "open.kcat", "secret.js", "open.js",
		    "doomed"))
			topics.add(new NewTopic(topic, PARTITIONS, (short)1));
		admin.createTopics(topics).all().get();
		transactional = producer(options("rules-transactional",
		    "transactional.id", "rules"));
		transactional.initTransactions();
	}

	private static Future<?> send(Producer<byte[], byte[]> producer,
	    String topic, int number) {
		return producer.send(new ProducerRecord<>(topic,
		    number % PARTITIONS, null, value(topic, number)));
	}

	private static byte[] value(String topic, int number) {
		return (topic + " " + number + " " +
		    "x".repeat(number < BIG ? 200 : 5000)).getBytes();
	}

	/* Sends these, and remembers them once they are there. */
	void put(String topic) throws Exception {
		List<String> all = sent.computeIfAbsent(topic,
		    t -> new ArrayList<>());
		List<Future<?>> futures = new ArrayList<>();
		int first = all.size();

		for (int i = first; i < first + RECORDS; i++)
			futures.add(send(steady, topic, i));
		steady.flush();
		for (Future<?> future : futures)
			future.get();
		for (int i = first; i < first + RECORDS; i++)
			all.add(new String(value(topic, i)));
	}

	/* All that there is, each once, and nothing else. */
	private void whole(String topic) throws Exception {
		List<TopicPartition> all = List.of(new TopicPartition(topic, 0),
		    new TopicPartition(topic, 1));
		List<String> got = new ArrayList<>();

		try (var consumer = Clients.consumer(plain("rules-whole"))) {
			consumer.assign(all);
			var ends = consumer.endOffsets(all);

			until("the end of " + topic, () -> {
				consumer.poll(Clients.POLL).forEach(
				    r -> got.add(new String(r.value())));
				return all.stream().allMatch(p ->
				    consumer.position(p) >= ends.get(p));
			});
		}
		sameRecords(topic, sent.get(topic), got);
	}

	private Properties plain(String id, String... more) {
		Properties options = options(id, more);

		options.put("isolation.level", "read_committed");
		options.put("fetch.max.wait.ms", "100");
		return options;
	}

	private static void sameRecords(String topic, Collection<String> want,
	    Collection<String> got) {
		Set<String> once = new HashSet<>(got);

		same(want.size(), got.size(), topic + ": records");
		if (!once.equals(new HashSet<>(want)))
			throw new IllegalStateException(topic +
			    ": others came than were sent");
	}

	/* Batches of 50 kB, for each partition of three topics one. */
	private void oneRequest() throws Exception {
		try (var producer = producer(options("rules-one-request",
		    "enable.idempotence", "false", "linger.ms", "60000",
		    "batch.size", "200000"))) {
			Map<String, List<Future<?>>> futures =
			    new LinkedHashMap<>();

			for (String topic : List.of(SECRET, OPEN, SECRET_TOO))
				producer.partitionsFor(topic);
			for (String topic : List.of(SECRET, OPEN, SECRET_TOO))
				for (int i = 0; i < RECORDS; i++)
					futures.computeIfAbsent(topic,
					    t -> new ArrayList<>()).add(
					    send(producer, topic, BIG + i));
			producer.flush();
			for (String topic : List.of(SECRET, SECRET_TOO))
				for (Future<?> future : futures.get(topic))
					refuses(future, topic);
			for (Future<?> future : futures.get(OPEN))
				future.get();
		}
		List<String> there = sent.computeIfAbsent(OPEN,
		    t -> new ArrayList<>());

		for (int i = 0; i < RECORDS; i++)
			there.add(new String(value(OPEN, BIG + i)));
		whole(OPEN);
	}

	/* Nobody tells it; that nothing is there is for others to say. */
	private void withoutAcks() throws Exception {
		try (var producer = producer(options("rules-acks-0",
		    "enable.idempotence", "false", "acks", "0"))) {
			for (int i = 0; i < RECORDS; i++)
				send(producer, SECRET, i);
			producer.flush();
		}
	}

	/* What is refused leaves no hole in what follows. */
	private void idempotent() throws Exception {
		for (int i = 0; i < 3; i++) {
			put(OPEN);
			refuses(send(steady, SECRET, i), SECRET);
		}
		put(OPEN);
		whole(OPEN);
	}

	/* The same producer, once the rule has gone. */
	private void letIn() throws Exception {
		put(SECRET);
		put(OPEN);
		whole(SECRET);
		whole(OPEN);
	}

	/* As with an ACL: it can only be aborted, and the next is a new one. */
	private void transaction() throws Exception {
		Future<?> open, secret;

		transactional.beginTransaction();
		open = send(transactional, OPEN, 1000);
		secret = send(transactional, SECRET, 1000);
		try {
			transactional.commitTransaction();
			throw new IllegalStateException("it was committed");
		} catch (TopicAuthorizationException e) {
			refusesBy(e, SECRET);
		} catch (KafkaException e) {
			refusesBy(e.getCause(), SECRET);
		}
		refuses(secret, SECRET);
		transactional.abortTransaction();
		until("an end of " + OPEN, open::isDone);
		transactional.beginTransaction();
		for (int i = 1001; i < 1001 + RECORDS; i++) {
			send(transactional, OPEN, i);
			sent.get(OPEN).add(new String(value(OPEN, i)));
		}
		transactional.commitTransaction();
		whole(OPEN);
	}

	/* ---- consumers that go on -------------------------------------- */

	/* One that was given its partitions, and one of each kind of group. */
	private void read(String... protocols) throws Exception {
		readers.add(new RulesReader(plain("rules-alone"), null,
		    List.of(SECRET_READ, OPEN_READ)));
		for (String protocol : protocols)
			readers.add(new RulesReader(plain("rules-" + protocol,
			    "group.id", "rules-" + protocol,
			    "group.protocol", protocol), protocol,
			    List.of(SECRET_READ, OPEN_READ)));
		for (RulesReader reader : readers)
			reader.start();
		put(SECRET_READ);
		put(OPEN_READ);
		have(SECRET_READ);
		have(OPEN_READ);
		/* A session is incremental from its second Fetch on. */
		for (RulesReader reader : readers) {
			double from = reader.fetches;

			until("more fetches", () -> reader.isWell() &&
			    reader.fetches >= from + 3);
			same(0, reader.refusals.get(), "refusals");
		}
	}

	private void have(String topic) throws Exception {
		for (RulesReader reader : readers)
			until(reader.getName() + " to have all of " + topic,
			    () -> reader.isWell() && reader.count(topic) >=
			    sent.get(topic).size());
	}

	private void refused() throws Exception {
		for (RulesReader reader : readers) {
			int from = reader.refusals.get();

			until(reader.getName() + " to be refused",
			    () -> reader.isWell() &&
			    reader.refusals.get() > from + 1);
		}
	}

	/* The rule denies one topic's new records, to all of them. */
	private void readHalf() throws Exception {
		int before = sent.get(SECRET_READ).size();

		put(SECRET_READ);
		put(OPEN_READ);
		have(OPEN_READ);
		refused();
		for (RulesReader reader : readers)
			same(before, reader.count(SECRET_READ),
			    "records of " + SECRET_READ);
	}

	private void readAll() throws Exception {
		have(SECRET_READ);
		put(SECRET_READ);
		put(OPEN_READ);
		have(SECRET_READ);
		have(OPEN_READ);
		for (RulesReader reader : readers) {
			int refusals = reader.refusals.get();
			double from = reader.fetches;

			until("more fetches", () -> reader.isWell() &&
			    reader.fetches >= from + 3);
			same(refusals, reader.refusals.get(), "refusals");
		}
	}

	private void readEnd() throws Exception {
		for (RulesReader reader : readers) {
			reader.isOver = true;
			reader.join();
			reader.isWell();
			for (String topic : List.of(SECRET_READ, OPEN_READ))
				sameRecords(topic, sent.get(topic),
				    reader.got(topic));
			same(reader.movesAtFirst(), reader.moves.get(),
			    "partitions that moved");
		}
	}

	/*
	 * Topics of which Lightpath has heard nothing yet: the consumer brings
	 * their ids from elsewhere.
	 */
	private void readUnheard() throws Exception {
		var reader = new RulesReader(plain("rules-unheard",
		    "bootstrap.servers", other), null,
		    List.of("secret.unheard", "open.unheard"));

		reader.start();
		until("the records of one, and a refusal of the other", () ->
		    reader.isWell() && reader.refusals.get() > 0 &&
		    reader.count("open.unheard") >= 2);
		reader.isOver = true;
		reader.join();
		reader.isWell();
		same(0, reader.count("secret.unheard"), "records");
		same(2, reader.count("open.unheard"), "records");
	}

	/* ---- a share group --------------------------------------------- */

	private void share() throws Exception {
		RulesShare.fromTheBeginning(admin);
		sharer = new RulesShare(options("rules-share",
		    "fetch.max.wait.ms", "100"),
		    List.of(SECRET_SHARE, OPEN_SHARE));
		sharer.start();
		putShared();
		haveShared(SECRET_SHARE);
		haveShared(OPEN_SHARE);
		same(0, sharer.refusals.get(), "refusals");
	}

	private void putShared() throws Exception {
		put(SECRET_SHARE);
		put(OPEN_SHARE);
	}

	private void haveShared(String topic) throws Exception {
		until("all of " + topic, () -> sharer.isWell() &&
		    sharer.got(topic).containsAll(sent.get(topic)));
	}

	private void shareRefused() throws Exception {
		int before = sharer.got(SECRET_SHARE).size();

		until("a refusal", () -> sharer.isWell() &&
		    sharer.refusals.get() > 1);
		putShared();
		haveShared(OPEN_SHARE);
		same(before, sharer.got(SECRET_SHARE).size(), "records");
	}

	private void shareAll() throws Exception {
		haveShared(SECRET_SHARE);
		putShared();
		haveShared(SECRET_SHARE);
		haveShared(OPEN_SHARE);
		sharer.isOver = true;
		sharer.join();
		sharer.isWell();
	}

	/* ---- requests that are reset, or make nothing ------------------ */

	/* Its connection is reset, again and again. */
	private void deletionLost() throws Exception {
		double opened = connections();

		try (Admin other = Admin.create(options("rules-deletion",
		    "default.api.timeout.ms", "2000", "request.timeout.ms",
		    "1000", "reconnect.backoff.ms", "50"))) {
			other.deleteTopics(List.of("doomed")).all().get();
			throw new IllegalStateException("it was deleted");
		} catch (ExecutionException e) {
			if (!(e.getCause() instanceof TimeoutException))
				throw e;
		}
		if (!admin.listTopics().names().get().contains("doomed"))
			throw new IllegalStateException("it has gone");
		same(opened, connections(), "connections of the others");
	}

	private double connections() {
		double sum = RulesReader.connections(admin.metrics()) +
		    RulesReader.connections(steady.metrics());

		for (RulesReader reader : readers)
			sum += reader.connections;
		return sum;
	}

	private void deletion() throws Exception {
		admin.deleteTopics(List.of("doomed")).all().get();
		until("it to have gone", () -> !admin.listTopics().names()
		    .get().contains("doomed"));
	}

	/* By asking for its partitions. */
	private void notCreated() throws Exception {
		try (var producer = producer(options("rules-creation",
		    "max.block.ms", "2000"))) {
			producer.partitionsFor("auto.made");
			throw new IllegalStateException("it was created");
		} catch (TimeoutException e) {
			if (admin.listTopics().names().get()
			    .contains("auto.made"))
				throw new IllegalStateException("it is there");
		}
	}

	private void created() throws Exception {
		try (var producer = producer(options("rules-creation"))) {
			producer.partitionsFor("auto.made");
		}
		if (!admin.listTopics().names().get().contains("auto.made"))
			throw new IllegalStateException("it is not there");
	}
}
