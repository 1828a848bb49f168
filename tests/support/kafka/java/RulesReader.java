/* SPDX-License-Identifier: Apache-2.0 */
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicAuthorizationException;

/*
 * Reads two topics for as long as RulesWork wants, in a group, or without.  Of
 * the first, and of no other, it may be refused what it asks for: it catches
 * that, and goes on.
 */
final class RulesReader extends Thread {
	static final int PARTITIONS = 2;

	final AtomicInteger refusals = new AtomicInteger();
	/* Partitions that the group has given to it, or taken. */
	final AtomicInteger moves = new AtomicInteger();
	volatile double fetches, connections;
	volatile boolean isOver;
	private final Properties options;
	private final boolean isInGroup;
	private final List<String> topics;
	/* What came twice is there twice. */
	private final Map<String, List<String>> got = new LinkedHashMap<>();
	private volatile Throwable wrong;

	RulesReader(Properties options, String protocol, List<String> topics) {
		super(options.getProperty("client.id"));
		this.options = options;
		this.topics = topics;
		isInGroup = protocol != null;
		for (String topic : topics)
			got.put(topic, new ArrayList<>());
	}

	boolean isWell() {
		if (wrong != null)
			throw new IllegalStateException(getName(), wrong);
		return true;
	}

	synchronized int count(String topic) {
		return got.get(topic).size();
	}

	synchronized List<String> got(String topic) {
		return new ArrayList<>(got.get(topic));
	}

	private synchronized void take(String topic, byte[] value) {
		got.get(topic).add(new String(value));
	}

	/* Of a group with one member. */
	int movesAtFirst() {
		return isInGroup ? topics.size() * PARTITIONS : 0;
	}

	static double connections(
	    Map<MetricName, ? extends Metric> metrics) {
		return metrics.values().stream().filter(m -> m.metricName()
		    .name().equals("connection-creation-total"))
		    .mapToDouble(m -> (double)m.metricValue()).sum();
	}

	@Override
	public void run() {
		try (var consumer = Clients.consumer(options)) {
			choose(consumer);
			while (!isOver) {
				poll(consumer);
				fetches = Clients.figure(consumer,
				    "fetch-total");
				connections = connections(consumer.metrics());
			}
		} catch (Throwable thrown) {
			wrong = thrown;
		}
	}

	private void poll(Consumer<byte[], byte[]> consumer) {
		try {
			consumer.poll(Clients.POLL).forEach(r ->
			    take(r.topic(), r.value()));
		} catch (TopicAuthorizationException e) {
			Clients.same(Set.of(topics.get(0)),
			    e.unauthorizedTopics(), "topics not authorized");
			refusals.incrementAndGet();
		}
	}

	private void choose(Consumer<byte[], byte[]> consumer) {
		List<TopicPartition> all = new ArrayList<>();

		if (isInGroup) {
			consumer.subscribe(topics, listener());
			return;
		}
		for (String topic : topics)
			for (int i = 0; i < PARTITIONS; i++)
				all.add(new TopicPartition(topic, i));
		consumer.assign(all);
	}

	private ConsumerRebalanceListener listener() {
		return new ConsumerRebalanceListener() {
			@Override
			public void onPartitionsAssigned(
			    Collection<TopicPartition> all) {
				moves.addAndGet(all.size());
			}

			/* What the end takes from it is its own doing. */
			@Override
			public void onPartitionsRevoked(
			    Collection<TopicPartition> all) {
				if (!isOver)
					moves.addAndGet(all.size());
			}
		};
	}
}
