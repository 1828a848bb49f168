/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/view_kafka.h"

enum {
	WATCH_S_DEFAULT = 1,
	WATCH_S_MAX = 86400,
};

/* What is asked, and what of the answer is shown. */
struct wish {
	Lp__Pb__KafkaCountersRequest ask;
	struct lp_kafka_choice choice;
	uint32_t every_s; /* 0: once */
};

static int take_options(
    struct wish *wish, const struct lp_words *words, struct lp_error *error);
static int repeat(const struct lp_lpctl *lpctl, const struct lp_words *words,
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
	return repeat(lpctl, words, &wish, error);
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
	return repeat(lpctl, words, &wish, error);
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
	return repeat(lpctl, words, &wish, error);
}

static int
take_options(
    struct wish *wish, const struct lp_words *words, struct lp_error *error)
{
	const char *seconds = lp_command_value(words, LP_OPTION_WATCH, NULL);
	const char *limit = lp_command_value(words, LP_OPTION_LIMIT, NULL);
	const char *sort = lp_command_value(words, LP_OPTION_SORT, NULL);

	wish->ask.dataplane =
	    (char *)lp_command_value(words, LP_OPTION_DATAPLANE, NULL);
	if (lp_command_given(words, LP_OPTION_WATCH))
		wish->every_s = WATCH_S_DEFAULT;
	if (seconds != NULL &&
	    lp_command_number(&wish->every_s, seconds, 1, WATCH_S_MAX) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--watch: \"%s\" is no number of seconds from 1 to %d",
		    seconds, WATCH_S_MAX);
	if (limit != NULL &&
	    lp_command_number(&wish->choice.limit, limit, 1, UINT32_MAX) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--limit: \"%s\" is no number from 1", limit);
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

/* An answer that broke off has the frames before the one that says so. */
static struct lp_replies
whole_of(const struct lp_replies *replies)
{
	struct lp_replies whole = {.list = replies->list};

	while (whole.count < replies->count &&
	    replies->list[whole.count]->body_case ==
		LP__PB__CONTROL_REPLY__BODY_KAFKA)
		whole.count++;
	return whole;
}

/* What dataplanes have said is shown, although another one said nothing. */
static int
once(const struct lp_lpctl *lpctl, const struct lp_print *print,
    struct wish *wish, bool *asked, struct lp_error *error)
{
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
	whole = whole_of(&replies);
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

/*
 * Until a signal ends us, with --watch.  Daemons may be started again
 * meanwhile: that is said once, and tried again.
 */
static int
repeat(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct wish *wish, struct lp_error *error)
{
	const struct timespec pause = {.tv_sec = wish->every_s};
	struct lp_print print = lpctl->print;
	bool said = false;

	print.all = lp_command_given(words, LP_OPTION_ALL);
	print.stream = wish->every_s != 0;
	for (;;) {
		bool asked;
		int status = once(lpctl, &print, wish, &asked, error);
		bool may_pass = !asked &&
		    (status == LP_EXIT_UNREACHABLE ||
			status == LP_EXIT_TIMEOUT);

		if (wish->every_s == 0 || (status != LP_EXIT_OK && !may_pass))
			return status;
		if (status != LP_EXIT_OK && !said)
			(void)fprintf(lpctl->err,
			    "lpctl: %s; trying again every %u s\n", error->text,
			    wish->every_s);
		said = status != LP_EXIT_OK;
		if (fflush(print.out) != 0)
			return status;
		(void)nanosleep(&pause, NULL);
	}
}
