/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of rules have in common: words and what they stand for, and
 * the pieces of a text with the places of what is wrong in it.
 */
#ifndef LP_PROTO_RULE_WORDS_H
#define LP_PROTO_RULE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/rule.h"

/* What the values of a field are: see LP_RULE_FIELDS. */
enum lp_rule_kind {
	LP_RULE_KIND_NAME,
	LP_RULE_KIND_TEXT,
	LP_RULE_KIND_NUMBER,
	LP_RULE_KIND_WORD,
	LP_RULE_KIND_ADDRESS,
	LP_RULE_KIND_API,
};

/* A word, and the numbers that it stands for. */
struct lp_rule_word {
	const char *word;
	int64_t low;
	int64_t high;
};

/* Lists end with a word that is NULL. */
extern const struct lp_rule_word lp_rule_verdicts[];
extern const struct lp_rule_word lp_rule_pers[];
extern const struct lp_rule_word lp_rule_sizes[]; /* units: "", B, kB ... */
extern const struct lp_rule_word lp_rule_durations[]; /* ms, s */

/* Arguments of actions.  low: 1 << verdict, of all that take it. */
extern const struct lp_rule_word lp_rule_arguments[];

/* The field of that very name; LP_RULE_FIELD_COUNT: none. */
unsigned lp_rule_field_find(const char *text, size_t len);

enum lp_rule_kind lp_rule_field_kind(unsigned field);

/* The words of a field of kind WORD. */
const struct lp_rule_word *lp_rule_field_words(unsigned field);

/* What a number of a field may be; whether it is a size. */
void lp_rule_field_bounds(unsigned field, int64_t *low, int64_t *high);
bool lp_rule_field_is_size(unsigned field);

/* Versions of requests as bits: those of a range, below 32. */
uint32_t lp_rule_version_bits(int64_t low, int64_t high);

/* Those that a match names; all: it names none. */
uint32_t lp_rule_versions_asked(const struct lp_rule_match *match);

/* The word of that very text; NULL: none. */
const struct lp_rule_word *lp_rule_word_find(
    const struct lp_rule_word *words, const char *text, size_t len);

/* The first one that stands for these numbers; NULL: none. */
const char *lp_rule_word_of(
    const struct lp_rule_word *words, int64_t low, int64_t high);

/*
 * ": did you mean X?" or ": X, Y and Z are", so as to follow what is wrong.
 */
enum { LP_RULE_HINT_SIZE = 200 };
char *lp_rule_word_hint(char hint[LP_RULE_HINT_SIZE],
    const struct lp_rule_word *words, const char *text, size_t len);

/*
 * Whole, and its unit of the list behind it (NULL: none).  NULL and *out, or
 * what is wrong: "is no number".
 */
const char *lp_rule_number_parse(uint64_t *out, const char *text, size_t len,
    const struct lp_rule_word *units);

/* In the largest unit of the list that leaves it whole (NULL: none). */
enum { LP_RULE_NUMBER_SIZE = 24 };
char *lp_rule_number_print(char buf[LP_RULE_NUMBER_SIZE], uint64_t number,
    const struct lp_rule_word *units);

/* -EINVAL: what is wrong with `len` bytes at `at`, which lies in `text`. */
int lp_rule_refuse(struct lp_rule_error *error, const char *text,
    const char *at, size_t len, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* A piece of a text as it is repeated in a message: "abc" or "abcdef...". */
enum { LP_RULE_QUOTE_SIZE = 72 };
char *lp_rule_quote(char buf[LP_RULE_QUOTE_SIZE], const char *text, size_t len);

/* UTF-8 without control characters, but for blanks between the pieces. */
int lp_rule_text_check(const char *text, struct lp_rule_error *error);

/* Behind blanks. */
const char *lp_rule_skip_blanks(const char *at);
bool lp_rule_is_blank(char c);

/* One value of a set. */
struct lp_rule_piece {
	const char *at; /* in the text, with its quotes and `*` */
	size_t len;
	bool quoted;
	bool prefix; /* a `*` at its end */
	uint16_t size; /* of bytes, without quotes and `*` */
	char bytes[LP_RULE_TEXT_MAX + 1]; /* and a NUL */
};

/* Reads one at *at, and moves *at behind it: to a comma, a blank, the end. */
int lp_rule_piece_read(struct lp_rule_piece *piece, const char **at,
    const char *text, struct lp_rule_error *error);

/* The value of a field that a piece stands for; appended to the match. */
int lp_rule_value_read(struct lp_rule_match *match, unsigned field,
    const struct lp_rule_piece *piece, const char *text,
    struct lp_rule_error *error);

/* What is wrong with the name of an object; NULL: nothing. */
const char *lp_rule_name_fault(const char *name, size_t len);

/* A field (value -1) or a value in the canonical text of a match. */
struct lp_rule_place {
	unsigned field;
	int value;
	uint32_t column;
	uint32_t len;
};

/* Bytes of the canonical text, whatever the size; place may be NULL. */
size_t lp_rule_match_write(char *buf, size_t size,
    const struct lp_rule_match *match, struct lp_rule_place *place);
size_t lp_rule_action_write(
    char *buf, size_t size, const struct lp_rule_action *action);

/* What is not said in an action: a tenth of a second, 64 kB at least. */
uint64_t lp_rule_burst_default(uint64_t bytes_per_s);
enum { LP_RULE_MAX_THROTTLE_DEFAULT_MS = 1000 };

#endif
