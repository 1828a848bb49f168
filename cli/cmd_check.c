/* SPDX-License-Identifier: Apache-2.0 */
/* check: files, without lp-controld. */
#include "cli/cmd.h"
#include "cli/declaration_check.h"
#include "cli/view_check.h"

static int check(const struct lp_lpctl *lpctl, struct lp_report *report,
    const char *const *paths, size_t count, struct lp_error *error);
static int summarize(const struct lp_check_view *view, struct lp_error *error);

int
lp_cmd_check(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct lp_report *report = NULL;
	int status;

	if (words->file_count == 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "needs --file PATH, a file or a directory");
	if (lp_report_new(&report) != 0)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	status = check(lpctl, report, words->files, words->file_count, error);
	lp_report_free(report);
	return status;
}

static int
check(const struct lp_lpctl *lpctl, struct lp_report *report,
    const char *const *paths, size_t count, struct lp_error *error)
{
	struct lp_check_view view = {
	    .report = report, .err = lpctl->err, .color = lpctl->err_color};
	struct lp_declaration declaration;
	int err = lp_declaration_load(&declaration, report, paths, count);
	int status;

	view.object_count = declaration.count;
	view.file_count = lp_report_file_count(report);
	if (err == 0)
		err = lp_declaration_check(&declaration, report);
	if (err != 0)
		status =
		    lp_error_set(error, LP_EXIT_UNREACHABLE, "out of memory");
	else
		status = lp_error_output(
		    error, lpctl->output->checked(&lpctl->print, &view));
	if (status == LP_EXIT_OK)
		status = summarize(&view, error);
	lp_declaration_fini(&declaration);
	return status;
}

static int
summarize(const struct lp_check_view *view, struct lp_error *error)
{
	size_t errors = lp_report_count(view->report, LP_SEVERITY_ERROR);
	size_t warnings = lp_report_count(view->report, LP_SEVERITY_WARNING);

	if (errors == 0)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_REFUSED,
	    "%zu error%s, %zu warning%s in %zu file%s", errors,
	    errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s",
	    view->file_count, view->file_count == 1 ? "" : "s");
}
