/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream, driven by bytes: offers, acknowledgements, and processes that
 * begin anew with what is in the region, even if it is nonsense.  The byte at
 * a sequence number is always the same, so that a reader knows what is right.
 */
#include <assert.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/random.h"
#include "tests/support/stream_check.h"

enum {
	PERIOD = 8192, /* of the bytes; divides the sequence space */
	LEN_MAX = UINT16_MAX,
	PIECES_MAX = 3 * LP_STREAM_HELD_MAX / 2,
	HEADER = 8, /* bytes of the input before its operations */
	OPERATION = 7, /* bytes of an operation */
};

enum operation {
	OFFER_NEAR, /* most, and those that are no other */
	ACKNOWLEDGE = 12,
	OFFER_ANYWHERE,
	OPEN_ANEW,
	RESTART,
	END,
	OPERATIONS,
};

struct fuzz {
	uint8_t bytes[PERIOD + LEN_MAX];
	uint8_t head; /* bytes of a head, less one */
	uint64_t skip; /* behind it */
	uint32_t left; /* of the head */
	uint32_t at; /* sequence number of the reader's next byte */
	struct lp_stream stream;
	struct lp_held_pool pool;
	struct lp_held pieces[PIECES_MAX];
	uint32_t free[PIECES_MAX];
};

static uint32_t
number(const uint8_t *data)
{
	return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 |
	    (uint32_t)data[2] << 8 | data[3];
}

static void
open_stream(struct fuzz *fuzz, uint32_t seq)
{
	lp_stream_close(&fuzz->stream, &fuzz->pool, LP_STREAM_OFF);
	lp_stream_open(&fuzz->stream, seq);
	fuzz->at = seq;
	fuzz->left = fuzz->head + 1u;
}

static void
read_all(struct fuzz *fuzz, const struct lp_stream_segment *segment)
{
	struct lp_stream *stream = &fuzz->stream;
	struct lp_stream_chunk chunk;

	while (lp_stream_read(stream, &fuzz->pool, segment, &chunk)) {
		uint32_t len = chunk.len;
		uint64_t skip = 0;

		assert(len > 0 && len <= LEN_MAX);
		assert(stream->need == fuzz->at);
		if (len >= fuzz->left) {
			len = fuzz->left;
			skip = fuzz->skip;
		}
		/* Not all that is there, which would be once a head. */
		assert(memcmp(chunk.bytes, &fuzz->bytes[fuzz->at % PERIOD],
			   len) == 0);
		fuzz->left -= len;
		if (fuzz->left == 0)
			fuzz->left = fuzz->head + 1u;
		fuzz->at += len + (uint32_t)skip;
		lp_stream_advance(stream, &fuzz->pool, len, skip);
		stream_check(stream, &fuzz->pool, false);
	}
}

static void
offer(struct fuzz *fuzz, uint32_t seq, uint16_t len)
{
	struct lp_stream_segment segment = {
	    .bytes = &fuzz->bytes[seq % PERIOD], .seq = seq, .len = len};
	bool wants = lp_stream_wants(&fuzz->stream, seq, len);
	enum lp_stream_offer result =
	    lp_stream_offer(&fuzz->stream, &fuzz->pool, &segment);

	assert(wants == (result != LP_STREAM_NOTHING));
	if (result == LP_STREAM_READ)
		read_all(fuzz, &segment);
}

/* The next process; a byte of what it finds may be another. */
static void
restart(struct fuzz *fuzz, const uint8_t *data)
{
	struct lp_held *piece = NULL;

	if (fuzz->stream.held != 0)
		piece = &fuzz->pieces[fuzz->stream.held - 1];
	if (piece != NULL && data[0] > 0)
		((uint8_t *)piece)[data[1] % 12] ^= data[0];
	lp_held_pool_init(&fuzz->pool, fuzz->pieces, fuzz->free, PIECES_MAX);
	lp_held_pool_scan(&fuzz->pool);
	lp_stream_recover(&fuzz->stream, &fuzz->pool);
	lp_held_pool_settle(&fuzz->pool);
	stream_check(&fuzz->stream, &fuzz->pool, false);
	/* A wrong piece that looks right has wrong bytes: nothing to check. */
	if (piece != NULL && data[0] > 0)
		open_stream(fuzz, fuzz->at);
}

