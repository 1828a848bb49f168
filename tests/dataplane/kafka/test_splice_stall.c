/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients and brokers that stall and hold what others need: they are reset on
 * both sides when somebody else finds no room, and not before; who goes on,
 * however slowly, never is.
 *
 * The pool is a small one, and the clock is the test's.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/pipeline/conntrack.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_check.h"
#include "tests/support/killed.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/random.h"
#include "tests/support/spliced.h"

enum {
	BROKERS = 1100, /* whose list takes as much as a test may say */
	PIECES = 70, /* of three such lists about half */
	PIECES_GAP =
	    800, /* what waits behind gaps leaves some (splice_wait.c) */
	PIECES_OPEN = 300,
	WINDOW = 60000,
	CLIENT_PORT = 40000,
	OTHERS_MAX = 40,
	FEW = 30, /* kills, see killed_run() */
	LATE_S = LP_STALLED_S + 1,
};

/* A connection that is not the one at hand. */
struct other {
	struct spliced said;
	struct kafka_talk talk;
};

static unsigned others;
static struct other slow, kept;

static void
set_pieces(uint32_t count)
{
	plane.region.kafka.held_count = count;
	plane_restart();
	others = 0;
}

static void
put_aside(struct other *other)
{
	other->said = spliced;
	other->talk = kafka_talk;
}

static void
take_up(const struct other *other)
{
	spliced = other->said;
	kafka_talk = other->talk;
}

static const struct lp_conn *
connection(unsigned more)
{
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		const struct lp_conn *conn = &plane.region.connections[i];

		if (conn->use == LP_CONN_USED &&
		    conn->client_port == CLIENT_PORT + more)
			return conn;
	}
	return NULL;
}

/* Without the first, which holds nothing. */
static unsigned
all(void)
{
	return plane_connections() - (connection(0) != NULL);
}

/* The broker's segments from there up to there. */
static void
answer(uint32_t from, uint32_t upto)
{
	for (uint32_t at = from; at < upto; at += SPLICED_MSS)
		spliced_answer(
		    at, upto - at < SPLICED_MSS ? upto - at : SPLICED_MSS);
}

/* Another client asks for a list; false: its answer finds no room. */
static bool
next_client(uint32_t from, uint32_t upto)
{
	uint64_t before = KAFKA_COUNTER(rewrite_full);

	ensure(others < OTHERS_MAX, "there is room for all");
	spliced_connect_more((uint16_t)++others);
	spliced_metadata(BROKERS);
	spliced_ask();
	spliced_answer(from, SPLICED_MSS);
	if (KAFKA_COUNTER(rewrite_full) > before)
		return false;
	answer(from + SPLICED_MSS, upto == 0 ? spliced.len : upto);
	return true;
}

/* Until one finds no room: it is the one at hand. */
static void
fill(uint32_t from, uint32_t upto)
{
	while (next_client(from, upto))
		if (others == 1)
			put_aside(&slow);
	ck_assert_uint_ge(others, 3);
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), 0);
	ck_assert_uint_eq(all(), others);
}

/* Time goes by, and the broker at hand sends what is not acknowledged again. */
static void
wait_s(unsigned seconds)
{
	uint32_t at = spliced.broker_acked;

	plane.now_ns += seconds * 1000000000ull;
	spliced_run();
	spliced_answer(at,
	    spliced.len - at < SPLICED_MSS ? spliced.len - at : SPLICED_MSS);
	spliced_run();
}

/* All clients end, those that have not been. */
static void
end_all(void)
{
	char text[PACKET_TEXT_SIZE];

	for (unsigned more = 0; more <= others; more++) {
		const struct lp_conn *conn = connection(more);

		if (conn == NULL)
			continue;
		snprintf(text, sizeof(text),
		    "tcp 10.9.0.50:%u > 10.9.0.100:9100 R seq=%u",
		    CLIENT_PORT + more, conn->tcp.peer[LP_TO_BROKER].end);
		plane_in(FRONT_SLOT, text);
	}
	plane_forget();
	for (unsigned more = 0; more <= others; more++)
		ensure(connection(more) == NULL ||
			connection(more)->tcp.state == LP_TCP_CLOSED,
		    "client %u is not over", more);
	kafka_check_pools();
	kafka_ensure_at_rest();
	ensure(KAFKA_COUNTER(edits) == 0, "edits are left");
}

