/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/yaml_error.h"

#include <string.h>

enum where {
	HERE, /* the word at which libyaml gave up */
	CHARACTER, /* only that character of it */
	BEGIN, /* where what it was reading begins */
};

struct wording {
	const char *problem; /* of libyaml; how it begins */
	const char *context; /* what it was doing; NULL: anything */
	enum where where;
	bool since; /* also tells where what it was reading begins */
	const char *text;
};

static const struct wording wordings[] = {
    {"could not find expected ':'", NULL, BEGIN, false,
	"there is no \":\" behind this key"},
    {"mapping values are not allowed", NULL, CHARACTER, false,
	"no \":\" is expected here: quote a text that has \": \" in it, or "
	"mend "
	"the indentation"},
    {"found unexpected ':'", NULL, CHARACTER, false,
	"no \":\" is expected here: quote a text that ends with it"},
    {"mapping keys are not allowed", NULL, CHARACTER, false,
	"no \"?\" is expected here: quote a text that begins with it"},
    {"block sequence entries are not allowed", NULL, CHARACTER, false,
	"no item of a list is expected here: mend the indentation, or quote a "
	"text that begins with \"- \""},
    {"did not find expected key", NULL, HERE, true,
	"here a key or the end of the map is expected: is the indentation "
	"right, or a quote missing?"},
    {"did not find expected '-' indicator", NULL, HERE, true,
	"here \"- \" or the end of the list is expected: is the indentation "
	"right?"},
    {"did not find expected ',' or ']'", NULL, HERE, true,
	"here \",\" or \"]\" of the list is expected"},
    {"did not find expected ',' or '}'", NULL, HERE, true,
	"here \",\" or \"}\" of the map is expected"},
    {"did not find expected node content", NULL, HERE, false,
	"here a value is expected"},
    {"did not find expected <document start>", NULL, HERE, false,
	"nothing is expected behind the end: is the indentation right?"},
    {"found character that cannot start any token", NULL, CHARACTER, false,
	"no text begins with this character: quote it"},
    {"found unexpected end of stream", "while scanning a quoted scalar", BEGIN,
	false, "the quote that begins here does not end"},
    {"found unexpected document indicator", NULL, BEGIN, false,
	"the quote that begins here does not end"},
    {"found unknown escape character", NULL, CHARACTER, false,
	"no such escape in double quotes: write \"\\\\\" for a backslash, or "
	"use single quotes"},
    {"did not find expected hexdecimal number", NULL, CHARACTER, false,
	"a hexadecimal digit of the escape is missing"},
    {"found invalid Unicode character escape code", NULL, CHARACTER, false,
	"the escape is no character of Unicode"},
    {"did not find expected alphabetic or numeric character",
	"while scanning an alias", BEGIN, false,
	"a text that begins with \"*\" must be quoted (aliases are not read)"},
    {"did not find expected alphabetic or numeric character",
	"while scanning an anchor", BEGIN, false,
	"a text that begins with \"&\" must be quoted (anchors are not read)"},
    {"", "while scanning a tag", BEGIN, false,
	"a text that begins with \"!\" must be quoted (tags are not read)"},
    {"", "while parsing a tag", BEGIN, false,
	"a text that begins with \"!\" must be quoted (tags are not read)"},
    {"found undefined tag handle", NULL, HERE, false,
	"a text that begins with \"!\" must be quoted (tags are not read)"},
    {"", "while scanning a directive", BEGIN, false,
	"a text that begins with \"%\" must be quoted"},
    {"", "while scanning a %YAML directive", BEGIN, false,
	"no such version of YAML: leave this line out"},
    {"found incompatible YAML document", NULL, HERE, false,
	"no such version of YAML: leave this line out"},
    {"", "while scanning a %TAG directive", BEGIN, false,
	"tags are not read: leave this line out"},
    {"did not find expected comment or line break",
	"while scanning a block scalar", HERE, false,
	"behind \"|\" or \">\" the text begins in the next line"},
    {"found an indentation indicator equal to 0", NULL, CHARACTER, false,
	"the indentation of a text is from 1 to 9"},
};

static const struct wording *find_wording(const yaml_parser_t *parser);
static bool find_tab(struct lp_span *span, const struct lp_yaml_text *text);
static void clamp(
    struct lp_span *span, const struct lp_yaml_text *text, enum where where);

void
lp_yaml_error_tell(struct lp_report *report, struct lp_yaml_text *text,
    const yaml_parser_t *parser)
{
	const struct wording *wording = find_wording(parser);
	enum where where = wording ? wording->where : HERE;
	struct lp_span span = {.file = text->file}, begin, tab;
	uint32_t line = 0, here = 0, column;

	span.from = lp_yaml_text_offset(text, parser->problem_mark.index);
	begin = span;
	if (parser->context)
		begin.from =
		    lp_yaml_text_offset(text, parser->context_mark.index);
	begin.to = begin.from;
	tab = span;
	if (find_tab(&tab, text)) {
		lp_report_add(report, LP_SEVERITY_ERROR, &tab,
		    "a tab in the indentation, which is of blanks only");
		return;
	}
	if (where == BEGIN)
		span = begin;
	clamp(&span, text, where);
	if (wording && wording->since && parser->context) {
		lp_report_locate(report, &begin, &line, &column);
		lp_report_locate(report, &span, &here, &column);
	}
	if (line != here)
		lp_report_add(report, LP_SEVERITY_ERROR, &span,
		    "%s (it begins in line %u)", wording->text, line);
	else
		lp_report_add(report, LP_SEVERITY_ERROR, &span, "%s",
		    wording ? wording->text : parser->problem);
}

static const struct wording *
find_wording(const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "";
	const char *context = parser->context ? parser->context : "";

	for (size_t i = 0; i < sizeof(wordings) / sizeof(wordings[0]); i++) {
		const struct wording *wording = &wordings[i];

		if (strncmp(problem, wording->problem,
			strlen(wording->problem)) == 0 &&
		    (!wording->context ||
			strcmp(context, wording->context) == 0))
			return wording;
	}
	return NULL;
}

/* A tab before all else in the line: whatever libyaml says, it is that. */
static bool
find_tab(struct lp_span *span, const struct lp_yaml_text *text)
{
	const char *at = text->text + span->from;
	const char *begin =
	    memrchr(text->text + text->begin, '\n', span->from - text->begin);

	begin = begin ? begin + 1 : text->text + text->begin;
	begin += strspn(begin, " ");
	if (*begin != '\t' || begin > at)
		return false;
	span->from = (uint32_t)(begin - text->text);
	span->to = span->from + (uint32_t)strspn(begin, "\t");
	return true;
}

/* The end of a span; what lies behind the last line is shown at its end. */
static void
clamp(struct lp_span *span, const struct lp_yaml_text *text, enum where where)
{
	const char *at = text->text + span->from;

	if (span->from == text->len) {
		while (span->from > text->begin &&
		    strchr(" \t\r\n", text->text[span->from - 1]))
			span->from--;
		span->to = span->from;
		return;
	}
	span->to = span->from + (uint32_t)strcspn(at, " \t\r\n");
	if (where == CHARACTER && span->to > span->from)
		span->to = lp_yaml_text_next(text, span->from);
}
