/* SPDX-License-Identifier: Apache-2.0 */
/* How a message of a conversation (talk.h) is written, and accounted for. */
#ifndef LP_TESTS_SUPPORT_TALK_PEN_H
#define LP_TESTS_SUPPORT_TALK_PEN_H

#include "tests/support/talk.h"

/* Where a message of that API writes, and what it may spend on records. */
struct talk_pen {
	struct talk *talk;
	struct talk_message *message;
	struct sim_bytes *to;
	struct talk_counts *counts; /* of the API */
	bool response;
	bool flexible;
	uint32_t budget; /* bytes of records that are left */
};

/* One of few codes, or none; a time to wait, or none. */
void talk_pen_error(struct talk_pen *pen);
void talk_pen_throttle(struct talk_pen *pen);

/* Distinct topics of a message: the first one and those that follow it. */
struct talk_choice {
	unsigned first, count;
};

struct talk_choice talk_pen_choose(struct talk_pen *pen, unsigned least);
struct talk_topic *talk_pen_chosen(
    struct talk_pen *pen, struct talk_choice choice, unsigned i);

#endif
