/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations on a listener where rules act and what cannot be judged is
 * reset.
 *
 * An input is a head, and changes of three bytes each: a place of the
 * conversation, and another byte for it.
 *
 *	head: the rules; the conversation; how long segments are; a number
 *	that borders, repeats and other processes follow from
 *
 * It runs twice: in long segments, and cut anywhere, some sent twice, with
 * processes that end in between.  What has left is the same, up to where it was
 * reset; what is sent again leaves as it did before; and of what a rule denies
 * no request has left that a broker would do: it is looked for in the bytes.
 */
#include <string.h>

#include "dataplane/pipeline/wire.h"
#include "tests/fuzz/conversation.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_check.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/rule_stats.h"

enum {
	HEAD = 4,
	CHANGE = 3,
	CHANGES_MAX = 64,
	RECORD = 3, /* in front of a payload of a conversation */
	SEGMENT_MAX = 1400,
	STREAM_MAX = 1 << 16,
	INPUTS = 64, /* on one plane */
	RULE = 100,
	RULES_MAX = 8,
	ETHERNET = 14,
	REQUEST_FIXED = 14,
	HANDSHAKE_V0 = 0,
	JOIN_GROUP = 11,
	HEARTBEAT = 12,
	INIT_PRODUCER_ID = 22,
	CONSUMER_HEARTBEAT = 68,
	SHARE_HEARTBEAT = 76,
	STREAMS_HEARTBEAT = 88,
	DENIED = 0x78000000, /* bits of an index that no broker has */
};

/* `denies`: by topic or not, so that what must be so of requests is known. */
static const struct {
	const char *match[RULES_MAX], *action[RULES_MAX];
	uint64_t denies[2]; /* a bit for each API: all of it */
} sets[] = {
    {{"api=Produce"}, {"deny"}, {1 << 0, 0}},
    {{"api=Fetch,ListOffsets,OffsetCommit"}, {"deny"},
	{1 << 1 | 1 << 2 | 1 << 8, 0}},
    {{"api=Produce,Fetch,ListOffsets,OffsetCommit,DeleteRecords,"
      "AddPartitionsToTxn,TxnOffsetCommit,ElectLeaders,"
      "AlterPartitionReassignments,OffsetDelete,DescribeProducers,"
      "ShareFetch,ShareAcknowledge"},
	{"deny"}, {1 << 0 | 1 << 1 | 1 << 2 | 1 << 8 | 1 << 21, 0}},
    {{"api=Fetch topic=a*,b*,t*", "api=Metadata", "api=DeleteTopics"},
	{"deny", "no_create", "reset"}, {0, 0}},
    {{"api=JoinGroup,Heartbeat,ConsumerGroupHeartbeat,ShareGroupHeartbeat,"
      "StreamsGroupHeartbeat",
	 "api=InitProducerId transactional_id=*"},
	{"deny", "deny"},
	{1 << JOIN_GROUP | 1 << HEARTBEAT | 1 << INIT_PRODUCER_ID,
	    1 << (CONSUMER_HEARTBEAT - 64) | 1 << (SHARE_HEARTBEAT - 64) |
		1 << (STREAMS_HEARTBEAT - 64)}},
    {{"api=CreateTopics,DeleteTopics,CreatePartitions,AlterConfigs,"
      "IncrementalAlterConfigs"},
	{"deny"}, {0, 0}},
    {{"api=OffsetFetch"}, {"deny"}, {0, 0}},
    /* So much that nobody is told to wait. */
    {{"topic=a*,b*,o*,t* client_id=*", "topic=*"},
	{"limit bytes=1GB/s", "limit bytes=1GB/s"}, {0, 0}},
};
enum { SETS = sizeof(sets) / sizeof(sets[0]) };

struct stream {
	size_t len;
	uint8_t bytes[STREAM_MAX];
	bool there[STREAM_MAX];
};

static struct {
	struct conversation talk; /* with the changes */
	struct stream left[2][2]; /* of the first and second run */
	bool over[2]; /* by run: it was reset */
	uint32_t base[2]; /* of the run at hand */
	bool second;
} run;

static void
use_rules(unsigned set)
{
	for (unsigned i = 0; i < RULES_MAX; i++)
		if (lp_config_find(&plane.config, LP_OBJECT_RULE, RULE + i))
			lp_config_remove(
			    &plane.config, LP_OBJECT_RULE, RULE + i);
	for (unsigned i = 0; i < RULES_MAX && sets[set].match[i] != NULL; i++)
		rule_put(RULE + i, 10, sets[set].match[i], sets[set].action[i],
		    false);
	plane_publish();
	plane_run();
	plane_forget();
}

static void
open_plane(void)
{
	size_t first, count;

	plane_open(LP_CONNECTIONS_MIN);
	count = lp_config_range(&plane.config, LP_OBJECT_LISTENER, &first);
	for (size_t i = first; i < first + count; i++) {
		struct lp_object listener = plane.config.objects[i];

		listener.listener.unjudged = LP_UNJUDGED_RESET;
		put(&plane.config, listener);
	}
	kafka_talk.more = 0;
}

