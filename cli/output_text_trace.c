/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_trace.h"

#include <inttypes.h>
#include <string.h>

#include "cli/output_text_part.h"
#include "cli/table.h"

enum { NAME_WIDTH = 10 };

/* Of a daemon: nothing in it moves a terminal. */
static const char *
safe(char *text)
{
	return text != NULL && text[0] != '\0' ? lp_table_safe(text) : "-";
}

static enum lp_style
style_of(const char *verdict)
{
	if (strcmp(lp_table_or_dash(verdict), "dropped") == 0)
		return LP_STYLE_BAD;
	if (strcmp(lp_table_or_dash(verdict), "held") == 0)
		return LP_STYLE_WARN;
	return LP_STYLE_GOOD;
}

static void
write_stage(const struct lp_print *print, const Lp__Pb__TraceStage *stage)
{
	(void)fprintf(print->out, "    %-*s  ", NAME_WIDTH, safe(stage->name));
	if (stage->verdict != NULL)
		(void)fprintf(print->out, "%s (%s): ", safe(stage->verdict),
		    safe(stage->reason));
	(void)fprintf(print->out, "%s\n", safe(stage->text));
}

/* The frames that leave are in JSON: nobody would read them here. */
static void
write_packet(const struct lp_print *print, const Lp__Pb__TracedPacket *packet,
    size_t number, const char *port)
{
	enum lp_style style = style_of(packet->verdict);

	(void)fprintf(print->out, "packet %zu, in by port %s: %s%s%s (%s)\n",
	    number, port, lp_table_style(style, print->color),
	    safe(packet->verdict), lp_table_plain(style, print->color),
	    safe(packet->reason));
	for (size_t i = 0; i < packet->n_stages; i++)
		write_stage(print, packet->stages[i]);
}

int
lp_output_text_trace(
    const struct lp_print *print, const struct lp_trace_view *view)
{
	size_t number = 0;

	for (size_t i = 0; i < view->reply_count; i++) {
		const Lp__Pb__TracePacketsReply *reply =
		    view->replies[i]->trace;

		for (size_t j = 0; j < reply->n_packets; j++)
			write_packet(print, reply->packets[j], ++number,
			    lp_table_or_dash(view->port));
	}
	return 0;
}

int
lp_output_text_trace_captured(
    const struct lp_print *print, const struct lp_capture_view *view)
{
	(void)fprintf(print->out,
	    "%" PRIu64 " packet%s captured, %" PRIu64 " missed\n",
	    view->packets, view->packets == 1 ? "" : "s", view->dropped);
	return 0;
}
