/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/yaml.h"

#include <check.h>
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/support.h"

static struct lp_report *report;
static struct lp_yaml *yaml;

static void
setup(void)
{
	ck_assert_int_eq(lp_report_new(&report), 0);
	yaml = NULL;
}

static void
teardown(void)
{
	lp_yaml_free(yaml);
	lp_report_free(report);
}

/* The very bytes: what is read beyond them is a fault to a sanitizer. */
static int
read_bytes(const char *name, const char *bytes, size_t len)
{
	char *text = malloc(len + 1);
	int file;

	ck_assert_ptr_nonnull(text);
	memcpy(text, bytes, len);
	text[len] = '\0';
	file = lp_report_add_file(report, name, text, len);
	ck_assert_int_ge(file, 0);
	lp_yaml_free(yaml);
	return lp_yaml_read(&yaml, report, (unsigned)file);
}

static int
read_text(const char *text)
{
	return read_bytes("a.yaml", text, strlen(text));
}

static const char *
printed(struct support_output *out)
{
	lp_report_print(report, out->file, false);
	return support_output_text(out);
}

/* {a: b, "c": [d]} and the like: the tree, in one line. */
static void
describe(FILE *out, const struct lp_yaml_node *node)
{
	static const char brackets[] = {
	    [LP_YAML_MAP] = '{', [LP_YAML_LIST] = '['};
	size_t count = 0;

	if (node->kind == LP_YAML_SCALAR) {
		ck_assert_ptr_null(node->children);
		(void)fprintf(out, node->quoted ? "'%s'" : "%s", node->text);
		return;
	}
	(void)fputc(brackets[node->kind], out);
	for (const struct lp_yaml_node *child = node->children; child;
	     child = child->next) {
		if (count++ > 0)
			(void)fputs(", ", out);
		ck_assert(!child->key == (node->kind == LP_YAML_LIST));
		if (child->key)
			(void)fprintf(out, "%s: ", child->key);
		describe(out, child);
	}
	ck_assert_uint_eq(count, node->count);
	(void)fputc(brackets[node->kind] + 2, out);
}

static const struct {
	const char *text, *tree;
} right[] = {
    {"a: b", "{a: b}"},
    {"\xef\xbb\xbf"
     "a: b",
	"{a: b}"},
    {"%YAML 1.2\n---\na: b\n...\n", "{a: b}"},
    {"a:\n- b\n- c: d\n  e: 'f'\n-\n- []\n", "{a: [b, {c: d, e: 'f'}, , []]}"},
    {"a:\r\n  b: 1\r\n  c: |\r\n    x\r\n    y\r\n",
	"{a: {b: 1, c: 'x\ny\n'}}"},
    {"{a: [b, \"c\"], ? d : e, f}", "{a: [b, 'c'], d: e, f: }"},
    {"- [a: b]", "[[{a: b}]]"},
    {"x", "x"},
    {"a: b # c\n# d\n", "{a: b}"},
    {"match: topic=pay* src=10.0.0.0/8\n",
	"{match: topic=pay* src=10.0.0.0/8}"},
    {"a: 'it''s'\nb: \"\\u00e9\\n\"\n", "{a: 'it's', b: '\xc3\xa9\n'}"},
    {"a: b\n  c\n", "{a: b c}"},
    {"\xc3\xa9: \xf0\x9f\x90\x87\n", "{\xc3\xa9: \xf0\x9f\x90\x87}"},
    {"1: 2\ntrue: no\n", "{1: 2, true: no}"},
    {"a: {\tb: c,\n\td: e}", "{a: {b: c, d: e}}"},
};

START_TEST(a_plain_file_is_a_tree)
{
	struct support_output out;

	ck_assert_int_eq(read_text(right[_i].text), 0);
	ck_assert_uint_eq(lp_report_count(report, LP_SEVERITY_ERROR), 0);
	support_output_open(&out);
	describe(out.file, lp_yaml_root(yaml));
	ck_assert_str_eq(support_output_text(&out), right[_i].tree);
	support_output_close(&out);
}
END_TEST