/* What has left for that end; of what it has already nothing changes. */
static void
collect(enum lp_direction dir)
{
	struct stream *to = &run.left[run.second][dir];

	while (plane_take(dir == LP_TO_BROKER ? BACK_SLOT : FRONT_SLOT)) {
		const uint8_t *ip = plane.frame.bytes + ETHERNET;
		size_t head = (size_t)(ip[0] & 15) * 4;
		const uint8_t *tcp = ip + head;
		size_t off = (size_t)(tcp[12] >> 4) * 4;
		size_t len = lp_get16(ip + 2) - head - off;
		size_t at = lp_get32(tcp + 4) - run.base[dir];

		if (strstr(plane.text, " R") != NULL) {
			run.over[run.second] = true;
			continue;
		}
		if (len == 0)
			continue;
		ensure(at + len <= STREAM_MAX, "it sends %s", plane.text);
		for (size_t i = 0; i < len; i++) {
			ensure(!to->there[at + i] ||
				to->bytes[at + i] == tcp[off + i],
			    "byte %zu is another one now: %s", at + i,
			    plane.text);
			to->there[at + i] = true;
			to->bytes[at + i] = tcp[off + i];
		}
		if (at + len > to->len)
			to->len = at + len;
	}
}

static void
turn(void)
{
	plane_run();
	collect(LP_TO_BROKER);
	collect(LP_TO_CLIENT);
}

/* A payload of the conversation, in segments; then it is acknowledged. */
static void
say(enum lp_direction dir, const uint8_t *bytes, size_t len, uint64_t *random,
    size_t longest)
{
	size_t at = 0;

	while (at < len && !run.over[run.second]) {
		size_t here = len - at < longest ? len - at : longest;
		uint32_t drawn = fuzz_draw(random);
		/* Some again, with what was before. */
		size_t again = run.second && drawn % 8 == 0
		    ? fuzz_draw(random) % (at + 1)
		    : 0;

		if (run.second && drawn % 4 != 0)
			here = 1 + fuzz_draw(random) % here;
		if (run.second && drawn % 32 == 0)
			plane_restart();
		if (again > SEGMENT_MAX - here)
			again = SEGMENT_MAX - here;
		kafka_queue(dir, (int32_t)(at - again), bytes + at - again,
		    here + again);
		turn();
		at += here;
	}
	kafka_talk.next[dir] += (uint32_t)len;
	if (!run.over[run.second]) {
		kafka_queue(!dir, 0, NULL, 0);
		turn();
	}
}

static void
speak(const uint8_t *head, bool second)
{
	const struct conversation *talk = &run.talk;
	uint64_t random = fuzz_random(head[3]);
	size_t longest = second ? 1 + head[2] * 6u : SEGMENT_MAX;

	if (longest > SEGMENT_MAX)
		longest = SEGMENT_MAX;
	plane_reset();
	kafka_check_forget();
	kafka_connect();
	plane_forget();
	run.second = second;
	run.over[second] = false;
	for (enum lp_direction dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++) {
		struct stream *to = &run.left[second][dir];

		run.base[dir] = kafka_talk.next[dir];
		memset(to->there, 0, to->len * sizeof(to->there[0]));
		to->len = 0;
	}
	for (size_t at = 0; at + RECORD < talk->len && !run.over[second];) {
		size_t len =
		    (size_t)talk->bytes[at + 1] << 8 | talk->bytes[at + 2];
		enum lp_direction dir = talk->bytes[at] != 0;

		at += RECORD;
		if (len > talk->len - at)
			len = talk->len - at;
		if (run.left[second][dir].len + len > STREAM_MAX)
			break;
		say(dir, talk->bytes + at, len, &random, longest);
		at += len;
	}
	if (!run.over[second])
		kafka_reset(LP_TO_BROKER);
	plane_forget();
	kafka_ensure_at_rest();
	ensure(kafka_check_pools().held == 0, "pieces are held");
}

/* To join a group and to stay in it are one request. */
static bool
is_of_members(int16_t key)
{
	return key == CONSUMER_HEARTBEAT || key == SHARE_HEARTBEAT ||
	    key == STREAMS_HEARTBEAT;
}

/* What would be done if a request had that, for all that is denied of it. */
static bool
is_undenied(int16_t key, const struct lp_fact *fact, bool has_id)
{
	switch (fact->kind) {
	case LP_FACT_PARTITION:
		/* A member may say which it has. */
		return !is_of_members(key) && (fact->value & DENIED) == 0;
	case LP_FACT_TIMEOUT:
		return key == JOIN_GROUP ? fact->value != 0
					 : has_id && fact->value != INT32_MAX;
	case LP_FACT_MEMBER_EPOCH:
		if (key == HEARTBEAT)
			return fact->value != -2;
		/* Who leaves is let. */
		return is_of_members(key) && fact->value >= 0;
	default:
		return false;
	}
}

