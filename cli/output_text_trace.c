/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_trace.h"

#include <inttypes.h>
#include <string.h>

#include "cli/output_text_part.h"
#include "cli/table.h"

enum {
	NAME_WIDTH = 10,
	ROLE_WIDTH = 7, /* of a rule */
};

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
write_role(const struct lp_print *print, const char *role, const char *text)
{
	(void)fprintf(print->out, "        %-*s  %s\n", ROLE_WIDTH, role, text);
}

static void
write_rule(const struct lp_print *print, const char *role,
    const Lp__Pb__TraceRule *rule)
{
	(void)fprintf(print->out,
	    "        %-*s  %s (priority %" PRIu32 ", %s%s): %s\n", ROLE_WIDTH,
	    role, safe(rule->name), rule->priority,
	    rule->shadow ? "would " : "", safe(rule->action), safe(rule->text));
	if (rule->effect != NULL)
		write_role(print, rule->shadow ? "would" : "effect",
		    safe(rule->effect));
}

/* How many are not told one by one. */
static void
write_more(const struct lp_print *print, const Lp__Pb__TraceRules *rules)
{
	if (rules->others_more > 0)
		(void)fprintf(print->out, "        %-*s  %" PRIu32 " more\n",
		    ROLE_WIDTH, "not", rules->others_more);
	if (rules->elsewhere > 0)
		(void)fprintf(print->out,
		    "        %-*s  %" PRIu32
		    " of other listeners and clusters\n",
		    ROLE_WIDTH, "not", rules->elsewhere);
}

/* What decides first, then what stands before it in the order. */
static void
write_rules(const struct lp_print *print, const Lp__Pb__TraceRules *rules,
    const char *otherwise)
{
	if (rules->fault != NULL)
		(void)fprintf(print->out,
		    "        %sdefect%s   %s: please report it\n",
		    lp_table_style(LP_STYLE_BAD, print->color),
		    lp_table_plain(LP_STYLE_BAD, print->color),
		    safe(rules->fault));
	if (rules->cut) {
		write_role(print, "rules",
		    "no room for what they say: trace this packet alone");
		return;
	}
	if (rules->decides != NULL)
		write_rule(print, "decides", rules->decides);
	else
		write_role(print, "decides", otherwise);
	if (rules->note != NULL)
		write_role(print, "note", safe(rules->note));
	for (size_t i = 0; i < rules->n_seen; i++)
		write_rule(print, rules->seen[i]->shadow ? "shadow" : "sees",
		    rules->seen[i]);
	if (rules->seen_more > 0)
		(void)fprintf(print->out, "        %-*s  %" PRIu32 " more\n",
		    ROLE_WIDTH, "sees", rules->seen_more);
	for (size_t i = 0; i < rules->n_others; i++)
		write_rule(print, "not", rules->others[i]);
	write_more(print, rules);
}

static void
write_request(const struct lp_print *print, const Lp__Pb__TracedPacket *packet)
{
	if (packet->request_note != NULL)
		(void)fprintf(print->out, "    %-*s  %s\n", NAME_WIDTH,
		    "request", safe(packet->request_note));
	for (size_t i = 0; i < packet->n_request; i++) {
		const Lp__Pb__TraceRules *rules = packet->request[i];

		(void)fprintf(print->out, "    %-*s  %s%s\n", NAME_WIDTH,
		    "request", rules->topic != NULL ? "topic " : "",
		    rules->topic != NULL ? safe(rules->topic)
					 : "without a topic");
		write_rules(print, rules, "no rule: it passes");
	}
}

static void
write_stage(const struct lp_print *print, const Lp__Pb__TraceStage *stage)
{
	(void)fprintf(print->out, "    %-*s  ", NAME_WIDTH, safe(stage->name));
	if (stage->verdict != NULL)
		(void)fprintf(print->out, "%s (%s): ", safe(stage->verdict),
		    safe(stage->reason));
	(void)fprintf(print->out, "%s\n", safe(stage->text));
	if (stage->rules != NULL)
		write_rules(print, stage->rules, "no rule: it opens");
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
	write_request(print, packet);
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
