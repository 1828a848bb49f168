/* SPDX-License-Identifier: Apache-2.0 */
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.List;

import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;

/*
 * What a client says of itself at its very end: a reporter reads each figure
 * when the client takes it away, that is after its last request, which a
 * reading before close() misses.  One instance a client; Kafka makes it.
 *
 * A line of JSON a client: {"client": "p-all-gzip", "request-total": 7, ...,
 * "topics": {"codecs": {"byte-total": 1234, ...}}}.
 */
public final class Truth implements MetricsReporter {
	private static final Set<String> OF_CLIENT = Set.of(
	    "request-total", "response-total", "outgoing-byte-total",
	    "incoming-byte-total", "connection-creation-total",
	    "successful-authentication-total", "failed-authentication-total",
	    "record-send-total", "record-error-total", "record-retry-total",
	    "request-latency-avg", "request-latency-max",
	    "produce-throttle-time-max", "fetch-total", "fetch-latency-avg",
	    "fetch-latency-max", "fetch-throttle-time-max",
	    "records-consumed-total");
	private static final Set<String> OF_TOPIC = Set.of("byte-total",
	    "record-send-total", "bytes-consumed-total",
	    "records-consumed-total");

	private static final Map<String, Map<String, Double>> clients =
	    new ConcurrentHashMap<>();
	private static final Map<String, Map<String, Map<String, Double>>>
	    topics = new ConcurrentHashMap<>();

	private final Set<KafkaMetric> living = ConcurrentHashMap.newKeySet();

	@Override
	public void configure(Map<String, ?> configs) {
	}

	@Override
	public void init(List<KafkaMetric> metrics) {
		living.addAll(metrics);
	}

	@Override
	public void metricChange(KafkaMetric metric) {
		living.add(metric);
	}

	@Override
	public void metricRemoval(KafkaMetric metric) {
		if (living.remove(metric))
			keep(metric);
	}

	@Override
	public void close() {
		living.forEach(Truth::keep);
		living.clear();
	}

	private static void keep(KafkaMetric metric) {
		MetricName name = metric.metricName();
		Map<String, String> tags = name.tags();
		String client = tags.get("client-id");
		String topic = tags.get("topic");

		if (client == null ||
		    !(metric.metricValue() instanceof Double value) ||
		    value.isNaN())
			return;
		if (tags.size() == 1 && OF_CLIENT.contains(name.name()))
			map(clients, client).merge(name.name(), value,
			    Math::max);
		if (tags.size() == 2 && topic != null &&
		    OF_TOPIC.contains(name.name()))
			topics.computeIfAbsent(client,
			    key -> new ConcurrentHashMap<>())
			    .computeIfAbsent(topic, key -> new TreeMap<>())
			    .merge(name.name(), value, Math::max);
	}

	private static Map<String, Double> map(
	    Map<String, Map<String, Double>> maps, String key) {
		return maps.computeIfAbsent(key, k -> new TreeMap<>());
	}

	/* All clients that were closed. */
	static void print() {
		for (String client : new TreeMap<>(clients).keySet()) {
			StringBuilder line = new StringBuilder();

			line.append("{\"client\": \"").append(client)
			    .append('"');
			members(line, clients.get(client), true);
			line.append(", \"topics\": {");
			String comma = "";
			for (var topic : topics.getOrDefault(client, Map.of())
			    .entrySet()) {
				line.append(comma).append('"')
				    .append(topic.getKey()).append("\": {");
				members(line, topic.getValue(), false);
				line.append('}');
				comma = ", ";
			}
			System.out.println(line.append("}}"));
		}
	}

	private static void members(StringBuilder line, Map<String, Double> map,
	    boolean more) {
		String comma = more ? ", " : "";

		for (var entry : map.entrySet()) {
			if (entry.getValue().isInfinite())
				continue;
			line.append(comma).append('"').append(entry.getKey())
			    .append("\": ").append(number(entry.getValue()));
			comma = ", ";
		}
	}

	private static String number(double value) {
		return value == Math.rint(value) ?
		    Long.toString((long)value) : Double.toString(value);
	}
}