/* A client that says nothing, or that its window is shut. */
static void
say(unsigned what)
{
	if (what == 0)
		return;
	put_aside(&kept);
	take_up(&slow);
	spliced_acknowledge_at(0, 0);
	put_aside(&slow);
	take_up(&kept);
}

/* Frames to that client, or to its broker, that are RSTs. */
static unsigned
resets(uint8_t slot, const char *from)
{
	unsigned count = 0;

	while (plane_take(slot))
		count += strstr(plane.text, from) != NULL &&
		    strstr(plane.text, " R ") != NULL;
	return count;
}

START_TEST(who_stalls_is_reset_for_others)
{
	char client[64], broker[64];

	set_pieces(PIECES);
	fill(0, 0);
	snprintf(client, sizeof(client), "10.9.0.50:%u ", CLIENT_PORT + 1);
	snprintf(broker, sizeof(broker), ":%u > 10.8.0.20:9092",
	    connection(1)->source_port);
	for (unsigned s = 0; s < LP_STALLED_S; s++) {
		say((unsigned)_i);
		wait_s(1);
		ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), 0);
		ck_assert_uint_eq(spliced.got, 0);
	}
	ck_assert_uint_eq(all(), others);
	plane.now_ns += 1000000000ull;
	spliced_queue(LP_TO_CLIENT, 0, spliced.asked_got, "PA", WINDOW,
	    spliced.bytes, SPLICED_MSS);
	plane_run();
	ck_assert_ptr_null(connection(1));
	ck_assert_uint_ge(resets(FRONT_SLOT, client), 1);
	ck_assert_uint_ge(resets(BACK_SLOT, broker), 1);
	/* No more of them than others need. */
	ck_assert_uint_ge(KAFKA_COUNTER(rewrite_stalled), 1);
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), others - all());
	ck_assert_uint_gt(all(), 1);
	spliced_finish();
	end_all();
}
END_TEST

/* It need not be repeated: who is refused comes again ever more rarely. */
START_TEST(one_refusal_is_enough)
{
	set_pieces(PIECES);
	fill(0, 0);
	for (unsigned s = 0; s < LP_STALLED_S; s++)
		plane_wait_ms(1000);
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), 0);
	plane_wait_ms(1000);
	ck_assert_uint_ge(KAFKA_COUNTER(rewrite_stalled), 1);
	spliced_finish();
	end_all();
}
END_TEST

/* A few bytes now and then: the first that is looked at. */
START_TEST(who_goes_on_slowly_is_not_reset)
{
	uint32_t has = 0;

	set_pieces(PIECES);
	fill(0, 0);
	put_aside(&kept);
	for (unsigned i = 0; i < 10; i++) {
		take_up(&slow);
		has += 10;
		spliced_acknowledge_at(has, 0);
		put_aside(&slow);
		take_up(&kept);
		wait_s(LP_STALLED_S - 1);
		put_aside(&kept);
		ck_assert_ptr_nonnull(connection(1));
	}
	ck_assert_ptr_null(connection(2));
	ck_assert_uint_ge(KAFKA_COUNTER(rewrite_stalled), 1);
	take_up(&slow);
	spliced_finish();
	end_all();
}
END_TEST

START_TEST(who_stalls_alone_is_left_alone)
{
	set_pieces(PIECES);
	ck_assert(next_client(0, 0));
	put_aside(&slow);
	ck_assert(next_client(0, 0));
	for (unsigned i = 0; i < 10; i++)
		plane_wait_ms(60000);
	/* Others go on meanwhile, and find room. */
	spliced_acknowledge();
	ck_assert_uint_eq(all(), 2);
	take_up(&slow);
	spliced_acknowledge();
	spliced_metadata(3);
	spliced_ask();
	spliced_finish();
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), 0);
	end_all();
}
END_TEST

/* Its broker does not send what is missing. */
START_TEST(what_waits_behind_a_gap_stalls)
{
	set_pieces(PIECES_GAP);
	fill(SPLICED_MSS, 0);
	spliced_connect_more((uint16_t)++others);
	spliced_metadata(2);
	spliced_ask();
	for (unsigned s = 0; s < LP_STALLED_S; s++)
		wait_s(1);
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), 0);
	ck_assert_uint_eq(spliced.got, 0);
	wait_s(2);
	wait_s(2);
	ck_assert_uint_ge(KAFKA_COUNTER(rewrite_stalled), 1);
	ck_assert_ptr_null(connection(1));
	spliced_finish();
	end_all();
}
END_TEST

