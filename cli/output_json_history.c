/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_history.h"

#include "cli/json.h"

static json_t *
row_of(const Lp__Pb__StoredGeneration *row)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "generation",
	    lp_json_integer(row->number), "time", lp_json_time(row->time_ns),
	    "time_ns", lp_json_integer(row->time_ns), "digest",
	    lp_json_hex(row->digest), "who", lp_json_typed(row->who), "comment",
	    lp_json_typed(row->comment), "cut", row->cut);
}

int
lp_output_json_history(
    const struct lp_print *print, const struct lp_history_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->count; i++)
		list = lp_json_append(list, row_of(view->rows[i]));
	return lp_json_write(print, json_pack("{s:o}", "generations", list));
}
