/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/model_choose.h"

#include <errno.h>
#include <stdio.h>

#include "controld/model_endpoint.h"
#include "controld/suggest.h"
#include "proto/nearest.h"

static int choose_one(struct lp_model_work *work, uint32_t broker_id,
    const Lp__Pb__EndpointChoice *choice);

int
lp_model_choose_run(struct lp_model_work *work, uint32_t broker_id)
{
	const Lp__Pb__Operation *op = work->op;

	if (op->n_endpoints > 0 && op->kind != LP_OBJECT_BROKER)
		return lp_model_work_refuse(
		    work, "endpoint", "is chosen of brokers only");
	for (size_t i = 0; i < op->n_endpoints; i++) {
		const char *name = op->endpoints[i]->listener;
		int err;

		for (size_t j = 0; j < i; j++)
			if (strcmp(op->endpoints[j]->listener, name) == 0)
				return lp_model_work_refuse(work, "endpoint",
				    "of listener %.63s is given twice", name);
		err = choose_one(work, broker_id, op->endpoints[i]);
		if (err != 0)
			return err;
	}
	return 0;
}

static int
choose_one(struct lp_model_work *work, uint32_t broker_id,
    const Lp__Pb__EndpointChoice *choice)
{
	const Lp__Pb__Operation *op = work->op;
	struct lp_config *config = &work->change->config;
	const struct lp_object *listener = lp_config_find_name(
	    config, LP_OBJECT_LISTENER, work->cluster_id, choice->listener);
	struct lp_endpoint vip;
	int err;

	if (listener == NULL) {
		const char *near = lp_suggest_name(config, LP_OBJECT_LISTENER,
		    work->cluster_id, choice->listener);
		char hint[LP_NEAREST_HINT_SIZE], text[2 * LP_NAME_SIZE];

		snprintf(text, sizeof(text), "%.63s/%.63s", op->cluster,
		    choice->listener);
		return lp_model_work_lacks(work,
		    lp_model_work_refuse(work, "endpoint",
			"there is no listener %.63s in its cluster%s",
			choice->listener, lp_nearest_hint(hint, near)),
		    LP_OBJECT_LISTENER, text);
	}
	if (choice->vip != NULL &&
	    lp_message_to_endpoint(&vip, choice->vip) != 0)
		return lp_model_work_refuse(
		    work, "endpoint", "is not an IP and a port");
	if (lp_model_work_place(work, broker_id) != work->place &&
	    !lp_model_endpoint_is(config, listener->id, broker_id,
		choice->vip != NULL ? &vip : NULL))
		return lp_model_work_refuse(
		    work, "", "exists already, and differs");
	err = lp_model_endpoint_choose(work->change, listener->id, broker_id,
	    choice->vip != NULL ? &vip : NULL);
	if (err == -EINVAL)
		work->change->error.place = work->place;
	return err;
}
