/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a rule holds, or does not: rules asked one by one, and in words.
 *
 * The packet path asks a compiled table (dataplane/pipeline/rules.h).  Here is
 * the same question in its plainest form, written apart from it, so that the
 * two can be compared; who explains a rule has both.  Cold, and pure: no memory
 * but the caller's.
 */
#ifndef LP_PROTO_RULE_EXPLAIN_H
#define LP_PROTO_RULE_EXPLAIN_H

#include "proto/rule.h"

/* What is asked about: a connection that opens, or a request in one. */
struct lp_rule_subject {
	bool is_request;
	uint32_t has; /* 1 << enum lp_rule_field */
	uint32_t cut; /* likewise: there is more of the text than here */
	int64_t numbers[LP_RULE_FIELD_COUNT]; /* as in lp_rule_value */
	struct lp_ip ips[LP_RULE_FIELD_COUNT];
	const char *texts[LP_RULE_FIELD_COUNT]; /* borrowed; without a NUL */
	uint16_t lens[LP_RULE_FIELD_COUNT];
};

void lp_rule_subject_number(
    struct lp_rule_subject *subject, unsigned field, int64_t number);
void lp_rule_subject_text(struct lp_rule_subject *subject, unsigned field,
    const char *text, size_t len);
void lp_rule_subject_ip(
    struct lp_rule_subject *subject, unsigned field, const struct lp_ip *ip);

/*
 * A request, described in the words of a match: `api=Produce topic=a,b`.  Its
 * API, and of its other fields one exact value each; of topics several, which
 * are asked one by one.
 */
enum {
	LP_RULE_REQUEST_TOPICS_MAX = 16,
	/* Bytes of the frame, where it does not say. */
	LP_RULE_REQUEST_SIZE = 100,
};

/*
 * 0, or -EINVAL with *error, whose column is in the canonical text: it is no
 * description, or no such request can be.
 */
int lp_rule_request_check(
    const struct lp_rule_match *request, struct lp_rule_error *error);

/* How many topics are to be asked one by one; 1 where there is none. */
uint16_t lp_rule_request_parts(const struct lp_rule_match *request);

/* Adds it to a connection, with one of its topics.  Borrows. */
void lp_rule_request_take(struct lp_rule_subject *subject,
    const struct lp_rule_match *request, uint16_t part);

/* What a rule is to a subject, as all are asked in their order. */
enum lp_rule_role {
	LP_RULE_BEHIND = 0, /* another one has decided */
	LP_RULE_UNASKED, /* of requests, and this is a connection */
	LP_RULE_DIFFERS,
	LP_RULE_SEES, /* it holds and does not decide */
	LP_RULE_DECIDES,
};

struct lp_rule_trial {
	const struct lp_rule_subject *subject;
	bool is_over;
	bool passes; /* one of requests, before it, lets some of them pass */
	bool later; /* so a reset of the connection is one of requests */
};

/* The next rule in the order. */
enum lp_rule_role lp_rule_trial_ask(struct lp_rule_trial *trial,
    const struct lp_rule_match *match, const struct lp_rule_action *action,
    bool shadow);

/* The first field that does not hold; LP_RULE_FIELD_COUNT: the rule does. */
unsigned lp_rule_differs(const struct lp_rule_match *match,
    const struct lp_rule_action *action, const struct lp_rule_subject *subject);

/*
 * "src 10.9.0.7 is in 10.9.0.0/16, api is Produce" of a rule that holds, or
 * "src 10.1.0.1 is not in 10.2.0.0/16": of the first field that does not.  What
 * is too long ends in "...".  The match has been parsed.  Returns text.
 */
enum { LP_RULE_REASON_SIZE = 256 };
char *lp_rule_explain(char text[LP_RULE_REASON_SIZE],
    const struct lp_rule_match *match, const struct lp_rule_action *action,
    const struct lp_rule_subject *subject);

/*
 * What the action of a rule of that match does, if it is no mere verdict: how
 * that connection is sent; or what is edited in that request, and what its
 * client is answered, or why nothing.  "": nothing is to be said.  See
 * lightpath-rules(7).  Returns text.
 */
char *lp_rule_effect(char text[LP_RULE_REASON_SIZE],
    const struct lp_rule_match *match, const struct lp_rule_action *action,
    const struct lp_rule_subject *subject);

/*
 * Why a deny that names no API leaves that request to the rules behind it;
 * NULL: it denies it.  match: NULL of any, whether it asks for topics or not.
 */
const char *lp_rule_undenied(
    const struct lp_rule_match *match, const struct lp_rule_subject *subject);

#endif
