/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report_line.h"
#include "proto/text.h"
#include "proto/utf8.h"

enum {
	KEPT_MAX = 2 * LP_REPORT_PROBLEMS_MAX,
	SETTLED_MAX = LP_REPORT_PROBLEMS_MAX,
	SEVERITIES = LP_SEVERITY_WARNING + 1,
	/* What has been counted is noted at every so many bytes. */
	STEP = 1 << 16,
};

/* What lies before a byte of a file. */
struct mark {
	uint32_t line; /* its line, from 0, which begins there: */
	uint32_t line_begin;
	uint32_t characters;
};

struct file {
	char *name, *text;
	size_t len;
	struct mark *marks; /* of each STEP */
	bool marked; /* when first asked */
};

struct lp_report {
	struct file *files;
	size_t file_count;
	struct lp_problem problems[KEPT_MAX]; /* ordered */
	size_t kept;
	size_t counts[SEVERITIES];
	struct lp_span settled[SETTLED_MAX];
	size_t settled_count;
};

static const char *const severity_words[SEVERITIES] = {
    [LP_SEVERITY_ERROR] = "error",
    [LP_SEVERITY_WARNING] = "warning",
};

static bool is_said(
    const struct lp_report *report, const struct lp_problem *problem);
static void keep(struct lp_report *report, const struct lp_problem *problem);
static int compare(const struct lp_span *a, const struct lp_span *b);
static struct mark mark_at(const struct file *file, uint32_t offset);
static void count_on(
    struct mark *mark, const char *text, uint32_t from, uint32_t to);
static void print_problem(const struct lp_report *report,
    const struct lp_problem *problem, FILE *out, bool color);

int
lp_report_new(struct lp_report **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void
lp_report_free(struct lp_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->file_count; i++) {
		free(report->files[i].name);
		free(report->files[i].text);
		free(report->files[i].marks);
	}
	free(report->files);
	free(report);
}

int
lp_report_add_file(
    struct lp_report *report, const char *name, char *text, size_t len)
{
	struct file file = {.text = text, .len = len};
	struct file *files;
	int err = -ENOMEM;

	assert(text && text[len] == '\0');
	if (report->file_count == LP_REPORT_FILES_MAX) {
		err = -ENOSPC;
		goto fail;
	}
	if (len > UINT32_MAX - STEP) {
		err = -EFBIG;
		goto fail;
	}
	file.name = strdup(name);
	file.marks = malloc((len / STEP + 1) * sizeof(*file.marks));
	files =
	    reallocarray(report->files, report->file_count + 1, sizeof(*files));
	if (files)
		report->files = files;
	if (!files || !file.name || !file.marks)
		goto fail;
	files[report->file_count] = file;
	return (int)report->file_count++;
fail:
	free(file.name);
	free(file.marks);
	free(text);
	return err;
}

const char *
lp_report_text(const struct lp_report *report, unsigned file, size_t *len)
{
	assert(file < report->file_count);
	*len = report->files[file].len;
	return report->files[file].text;
}

size_t
lp_report_file_count(const struct lp_report *report)
{
	return report->file_count;
}

const char *
lp_report_name(const struct lp_report *report, unsigned file)
{
	assert(file < report->file_count);
	return report->files[file].name;
}

void
lp_report_add(struct lp_report *report, enum lp_severity severity,
    const struct lp_span *span, const char *format, ...)
{
	struct lp_problem problem = {
	    .severity = (uint8_t)severity, .span = *span};
	va_list args;
	int len;

	assert(span->file < report->file_count && span->from <= span->to);
	assert(span->to <= report->files[span->file].len);
	va_start(args, format);
	len = vsnprintf(problem.text, sizeof(problem.text), format, args);
	va_end(args);
	if (len >= (int)sizeof(problem.text))
		problem.text[lp_text_fit(problem.text, (size_t)len,
		    sizeof(problem.text) - 1)] = '\0';
	if (is_said(report, &problem))
		return;
	if (report->counts[severity]++ < LP_REPORT_PROBLEMS_MAX)
		keep(report, &problem);
}

void
lp_report_settle(struct lp_report *report, const struct lp_span *span)
{
	/* Beyond that, nothing is kept either: the numbers may be too high. */
	if (report->settled_count < SETTLED_MAX)
		report->settled[report->settled_count++] = *span;
}

size_t
lp_report_count(const struct lp_report *report, enum lp_severity severity)
{
	return report->counts[severity];
}

