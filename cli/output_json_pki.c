/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_pki.h"

#include <string.h>

#include "cli/clock.h"
#include "cli/json.h"
#include "cli/pki.h"

static json_t *row_of(
    const struct lp_pki_view *view, const struct lp_pki_index_row *row);

static json_t *
time_of(int64_t seconds)
{
	return lp_json_time((uint64_t)seconds * LP_CLOCK_NS_PER_S);
}

int
lp_output_json_pki(const struct lp_print *print, const struct lp_pki_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->index.count; i++)
		list = lp_json_append(list, row_of(view, &view->index.rows[i]));
	return lp_json_write(print,
	    json_pack("{s:s, s:s, s:o, s:o, s:o}", "authority", view->authority,
		"directory", view->directory, "expires", time_of(view->until),
		"path",
		lp_json_string_or_null(
		    view->action == LP_PKI_ISSUE ? view->path : NULL),
		"certificates", list));
}

static json_t *
row_of(const struct lp_pki_view *view, const struct lp_pki_index_row *row)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "name",
	    row->name, "role", lp_role_word(row->role), "serial",
	    lp_json_hex(row->serial), "issued", time_of(row->issued), "expires",
	    time_of(row->expires), "revoked", time_of(row->revoked), "state",
	    row->revoked != 0               ? "revoked"
		: row->expires <= view->now ? "expired"
					    : "valid");
}
