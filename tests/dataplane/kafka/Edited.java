// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/**
 * Reads the lines of conform_edits.c.  The old message, with what has to be
 * changed changed in Kafka's own object, must be the new one as Kafka's own
 * classes read it.
 */
class Edited {
	// tests/support/readdress.c
	private static final int[] LENGTHS =
	    {1, 10, 8, 253, 126, 127, 128, 7, 60, 0};
	private static final String NAME =
	    "advertised-.0123456789.abcdefghijklmnopqrstuvwxyz.".repeat(6);
	private static final int BROKERS = 1;
	// conform_edits.c, in the place of a version of Produce.
	private static final int TOLD = -1;

	private final Map<Integer, Integer> offered = new HashMap<>();
	private final Map<String, Integer> edited = new TreeMap<>();

	// Of the message at hand.
	private short key;
	private short version;
	private int produce;

	public static void main(String[] args) throws Exception {
		Edited edited = new Edited();
		BufferedReader in = new BufferedReader(
		    new InputStreamReader(System.in));
		String line;
		int count = 0;

		while ((line = in.readLine()) != null) {
			edited.line(line.split(" "));
			count++;
		}
		System.out.println(count + " lines; changed " + edited.edited);
		// Whatever can be changed has been.
		if (edited.edited.size() != 9)
			throw new IllegalStateException("some never changed");
	}

	private void line(String[] words) throws Exception {
		if (words[0].equals("offered")) {
			offered.put(Integer.parseInt(words[1]),
			    Integer.parseInt(words[2]));
			return;
		}
		key = Short.parseShort(words[0]);
		version = Short.parseShort(words[1]);
		produce = Integer.parseInt(words[2]);

		ApiMessage before = read(words[3]);
		ApiMessage after = read(words[4]);
		String old = before.toString();

		change(before, after);
		if (!before.equals(after))
			throw new IllegalStateException(key + " " + version + "\n" + old +
			    "\nshould be\n" + before + "\nand is\n" + after + "\n" +
			    words[3] + "\n" + words[4]);
		if (!words[3].equals(words[4]))
			edited.merge(before.getClass().getSimpleName(), 1,
			    Integer::sum);
	}

	private ApiMessage read(String hex) {
		ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
		ApiMessageType type = ApiMessageType.fromApiKey(key);
		ApiMessage body = type.newResponse();

		if (bytes.getInt() != bytes.remaining())
			throw new IllegalStateException("size of " + hex);
		new ResponseHeaderData().read(new ByteBufferAccessor(bytes),
		    type.responseHeaderVersion(version));
		body.read(new ByteBufferAccessor(bytes), version);
		if (bytes.hasRemaining())
			throw new IllegalStateException("bytes behind " + hex);
		return body;
	}

	private void change(ApiMessage before, ApiMessage after)
	    throws Exception {
		if (before instanceof MetadataResponseData data) {
			for (var broker : data.brokers())
				address(broker, "nodeId");
		} else if (before instanceof FindCoordinatorResponseData data) {
			address(data, "nodeId");
			for (var coordinator : data.coordinators())
				address(coordinator, "nodeId");
		} else if (before instanceof DescribeClusterResponseData data) {
			for (var broker : data.brokers())
				if (data.endpointType() == BROKERS)
					address(broker, "brokerId");
		} else if (before instanceof ApiVersionsResponseData data) {
			ranges(data, (ApiVersionsResponseData) after);
		} else if (before instanceof DescribeConfigsResponseData data) {
			for (var result : data.results())
				for (var config : result.configs()) {
					mask(config);
					for (var synonym : config.synonyms())
						mask(synonym);
				}
		} else {
			hints(before, after);
		}
	}

	// ---- Addresses ----

	private static void address(Object broker, String id) throws Exception {
		int node = (int) get(broker, id);
		String host = (String) get(broker, "host");

		if (node < 0 || host.isEmpty() || (int) get(broker, "port") <= 0 ||
		    LENGTHS[node % 10] == 0)
			return;
		broker.getClass().getMethod("setHost", String.class)
		    .invoke(broker, NAME.substring(0, LENGTHS[node % 10]));
		broker.getClass().getMethod("setPort", int.class)
		    .invoke(broker, 40000 + node % 10);
	}