const struct lp_problem *
lp_report_problems(const struct lp_report *report, size_t *count)
{
	*count = report->kept;
	return report->problems;
}

void
lp_report_locate(const struct lp_report *report, const struct lp_span *span,
    uint32_t *line, uint32_t *column)
{
	const struct file *file = &report->files[span->file];
	struct mark place, begin;

	*line = *column = 0;
	if (file->len == 0)
		return;
	place = mark_at(file, span->from);
	begin = mark_at(file, place.line_begin);
	*line = place.line + 1;
	*column = place.characters - begin.characters + 1;
}

void
lp_report_print(const struct lp_report *report, FILE *out, bool color)
{
	for (size_t i = 0; i < report->kept; i++)
		print_problem(report, &report->problems[i], out, color);
	for (unsigned i = LP_SEVERITY_ERROR; i < SEVERITIES; i++) {
		size_t count = report->counts[i];
		size_t more = count - LP_REPORT_PROBLEMS_MAX;

		if (count > LP_REPORT_PROBLEMS_MAX)
			(void)fprintf(out, "and %zu more %s%s\n", more,
			    severity_words[i], more == 1 ? "" : "s");
	}
}

static bool
is_said(const struct lp_report *report, const struct lp_problem *problem)
{
	for (size_t i = 0; i < report->settled_count; i++)
		if (compare(&report->settled[i], &problem->span) == 0)
			return true;
	for (size_t i = 0; i < report->kept; i++) {
		const struct lp_problem *other = &report->problems[i];

		if (other->severity == problem->severity &&
		    compare(&other->span, &problem->span) == 0 &&
		    strcmp(other->text, problem->text) == 0)
			return true;
	}
	return false;
}

/* Behind those that were said of the same place before. */
static void
keep(struct lp_report *report, const struct lp_problem *problem)
{
	struct lp_problem *list = report->problems;
	size_t at = report->kept++;

	assert(at < KEPT_MAX);
	while (at > 0 && compare(&list[at - 1].span, &problem->span) > 0)
		at--;
	memmove(
	    list + at + 1, list + at, (report->kept - 1 - at) * sizeof(*list));
	list[at] = *problem;
}

static int
compare(const struct lp_span *a, const struct lp_span *b)
{
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to == b->to ? 0 : a->to < b->to ? -1 : 1;
}

/* What is counted up to a byte, from the mark before it. */
static struct mark
mark_at(const struct file *file, uint32_t offset)
{
	struct file *cache = (struct file *)file;
	uint32_t near = offset / STEP;
	struct mark mark = {0};

	assert(offset <= file->len);
	if (!file->marked) {
		for (uint32_t i = 0; i <= file->len / STEP; i++) {
			cache->marks[i] = mark;
			if ((size_t)(i + 1) * STEP <= file->len)
				count_on(&mark, file->text, i * STEP,
				    (i + 1) * STEP);
		}
		cache->marked = true;
	}
	mark = file->marks[near];
	count_on(&mark, file->text, near * STEP, offset);
	return mark;
}

static void
count_on(struct mark *mark, const char *text, uint32_t from, uint32_t to)
{
	for (uint32_t at = from; at < to; at++) {
		mark->characters += !lp_utf8_is_inside(text[at]);
		if (text[at] == '\n') {
			mark->line++;
			mark->line_begin = at + 1;
		}
	}
}

static void
print_problem(const struct lp_report *report, const struct lp_problem *problem,
    FILE *out, bool color)
{
	const struct file *file = &report->files[problem->span.file];
	const char *strong = color ? "\033[1m" : "";
	const char *plain = color ? "\033[0m" : "";
	const char *shade = !color                   ? ""
	    : problem->severity == LP_SEVERITY_ERROR ? "\033[1;31m"
						     : "\033[1;35m";
	uint32_t line, column;

	lp_report_locate(report, &problem->span, &line, &column);
	(void)fputs(strong, out);
	lp_report_line_text(out, file->name);
	if (line > 0)
		(void)fprintf(out, ":%u:%u", line, column);
	(void)fprintf(out, ":%s %s%s:%s ", plain, shade,
	    severity_words[problem->severity], plain);
	lp_report_line_text(out, problem->text);
	(void)fputc('\n', out);
	if (line == 0)
		return;
	lp_report_line_show(out, file->text, file->len, problem->span.from,
	    problem->span.to, shade, plain);
}
