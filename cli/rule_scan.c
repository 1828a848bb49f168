/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rule_scan.h"

#include <assert.h>
#include <string.h>

void
lp_rule_scan_init(struct lp_rule_scan *scan, const char *text)
{
	*scan = (struct lp_rule_scan){.text = text, .at = text};
}

bool
lp_rule_scan_next(struct lp_rule_scan *scan)
{
	struct lp_rule_error error;
	const char *at = scan->at;

	/* The = of its field, or a comma. */
	if (at > scan->text && (*at == '=' || *at == ',')) {
		int rc;

		scan->at++;
		rc = lp_rule_piece_read(
		    &scan->piece, &scan->at, scan->text, &error);
		assert(rc == 0);
		scan->value++;
		scan->from = (size_t)(scan->piece.at - scan->text);
		scan->len = scan->piece.len;
		return true;
	}
	at = lp_rule_skip_blanks(at);
	if (*at == '\0')
		return false;
	scan->from = (size_t)(at - scan->text);
	scan->len = strcspn(at, "=");
	scan->at = at + scan->len;
	scan->field = lp_rule_field_find(at, scan->len);
	scan->value = -1;
	assert(scan->field < LP_RULE_FIELD_COUNT && *scan->at == '=');
	return true;
}
