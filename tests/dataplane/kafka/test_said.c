/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judged is what is sent: a client that says it again, and says another thing,
 * is not heard.  What no rule has looked at may be another thing.
 */
#include "dataplane/kafka/said.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_check.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/random.h"
#include "tests/support/rule_stats.h"
#include "tests/support/sim.h"

enum {
	PLACES = 2 * LP_CONNECTIONS_MIN,
	RULE = 100,
	TOPICS = 6,
	RECORDS_OF = 300, /* bytes of a partition */
	FEW_RECORDS = 20,
	BLOCKS_MAX = 512, /* of one connection: said.c */
	SEGMENT = 200,
	SEEDS = 60,
	FRAMES = 60,
};

/* Of what is sent: what no rule looks at, and need not be kept. */
static bool is_idle[KAFKA_FRAME_MAX];

static void
setup(void)
{
	plane_open(PLACES);
	rule_put(RULE, 10, "api=Produce topic=secret*", "deny", false);
	plane_run();
	kafka_connect();
	edited_publish(LP_UNJUDGED_RESET);
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
}

/* Produce without acknowledgements; every third topic is denied. */
static void
make_produce(int32_t id, unsigned topics)
{
	memset(is_idle, 0, sizeof(is_idle));
	kafka_request(&edited_sent, PRODUCE, 3, id, "web-1", false);
	edited_wanted.len = 0;
	kafka_string(&edited_sent, NULL);
	kafka_int16(&edited_sent, 0);
	memset(is_idle + edited_sent.len, true, 4);
	kafka_int32(&edited_sent, 1000); /* its timeout */
	kafka_int32(&edited_sent, topics);
	for (unsigned i = 0; i < topics; i++) {
		size_t len = i % 2 ? RECORDS_OF : FEW_RECORDS;

		kafka_string(&edited_sent, i % 3 ? "open" : "secret");
		kafka_int32(&edited_sent, 1);
		edited_index(7, i % 3 == 0);
		kafka_int32(&edited_sent, (int64_t)len);
		memset(is_idle + edited_sent.len, true, len);
		kafka_fill(&edited_sent, 0x5a, len);
	}
	edited_same();
	edited_end();
	edited_left_len = 0;
}

static void
send_range(size_t at, size_t upto)
{
	for (; at < upto; at += SEGMENT)
		edited_send_part(LP_TO_BROKER, at,
		    upto - at < SEGMENT ? upto - at : SEGMENT);
}

static void
acknowledge(size_t upto)
{
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)upto;
	kafka_acknowledge(LP_TO_CLIENT);
	kafka_talk.next[LP_TO_BROKER] -= (uint32_t)upto;
	plane_forget();
}

static void
pass_it(void)
{
	acknowledge(edited_sent.len);
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	ck_assert_uint_eq(kafka_check_pools().said, 0);
}

static void
turn_round(struct kafka_frame *frame, size_t at, size_t upto)
{
	for (; at < upto; at++)
		frame->bytes[at] ^= 0xff;
}

/* What has left is what was judged; the rest may be as it came. */
static void
check_left(size_t at, size_t len, bool turned)
{
	for (size_t i = at; i < at + len; i++) {
		uint8_t is = edited_wanted.bytes[i];
		uint8_t other = is ^ 0xff;

		ensure(edited_left[i] == is ||
			(is_idle[i] && turned && edited_left[i] == other),
		    "byte %zu: %02x, not %02x", i, edited_left[i], is);
	}
}

/* Wherever it is cut when it comes, and when it comes again. */
START_TEST(another_thing_is_not_heard)
{
	uint64_t random = (uint64_t)_i + 1, replaced;

	make_produce(1, TOPICS);
	for (size_t at = 0; at < edited_sent.len;) {
		size_t len = random_between(&random, 1, _i % 2 ? 40 : 1000);

		if (len > edited_sent.len - at)
			len = edited_sent.len - at;
		edited_send_part(LP_TO_BROKER, at, len);
		at += len;
	}
	edited_has_left();
	ck_assert_uint_gt(kafka_check_pools().said, 0);
	ck_assert_uint_eq(KAFKA_COUNTER(judged_replaced), 0);
	turn_round(&edited_sent, 0, edited_sent.len);
	for (unsigned i = 0; i < 200; i++) {
		size_t at =
		    random_between(&random, 0, (uint32_t)edited_sent.len - 1);
		size_t len = random_between(
		    &random, 1, (uint32_t)(edited_sent.len - at));

		if (len > 1400)
			len = 1400;
		memset(edited_left, 0xee, sizeof(edited_left));
		edited_send_part(LP_TO_BROKER, at, len);
		check_left(at, len, true);
	}
	replaced = KAFKA_COUNTER(judged_replaced);
	ck_assert_uint_gt(replaced, 100);
	/* The same bytes are no other thing. */
	turn_round(&edited_sent, 0, edited_sent.len);
	send_range(0, edited_sent.len);
	check_left(0, edited_sent.len, false);
	ck_assert_uint_eq(KAFKA_COUNTER(judged_replaced), replaced);
	pass_it();
	rule_counts(RULE, 0, 1, 1);
}
END_TEST

