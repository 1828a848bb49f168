/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/await.h"

void
lp_await_start(struct lp_await *await, const struct lp_context *context)
{
	*await = (struct lp_await){.base = context->current.number};
	lp_await_look(await, context);
}

void
lp_await_look(struct lp_await *await, const struct lp_context *context)
{
	const struct lp_push *push = context->push;

	for (unsigned i = 0; i < lp_push_count(push); i++) {
		const struct lp_push_dataplane *dataplane =
		    lp_push_dataplane(push, i);

		if (!dataplane->connected)
			continue;
		await->awaited |= 1u << i;
		if (dataplane->rejected == await->base)
			await->refused |= 1u << i;
	}
}

struct lp_await_poll
lp_await_ask(const struct lp_await *await, const struct lp_context *context)
{
	const struct lp_generation *current = &context->current;
	struct lp_await_poll poll = {0};

	for (unsigned i = 0; i < lp_push_count(context->push); i++) {
		const struct lp_push_dataplane *dataplane =
		    lp_push_dataplane(context->push, i);

		if (!dataplane->connected) {
			/* One about to say HELLO is worth to wait for, too. */
			if (dataplane->expected || await->awaited & 1u << i)
				poll.late = dataplane;
			continue;
		}
		poll.connected++;
		if (dataplane->generation == current->number &&
		    dataplane->digest == current->digest) {
			poll.applied++;
		} else if (dataplane->state == LP_PUSH_REJECTED &&
		    dataplane->rejected == current->number) {
			poll.rejected++;
			poll.refuser = dataplane;
			/* It may have applied the base at a later attempt. */
			poll.refused_base = await->refused & 1u << i &&
			    dataplane->generation != await->base;
		} else {
			poll.late = dataplane;
		}
	}
	return poll;
}
