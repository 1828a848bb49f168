/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/yaml_text.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cli/yaml.h"
#include "proto/utf8.h"

static int refuse(const struct lp_yaml_text *text, struct lp_report *report,
    const char *at, size_t len);
static bool is_plain(const char *at);
static bool is_allowed(uint32_t code);

int
lp_yaml_text_init(
    struct lp_yaml_text *text, struct lp_report *report, unsigned file)
{
	const char *at, *end;
	size_t len;

	*text = (struct lp_yaml_text){.file = (uint16_t)file, .ascii = true};
	text->text = lp_report_text(report, file, &text->len);
	if (text->len > LP_YAML_FILE_MAX) {
		lp_report_add(report, LP_SEVERITY_ERROR,
		    &(struct lp_span){.file = text->file},
		    "a file has at most %d MB", LP_YAML_FILE_MAX >> 20);
		return -EINVAL;
	}
	if (text->len >= 3 && memcmp(text->text, "\xef\xbb\xbf", 3) == 0)
		text->begin = 3;
	text->at = text->begin;
	at = text->text + text->begin;
	for (end = text->text + text->len; at < end; at += len) {
		uint32_t code;

		for (; end - at >= 8 && is_plain(at); at += 8)
			;
		if (at == end)
			break;
		len = lp_utf8_decode(at, end, &code);
		if (len == 0 || !is_allowed(code))
			return refuse(text, report, at, len > 0 ? len : 1);
		text->ascii = text->ascii && len == 1;
	}
	return 0;
}

uint32_t
lp_yaml_text_offset(struct lp_yaml_text *text, size_t index)
{
	uint32_t at = text->at;

	if (text->ascii) {
		index += text->begin;
		return (uint32_t)(index < text->len ? index : text->len);
	}
	for (; text->index < index; text->index++) {
		/* libyaml may count what it puts behind the end. */
		if (at >= text->len)
			break;
		at = lp_yaml_text_next(text, at);
	}
	for (; text->index > index; text->index--) {
		assert(at > text->begin);
		do
			at--;
		while (lp_utf8_is_inside(text->text[at]));
	}
	text->at = at;
	return at;
}

uint32_t
lp_yaml_text_next(const struct lp_yaml_text *text, uint32_t at)
{
	assert(at < text->len);
	do
		at++;
	while (at < text->len && lp_utf8_is_inside(text->text[at]));
	return at;
}

static int
refuse(const struct lp_yaml_text *text, struct lp_report *report,
    const char *at, size_t len)
{
	uint32_t from = (uint32_t)(at - text->text);
	struct lp_span span = {from, from + (uint32_t)len, text->file};
	unsigned char byte = (unsigned char)*at;
	const char *why = NULL;

	if (at == text->text && text->len >= 2 &&
	    (memcmp(at, "\xff\xfe", 2) == 0 || memcmp(at, "\xfe\xff", 2) == 0))
		why = "the file is in UTF-16; save it as UTF-8";
	else if (byte == '\0')
		why = "a NUL byte: the file is no text, or not in UTF-8";
	else if (strncmp(at, "\xef\xbb\xbf", 3) == 0)
		why = "a byte order mark in the middle of the text";
	if (why)
		lp_report_add(report, LP_SEVERITY_ERROR, &span, "%s", why);
	else if (len > 1 || byte < 0x80)
		lp_report_add(report, LP_SEVERITY_ERROR, &span,
		    "a control character, 0x%02x",
		    len > 1 ? (unsigned char)at[len - 1] : byte);
	else
		lp_report_add(report, LP_SEVERITY_ERROR, &span,
		    "the byte 0x%02x is not UTF-8", byte);
	return -EINVAL;
}

/* Eight bytes of ASCII without DEL; of those below a blank, the rest asks. */
static bool
is_plain(const char *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	/* A byte overflows into its top bit, if it is set or 0x7f. */
	if (((word + ones) | word) & ones * 0x80)
		return false;
	/* A top bit is borrowed where a byte is below a blank. */
	return ((word - ones * 0x20) & ones * 0x80) == 0;
}

/* YAML 1.1, 5.1, and no C1. */
static bool
is_allowed(uint32_t code)
{
	if (code < 0x20)
		return code == '\t' || code == '\n' || code == '\r';
	return (code < 0x7f || code >= 0xa0) && code != 0xfeff &&
	    code != 0xfffe && code != 0xffff;
}
