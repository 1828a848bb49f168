/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame through the walker, in pieces, and its facts as one line of text:
 *
 *	client_id@14=6331 topic_begin@20 topic_name@22=null partition@30=7
 *
 * after the @ where it is; texts in hexadecimal, with ":LEN" behind where
 * their whole length is more than was told.  At the end " bad" or " more" if
 * the walk did not come to the end of the frame.
 */
#ifndef LP_TESTS_SUPPORT_FACTS_H
#define LP_TESTS_SUPPORT_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/kafka/walk.h"

struct facts {
	char *text; /* NULL before the first walk */
	size_t len;
	size_t size;
	uint32_t count; /* of facts */
};

/* The whole frame, its size included. */
struct facts_frame {
	int16_t key;
	int16_t version;
	bool response;
	const uint8_t *bytes;
	uint32_t len; /* may be less than the frame says it is */
};

/*
 * Walks, with a border before each of `cuts` (ascending, counted from the
 * frame's first byte); with `skip`, bytes of no interest are not shown.
 * Every piece lies alone in memory, so that a sanitizer sees what is read.
 */
enum lp_walk_result facts_walk(struct facts *facts,
    const struct facts_frame *frame, const uint32_t cuts[], unsigned count,
    bool skip);

void facts_free(struct facts *facts);

#endif
