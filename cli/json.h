/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values and documents of JSON, as all of lpctl writes them.
 *
 * A value that cannot be made is NULL, and json_pack() passes it upwards: no
 * document is written with a part of it missing.
 */
#ifndef LP_CLI_JSON_H
#define LP_CLI_JSON_H

#include <jansson.h>

#include "cli/output.h"

/* Takes the document over; NULL is one that could not be made.  0 or -errno. */
int lp_json_write(const struct lp_print *print, json_t *document);

/* Both take both over; without the second there is no first one either. */
json_t *lp_json_append(json_t *list, json_t *value);
json_t *lp_json_join(json_t *to, json_t *from);

json_t *lp_json_integer(uint64_t value);
json_t *lp_json_number_or_null(bool known, int64_t value);
json_t *lp_json_string_or_null(const char *text);
/* "" is null. */
json_t *lp_json_text_or_null(const char *text);
/* What is no UTF-8, as JSON is, with '?' for what is not ASCII of it. */
json_t *lp_json_typed(const char *text);
/* "a b" is ["a", "b"]. */
json_t *lp_json_words(const char *text);
/* RFC 3339 in UTC; 0 is null. */
json_t *lp_json_time(uint64_t time_ns);
json_t *lp_json_hex(uint64_t value);
/* {"rx_packets": 1, ...}; zeros are always there. */
json_t *lp_json_counters(Lp__Pb__Counter *const *list, size_t count);

#endif
