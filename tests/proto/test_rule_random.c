/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules at random: printed and read again they are the same, however they are
 * spelled; and where one covers another, nothing is found that only the other
 * one holds for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/proto/rules.h"
#include "tests/support/ensure.h"
#include "tests/support/random.h"

enum {
	SEEDS = 4000,
	FIELDS = 6,
	EVENTS = 400,
};

static struct {
	unsigned seeds, covered, held;
} sum;

static void
read_again(const struct lp_rule_match *match)
{
	char text[LP_RULE_MATCH_SIZE], twice[LP_RULE_MATCH_SIZE];
	struct lp_rule_match again;
	struct lp_rule_error error = {0};

	lp_rule_match_print(text, match);
	ensure(lp_rule_match_parse(&again, text, &error) == 0, "%s: %s", text,
	    error.why);
	ensure(memcmp(&again, match, sizeof(again)) == 0, "%s: changed", text);
	ensure(strcmp(lp_rule_match_print(twice, &again), text) == 0,
	    "%s and %s", text, twice);
}

/* Its fields turned around, with more blanks. */
static void
spell_otherwise(const struct lp_rule_match *match)
{
	char text[LP_RULE_MATCH_SIZE], other[4 * LP_RULE_MATCH_SIZE] = "  ";
	const char *starts[LP_RULE_FIELD_COUNT + 1];
	struct lp_rule_match again;
	struct lp_rule_error error = {0};
	unsigned fields = 0;
	bool quoted = false;

	lp_rule_match_print(text, match);
	for (const char *c = text; *c != '\0'; c++) {
		if (c == text || (c[-1] == ' ' && !quoted))
			starts[fields++] = c;
		if (*c == '\\' && quoted)
			c++;
		else if (*c == '"')
			quoted = !quoted;
	}
	starts[fields] = text + strlen(text);
	for (unsigned i = fields; i-- > 0;) {
		strncat(other, starts[i], (size_t)(starts[i + 1] - starts[i]));
		strcat(other, " \t");
	}
	ensure(lp_rule_match_parse(&again, other, &error) == 0, "%s: %s", other,
	    error.why);
	ensure(memcmp(&again, match, sizeof(again)) == 0, "%s is not %s", other,
	    text);
}

/* Never said where it is not so. */
static void
compare(const struct lp_rule_match *a, const struct lp_rule_match *b,
    uint64_t *random)
{
	char left[LP_RULE_MATCH_SIZE], right[LP_RULE_MATCH_SIZE];

	if (!lp_rule_covers(a, b))
		return;
	sum.covered++;
	for (unsigned i = 0; i < EVENTS; i++) {
		struct rules_event event;

		rules_event(&event, random);
		if (!rules_holds(b, &event))
			continue;
		sum.held++;
		ensure(rules_holds(a, &event), "%s does not cover %s",
		    lp_rule_match_print(left, a),
		    lp_rule_match_print(right, b));
	}
}

static void
run(uint64_t seed)
{
	uint64_t random = seed;
	struct lp_rule_match a, b;

	ensure_at("LP_TEST_SEED=%llu", (unsigned long long)seed);
	sum.seeds++;
	rules_match(&a, &random, FIELDS);
	read_again(&a);
	spell_otherwise(&a);
	ensure(lp_rule_covers(&a, &a), "a match covers itself");
	rules_match(&a, &random, 2);
	rules_match(&b, &random, 3);
	compare(&a, &b, &random);
	compare(&b, &a, &random);
}

/* Of one field, where few values are all there are: said just where it is so.
 */
static const struct {
	unsigned field;
	const char *values[16];
} universes[] = {
    {LP_RULE_VERSION, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}},
    {LP_RULE_TOPIC, {"a", "ab", "abc", "abz", "az", "b", "bz", "z"}},
    {LP_RULE_DST,
	{"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4",
	    "127.0.0.1", "128.0.0.1", "2001:db8::1", "8000::1"}},
    {LP_RULE_ACKS, {"0", "1", "all"}},
};

static bool
holds_for_all(const struct lp_rule_match *a, const struct lp_rule_match *b,
    unsigned field, const char *const values[])
{
	for (unsigned i = 0; i < 16 && values[i]; i++) {
		struct rules_event event = {.request = true};

		event.texts[field] = values[i];
		event.numbers[field] =
		    strcmp(values[i], "all") == 0 ? -1 : atoi(values[i]);
		if (field == LP_RULE_DST)
			ensure(lp_ip_parse(
				   &event.ips[field], values[i], NULL) == 0,
			    "an address");
		if (rules_holds(b, &event) && !rules_holds(a, &event))
			return false;
	}
	return true;
}

static void
draw_field(struct lp_rule_match *match, uint64_t *random, unsigned field)
{
	do
		rules_match(match, random, 1);
	while (match->fields != 1u << field);
}

static void
run_universes(uint64_t seed)
{
	uint64_t random = seed;

	for (unsigned i = 0; i < sizeof(universes) / sizeof(universes[0]);
	     i++) {
		unsigned field = universes[i].field;
		char left[LP_RULE_MATCH_SIZE], right[LP_RULE_MATCH_SIZE];
		struct lp_rule_match a, b;

		draw_field(&a, &random, field);
		draw_field(&b, &random, field);
		ensure(lp_rule_covers(&a, &b) ==
			holds_for_all(&a, &b, field, universes[i].values),
		    "whether %s covers %s", lp_rule_match_print(left, &a),
		    lp_rule_match_print(right, &b));
	}
}

int
main(void)
{
	unsigned seeds = random_seeds(SEEDS);
	uint64_t seed;

	if (random_seed_given(&seed)) {
		run(seed);
		run_universes(seed);
		return EXIT_SUCCESS;
	}
	for (seed = 1; seed <= seeds; seed++) {
		run(seed);
		if (seed % 10 == 0)
			run_universes(seed);
	}
	printf("%u seeds: %u times one covered another, in %u events\n",
	    sum.seeds, sum.covered, sum.held);
	ensure(sum.covered > 0 && sum.held > 0, "that is too easy");
	return EXIT_SUCCESS;
}
