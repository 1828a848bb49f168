/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/address_answer.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/random.h"
#include "tests/support/talk_write.h"

enum {
	HIDDEN_TAG = 0x7f, /* what becomes of a tag that tells endpoints */
	UUID_LEN = 16,
	TOPIC_LEN = 60, /* about, in an answer to Metadata */
	HINTS_MAX = 3,
	HINTS_MANY = 1000, /* from so many on, all of them */
};

static uint32_t
between(struct address_pen *pen, uint32_t low, uint32_t high)
{
	return random_between(&pen->random, low, high);
}

static bool
percent(struct address_pen *pen, unsigned chance)
{
	return random_percent(&pen->random, chance);
}

bool
address_answer_flexible(enum address_api api, int16_t version)
{
	switch (api) {
	case ADDRESS_PRODUCE:
	case ADDRESS_METADATA:
		return version >= 9;
	case ADDRESS_FETCH:
		return version >= 12;
	case ADDRESS_COORDINATOR:
	case ADDRESS_VERSIONS:
		return version >= 3;
	case ADDRESS_CLUSTER:
	case ADDRESS_SHARE_FETCH:
	case ADDRESS_SHARE_ACKNOWLEDGE:
		return true;
	}
	ensure(false, "API %d", api);
	return false;
}

/* Bytes that no host has. */
static void
put_bytes(struct address_pen *pen, size_t len)
{
	uint64_t seed = random_next(&pen->random);

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = random_byte(seed, i) | 0x80;

		sim_bytes_add(pen->to, &byte, 1);
	}
}

static void
put_text(struct address_pen *pen, const char *text, bool null)
{
	talk_write_text(pen->to, text, null, pen->flexible);
}

static void
put_tags(struct address_pen *pen)
{
	talk_write_tags(pen->to, pen->flexible);
}

/* Names of brokers are of letters that nothing else is of. */
static void
draw_name(struct address_pen *pen, char *name)
{
	static const char letters[] = "QZXJ";
	uint32_t len = pen->long_hosts ? between(pen, 13, 60)
	    : percent(pen, 70)         ? between(pen, 8, 60)
				       : between(pen, 1, ADDRESS_HOST_MAX);

	for (uint32_t i = 0; i < len; i++)
		name[i] = letters[between(pen, 0, 3)];
	name[len] = '\0';
}

static void
draw_node(struct address_pen *pen, struct address_node *node)
{
	memset(node, 0, sizeof(*node));
	node->id = (int32_t)(percent(pen, 50) ? between(pen, 0, 3)
					      : between(pen, 0, 70000));
	if (percent(pen, 2))
		node->id = (int32_t)between(pen, 0, INT32_MAX);
	node->port = (int32_t)between(pen, 1, UINT16_MAX);
	if (pen->long_hosts || percent(pen, 70))
		draw_name(pen, node->host);
	else if (percent(pen, 50))
		snprintf(node->host, sizeof(node->host), "10.253.253.%u",
		    between(pen, 0, 255));
	else
		snprintf(node->host, sizeof(node->host), "fdfd:fdfd:%x::%x",
		    between(pen, 1, UINT16_MAX), between(pen, 1, UINT16_MAX));
	if (percent(pen, 50))
		snprintf(node->rack, sizeof(node->rack), "rack-%u",
		    between(pen, 0, 999));
}

/* Of an answer that names none. */
static void
draw_nowhere(struct address_node *node)
{
	memset(node, 0, sizeof(*node));
	node->id = node->port = -1;
}

/* Id, host and port, as they are to be told. */
static void
put_node(struct address_pen *pen, const struct address_node *node)
{
	struct address_node as = *node;

	pen->nodes++;
	if (pen->tell && pen->tell(node, &as))
		pen->changed++;
	talk_write_i32(pen->to, node->id);
	put_text(pen, as.host, false);
	talk_write_i32(pen->to, as.port);
}

static void
put_with_rack(struct address_pen *pen)
{
	struct address_node node;

	draw_node(pen, &node);
	put_node(pen, &node);
	put_text(pen, node.rack, node.rack[0] == '\0');
}

static void
put_topic_name(struct address_pen *pen)
{
	char name[64];

	snprintf(name, sizeof(name), "topic-%u%.*s", between(pen, 0, 9999),
	    (int)between(pen, 0, 30), ".with.a.name.that.is.no.short.one");
	put_text(pen, name, false);
}

static void
put_ids(struct address_pen *pen, uint32_t count)
{
	talk_write_count(pen->to, count, pen->flexible);
	for (uint32_t i = 0; i < count; i++)
		talk_write_i32(pen->to, (int32_t)between(pen, 0, 9));
}

