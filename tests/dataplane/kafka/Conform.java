// SPDX-License-Identifier: Apache-2.0

import java.io.PrintStream;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Conform FACTS SEED COUNT: for every message of the release on
 * the class path and each of its versions, COUNT lines
 *
 *	KEY VERSION request|response BYTES FACTS...
 *
 * Kafka's own generated classes, filled at random, write the bytes.  Facts are
 * derived from those objects and the schema that Kafka ships with them; where
 * each is comes from adding up sizes, and the sum must be the whole message.
 * FACTS is what `clients.sh tables --facts` prints.
 */
class Conform {
	private static final int TEXT_MAX = 255; // LP_FACT_TEXT_MAX
	private static final Set<String> LENGTHS =
	    Set.of("config_value", "error_message");
	private static final Set<String> MARKED = Set.of("topic_name", "topic_id");

	/** Texts that something depends on. */
	private static final String[] WORDS = {"listeners",
	    "advertised.listeners", "controller.quorum.voters", "port",
	    "controller.quorum.bootstrap.servers", "transaction.version"};

	private static final Map<String, Method> METHODS = new HashMap<>();

	private final Map<String, String> kinds = new HashMap<>();
	private final Set<String> changed = new HashSet<>();
	private final Map<String, Boolean> nullable = new HashMap<>();
	private final Random random;

	// Of the message at hand.
	private short version;
	private int at;
	private List<String> facts;

	public static void main(String[] args) throws Exception {
		Conform conform = new Conform(args[0], Long.parseLong(args[1]));
		int count = Integer.parseInt(args[2]);
		PrintStream out = new PrintStream(new java.io.FileOutputStream(
		    java.io.FileDescriptor.out), false);

		for (ApiMessageType api : ApiMessageType.values())
			conform.api(api, count, out);
		out.flush();
	}

	Conform(String path, long seed) throws Exception {
		random = new Random(seed);
		for (String line : Files.readAllLines(Path.of(path))) {
			String[] words = line.split(" ");

			if (words[0].equals("changed"))
				changed.add(words[1].toLowerCase(Locale.ROOT) + words[2]);
			else
				kinds.put(words[0].toLowerCase(Locale.ROOT),
				    words[1].toLowerCase(Locale.ROOT));
		}
	}

	private void api(ApiMessageType api, int count, PrintStream out)
	    throws Exception {
		for (int v = api.lowestSupportedVersion();
		     v <= api.highestSupportedVersion(true); v++) {
			version = (short) v;
			for (int i = 0; i < count; i++) {
				request(api, out);
				response(api, out);
			}
		}
	}

	private void request(ApiMessageType api, PrintStream out)
	    throws Exception {
		short header = api.requestHeaderVersion(version);
		RequestHeaderData head = new RequestHeaderData()
		    .setRequestApiKey(api.apiKey())
		    .setRequestApiVersion(version)
		    .setCorrelationId(random.nextInt());

		begin(12);
		if (header >= 1) {
			head.setClientId(chance(10) ? null : text());
			// The old string, even in header v2.
			string("client_id", head.clientId(), 2);
		}
		if (header >= 2) {
			unknownTags(head.unknownTaggedFields());
			tagged(Map.of(), head, "");
		}
		message(api, api.newRequest(), api.requestSchemas(), head, header,
		    "request", out);
	}

	private void response(ApiMessageType api, PrintStream out)
	    throws Exception {
		short header = api.responseHeaderVersion(version);
		ResponseHeaderData head = new ResponseHeaderData()
		    .setCorrelationId(random.nextInt());

		begin(8);
		if (header >= 1) {
			unknownTags(head.unknownTaggedFields());
			tagged(Map.of(), head, "");
		}
		message(api, api.newResponse(), api.responseSchemas(), head, header,
		    "response", out);
	}

	private void begin(int position) {
		at = position;
		facts = new ArrayList<>();
	}

