/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layouts of Kafka's messages, as bytecode for the walker.  tables.c is
 * generated from Kafka's own definitions (generate.py); program.py compiles.
 *
 * A body is a list of operations up to LP_OP_END: the fields of one version of
 * a message behind its correlation id, or of one element of an array.  Where
 * it begins in the code is its number; the same bodies are there once.  Two
 * bytes of an operand stand with the lower one first.  `kind` is an enum
 * lp_fact_kind; 0: nobody asks.
 *
 * Sources: https://kafka.apache.org/protocol; KIP-482 (compact lengths, tagged
 * fields); KIP-893 (structs that may be null).
 */
#ifndef LP_KAFKA_TABLES_H
#define LP_KAFKA_TABLES_H

#include <stdint.h>

#include "dataplane/kafka/walk.h"

enum lp_op {
	LP_OP_END = 0,
	LP_OP_SKIP, /* count: fixed bytes */
	LP_OP_NUMBER1, /* kind, count of fixed bytes behind that are skipped */
	LP_OP_NUMBER2,
	LP_OP_NUMBER2U, /* without a sign */
	LP_OP_NUMBER4,
	LP_OP_NUMBER8,
	LP_OP_UUID, /* kind: 16 bytes, told as a text */
	LP_OP_STRING, /* kind: int16 length, -1: null */
	LP_OP_COMPACT, /* kind: varint length + 1, 0: null; string or bytes */
	LP_OP_BYTES, /* kind: int32 length, -1: null */
	LP_OP_RECORDS, /* kind: as bytes, but only the length is told */
	LP_OP_COMPACT_RECORDS,
	/*
	 * kind told if null, body (2): int32 count, -1: null.  ENDPOINTS are
	 * told in any case, with the count.
	 */
	LP_OP_ARRAY,
	LP_OP_COMPACT_ARRAY, /* the same: varint count + 1, 0: null */
	LP_OP_NULLABLE, /* the same: int8, negative: null; else one struct */
	LP_OP_FIXED_ARRAY, /* size of an element: int32 count */
	LP_OP_COMPACT_FIXED_ARRAY,
	/* count, and for each of those known with facts in it: tag, body (2) */
	LP_OP_TAGS,
	LP_OP_TAGS_END, /* as LP_OP_TAGS, 0 and LP_OP_END */
	LP_OP_MARK, /* kind: a fact without bytes */
	/*
	 * As LP_OP_NUMBER2, and a body (2): if the number is
	 * UNSUPPORTED_VERSION, the rest is of version 0 (KIP-511).
	 */
	LP_OP_ERROR_OR_OLD,
	LP_OP_STRING_LENGTH, /* kind: as a string, only its length is told */
	LP_OP_PEEK, /* kind: the next byte is told, and not passed */
};

/* An API; keys that nobody has have no name. */
struct lp_tables_key {
	const char *name;
	uint16_t bodies; /* first of lp_tables_bodies: request, response, ... */
	int16_t first; /* version */
	int16_t last;
	int16_t flexible; /* from which version on; -1: never */
	/* Up to which version addresses are where they can be replaced. */
	int16_t offered;
	uint8_t client; /* 1: offered to clients; 0: between brokers only */
	uint8_t addresses; /* 1: its answers name brokers to be reached */
};

extern const uint8_t lp_tables_code[];
/* Of each key and version the body of the request and of the response. */
extern const uint16_t lp_tables_bodies[];
extern const struct lp_tables_key lp_tables_keys[];
extern const uint16_t lp_tables_key_count;
/* Names of enum lp_fact_kind, in small letters. */
extern const char *const lp_tables_facts[];
/* Names of error codes from that one on; some are NULL. */
extern const int16_t lp_tables_error_first;
extern const char *const lp_tables_errors[];
extern const uint16_t lp_tables_error_count;
/* Of code, bodies and facts: another one in tables of another layout. */
extern const uint32_t lp_tables_digest;
/* Bytes of code, bodies and keys. */
extern const uint32_t lp_tables_size;

#endif
