/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_db.h"

#include "cli/json.h"

int
lp_output_json_db(const struct lp_print *print, const struct lp_db_view *view)
{
	const struct lp_store_facts *facts = &view->facts;

	return lp_json_write(print,
	    json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}",
		"action", view->action, "path", view->path, "restored",
		lp_json_string_or_null(view->database), "bytes",
		lp_json_integer(view->size), "database_id", facts->database_id,
		"schema", lp_json_integer((uint64_t)facts->schema), "epoch",
		lp_json_integer(facts->epoch), "generation",
		lp_json_integer(facts->generation), "time",
		lp_json_time(facts->time_ns), "kept",
		lp_json_integer(facts->kept)));
}
