/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top_ask.h"

#include <string.h>

#include "cli/view.h"

/* Who asks whom. */
struct question {
	const struct lp_lpctl *lpctl;
	const struct lp_client_waiter *waiter;
	char *dataplane; /* NULL: all */
};

static int ask_kafka(struct lp_top_model *model, bool *fed,
    const struct question *question, struct lp_error *error);
static int ask_counters(struct lp_top_head *head,
    const struct question *question, struct lp_error *error);
static int ask_status(struct lp_top_head *head, const struct question *question,
    struct lp_error *error);

int
lp_top_ask_round(struct lp_top_model *model, struct lp_top_head *head,
    bool *fed, const struct lp_lpctl *lpctl,
    const struct lp_top_options *options, const struct lp_client_waiter *waiter,
    struct lp_error *error)
{
	const struct question question = {
	    .lpctl = lpctl,
	    .waiter = waiter,
	    .dataplane = (char *)options->dataplane,
	};
	struct lp_top_head new = {0};
	int status;

	*fed = false;
	status = ask_kafka(model, fed, &question, error);
	/* Whoever is silent is not asked three times. */
	if (status != LP_EXIT_OK && !*fed)
		return status;
	if (ask_counters(&new, &question, error) == LP_EXIT_OK &&
	    ask_status(&new, &question, error) == LP_EXIT_OK) {
		new.known = true;
		*head = new;
		return status;
	}
	return error->status;
}

bool
lp_top_ask_may_pass(int status)
{
	return status == LP_EXIT_UNREACHABLE || status == LP_EXIT_TIMEOUT;
}

static int
ask(struct lp_replies *replies, const struct question *question,
    Lp__Pb__ControlRequest *request, Lp__Pb__ControlReply__BodyCase wanted,
    struct lp_error *error)
{
	return lp_client_ask_waiting(replies, question->lpctl->socket,
	    lp_lpctl_answer_ms(question->lpctl), request, wanted,
	    question->waiter, error);
}

/* Leaves the replies that are part of an answer, if only of some dataplanes. */
static void
drop_end(struct lp_replies *replies, Lp__Pb__ControlReply__BodyCase wanted)
{
	size_t count = replies->count;

	while (count > 0 && replies->list[count - 1]->body_case != wanted) {
		lp__pb__control_reply__free_unpacked(
		    replies->list[--count], NULL);
		replies->count = count;
	}
}

static int
ask_kafka(struct lp_top_model *model, bool *fed,
    const struct question *question, struct lp_error *error)
{
	Lp__Pb__KafkaCountersRequest kafka =
	    LP__PB__KAFKA_COUNTERS_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	int status;

	kafka.dataplane = question->dataplane;
	kafka.has_apis = kafka.has_topics = kafka.has_clients = true;
	kafka.apis = kafka.topics = kafka.clients = true;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_KAFKA;
	request.kafka = &kafka;
	status = ask(&replies, question, &request,
	    LP__PB__CONTROL_REPLY__BODY_KAFKA, error);
	/* A dataplane that failed must not hide the others. */
	if (status != LP_EXIT_OK)
		drop_end(&replies, LP__PB__CONTROL_REPLY__BODY_KAFKA);
	if (replies.count == 0) {
		lp_client_replies_free(&replies);
		return status;
	}
	if (lp_top_model_feed(model, &replies) != 0)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	*fed = true;
	return status;
}

/* An answer may come in frames: what one does not say is 0. */
static int
ask_counters(struct lp_top_head *head, const struct question *question,
    struct lp_error *error)
{
	Lp__Pb__CountersRequest counters = LP__PB__COUNTERS_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	int status;

	counters.dataplane = question->dataplane;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_COUNTERS;
	request.counters = &counters;
	status = ask(&replies, question, &request,
	    LP__PB__CONTROL_REPLY__BODY_COUNTERS, error);
	for (size_t i = 0; status == LP_EXIT_OK && i < replies.count; i++) {
		const Lp__Pb__Stats *stats = replies.list[i]->counters->stats;

		if (stats->has_uptime_ns &&
		    (head->uptime_ns == 0 ||
			stats->uptime_ns < head->uptime_ns))
			head->uptime_ns = stats->uptime_ns;
		head->connections += lp_view_counter(
		    stats->tables, stats->n_tables, "connections");
	}
	lp_client_replies_free(&replies);
	return status;
}

static int
ask_status(struct lp_top_head *head, const struct question *question,
    struct lp_error *error)
{
	Lp__Pb__StatusRequest ask_for = LP__PB__STATUS_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	const Lp__Pb__StatusReply *reply;
	struct lp_replies replies;
	int status;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_STATUS;
	request.status = &ask_for;
	status = ask(&replies, question, &request,
	    LP__PB__CONTROL_REPLY__BODY_STATUS, error);
	if (status == LP_EXIT_OK) {
		reply = replies.list[0]->status;
		head->generation = reply->generation;
		/* One dataplane: what it runs, not what is wanted. */
		for (size_t i = 0; i < reply->n_dataplanes; i++) {
			const Lp__Pb__DataplaneStatus *dataplane =
			    reply->dataplanes[i];
			bool named = question->dataplane != NULL &&
			    dataplane->id != NULL &&
			    strcmp(dataplane->id, question->dataplane) == 0;

			if (dataplane->has_generation &&
			    (named || reply->n_dataplanes == 1))
				head->generation = dataplane->generation;
		}
	}
	lp_client_replies_free(&replies);
	return status;
}