START_TEST(a_file_that_says_nothing_has_no_root)
{
	static const char *const empty[] = {
	    "", "\n\n", "# only this\n", "---\n", "\xef\xbb\xbf"};

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		ck_assert_int_eq(read_text(empty[i]), 0);
		ck_assert_ptr_null(lp_yaml_root(yaml));
	}
}
END_TEST

START_TEST(only_what_is_not_quoted_says_nothing)
{
	const struct lp_yaml_node *root;

	ck_assert_int_eq(read_text("a: ~\nb: null\nc: NULL\nd:\ne: Null\n"
				   "f: ''\ng: 'null'\nh: no\ni: {}\n"),
	    0);
	root = lp_yaml_root(yaml);
	for (const struct lp_yaml_node *node = root->children; node;
	     node = node->next)
		ck_assert_int_eq(lp_yaml_is_null(node), node->key[0] < 'f');
}
END_TEST

START_TEST(a_child_is_found_by_its_key)
{
	const struct lp_yaml_node *root;

	ck_assert_int_eq(read_text("a: 1\nb: {c: 2}\nd: [c: 3]\n"), 0);
	root = lp_yaml_root(yaml);
	ck_assert_str_eq(lp_yaml_get(lp_yaml_get(root, "b"), "c")->text, "2");
	ck_assert_ptr_null(lp_yaml_get(root, "c"));
	ck_assert_ptr_null(lp_yaml_get(lp_yaml_get(root, "a"), "c"));
	ck_assert_ptr_null(lp_yaml_get(lp_yaml_get(root, "d"), "c"));
}
END_TEST

/* What the span covers in the text, in brackets behind it. */
static void
check_span(const char *text, const struct lp_span *span, const char *want)
{
	ck_assert_uint_eq(span->to - span->from, strlen(want));
	ck_assert_mem_eq(text + span->from, want, strlen(want));
}

START_TEST(spans_are_bytes_of_the_text)
{
	static const char text[] = "\xef\xbb\xbf# \xc3\xa9\xc3\xa9\n"
				   "\xc3\xa9:   'a b'  # c\n"
				   "list:\n"
				   "  - x  \n"
				   "  - {y: \xe6\xa8\xaa}\n"
				   "text: |\n"
				   "  one\n"
				   "  two\n"
				   "\n"
				   "end:\n";
	const struct lp_yaml_node *root, *node;

	ck_assert_int_eq(read_text(text), 0);
	root = lp_yaml_root(yaml);
	node = root->children;
	check_span(text, &node->key_span, "\xc3\xa9");
	check_span(text, &node->span, "'a b'");
	node = node->next;
	check_span(text, &node->key_span, "list");
	check_span(text, &node->span, "- x  \n  - {y: \xe6\xa8\xaa}");
	check_span(text, &node->children->span, "x");
	node = node->children->next;
	check_span(text, &node->span, "{y: \xe6\xa8\xaa}");
	check_span(text, &node->children->span, "\xe6\xa8\xaa");
	node = lp_yaml_get(root, "text");
	check_span(text, &node->span, "|\n  one\n  two");
	node = lp_yaml_get(root, "end");
	check_span(text, &node->span, "");
	ck_assert_int_eq(text[node->span.from - 1], ':');
	ck_assert_uint_eq(root->span.from, root->children->key_span.from);
	ck_assert_uint_eq(root->span.to, node->span.to);
}
END_TEST