static void
put_metadata_partition(struct address_pen *pen, uint32_t index)
{
	int16_t version = pen->message->version;
	uint32_t replicas = between(pen, 0, 3);

	talk_write_i16(pen->to, 0);
	talk_write_i32(pen->to, (int32_t)index);
	talk_write_i32(
	    pen->to, percent(pen, 10) ? -1 : (int32_t)between(pen, 0, 9));
	if (version >= 7)
		talk_write_i32(pen->to, 5); /* leader's epoch */
	put_ids(pen, replicas);
	put_ids(pen, replicas);
	if (version >= 5)
		put_ids(pen, 0); /* offline replicas */
	put_tags(pen);
}

static void
put_metadata_topic(struct address_pen *pen)
{
	int16_t version = pen->message->version;
	uint32_t partitions = between(pen, 0, 4);

	talk_write_i16(pen->to, 0);
	put_topic_name(pen);
	if (version >= 10)
		put_bytes(pen, UUID_LEN);
	if (version >= 1)
		talk_write_i8(pen->to, 0);
	talk_write_count(pen->to, partitions, pen->flexible);
	for (uint32_t i = 0; i < partitions; i++)
		put_metadata_partition(pen, i);
	if (version >= 8)
		talk_write_i32(pen->to, INT32_MIN);
	put_tags(pen);
}

static void
put_metadata(struct address_pen *pen)
{
	int16_t version = pen->message->version;
	uint32_t nodes = pen->message->nodes;
	uint32_t topics = pen->message->filler / TOPIC_LEN;

	if (version >= 3)
		talk_write_i32(pen->to, 0); /* throttle */
	talk_write_count(pen->to, nodes, pen->flexible);
	for (uint32_t i = 0; i < nodes; i++) {
		struct address_node node;

		draw_node(pen, &node);
		put_node(pen, &node);
		if (version >= 1)
			put_text(pen, node.rack, node.rack[0] == '\0');
		put_tags(pen);
	}
	if (version >= 2)
		put_text(pen, "cluster-of-tests", percent(pen, 10));
	if (version >= 1)
		talk_write_i32(pen->to, (int32_t)between(pen, 0, 3));
	talk_write_count(pen->to, topics, pen->flexible);
	for (uint32_t i = 0; i < topics; i++)
		put_metadata_topic(pen);
	if (version >= 8 && version <= 10)
		talk_write_i32(pen->to, INT32_MIN);
	if (version >= 13)
		talk_write_i16(pen->to, 0);
	put_tags(pen);
}

static void
put_coordinator(struct address_pen *pen, bool fails)
{
	struct address_node node;

	draw_node(pen, &node);
	if (fails)
		draw_nowhere(&node);
	put_node(pen, &node);
}

static void
put_coordinators(struct address_pen *pen)
{
	uint32_t nodes = pen->message->nodes;

	talk_write_i32(pen->to, 0);
	talk_write_count(pen->to, nodes, true);
	for (uint32_t i = 0; i < nodes; i++) {
		bool fails = percent(pen, 20);

		put_text(pen, "group-of-tests", false);
		put_coordinator(pen, fails);
		talk_write_i16(pen->to, fails ? 15 : 0);
		put_text(pen, "none is there", !fails);
		put_tags(pen);
	}
	put_tags(pen);
}

static void
put_find_coordinator(struct address_pen *pen)
{
	int16_t version = pen->message->version;
	bool fails = percent(pen, 20);

	if (version >= 4) {
		put_coordinators(pen);
		return;
	}
	if (version >= 1)
		talk_write_i32(pen->to, 0);
	talk_write_i16(pen->to, fails ? 15 : 0);
	if (version >= 1)
		put_text(pen, "none is there", !fails);
	put_coordinator(pen, fails);
	put_tags(pen);
}

static void
put_cluster(struct address_pen *pen)
{
	int16_t version = pen->message->version;
	uint32_t nodes = pen->message->nodes;

	talk_write_i32(pen->to, 0);
	talk_write_i16(pen->to, 0);
	put_text(pen, "", true);
	if (version >= 1)
		talk_write_i8(pen->to, 1); /* these are brokers */
	put_text(pen, "cluster-of-tests", false);
	talk_write_i32(pen->to, (int32_t)between(pen, 0, 3));
	talk_write_count(pen->to, nodes, true);
	for (uint32_t i = 0; i < nodes; i++) {
		put_with_rack(pen);
		if (version >= 2)
			talk_write_i8(pen->to, percent(pen, 20)); /* fenced */
		put_tags(pen);
	}
	talk_write_i32(pen->to, INT32_MIN);
	put_tags(pen);
}

/* An array of hints as the broker writes it; whether it can be told of. */
static bool
draw_hints(struct address_pen *pen, uint32_t nodes, struct sim_bytes *plain,
    struct sim_bytes *told)
{
	bool equal = pen->tells_hints;

