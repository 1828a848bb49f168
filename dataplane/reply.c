/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/reply.h"

#include <errno.h>
#include <stdlib.h>

static char *const capabilities[] = {"mode.vip", LP_CAPABILITY_INLINE,
    "source.translate", "source.preserve", "trace", "capture",
    LP_CAPABILITY_KAFKA_STATS, LP_CAPABILITY_REWRITE, LP_CAPABILITY_TOPIC_IDS,
    LP_CAPABILITY_DISCOVERY, LP_CAPABILITY_RULES, LP_CAPABILITY_RULE_STATS,
    LP_CAPABILITY_DENIALS};

enum { BEATS_OF_CHECK = 60 };

static unsigned built_in_backends(char *names[LP_BACKEND_MEMORY]);

int
lp_reply_hello(struct evbuffer *out, const struct lp_dataplane *dataplane)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Hello hello = LP__PB__HELLO__INIT;
	const struct lp_running *running = &dataplane->running;
	const struct lp_alone *alone = &dataplane->alone;
	char *backends[LP_BACKEND_MEMORY];
	char on_loss[LP_ALONE_TEXT_SIZE];

	hello.id = (char *)dataplane->options->id;
	hello.boot_id = dataplane->region.header->boot_id;
	hello.protocol_min = LP_DATAPLANE_PROTOCOL_MIN;
	hello.protocol_max = LP_DATAPLANE_PROTOCOL_MAX;
	hello.n_backends = built_in_backends(backends);
	hello.backends = backends;
	hello.n_capabilities = sizeof(capabilities) / sizeof(capabilities[0]);
	hello.capabilities = (char **)capabilities;
	hello.epoch = running->epoch_seen;
	hello.generation = running->generation;
	hello.digest = running->digest;
	hello.version = LP_VERSION;
	hello.has_since_ns = dataplane->since_ns != 0;
	hello.since_ns = dataplane->since_ns;
	hello.on_loss =
	    (char *)lp_alone_mode(on_loss, dataplane->options->alone_limit_s);
	hello.has_alone_ns = alone->alone;
	hello.alone_ns = alone->since_real_ns;
	hello.has_closed_ns = alone->closed;
	hello.closed_ns = alone->closed_real_ns;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_HELLO;
	message.hello = &hello;
	return lp_reply_send(out, &message);
}

int
lp_reply_applied(struct evbuffer *out, const struct lp_running *running,
    const struct lp_applied *applied)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Applied body = LP__PB__APPLIED__INIT;

	body.generation = running->generation;
	body.digest = running->digest;
	body.has_build_ns = true;
	body.build_ns = applied->build_ns;
	body.has_swap_ns = true;
	body.swap_ns = applied->swap_ns;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_APPLIED;
	message.applied = &body;
	return lp_reply_send(out, &message);
}

int
lp_reply_rejected(
    struct evbuffer *out, const struct lp_refusal *refusal, uint64_t epoch_seen)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Rejected body = LP__PB__REJECTED__INIT;
	Lp__Pb__Rejected__Problem problem = LP__PB__REJECTED__PROBLEM__INIT;
	Lp__Pb__Rejected__Problem *problems[] = {&problem};

	problem.has_object_id = refusal->object_id != 0;
	problem.object_id = refusal->object_id;
	if (refusal->object[0] != '\0')
		problem.object = (char *)refusal->object;
	if (refusal->field[0] != '\0')
		problem.field = (char *)refusal->field;
	problem.text = (char *)refusal->why;
	body.generation = refusal->generation;
	body.code = refusal->code;
	body.n_problems = 1;
	body.problems = problems;
	if (refusal->code == LP__PB__REJECTED__CODE__FENCED) {
		body.has_epoch = true;
		body.epoch = epoch_seen;
	}
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_REJECTED;
	message.rejected = &body;
	return lp_reply_send(out, &message);
}

int
lp_reply_beat(struct evbuffer *out, struct lp_running *running)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Beat beat = LP__PB__BEAT__INIT;

	beat.generation = running->generation;
	beat.digest = running->digest;
	if (running->generation && running->beats++ % BEATS_OF_CHECK == 0)
		beat.digest = lp_config_digest(&running->config);
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_BEAT;
	message.beat = &beat;
	return lp_reply_send(out, &message);
}

int
lp_reply_send(struct evbuffer *out, const Lp__Pb__DataplaneMessage *message)
{
	uint8_t *frame;
	size_t len;
	int error = lp_message_frame(&frame, &len, &message->base);

	if (error)
		return error;
	error = evbuffer_add(out, frame, len) == 0 ? 0 : -ENOMEM;
	free(frame);
	return error;
}

static unsigned
built_in_backends(char *names[LP_BACKEND_MEMORY])
{
	unsigned count = 0;

	for (unsigned i = 1; i <= LP_BACKEND_MEMORY; i++)
		if (lp_port_backend(i))
			names[count++] = (char *)lp_backend_name(i);
	return count;
}