/* One segment that says another thing, and goes on with what is new. */
START_TEST(what_is_new_behind_it_is_judged)
{
	make_produce(1, TOPICS);
	for (size_t cut = 1; cut + 1 < edited_sent.len; cut += 13) {
		size_t len = edited_sent.len - cut;
		size_t back = cut < SEGMENT ? cut : SEGMENT;

		if (len + back > 1400)
			len = 1400 - back;
		make_produce((int32_t)cut, TOPICS);
		send_range(0, cut);
		turn_round(&edited_sent, cut - back, cut);
		memset(edited_left + cut - back, 0xee, back);
		edited_send_part(LP_TO_BROKER, cut - back, back + len);
		check_left(cut - back, back, true);
		check_left(cut, len, false);
		send_range(cut + len, edited_sent.len);
		check_left(cut, edited_sent.len - cut, false);
		pass_it();
	}
	ck_assert_uint_gt(KAFKA_COUNTER(judged_replaced), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
}
END_TEST

/* Of records that go beyond their frame those in it are as they come. */
START_TEST(no_more_is_left_out_than_is_in_a_frame)
{
	struct kafka_frame behind;
	size_t len;

	edited_publish(LP_UNJUDGED_PASS);
	make_produce(1, TOPICS);
	behind = edited_sent;
	kafka_request(&edited_sent, PRODUCE, 3, 1, "web-1", false);
	kafka_string(&edited_sent, NULL);
	kafka_int16(&edited_sent, 0);
	kafka_int32(&edited_sent, 1000);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "open");
	kafka_int32(&edited_sent, 1);
	kafka_int32(&edited_sent, 7);
	kafka_int32(&edited_sent, 100000);
	kafka_fill(&edited_sent, 0x5a, 100);
	kafka_end(&edited_sent);
	len = edited_sent.len;
	kafka_bytes(&edited_sent, behind.bytes, behind.len);
	edited_send_part(LP_TO_BROKER, 0, edited_sent.len);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), 1);
	memcpy(edited_sent.bytes, edited_left, edited_left_len);
	turn_round(&edited_sent, len, edited_sent.len);
	memmove(edited_wanted.bytes + len, edited_wanted.bytes, behind.len);
	memmove(is_idle + len, is_idle, behind.len);
	edited_send_part(LP_TO_BROKER, len, behind.len);
	check_left(len, behind.len, true);
	pass_it();
}
END_TEST

START_TEST(what_is_acknowledged_comes_again_as_zeros)
{
	size_t half;

	/* Without an edit, which all before it would wait for. */
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	rule_put(RULE, 10, "api=Produce topic=other", "deny", false);
	plane_publish();
	make_produce(1, TOPICS);
	half = edited_sent.len / 2;
	send_range(0, edited_sent.len);
	acknowledge(half);
	turn_round(&edited_sent, 0, edited_sent.len);
	memset(edited_left, 0xee, sizeof(edited_left));
	edited_send_part(LP_TO_BROKER, half - 150, 300);
	for (size_t i = half - 150; i < half; i++)
		ensure(edited_left[i] == 0, "byte %zu: %02x, not zero", i,
		    edited_left[i]);
	for (size_t i = half; i < half + 150; i++) {
		uint8_t was = edited_sent.bytes[i] ^ 0xff;

		ensure(is_idle[i] || edited_left[i] == was,
		    "byte %zu: %02x, not %02x", i, edited_left[i], was);
	}
	pass_it();
}
END_TEST

