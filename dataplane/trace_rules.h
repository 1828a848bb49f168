/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rule decides, and why not the others: the rules of the configuration
 * that runs, asked one by one (proto/rule_explain.h), and what the table that
 * the packet path asks says to it.  Control thread only: it reads all rules.
 */
#ifndef LP_DATAPLANE_TRACE_RULES_H
#define LP_DATAPLANE_TRACE_RULES_H

#include "dataplane/pipeline/conntrack.h"
#include "dataplane/pipeline/rules.h"
#include "dataplane/pipeline/snapshot.h"
#include "proto/config.h"
#include "proto/rule_explain.h"

/* A rule, and why it holds or does not. */
struct lp_trace_rules_row {
	const struct lp_object *rule; /* NULL: none */
	uint8_t differs; /* lp_rule_differs() */
	char text[LP_RULE_REASON_SIZE];
	char effect[LP_RULE_REASON_SIZE]; /* lp_rule_effect() */
};

/* What is asked, and then the answer. */
struct lp_trace_rules {
	struct lp_rules_connection connection;
	struct lp_rule_subject subject;
	char listener[LP_OBJECT_LABEL_SIZE]; /* that the subject borrows */

	struct lp_rule_trial trial;
	struct lp_trace_rules_row decides;
	/*
	 * In their order, before the one that decides.  Of the others those
	 * that come closest: whose first field that differs is a later one.
	 */
	struct lp_trace_rules_row seen[LP_RULES_SEEN_MAX];
	struct lp_trace_rules_row others[LP_TRACE_RULES_MAX];
	uint32_t seen_count, seen_more;
	uint32_t others_count, others_more;
	uint32_t elsewhere; /* of other listeners and clusters */
	const struct lp_object *passes; /* see lp_rule_trial; or NULL */
	char fault[LP_WHY_SIZE]; /* the table says otherwise; "": it does not */
};

/*
 * The connection that a SYN with that tuple asks for, before rules have had
 * their say.  False: there is none.
 */
bool lp_trace_rules_wanted(struct lp_conn *out,
    const struct lp_snapshot *snapshot, uint8_t slot,
    const struct lp_tuple *tuple);

/* Of a connection that opens.  Borrows names of the configuration. */
void lp_trace_rules_of(struct lp_trace_rules *out,
    const struct lp_config *config, const struct lp_conn *conn);

/* Of a request in it; borrows that, too. */
void lp_trace_rules_of_request(struct lp_trace_rules *out,
    const struct lp_config *config, const struct lp_conn *conn,
    const struct lp_rule_match *request, uint16_t part);

/* Asks them all, in one pass over the rules.  0, or -ENOMEM. */
int lp_trace_rules_ask(struct lp_trace_rules questions[], unsigned count,
    const struct lp_config *config, const struct lp_rules *rules);

#endif
