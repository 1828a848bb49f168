/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/trace_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/admit.h"
#include "dataplane/pipeline/gate.h"
#include "proto/object_rule.h"

static int by_turn(const void *a, const void *b);
static bool ask_one(struct lp_trace_rules questions[], unsigned count,
    const struct lp_object *object);
static void take(struct lp_trace_rules *question,
    const struct lp_object *object, const struct lp_object_rule *rule,
    enum lp_rule_role role);
static struct lp_trace_rules_row *other(
    struct lp_trace_rules *question, unsigned differs);
static void compare(struct lp_trace_rules *question,
    const struct lp_config *config, const struct lp_rules *rules);
static void look_up(const struct lp_trace_rules *question,
    const struct lp_rules *rules, struct lp_rules_found *found);
static struct lp_rules_request request_of(
    const struct lp_rule_subject *subject);

bool
lp_trace_rules_wanted(struct lp_conn *out, const struct lp_snapshot *snapshot,
    uint8_t slot, const struct lp_tuple *tuple)
{
	const struct lp_service *service =
	    lp_snapshot_service(snapshot, &tuple->dst, tuple->dport);
	const struct lp_target *target = NULL;

	if (service)
		target = lp_snapshot_choose(
		    snapshot, service, &tuple->src, tuple->sport);
	if (!target)
		return false;
	*out = lp_admit_conn(snapshot, target, slot, tuple);
	return true;
}

void
lp_trace_rules_of(struct lp_trace_rules *out, const struct lp_config *config,
    const struct lp_conn *conn)
{
	const struct lp_object *cluster =
	    lp_config_find(config, LP_OBJECT_CLUSTER, conn->named_cluster_id);
	const struct lp_object *listener =
	    lp_config_find(config, LP_OBJECT_LISTENER, conn->listener_id);
	const struct lp_object *port =
	    lp_config_find(config, LP_OBJECT_PORT, conn->port_id);
	struct lp_rule_subject *subject = &out->subject;

	memset(out, 0, sizeof(*out));
	out->connection = lp_gate_ask(conn);
	out->trial.subject = subject;
	if (cluster)
		lp_rule_subject_text(subject, LP_RULE_CLUSTER,
		    cluster->cluster.name, strlen(cluster->cluster.name));
	if (listener) {
		/* As rules name it: a label without its kind. */
		const char *name =
		    strchr(
			lp_config_label(config, listener, out->listener), ' ') +
		    1;

		lp_rule_subject_text(
		    subject, LP_RULE_LISTENER, name, strlen(name));
	}
	if (port)
		lp_rule_subject_text(subject, LP_RULE_PORT, port->port.name,
		    strlen(port->port.name));
	if (conn->node_id >= 0)
		lp_rule_subject_number(subject, LP_RULE_BROKER, conn->node_id);
	lp_rule_subject_ip(subject, LP_RULE_SRC, &conn->client_ip);
	lp_rule_subject_ip(subject, LP_RULE_DST, &conn->vip_ip);
	lp_rule_subject_number(subject, LP_RULE_SRC_PORT, conn->client_port);
	lp_rule_subject_number(subject, LP_RULE_DST_PORT, conn->vip_port);
}

void
lp_trace_rules_of_request(struct lp_trace_rules *out,
    const struct lp_config *config, const struct lp_conn *conn,
    const struct lp_rule_match *request, uint16_t part)
{
	lp_trace_rules_of(out, config, conn);
	lp_rule_request_take(&out->subject, request, part);
}

int
lp_trace_rules_ask(struct lp_trace_rules questions[], unsigned count,
    const struct lp_config *config, const struct lp_rules *rules)
{
	size_t first, total = lp_config_range(config, LP_OBJECT_RULE, &first);
	const struct lp_object **order = calloc(total + 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < total; i++)
		order[i] = &config->objects[first + i];
	qsort(order, total, sizeof(*order), by_turn);
	for (size_t i = 0; i < total; i++)
		if (!ask_one(questions, count, order[i]))
			break;
	free(order);
	for (unsigned i = 0; i < count && rules; i++)
		compare(&questions[i], config, rules);
	return 0;
}

static int
by_turn(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;

	return lp_object_rule_order(*left, *right);
}

/* Read once for all of them.  False: all have been answered. */
static bool
ask_one(struct lp_trace_rules questions[], unsigned count,
    const struct lp_object *object)
{
	struct lp_object_rule rule;
	struct lp_rule_error error;
	bool goes_on = false;

	for (unsigned i = 0; i < count; i++)
		goes_on |= !questions[i].trial.is_over;
	if (!goes_on)
		return false;
	/* They were read when they were applied: these cannot fail. */
	(void)lp_rule_match_parse(&rule.match, object->rule.match, &error);
	(void)lp_rule_action_parse(&rule.action, object->rule.action, &error);
	for (unsigned i = 0; i < count; i++)
		take(&questions[i], object, &rule,
		    lp_rule_trial_ask(&questions[i].trial, &rule.match,
			&rule.action, object->rule.shadow));
	return true;
}

