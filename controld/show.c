/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/show.h"

/* Objects in one frame: so many fit, whatever they are. */
enum { OBJECTS = LP_FRAME_SIZE_MAX / LP_OBJECT_PACKED_MAX - 1 };

static void send_all(const struct lp_context *context,
    const struct lp_reply_to *to, const Lp__Pb__ShowRequest *wanted,
    const struct lp_generation *generation);

void
lp_show_reply(const struct lp_context *context, const struct lp_reply_to *to,
    const Lp__Pb__ShowRequest *wanted)
{
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	char why[LP_STORE_WHY_SIZE];
	struct lp_generation old;

	if (!wanted->has_generation ||
	    wanted->generation == context->current.number) {
		send_all(context, to, wanted, &context->current);
	} else if (lp_store_load(
		       context->store, wanted->generation, &old, why) != 0) {
		lp_reply_failure(context, to, &failure, "%s", why);
	} else {
		send_all(context, to, wanted, &old);
		lp_config_fini(&old.config);
	}
}

static void
send_all(const struct lp_context *context, const struct lp_reply_to *to,
    const Lp__Pb__ShowRequest *wanted, const struct lp_generation *generation)
{
	const struct lp_config *config = &generation->config;
	struct lp_message_object holders[OBJECTS];
	Lp__Pb__Object *objects[OBJECTS];
	uint32_t kinds = wanted->has_kinds ? wanted->kinds : UINT32_MAX;
	size_t done = 0;

	do {
		Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
		Lp__Pb__ShowReply show = LP__PB__SHOW_REPLY__INIT;

		show.generation = generation->number;
		show.objects = objects;
		for (; done < config->count && show.n_objects < OBJECTS;
		     done++) {
			const struct lp_object *object = &config->objects[done];
			size_t n = show.n_objects;

			if ((kinds & 1u << object->kind) == 0)
				continue;
			objects[n] =
			    lp_message_from_object(&holders[n], object);
			if (wanted->names && object->kind == LP_OBJECT_RULE)
				objects[n]->rule->match =
				    objects[n]->rule->action = NULL;
			show.n_objects++;
		}
		reply.has_more = reply.more = done < config->count;
		reply.body_case = LP__PB__CONTROL_REPLY__BODY_SHOW;
		reply.show = &show;
		lp_reply_send(context, to, &reply);
	} while (done < config->count);
}