	private void message(ApiMessageType api, ApiMessage body,
	    Schema[] schemas, ApiMessage head, short header, String what,
	    PrintStream out) throws Exception {
		String name = body.getClass().getSimpleName().toLowerCase(Locale.ROOT)
		    .replaceFirst("data$", "");
		ObjectSerializationCache cache = new ObjectSerializationCache();
		int size;
		ByteBuffer bytes;

		// The other release has it differently, and is right.
		if (changed.contains(name + version))
			return;
		fill(body, schemas[version], 0);
		fields(body, schemas[version], name);
		size = head.size(cache, header) + body.size(cache, version);
		bytes = ByteBuffer.allocate(4 + size);
		bytes.putInt(size);
		head.write(new ByteBufferAccessor(bytes), cache, header);
		body.write(new ByteBufferAccessor(bytes), cache, version);
		if (bytes.hasRemaining() || at != 4 + size)
			throw new IllegalStateException(name + " " + version + ": " + at +
			    " bytes were added up of " + (4 + size) + ": " + body);
		out.println(api.apiKey() + " " + version + " " + what + " " +
		    hex(bytes.array(), 4 + size) + " " + String.join(" ", facts));
	}

	// ---- Facts, and sizes ----

	private void tell(String kind, String value) {
		facts.add(kind + "@" + at + value);
	}

	private void fields(Object object, Schema schema, String path)
	    throws Exception {
		boolean topic = isTopic(schema, path);

		if (topic)
			tell("topic_begin", "");
		for (BoundField field : schema.fields()) {
			if (field.def.type instanceof TaggedFields)
				tagged(known(field.def.type), object, path);
			else
				value(get(object, field.def.name), field.def.type,
				    path + "." + flat(field.def.name),
				    isNullable(object, field.def));
		}
		if (topic)
			tell("topic_end", "");
	}

	private boolean isTopic(Schema schema, String path) {
		for (BoundField field : schema.fields()) {
			if (field.def.type instanceof TaggedFields) {
				for (Field tag : known(field.def.type).values())
					if (isTopicField(tag, path))
						return true;
			} else if (isTopicField(field.def, path)) {
				return true;
			}
		}
		return false;
	}

	private boolean isTopicField(Field field, String path) {
		String kind = kinds.get(path + "." + flat(field.name));

		return kind != null && MARKED.contains(kind) &&
		    !field.type.isArray();
	}

	private void tagged(Map<Integer, Field> known, Object object, String path)
	    throws Exception {
		Object defaults = newObject(object.getClass());
		TreeMap<Integer, Object> present = new TreeMap<>();

		for (var tag : known.entrySet()) {
			String name = tag.getValue().name;

			if (!Objects.deepEquals(get(object, name), get(defaults, name)))
				present.put(tag.getKey(), tag.getValue());
		}
		for (RawTaggedField raw : ((Message) object).unknownTaggedFields())
			present.put(raw.tag(), raw);
		at += varint(present.size());
		for (var tag : present.entrySet()) {
			at += varint(tag.getKey());
			if (tag.getValue() instanceof RawTaggedField raw) {
				at += varint(raw.size()) + raw.size();
				continue;
			}
			known((Field) tag.getValue(), tag.getKey(), object, path);
		}
	}

	/** Behind its number: the size, and the value. */
	private void known(Field field, int tag, Object object, String path)
	    throws Exception {
		String where = path + "." + flat(field.name);
		boolean hidden = "endpoints".equals(kinds.get(where));
		int before = at;
		int told = facts.size();

		// Twice: the size, whose own size shifts what follows.
		for (int size = 0, pass = 0; pass < 2; pass++) {
			while (facts.size() > told)
				facts.remove(facts.size() - 1);
			if (hidden) {
				at = before - varint(tag);
				tell("hidden_tag", "=" + tag);
				at = before;
				tell("hidden_size", "=" + size);
			}
			at = before + (pass == 0 ? 0 : varint(size));
			value(get(object, field.name), field.type, where,
			    isNullable(object, field));
			size = pass == 0 ? at - before : size;
		}
	}

