/* SPDX-License-Identifier: Apache-2.0 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/*
 * Compared SERVER RESULTS [PROTOCOL...]: does what may be denied, and writes to
 * RESULTS what it was told, "what: it was told" a line, so that one who is
 * denied by a rule can be compared with one who is denied by the broker's ACLs.
 * What it does next are lines of standard input; each is answered by "ok LINE",
 * or by "failed LINE", and why on standard error.  PROTOCOLs are those of
 * groups.
 *
 * What is denied has names that begin with "secret".
 */
public final class Compared {
	interface Step {
		void run() throws Exception;
	}

	/* What somebody was told; what is thrown is told, too. */
	interface Question {
		Object ask() throws Exception;
	}

	static final String SECRET = "secret.a", OPEN = "open";
	static final int PARTITIONS = 2;
	private static final String[] TOPICS = { SECRET, OPEN, "secret.read",
	    "open.read", "open.idempotent", "open.transactional", "open.zero",
	    "open.by-id", "open.late" };

	final Admin admin;
	private final String server;
	private final PrintStream results;
	private final Consumer<byte[], byte[]> counter;
	private final Map<String, Step> steps = new LinkedHashMap<>();
	/* What the lines of this step begin with. */
	private String now;

	private Compared(String[] args) throws Exception {
		server = args[0];
		results = new PrintStream(args[1]);
		admin = Admin.create(options("compared-admin"));
		counter = Clients.consumer(options("compared-counter",
		    "isolation.level", "read_committed"));
		var producers = new ComparedProducers(this);
		var consumers = new ComparedConsumers(this,
		    List.of(args).subList(2, args.length));
		var administrator = new ComparedAdmin(this);

		steps.put("begin", () -> {
			begin();
			producers.begin();
			consumers.begin();
		});
		steps.put("acl-what", () -> deny(false));
		steps.put("acl-all", () -> deny(true));
		steps.put("acl-none", this::allow);
		steps.put("what", () -> {
			producers.work();
			consumers.work();
			administrator.what();
		});
		steps.put("all", () -> {
			producers.named();
			consumers.named();
			administrator.all();
		});
		steps.put("none", () -> {
			producers.end();
			consumers.end();
			administrator.end();
		});
	}

	public static void main(String[] args) throws Exception {
		var compared = new Compared(args);
		var lines = new BufferedReader(
		    new InputStreamReader(System.in));
		String line;

		while ((line = lines.readLine()) != null)
			compared.obey(line);
		System.exit(0);
	}

	private void obey(String line) {
		String how = "ok";

		try {
			now = line;
			steps.get(line).run();
		} catch (Throwable thrown) {
			System.err.print(line + ": ");
			thrown.printStackTrace();
			how = "failed";
		}
		System.out.println(how + " " + line);
		System.out.flush();
	}

	/* ---- what is told ---------------------------------------------- */

	synchronized void tell(String what, Question question) {
		Object told;

		try {
			told = question.ask();
		} catch (Throwable thrown) {
			told = why(thrown);
		}
		results.println(now + " " + what + ": " + told);
		results.flush();
	}

	/* An id of a topic, which is another one each time. */
	private static final String ID = "\\b[A-Za-z0-9_-]{22}\\b";

	/* All of it but what the future's own is. */
	static String why(Throwable thrown) {
		List<String> all = new ArrayList<>();

		for (Throwable t = thrown; t != null; t = t.getCause())
			if (!(t instanceof ExecutionException))
				all.add(t.getClass().getSimpleName() + ": " +
				    t.getMessage());
		return String.join(", by ", all).replaceAll("\\s+", " ")
		    .replaceAll(ID, "ID");
	}

	static Object outcome(Future<?> future) {
		try {
			future.get();
			return "done";
		} catch (ExecutionException | InterruptedException e) {
			return why(e);
		}
	}

	/* ---- clients --------------------------------------------------- */

	Properties options(String id, String... more) {
		var options = new Properties();

		options.put("bootstrap.servers", server);
		options.put("client.id", id);
		for (int i = 0; i < more.length; i += 2)
			options.put(more[i], more[i + 1]);
		return options;
	}

	Producer<byte[], byte[]> producer(String id, String... more) {
		return Clients.producer(options(id, more));
	}

	Consumer<byte[], byte[]> consumer(String id, String... more) {
		return Clients.consumer(options(id, more));
	}

	static Future<?> send(Producer<byte[], byte[]> producer, String topic,
	    int number) {
		return producer.send(new ProducerRecord<>(topic,
		    number % PARTITIONS, null, (topic + number).getBytes()));
	}