	private static Object get(Object object, String name) throws Exception {
		Method method = object.getClass().getMethod(name);

		return method.invoke(object);
	}

	// ---- Hints ----

	private void hints(ApiMessage before, ApiMessage after) throws Exception {
		Collection<?> endpoints = (Collection<?>) get(before, "nodeEndpoints");
		List<RawTaggedField> unknown = after.unknownTaggedFields();

		if (produce == TOLD)
			for (Object endpoint : endpoints)
				tell(endpoint);
		if (endpoints.isEmpty() || produce == TOLD)
			return;
		endpoints.clear();
		// In an array, other tags go with it.
		if (key >= 78)
			before.unknownTaggedFields().clear();
		RawTaggedField hidden = unknown.stream()
		    .filter(field -> field.tag() == 127 || field.tag() == 16383)
		    .findFirst().orElseThrow();
		for (byte value : hidden.data())
			if (value != 0)
				throw new IllegalStateException("not hidden: " + after);
		unknown.remove(hidden);
	}

	private static void tell(Object broker) throws Exception {
		int node = (int) get(broker, "nodeId");
		String host = (String) get(broker, "host");

		if (host.isEmpty())
			return;
		host = named(String.valueOf(node),
		    host.getBytes(StandardCharsets.UTF_8).length);
		broker.getClass().getMethod("setHost", String.class)
		    .invoke(broker, host);
		broker.getClass().getMethod("setPort", int.class)
		    .invoke(broker, 40000 + node % 10);
	}

	// By the pattern "*.k": proto/pattern.c says how.
	private static String named(String node, int length) {
		StringBuilder label = new StringBuilder();
		int room = length - 2, last = room % 64 == 0 ? 62 : 63;

		for (int i = 0; i < room; i++)
			label.append(i % 64 == last ? '.' : i < node.length() ?
			    node.charAt(node.length() - 1 - i) : '0');
		label.reverse().setCharAt(0, 'b');
		return label + ".k";
	}

	// ---- Ranges ----

	private void ranges(ApiVersionsResponseData before,
	    ApiVersionsResponseData after) {
		boolean capped = false;
		int unknown = 0;
		List<List<Integer>> should = new ArrayList<>(), is = new ArrayList<>();

		for (var api : before.apiKeys()) {
			int key = api.apiKey(), max = api.maxVersion();
			Integer last = offered.get(key);

			if (last == null)
				key = (short) (key & 0xff00 | 0xff - unknown++ % 128);
			else if (key == 0)
				last = Math.min(last, produce);
			if (last != null && (api.minVersion() > last || max > last)) {
				max = last;
				capped |= key == 0 && last < 12 && api.minVersion() <= last;
			}
			should.add(List.of(key, (int) api.minVersion(), max));
		}
		for (var api : after.apiKeys())
			is.add(List.of((int) api.apiKey(), (int) api.minVersion(),
			    (int) api.maxVersion()));
		if (!should.equals(is))
			throw new IllegalStateException(before + "\n" + should + "\n" + is);
		before.apiKeys().clear();
		after.apiKeys().clear();
		if (capped)
			features(before);
	}

	private static void features(ApiVersionsResponseData data) {
		for (var feature : data.supportedFeatures())
			if (feature.name().equals("transaction.version") &&
			    feature.minVersion() <= 1 && feature.maxVersion() > 1)
				feature.setMaxVersion((short) 1);
		for (var feature : data.finalizedFeatures())
			if (feature.name().equals("transaction.version"))
				feature
				    .setMaxVersionLevel((short) Math.min(1,
				        feature.maxVersionLevel()))
				    .setMinVersionLevel((short) Math.min(1,
				        feature.minVersionLevel()));
	}

	// ---- Configurations ----

	private static void mask(Object config) throws Exception {
		String name = (String) get(config, "name");
		String value = (String) get(config, "value");

		if (value == null || !name.equals("listeners") &&
		    !name.equals("controller.quorum.voters") &&
		    !name.endsWith("advertised.listeners") &&
		    !name.endsWith("bootstrap.servers"))
			return;
		config.getClass().getMethod("setValue", String.class).invoke(config,
		    "*".repeat(value.getBytes(StandardCharsets.UTF_8).length));
	}
}
