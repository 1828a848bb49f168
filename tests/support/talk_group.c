/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/talk_group.h"

#include "tests/support/ensure.h"
#include "tests/support/random.h"
#include "tests/support/talk_write.h"

enum {
	PARTITIONS_MAX = 5, /* of a topic in one message */
	TIMEOUT_MAX = 60000,
	TEXT_MAX = 60, /* of what is said of an error */
	NULL_STRUCT = -1,
};

/* By API: the versions that are spoken, and the first flexible one. */
static const struct {
	int16_t api, first, last, flexible;
} kinds[] = {
    {TALK_OFFSET_FETCH, 1, 9, 6},
    {TALK_OFFSET_FETCH, 1, 9, 6},
    {TALK_JOIN_GROUP, 0, 9, 6},
    {TALK_HEARTBEAT, 0, 4, 4},
    {TALK_INIT_PRODUCER_ID, 0, 4, 2},
    {TALK_CONSUMER_HEARTBEAT, 0, 1, 0},
    {TALK_SHARE_HEARTBEAT, 1, 1, 0},
    {TALK_STREAMS_HEARTBEAT, 0, 1, 0},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static uint32_t
between(struct talk_pen *pen, uint32_t low, uint32_t high)
{
	return random_between(&pen->talk->random, low, high);
}

static bool
percent(struct talk_pen *pen, unsigned chance)
{
	return random_percent(&pen->talk->random, chance);
}

static void
text(struct talk_pen *pen, const char *bytes)
{
	talk_write_text(pen->to, bytes, false, pen->flexible);
}

/* There, or null. */
static void
maybe(struct talk_pen *pen, const char *bytes)
{
	talk_write_text(pen->to, bytes, percent(pen, 50), pen->flexible);
}

static void
null(struct talk_pen *pen)
{
	talk_write_text(pen->to, "", true, pen->flexible);
}

static void
tags(struct talk_pen *pen)
{
	talk_write_tags(pen->to, pen->flexible);
}

void
talk_group_draw(struct talk *talk, struct talk_message *message)
{
	unsigned kind = random_between(&talk->random, 0, KINDS - 1);

	*message = (struct talk_message){.api = kinds[kind].api,
	    .version = (int16_t)random_between(
		&talk->random, kinds[kind].first, kinds[kind].last)};
	message->flexible = message->version >= kinds[kind].flexible;
	message->has_group = message->api != TALK_INIT_PRODUCER_ID ||
	    random_percent(&talk->random, 70);
	message->group =
	    (uint8_t)random_between(&talk->random, 0, TALK_GROUPS - 1);
}

/* ---- what is asked of offsets ------------------------------------------ */

/* Topics of a group, or null, which is all. */
static void
ask_topics(struct talk_pen *pen)
{
	struct talk_choice choice = talk_pen_choose(pen, 0);

	if (pen->message->version >= 2 && percent(pen, 20)) {
		if (pen->flexible)
			talk_write_i8(pen->to, 0);
		else
			talk_write_i32(pen->to, -1);
		return;
	}
	talk_write_count(pen->to, choice.count, pen->flexible);
	for (unsigned i = 0; i < choice.count; i++) {
		unsigned partitions = between(pen, 1, PARTITIONS_MAX);

		text(pen, talk_pen_chosen(pen, choice, i)->name);
		talk_write_count(pen->to, partitions, pen->flexible);
		for (unsigned p = 0; p < partitions; p++)
			talk_write_i32(pen->to, (int32_t)p);
		tags(pen);
	}
}

static void
ask_offsets(struct talk_pen *pen)
{
	const struct talk_message *message = pen->message;
	unsigned count;

	if (message->version < 8) {
		text(pen, pen->talk->groups[message->group]);
		ask_topics(pen);
	} else {
		count = between(pen, 1, TALK_GROUPS);
		talk_write_count(pen->to, count, true);
		for (unsigned i = 0; i < count; i++) {
			text(pen,
			    pen->talk
				->groups[(message->group + i) % TALK_GROUPS]);
			if (message->version >= 9) {
				maybe(pen, "a member");
				talk_write_i32(pen->to, -1);
			}
			ask_topics(pen);
			tags(pen);
		}
	}
	if (message->version >= 7)
		talk_write_i8(pen->to, 1); /* require_stable */
	tags(pen);
}

/* The unexpected one has both bytes. */
static void
tell_error(struct talk_pen *pen)
{
	if (!percent(pen, 20)) {
		talk_pen_error(pen);
		return;
	}
	pen->counts->errors++;
	talk_write_i16(pen->to, -1);
}

static void
tell_offset(struct talk_pen *pen, const struct talk_topic *topic,
    unsigned group, unsigned index)
{
	struct talk *talk = pen->talk;
	struct talk_offset *one = &talk->offsets[talk->offset_count++];

	ensure(talk->offset_count <= TALK_OFFSETS_MAX, "no room");
	talk_write_i32(pen->to, (int32_t)index);
	*one = (struct talk_offset){
	    .topic = (uint8_t)(topic - talk->account.topic),
	    .group = (uint8_t)group,
	    .message = (uint16_t)(pen->message - talk->messages),
	    .at = pen->to->len};
	talk_write_i64(pen->to, between(pen, 0, 1000));
	if (pen->message->version >= 5)
		talk_write_i32(pen->to, 7);
	one->len = pen->to->len - one->at;
	maybe(pen, "metadata of its own");
	one->error_at = pen->to->len;
	tell_error(pen);
	tags(pen);
}

static void
tell_topics(struct talk_pen *pen, unsigned group)
{
	struct talk_choice choice = talk_pen_choose(pen, 0);

	talk_write_count(pen->to, choice.count, pen->flexible);
	for (unsigned i = 0; i < choice.count; i++) {
		const struct talk_topic *topic =
		    talk_pen_chosen(pen, choice, i);
		unsigned partitions = between(pen, 0, PARTITIONS_MAX);

		text(pen, topic->name);
		talk_write_count(pen->to, partitions, pen->flexible);
		for (unsigned p = 0; p < partitions; p++)
			tell_offset(pen, topic, group, p);
		tags(pen);
	}
}

static void
tell_offsets(struct talk_pen *pen)
{
	const struct talk_message *message = pen->message;
	unsigned count;

	if (message->version >= 3)
		talk_pen_throttle(pen);
	if (message->version < 8) {
		tell_topics(pen, message->group);
		if (message->version >= 2)
			talk_pen_error(pen);
	} else {
		/* In another order than they were asked for. */
		count = between(pen, 1, TALK_GROUPS);
		talk_write_count(pen->to, count, true);
		for (unsigned i = count; i-- > 0;) {
			unsigned group = (message->group + i) % TALK_GROUPS;

			text(pen, pen->talk->groups[group]);
			tell_topics(pen, group);
			talk_pen_error(pen);
			tags(pen);
		}
	}
	tags(pen);
}

/* ---- what is asked of one group, or one transactional id --------------- */

static void
put_number(struct talk_pen *pen, int32_t number)
{
	pen->message->number_at = pen->to->len;
	talk_write_i32(pen->to, number);
}

static void
join(struct talk_pen *pen)
{
	int16_t version = pen->message->version;

	put_number(pen, (int32_t)between(pen, 1, TIMEOUT_MAX));
	if (version >= 1)
		talk_write_i32(pen->to, TIMEOUT_MAX);
	text(pen, percent(pen, 50) ? "" : "a member");
	if (version >= 5)
		maybe(pen, "an instance");
	text(pen, "consumer");
	talk_write_count(pen->to, 1, pen->flexible);
	text(pen, "range");
	talk_write_length(pen->to, 4, pen->flexible);
	talk_write_i32(pen->to, 0x1d1e1d1e);
	tags(pen);
	if (version >= 8)
		maybe(pen, "a reason");
}

static void
stay(struct talk_pen *pen)
{
	put_number(pen, (int32_t)between(pen, 1, 1000));
	text(pen, "a member");
	if (pen->message->version >= 3)
		maybe(pen, "an instance");
}

static void
begin(struct talk_pen *pen)
{
	put_number(pen, (int32_t)between(pen, 1, TIMEOUT_MAX));
	if (pen->message->version >= 3) {
		talk_write_i64(pen->to, -1);
		talk_write_i16(pen->to, -1);
	}
}

/* An epoch: of who joins, who stays, and who leaves. */
static void
put_epoch(struct talk_pen *pen)
{
	pen->message->leaves = percent(pen, 10);
	text(pen, "a member");
	put_number(
	    pen, pen->message->leaves ? -1 : (int32_t)between(pen, 0, 2));
}

static void
be_consumer(struct talk_pen *pen)
{
	put_epoch(pen);
	maybe(pen, "an instance");
	maybe(pen, "rack");
	talk_write_i32(pen->to, TIMEOUT_MAX);
	talk_write_count(pen->to, 1, true);
	text(pen, pen->talk->account.topic[0].name);
	if (pen->message->version >= 1)
		null(pen);
	maybe(pen, "uniform");
	talk_write_count(pen->to, 0, true);
}

static void
be_sharer(struct talk_pen *pen)
{
	put_epoch(pen);
	maybe(pen, "rack");
	talk_write_count(pen->to, 1, true);
	text(pen, pen->talk->account.topic[0].name);
}

static void
be_streams(struct talk_pen *pen)
{
	put_epoch(pen);
	talk_write_i32(pen->to, 0);
	maybe(pen, "an instance");
	maybe(pen, "rack");
	talk_write_i32(pen->to, TIMEOUT_MAX);
	talk_write_i8(pen->to, NULL_STRUCT); /* its topology */
	for (unsigned i = 0; i < 3; i++) /* tasks */
		talk_write_count(pen->to, 0, true);
	maybe(pen, "a process");
	talk_write_i8(pen->to, NULL_STRUCT); /* its endpoint */
	for (unsigned i = 0; i < 3; i++) /* tags and offsets */
		talk_write_i8(pen->to, 0);
	talk_write_i8(pen->to, 0);
}

void
talk_group_request(struct talk_pen *pen)
{
	const struct talk_message *message = pen->message;

	if (message->api == TALK_OFFSET_FETCH) {
		ask_offsets(pen);
		return;
	}
	talk_write_text(pen->to, pen->talk->groups[message->group],
	    !message->has_group, pen->flexible);
	switch (message->api) {
	case TALK_JOIN_GROUP:
		join(pen);
		break;
	case TALK_HEARTBEAT:
		stay(pen);
		break;
	case TALK_INIT_PRODUCER_ID:
		begin(pen);
		break;
	case TALK_CONSUMER_HEARTBEAT:
		be_consumer(pen);
		break;
	case TALK_SHARE_HEARTBEAT:
		be_sharer(pen);
		break;
	default:
		be_streams(pen);
	}
	tags(pen);
}

/* ---- and what is answered ---------------------------------------------- */

static void
tell_joined(struct talk_pen *pen)
{
	int16_t version = pen->message->version;
	unsigned count = between(pen, 0, 2);

	talk_write_i32(pen->to, 7); /* generation */
	if (version >= 7)
		maybe(pen, "consumer");
	text(pen, "range");
	text(pen, "the leader");
	if (version >= 9)
		talk_write_i8(pen->to, 0);
	text(pen, "a member");
	talk_write_count(pen->to, count, pen->flexible);
	for (unsigned i = 0; i < count; i++) {
		text(pen, "one of them");
		if (version >= 5)
			maybe(pen, "an instance");
		talk_write_length(pen->to, 4, pen->flexible);
		talk_write_i32(pen->to, 0x1d1e1d1e);
		tags(pen);
	}
}

/* What is said of an error, of any length, or nothing. */
static void
tell_why(struct talk_pen *pen)
{
	static const char words[] = "MemberEpoch is invalid, says the broker, "
				    "and says more than any authorizer.";
	char why[TEXT_MAX + 1] = "";
	size_t len = between(pen, 0, TEXT_MAX);

	_Static_assert(sizeof(words) > TEXT_MAX, "its end is not reached");
	if (percent(pen, 20)) {
		null(pen);
		return;
	}
	for (size_t i = 0; i < len; i++)
		why[i] = words[i];
	text(pen, why);
	pen->message->text_at = pen->to->len - len;
	pen->message->text_len = len;
}

/* A topic by its id, and its partitions. */
static void
tell_assignment(struct talk_pen *pen)
{
	if (percent(pen, 50)) {
		talk_write_i8(pen->to, NULL_STRUCT);
		return;
	}
	talk_write_i8(pen->to, 1);
	talk_write_count(pen->to, 1, true);
	talk_write_i64(pen->to, 0x0102030405064708);
	talk_write_i64(pen->to, (int64_t)0x990a0b0c0d0e0f10);
	talk_write_count(pen->to, 1, true);
	talk_write_i32(pen->to, 0);
	tags(pen);
	tags(pen);
}

static void
tell_streams(struct talk_pen *pen)
{
	int16_t version = pen->message->version;

	if (version == 0)
		talk_write_i32(pen->to, 10000);
	talk_write_i32(pen->to, TIMEOUT_MAX);
	if (version >= 1)
		talk_write_i64(pen->to, 10000);
	for (unsigned i = 0; i < 4; i++) /* status and tasks */
		talk_write_i8(pen->to, 0);
	if (version >= 1)
		talk_write_i8(pen->to, 0);
	talk_write_i32(pen->to, 0);
	talk_write_i8(pen->to, 0);
}

static void
tell_member(struct talk_pen *pen)
{
	tell_why(pen);
	text(pen, "a member");
	talk_write_i32(pen->to, 3);
	talk_write_i32(pen->to, 5000);
	if (pen->message->api == TALK_STREAMS_HEARTBEAT)
		tell_streams(pen);
	else
		tell_assignment(pen);
}

/* Whether a throttle time stands in front of its error code. */
static bool
has_time(const struct talk_message *message)
{
	switch (message->api) {
	case TALK_JOIN_GROUP:
		return message->version >= 2;
	case TALK_HEARTBEAT:
		return message->version >= 1;
	default:
		return true;
	}
}

void
talk_group_response(struct talk_pen *pen)
{
	struct talk_message *message = pen->message;

	tags(pen); /* of the header */
	if (message->api == TALK_OFFSET_FETCH) {
		tell_offsets(pen);
		return;
	}
	if (has_time(message))
		talk_pen_throttle(pen);
	message->error_at = pen->to->len;
	tell_error(pen);
	switch (message->api) {
	case TALK_JOIN_GROUP:
		tell_joined(pen);
		break;
	case TALK_HEARTBEAT:
		break;
	case TALK_INIT_PRODUCER_ID:
		talk_write_i64(pen->to, 4711);
		talk_write_i16(pen->to, 0);
		break;
	default:
		tell_member(pen);
	}
	tags(pen);
}
