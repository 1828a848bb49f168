/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation as the application of a simulation. */
#include "tests/support/random.h"
#include "tests/support/talk.h"

/* Responses that the client has read whole. */
static void
hear(struct talk *talk, struct sim *sim)
{
	size_t len;

	sim_read(sim, SIM_CLIENT, &len);
	for (; talk->heard < talk->asked; talk->heard++) {
		const struct talk_message *message =
		    &talk->messages[talk->heard];

		if (message->answered &&
		    message->response_at + message->response_len > len)
			return;
	}
}

static void
ask(struct talk *talk, struct sim *sim)
{
	while (talk->asked < talk->count &&
	    talk->asked < talk->heard + talk->pipeline) {
		const struct talk_message *message =
		    &talk->messages[talk->asked++];

		sim_write(sim, SIM_CLIENT,
		    talk->bytes[SIM_CLIENT].bytes + message->request_at,
		    message->request_len);
		/* What is not answered is heard at once. */
		hear(talk, sim);
	}
}

/* In order; each takes its time, from when the request was read. */
static void
answer(struct talk *talk, struct sim *sim)
{
	size_t len;

	sim_read(sim, SIM_BROKER, &len);
	while (talk->answered < talk->count) {
		const struct talk_message *message =
		    &talk->messages[talk->answered];

		if (message->request_at + message->request_len > len)
			return;
		if (talk->due_ns == 0)
			talk->due_ns = sim->now_ns +
			    random_next(&talk->random) % (talk->answer_ns + 1);
		if (sim->now_ns < talk->due_ns) {
			sim_wake(sim, talk->due_ns - sim->now_ns);
			return;
		}
		if (message->answered)
			sim_write(sim, SIM_BROKER,
			    talk->bytes[SIM_BROKER].bytes +
				message->response_at,
			    message->response_len);
		talk->answered++;
		talk->due_ns = 0;
	}
}

void
talk_run(void *context, struct sim *sim)
{
	struct talk *talk = context;

	answer(talk, sim);
	hear(talk, sim);
	ask(talk, sim);
	/* The client closes when it has heard all; the broker then. */
	if (talk->heard == talk->count)
		sim_shut(sim, SIM_CLIENT);
	if (talk->answered == talk->count && sim_at_end(sim, SIM_BROKER))
		sim_shut(sim, SIM_BROKER);
}
