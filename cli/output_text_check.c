/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_check.h"

#include "cli/view_check.h"

/* Problems as a compiler tells them; how many there are is the error's. */
int
lp_output_text_check(
    const struct lp_print *print, const struct lp_check_view *view)
{
	size_t warnings = lp_report_count(view->report, LP_SEVERITY_WARNING);

	lp_report_print(view->report, view->err, view->color);
	if (lp_report_count(view->report, LP_SEVERITY_ERROR) > 0)
		return 0;
	(void)fprintf(print->out, "lpctl: %zu file%s, %zu object%s: no errors",
	    view->file_count, view->file_count == 1 ? "" : "s",
	    view->object_count, view->object_count == 1 ? "" : "s");
	if (warnings > 0)
		(void)fprintf(print->out, ", %zu warning%s", warnings,
		    warnings == 1 ? "" : "s");
	(void)fputc('\n', print->out);
	return 0;
}