/* What cannot stand in a file of text. */
static const struct {
	const char *bytes;
	size_t len;
	const char *text;
} bytes[] = {
#define BYTES(bytes) bytes, sizeof(bytes) - 1
    {BYTES("\xff\xfe"
	   "a\0:\0"),
	"x:1:1: error: the file is in UTF-16; save it as UTF-8\n"},
    {BYTES("\xfe\xff\0a"),
	"x:1:1: error: the file is in UTF-16; save it as UTF-8\n"},
    {BYTES("a: b\nc\0: d"),
	"x:2:2: error: a NUL byte: the file is no text, or not in UTF-8\n"},
    {BYTES("a: b\xff"), "x:1:5: error: the byte 0xff is not UTF-8\n"},
    {BYTES("a: \xc3\xa9\xc3"), "x:1:5: error: the byte 0xc3 is not UTF-8\n"},
    {BYTES("a: \xc0\xaf"), "x:1:4: error: the byte 0xc0 is not UTF-8\n"},
    {BYTES("a: \xed\xa0\x80"), "x:1:4: error: the byte 0xed is not UTF-8\n"},
    {BYTES("a: \xf4\x90\x80\x80"),
	"x:1:4: error: the byte 0xf4 is not UTF-8\n"},
    {BYTES("a: \x80 b"), "x:1:4: error: the byte 0x80 is not UTF-8\n"},
    {BYTES("some more text: \x1b[31m"),
	"x:1:17: error: a control character, 0x1b\n"},
    {BYTES("text: of eight \x7f"),
	"x:1:16: error: a control character, 0x7f\n"},
    {BYTES("a: \xc2\x85"), "x:1:4: error: a control character, 0x85\n"},
    {BYTES("a: \xef\xbb\xbf"
	   "b"),
	"x:1:4: error: a byte order mark in the middle of the text\n"},
#undef BYTES
};

START_TEST(what_is_no_text_is_refused)
{
	struct support_output out;
	const char *text;

	ck_assert_int_eq(
	    read_bytes("x", bytes[_i].bytes, bytes[_i].len), -EINVAL);
	ck_assert_ptr_null(yaml);
	support_output_open(&out);
	text = printed(&out);
	ck_assert_int_eq(
	    strncmp(text, bytes[_i].text, strlen(bytes[_i].text)), 0);
	support_output_close(&out);
}
END_TEST

