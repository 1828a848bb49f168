/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/stream.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/random.h"
#include "tests/support/stream_check.h"

enum what {
	OFFER = 1, /* seq, len */
	ACK, /* seq; 1: nothing is lost */
	END, /* a FIN at seq */
};

enum {
	NO = LP_STREAM_NOTHING,
	READ = LP_STREAM_READ,
	HELD = LP_STREAM_HELD,
	FULL = LP_STREAM_FULL,
	P = LP_HELD_BYTES,
	PIECES = 96, /* one stream may have all it may, and a quarter is left */
	SEED = 7, /* of the bytes */
	BYTES = 1 << 18,
	BEFORE = 4096, /* bytes in front of position 0 */
};

/* One segment or acknowledgement a row, with what is so afterwards. */
struct row {
	enum what what;
	int seq; /* of the first byte; 0: the first one of the stream */
	unsigned len;
	int result;
	unsigned need;
	unsigned skip;
	unsigned held;
	unsigned read; /* bytes, since the stream began */
};

/*
 * The reader reads `head` bytes, then says to skip `skip`, again and again.
 * Without: it reads all.
 */
struct table {
	const char *name;
	unsigned head, skip;
	unsigned pieces; /* in the pool; 0: PIECES */
	struct row rows[16];
};

/* clang-format off */
static const struct table tables[] = {
	{"in order", 0, 0, 0, {
		{OFFER, 0,    100,  READ, 100,	0, 0, 100},
		{OFFER, 100,  1,    READ, 101,	0, 0, 101},
		{ACK,	101,  0,    1,	  101,	0, 0, 101},
		{OFFER, 101,  1460, READ, 1561, 0, 0, 1561},
		{ACK,	1561, 0,    1,	  1561, 0, 0, 1561},
	}},
	{"sent again, and more with it", 0, 0, 0, {
		{OFFER, 0,  100, READ, 100, 0, 0, 100},
		{OFFER, 0,  100, NO,   100, 0, 0, 100},
		{OFFER, 50, 50,	 NO,   100, 0, 0, 100},
		{OFFER, 50, 60,	 READ, 110, 0, 0, 110},
		{OFFER, 0,  120, READ, 120, 0, 0, 120},
	}},
	{"two change places", 0, 0, 0, {
		{OFFER, 0,   10, READ, 10, 0, 0, 10},
		{OFFER, 20,  10, HELD, 10, 0, 1, 10},
		{ACK,	10,  0,	 1,    10, 0, 1, 10},
		{OFFER, 10,  10, READ, 30, 0, 0, 30},
		{ACK,	30,  0,	 1,    30, 0, 0, 30},
	}},
	{"behind a gap, small ones share a piece, others fill between", 0, 0, 0, {
		{OFFER, 10, 10, HELD, 0,  0, 1, 0},
		{OFFER, 20, 10, HELD, 0,  0, 1, 0},
		{OFFER, 30, 1,	HELD, 0,  0, 1, 0},
		{OFFER, 50, 10, HELD, 0,  0, 2, 0},
		{OFFER, 5,  50, HELD, 0,  0, 3, 0},
		{OFFER, 0,  5,	READ, 60, 0, 0, 60},
	}},
	{"what is held is not held again", 0, 0, 0, {
		{OFFER, 10, 10, HELD, 0, 0, 1, 0},
		{OFFER, 10, 10, HELD, 0, 0, 1, 0},
		{OFFER, 12, 5,	HELD, 0, 0, 1, 0},
		{OFFER, 5,  10, HELD, 0, 0, 2, 0},
		{OFFER, 5,  15, HELD, 0, 0, 2, 0},
		{OFFER, 6,  20, HELD, 0, 0, 2, 0},
		{OFFER, 0,  30, READ, 30, 0, 0, 30},
	}},
	{"longer than a piece", 0, 0, 0, {
		{OFFER, 1,     P,	  HELD, 0,	   0, 1, 0},
		{OFFER, 1 + P, 2 * P + 1, HELD, 0,	   0, 4, 0},
		{OFFER, 0,     1,	  READ, 3 * P + 2, 0, 0, 3 * P + 2},
	}},
	{"segments inside a skip need nothing, in any order", 4, 1000, 0, {
		{OFFER, 0,   14,  READ, 14,   990, 0, 4},
		{OFFER, 14,  100, NO,	114,  890, 0, 4},
		{OFFER, 914, 50,  NO,	964,  40,  0, 4},
		{OFFER, 114, 800, NO,	964,  40,  0, 4},
		{OFFER, 964, 40,  NO,	1004, 0,   0, 4},
		{ACK,	1004, 0,  1,	1004, 0,   0, 4},
		{OFFER, 1004, 4,  READ, 1008, 1000, 0, 8},
	}},
	{"a skip ends inside a segment", 4, 100, 0, {
		{OFFER, 0,   4,	  READ, 4,   100, 0, 4},
		{OFFER, 4,   102, READ, 106, 0,	  0, 6},
		{OFFER, 106, 2,	  READ, 108, 100, 0, 8},
	}},
	{"partly in a skip, with a gap in front that nobody wants", 4, 100, 0, {
		{OFFER, 0,  4,	READ, 4,   100, 0, 4},
		{OFFER, 90, 18, READ, 108, 100, 0, 8},
		{OFFER, 4,  86, NO,   108, 100, 0, 8},
	}},
	{"behind a skip, with a gap in front that is wanted", 4, 100, 0, {
		{OFFER, 0,   4,	  READ, 4,   100, 0, 4},
		{OFFER, 106, 2,	  HELD, 104, 0,	  1, 4},
		{ACK,	104, 0,	  1,	104, 0,	  1, 4},
		{OFFER, 4,   100, NO,	104, 0,	  1, 4},
		{OFFER, 50,  56,  READ, 108, 100, 0, 8},
	}},
	{"a head makes unnecessary what is held", 4, 100, 0, {
		{OFFER, 10,  20, HELD, 0,   0,	0, 0},
		{OFFER, 60,  20, HELD, 0,   0,	0, 0},
		{OFFER, 0,   4,	 READ, 80,  24, 0, 4},
		{OFFER, 80,  24, NO,   104, 0,	0, 4},
	}},
	{"a skip ends inside what is held, a gap in front of it", 4, 100, 0, {
		{OFFER, 90,  20, HELD, 0,   0,	0, 0},
		{OFFER, 0,   4,	 READ, 110, 98, 0, 8},
		{OFFER, 4,   86, NO,   110, 98, 0, 8},
	}},
	{"many frames in one segment", 4, 6, 0, {
		{OFFER, 0,   95, READ, 95,  5, 0, 40},
		{OFFER, 95,  7,	 READ, 102, 0, 0, 42},
		{OFFER, 102, 2,	 READ, 104, 6, 0, 44},
	}},
	{"keep-alives", 0, 0, 0, {
		{OFFER, 0,   100, READ, 100, 0, 0, 100},
		{OFFER, 99,  0,	  NO,	100, 0, 0, 100},
		{OFFER, 99,  1,	  NO,	100, 0, 0, 100},
		{OFFER, 100, 0,	  NO,	100, 0, 0, 100},
	}},
	{"keep-alives and empty segments in a skip", 4, 100, 0, {
		{OFFER, 0,  10, READ, 10, 94, 0, 4},
		{OFFER, 9,  0,	NO,   10, 94, 0, 4},
		{OFFER, 9,  1,	NO,   10, 94, 0, 4},
		{OFFER, 50, 0,	NO,   10, 94, 0, 4},
	}},
	{"probes of a window that is shut", 0, 0, 0, {
		{OFFER, 0,   10, READ, 10, 0, 0, 10},
		{OFFER, 10,  1,	 READ, 11, 0, 0, 11},
		{OFFER, 10,  1,	 NO,   11, 0, 0, 11},
		{OFFER, 11,  99, READ, 110, 0, 0, 110},
	}},
	{"acknowledged, and never seen", 0, 0, 0, {
		{OFFER, 0,  10, READ, 10, 0, 0, 10},
		{OFFER, 20, 10, HELD, 10, 0, 1, 10},
		{ACK,	10, 0,	1,    10, 0, 1, 10},
		{ACK,	11, 0,	0,    30, 0, 0, 10},
		{ACK,	30, 0,	1,    30, 0, 0, 10},
		{OFFER, 10, 40, NO,   30, 0, 0, 10},
	}},
	{"an acknowledgement of more than has ever come by", 0, 0, 0, {
		{OFFER, 0,  10, READ, 10, 0, 0, 10},
		{ACK,	11, 0,	1,    10, 0, 0, 10},
		{ACK,	12, 0,	1,    10, 0, 0, 10},
		{OFFER, 20, 10, HELD, 10, 0, 1, 10},
		{ACK,	32, 0,	1,    10, 0, 1, 10},
		{ACK,	-9, 0,	1,    10, 0, 1, 10},
		{OFFER, 10, 10, READ, 30, 0, 0, 30},
	}},
	{"the FIN is acknowledged", 0, 0, 0, {
		{OFFER, 0,  10, READ, 10, 0, 0, 10},
		{END,	10, 0,	0,    10, 0, 0, 10},
		{ACK,	11, 0,	1,    10, 0, 0, 10},
		{OFFER, 0,  10, NO,   10, 0, 0, 10},
	}},
	{"the FIN is acknowledged, a byte before it was not seen", 0, 0, 0, {
		{OFFER, 0,  10, READ, 10, 0, 0, 10},
		{OFFER, 11, 10, HELD, 10, 0, 1, 10},
		{END,	21, 0,	0,    10, 0, 1, 10},
		{ACK,	22, 0,	0,    21, 0, 0, 10},
	}},
	{"one byte is acknowledged that has not come by: no FIN", 0, 0, 0, {
		{OFFER, 0,  10, READ, 10, 0, 0, 10},
		{ACK,	11, 0,	1,    10, 0, 0, 10},
		{OFFER, 11, 10, HELD, 10, 0, 1, 10},
		{ACK,	11, 0,	0,    21, 0, 0, 10},
	}},
	{"a keep-alive with a byte in the place of the FIN", 0, 0, 0, {
		{OFFER, 0,  10, READ, 10, 0, 0, 10},
		{END,	10, 0,	0,    10, 0, 0, 10},
		{OFFER, 10, 1,	NO,   10, 0, 0, 10},
		{OFFER, 5,  10, NO,   10, 0, 0, 10},
		{OFFER, 20, 10, NO,   10, 0, 0, 10},
		{ACK,	11, 0,	1,    10, 0, 0, 10},
	}},
	{"the FIN comes before the bytes before it", 0, 0, 0, {
		{END,	20, 0,	0,    0,  0, 0, 0},
		{OFFER, 10, 15, HELD, 0,  0, 1, 0},
		{OFFER, 0,  25, READ, 20, 0, 0, 20},
		{ACK,	21, 0,	1,    20, 0, 0, 20},
	}},
	{"bytes of a skip need not be seen", 4, 100, 0, {
		{OFFER, 0,   4,	 READ, 4,   100, 0, 4},
		{OFFER, 80,  10, NO,   90,  14,	 0, 4},
		{ACK,	90,  0,	 1,    90,  14,	 0, 4},
		{OFFER, 104, 4,	 READ, 108, 100, 0, 8},
		{ACK,	108, 0,	 1,    108, 100, 0, 8},
	}},
	{"no piece is free", 0, 0, 2, {
		{OFFER, 10, 10, HELD, 0,  0, 1, 0},
		{OFFER, 30, 10, HELD, 0,  0, 2, 0},
		{OFFER, 50, 10, FULL, 0,  0, 2, 0},
		{OFFER, 40, 10, HELD, 0,  0, 2, 0},
		{OFFER, 5,  50, FULL, 0,  0, 2, 0},
		{OFFER, 0,  10, READ, 20, 0, 1, 20},
		{OFFER, 20, 10, READ, 50, 0, 0, 50},
		{OFFER, 60, 5,	HELD, 50, 0, 1, 50},
		{ACK,	60, 0,	0,    65, 0, 0, 50},
	}},
};
/* clang-format on */

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

