/* SPDX-License-Identifier: Apache-2.0 */
/* What rules are asked about: see rule_explain.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/rule_explain.h"
#include "proto/rule_words.h"

static int check_field(const struct lp_rule_match *request, unsigned field,
    struct lp_rule_error *error);
static int check_value(const struct lp_rule_match *request,
    const struct lp_rule_value *value, int index, struct lp_rule_error *error);
static int refuse(const struct lp_rule_match *request, unsigned field,
    int value, struct lp_rule_error *error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

void
lp_rule_subject_number(
    struct lp_rule_subject *subject, unsigned field, int64_t number)
{
	subject->has |= 1u << field;
	subject->numbers[field] = number;
}

void
lp_rule_subject_text(struct lp_rule_subject *subject, unsigned field,
    const char *text, size_t len)
{
	subject->has |= 1u << field;
	subject->texts[field] = text;
	subject->lens[field] = (uint16_t)len;
}

void
lp_rule_subject_ip(
    struct lp_rule_subject *subject, unsigned field, const struct lp_ip *ip)
{
	subject->has |= 1u << field;
	subject->ips[field] = *ip;
}

uint16_t
lp_rule_request_parts(const struct lp_rule_match *request)
{
	const struct lp_rule_value *topics;
	uint16_t count = lp_rule_match_values(request, LP_RULE_TOPIC, &topics);

	return count > 0 ? count : 1;
}

void
lp_rule_request_take(struct lp_rule_subject *subject,
    const struct lp_rule_match *request, uint16_t part)
{
	subject->is_request = true;
	lp_rule_subject_number(subject, LP_RULE_FROM, LP_RULE_FROM_CLIENT);
	lp_rule_subject_number(
	    subject, LP_RULE_FRAME_SIZE, LP_RULE_REQUEST_SIZE);
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		const struct lp_rule_value *value;

		if (lp_rule_match_values(request, field, &value) == 0)
			continue;
		if (field == LP_RULE_TOPIC)
			value += part;
		if (value->kind == LP_RULE_EXACT)
			lp_rule_subject_text(subject, field,
			    request->text + value->text, value->len);
		else
			lp_rule_subject_number(subject, field, value->low);
	}
}

int
lp_rule_request_check(
    const struct lp_rule_match *request, struct lp_rule_error *error)
{
	/* It goes with whatever a request can have. */
	static const struct lp_rule_action any = {.verdict = LP_RULE_OBSERVE};

	memset(error, 0, sizeof(*error));
	if (!(request->fields >> LP_RULE_API & 1)) {
		snprintf(error->why, sizeof(error->why),
		    "what is asked is missing: api=NAME");
		return -EINVAL;
	}
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		int rc = check_field(request, field, error);

		if (rc)
			return rc;
	}
	return lp_rule_check(request, &any, error);
}

static int
check_field(const struct lp_rule_match *request, unsigned field,
    struct lp_rule_error *error)
{
	const char *name = lp_rule_field_name(field);
	const struct lp_rule_value *values;
	uint16_t count = lp_rule_match_values(request, field, &values);
	int max = field == LP_RULE_TOPIC ? LP_RULE_REQUEST_TOPICS_MAX : 1;

	if (count > 0 && lp_rule_field_is_connection(field))
		return refuse(request, field, -1, error,
		    "%s is of the connection, which the packet says", name);
	for (uint16_t i = 0; i < count; i++) {
		int rc = check_value(request, &values[i], i, error);

		if (rc)
			return rc;
	}
	if (count > max && max > 1)
		return refuse(request, field, max, error,
		    "more than %d topics at once", max);
	if (count > max)
		return refuse(
		    request, field, max, error, "a request has one %s", name);
	return 0;
}

static int
check_value(const struct lp_rule_match *request,
    const struct lp_rule_value *value, int index, struct lp_rule_error *error)
{
	const char *name = lp_rule_field_name(value->field);

	if (value->kind == LP_RULE_PREFIX)
		return refuse(request, value->field, index, error,
		    "%s is to be a whole one, and no prefix", name);
	if (value->kind == LP_RULE_RANGE && value->low != value->high)
		return refuse(request, value->field, index, error,
		    value->field == LP_RULE_FROM
			? "%s is one of client and broker"
			: "%s is to be one number, and no range",
		    name);
	return 0;
}

static int
refuse(const struct lp_rule_match *request, unsigned field, int value,
    struct lp_rule_error *error, const char *format, ...)
{
	struct lp_rule_place place = {.field = field, .value = value};
	va_list args;

	lp_rule_match_write(NULL, 0, request, &place);
	error->column = place.column;
	error->len = place.len;
	va_start(args, format);
	vsnprintf(error->why, sizeof(error->why), format, args);
	va_end(args);
	return -EINVAL;
}
