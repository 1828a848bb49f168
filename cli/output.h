/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output: two implementations, text and JSON, of one table of functions.
 *
 * Commands fetch and put together what is to be shown; an implementation
 * writes it and knows nothing of sockets.  All functions return 0 or -errno.
 */
#ifndef LP_CLI_OUTPUT_H
#define LP_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/top_page.h"
#include "cli/view.h"
#include "cli/view_audit.h"
#include "cli/view_denials.h"
#include "cli/view_history.h"
#include "cli/view_kafka.h"
#include "cli/view_plan.h"
#include "cli/view_rule_stats.h"

struct lp_declaration;

struct lp_print {
	FILE *out;
	uint64_t now_ns; /* CLOCK_REALTIME, for "3 min ago" */
	bool color;
	bool verbose; /* say also what went well */
	bool all; /* stats: counters and rules that are zero, too */
	bool stream; /* one of several documents: JSON on one line each */
};

struct lp_db_view;
struct lp_check_view;
struct lp_pki_view;

struct lp_output {
	const char *name; /* as -o takes it */
	int (*changed)(const struct lp_print *print,
	    const Lp__Pb__TransactionReply *reply);
	int (*show)(const struct lp_print *print, const struct lp_view *view);
	/* As a file; of one owner, or of all if it is NULL. */
	int (*declared)(const struct lp_print *print,
	    const struct lp_declaration *declaration, const char *owner);
	int (*ports)(
	    const struct lp_print *print, const struct lp_ports_view *view);
	int (*clusters)(
	    const struct lp_print *print, const struct lp_view *view);
	/* Of one cluster, or of all if it is NULL. */
	int (*brokers)(const struct lp_print *print, const struct lp_view *view,
	    const struct lp_object *cluster);
	int (*listeners)(const struct lp_print *print,
	    const struct lp_view *view, const struct lp_object *cluster);
	int (*rules)(const struct lp_print *print, const struct lp_view *view);
	int (*status)(
	    const struct lp_print *print, const Lp__Pb__StatusReply *reply);
	int (*stats)(
	    const struct lp_print *print, const struct lp_stats_view *view);
	int (*connections)(const struct lp_print *print,
	    const struct lp_connections_view *view);
	int (*kafka_stats)(
	    const struct lp_print *print, const struct lp_kafka_view *view);
	int (*kafka_clients)(
	    const struct lp_print *print, const struct lp_kafka_view *view);
	int (*kafka_topics)(
	    const struct lp_print *print, const struct lp_kafka_view *view);
	int (*rule_stats)(const struct lp_print *print,
	    const struct lp_rule_stats_view *view);
	/* diff, and apply: before and after it is sent. */
	int (*plan)(
	    const struct lp_print *print, const struct lp_plan_view *view);
	/* In rounds; JSON then is one object for each. */
	int (*denials)(
	    const struct lp_print *print, const struct lp_denials_view *view);
	int (*audit)(
	    const struct lp_print *print, const struct lp_audit_view *view);
	int (*confirmed)(
	    const struct lp_print *print, const Lp__Pb__ConfirmReply *reply);
	int (*history)(
	    const struct lp_print *print, const struct lp_history_view *view);
	/* A round of top where there is no screen. */
	int (*top)(
	    const struct lp_print *print, const struct lp_top_picture *picture);
	int (*trace)(
	    const struct lp_print *print, const struct lp_trace_view *view);
	int (*captured)(
	    const struct lp_print *print, const struct lp_capture_view *view);
	/* What "db" has copied, read or restored. */
	int (*db)(const struct lp_print *print, const struct lp_db_view *view);
	/* What "pki" has made, or lists. */
	int (*pki)(
	    const struct lp_print *print, const struct lp_pki_view *view);
	/* What is wrong with files, or that nothing is. */
	int (*checked)(
	    const struct lp_print *print, const struct lp_check_view *view);
	/* reply: NULL if lp-controld cannot be reached. */
	int (*version)(
	    const struct lp_print *print, const Lp__Pb__VersionReply *reply);
};

extern const struct lp_output lp_output_text;
extern const struct lp_output lp_output_json;

#endif
