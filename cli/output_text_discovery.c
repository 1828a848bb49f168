/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_discovery.h"

#include <inttypes.h>

#include "cli/clock.h"
#include "cli/table.h"

/* ", WHAT 3 min ago"; nothing for no time. */
static void
write_ago(const struct lp_print *print, const char *what, uint64_t time_ns)
{
	char ago[LP_CLOCK_DURATION_SIZE];

	if (time_ns == 0)
		return;
	(void)fprintf(print->out, "%s %s ago", what,
	    lp_clock_duration(
		ago, time_ns < print->now_ns ? print->now_ns - time_ns : 0));
}

static void
write_node(const struct lp_print *print, const Lp__Pb__NodeStatus *node)
{
	const char *host = node->host != NULL ? node->host : "?";
	char text[LP_HOSTPORT_TEXT_SIZE];

	(void)fprintf(print->out, "    %sbroker %" PRId32 " is at %s",
	    lp_table_style(LP_STYLE_WARN, print->color), node->node_id,
	    lp_hostport_format(text, host, node->port));
	if (node->rack != NULL)
		(void)fprintf(print->out, ", rack %s", node->rack);
	if (node->state != NULL)
		(void)fprintf(print->out, ": %s here", node->state);
	write_ago(print, ", listed", node->listed_ns);
	(void)fprintf(
	    print->out, "%s\n", lp_table_plain(LP_STYLE_WARN, print->color));
	if (node->why != NULL)
		(void)fprintf(print->out, "        %s\n", node->why);
	if (node->remedy != NULL)
		(void)fprintf(print->out, "        %s\n", node->remedy);
}

/* The cluster is asked; what it said last is true while it fails, too. */
static void
write_poll(const struct lp_print *print, const Lp__Pb__PollStatus *poll)
{
	(void)fprintf(print->out, "    asked by lp-controld: ");
	if (poll->answered > 0) {
		(void)fprintf(print->out, "%" PRIu32 " broker%s", poll->brokers,
		    poll->brokers == 1 ? "" : "s");
		write_ago(print, ",", poll->answered_ns);
		(void)fputc('\n', print->out);
	} else {
		(void)fputs("no answer yet\n", print->out);
	}
	if (poll->why == NULL)
		return;
	(void)fprintf(print->out, "        %sfailed",
	    lp_table_style(LP_STYLE_WARN, print->color));
	write_ago(print, "", poll->failed_ns);
	(void)fprintf(print->out, ": %s%s\n", poll->why,
	    lp_table_plain(LP_STYLE_WARN, print->color));
}

static void
write_cluster(const struct lp_print *print, const Lp__Pb__DiscoveryStatus *row)
{
	const char *name = row->cluster != NULL ? row->cluster : "?";

	(void)fprintf(print->out, "cluster %s: discover %s, ", name,
	    row->discover ? "on" : "off");
	if (row->has_listed_ns) {
		(void)fprintf(print->out,
		    "tells clients of %" PRIu32 " broker%s", row->listed,
		    row->listed == 1 ? "" : "s");
		write_ago(print, ", last", row->listed_ns);
		(void)fputc('\n', print->out);
	} else {
		(void)fputs(
		    "no list of its brokers has passed yet\n", print->out);
	}
	if (row->poll != NULL)
		write_poll(print, row->poll);
	if (row->change != NULL) {
		(void)fprintf(print->out, "    %s", row->change);
		write_ago(print, ",", row->changed_ns);
		(void)fputc('\n', print->out);
	}
	for (size_t i = 0; i < row->n_nodes; i++)
		write_node(print, row->nodes[i]);
	if (row->more > 0)
		(void)fprintf(
		    print->out, "    and %" PRIu32 " more\n", row->more);
	for (size_t i = 0; i < row->n_tls_listeners; i++)
		(void)fprintf(print->out,
		    "    %slistener %s rewrites, and clients speak TLS: it "
		    "cannot; see TLS in lpctl(8)%s\n",
		    lp_table_style(LP_STYLE_WARN, print->color),
		    row->tls_listeners[i],
		    lp_table_plain(LP_STYLE_WARN, print->color));
}

void
lp_output_text_discovery(
    const struct lp_print *print, const Lp__Pb__StatusReply *reply)
{
	for (size_t i = 0; i < reply->n_discovery; i++)
		write_cluster(print, reply->discovery[i]);
}
