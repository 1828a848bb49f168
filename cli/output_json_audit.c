/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_audit.h"

#include "cli/json.h"

static json_t *
row_of(const Lp__Pb__AuditRow *row)
{
	return json_pack(
	    "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "number",
	    lp_json_integer(row->number), "time", lp_json_time(row->time_ns),
	    "time_ns", lp_json_integer(row->time_ns), "who",
	    lp_json_typed(row->who), "from", lp_json_typed(row->from), "role",
	    lp_json_typed(row->role), "request", lp_json_typed(row->request),
	    "result", lp_json_typed(row->result), "generation",
	    lp_json_number_or_null(
		row->has_generation, (int64_t)row->generation),
	    "text", lp_json_typed(row->text), "cut", row->cut);
}

int
lp_output_json_audit(
    const struct lp_print *print, const struct lp_audit_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->count; i++)
		list = lp_json_append(list, row_of(view->rows[i]));
	return lp_json_write(print, json_pack("{s:o}", "rows", list));
}
