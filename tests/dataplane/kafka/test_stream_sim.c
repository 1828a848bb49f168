/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams that see what passes a plane between simulated peers, as Kafka's
 * stage will: conversations, of which a reader wants the heads of the frames,
 * or every byte.  It must read them all, in order, and nothing is ever lost to
 * it unless its pieces ran out.  No segment is outside the window.
 * LP_TEST_SEED=N runs one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/stream.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"
#include "tests/support/stream_check.h"
#include "tests/support/talk.h"

enum {
	SEEDS = 2000,
	BYTES_MAX = 60000,
	CONNECTIONS = LP_CONNECTIONS_MIN,
	PIECES = 2 * LP_STREAM_HELD_MAX,
	HEAD = 12, /* bytes that a reader of heads wants of a frame */
};

struct reader {
	struct lp_stream stream;
	const struct sim_bytes *bytes; /* what should come */
	uint64_t at; /* position of the next byte that it wants */
	uint8_t head[HEAD];
	uint32_t head_len;
	unsigned frames;
};

struct eyes {
	struct reader reader[2]; /* by enum sim_who: who writes it */
	bool heads; /* only those */
	bool full; /* there was no piece */
	struct lp_held_pool pool;
	struct lp_held pieces[PIECES];
	uint32_t free[PIECES];
};

struct sum {
	uint64_t frames, bytes, held, full, lost;
};
static struct sum sum;

