/* SPDX-License-Identifier: Apache-2.0 */
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

import org.apache.kafka.common.KafkaException;

/*
 * Reads two topics, or one of them, by one session of Fetches, for as long as it
 * is wanted; what it is refused it remembers, and goes on.
 */
final class ComparedSession extends Thread {
	private static final int HUNDRED = 100;

	volatile boolean isOver;
	volatile double fetches, connections;
	private final Properties options;
	private final Set<String> refused = Collections.synchronizedSet(
	    new TreeSet<>());
	private final Map<String, Integer> got = Collections.synchronizedMap(
	    new TreeMap<>());
	private volatile List<String> wanted;
	private volatile List<String> has = List.of();
	private volatile Throwable wrong;

	ComparedSession(Properties options, String... topics) {
		super(options.getProperty("client.id"));
		this.options = options;
		wanted = List.of(topics);
	}

	boolean isWell() {
		if (wrong != null)
			throw new IllegalStateException(getName(), wrong);
		return true;
	}

	boolean has(String topic, int records) {
		return isWell() && got.getOrDefault(topic, 0) >= records;
	}

	String counts() {
		return got.toString();
	}

	/* Of what it has been told since it was asked last. */
	String refused() {
		synchronized (refused) {
			String all = refused.toString();

			refused.clear();
			return all;
		}
	}

	boolean isRefused() {
		return isWell() && !refused.isEmpty();
	}

	void want(String... topics) {
		wanted = List.of(topics);
		Clients.until("what is wanted", () -> isWell() && has == wanted);
	}

	void fetchesHundred() {
		double from = fetches;

		Clients.until("a hundred fetches",
		    () -> isWell() && fetches >= from + HUNDRED);
	}

	@Override
	public void run() {
		try (var consumer = Clients.consumer(options)) {
			while (!isOver) {
				if (has != wanted) {
					List<String> topics = wanted;

					consumer.assign(Compared.both(
					    topics.toArray(new String[0])));
					has = topics;
				}
				try {
					consumer.poll(Clients.POLL).forEach(r ->
					    got.merge(r.topic(), 1,
					        Integer::sum));
				} catch (KafkaException e) {
					refused.add(Compared.why(e));
				}
				fetches = Clients.figure(consumer,
				    "fetch-total");
				connections = RulesReader.connections(
				    consumer.metrics());
			}
		} catch (Throwable thrown) {
			wrong = thrown;
		}
	}
}
