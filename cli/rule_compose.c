/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rule_compose.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

static int tell(struct lp_rule_compose *compose, const struct lp_span *span,
    const char *first, const char *second, const char *why);
static struct lp_span span_of(const struct lp_rule_compose *compose,
    const struct lp_rule_compose_part *part, size_t from, size_t to);

void
lp_rule_compose_init(struct lp_rule_compose *compose,
    const struct lp_yaml_node *whole, const char *name,
    struct lp_report *report)
{
	compose->report = report;
	compose->whole = whole;
	compose->name = name;
	compose->len = 0;
	compose->count = 0;
	compose->values = 0;
	compose->text[0] = '\0';
}

void
lp_rule_compose_put(struct lp_rule_compose *compose, const char *text)
{
	size_t len = strlen(text);

	assert(compose->len + len < sizeof(compose->text));
	memcpy(compose->text + compose->len, text, len + 1);
	compose->len += len;
}

void
lp_rule_compose_begin(struct lp_rule_compose *compose,
    const struct lp_span *span, const char *first, const char *second)
{
	assert(compose->count < LP_RULE_COMPOSE_PARTS);
	compose->parts[compose->count++] = (struct lp_rule_compose_part){
	    .from = (uint32_t)compose->len,
	    .to = (uint32_t)compose->len,
	    .span = *span,
	    .first = first,
	    .second = second,
	};
}

void
lp_rule_compose_end(struct lp_rule_compose *compose)
{
	assert(compose->count > 0);
	compose->parts[compose->count - 1].to = (uint32_t)compose->len;
}

void
lp_rule_compose_put_node(
    struct lp_rule_compose *compose, const struct lp_yaml_node *node)
{
	struct lp_rule_compose_part *part;

	assert(compose->count > 0);
	part = &compose->parts[compose->count - 1];
	part->node = node;
	part->node_from = (uint32_t)compose->len;
	lp_rule_compose_put(compose, node->text);
}

/* From the part where it begins to the one where it ends. */
int
lp_rule_compose_refuse(
    struct lp_rule_compose *compose, const struct lp_rule_error *error)
{
	size_t from = error->column - 1, to = from + error->len;
	const struct lp_rule_compose_part *first = NULL, *last = NULL;
	struct lp_span span;

	assert(error->column > 0);
	for (size_t i = 0; i < compose->count; i++) {
		const struct lp_rule_compose_part *part = &compose->parts[i];

		if (part->from <= from)
			first = part;
		if (part->from < to)
			last = part;
	}
	if (!first || first != last)
		return tell(
		    compose, &compose->whole->span, NULL, NULL, error->why);
	span = span_of(compose, first, from, to);
	return tell(compose, &span, first->first, first->second, error->why);
}

int
lp_rule_compose_say(struct lp_rule_compose *compose, const struct lp_span *span,
    const char *first, const char *second, const char *format, ...)
{
	char why[LP_WHY_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return tell(compose, span, first, second, why);
}

struct lp_span
lp_rule_compose_inside(const struct lp_report *report,
    const struct lp_yaml_node *node, size_t from, size_t len)
{
	struct lp_span span = node->span;
	size_t size, text_len = strlen(node->text);
	const char *file = lp_report_text(report, span.file, &size);

	if (!file || span.to > size || span.from > span.to)
		return span;
	if (span.to - span.from == text_len + 2 &&
	    strchr("\"'", file[span.from])) {
		span.from++;
		span.to--;
	}
	if (span.to - span.from != text_len ||
	    memcmp(file + span.from, node->text, text_len) != 0)
		return node->span;
	from = from < text_len ? from : text_len;
	len = len < text_len - from ? len : text_len - from;
	span.from += (uint32_t)from;
	span.to = span.from + (uint32_t)len;
	return span;
}

static struct lp_span
span_of(const struct lp_rule_compose *compose,
    const struct lp_rule_compose_part *part, size_t from, size_t to)
{
	if (!part->node || from < part->node_from)
		return part->span;
	return lp_rule_compose_inside(
	    compose->report, part->node, from - part->node_from, to - from);
}

static int
tell(struct lp_rule_compose *compose, const struct lp_span *span,
    const char *first, const char *second, const char *why)
{
	lp_report_add(compose->report, LP_SEVERITY_ERROR, span,
	    "%s%s%s%s%s: %s", compose->name, first ? "." : "",
	    first ? first : "", second ? "." : "", second ? second : "", why);
	return -EINVAL;
}
