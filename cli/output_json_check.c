/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_check.h"

#include "cli/json.h"
#include "cli/view_check.h"

/* Of a file that could not be read there are no lines. */
static json_t *
problem_of(const struct lp_report *report, const struct lp_problem *problem)
{
	const char *file = lp_report_name(report, problem->span.file);
	bool is_error = problem->severity == LP_SEVERITY_ERROR;
	uint32_t line, column;

	lp_report_locate(report, &problem->span, &line, &column);
	return json_pack("{s:o, s:o, s:o, s:s, s:s}", "file",
	    lp_json_string_or_null(file), "line",
	    lp_json_number_or_null(line != 0, line), "column",
	    lp_json_number_or_null(line != 0, column), "severity",
	    is_error ? "error" : "warning", "text", problem->text);
}

int
lp_output_json_check(
    const struct lp_print *print, const struct lp_check_view *view)
{
	json_t *list = json_array();
	const struct lp_problem *problems;
	size_t count;

	problems = lp_report_problems(view->report, &count);
	for (size_t i = 0; i < count; i++)
		list = lp_json_append(
		    list, problem_of(view->report, &problems[i]));
	return lp_json_write(print, list);
}