static struct lp_held pieces[PIECES];
static uint32_t free_pieces[PIECES];
static struct lp_held_pool pool;
static struct lp_stream stream;
static uint8_t bytes[BEFORE + BYTES];

static void
open_stream(uint32_t seq, unsigned count)
{
	memset(pieces, 0xee, sizeof(pieces));
	lp_held_pool_init(&pool, pieces, free_pieces, count ? count : PIECES);
	memset(&stream, 0, sizeof(stream));
	lp_stream_open(&stream, seq);
	for (unsigned i = 0; i < BEFORE + BYTES; i++)
		bytes[i] = random_byte(SEED, i);
}

/* The reader of a table. */
struct reader {
	unsigned head, skip;
	unsigned left; /* of the head */
	unsigned at; /* position of its next byte */
	unsigned read;
};

static void
read_all(struct reader *reader, const struct lp_stream_segment *segment,
    const char *name)
{
	struct lp_stream_chunk chunk;

	while (lp_stream_read(&stream, &pool, segment, &chunk)) {
		uint32_t len = chunk.len;
		uint32_t skip = 0;

		ck_assert_uint_gt(chunk.len, 0);
		if (reader->head > 0 && len >= reader->left) {
			len = reader->left;
			skip = reader->skip;
		}
		ck_assert_msg(
		    memcmp(chunk.bytes, &bytes[BEFORE + reader->at], len) == 0,
		    "%s: other bytes at %u", name, reader->at);
		reader->left = skip > 0 ? reader->head : reader->left - len;
		reader->at += len + skip;
		reader->read += len;
		lp_stream_advance(&stream, &pool, len, skip);
		stream_check(&stream, &pool, false);
	}
	stream_check(&stream, &pool, true);
}