	private void value(Object value, Type type, String path, boolean mayBeNull)
	    throws Exception {
		String kind = kinds.get(path);

		if (type.isArray()) {
			array((Collection<?>) value, type, path, kind);
		} else if (type instanceof Schema schema) {
			if (mayBeNull)
				at++;
			if (value != null)
				fields(value, schema, path);
		} else {
			plain(value, type, kind);
		}
	}

	private void array(Collection<?> values, Type type, String path,
	    String kind) throws Exception {
		Type element = type.arrayElementType().get();
		boolean names = kind != null && MARKED.contains(kind);
		boolean compact = type.toString().startsWith("COMPACT");

		if ("endpoints".equals(kind)) {
			if (path.startsWith("share"))
				tell("hidden_array", "=" + firstByte(values.size() + 1));
			tell(kind, "=" + values.size());
		}
		at += compact ? varint(values == null ? 0 : values.size() + 1) : 4;
		if (values == null) {
			if (names || element instanceof Schema schema &&
			    isTopic(schema, path))
				tell("topics_null", "");
			return;
		}
		for (Object value : values) {
			if (names)
				tell("topic_begin", "");
			value(value, element, path, false);
			if (names)
				tell("topic_end", "");
		}
	}

	private void plain(Object value, Type type, String kind)
	    throws Exception {
		String name = type.toString();
		boolean compact = name.startsWith("COMPACT");

		if (name.contains("STRING")) {
			string(kind, (String) value, compact ? 0 : 2);
		} else if (name.contains("BYTES")) {
			text(kind, value == null ? null : bytes(value), compact ? 0 : 4);
		} else if (name.contains("RECORDS")) {
			int size = value == null ? -1 : recordsSize(value);

			at += compact ? varint(size + 1) : 4;
			if (kind != null)
				tell(kind, size < 0 ? "=null" : "=" + size);
			at += Math.max(size, 0);
		} else if (value instanceof Uuid uuid) {
			ByteBuffer id = ByteBuffer.allocate(16)
			    .putLong(uuid.getMostSignificantBits())
			    .putLong(uuid.getLeastSignificantBits());

			if (kind != null)
				tell(kind, "=" + hex(id.array(), 16));
			at += 16;
		} else {
			number(value, name, kind);
		}
	}

	private void number(Object value, String name, String kind) {
		if (kind != null)
			tell(kind, "=" + (value instanceof Boolean b ? b ? 1 : 0 :
			    ((Number) value).longValue()));
		at += switch (name) {
		case "BOOLEAN", "INT8" -> 1;
		case "INT16", "UINT16" -> 2;
		case "INT32" -> 4;
		case "INT64", "FLOAT64" -> 8;
		default -> throw new IllegalStateException(name);
		};
	}

	private void string(String kind, String value, int lengthSize) {
		text(kind, value == null ? null :
		    value.getBytes(StandardCharsets.UTF_8), lengthSize);
	}

	/** lengthSize 0: compact. */
	private void text(String kind, byte[] value, int lengthSize) {
		int size = value == null ? -1 : value.length;

		at += lengthSize > 0 ? lengthSize : varint(size + 1);
		if (LENGTHS.contains(String.valueOf(kind)))
			tell(kind, size < 0 ? "=null" : "=" + size);
		else if (kind != null && value == null)
			tell(kind, "=null");
		else if (kind != null)
			tell(kind, "=" + hex(value, Math.min(size, TEXT_MAX)) +
			    (size > TEXT_MAX ? ":" + size : ""));
		at += Math.max(size, 0);
	}

	private static int firstByte(int value) {
		return value < 0x80 ? value : value & 0x7f | 0x80;
	}

	private static int varint(int value) {
		int size = 1;

		while ((value >>>= 7) != 0)
			size++;
		return size;
	}

