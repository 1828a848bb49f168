/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of messages in conversations about addresses. */
#ifndef LP_TESTS_SUPPORT_ADDRESS_ANSWER_H
#define LP_TESTS_SUPPORT_ADDRESS_ANSWER_H

#include "tests/support/address_talk.h"

/* Where a body is written, and as what. */
struct address_pen {
	struct sim_bytes *to;
	uint64_t random; /* the same gives the same bytes */
	const struct address_message *message;
	/* NULL: as the broker says it. */
	bool (*tell)(const struct address_node *node, struct address_node *as);
	bool flexible;
	bool tells_hints, long_hosts;
	uint64_t nodes, changed; /* written, and told as something else */
	uint64_t hinted, hidden;
};

/* Flexible messages have other headers, too. */
bool address_answer_flexible(enum address_api api, int16_t version);

/* The body of a response, behind its header. */
void address_answer_put(struct address_pen *pen);

#endif