/* We keep their brokers from sending, as rules that limit do. */
START_TEST(whom_we_keep_from_sending_does_not_stall)
{
	struct lp_kafka *kafka;

	set_pieces(PIECES_GAP);
	kafka = lp_pipeline_conntrack(plane.pipeline)->removing_arg;
	fill(SPLICED_MSS, 0);
	for (unsigned more = 1; more <= others; more++)
		lp_pace_until(&kafka->pace,
		    (uint32_t)(connection(more) - plane.region.connections),
		    LP_TO_CLIENT, plane.now_ns + 2 * LATE_S * 1000000000ull);
	spliced_connect_more((uint16_t)++others);
	spliced_metadata(2);
	spliced_ask();
	/* From when they are told that they may go on they have as long as
	 * others. */
	for (unsigned s = 0; s < 2 * LATE_S + LP_STALLED_S; s++)
		wait_s(1);
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), 0);
	ck_assert_uint_eq(spliced.got, 0);
	wait_s(2);
	wait_s(2);
	ck_assert_uint_ge(KAFKA_COUNTER(rewrite_stalled), 1);
	spliced_finish();
	end_all();
}
END_TEST

/* The gap moves: a segment comes now and then. */
START_TEST(a_gap_that_moves_does_not_stall)
{
	set_pieces(PIECES_GAP);
	fill(10 * SPLICED_MSS, 0);
	put_aside(&kept);
	for (unsigned i = 0; i < 6; i++) {
		take_up(&slow);
		spliced_answer(i * SPLICED_MSS, SPLICED_MSS);
		put_aside(&slow);
		take_up(&kept);
		wait_s(LP_STALLED_S - 1);
		put_aside(&kept);
		ck_assert_ptr_nonnull(connection(1));
	}
	ck_assert_ptr_null(connection(2));
	take_up(&slow);
	spliced_finish();
	end_all();
}
END_TEST

/*
 * Lists that are half here.  One may have the rest of the pool, and its broker
 * stalls; another one would go on, and is refused: it is not the one to go.
 */
START_TEST(who_waits_for_us_does_not_stall)
{
	uint64_t before;

	set_pieces(PIECES_OPEN);
	ck_assert(next_client(0, SPLICED_MSS));
	put_aside(&slow);
	do {
		spliced_connect_more((uint16_t)++others);
		spliced_metadata(BROKERS);
		spliced_ask();
		before = KAFKA_COUNTER(rewrite_full);
		answer(0, spliced.len - SPLICED_MSS);
		take_up(&slow);
		spliced_answer(SPLICED_MSS, 1);
		put_aside(&slow);
		slow.said.sent = SPLICED_MSS;
	} while (KAFKA_COUNTER(rewrite_full) == before && others < OTHERS_MAX);
	take_up(&slow);
	for (unsigned s = 0; s < LATE_S + 1; s++) {
		ck_assert_ptr_nonnull(connection(1));
		wait_s(1);
	}
	ck_assert_ptr_nonnull(connection(1));
	ck_assert_ptr_null(connection(2));
	spliced_finish();
	end_all();
}
END_TEST

static void
ask_again(void)
{
	plane.now_ns += 1000000000ull;
	spliced.asked_sent = 0;
	spliced_ask();
}

/* Of requests that its broker never acknowledges, as if from before a restart.
 */
START_TEST(who_holds_edits_stalls)
{
	struct lp_kafka_state *state = &plane.region.kafka;
	uint32_t index = (uint32_t)(connection(0) - plane.region.connections);
	struct lp_seqmap *map = &state->splices[index].maps[LP_TO_BROKER];

	for (uint32_t i = 0; i + LP_BUFFER_SIZE / 16 <= state->edit_count;
	     i++) {
		state->edits[i] = (struct lp_edit){.kind = LP_EDIT_OVER,
		    .start = map->floor + i,
		    .old_len = 1};
		lp_seqmap_insert(map, state->edits, map->last, i);
	}
	set_pieces(PIECES_OPEN);
	spliced_connect_more((uint16_t)++others);
	spliced_metadata(2);
	spliced_ask();
	for (unsigned s = 0; s < LP_STALLED_S; s++)
		ask_again();
	ck_assert_ptr_nonnull(connection(0));
	ck_assert_uint_eq(spliced.asked_got, 0);
	ask_again();
	ck_assert_ptr_null(connection(0));
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), 1);
	ask_again();
	spliced_finish();
	end_all();
}
END_TEST

