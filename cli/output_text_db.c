/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_db.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/clock.h"

int
lp_output_text_db(const struct lp_print *print, const struct lp_db_view *view)
{
	const struct lp_store_facts *facts = &view->facts;
	char time[LP_CLOCK_RFC3339_SIZE];

	if (view->database != NULL)
		fprintf(print->out, "%s: restored from %s\n", view->database,
		    view->path);
	else
		fprintf(print->out, "%s: %s, %" PRIu64 " bytes\n", view->path,
		    strcmp(view->action, "backup") == 0 ? "copied" : "good",
		    view->size);
	fprintf(print->out,
	    "generation %" PRIu64 " of %s, %" PRIu64 " kept; epoch %" PRIu64
	    ", schema %lld, database %s\n",
	    facts->generation, lp_clock_rfc3339(time, facts->time_ns),
	    facts->kept, facts->epoch, (long long)facts->schema,
	    facts->database_id);
	if (view->database != NULL)
		fprintf(print->out,
		    "start lp-controld; what was there is %s.before-restore\n",
		    facts->path[0] != '\0' ? facts->path : view->database);
	return ferror(print->out) ? -EIO : 0;
}
