/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of an answer clients must not see, or take us up on, overlaid at equal
 * length: hints where a leader went, versions that our tables lack, addresses
 * in values of configurations.
 *
 *	lp_disguise_begin(&disguise, size, LP_DISGUISE_PRODUCE_ALL);
 *	if (lp_disguise_fact(&disguise, &fact, &overlay))	each fact
 *		put(overlay);
 *
 * An overlay begins with the last byte of what was told, or behind it: so
 * nothing has to be held back, wherever a segment ends.  They come in the
 * order of the bytes, and none lies on another.  Facts are of the old bytes.
 *
 * Pure: no time, no packet, no memory of its own.
 */
#ifndef LP_KAFKA_DISGUISE_H
#define LP_KAFKA_DISGUISE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/kafka/fact.h"

enum {
	LP_OVERLAY_BYTES = 24,
	LP_DISGUISE_PRODUCE_ALL = INT16_MAX,
};

/* `len` bytes from `at` on, counted from the frame's size. */
struct lp_overlay {
	uint32_t at;
	uint32_t len;
	uint8_t over_len; /* so many are given, the others are `fill` */
	uint8_t fill;
	uint8_t over[LP_OVERLAY_BYTES];
};

/* Where an answer is; without pointers: it may lie in the region. */
struct lp_disguise {
	uint32_t end; /* of the frame, counted from its size */
	int16_t produce_last; /* version to offer at most */
	int16_t api_key; /* whose range is being told */
	int16_t api_last; /* version to offer; INT16_MAX: as it is */
	uint8_t unknown; /* keys so far that the tables lack */
	bool is_secret; /* the value of a configuration that comes next */
	bool is_capped; /* Produce, below what transaction.version 2 needs */
	bool is_transaction; /* that feature is being told */
	/*
	 * A version above 255, whose first byte may have gone: its range
	 * could not be clamped.  Nobody has any.
	 */
	bool failed;
	uint8_t spare;
};
_Static_assert(sizeof(struct lp_disguise) == 16, "small");

/*
 * An answer of whatever API, with the frame's size field.  produce_last: the
 * last version of Produce to offer, if the tables do not end before.
 */
void lp_disguise_begin(
    struct lp_disguise *disguise, uint32_t size, int16_t produce_last);

/* Every fact of it, in order.  False: nothing is to be changed. */
bool lp_disguise_fact(struct lp_disguise *disguise, const struct lp_fact *fact,
    struct lp_overlay *overlay);

/*
 * Of a request, as soon as its first 8 bytes are there.  One for versions in a
 * version that the tables lack becomes one that no broker knows: the answer is
 * UNSUPPORTED_VERSION in version 0 (KIP-511), and the client asks again.
 */
bool lp_disguise_request(
    int16_t key, int16_t version, struct lp_overlay *overlay);

#endif