static void
operate(struct fuzz *fuzz, const uint8_t *data)
{
	uint32_t near = fuzz->stream.need +
	    (uint32_t)(int16_t)((uint16_t)(data[1] << 8 | data[2]));

	switch (data[0] % OPERATIONS) {
	default:
		offer(fuzz, near, (uint16_t)(data[3] << 8 | data[4]));
		break;
	case ACKNOWLEDGE:
		lp_stream_acknowledged(&fuzz->stream, &fuzz->pool, near);
		break;
	case OFFER_ANYWHERE:
		offer(
		    fuzz, number(data + 1), (uint16_t)(data[5] << 8 | data[6]));
		break;
	case OPEN_ANEW:
		open_stream(fuzz, number(data + 1));
		break;
	case END:
		lp_stream_fin(&fuzz->stream, near);
		break;
	case RESTART:
		restart(fuzz, data + 1);
		break;
	}
	stream_check(&fuzz->stream, &fuzz->pool, true);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz fuzz;

	if (size < HEADER)
		return 0;
	if (fuzz.bytes[0] == fuzz.bytes[1])
		for (unsigned i = 0; i < sizeof(fuzz.bytes); i++)
			fuzz.bytes[i] = random_byte(2, i % PERIOD);
	memset(&fuzz.stream, 0, sizeof(fuzz.stream));
	lp_held_pool_init(
	    &fuzz.pool, fuzz.pieces, fuzz.free, data[0] % (PIECES_MAX + 1));
	fuzz.head = data[1];
	fuzz.skip = (uint64_t)data[2] << (data[3] % 40);
	open_stream(&fuzz, number(data + 4));
	for (data += HEADER, size -= HEADER; size >= OPERATION;
	     data += OPERATION, size -= OPERATION)
		operate(&fuzz, data);
	return 0;
}

/* Segments forth and back behind a head, short skips and long ones. */
size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	static const uint8_t operations[][OPERATION] = {
	    {OFFER_NEAR, 0, 0, 0, 2}, /* 2 bytes at need */
	    {OFFER_NEAR, 0, 10, 0, 20},
	    {OFFER_NEAR, 0, 40, 5, 200}, /* 1,480 bytes */
	    {OFFER_NEAR, 0, 5, 0, 60}, {ACKNOWLEDGE, 0, 0}, {RESTART, 0, 0},
	    {OFFER_NEAR, 0, 0, 0, 7},
	    {OFFER_NEAR, 0xff, 0xf0, 0, 32}, /* from 16 before need */
	    {OFFER_NEAR, 0x10, 0, 0, 1},
	    {OFFER_NEAR, 0x08, 0, 0x30, 0}, /* 12,288 bytes */
	    {RESTART, 0, 0}, {OFFER_NEAR, 0, 0, 0x20, 0}, {ACKNOWLEDGE, 0, 1},
	    {OPEN_ANEW, 0xff, 0xff, 0xff, 0xfe},
	    {OFFER_ANYWHERE, 0, 0, 0, 4, 1, 0},
	    {RESTART, 1, 9}, /* another length */
	};
	static const uint8_t headers[][HEADER] = {
	    {PIECES_MAX, 3, 0, 0, 0, 0, 0, 0},
	    {PIECES_MAX, 3, 100, 0, 0xff, 0xff, 0xff, 0xf0},
	    {2, 7, 1, 39, 0x7f, 0xff, 0xff, 0xff},
	};

	if (index >= sizeof(headers) / sizeof(headers[0]) ||
	    max < HEADER + sizeof(operations))
		return 0;
	memcpy(data, headers[index], HEADER);
	memcpy(data + HEADER, operations, sizeof(operations));
	return HEADER + sizeof(operations);
}