static void
run_row(
    struct reader *reader, const struct table *table, unsigned i, uint32_t base)
{
	const struct row *row = &table->rows[i];
	struct lp_stream_segment segment = {.bytes = &bytes[BEFORE + row->seq],
	    .seq = base + (uint32_t)row->seq,
	    .len = row->len};
	bool wants = lp_stream_wants(&stream, segment.seq, segment.len);
	int result;

	if (row->what == END) {
		lp_stream_fin(&stream, segment.seq);
		result = row->result;
	} else if (row->what == ACK) {
		result = lp_stream_acknowledged(&stream, &pool, segment.seq);
	} else {
		result = (int)lp_stream_offer(&stream, &pool, &segment);
		ck_assert_msg(wants == (result != NO), "%s, row %u: wants %d",
		    table->name, i, wants);
		read_all(reader, &segment, table->name);
	}
	ck_assert_msg(
	    result == row->result, "%s, row %u: %d", table->name, i, result);
	ck_assert_msg(stream.need - base == row->need, "%s, row %u: need %u",
	    table->name, i, stream.need - base);
	ck_assert_msg(lp_stream_skip_left(&stream) == row->skip,
	    "%s, row %u: skip %lu", table->name, i, stream.skip);
	ck_assert_msg(reader->read == row->read, "%s, row %u: %u read",
	    table->name, i, reader->read);
	/* With heads, that is what the next head decides. */
	if (table->head == 0)
		ck_assert_msg(stream.held_count == row->held,
		    "%s, row %u: %u held", table->name, i, stream.held_count);
}