static void
take(struct lp_trace_rules *question, const struct lp_object *object,
    const struct lp_object_rule *rule, enum lp_rule_role role)
{
	struct lp_trace_rules_row *row = NULL;
	unsigned differs;

	switch (role) {
	case LP_RULE_BEHIND:
		return;
	case LP_RULE_UNASKED:
		if (question->trial.passes && !question->passes)
			question->passes = object;
		return;
	case LP_RULE_DECIDES:
		row = &question->decides;
		break;
	case LP_RULE_SEES:
		if (question->seen_count < LP_RULES_SEEN_MAX)
			row = &question->seen[question->seen_count++];
		else
			question->seen_more++;
		break;
	case LP_RULE_DIFFERS:
		differs = lp_rule_differs(
		    &rule->match, &rule->action, &question->subject);
		if (differs == LP_RULE_CLUSTER || differs == LP_RULE_LISTENER)
			question->elsewhere++;
		else
			row = other(question, differs);
		break;
	}
	if (!row)
		return;
	row->rule = object;
	if (role != LP_RULE_DIFFERS)
		lp_rule_effect(row->effect, &rule->match, &rule->action,
		    &question->subject);
	lp_rule_explain(
	    row->text, &rule->match, &rule->action, &question->subject);
}

/* A place for one that differs there; NULL: those that are told are closer. */
static struct lp_trace_rules_row *
other(struct lp_trace_rules *question, unsigned differs)
{
	struct lp_trace_rules_row *others = question->others;
	unsigned last = LP_TRACE_RULES_MAX - 1, far = 0;

	if (question->others_count <= last) {
		last = question->others_count++;
	} else {
		question->others_more++;
		/* Of equals the last one goes. */
		for (unsigned i = 1; i <= last; i++)
			if (others[i].differs <= others[far].differs)
				far = i;
		if (others[far].differs >= differs)
			return NULL;
		memmove(&others[far], &others[far + 1],
		    (last - far) * sizeof(*others));
	}
	others[last] = (struct lp_trace_rules_row){.differs = (uint8_t)differs};
	return &others[last];
}

/* ---- the table ----------------------------------------------------------- */

/* What the packet path does is what it says. */
static void
compare(struct lp_trace_rules *question, const struct lp_config *config,
    const struct lp_rules *rules)
{
	const struct lp_object *decides = question->decides.rule;
	const struct lp_object *other = NULL;
	struct lp_rules_found found;
	bool none;

	look_up(question, rules, &found);
	none = found.decides == LP_RULES_NONE;
	if (!none)
		other = lp_config_find(
		    config, LP_OBJECT_RULE, rules->rows[found.decides].id);
	if (none ? decides != NULL : other == NULL || other != decides)
		snprintf(question->fault, sizeof(question->fault),
		    "the table that packets ask says otherwise: %s%s",
		    other ? "it is rule " : "no rule",
		    other ? other->rule.name : "");
	else if (found.seen_count != question->seen_count ||
	    found.more != question->seen_more ||
	    found.later != question->trial.later)
		snprintf(question->fault, sizeof(question->fault),
		    "the table that packets ask counts others before it");
}

static void
look_up(const struct lp_trace_rules *question, const struct lp_rules *rules,
    struct lp_rules_found *found)
{
	struct lp_rules_request request;

	if (!question->subject.is_request) {
		lp_rules_connection(rules, &question->connection, found);
		return;
	}
	request = request_of(&question->subject);
	lp_rules_request(rules, &question->connection, &request, found);
}

static struct lp_rules_request
request_of(const struct lp_rule_subject *subject)
{
	struct lp_rules_request request = {
	    .frame_size = (uint32_t)subject->numbers[LP_RULE_FRAME_SIZE],
	    .api = -1,
	    .version = -1,
	    .acks = LP_RULES_NO_ACKS,
	    .from = (uint8_t)subject->numbers[LP_RULE_FROM]};

	if (subject->has >> LP_RULE_API & 1)
		request.api = (int16_t)subject->numbers[LP_RULE_API];
	if (request.api >= 0 && lp_rule_undenied(NULL, subject))
		request.undenied = LP_RULES_UNDENIED;
	else if (request.api >= 0 && lp_rule_deny_is_whole(request.api))
		request.undenied = LP_RULES_UNDENIED_BY_TOPIC;
	if (subject->has >> LP_RULE_VERSION & 1)
		request.version = (int16_t)subject->numbers[LP_RULE_VERSION];
	if (subject->has >> LP_RULE_ACKS & 1)
		request.acks = (int16_t)subject->numbers[LP_RULE_ACKS];
	for (unsigned i = 0; i < LP_RULES_TEXTS; i++)
		if (subject->has >> (LP_RULE_CLIENT_ID + i) & 1)
			request.text[i] = (struct lp_rules_text){
			    .bytes = (const uint8_t *)
					 subject->texts[LP_RULE_CLIENT_ID + i],
			    .len = subject->lens[LP_RULE_CLIENT_ID + i]};
	return request;
}
