/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/talk_pen.h"

#include "tests/support/random.h"
#include "tests/support/talk_write.h"

enum {
	/* Of error codes: 17 is what brokers say of names that are none. */
	ERROR_MAX = 16,
	THROTTLE_MAX = 1000,
};

void
talk_pen_error(struct talk_pen *pen)
{
	uint64_t *random = &pen->talk->random;
	int16_t error = 0;

	if (random_percent(random, 10))
		error = (int16_t)random_between(random, 1, ERROR_MAX);
	pen->counts->errors += error != 0;
	talk_write_i16(pen->to, error);
}

void
talk_pen_throttle(struct talk_pen *pen)
{
	uint64_t *random = &pen->talk->random;
	int32_t ms = random_percent(random, 10)
	    ? (int32_t)random_between(random, 1, THROTTLE_MAX)
	    : 0;

	pen->counts->throttled += ms != 0;
	talk_write_i32(pen->to, ms);
}

struct talk_choice
talk_pen_choose(struct talk_pen *pen, unsigned least)
{
	uint64_t *random = &pen->talk->random;
	unsigned first = random_between(random, 0, TALK_TOPICS - 1);

	return (struct talk_choice){.first = first,
	    .count = random_between(random, least, TALK_TOPICS)};
}

struct talk_topic *
talk_pen_chosen(struct talk_pen *pen, struct talk_choice choice, unsigned i)
{
	return &pen->talk->account.topic[(choice.first + i) % TALK_TOPICS];
}
