/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/repeat.h"
#include "cli/view_kafka.h"

/* What is asked, and what of the answer is shown. */
struct wish {
	Lp__Pb__KafkaCountersRequest ask;
	struct lp_kafka_choice choice;
	struct lp_repeat repeat;
};

static int take_options(
    struct wish *wish, const struct lp_words *words, struct lp_error *error);
static int run(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct wish *wish, struct lp_error *error);

int
lp_cmd_kafka_stats(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct wish wish = {.ask = LP__PB__KAFKA_COUNTERS_REQUEST__INIT};
	int status = take_options(&wish, words, error);

	if (status != LP_EXIT_OK)
		return status;
	wish.ask.has_apis = wish.ask.apis = true;
	return run(lpctl, words, &wish, error);
}

int
lp_cmd_kafka_clients(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct wish wish = {.ask = LP__PB__KAFKA_COUNTERS_REQUEST__INIT};
	int status = take_options(&wish, words, error);

	if (status != LP_EXIT_OK)
		return status;
	wish.choice.prefix = words->operands[0];
	wish.ask.has_clients = wish.ask.clients = true;
	return run(lpctl, words, &wish, error);
}

int
lp_cmd_kafka_topics(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct wish wish = {.ask = LP__PB__KAFKA_COUNTERS_REQUEST__INIT};
	int status = take_options(&wish, words, error);

	if (status != LP_EXIT_OK)
		return status;
	if (wish.choice.sort >= LP_KAFKA_SORT_IN_FLIGHT &&
	    wish.choice.sort <= LP_KAFKA_SORT_IDLE)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--sort: \"%s\" is known of clients, not of topics",
		    lp_command_value(words, LP_OPTION_SORT, NULL));
	wish.choice.prefix = words->operands[0];
	wish.ask.has_topics = wish.ask.topics = true;
	return run(lpctl, words, &wish, error);
}

static int
take_options(
    struct wish *wish, const struct lp_words *words, struct lp_error *error)
{
	const char *sort = lp_command_value(words, LP_OPTION_SORT, NULL);

	wish->ask.dataplane =
	    (char *)lp_command_value(words, LP_OPTION_DATAPLANE, NULL);
	if (lp_repeat_option(&wish->repeat, words, error))
		return error->status;
	if (lp_command_limit(&wish->choice.limit, words, 1, error))
		return error->status;
	if (sort != NULL && !lp_view_kafka_sort(&wish->choice.sort, sort))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--sort: \"%s\" is none of: %s", sort,
		    LP_VIEW_KAFKA_SORT_WORDS);
	return LP_EXIT_OK;
}

static int
show(const struct lp_lpctl *lpctl, const struct lp_print *print,
    struct lp_kafka_view *view, const struct wish *wish, struct lp_error *error)
{
	int status;

	if (wish->ask.apis) {
		lp_view_kafka_order_apis(view);
		return lp_error_output(
		    error, lpctl->output->kafka_stats(print, view));
	}
	if (wish->ask.topics) {
		status =
		    lp_view_kafka_choose_topics(view, &wish->choice, error);
		if (status != LP_EXIT_OK)
			return status;
		return lp_error_output(
		    error, lpctl->output->kafka_topics(print, view));
	}
	status = lp_view_kafka_choose_clients(view, &wish->choice, error);
	if (status != LP_EXIT_OK)
		return status;
	return lp_error_output(
	    error, lpctl->output->kafka_clients(print, view));
}

/* What dataplanes have said is shown, although another one said nothing. */
static int
once(const struct lp_lpctl *lpctl, const struct lp_print *print, void *arg,
    bool *asked, struct lp_error *error)
{
	struct wish *wish = arg;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies, whole;
	struct lp_kafka_view view;
	struct lp_error later;
	int missing;
	int status = LP_EXIT_OK;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_KAFKA;
	request.kafka = &wish->ask;
	missing =
	    lp_client_ask(&replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		&request, LP__PB__CONTROL_REPLY__BODY_KAFKA, error);
	*asked = missing == LP_EXIT_OK;
	whole = lp_repeat_whole(&replies, LP__PB__CONTROL_REPLY__BODY_KAFKA);
	if (whole.count > 0) {
		status = lp_view_kafka_init(&view, &whole, &later);
		if (status == LP_EXIT_OK) {
			status = show(lpctl, print, &view, wish, &later);
			lp_view_kafka_fini(&view);
		}
	}
	lp_client_replies_free(&replies);
	if (missing == LP_EXIT_OK && status != LP_EXIT_OK)
		*error = later;
	return missing != LP_EXIT_OK ? missing : status;
}

static int
run(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct wish *wish, struct lp_error *error)
{
	wish->repeat.once = once;
	wish->repeat.arg = wish;
	return lp_repeat_run(&wish->repeat, lpctl, words, error);
}
