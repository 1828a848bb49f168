/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show_ask.h"

#include <inttypes.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/view.h"

static int check_generation(
    struct lp_view *view, uint64_t wanted, struct lp_error *error);

int
lp_show_ask(struct lp_view *view, const struct lp_lpctl *lpctl, uint32_t kinds,
    uint64_t generation, struct lp_error *error)
{
	Lp__Pb__ShowRequest show = LP__PB__SHOW_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	int status;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_SHOW;
	request.show = &show;
	show.has_kinds = true;
	show.kinds = kinds;
	show.has_generation = generation != 0;
	show.generation = generation;
	status =
	    lp_client_ask(&replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		&request, LP__PB__CONTROL_REPLY__BODY_SHOW, error);
	if (status == LP_EXIT_OK)
		status = lp_view_init(view, &replies, error);
	lp_client_replies_free(&replies);
	if (status == LP_EXIT_OK && generation != 0)
		status = check_generation(view, generation, error);
	return status;
}

int
lp_show_ask_generation(
    uint64_t *generation, const struct lp_words *words, struct lp_error *error)
{
	const char *text = lp_command_value(words, LP_OPTION_GENERATION, NULL);

	*generation = 0;
	if (text == NULL ||
	    lp_cmd_rollback_generation(generation, text, error) == LP_EXIT_OK)
		return LP_EXIT_OK;
	return lp_error_prefix(error, "--generation");
}

/* An lp-controld that knows no others shows its own. */
static int
check_generation(struct lp_view *view, uint64_t wanted, struct lp_error *error)
{
	uint64_t shown = view->generation;

	if (shown == wanted)
		return LP_EXIT_OK;
	lp_view_fini(view);
	return lp_error_set(error, LP_EXIT_REFUSED,
	    "lp-controld shows no generation but its own, %" PRIu64, shown);
}
