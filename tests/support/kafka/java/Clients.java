/* SPDX-License-Identifier: Apache-2.0 */
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.Random;
import java.util.function.BooleanSupplier;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/* Clients of the lab, and what all workloads do with them. */
final class Clients {
	static final Duration POLL = Duration.ofMillis(50);
	static final int PARTITIONS = 4;
	private static final long PATIENCE_MS = 60_000;

	private Clients() {
	}

	/* Options are pairs of a name and a value. */
	static Properties options(String server, String id,
	    String... more) {
		Properties options = new Properties();

		options.put("bootstrap.servers", server);
		options.put("client.id", id);
		options.put("metric.reporters", "Truth");
		for (int i = 0; i < more.length; i += 2)
			options.put(more[i], more[i + 1]);
		return options;
	}

	static Producer<byte[], byte[]> producer(Properties options) {
		return new KafkaProducer<>(options, new ByteArraySerializer(),
		    new ByteArraySerializer());
	}

	/* Reads from the beginning, unless the options say otherwise. */
	static Consumer<byte[], byte[]> consumer(Properties options) {
		options.putIfAbsent("auto.offset.reset", "earliest");
		return new KafkaConsumer<>(options,
		    new ByteArrayDeserializer(), new ByteArrayDeserializer());
	}

	static Admin admin(Properties options) {
		return Admin.create(options);
	}

	static List<TopicPartition> partitions(String topic) {
		List<TopicPartition> all = new ArrayList<>();

		for (int i = 0; i < PARTITIONS; i++)
			all.add(new TopicPartition(topic, i));
		return all;
	}

	/* Text that only this record has, `size` bytes; the same in every run. */
	static byte[] value(String name, int number, int size) {
		byte[] bytes = new byte[size];
		byte[] head = (name + " " + number + " ").getBytes();

		new Random(name.hashCode() * 31L + number).nextBytes(bytes);
		/* Half of it can be compressed. */
		for (int i = 0; i < size; i += 2)
			bytes[i] = 'x';
		System.arraycopy(head, 0, bytes, 0,
		    Math.min(head.length, size));
		return bytes;
	}

	/* Sends records number `first` on, to all partitions in turn. */
	static void send(Producer<byte[], byte[]> producer, String topic,
	    String name, int first, int count, int size) throws Exception {
		List<java.util.concurrent.Future<?>> sent = new ArrayList<>();

		for (int i = first; i < first + count; i++)
			sent.add(producer.send(new ProducerRecord<>(topic,
			    i % PARTITIONS, null, value(name, i, size))));
		producer.flush();
		for (var future : sent)
			future.get();
	}

	/* Until there are `count` of them. */
	static List<ConsumerRecord<byte[], byte[]>> read(
	    Consumer<byte[], byte[]> consumer, int count) {
		List<ConsumerRecord<byte[], byte[]>> got = new ArrayList<>();

		until(count + " records", () -> {
			consumer.poll(POLL).forEach(got::add);
			return got.size() >= count;
		});
		same(count, got.size(), "records");
		return got;
	}

	/*
	 * Until no request of it is under way, so that the close that follows
	 * leaves no answer behind.
	 */
	static void quiesce(Consumer<byte[], byte[]> consumer) {
		consumer.pause(consumer.assignment());
		until("an end of its requests", () -> {
			consumer.poll(POLL);
			return figure(consumer, "request-total") ==
			    figure(consumer, "response-total");
		});
	}

	/* A figure of the whole client. */
	static double figure(Consumer<?, ?> consumer, String name) {
		return consumer.metrics().values().stream()
		    .filter(m -> m.metricName().name().equals(name) &&
		        m.metricName().tags().size() == 1)
		    .mapToDouble(m -> (double)m.metricValue()).max()
		    .orElse(0);
	}

	static void until(String what, BooleanSupplier done) {
		long end = System.nanoTime() + PATIENCE_MS * 1_000_000;

		while (!done.getAsBoolean())
			if (System.nanoTime() > end)
				throw new IllegalStateException(
				    "waited in vain for " + what);
	}

	/* Each value of `sent` exactly once. */
	static void whole(Collection<byte[]> sent,
	    List<ConsumerRecord<byte[], byte[]>> got) {
		List<String> want = new ArrayList<>();
		List<String> have = new ArrayList<>();

		for (byte[] value : sent)
			want.add(new String(value,
			    java.nio.charset.StandardCharsets.ISO_8859_1));
		for (var record : got)
			have.add(new String(record.value(),
			    java.nio.charset.StandardCharsets.ISO_8859_1));
		want.sort(null);
		have.sort(null);
		if (!want.equals(have))
			throw new IllegalStateException("of " + want.size() +
			    " records others came, " + have.size());
	}

	static void same(Object want, Object got, String what) {
		if (!want.equals(got))
			throw new IllegalStateException(what + ": " + got +
			    ", not " + want);
	}
}