	static List<TopicPartition> both(String... topics) {
		List<TopicPartition> all = new ArrayList<>();

		for (String topic : topics)
			for (int i = 0; i < PARTITIONS; i++)
				all.add(new TopicPartition(topic, i));
		return all;
	}

	/* Where the topic ends, as the broker says. */
	long end(String topic) throws Exception {
		Map<TopicPartition, OffsetSpec> wanted = new LinkedHashMap<>();
		long sum = 0;

		for (var partition : both(topic))
			wanted.put(partition, OffsetSpec.latest());
		for (var end : admin.listOffsets(wanted).all().get().values())
			sum += end.offset();
		return sum;
	}

	/*
	 * Committed records, as a consumer finds them, once there are as many;
	 * who has committed them has not to wait for that.
	 */
	int count(String topic, int least) {
		List<TopicPartition> all = both(topic);
		int[] count = { 0 };

		counter.assign(all);
		counter.seekToBeginning(all);
		var ends = counter.endOffsets(all);

		Clients.until("the end of " + topic, () -> {
			count[0] += counter.poll(Clients.POLL).count();
			return count[0] >= least && all.stream().allMatch(p ->
			    counter.position(p) >= ends.get(p));
		});
		return count[0];
	}

	private void begin() throws Exception {
		List<NewTopic> topics = new ArrayList<>();

		for (String topic : TOPICS)
			topics.add(new NewTopic(topic, PARTITIONS, (short)1));
		admin.createTopics(topics).all().get();
	}

	/* ---- the broker's own ------------------------------------------ */

	private static AclBinding acl(ResourceType type, String name,
	    AclPermissionType permission, AclOperation operation) {
		return new AclBinding(new ResourcePattern(type, name,
		    type == ResourceType.CLUSTER ? PatternType.LITERAL :
		    PatternType.PREFIXED), new AccessControlEntry("User:*", "*",
		    operation, permission));
	}

	/* Once there is one of something, what none of them allows is denied. */
	private void deny(boolean isAll) throws Exception {
		List<AclBinding> acls = new ArrayList<>();

		for (var type : List.of(ResourceType.TOPIC, ResourceType.GROUP,
		    ResourceType.TRANSACTIONAL_ID))
			acls.add(acl(type, "secret", AclPermissionType.ALLOW,
			    AclOperation.ALL));
		acls.add(acl(ResourceType.CLUSTER, "kafka-cluster",
		    AclPermissionType.ALLOW, AclOperation.ALL));
		/* Who may do it to the cluster may do it to any topic. */
		for (var operation : List.of(AclOperation.CREATE,
		    AclOperation.DELETE))
			acls.add(acl(ResourceType.CLUSTER, "kafka-cluster",
			    AclPermissionType.DENY, operation));
		acls.add(acl(ResourceType.GROUP, "secret",
		    AclPermissionType.DENY, AclOperation.READ));
		acls.add(acl(ResourceType.TRANSACTIONAL_ID, "secret",
		    AclPermissionType.DENY, AclOperation.WRITE));
		for (var operation : isAll ? List.of(AclOperation.ALL) :
		    List.of(AclOperation.READ, AclOperation.WRITE,
		        AclOperation.CREATE, AclOperation.ALTER,
		        AclOperation.ALTER_CONFIGS,
		        AclOperation.DESCRIBE_CONFIGS, AclOperation.DELETE))
			acls.add(acl(ResourceType.TOPIC, "secret",
			    AclPermissionType.DENY, operation));
		admin.createAcls(acls).all().get();
		Clients.until("a refusal", () -> isRefused(isAll));
	}

	private void allow() throws Exception {
		admin.deleteAcls(List.of(AclBindingFilter.ANY)).all().get();
		Clients.until("no refusal", () -> !isRefused(false) &&
		    !isRefused(true));
	}

	/* The last of those that are made. */
	private boolean isRefused(boolean isAll) {
		var first = new TopicPartition(SECRET, 0);

		try {
			if (isAll)
				admin.listOffsets(Map.of(first,
				    OffsetSpec.latest())).all().get();
			else
				admin.deleteRecords(Map.of(first,
				    RecordsToDelete.beforeOffset(0))).all()
				    .get();
			return false;
		} catch (ExecutionException | InterruptedException e) {
			if (e.getCause() instanceof TopicAuthorizationException)
				return true;
			throw new IllegalStateException(e);
		}
	}
}