/* It is as lost, until the broker acknowledges. */
START_TEST(what_has_no_room_is_not_heard)
{
	unsigned passed = 0, all = 0;

	while (KAFKA_COUNTER(judged_full) == 0) {
		size_t len = 1000;

		ensure(all < BLOCKS_MAX, "there is room for all");
		make_produce((int32_t)all, TOPICS);
		edited_send_part(LP_TO_BROKER, 0, len);
		if (edited_left_len == len) {
			send_range(len, edited_sent.len);
			passed += edited_left_len == edited_sent.len;
		}
		kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_left_len;
		all++;
	}
	ck_assert_uint_gt(passed, 100);
	ck_assert_uint_ge(plane_reason(LP_REASON_EDIT_FULL), 1);
	ck_assert_uint_le(kafka_check_pools().said, BLOCKS_MAX);
	ck_assert_uint_gt(kafka_check_pools().said, BLOCKS_MAX / 2);
	acknowledge(0);
	ck_assert_uint_eq(kafka_check_pools().said, 0);
	ck_assert_uint_eq(plane_connections(), 1);
}
END_TEST

START_TEST(a_successor_does_not_hear_it_either)
{
	make_produce(1, TOPICS);
	send_range(0, edited_sent.len);
	plane_restart();
	ck_assert_uint_gt(kafka_check_pools().said, 0);
	turn_round(&edited_sent, 0, edited_sent.len);
	memset(edited_left, 0xee, sizeof(edited_left));
	send_range(0, edited_sent.len);
	check_left(0, edited_sent.len, true);
	pass_it();
}
END_TEST

/* Nor when the rules have gone: it was judged by them. */
START_TEST(it_is_kept_where_rules_act)
{
	make_produce(1, TOPICS);
	send_range(0, edited_sent.len);
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	plane_publish();
	turn_round(&edited_sent, 0, edited_sent.len);
	memset(edited_left, 0xee, sizeof(edited_left));
	send_range(0, edited_sent.len);
	check_left(0, edited_sent.len, true);
	pass_it();
	make_produce(2, TOPICS);
	send_range(0, edited_sent.len);
	ck_assert_uint_eq(kafka_check_pools().said, 0);
}
END_TEST

/* The broker's TCP would take the byte out of the stream. */
/* A segment of the client's without text, at that number. */
static void
send_bare(const char *flags, uint32_t seq)
{
	char text[PACKET_TEXT_SIZE];

	snprintf(text, sizeof(text),
	    "tcp 10.9.0.50:40000 > 10.9.0.100:9100 %s seq=%u ack=%u win=60000",
	    flags, seq, kafka_talk.next[LP_TO_CLIENT]);
	plane_in(FRONT_SLOT, text);
	plane_forget();
}

/* Its receiver takes no notice of it, and reads on. */
START_TEST(a_fin_of_long_ago_ends_nothing)
{
	make_produce(1, TOPICS);
	send_range(0, edited_sent.len);
	edited_has_left();
	pass_it();
	send_bare("FA", kafka_talk.next[LP_TO_BROKER] - 1 - (uint32_t)_i);
	make_produce(2, TOPICS);
	send_range(0, edited_sent.len);
	edited_has_left();
}
END_TEST

/* One that the broker may have refused, for its time stamp. */
START_TEST(nothing_leaves_behind_a_fin)
{
	make_produce(1, TOPICS);
	send_bare("FA", kafka_talk.next[LP_TO_BROKER]);
	send_range(0, edited_sent.len);
	ck_assert_uint_eq(edited_left_len, 0);
}
END_TEST

/* It has gone on since, and answers with a challenge (RFC 5961, 3.2). */
START_TEST(nothing_leaves_behind_a_reset)
{
	uint32_t acknowledged = kafka_talk.next[LP_TO_BROKER];

	make_produce(1, TOPICS);
	send_range(0, edited_sent.len);
	edited_has_left();
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	send_bare("R", acknowledged);
	make_produce(2, TOPICS);
	send_range(0, edited_sent.len);
	ck_assert_uint_eq(edited_left_len, 0);
}
END_TEST