/* Nobody was there to see them move. */
START_TEST(who_takes_over_gives_time)
{
	set_pieces(PIECES);
	fill(0, 0);
	plane.now_ns += 100 * LP_STALLED_S * 1000000000ull;
	plane_restart();
	for (unsigned s = 0; s < LP_STALLED_S; s++)
		wait_s(1);
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), 0);
	wait_s(1);
	ck_assert_uint_ge(KAFKA_COUNTER(rewrite_stalled), 1);
	spliced_finish();
	end_all();
}
END_TEST

/* ---- killed meanwhile ---------------------------------------------------- */

static void
queue_late(const void *arg)
{
	plane.now_ns = *(const uint64_t *)arg + LATE_S * 1000000000ull;
	spliced_queue(LP_TO_CLIENT, 0, spliced.asked_got, "PA", WINDOW,
	    spliced.bytes, SPLICED_MSS);
}

/*
 * Of those that stall: what says that it ends is there, and it too.  (The one
 * at hand is reset for a kill amid its packet.)
 */
static bool
is_half_reset(void)
{
	const struct lp_splice *splices = plane.region.kafka.splices;

	for (unsigned more = 1; more < others; more++) {
		const struct lp_conn *conn = connection(more);

		if (conn != NULL &&
		    (splices[conn - plane.region.connections].flags &
			LP_SPLICE_BROKEN))
			return true;
	}
	return false;
}

/*
 * It begins to count anew: those that are left are reset when it is time.
 * Returns whether that was amid the reset of one.
 */
static bool
take_over(const void *arg)
{
	const struct lp_conn *stalled;
	struct other before;
	bool amid;

	put_aside(&before);
	plane.now_ns = *(const uint64_t *)arg + LATE_S * 1000000000ull;
	plane_restart();
	amid = is_half_reset();
	plane_run();
	plane_forget();
	kafka_check_pools();
	spliced.sent = spliced.len;
	for (unsigned i = 0; i < 3; i++)
		wait_s(LATE_S);
	spliced_finish();
	stalled = connection(1);
	ensure(stalled == NULL ||
		(plane.region.kafka.splices[stalled - plane.region.connections]
			.flags &
		    LP_SPLICE_BROKEN),
	    "who has stalled is still there");
	end_all();
	ensure(KAFKA_COUNTER(rewrite_unreadable) == 0, "it is called unread");
	take_up(&before);
	return amid;
}

static void
go_back(uint64_t now_ns)
{
	killed_restore();
	plane.now_ns = now_ns;
	plane_restart();
	plane_run();
	plane_forget();
}

START_TEST(whoever_takes_over_goes_on_with_it)
{
	uint64_t now_ns;
	const struct killed how = {.prepare = queue_late,
	    .act = killed_run_pipeline,
	    .take_over = take_over,
	    .arg = &now_ns};
	unsigned kills[2] = {0};

	set_pieces(PIECES);
	fill(0, 0);
	now_ns = plane.now_ns;
	killed_keep();
	if (killed_run(&how, FEW, kills))
		ck_assert_uint_gt(kills[true], 0);
	go_back(now_ns);
	killed_forget();
	end_all();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, spliced_open, spliced_close);
	tcase_set_timeout(tests, 300);
	tcase_add_loop_test(tests, who_stalls_is_reset_for_others, 0, 2);
	tcase_add_test(tests, one_refusal_is_enough);
	tcase_add_test(tests, who_goes_on_slowly_is_not_reset);
	tcase_add_test(tests, who_stalls_alone_is_left_alone);
	tcase_add_test(tests, what_waits_behind_a_gap_stalls);
	tcase_add_test(tests, whom_we_keep_from_sending_does_not_stall);
	tcase_add_test(tests, a_gap_that_moves_does_not_stall);
	tcase_add_test(tests, who_waits_for_us_does_not_stall);
	tcase_add_test(tests, who_holds_edits_stalls);
	tcase_add_test(tests, who_takes_over_gives_time);
	/* As of all single steps, what is compiled for speed is meant. */
	if (RANDOM_SLOWER == 1)
		tcase_add_test(tests, whoever_takes_over_goes_on_with_it);
}

int
main(void)
{
	return plane_main("splice_stall", add);
}