START_TEST(a_table_of_segments_is_read_like_this)
{
	/* The same with numbers anywhere in their circle. */
	static const uint32_t bases[] = {
	    0, 1000, 0x7fffffc0, 0x80000000, 0xffffffa0, UINT32_MAX};
	const struct table *table = &tables[_i];

	for (unsigned b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
		struct reader reader = {.head = table->head,
		    .skip = table->skip,
		    .left = table->head};

		open_stream(bases[b], table->pieces);
		for (unsigned i = 0; i < 16 && table->rows[i].what; i++)
			run_row(&reader, table, i, bases[b]);
		lp_stream_close(&stream, &pool, LP_STREAM_OFF);
		stream_check(&stream, &pool, true);
		ck_assert_uint_eq(pool.free_count, pool.count);
	}
}
END_TEST

static enum lp_stream_offer
offer(uint32_t seq, const void *data, uint32_t len,
    struct lp_stream_segment *segment)
{
	*segment = (struct lp_stream_segment){data, seq, len};
	return lp_stream_offer(&stream, &pool, segment);
}

START_TEST(of_bytes_that_are_held_the_first_copy_counts)
{
	struct lp_stream_segment segment;
	struct lp_stream_chunk chunk;
	char text[32] = "";

	open_stream(0, 0);
	ck_assert_int_eq(offer(4, "EFGH", 4, &segment), HELD);
	ck_assert_int_eq(offer(2, "cdefghij", 8, &segment), HELD);
	ck_assert_int_eq(offer(0, "0123456789ab", 12, &segment), READ);
	while (lp_stream_read(&stream, &pool, &segment, &chunk)) {
		strncat(text, (const char *)chunk.bytes, chunk.len);
		lp_stream_advance(&stream, &pool, chunk.len, 0);
	}
	ck_assert_str_eq(text, "01cdEFGHijab");
}
END_TEST

