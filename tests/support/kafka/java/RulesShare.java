/* SPDX-License-Identifier: Apache-2.0 */
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/*
 * A member of a share group that reads two topics, and acknowledges what it was
 * given when it asks for more.  Of the first topic it may be refused: it
 * catches that, and goes on.  What was not acknowledged in time comes once
 * more.
 */
final class RulesShare extends Thread {
	final AtomicInteger refusals = new AtomicInteger();
	volatile boolean isOver;
	private final Properties options;
	private final List<String> topics;
	private final Map<String, Set<String>> got = new HashMap<>();
	private volatile Throwable wrong;

	RulesShare(Properties options, List<String> topics) {
		super(options.getProperty("client.id"));
		this.options = options;
		this.topics = topics;
		options.put("group.id", "rules-sharers");
		for (String topic : topics)
			got.put(topic, ConcurrentHashMap.newKeySet());
	}

	boolean isWell() {
		if (wrong != null)
			throw new IllegalStateException(getName(), wrong);
		return true;
	}

	Set<String> got(String topic) {
		return got.get(topic);
	}

	static void fromTheBeginning(Admin admin) throws Exception {
		admin.incrementalAlterConfigs(Map.of(new ConfigResource(
		    ConfigResource.Type.valueOf("GROUP"), "rules-sharers"),
		    List.of(new AlterConfigOp(new ConfigEntry(
		        "share.auto.offset.reset", "earliest"),
		        AlterConfigOp.OpType.SET)))).all().get();
	}

	@Override
	public void run() {
		try (var consumer = new KafkaShareConsumer<>(options,
		    new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
			consumer.subscribe(topics);
			while (!isOver)
				poll(consumer);
		} catch (Throwable thrown) {
			wrong = thrown;
		}
	}

	private void poll(KafkaShareConsumer<byte[], byte[]> consumer) {
		try {
			for (var record : consumer.poll(Clients.POLL))
				got.get(record.topic()).add(
				    new String(record.value()));
		} catch (TopicAuthorizationException e) {
			Clients.same(Set.of(topics.get(0)),
			    e.unauthorizedTopics(), "topics not authorized");
			refusals.incrementAndGet();
		}
	}
}