/* One whole request that has left: whether all of it is denied. */
static void
check_request(unsigned set, const uint8_t *frame, uint32_t size)
{
	int16_t key = (int16_t)lp_get16(frame + 4);
	int16_t version = (int16_t)lp_get16(frame + 6);
	struct lp_cursor in = {frame + 4, frame + 4 + size};
	bool is_replica = false, is_open = false, has_id = false;
	enum lp_walk_result result;
	struct lp_walk walk;
	struct lp_fact fact;

	if (key < 0 || key >= 128 ||
	    (sets[set].denies[key / 64] >> key % 64 & 1) == 0 ||
	    !lp_walk_knows(key, version) || (key == 8 && version == 0))
		return;
	lp_walk_request(&walk, key, version, size);
	while ((result = lp_walk_next(&walk, &in, &fact)) == LP_WALK_FACT)
		if (fact.kind == LP_FACT_REPLICA_ID)
			is_replica |= fact.value >= 0;
		else if (fact.kind == LP_FACT_TRANSACTIONAL_ID)
			has_id = !fact.null;
		else
			is_open |= is_undenied(key, &fact, has_id);
	ensure(result != LP_WALK_DONE || is_replica || !is_open,
	    "a %d of version %d has left as it was", key, version);
}

/* Up to where its frames can be told apart. */
static void
check_requests(unsigned set, const struct stream *stream)
{
	for (size_t at = 0; at + REQUEST_FIXED <= stream->len;) {
		const uint8_t *frame = stream->bytes + at;
		uint32_t size = lp_get32(frame);

		if (size > STREAM_MAX || size < REQUEST_FIXED - 4 ||
		    at + 4 + size > stream->len)
			return;
		/* Tokens follow that are no frames. */
		if (lp_get16(frame + 4) == HANDSHAKE &&
		    lp_get16(frame + 6) == HANDSHAKE_V0)
			return;
		check_request(set, frame, size);
		at += 4 + size;
	}
}

static void
check_runs(unsigned set)
{
	ensure(run.over[0] == run.over[1], "the %s run alone was reset",
	    run.over[0] ? "first" : "second");
	for (enum lp_direction dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++) {
		const struct stream *first = &run.left[0][dir];
		const struct stream *second = &run.left[1][dir];
		size_t len =
		    first->len < second->len ? first->len : second->len;

		ensure(run.over[0] || first->len == second->len,
		    "%zu and %zu bytes have left", first->len, second->len);
		for (size_t i = 0; i < len; i++)
			ensure(first->bytes[i] == second->bytes[i],
			    "byte %zu to the %s: %02x and %02x", i,
			    dir == LP_TO_BROKER ? "broker" : "client",
			    first->bytes[i], second->bytes[i]);
	}
	check_requests(set, &run.left[0][LP_TO_BROKER]);
	check_requests(set, &run.left[1][LP_TO_BROKER]);
}

/* In payloads alone: what is sent, and by whom, stays. */
static void
change(const uint8_t *data, size_t size)
{
	struct conversation *talk = &run.talk;

	for (unsigned i = 0; size >= CHANGE && i < CHANGES_MAX; i++) {
		size_t place =
		    (size_t)(data[0] << 8 | data[1]) * talk->len >> 16;
		size_t at = 0, end = 0;

		while (end <= place && end + RECORD <= talk->len) {
			at = end + RECORD;
			end = at + lp_get16(talk->bytes + at - 2);
		}
		if (place >= at && place < end)
			talk->bytes[place] = data[2];
		data += CHANGE;
		size -= CHANGE;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool open;
	static unsigned inputs;
	unsigned set;

	if (size < HEAD || fuzz_is_again(data, size, HEAD, CHANGE))
		return 0;
	if (open && inputs++ % INPUTS == 0) {
		plane_close();
		open = false;
	}
	if (!open) {
		kafka_check_forget();
		open_plane();
		open = true;
	}
	set = data[0] % SETS;
	use_rules(set);
	run.talk = *conversation_get(data[1]);
	change(data + HEAD, size - HEAD);
	speak(data, false);
	speak(data, true);
	check_runs(set);
	return 0;
}

/* Every conversation as it was, under each set, and with few changes. */
size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	uint64_t random = fuzz_random(index);
	unsigned changes = index < SETS * conversation_count()
	    ? 0
	    : 1 + fuzz_draw(&random) % 4;
	size_t size = HEAD + changes * CHANGE;

	if (index >= 2 * SETS * conversation_count() || size > max)
		return 0;
	data[0] = (uint8_t)(index % SETS);
	data[1] = (uint8_t)(index / SETS);
	for (size_t i = 2; i < size; i++)
		data[i] = (uint8_t)fuzz_draw(&random);
	return size;
}
