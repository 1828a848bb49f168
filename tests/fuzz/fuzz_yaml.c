/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML files, whatever they are.
 *
 * A tree's spans lie in the text, children inside their parents and behind each
 * other, and a plain value is what its span covers.  Without a tree, or with
 * one that lacks something, there is a problem; all of them can be printed.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/yaml.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 1 << 16 };

/* One text, and its nodes so far. */
struct check {
	const char *text;
	size_t len;
	bool plain; /* nothing was wrong */
	size_t depth;
};

static void
check_text(
    const struct check *check, const struct lp_span *span, const char *text)
{
	const char *at = check->text + span->from;
	size_t len = span->to - span->from;

	/* A longer one is folded, of a quoted one escapes are resolved. */
	if (len == 0 || *at == '"' || *at == '\'' || memchr(at, '\n', len) ||
	    memchr(at, '\r', len) || memmem(at, len, "\xe2\x80", 2))
		return;
	if (*at == '|' || *at == '>' || (*at == '?' && len == 1))
		return;
	assert(strlen(text) == len && memcmp(at, text, len) == 0);
}

static void
check_node(struct check *check, const struct lp_yaml_node *node)
{
	uint32_t behind = node->span.from;
	size_t count = 0;

	assert(node->kind >= LP_YAML_SCALAR && node->kind <= LP_YAML_LIST);
	assert(node->span.from <= node->span.to);
	assert(node->span.to <= check->len);
	if (node->kind == LP_YAML_SCALAR) {
		assert(!node->children && node->count == 0);
		assert(strlen(node->text) <= LP_YAML_TEXT_MAX);
		if (check->plain && !node->quoted)
			check_text(check, &node->span, node->text);
		return;
	}
	assert(*node->text == '\0' && ++check->depth <= LP_YAML_DEPTH_MAX);
	for (const struct lp_yaml_node *child = node->children; child;
	     child = child->next) {
		count++;
		assert(!child->key == (node->kind == LP_YAML_LIST));
		if (child->key) {
			assert(*child->key != '\0');
			assert(child->key_span.from >= behind);
			assert(child->key_span.to <= check->len);
			if (check->plain)
				check_text(check, &child->key_span, child->key);
			behind = child->key_span.to;
		}
		assert(child->span.from >= behind);
		assert(child->span.to <= node->span.to);
		behind = child->span.to;
		check_node(check, child);
	}
	assert(count == node->count);
	check->depth--;
}

static void
check_problems(const struct lp_report *report)
{
	size_t count, size;
	const struct lp_problem *list = lp_report_problems(report, &count);
	char *printed;
	FILE *out;

	for (size_t i = 0; i < count; i++) {
		uint32_t line, column;

		assert(list[i].text[0] != '\0');
		lp_report_locate(report, &list[i].span, &line, &column);
		assert(line > 0 && column > 0);
	}
	out = open_memstream(&printed, &size);
	assert(out);
	lp_report_print(report, out, true);
	fclose(out);
	assert((size > 0) == (count > 0));
	free(printed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct check check = {.len = size};
	struct lp_report *report;
	struct lp_yaml *yaml;
	char *text;
	int err;

	if (size > TEXT_MAX)
		return 0;
	text = malloc(size + 1);
	assert(text && lp_report_new(&report) == 0);
	memcpy(text, data, size);
	text[size] = '\0';
	check.text = text;
	assert(lp_report_add_file(report, "fuzz.yaml", text, size) == 0);
	err = lp_yaml_read(&yaml, report, 0);
	assert(err == 0 || err == -EINVAL);
	check.plain = err == 0;
	assert(
	    check.plain == (lp_report_count(report, LP_SEVERITY_ERROR) == 0));
	assert(yaml || !check.plain);
	if (yaml && lp_yaml_root(yaml))
		check_node(&check, lp_yaml_root(yaml));
	check_problems(report);
	lp_yaml_free(yaml);
	lp_report_free(report);
	return 0;
}

static const char *const seeds[] = {
    "lightpath: 1\ncluster: payments\nports:\n"
    "  - {name: front, device: eth1, addresses: [10.9.0.10/24], "
    "gateway: 10.9.0.1, side: client}\n"
    "brokers:\n  - {id: 1, endpoint: 10.0.2.11:9092}\n"
    "rules:\n  - name: batch\n    priority: 100\n"
    "    match: {client_id: batch-*, api: Produce}\n"
    "    action: {limit: {bytes_per_second: 50MB, per: client_id}}\n"
    "  - name: text  # with a comment\n    match: \"api=Fetch "
    "topic=\\u00e9\"\n",
    "\xef\xbb\xbf%YAML 1.1\n---\n\xc3\xa9: &a [1, *a, !!str x]\n"
    "<<: {b: |\n  c\n}\n? [d]\n: - e\n  - 'f\n\n  g'\n...\n",
    "a: >-\r\n  one\r\n  two\r\n\r\nb: |2\r\n   three\r\na: {a: b, a: c, "
    "\"a\": "
    "\"\\0\"}\r\n",
    "[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]\n",
    "- - - a: b\n      c:\n  -\n- \xe6\xa8\xaa\xe6\xb5\x9c: "
    "\xf0\x9f\x90\x87\n---\nd: e\n",
    "a:\n\tb: c\n d: e: f\n  - @g\n%h\n",
    "{a, b: , c: {}, d: [e: f, g], \"h\": i, ? j, ? k : l}\n",
};

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	size_t len;

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	len = strlen(seeds[index]);
	assert(len <= max);
	memcpy(data, seeds[index], len);
	return len;
}