/* files/yaml-*.yaml, whose messages are in golden/. */
START_TEST(messages_of_a_broken_file)
{
	glob_t found;

	ck_assert_int_eq(glob(FILES "/yaml-*.yaml", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		static char text[65536];
		FILE *file = fopen(found.gl_pathv[i], "r");
		struct support_output out;
		char *name = basename(found.gl_pathv[i]);
		size_t len;

		ck_assert_ptr_nonnull(file);
		len = fread(text, 1, sizeof(text), file);
		(void)fclose(file);
		ck_assert_int_eq(read_bytes(name, text, len), -EINVAL);
		support_output_open(&out);
		*strrchr(name, '.') = '\0';
		support_golden(name, "txt", printed(&out));
		support_output_close(&out);
		teardown();
		setup();
	}
	globfree(&found);
}
END_TEST

/* The tree without what was refused; of that the report takes no more. */
START_TEST(what_follows_from_what_was_refused_is_not_said)
{
	const struct lp_yaml_node *root, *node;
	struct support_output out;
	size_t count;

	ck_assert_int_eq(
	    read_text("a: 1\na: 2\nb: *x\n<<: {c: 3}\n[k]: {v: 1}\nd: \"\\0\"\n"
		      "e: &y f\n"),
	    -EINVAL);
	root = lp_yaml_root(yaml);
	support_output_open(&out);
	describe(out.file, root);
	ck_assert_str_eq(support_output_text(&out), "{a: 1, b: , d: '', e: f}");
	support_output_close(&out);
	count = lp_report_count(report, LP_SEVERITY_ERROR);
	ck_assert_uint_eq(count, 6);
	node = lp_yaml_get(root, "b");
	lp_report_add(report, LP_SEVERITY_ERROR, &node->span, "b is empty");
	node = lp_yaml_get(root, "d");
	lp_report_add(report, LP_SEVERITY_ERROR, &node->span, "d is empty");
	ck_assert_uint_eq(lp_report_count(report, LP_SEVERITY_ERROR), count);
}
END_TEST

/* One text of n bytes. */
static int
read_long(size_t len)
{
	char *text = malloc(len + 4);
	int err;

	ck_assert_ptr_nonnull(text);
	memcpy(text, "a: ", 3);
	memset(text + 3, 'x', len);
	err = read_bytes("a.yaml", text, len + 3);
	free(text);
	return err;
}

START_TEST(a_text_has_a_limit)
{
	ck_assert_int_eq(read_long(LP_YAML_TEXT_MAX), 0);
	ck_assert_uint_eq(
	    strlen(lp_yaml_root(yaml)->children->text), LP_YAML_TEXT_MAX);
	ck_assert_int_eq(read_long(LP_YAML_TEXT_MAX + 1), -EINVAL);
	ck_assert_str_eq(lp_yaml_root(yaml)->children->text, "");
}
END_TEST

START_TEST(maps_and_lists_are_nested_to_a_limit)
{
	char text[2 * LP_YAML_DEPTH_MAX + 8];

	memset(text, '[', LP_YAML_DEPTH_MAX);
	memset(text + LP_YAML_DEPTH_MAX, ']', LP_YAML_DEPTH_MAX);
	ck_assert_int_eq(read_bytes("a.yaml", text, 2 * LP_YAML_DEPTH_MAX), 0);
	memset(text, '[', LP_YAML_DEPTH_MAX + 1);
	memset(text + LP_YAML_DEPTH_MAX + 1, ']', LP_YAML_DEPTH_MAX + 1);
	ck_assert_int_eq(
	    read_bytes("a.yaml", text, 2 * LP_YAML_DEPTH_MAX + 2), -EINVAL);
	ck_assert_ptr_null(yaml);
}
END_TEST

START_TEST(a_file_has_a_limit)
{
	char *text = calloc(1, LP_YAML_FILE_MAX + 2);
	size_t count;
	int file;

	ck_assert_ptr_nonnull(text);
	file =
	    lp_report_add_file(report, "big.yaml", text, LP_YAML_FILE_MAX + 1);
	ck_assert_int_eq(file, 0);
	ck_assert_int_eq(lp_yaml_read(&yaml, report, 0), -EINVAL);
	ck_assert_str_eq(lp_report_problems(report, &count)->text,
	    "a file has at most 128 MB");
}
END_TEST

START_TEST(many_keys_given_twice_are_found_at_once)
{
	enum { KEYS = 200000 };
	size_t size = KEYS * 16, len = 0;
	char *text = malloc(size);
	size_t count;

	ck_assert_ptr_nonnull(text);
	for (int i = 0; i < KEYS; i++)
		len += (size_t)snprintf(
		    text + len, size - len, "k%d: x\n", i % (KEYS / 2));
	ck_assert_int_eq(read_bytes("a.yaml", text, len), -EINVAL);
	ck_assert_uint_eq(lp_yaml_root(yaml)->count, KEYS / 2);
	ck_assert_uint_eq(lp_report_count(report, LP_SEVERITY_ERROR), KEYS / 2);
	(void)lp_report_problems(report, &count);
	ck_assert_uint_eq(count, LP_REPORT_PROBLEMS_MAX);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cli_yaml");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(
	    tcase, a_plain_file_is_a_tree, 0, sizeof(right) / sizeof(right[0]));
	tcase_add_test(tcase, a_file_that_says_nothing_has_no_root);
	tcase_add_test(tcase, only_what_is_not_quoted_says_nothing);
	tcase_add_test(tcase, a_child_is_found_by_its_key);
	tcase_add_test(tcase, spans_are_bytes_of_the_text);
	tcase_add_loop_test(tcase, what_is_no_text_is_refused, 0,
	    sizeof(bytes) / sizeof(bytes[0]));
	tcase_add_test(tcase, messages_of_a_broken_file);
	tcase_add_test(tcase, what_follows_from_what_was_refused_is_not_said);
	tcase_add_test(tcase, a_text_has_a_limit);
	tcase_add_test(tcase, maps_and_lists_are_nested_to_a_limit);
	tcase_add_test(tcase, a_file_has_a_limit);
	tcase_add_test(tcase, many_keys_given_twice_are_found_at_once);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