	talk_write_count(plain, nodes, true);
	talk_write_count(told, nodes, true);
	for (uint32_t i = 0; i < nodes; i++) {
		struct address_node node, as;
		bool null;

		draw_node(pen, &node);
		as = node;
		null = node.rack[0] == '\0';
		equal = pen->tell && equal && pen->tell(&node, &as) &&
		    strlen(as.host) == strlen(node.host);
		for (unsigned way = 0; way < 2; way++) {
			struct sim_bytes *to = way == 0 ? plain : told;

			talk_write_i32(to, node.id);
			talk_write_text(
			    to, way == 0 ? node.host : as.host, false, true);
			talk_write_i32(to, way == 0 ? node.port : as.port);
			talk_write_text(to, node.rack, null, true);
			talk_write_tags(to, true);
		}
	}
	pen->nodes += nodes;
	if (pen->tell && nodes > 0) {
		pen->changed++;
		pen->hinted += equal;
		pen->hidden += !equal;
	}
	return equal;
}

static uint32_t
draw_hint_count(struct address_pen *pen)
{
	uint32_t nodes = pen->message->nodes;

	if (nodes >= HINTS_MANY)
		return nodes;
	return percent(pen, 30) ? 0 : nodes < HINTS_MAX ? nodes : HINTS_MAX;
}

static void
put_zeros(struct address_pen *pen, size_t len)
{
	for (size_t i = 0; i < len; i++)
		talk_write_i8(pen->to, 0);
}

/* Tagged fields: hints where the leaders are, or nothing. */
static void
put_hints(struct address_pen *pen)
{
	uint32_t nodes = draw_hint_count(pen);
	struct sim_bytes plain = {0}, told = {0};
	bool tells;

	if (nodes == 0) {
		put_tags(pen);
		return;
	}
	tells = draw_hints(pen, nodes, &plain, &told);
	talk_write_i8(pen->to, 1); /* one tagged field */
	talk_write_i8(pen->to, pen->tell && !tells ? HIDDEN_TAG : 0);
	talk_write_length(pen->to, (uint32_t)plain.len - 1, true);
	if (pen->tell == NULL)
		sim_bytes_add(pen->to, plain.bytes, plain.len);
	else if (tells)
		sim_bytes_add(pen->to, told.bytes, told.len);
	else
		put_zeros(pen, plain.len);
	sim_bytes_free(&plain);
	sim_bytes_free(&told);
}

/* No tagged field: hidden, it is empty, and an unknown one is behind it. */
static void
put_hint_array(struct address_pen *pen)
{
	uint32_t nodes = draw_hint_count(pen);
	struct sim_bytes plain = {0}, told = {0};
	bool tells = draw_hints(pen, nodes, &plain, &told);
	size_t end = pen->to->len + plain.len + 1;
	uint32_t size;

	if (pen->tell == NULL || nodes == 0 || tells) {
		sim_bytes_add(
		    pen->to, tells ? told.bytes : plain.bytes, plain.len);
		put_tags(pen);
		goto out;
	}
	talk_write_i8(pen->to, 1);
	talk_write_i8(pen->to, 1);
	size = (uint32_t)(end - pen->to->len);
	/* A size of 127 has one byte, 128 has two: none fits, but a longer tag.
	 */
	if (size == 2 + 128 || size == 3 + (1 << 14)) {
		talk_write_i8(pen->to, -1);
		size--;
	}
	talk_write_i8(pen->to, HIDDEN_TAG);
	size -= size < 2 + 128 ? 2 : size < 3 + (1 << 14) ? 3 : 4;
	talk_write_length(pen->to, size - 1, true);
	put_zeros(pen, end - pen->to->len);
out:
	ensure(pen->to->len == end, "%zu bytes of hints", pen->to->len);
	sim_bytes_free(&plain);
	sim_bytes_free(&told);
}

static void
put_topic(struct address_pen *pen, bool has_name)
{
	if (has_name)
		put_topic_name(pen);
	else
		put_bytes(pen, UUID_LEN);
}

static void
put_produce(struct address_pen *pen)
{
	int16_t version = pen->message->version;
	uint32_t partitions = between(pen, 0, 4);

	talk_write_count(pen->to, 1, pen->flexible);
	put_topic(pen, version < 13);
	talk_write_count(pen->to, partitions, pen->flexible);
	for (uint32_t i = 0; i < partitions; i++) {
		talk_write_i32(pen->to, (int32_t)i);
		talk_write_i16(pen->to, percent(pen, 20) ? 6 : 0);
		talk_write_i64(pen->to, 1000);
		talk_write_i64(pen->to, -1);
		if (version >= 5)
			talk_write_i64(pen->to, 0);
		if (version >= 8) {
			talk_write_count(pen->to, 0, pen->flexible);
			put_text(pen, "", true);
		}
		put_tags(pen);
	}
	put_tags(pen);
	talk_write_i32(pen->to, 0);
	if (version >= 10)
		put_hints(pen);
	else
		put_tags(pen);
}