START_TEST(no_byte_is_urgent)
{
	char text[PACKET_TEXT_SIZE];
	struct packet packet;

	make_produce(1, 1);
	snprintf(text, sizeof(text),
	    "tcp 10.9.0.50:40000 > 10.9.0.100:9100 UPA seq=%u ack=%u len=%zu "
	    "urg=5 win=60000",
	    kafka_talk.next[LP_TO_BROKER], kafka_talk.next[LP_TO_CLIENT],
	    edited_sent.len);
	plane_build(&packet, FRONT_SLOT, text);
	kafka_fill_packet(&packet, edited_sent.bytes, edited_sent.len);
	ck_assert(plane_inject(FRONT_SLOT, packet.bytes, packet.len));
	plane_run();
	ck_assert(plane_take(BACK_SLOT));
	ck_assert_msg(strstr(plane.text, " PA ") != NULL &&
		strstr(plane.text, "bad") == NULL &&
		packet_number(plane.text, "urg", 0) == 0,
	    "%s", plane.text);
}
END_TEST

static const char token[] = "correct horse battery";

/* In all that outlives the process. */
static bool
region_has_token(void)
{
	const struct lp_kafka_state *state = &plane.region.kafka;
	const char *from = (const char *)state->conns;
	size_t len =
	    (size_t)((const char *)&state->said[state->said_count] - from);

	return memmem(from, len, token, sizeof(token) - 1) != NULL ||
	    memmem(plane.region.undo, sizeof(*plane.region.undo), token,
		sizeof(token) - 1) != NULL;
}

/* In one segment, or in two; or the first of two comes behind the second. */
START_TEST(tokens_do_not_stay_in_memory)
{
	static const char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256"};
	size_t cut;

	kafka_request(&edited_sent, HANDSHAKE, 1, 1, "web-1", false);
	kafka_string(&edited_sent, mechanisms[_i % 2]);
	kafka_end(&edited_sent);
	kafka_send(LP_TO_BROKER, edited_sent.bytes, edited_sent.len);
	kafka_response(&edited_sent, 1, false);
	kafka_int16(&edited_sent, 0);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, mechanisms[_i % 2]);
	kafka_end(&edited_sent);
	kafka_send(LP_TO_CLIENT, edited_sent.bytes, edited_sent.len);
	kafka_request(&edited_sent, AUTHENTICATE, 0, 2, "web-1", false);
	kafka_int32(&edited_sent, sizeof(token) + 2);
	kafka_int8(&edited_sent, 0);
	kafka_bytes(&edited_sent, "u", 1);
	kafka_int8(&edited_sent, 0);
	kafka_bytes(&edited_sent, token, sizeof(token) - 1);
	kafka_end(&edited_sent);
	cut = _i / 2 == 0 ? 0 : edited_sent.len - sizeof(token) - 2;
	if (_i / 2 > 1)
		edited_send_part(LP_TO_BROKER, cut, edited_sent.len - cut);
	if (_i / 2 == 3) {
		/* It says no more, and ends. */
		ck_assert(region_has_token());
		kafka_reset(LP_TO_BROKER);
		plane_forget();
		ck_assert(!region_has_token());
		return;
	}
	if (cut > 0)
		edited_send_part(LP_TO_BROKER, 0, cut);
	if (_i / 2 < 2)
		edited_send_part(LP_TO_BROKER, cut, edited_sent.len - cut);
	ck_assert(region_has_token());
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
	ck_assert(!region_has_token());
}
END_TEST

/* ---- simulated peers ----------------------------------------------------- */

/* A client that only speaks, and forges what it has said. */
static struct {
	struct sim sim;
	struct kafka_frame said, wanted;
	bool is_idle[KAFKA_FRAME_MAX]; /* of said */
	struct sim_bytes promised;
	bool written, forging;
	uint64_t forged;
} run;

static void
write_frames(void)
{
	run.said.len = run.wanted.len = 0;
	for (int32_t i = 0; i < FRAMES; i++) {
		make_produce(i, 1 + (unsigned)i % 5);
		if (run.said.len + edited_sent.len > KAFKA_FRAME_MAX)
			break;
		memcpy(run.is_idle + run.said.len, is_idle, edited_sent.len);
		kafka_bytes(&run.said, edited_sent.bytes, edited_sent.len);
		kafka_bytes(
		    &run.wanted, edited_wanted.bytes, edited_wanted.len);
	}
	run.promised = (struct sim_bytes){
	    .bytes = run.wanted.bytes, .len = run.wanted.len};
	sim_write(&run.sim, SIM_CLIENT, run.said.bytes, run.said.len);
	sim_shut(&run.sim, SIM_CLIENT);
}