	private static byte[] bytes(Object value) {
		if (value instanceof byte[] array)
			return array;
		ByteBuffer buffer = ((ByteBuffer) value).duplicate();
		byte[] array = new byte[buffer.remaining()];
		buffer.get(array);
		return array;
	}

	private static String hex(byte[] bytes, int size) {
		return java.util.HexFormat.of().formatHex(bytes, 0, size);
	}

	// ---- Messages at random ----

	private void fill(Object object, Schema schema, int depth)
	    throws Exception {
		for (BoundField field : schema.fields()) {
			if (!(field.def.type instanceof TaggedFields)) {
				set(object, field.def, depth);
				continue;
			}
			for (Field tag : known(field.def.type).values())
				if (random.nextBoolean())
					set(object, tag, depth);
			unknownTags(((Message) object).unknownTaggedFields());
		}
	}

	private void set(Object object, Field field, int depth) throws Exception {
		Method getter = method(object, flat(field.name), 0);
		Method setter = setter(object, field.name);
		Object value = null;

		if (!isNullable(object, field) || !chance(8))
			value = any(field.type, getter.getGenericReturnType(), depth);
		// UNSUPPORTED_VERSION would make an answer one of version 0.
		if (field.name.equals("error_code") && (short) value == 35)
			value = (short) 0;
		setter.invoke(object, value);
	}

	private Object any(Type type, java.lang.reflect.Type java, int depth)
	    throws Exception {
		if (type.isArray())
			return anyArray(type.arrayElementType().get(), java, depth);
		if (type instanceof Schema schema) {
			Object object = newObject((Class<?>) java);

			fill(object, schema, depth + 1);
			return object;
		}
		return anyPlain(type.toString(), java);
	}

	private Object anyArray(Type element, java.lang.reflect.Type java,
	    int depth) throws Exception {
		java.lang.reflect.Type inside;
		Collection<Object> values;
		int count = random.nextInt(depth < 2 ? 4 : 3);

		// Counts of two bytes where they are compact.
		if (!(element instanceof Schema) && chance(2))
			count = 120 + random.nextInt(20);
		if (java instanceof ParameterizedType list) {
			inside = list.getActualTypeArguments()[0];
			values = new ArrayList<>();
		} else {
			Class<?> collection = (Class<?>) java;

			inside = ((ParameterizedType) collection.getGenericSuperclass())
			    .getActualTypeArguments()[0];
			values = cast(newObject(collection));
		}
		while (count-- > 0)
			values.add(any(element, inside, depth));
		return values;
	}

	@SuppressWarnings("unchecked")
	private static Collection<Object> cast(Object values) {
		return (Collection<Object>) values;
	}

	private Object anyPlain(String name, java.lang.reflect.Type java)
	    throws Exception {
		switch (name.replace("COMPACT_", "").replace("NULLABLE_", "")) {
		case "BOOLEAN":
			return random.nextBoolean();
		case "INT8":
			return (byte) anyNumber();
		case "INT16":
			return (short) anyNumber();
		case "UINT16":
			return (int) anyNumber() & 0xffff;
		case "INT32":
			return (int) anyNumber();
		case "INT64":
			return anyNumber();
		case "FLOAT64":
			return random.nextDouble();
		case "UUID":
			return chance(10) ? Uuid.ZERO_UUID :
			    new Uuid(random.nextLong(), random.nextLong());
		case "STRING":
			return text();
		case "BYTES":
			byte[] bytes = anyBytes();
			return java == ByteBuffer.class ? ByteBuffer.wrap(bytes) : bytes;
		case "RECORDS":
			return records(anyBytes());
		default:
			throw new IllegalStateException(name);
		}
	}

	private long anyNumber() {
		return switch (random.nextInt(4)) {
		case 0 -> random.nextInt(10) - 1;
		case 1 -> random.nextInt(2000);
		case 2 -> 1L << random.nextInt(64);
		default -> random.nextLong();
		};
	}

