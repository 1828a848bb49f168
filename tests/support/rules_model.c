/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rules_model.h"

#include <stdlib.h>

static int compare(const void *a, const void *b);
static bool is_of_requests(const struct lp_rules_rule *rule);
static bool decides(const struct lp_rules_rule *rule);
static bool holds(const struct rules_model *model,
    const struct lp_rules_rule *rule,
    const struct lp_rules_connection *connection,
    const struct lp_rules_request *request, bool connection_alone);
static bool value_holds(const struct rules_model *model,
    const struct lp_rule_match *match, const struct lp_rule_value *value,
    const struct lp_rules_connection *connection,
    const struct lp_rules_request *request);
static bool text_holds(const struct lp_rule_match *match,
    const struct lp_rule_value *value, const struct lp_rules_text *text);
static bool in(const struct lp_rule_value *value, int64_t number);

void
rules_model_sort(struct rules_model *model)
{
	qsort(model->rules, model->count, sizeof(*model->rules), compare);
}

void
rules_model_find(const struct rules_model *model,
    const struct lp_rules_connection *connection,
    const struct lp_rules_request *request, struct lp_rules_found *out)
{
	bool passes_before = false;

	memset(out, 0, sizeof(*out));
	out->decides = LP_RULES_NONE;
	for (size_t i = 0; i < model->count; i++) {
		const struct lp_rules_rule *rule = &model->rules[i];
		uint8_t verdict = rule->action->verdict;

		if (request == NULL && is_of_requests(rule) &&
		    rule->action->has == 0) {
			passes_before |= decides(rule) &&
			    (verdict == LP_RULE_ALLOW ||
				verdict == LP_RULE_LIMIT) &&
			    holds(model, rule, connection, NULL, true);
			continue;
		}
		if (!holds(model, rule, connection, request, false))
			continue;
		if (decides(rule)) {
			out->decides = (uint32_t)i;
			out->later = request == NULL && passes_before &&
			    verdict == LP_RULE_RESET;
			return;
		}
		out->no_create |= verdict == LP_RULE_NO_CREATE && !rule->shadow;
		if (out->seen_count < LP_RULES_SEEN_MAX)
			out->seen[out->seen_count++] = (uint32_t)i;
		else
			out->more++;
	}
}

uint32_t
rules_model_name(void *context, unsigned field, const char *name, uint16_t len)
{
	(void)context;
	(void)field;
	return len == 2 && name[0] == 'n' && name[1] >= '1' && name[1] <= '9'
	    ? (uint32_t)(name[1] - '0')
	    : 0;
}

static int
compare(const void *a, const void *b)
{
	const struct lp_rules_rule *left = a, *right = b;

	if (left->priority != right->priority)
		return right->priority - left->priority;
	return left->id < right->id ? -1 : 1;
}

static bool
is_of_requests(const struct lp_rules_rule *rule)
{
	uint8_t verdict = rule->action->verdict;

	for (unsigned i = 0; i < rule->match->count; i++)
		if (rule->match->values[i].field >= LP_RULE_FROM)
			return true;
	return verdict == LP_RULE_DENY || verdict == LP_RULE_LIMIT ||
	    verdict == LP_RULE_NO_CREATE;
}

static bool
decides(const struct lp_rules_rule *rule)
{
	return !rule->shadow && rule->action->verdict != LP_RULE_OBSERVE &&
	    rule->action->verdict != LP_RULE_NO_CREATE;
}

/* A deny that names no API is of what can be denied. */
static bool
is_undenied(
    const struct lp_rules_rule *rule, const struct lp_rules_request *request)
{
	uint32_t fields = rule->match->fields;

	if (rule->action->verdict != LP_RULE_DENY ||
	    (fields >> LP_RULE_API & 1) != 0)
		return false;
	return request->undenied == LP_RULES_UNDENIED ||
	    (request->undenied == LP_RULES_UNDENIED_BY_TOPIC &&
		(fields >> LP_RULE_TOPIC & 1) != 0);
}

static bool
holds(const struct rules_model *model, const struct lp_rules_rule *rule,
    const struct lp_rules_connection *connection,
    const struct lp_rules_request *request, bool connection_alone)
{
	const struct lp_rule_match *match = rule->match;
	bool from = false;

	/* Of what can be denied alone. */
	if (request != NULL && rule->action->verdict == LP_RULE_DENY &&
	    (request->api >= LP_RULES_APIS ||
		lp_rule_deny_versions(request->api) == 0))
		return false;
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		bool asked = false, one = false;

		if (connection_alone && field >= LP_RULE_FROM)
			continue;
		for (unsigned i = 0; i < match->count; i++) {
			if (match->values[i].field != field)
				continue;
			asked = true;
			one |= value_holds(model, match, &match->values[i],
			    connection, request);
		}
		if (asked && !one)
			return false;
		from |= asked && field == LP_RULE_FROM;
	}
	if (request != NULL && is_undenied(rule, request))
		return false;
	return request == NULL || from || !is_of_requests(rule) ||
	    request->from == LP_RULE_FROM_CLIENT;
}

static bool
value_holds(const struct rules_model *model, const struct lp_rule_match *match,
    const struct lp_rule_value *value,
    const struct lp_rules_connection *connection,
    const struct lp_rules_request *request)
{
	uint32_t id = value->kind != LP_RULE_EXACT
	    ? 0
	    : model->names.find(
		  NULL, value->field, match->text + value->text, value->len);

	switch (value->field) {
	case LP_RULE_CLUSTER:
		return connection->cluster == id;
	case LP_RULE_LISTENER:
		return connection->listener == id;
	case LP_RULE_PORT:
		return connection->port == id;
	case LP_RULE_BROKER:
		return connection->broker >= 0 && in(value, connection->broker);
	case LP_RULE_SRC:
		return lp_prefix_contains(&value->prefix, &connection->src);
	case LP_RULE_DST:
		return lp_prefix_contains(&value->prefix, &connection->dst);
	case LP_RULE_SRC_PORT:
		return in(value, connection->src_port);
	case LP_RULE_DST_PORT:
		return in(value, connection->dst_port);
	case LP_RULE_FROM:
		return in(value, request->from);
	case LP_RULE_API:
		return request->api >= 0 && in(value, request->api);
	case LP_RULE_VERSION:
		return request->version >= 0 && in(value, request->version);
	case LP_RULE_ACKS:
		return request->acks >= -1 && request->acks <= 1 &&
		    in(value, request->acks);
	case LP_RULE_FRAME_SIZE:
		return in(value, request->frame_size);
	default:
		return text_holds(match, value,
		    &request->text[value->field - LP_RULE_CLIENT_ID]);
	}
}

static bool
text_holds(const struct lp_rule_match *match, const struct lp_rule_value *value,
    const struct lp_rules_text *text)
{
	if (text->bytes == NULL || text->len < value->len)
		return false;
	if (value->kind == LP_RULE_EXACT &&
	    (text->cut || text->len != value->len))
		return false;
	return memcmp(match->text + value->text, text->bytes, value->len) == 0;
}

static bool
in(const struct lp_rule_value *value, int64_t number)
{
	return value->low <= number && number <= value->high;
}