static void
put_fetched(struct address_pen *pen, uint32_t index, uint32_t records)
{
	int16_t version = pen->message->version;

	talk_write_i32(pen->to, (int32_t)index);
	talk_write_i16(pen->to, percent(pen, 20) ? 6 : 0);
	talk_write_i64(pen->to, 2000);
	talk_write_i64(pen->to, 2000);
	if (version >= 5)
		talk_write_i64(pen->to, 0);
	talk_write_count(pen->to, 0, pen->flexible); /* aborted */
	if (version >= 11)
		talk_write_i32(pen->to, -1);
	talk_write_length(pen->to, records, pen->flexible);
	put_bytes(pen, records);
	put_tags(pen);
}

static void
put_fetch(struct address_pen *pen)
{
	int16_t version = pen->message->version;
	uint32_t partitions = between(pen, 1, 3);

	talk_write_i32(pen->to, 0);
	if (version >= 7) {
		talk_write_i16(pen->to, 0);
		talk_write_i32(pen->to, 0);
	}
	talk_write_count(pen->to, 1, pen->flexible);
	put_topic(pen, version < 13);
	talk_write_count(pen->to, partitions, pen->flexible);
	for (uint32_t i = 0; i < partitions; i++)
		put_fetched(pen, i, pen->message->filler / partitions);
	put_tags(pen);
	if (version >= 16)
		put_hints(pen);
	else
		put_tags(pen);
}

static void
put_shared(struct address_pen *pen, uint32_t index, uint32_t records)
{
	bool fetches = pen->message->api == ADDRESS_SHARE_FETCH;

	talk_write_i32(pen->to, (int32_t)index);
	talk_write_i16(pen->to, percent(pen, 20) ? 6 : 0);
	put_text(pen, "", true);
	if (fetches) {
		talk_write_i16(pen->to, 0);
		put_text(pen, "", true);
	}
	talk_write_i32(pen->to, 3); /* the leader */
	talk_write_i32(pen->to, 5);
	put_tags(pen);
	if (fetches) {
		talk_write_length(pen->to, records, true);
		put_bytes(pen, records);
		talk_write_count(pen->to, 0, true);
	}
	put_tags(pen);
}

static void
put_share(struct address_pen *pen)
{
	uint32_t partitions = between(pen, 1, 3);

	talk_write_i32(pen->to, 0);
	talk_write_i16(pen->to, 0);
	put_text(pen, "", true);
	if (pen->message->api == ADDRESS_SHARE_FETCH ||
	    pen->message->version >= 2)
		talk_write_i32(pen->to, 30000);
	talk_write_count(pen->to, 1, true);
	put_topic(pen, false);
	talk_write_count(pen->to, partitions, true);
	for (uint32_t i = 0; i < partitions; i++)
		put_shared(pen, i, pen->message->filler / partitions);
	put_tags(pen);
	put_hint_array(pen);
}

static void
put_versions(struct address_pen *pen)
{
	static const int16_t keys[][3] = {
	    {0, 3, 9}, {1, 4, 11}, {3, 0, 9}, {10, 0, 4}, {18, 0, 3}};
	uint32_t count = sizeof(keys) / sizeof(keys[0]);

	talk_write_i16(pen->to, 0);
	talk_write_count(pen->to, count, pen->flexible);
	for (uint32_t i = 0; i < count; i++) {
		for (unsigned field = 0; field < 3; field++)
			talk_write_i16(pen->to, keys[i][field]);
		put_tags(pen);
	}
	if (pen->message->version >= 1)
		talk_write_i32(pen->to, 0);
	put_tags(pen);
}

void
address_answer_put(struct address_pen *pen)
{
	switch ((enum address_api)pen->message->api) {
	case ADDRESS_PRODUCE:
		put_produce(pen);
		break;
	case ADDRESS_FETCH:
		put_fetch(pen);
		break;
	case ADDRESS_METADATA:
		put_metadata(pen);
		break;
	case ADDRESS_COORDINATOR:
		put_find_coordinator(pen);
		break;
	case ADDRESS_VERSIONS:
		put_versions(pen);
		break;
	case ADDRESS_CLUSTER:
		put_cluster(pen);
		break;
	case ADDRESS_SHARE_FETCH:
	case ADDRESS_SHARE_ACKNOWLEDGE:
		put_share(pen);
		break;
	}
}
