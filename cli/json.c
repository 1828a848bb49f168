/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"

/* Takes the document over; NULL is one that could not be made. */
int
lp_json_write(const struct lp_print *print, json_t *document)
{
	size_t flags = JSON_REAL_PRECISION(6) |
	    (print->stream ? JSON_COMPACT : JSON_INDENT(2));
	int err = 0;

	if (document == NULL)
		return -EINVAL;
	if (json_dumpf(document, print->out, flags) != 0)
		err = -EIO;
	(void)fputc('\n', print->out);
	json_decref(document);
	return err;
}

/* Takes both over; without the value there is no list either. */
json_t *
lp_json_append(json_t *list, json_t *value)
{
	if (json_array_append_new(list, value) == 0)
		return list;
	json_decref(list);
	return NULL;
}

/* One object of two; takes both over. */
json_t *
lp_json_join(json_t *to, json_t *from)
{
	if (json_object_update(to, from) != 0) {
		json_decref(to);
		to = NULL;
	}
	json_decref(from);
	return to;
}

json_t *
lp_json_integer(uint64_t value)
{
	/* JSON of jansson is signed; no counter of ours gets there. */
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

json_t *
lp_json_number_or_null(bool known, int64_t value)
{
	return known ? json_integer(value) : json_null();
}

json_t *
lp_json_string_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

json_t *
lp_json_text_or_null(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}

/* What was typed need not be UTF-8, as JSON is: it is shown as far as it is. */
json_t *
lp_json_typed(const char *text)
{
	json_t *value = lp_json_string_or_null(text);
	char *copy;

	if (value != NULL || text == NULL)
		return value;
	copy = strdup(text);
	if (copy == NULL)
		return NULL;
	for (char *at = copy; *at != '\0'; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	value = json_string(copy);
	free(copy);
	return value;
}

/* "a b" is ["a", "b"]. */
json_t *
lp_json_words(const char *text)
{
	json_t *list = text != NULL ? json_array() : json_null();
	size_t len;

	for (; text != NULL && *text != '\0'; text += len) {
		len = strcspn(text, " ");
		if (len > 0)
			list = lp_json_append(list, json_stringn(text, len));
		len += strspn(text + len, " ");
	}
	return list;
}

json_t *
lp_json_time(uint64_t time_ns)
{
	char buf[LP_CLOCK_RFC3339_SIZE];

	if (time_ns == 0)
		return json_null();
	return json_string(lp_clock_rfc3339(buf, time_ns));
}

/* Digests and ids of 64 bits: no number that a reader could keep exactly. */
json_t *
lp_json_hex(uint64_t value)
{
	return json_sprintf("%016" PRIx64, value);
}

/* {"rx_packets": 1, ...}; in JSON, zeros are always there. */
json_t *
lp_json_counters(Lp__Pb__Counter *const *list, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		if (list[i]->name == NULL ||
		    json_object_set_new(object, list[i]->name,
			lp_json_integer(list[i]->value)) != 0) {
			json_decref(object);
			return NULL;
		}
	return object;
}
