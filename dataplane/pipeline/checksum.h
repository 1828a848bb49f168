/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * Sums are kept as 32 bits of one's complement arithmetic in host order of
 * big-endian words, folded at the end.  An update is a difference: add the
 * complement of what was there and what is there now, fold once.
 */
#ifndef LP_PIPELINE_CHECKSUM_H
#define LP_PIPELINE_CHECKSUM_H

#include <stddef.h>

#include "dataplane/pipeline/wire.h"

/* Adds data to a sum; an odd last byte counts as if followed by zero. */
static inline uint32_t
lp_sum_add(uint32_t sum, const uint8_t *data, size_t len)
{
	uint64_t wide = sum;
	size_t i;

	for (i = 0; i + 4 <= len; i += 4)
		wide += lp_get32(data + i);
	if (i + 2 <= len) {
		wide += lp_get16(data + i);
		i += 2;
	}
	if (i < len)
		wide += (uint32_t)data[i] << 8;
	while (wide >> 32)
		wide = (wide & UINT32_MAX) + (wide >> 32);
	/* Leave room for more additions of 16 bits. */
	return (uint32_t)((wide & 0xffff) + (wide >> 16));
}

static inline uint16_t
lp_sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The difference that replacing `was` by `is` makes to a sum; even lengths. */
static inline uint32_t
lp_sum_replace(uint32_t diff, const uint8_t *was, const uint8_t *is, size_t len)
{
	uint16_t gone = lp_sum_fold(lp_sum_add(0, was, len));
	uint16_t come = lp_sum_fold(lp_sum_add(0, is, len));

	return diff + (uint16_t)~gone + come;
}

static inline uint32_t
lp_sum_replace16(uint32_t diff, uint16_t was, uint16_t is)
{
	return diff + (uint16_t)~was + is;
}

/* RFC 1624, eqn. 3: HC' = ~(~HC + diff), in place. */
static inline void
lp_sum_update(uint8_t *field, uint32_t diff)
{
	uint32_t sum = (uint16_t)~lp_get16(field);

	/* Fold the difference first: it may be near the top of 32 bits. */
	sum += lp_sum_fold(diff);
	lp_put16(field, (uint16_t)~lp_sum_fold(sum));
}

/* The pseudo header of TCP or ICMPv6: addresses, length, protocol. */
static inline uint32_t
lp_sum_pseudo(const uint8_t *src, const uint8_t *dst, size_t address_len,
    uint8_t proto, uint32_t len)
{
	uint32_t sum = lp_sum_add(0, src, address_len);

	sum = lp_sum_add(sum, dst, address_len);
	return sum + (len >> 16) + (len & 0xffff) + proto;
}

#endif