	private byte[] anyBytes() {
		byte[] bytes = new byte[chance(3) ? 120 + random.nextInt(400) :
		    random.nextInt(12)];

		random.nextBytes(bytes);
		return bytes;
	}

	private String text() {
		if (chance(15))
			return WORDS[random.nextInt(WORDS.length)];
		StringBuilder text = new StringBuilder();
		int size = chance(3) ? 120 + random.nextInt(200) : random.nextInt(10);

		while (text.length() < size)
			text.append(chance(5) ? "ü" : chance(2) ? "…" : String.valueOf(
			    (char) ('a' + random.nextInt(26))));
		return text.toString();
	}

	private void unknownTags(List<RawTaggedField> tags) {
		int tag = 60;

		while (chance(10)) {
			tag += 1 + random.nextInt(300);
			tags.add(new RawTaggedField(tag, anyBytes()));
		}
	}

	private boolean chance(int percent) {
		return random.nextInt(100) < percent;
	}

	// ---- Kafka's classes ----

	@SuppressWarnings("unchecked")
	private static Map<Integer, Field> known(Type tagged) {
		try {
			var fields = TaggedFields.class.getDeclaredField("fields");

			fields.setAccessible(true);
			return (Map<Integer, Field>) fields.get(tagged);
		} catch (ReflectiveOperationException e) {
			throw new IllegalStateException(e);
		}
	}

	/** A schema does not say which records, and before 4.0 which structs. */
	private boolean isNullable(Object object, Field field) {
		if (!(field.type instanceof Schema) &&
		    !field.type.toString().contains("RECORDS"))
			return field.type.isNullable();
		return nullable.computeIfAbsent(object.getClass().getName() + "." +
		    field.name + " " + version, key -> {
			try {
				Message probe = (Message) newObject(object.getClass());

				setter(probe, field.name).invoke(probe, (Object) null);
				probe.size(new ObjectSerializationCache(), version);
				return true;
			} catch (NullPointerException e) {
				return false;
			} catch (Exception e) {
				throw new IllegalStateException(key, e);
			}
		});
	}

	/** The classes of records moved in 4.4. */
	private static Class<?> records(String name) throws Exception {
		String place = "org.apache.kafka.common.record.";

		try {
			return Class.forName(place + "internal." + name);
		} catch (ClassNotFoundException e) {
			return Class.forName(place + name);
		}
	}

	private static Object records(byte[] bytes) throws Exception {
		return records("MemoryRecords")
		    .getMethod("readableRecords", ByteBuffer.class)
		    .invoke(null, ByteBuffer.wrap(bytes));
	}

	private static int recordsSize(Object value) throws Exception {
		return (int) records("BaseRecords").getMethod("sizeInBytes")
		    .invoke(value);
	}

	private static Object newObject(Class<?> type) throws Exception {
		var constructor = type.getDeclaredConstructor();

		constructor.setAccessible(true);
		return constructor.newInstance();
	}

	private static Object get(Object object, String name) throws Exception {
		return method(object, flat(name), 0).invoke(object);
	}

	private static Method setter(Object object, String name) {
		return method(object, "set" + flat(name), 1);
	}

	/** A schema has names in small letters; which were large is lost. */
	private static Method method(Object object, String flat, int parameters) {
		return METHODS.computeIfAbsent(object.getClass().getName() + "." + flat,
		    key -> find(object, flat, parameters));
	}

	private static Method find(Object object, String flat, int parameters) {
		for (Method method : object.getClass().getMethods())
			if (method.getName().equalsIgnoreCase(flat) &&
			    method.getParameterCount() == parameters &&
			    method.getDeclaringClass() == object.getClass())
				return method;
		throw new IllegalStateException(object.getClass() + " " + flat);
	}

	private static String flat(String name) {
		return name.replace("_", "").toLowerCase(Locale.ROOT);
	}
}
