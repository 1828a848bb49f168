/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations of clients with brokers, to start from: captured ones (see
 * tests/support/kafka/corpus.py for the files), and some by tests/support/talk.
 */
#ifndef LP_TESTS_FUZZ_CONVERSATION_H
#define LP_TESTS_FUZZ_CONVERSATION_H

#include <stddef.h>
#include <stdint.h>

enum { CONVERSATION_MAX = 1 << 15 };

/* As a file has it: direction, length in two bytes, payload; and so on. */
struct conversation {
	size_t len;
	uint8_t bytes[CONVERSATION_MAX];
};

/* All that there are are read by the first call. */
unsigned conversation_count(void);
const struct conversation *conversation_get(unsigned index);

#endif