/*
 * Something that was read already, and may not have reached the broker: all
 * that rules look at is turned round.
 */
static void
forge(const struct sim_segment *pattern)
{
	const struct lp_stream *stream =
	    &plane.region.kafka.conns[0].sides[LP_TO_BROKER].stream;
	uint32_t begin = run.sim.tcp[SIM_CLIENT].iss + 1;
	uint32_t read = stream->need - begin;
	struct sim_segment segment = *pattern;
	uint32_t at, len;

	if (stream->state != LP_STREAM_LIVE || read == 0 || read > run.said.len)
		return;
	len = random_between(&run.sim.random, 1, pattern->len);
	if (len > read)
		len = read;
	at = random_percent(&run.sim.random, 70)
	    ? read - len
	    : random_between(&run.sim.random, 0, read - len);
	segment.seq = begin + at;
	segment.len = (uint16_t)len;
	segment.flags = SIM_ACK;
	for (uint32_t i = 0; i < len; i++)
		segment.bytes[i] =
		    run.said.bytes[at + i] ^ (run.is_idle[at + i] ? 0 : 0xff);
	run.forging = true;
	run.forged++;
	sim_send(&run.sim, SIM_CLIENT, &segment);
	run.forging = false;
}

static bool
tamper(void *context, enum sim_way way, const struct sim_segment *segment)
{
	(void)context;
	if (way == SIM_FROM_CLIENT && segment->len > 0 && !run.forging &&
	    plane_connections() > 0)
		forge(segment);
	return false;
}

static void
speak(void *context, struct sim *sim)
{
	(void)context;
	if (!run.written)
		write_frames();
	run.written = true;
	if (sim_at_end(sim, SIM_BROKER))
		sim_shut(sim, SIM_BROKER);
}

START_TEST(a_forger_is_not_heard)
{
	for (uint64_t seed = 1; seed <= SEEDS / RANDOM_SLOWER; seed++) {
		plane_reset();
		sim_prepare(&run.sim, (uint64_t)_i * SEEDS + seed);
		/* It is lost behind us, so that the other one is the first. */
		for (unsigned who = 0; who < 2; who++) {
			struct sim_habits *habits = &run.sim.tcp[who].habits;

			habits->mss = habits->cut_max = 1000;
			habits->buffer = 1 << 15;
			habits->scale = 1;
			habits->read_every_ns = 0;
		}
		run.sim.link[SIM_TO_BROKER].lost = 100;
		run.written = false;
		run.forged = 0;
		sim_begin(&run.sim);
		run.sim.lose = tamper;
		run.sim.promised[SIM_BROKER] = &run.promised;
		run.sim.promised[SIM_CLIENT] = &run.sim.tcp[SIM_BROKER].out;
		sim_run(&run.sim, speak, NULL);
		sim_close(&run.sim);
		ensure(run.forged > 0, "nothing was forged");
		ensure(kafka_check_pools().said == 0, "something is kept");
		kafka_ensure_at_rest();
		plane_check();
	}
	ensure(KAFKA_COUNTER(judged_replaced) > SEEDS / 4 / RANDOM_SLOWER,
	    "%lu replaced", KAFKA_COUNTER(judged_replaced));
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 300);
	tcase_add_loop_test(tests, another_thing_is_not_heard, 0, 12);
	tcase_add_test(tests, what_is_new_behind_it_is_judged);
	tcase_add_test(tests, no_more_is_left_out_than_is_in_a_frame);
	tcase_add_test(tests, what_is_acknowledged_comes_again_as_zeros);
	tcase_add_test(tests, what_has_no_room_is_not_heard);
	tcase_add_test(tests, a_successor_does_not_hear_it_either);
	tcase_add_test(tests, it_is_kept_where_rules_act);
	tcase_add_loop_test(tests, a_fin_of_long_ago_ends_nothing, 0, 3);
	tcase_add_test(tests, nothing_leaves_behind_a_fin);
	tcase_add_test(tests, nothing_leaves_behind_a_reset);
	tcase_add_test(tests, no_byte_is_urgent);
	tcase_add_loop_test(tests, tokens_do_not_stay_in_memory, 0, 8);
	tcase_add_loop_test(tests, a_forger_is_not_heard, 0, 4);
}

int
main(void)
{
	return plane_main("said", add);
}