static uint32_t
size_of(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	    (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Takes what it wants of a chunk; returns what lies behind that to skip. */
static uint32_t
take(struct eyes *eyes, struct reader *reader, const uint8_t *bytes,
    uint32_t *len)
{
	uint32_t skip;

	if (!eyes->heads)
		return 0;
	if (*len > HEAD - reader->head_len)
		*len = HEAD - reader->head_len;
	memcpy(reader->head + reader->head_len, bytes, *len);
	reader->head_len += *len;
	if (reader->head_len < HEAD)
		return 0;
	skip = size_of(reader->head) + 4 - HEAD;
	reader->head_len = 0;
	reader->frames++;
	return skip;
}

static void
look(struct eyes *eyes, struct reader *reader,
    const struct lp_stream_segment *segment)
{
	struct lp_stream_chunk chunk;

	while (lp_stream_read(&reader->stream, &eyes->pool, segment, &chunk)) {
		uint32_t len = chunk.len, skip;

		ensure(reader->at + len <= reader->bytes->len &&
			memcmp(chunk.bytes, reader->bytes->bytes + reader->at,
			    len) == 0,
		    "other bytes at %lu", reader->at);
		skip = take(eyes, reader, chunk.bytes, &len);
		reader->at += len + skip;
		lp_stream_advance(&reader->stream, &eyes->pool, len, skip);
		sum.bytes += len;
		sum.held += chunk.was_held;
	}
}

/*
 * Peers that keep to the windows send nothing that the plane finds outside of
 * them; and what it knows of a connection is what it has forwarded.
 */
static void
check_window(enum sim_who to, const struct sim_segment *segment)
{
	const struct lp_conn *conn = plane_connection(0);
	uint32_t end = segment->seq + segment->len;

	if (conn == NULL || segment->len == 0)
		return;
	ensure(
	    (int32_t)(conn->tcp
			  .peer[to == SIM_BROKER ? LP_TO_BROKER : LP_TO_CLIENT]
			  .end -
		end) >= 0,
	    "forwarded up to %u, and the plane does not know it", end);
}

static void
see(void *context, enum sim_who to, const struct sim_segment *segment,
    bool right)
{
	struct eyes *eyes = context;
	struct reader *reader = &eyes->reader[!to];
	struct lp_stream_segment payload = {
	    .bytes = segment->bytes, .seq = segment->seq, .len = segment->len};

	check_window(to, segment);
	if (!right)
		return;
	if ((segment->flags & SIM_SYN) && reader->stream.state == LP_STREAM_OFF)
		lp_stream_open(&reader->stream, segment->seq + 1);
	switch (lp_stream_offer(&reader->stream, &eyes->pool, &payload)) {
	case LP_STREAM_READ:
		look(eyes, reader, &payload);
		break;
	case LP_STREAM_FULL:
		eyes->full = true;
		break;
	case LP_STREAM_HELD:
	case LP_STREAM_NOTHING:
		break;
	}
	if (segment->flags & SIM_FIN)
		lp_stream_fin(&reader->stream, segment->seq + segment->len);
	if ((segment->flags & SIM_ACK) &&
	    !lp_stream_acknowledged(
		&eyes->reader[to].stream, &eyes->pool, segment->ack)) {
		ensure(eyes->full, "lost, and nothing was");
		sum.lost++;
	}
}

/* Nothing but what it could not hold has escaped it. */
static void
check(struct eyes *eyes, const struct talk *talk)
{
	for (unsigned who = 0; who < 2; who++) {
		struct reader *reader = &eyes->reader[who];
		unsigned frames = 0;

		for (unsigned i = 0; i < talk->count; i++)
			frames +=
			    who == SIM_CLIENT || talk->messages[i].answered;
		if (reader->stream.state == LP_STREAM_LIVE) {
			ensure(reader->at == reader->bytes->len,
			    "read %lu of %zu bytes", reader->at,
			    reader->bytes->len);
			ensure(!eyes->heads || reader->frames == frames,
			    "%u of %u frames", reader->frames, frames);
			ensure(lp_stream_skip_left(&reader->stream) == 0,
			    "a skip has not passed");
		} else {
			ensure(eyes->full, "not live at the end");
		}
		lp_stream_close(&reader->stream, &eyes->pool, LP_STREAM_OFF);
		sum.frames += reader->frames;
	}
	sum.full += eyes->full;
	ensure(eyes->pool.free_count == eyes->pool.count,
	    "pieces are missing at the end");
}

static void
run(uint64_t seed)
{
	static struct sim sim;
	static struct talk talk;
	static struct eyes eyes;
	size_t most[2];

	plane_reset();
	sim_open(&sim, seed);
	for (unsigned who = 0; who < 2; who++) {
		most[who] = sim_appetite(&sim, who);
		if (most[who] > BYTES_MAX)
			most[who] = BYTES_MAX;
	}
	talk_open(&talk, seed, most[SIM_CLIENT], most[SIM_BROKER]);
	memset(&eyes.reader, 0, sizeof(eyes.reader));
	eyes.full = false;
	eyes.heads = random_percent(&sim.random, 70);
	lp_held_pool_init(&eyes.pool, eyes.pieces, eyes.free,
	    random_percent(&sim.random, 80)
		? PIECES
		: random_between(&sim.random, 0, 3));
	for (unsigned who = 0; who < 2; who++)
		eyes.reader[who].bytes = &talk.bytes[who];
	sim.tap = see;
	sim.tap_context = &eyes;
	sim_run(&sim, talk_run, &talk);
	check(&eyes, &talk);
	sim_close(&sim);
	talk_free(&talk);
}

int
main(void)
{
	unsigned seeds = random_seeds(SEEDS);
	uint64_t seed;

	plane_open(CONNECTIONS);
	plane_run();
	if (random_seed_given(&seed)) {
		run(seed);
	} else {
		for (seed = 1; seed <= seeds; seed++)
			run(seed);
		printf("%u seeds: %lu heads of frames, %lu bytes read, %lu "
		       "pieces; %lu without a piece, %lu streams lost\n",
		    seeds, sum.frames, sum.bytes, sum.held, sum.full, sum.lost);
		ensure(sum.held > 0 && sum.full > 0 && sum.lost > 0,
		    "that is too easy");
	}
	plane_forget();
	plane_close();
	return EXIT_SUCCESS;
}
