/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * A sum is one's complement arithmetic over the words as they lie in memory:
 * it does not matter which of a word's bytes comes first as long as all agree
 * (RFC 1071, 2 (B)), so that no word is swapped.  Only what goes in and comes
 * out as a number is in host order.  It is 64 bits wide, which no packet
 * overflows, and folded once, at the end.  An update is a difference: add the
 * complement of what was there and what is there now.
 */
#ifndef LP_PIPELINE_CHECKSUM_H
#define LP_PIPELINE_CHECKSUM_H

#include <stddef.h>

#include "dataplane/pipeline/wire.h"

static inline uint32_t
lp_sum_load32(const uint8_t *data)
{
	uint32_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

static inline uint16_t
lp_sum_load16(const uint8_t *data)
{
	uint16_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

/* Adds data to a sum; an odd last byte counts as if followed by zero. */
static inline uint64_t
lp_sum_add(uint64_t sum, const uint8_t *data, size_t len)
{
	for (; len >= 4; len -= 4, data += 4)
		sum += lp_sum_load32(data);
	if (len >= 2) {
		sum += lp_sum_load16(data);
		data += 2;
	}
	if (len & 1)
		sum += htobe16((uint16_t)(*data << 8));
	return sum;
}

/* Of an IPv4 header; without options, as nearly all are, without a loop. */
static inline uint64_t
lp_sum_header(const uint8_t *ip, size_t len)
{
	uint64_t sum = lp_sum_load32(ip);

	sum += lp_sum_load32(ip + 4);
	sum += lp_sum_load32(ip + 8);
	sum += lp_sum_load32(ip + 12);
	sum += lp_sum_load32(ip + 16);
	if (len == LP_IP4_LEN)
		return sum;
	return lp_sum_add(sum, ip + LP_IP4_LEN, len - LP_IP4_LEN);
}

/* Folded to a word, as it lies in memory. */
static inline uint16_t
lp_sum_word(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Folded to a number in host order. */
static inline uint16_t
lp_sum_fold(uint64_t sum)
{
	return be16toh(lp_sum_word(sum));
}

/*
 * The difference that replacing `was` by `is` makes to a sum; multiples of 2.
 */
static inline uint64_t
lp_sum_replace(uint64_t diff, const uint8_t *was, const uint8_t *is, size_t len)
{
	for (; len >= 4; len -= 4, was += 4, is += 4)
		diff += (uint64_t)~lp_sum_load32(was) + lp_sum_load32(is);
	if (len >= 2)
		diff += (uint16_t)~lp_sum_load16(was) + lp_sum_load16(is);
	return diff;
}

/* The same of a word that is a number in host order. */
static inline uint64_t
lp_sum_replace16(uint64_t diff, uint16_t was, uint16_t is)
{
	return diff + (uint16_t)~htobe16(was) + htobe16(is);
}

/* RFC 1624, eqn. 3: HC' = ~(~HC + diff), in place. */
static inline void
lp_sum_update(uint8_t *field, uint64_t diff)
{
	uint16_t word;

	word = (uint16_t)~lp_sum_word(diff + (uint16_t)~lp_sum_load16(field));
	memcpy(field, &word, sizeof(word));
}

/* The pseudo header of TCP or ICMPv6: addresses, length, protocol. */
static inline uint64_t
lp_sum_pseudo(const uint8_t *src, const uint8_t *dst, size_t address_len,
    uint8_t proto, uint32_t len)
{
	uint64_t sum = lp_sum_add(0, src, address_len);

	sum = lp_sum_add(sum, dst, address_len);
	return sum + htobe16((uint16_t)(len >> 16)) + htobe16((uint16_t)len) +
	    htobe16(proto);
}

#endif