START_TEST(a_stream_that_is_off_or_lost_wants_nothing)
{
	for (unsigned state = LP_STREAM_OFF; state <= LP_STREAM_LOST; state++) {
		struct lp_stream_segment segment;
		struct lp_stream_chunk chunk;

		open_stream(100, 0);
		if (state != LP_STREAM_LIVE)
			lp_stream_close(&stream, &pool, state);
		ck_assert(lp_stream_wants(&stream, 100, 4) ==
		    (state == LP_STREAM_LIVE));
		ck_assert_int_eq(offer(100, "read", 4, &segment),
		    state == LP_STREAM_LIVE ? READ : NO);
		ck_assert(lp_stream_read(&stream, &pool, &segment, &chunk) ==
		    (state == LP_STREAM_LIVE));
		ck_assert(lp_stream_acknowledged(&stream, &pool, 100));
	}
}
END_TEST

/* A skip that is longer than the sequence space passes in segments. */
START_TEST(a_skip_may_be_longer_than_all_sequence_numbers)
{
	static const uint64_t skips[] = {0x7fffffff, 0x80000000, 0xfffffff0,
	    0xffffffff, 0x100000000, 0x100000001, 0x280000007};
	uint64_t skip = skips[_i];
	struct lp_stream_segment segment;
	struct lp_stream_chunk chunk;
	uint32_t seq = 0xfffffff0;

	open_stream(seq, 0);
	ck_assert_int_eq(offer(seq, "size....", 8, &segment), READ);
	ck_assert(lp_stream_read(&stream, &pool, &segment, &chunk));
	lp_stream_advance(&stream, &pool, 4, skip);
	seq += 8;
	skip -= 4;
	while (skip > 0) {
		uint32_t len = skip > 0x3ffffffe ? 0x3ffffffe : (uint32_t)skip;

		ck_assert_uint_eq(lp_stream_skip_left(&stream), skip);
		/* The halves of it change places. */
		ck_assert_int_eq(
		    offer(seq + len / 2, NULL, len - len / 2, &segment), NO);
		ck_assert(!lp_stream_wants(&stream, seq, len / 2));
		ck_assert_int_eq(offer(seq, NULL, len / 2, &segment), NO);
		seq += len;
		skip -= len;
		ck_assert(lp_stream_acknowledged(&stream, &pool, seq));
	}
	ck_assert_uint_eq(lp_stream_skip_left(&stream), 0);
	ck_assert(!lp_stream_wants(&stream, seq - 1, 1));
	ck_assert_int_eq(offer(seq, "next", 4, &segment), READ);
	ck_assert(lp_stream_read(&stream, &pool, &segment, &chunk));
	ck_assert_mem_eq(chunk.bytes, "next", 4);
}
END_TEST

START_TEST(one_stream_holds_so_many_pieces_and_no_more)
{
	struct lp_stream_segment segment;

	open_stream(0, 0);
	for (unsigned i = 0; i < LP_STREAM_HELD_MAX; i++)
		ck_assert_int_eq(offer(10 + 20 * i, "x", 1, &segment), HELD);
	ck_assert_int_eq(offer(5, "x", 1, &segment), FULL);
	ck_assert_int_eq(offer(11, "x", 1, &segment), HELD);
	ck_assert_uint_eq(stream.held_count, LP_STREAM_HELD_MAX);
	ck_assert_uint_eq(pool.free_count, PIECES - LP_STREAM_HELD_MAX);
	stream_check(&stream, &pool, true);
}
END_TEST

/* As a new process finds it: the pool is only pieces. */
static bool
recover(void)
{
	bool right;

	memset(free_pieces, 0xee, sizeof(free_pieces));
	lp_held_pool_init(&pool, pieces, free_pieces, PIECES);
	lp_held_pool_scan(&pool);
	right = lp_stream_recover(&stream, &pool);
	lp_held_pool_settle(&pool);
	stream_check(&stream, &pool, true);
	return right;
}

START_TEST(what_is_held_is_found_again_by_the_next_process)
{
	struct lp_stream_segment segment;
	struct reader reader = {0};

	open_stream(0, 0);
	offer(10, &bytes[BEFORE + 10], 10, &segment);
	offer(30, &bytes[BEFORE + 30], P + 9, &segment);
	ck_assert(recover());
	ck_assert_uint_eq(pool.free_count, PIECES - 3);
	ck_assert_int_eq(offer(0, &bytes[BEFORE], 30, &segment), READ);
	read_all(&reader, &segment, "again");
	ck_assert_uint_eq(reader.read, 39 + P);
	ck_assert_uint_eq(pool.free_count, PIECES);
}
END_TEST

