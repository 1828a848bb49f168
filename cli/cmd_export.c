/* SPDX-License-Identifier: Apache-2.0 */
/* export: the configuration as a file that declares it. */
#include <string.h>

#include "cli/cmd.h"
#include "cli/declaration.h"
#include "cli/show_ask.h"
#include "cli/view.h"
#include "proto/nearest.h"

static int check_owner(const char *owner, struct lp_error *error);
static int write_view(const struct lp_lpctl *lpctl, const struct lp_view *view,
    const char *owner, struct lp_error *error);
static int find_owner(const struct lp_declaration *declaration,
    const char *owner, struct lp_error *error);

int
lp_cmd_export(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	const char *owner = lp_command_value(words, LP_OPTION_OWNER, NULL);
	uint64_t generation;
	struct lp_view view;
	int status = lp_show_ask_generation(&generation, words, error);

	if (status == LP_EXIT_OK && owner != NULL)
		status = check_owner(owner, error);
	if (status == LP_EXIT_OK)
		status = lp_show_ask(
		    &view, lpctl, LP_SHOW_ASK_ALL, generation, error);
	if (status != LP_EXIT_OK)
		return status;
	status = write_view(lpctl, &view, owner, error);
	lp_view_fini(&view);
	return status;
}

/* A file that names no owner is of the whole configuration. */
static int
check_owner(const char *owner, struct lp_error *error)
{
	char why[LP_WHY_SIZE];
	const char *field;

	if (strcmp(owner, "none") == 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--owner: a file of objects that are nobody's would be of "
		    "all: export all, or an owner's");
	if (lp_object_check_owner(owner, &field, why) != 0)
		return lp_error_set(error, LP_EXIT_USAGE, "--owner: %s", why);
	return LP_EXIT_OK;
}

static int
write_view(const struct lp_lpctl *lpctl, const struct lp_view *view,
    const char *owner, struct lp_error *error)
{
	struct lp_declaration declaration;
	int err = lp_declaration_from_config(&declaration, &view->config);
	int status;

	if (err != 0)
		return lp_error_output(error, err);
	status =
	    owner != NULL ? find_owner(&declaration, owner, error) : LP_EXIT_OK;
	if (status == LP_EXIT_OK)
		status = lp_error_output(error,
		    lpctl->output->declared(
			&lpctl->print, &declaration, owner));
	lp_declaration_fini(&declaration);
	return status;
}

/* An empty file would be applied as if there were to be nothing. */
static int
find_owner(const struct lp_declaration *declaration, const char *owner,
    struct lp_error *error)
{
	struct lp_nearest nearest;
	char hint[LP_NEAREST_HINT_SIZE];

	lp_nearest_init(&nearest, owner, strlen(owner));
	for (size_t i = 0; i < declaration->count; i++) {
		const char *other = declaration->list[i].object.owner;

		if (strcmp(other, owner) == 0)
			return LP_EXIT_OK;
		if (other[0] != '\0')
			lp_nearest_offer(&nearest, other);
	}
	return lp_error_set(error, LP_EXIT_REFUSED, "nothing is of owner %s%s",
	    owner, lp_nearest_hint(hint, nearest.best));
}
