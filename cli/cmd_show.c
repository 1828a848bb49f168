/* SPDX-License-Identifier: Apache-2.0 */
/* show, list-ports, list-clusters, list-brokers, list-listeners, list-rules */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/show_ask.h"
#include "cli/view.h"

static int fetch_live(struct lp_replies *replies, const struct lp_lpctl *lpctl,
    struct lp_error *error);
static size_t count_whole(const struct lp_replies *replies);
static int show_of_cluster(const struct lp_lpctl *lpctl, const char *cluster,
    int (*write)(const struct lp_print *print, const struct lp_view *view,
	const struct lp_object *cluster),
    struct lp_error *error);
static int show_all(const struct lp_lpctl *lpctl, uint32_t kinds,
    uint64_t generation,
    int (*write)(const struct lp_print *print, const struct lp_view *view),
    struct lp_error *error);

int
lp_cmd_show(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	uint64_t generation;

	if (lp_show_ask_generation(&generation, words, error) != LP_EXIT_OK)
		return error->status;
	return show_all(
	    lpctl, LP_SHOW_ASK_ALL, generation, lpctl->output->show, error);
}

/* That no dataplane can tell of its ports is part of the answer. */
int
lp_cmd_show_ports(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct lp_ports_view view = {0};
	struct lp_replies replies = {0}, whole;
	struct lp_error missing = {0};
	size_t index = 0;
	int status;

	(void)words;
	status = lp_show_ask(&view.config, lpctl, LP_SHOW_ASK_PLAIN, 0, error);
	if (status != LP_EXIT_OK)
		return status;
	if (lp_view_next(&view.config, LP_OBJECT_PORT, &index) != NULL &&
	    fetch_live(&replies, lpctl, &missing) != LP_EXIT_OK)
		view.why = missing.text;
	whole = (struct lp_replies){replies.list, count_whole(&replies)};
	if (whole.count > 0)
		status = lp_view_stats_init(&view.live, &whole, NULL, error);
	if (status == LP_EXIT_OK)
		status = lp_error_output(
		    error, lpctl->output->ports(&lpctl->print, &view));
	lp_view_stats_fini(&view.live);
	lp_client_replies_free(&replies);
	lp_view_fini(&view.config);
	return status;
}

int
lp_cmd_show_clusters(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	(void)words;
	return show_all(
	    lpctl, LP_SHOW_ASK_PLAIN, 0, lpctl->output->clusters, error);
}

int
lp_cmd_show_brokers(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	return show_of_cluster(
	    lpctl, words->operands[0], lpctl->output->brokers, error);
}

int
lp_cmd_show_listeners(const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	return show_of_cluster(
	    lpctl, words->operands[0], lpctl->output->listeners, error);
}

int
lp_cmd_show_rules(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	(void)words;
	return show_all(
	    lpctl, LP_SHOW_ASK_RULES, 0, lpctl->output->rules, error);
}

static int
fetch_live(struct lp_replies *replies, const struct lp_lpctl *lpctl,
    struct lp_error *error)
{
	Lp__Pb__CountersRequest counters = LP__PB__COUNTERS_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_COUNTERS;
	request.counters = &counters;
	return lp_client_ask(replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
	    &request, LP__PB__CONTROL_REPLY__BODY_COUNTERS, error);
}

/* An answer that broke off has the frames before the one that says so. */
static size_t
count_whole(const struct lp_replies *replies)
{
	size_t count = 0;

	while (count < replies->count &&
	    replies->list[count]->body_case ==
		LP__PB__CONTROL_REPLY__BODY_COUNTERS)
		count++;
	return count;
}

static int
show_all(const struct lp_lpctl *lpctl, uint32_t kinds, uint64_t generation,
    int (*write)(const struct lp_print *print, const struct lp_view *view),
    struct lp_error *error)
{
	struct lp_view view;
	int status = lp_show_ask(&view, lpctl, kinds, generation, error);

	if (status != LP_EXIT_OK)
		return status;
	status = lp_error_output(error, write(&lpctl->print, &view));
	lp_view_fini(&view);
	return status;
}

static int
show_of_cluster(const struct lp_lpctl *lpctl, const char *name,
    int (*write)(const struct lp_print *print, const struct lp_view *view,
	const struct lp_object *cluster),
    struct lp_error *error)
{
	const struct lp_object *cluster = NULL;
	struct lp_view view;
	int status = lp_show_ask(&view, lpctl, LP_SHOW_ASK_PLAIN, 0, error);

	if (status != LP_EXIT_OK)
		return status;
	if (name != NULL)
		cluster = lp_config_find_name(
		    &view.config, LP_OBJECT_CLUSTER, 0, name);
	if (name != NULL && cluster == NULL)
		status = lp_error_set(error, LP_EXIT_REFUSED,
		    "there is no cluster \"%s\"; \"lpctl list-clusters\" "
		    "lists them",
		    name);
	else
		status = lp_error_output(
		    error, write(&lpctl->print, &view, cluster));
	lp_view_fini(&view);
	return status;
}
