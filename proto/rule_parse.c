/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of matches.
 *
 * The text is read twice: in its own order, so that the first thing that is
 * wrong is told, and then in the order of fields, as a match has them.
 */
#include "proto/rule_words.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/nearest.h"

/* A field in the text: its word, and where its values begin. */
struct place {
	const char *word;
	size_t len;
	const char *values;
};

static int read_places(struct lp_rule_match *out, struct place *places,
    const char *text, struct lp_rule_error *error);
static int read_word(unsigned *field, struct place *place, const char *at,
    const char *text, struct lp_rule_error *error);
static int read_values(struct lp_rule_match *out, unsigned field,
    const char **at, const char *text, struct lp_rule_error *error);
static int check_combinations(const struct lp_rule_match *match,
    const struct place *places, const char *text, struct lp_rule_error *error);

int
lp_rule_match_parse(
    struct lp_rule_match *out, const char *text, struct lp_rule_error *error)
{
	struct place places[LP_RULE_FIELD_COUNT] = {{0}};
	size_t len;
	int rc = lp_rule_text_check(text, error);

	if (!rc)
		rc = read_places(out, places, text, error);
	if (rc)
		return rc;
	memset(out, 0, sizeof(*out));
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		const char *at = places[field].values;

		if (!at)
			continue;
		rc = read_values(out, field, &at, text, error);
		assert(rc == 0);
	}
	rc = check_combinations(out, places, text, error);
	if (rc)
		return rc;
	len = lp_rule_match_write(NULL, 0, out, NULL);
	if (len >= LP_RULE_MATCH_SIZE)
		return lp_rule_refuse(error, text, text, strlen(text),
		    "the match has %zu bytes, more than %d: make two rules of "
		    "it",
		    len, LP_RULE_MATCH_SIZE - 1);
	return 0;
}

static int
read_places(struct lp_rule_match *out, struct place *places, const char *text,
    struct lp_rule_error *error)
{
	const char *at = lp_rule_skip_blanks(text);

	memset(out, 0, sizeof(*out));
	while (*at != '\0') {
		struct place place;
		unsigned field;
		int rc = read_word(&field, &place, at, text, error);

		if (rc)
			return rc;
		if (places[field].word)
			return lp_rule_refuse(error, text, place.word,
			    place.len,
			    "%s is there twice: write one set of values, "
			    "%s=A,B",
			    lp_rule_field_name(field),
			    lp_rule_field_name(field));
		places[field] = place;
		at = place.values;
		rc = read_values(out, field, &at, text, error);
		if (rc)
			return rc;
		at = lp_rule_skip_blanks(at);
	}
	return 0;
}

static int
refuse_field(
    const struct place *place, const char *text, struct lp_rule_error *error)
{
	char quoted[LP_RULE_QUOTE_SIZE], names[LP_RULE_HINT_SIZE];
	struct lp_nearest nearest;
	size_t used = 0;

	lp_nearest_init(&nearest, place->word, place->len);
	for (unsigned i = 0; i < LP_RULE_FIELD_COUNT; i++) {
		used += (size_t)snprintf(names + used, sizeof(names) - used,
		    "%s%s", i ? ", " : "", lp_rule_field_name(i));
		assert(used < sizeof(names));
		lp_nearest_offer(&nearest, lp_rule_field_name(i));
	}
	lp_rule_quote(quoted, place->word, place->len);
	if (place->len == 0)
		return lp_rule_refuse(error, text, place->word, 1,
		    "a field is missing: there are %s", names);
	if (nearest.best)
		return lp_rule_refuse(error, text, place->word, place->len,
		    "%s is no field: did you mean %s?", quoted, nearest.best);
	return lp_rule_refuse(error, text, place->word, place->len,
	    "%s is no field: there are %s", quoted, names);
}

/* FIELD=, up to the first value. */
static int
read_word(unsigned *field, struct place *place, const char *at,
    const char *text, struct lp_rule_error *error)
{
	place->word = at;
	while (*at != '\0' && *at != '=' && !lp_rule_is_blank(*at))
		at++;
	place->len = (size_t)(at - place->word);
	*field = lp_rule_field_find(place->word, place->len);
	if (*field == LP_RULE_FIELD_COUNT)
		return refuse_field(place, text, error);
	if (*at != '=')
		return lp_rule_refuse(error, text, place->word, place->len,
		    "%s has no value: write %s=VALUE, without blanks",
		    lp_rule_field_name(*field), lp_rule_field_name(*field));
	place->values = at + 1;
	return 0;
}

static int
read_values(struct lp_rule_match *out, unsigned field, const char **at,
    const char *text, struct lp_rule_error *error)
{
	bool first = true;

	for (;; (*at)++, first = false) {
		struct lp_rule_piece piece;
		int rc = lp_rule_piece_read(&piece, at, text, error);

		if (rc)
			return rc;
		if (piece.len == 0 && first && **at != ',')
			return lp_rule_refuse(error, text, piece.at, 1,
			    "%s has no value: write %s=VALUE, without blanks",
			    lp_rule_field_name(field),
			    lp_rule_field_name(field));
		if (piece.len == 0)
			return lp_rule_refuse(error, text, piece.at, 1,
			    "a value is missing %s the comma",
			    **at == ',' ? "before" : "behind");
		rc = lp_rule_value_read(out, field, &piece, text, error);
		if (rc)
			return rc;
		if (**at != ',')
			return 0;
	}
}

/* What a classifier has to spell out, one by one. */
static int
check_combinations(const struct lp_rule_match *match,
    const struct place *places, const char *text, struct lp_rule_error *error)
{
	unsigned combinations = 1;

	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		enum lp_rule_kind kind = lp_rule_field_kind(field);
		const struct lp_rule_value *first;
		uint16_t count = lp_rule_match_values(match, field, &first);

		if (count == 0 ||
		    (kind != LP_RULE_KIND_NAME && kind != LP_RULE_KIND_TEXT &&
			kind != LP_RULE_KIND_ADDRESS))
			continue;
		combinations *= count;
		if (combinations > LP_RULE_COMBINATIONS_MAX)
			return lp_rule_refuse(error, text, places[field].word,
			    places[field].len,
			    "with %s there are %u combinations of values, "
			    "more than %d: make several rules of it",
			    lp_rule_field_name(field), combinations,
			    LP_RULE_COMBINATIONS_MAX);
	}
	return 0;
}