/* The undo slot has put the stream back, in the midst of a change. */
START_TEST(a_stream_that_is_put_back_has_its_pieces_still)
{
	static struct lp_undo undo;

	for (unsigned with = 0; with < 4; with++) {
		struct lp_stream_segment segment;
		struct lp_stream before;
		struct reader reader = {0};

		open_stream(0, 0);
		offer(20, &bytes[BEFORE + 20], 10, &segment);
		offer(40, &bytes[BEFORE + 40], 10, &segment);
		before = stream;
		pool.undo = &undo;
		if (with == 0)
			offer(10, &bytes[BEFORE + 10], 5, &segment);
		if (with == 1)
			offer(35, &bytes[BEFORE + 35], 30, &segment);
		if (with == 2)
			offer(50, &bytes[BEFORE + 50], 9, &segment);
		if (with == 3) {
			offer(0, &bytes[BEFORE], 35, &segment);
			read_all(&reader, &segment, "before");
			ck_assert_uint_eq(reader.read, 35);
			reader = (struct reader){0};
		}
		stream = before;
		pool.pending = 0;
		pool.undo = NULL;
		ck_assert(recover());
		ck_assert_int_eq(offer(0, &bytes[BEFORE], 70, &segment), READ);
		read_all(&reader, &segment, "after");
		ck_assert_uint_eq(reader.read, 70);
		ck_assert_uint_eq(pool.free_count, PIECES);
	}
}
END_TEST

START_TEST(a_stream_whose_pieces_are_nonsense_is_lost_and_holds_nothing)
{
	for (unsigned with = 0; with < 6; with++) {
		struct lp_stream_segment segment;
		struct lp_held *first;

		open_stream(0, 0);
		offer(20, &bytes[BEFORE + 20], 10, &segment);
		offer(40, &bytes[BEFORE + 40], 10, &segment);
		first = &pieces[stream.held - 1];
		switch (with) {
		case 0:
			first->next = stream.held;
			break;
		case 1:
			first->next = PIECES + 1;
			break;
		case 2:
			first->len = P + 1;
			break;
		case 3:
			first->len = 0;
			break;
		case 4:
			first->seq = 45;
			break;
		case 5:
			stream.held = UINT32_MAX;
			break;
		}
		ck_assert(!recover());
		ck_assert_int_eq(stream.state, LP_STREAM_LOST);
		ck_assert_uint_eq(pool.free_count, PIECES);
	}
}
END_TEST

START_TEST(two_streams_that_claim_the_same_piece_do_not_share_it)
{
	struct lp_stream_segment segment;
	struct lp_stream other;

	open_stream(0, 0);
	offer(20, &bytes[BEFORE + 20], 10, &segment);
	other = stream;
	lp_held_pool_scan(&pool);
	ck_assert(lp_stream_recover(&stream, &pool));
	ck_assert(!lp_stream_recover(&other, &pool));
	lp_held_pool_settle(&pool);
	ck_assert_uint_eq(pool.free_count, PIECES - 1);
	ck_assert_uint_eq(other.held, 0);
	stream_check(&stream, &pool, true);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stream");
	TCase *cases = tcase_create("stream");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(
	    cases, a_table_of_segments_is_read_like_this, 0, TABLES);
	tcase_add_test(cases, of_bytes_that_are_held_the_first_copy_counts);
	tcase_add_test(cases, a_stream_that_is_off_or_lost_wants_nothing);
	tcase_add_loop_test(
	    cases, a_skip_may_be_longer_than_all_sequence_numbers, 0, 7);
	tcase_add_test(cases, one_stream_holds_so_many_pieces_and_no_more);
	tcase_add_test(cases, what_is_held_is_found_again_by_the_next_process);
	tcase_add_test(cases, a_stream_that_is_put_back_has_its_pieces_still);
	tcase_add_test(cases,
	    a_stream_whose_pieces_are_nonsense_is_lost_and_holds_nothing);
	tcase_add_test(
	    cases, two_streams_that_claim_the_same_piece_do_not_share_it);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
