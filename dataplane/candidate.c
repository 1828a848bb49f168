/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/candidate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* A delta may at most remove everything and add everything. */
	FRAMES_MAX = 2 * LP_OBJECTS_MAX,
	GONE_FIRST = 64, /* places allocated at first */
};

static int refuse(struct lp_candidate *candidate, struct lp_refusal *refusal,
    Lp__Pb__Rejected__Code code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static int refuse_object(struct lp_candidate *candidate,
    struct lp_refusal *refusal, const Lp__Pb__Object *object,
    const char *field);
static int out_of_place(struct lp_candidate *candidate,
    struct lp_refusal *refusal, uint64_t generation, const char *frame);
static int check_epoch(struct lp_candidate *candidate,
    const struct lp_running *running, struct lp_refusal *refusal);
static int check_order(struct lp_candidate *candidate,
    const struct lp_running *running, struct lp_refusal *refusal);
static int check_base(struct lp_candidate *candidate,
    const struct lp_running *running, struct lp_refusal *refusal);
static int put_object(struct lp_candidate *candidate,
    const Lp__Pb__Object *message, struct lp_refusal *refusal);
static int remove_object(struct lp_candidate *candidate,
    const Lp__Pb__Object *message, struct lp_refusal *refusal);
static int remove_rule(struct lp_candidate *candidate, uint32_t id);
static void sweep(struct lp_candidate *candidate);
static int check_result(struct lp_candidate *candidate,
    const struct lp_running *running, struct lp_refusal *refusal);

void
lp_candidate_init(struct lp_candidate *candidate)
{
	memset(candidate, 0, sizeof(*candidate));
	lp_config_init(&candidate->config);
}

void
lp_candidate_fini(struct lp_candidate *candidate)
{
	lp_config_fini(&candidate->config);
	free(candidate->gone);
	lp_candidate_init(candidate);
}

int
lp_candidate_begin(struct lp_candidate *candidate, const Lp__Pb__Begin *begin,
    uint64_t epoch, const struct lp_running *running,
    struct lp_refusal *refusal)
{
	int error;

	if (candidate->state != LP_CANDIDATE_NONE)
		return out_of_place(
		    candidate, refusal, begin->generation, "BEGIN");
	lp_candidate_fini(candidate);
	candidate->state = LP_CANDIDATE_OPEN;
	candidate->epoch = begin->epoch;
	candidate->generation = begin->generation;
	candidate->base_generation = begin->full ? 0 : begin->base_generation;
	candidate->digest = begin->digest;
	candidate->expected = begin->object_count;
	error = check_epoch(candidate, running, refusal);
	if (error)
		return error;
	if (begin->epoch != epoch)
		return refuse(candidate, refusal,
		    LP__PB__REJECTED__CODE__PROTOCOL,
		    "BEGIN has epoch %" PRIu64 ", but WELCOME had %" PRIu64,
		    begin->epoch, epoch);
	if (begin->generation == 0 || begin->object_count > FRAMES_MAX)
		return refuse(candidate, refusal,
		    LP__PB__REJECTED__CODE__PROTOCOL,
		    "generation %" PRIu64 " of %" PRIu32 " objects",
		    begin->generation, begin->object_count);
	error = check_order(candidate, running, refusal);
	if (error || begin->full)
		return error;
	error = check_base(candidate, running, refusal);
	if (error)
		return error;
	return lp_config_copy(&candidate->config, &running->config);
}

int
lp_candidate_object(struct lp_candidate *candidate,
    const Lp__Pb__ObjectFrame *frame, struct lp_refusal *refusal)
{
	if (candidate->state == LP_CANDIDATE_NONE)
		return out_of_place(candidate, refusal, 0, "OBJECT");
	if (candidate->state == LP_CANDIDATE_REFUSED)
		return 0;
	if (candidate->received == candidate->expected)
		return refuse(candidate, refusal,
		    LP__PB__REJECTED__CODE__PROTOCOL,
		    "more than the %" PRIu32 " objects announced",
		    candidate->expected);
	candidate->received++;
	return frame->has_gone && frame->gone
	    ? remove_object(candidate, frame->object, refusal)
	    : put_object(candidate, frame->object, refusal);
}

int
lp_candidate_end(struct lp_candidate *candidate, const Lp__Pb__End *end,
    const struct lp_running *running, struct lp_refusal *refusal)
{
	enum lp_candidate_state state = candidate->state;
	int error;

	if (state == LP_CANDIDATE_NONE ||
	    end->generation != candidate->generation)
		return out_of_place(candidate, refusal, end->generation, "END");
	if (state == LP_CANDIDATE_REFUSED) {
		/* The refusal was sent when it was found. */
		candidate->state = LP_CANDIDATE_NONE;
		return -ECANCELED;
	}
	error = check_epoch(candidate, running, refusal);
	if (!error)
		error = check_order(candidate, running, refusal);
	if (!error && candidate->base_generation != 0)
		error = check_base(candidate, running, refusal);
	if (!error)
		error = check_result(candidate, running, refusal);
	candidate->state = LP_CANDIDATE_NONE;
	return error;
}

static int
refuse(struct lp_candidate *candidate, struct lp_refusal *refusal,
    Lp__Pb__Rejected__Code code, const char *format, ...)
{
	va_list args;

	memset(refusal, 0, sizeof(*refusal));
	refusal->code = code;
	refusal->generation = candidate->generation;
	refusal->field = "";
	va_start(args, format);
	vsnprintf(refusal->why, sizeof(refusal->why), format, args);
	va_end(args);
	candidate->state = LP_CANDIDATE_REFUSED;
	return -EINVAL;
}

/* refusal->why is written already. */
static int
refuse_object(struct lp_candidate *candidate, struct lp_refusal *refusal,
    const Lp__Pb__Object *object, const char *field)
{
	const char *kind = lp_object_kind_name(lp_message_object_kind(object));
	char why[LP_WHY_SIZE];

	memcpy(why, refusal->why, sizeof(why));
	refuse(candidate, refusal, LP__PB__REJECTED__CODE__INVALID, "%s", why);
	refusal->object_id = object->has_id ? object->id : 0;
	refusal->field = field;
	snprintf(refusal->object, sizeof(refusal->object), "%s %" PRIu32,
	    kind ? kind : "object", refusal->object_id);
	return -EINVAL;
}

static int
out_of_place(struct lp_candidate *candidate, struct lp_refusal *refusal,
    uint64_t generation, const char *frame)
{
	enum lp_candidate_state state = candidate->state;

	refuse(candidate, refusal, LP__PB__REJECTED__CODE__PROTOCOL,
	    "%s out of place", frame);
	refusal->generation = generation;
	refusal->out_of_place = true;
	candidate->state = state;
	return -EINVAL;
}

/* Another controller may have come, also between BEGIN and END. */
static int
check_epoch(struct lp_candidate *candidate, const struct lp_running *running,
    struct lp_refusal *refusal)
{
	if (candidate->epoch >= running->epoch_seen)
		return 0;
	return refuse(candidate, refusal, LP__PB__REJECTED__CODE__FENCED,
	    "epoch %" PRIu64 " is over: %" PRIu64 " was seen", candidate->epoch,
	    running->epoch_seen);
}

/*
 * Under one epoch generations only grow.  The same content again is no harm:
 * a controller that did not see our answer sends it once more.
 */
static int
check_order(struct lp_candidate *candidate, const struct lp_running *running,
    struct lp_refusal *refusal)
{
	if (candidate->epoch != running->epoch ||
	    candidate->generation > running->generation ||
	    candidate->digest == running->digest)
		return 0;
	return refuse(candidate, refusal, LP__PB__REJECTED__CODE__PROTOCOL,
	    "generation %" PRIu64 " is not newer than %" PRIu64
	    ", which runs under the same epoch",
	    candidate->generation, running->generation);
}

static int
check_base(struct lp_candidate *candidate, const struct lp_running *running,
    struct lp_refusal *refusal)
{
	if (candidate->base_generation == running->generation &&
	    running->generation != 0)
		return 0;
	return refuse(candidate, refusal, LP__PB__REJECTED__CODE__BASE,
	    "a change of generation %" PRIu64 ", but %" PRIu64 " is running",
	    candidate->base_generation, running->generation);
}

static int
put_object(struct lp_candidate *candidate, const Lp__Pb__Object *message,
    struct lp_refusal *refusal)
{
	struct lp_object object;
	const char *field = "";
	int error =
	    lp_message_to_object(&object, message, &field, refusal->why);

	if (error == -EINVAL)
		return refuse_object(candidate, refusal, message, field);
	if (error)
		return error;
	if (object.kind == LP_OBJECT_RULE)
		sweep(candidate);
	error = lp_config_put(&candidate->config, &object);
	if (error != -ENOSPC)
		return error;
	snprintf(refusal->why, sizeof(refusal->why),
	    "more objects of this kind than a dataplane can hold");
	return refuse_object(candidate, refusal, message, "");
}

static int
remove_object(struct lp_candidate *candidate, const Lp__Pb__Object *message,
    struct lp_refusal *refusal)
{
	unsigned kind = lp_message_object_kind(message);
	int error = -ENOENT;

	if (kind == LP_OBJECT_RULE && message->has_id)
		error = remove_rule(candidate, message->id);
	else if (kind != 0 && message->has_id)
		error = lp_config_remove(&candidate->config, kind, message->id);
	if (error != -ENOENT)
		return error;
	return refuse(candidate, refusal, LP__PB__REJECTED__CODE__PROTOCOL,
	    "an object is to go that is not there: %s %" PRIu32,
	    kind ? lp_object_kind_name(kind) : "object", message->id);
}

/* They come in their order; whoever does not keep it waits a little longer. */
static int
remove_rule(struct lp_candidate *candidate, uint32_t id)
{
	size_t count = candidate->gone_count;

	if (count > 0 && candidate->gone[count - 1] >= id)
		sweep(candidate);
	if (!lp_config_find(&candidate->config, LP_OBJECT_RULE, id))
		return -ENOENT;
	if (candidate->gone_count == candidate->gone_size) {
		size_t size = count > 0 ? 2 * count : GONE_FIRST;
		uint32_t *gone =
		    reallocarray(candidate->gone, size, sizeof(*gone));

		if (!gone)
			return -ENOMEM;
		candidate->gone = gone;
		candidate->gone_size = size;
	}
	candidate->gone[candidate->gone_count++] = id;
	return 0;
}

static void
sweep(struct lp_candidate *candidate)
{
	lp_config_remove_all(&candidate->config, LP_OBJECT_RULE,
	    candidate->gone, candidate->gone_count);
	candidate->gone_count = 0;
}

static int
check_result(struct lp_candidate *candidate, const struct lp_running *running,
    struct lp_refusal *refusal)
{
	bool is_delta = candidate->base_generation != 0;
	struct lp_config_error found;
	uint64_t digest;

	sweep(candidate);
	if (candidate->received != candidate->expected)
		return refuse(candidate, refusal,
		    LP__PB__REJECTED__CODE__PROTOCOL,
		    "%" PRIu32 " objects announced, %" PRIu32 " came",
		    candidate->expected, candidate->received);
	digest = lp_config_digest(&candidate->config);
	if (digest != candidate->digest)
		return refuse(candidate, refusal,
		    LP__PB__REJECTED__CODE__DIGEST,
		    "the result has digest %016" PRIx64 ", not %016" PRIx64,
		    digest, candidate->digest);
	/* What runs has passed, and a delta is made of it. */
	if (lp_config_check_change(&candidate->config,
		is_delta ? &running->config : NULL, &found) == 0)
		return 0;
	refuse(candidate, refusal, LP__PB__REJECTED__CODE__INVALID, "%s",
	    found.why);
	refusal->object_id = found.object_id;
	refusal->field = found.field;
	memcpy(refusal->object, found.object, sizeof(refusal->object));
	return -EINVAL;
}
