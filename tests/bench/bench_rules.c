/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to find the rule that decides, by the number of rules and by
 * their shape; to compile them; and their memory.
 *
 * Questions are made while it runs, so that none of their texts lies in a cache
 * that rules of theirs do not; making them is measured by itself and taken off.
 *	hit	of any of the rules, by chance: beyond some ten thousand of them
 *		what is looked at lies in main memory
 *	hot	of HOT of them, spread over all: what clients do, who ask the
 *		same again and again
 *	kept	the same, of one connection, where answers are remembered
 *	miss	of none, which all tuples have to say
 * A figure is the median of the turns.
 *
 * Each line: name, system, unit, value, number of questions.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/clock.h"
#include "dataplane/pipeline/rules_cache.h"
#include "dataplane/rules.h"
#include "tests/support/random.h"
#include "tests/support/rule_match.h"
#include "world.h"

enum {
	/* Short, so that most of them are not interrupted. */
	TURNS = 4000,
	ROUNDS = 20,
	SIZES = 5, /* 10 to 100,000 */
	QUESTIONS = 50, /* of a turn */
	PRODUCE = 0,
	FETCH = 1,
	HOT = 256,
	CLIENTS = 1000,
	DIGITS = 7,
};

struct question {
	struct lp_rules_connection connection;
	struct lp_rules_request request;
	char topic[256];
	char client[64];
};

struct shape {
	const char *name;
	/* The match of rule i. */
	void (*match)(struct lp_rule_match *match, uint32_t i);
	/* What it holds for; or, but for the last rule, none. */
	void (*ask)(struct question *question, uint32_t i, bool hit);
	uint32_t rules_max;
	bool of_connection;
};

/* Over text that is there, so that it costs little. */
static void
put_digits(char *at, uint32_t number)
{
	for (unsigned i = DIGITS; i-- > 0; number /= 10)
		at[i] = (char)('0' + number % 10);
}

static void
set_topic(struct question *question, const char *text)
{
	snprintf(question->topic, sizeof(question->topic), "%s", text);
	rule_match_set(&question->request, LP_RULES_TOPIC, question->topic);
}

static void
begin_question(struct question *question)
{
	memset(question, 0, sizeof(*question));
	rule_match_connection(&question->connection);
	rule_match_request(&question->request);
	question->request.api = PRODUCE;
	question->request.acks = -1;
	set_topic(question, "0000000.orders.eu-west-1");
	snprintf(question->client, sizeof(question->client),
	    "billing-service-0000000");
	rule_match_set(
	    &question->request, LP_RULES_CLIENT_ID, question->client);
}

/* ---- shapes -------------------------------------------------------------- */

/* Who may write and read which topic. */
static void
topics_match(struct lp_rule_match *match, uint32_t i)
{
	char text[64];

	rule_match_range(match, LP_RULE_API, PRODUCE, FETCH);
	snprintf(
	    text, sizeof(text), "billing-service-%0*u", DIGITS, i % CLIENTS);
	rule_match_text(match, LP_RULE_CLIENT_ID, text);
	snprintf(text, sizeof(text), "%0*u.orders.eu-west-1", DIGITS, i);
	rule_match_text(match, LP_RULE_TOPIC, text);
}

static void
topics_ask(struct question *question, uint32_t i, bool hit)
{
	put_digits(question->topic, i);
	put_digits(question->client + 16, hit ? i % CLIENTS : CLIENTS);
}

/* Whose topics begin with what; names of five lengths. */
static void
prefixes_match(struct lp_rule_match *match, uint32_t i)
{
	static const char *const ends[] = {
	    "*", ".*", ".ord*", ".orders.*", ".orders.eu-*"};
	char text[64];

	snprintf(text, sizeof(text), "%0*u%s", DIGITS, i, ends[i % 5]);
	rule_match_text(match, LP_RULE_TOPIC, text);
}

static void
prefixes_ask(struct question *question, uint32_t i, bool hit)
{
	put_digits(question->topic, hit ? i : i + 5000000);
}

/* Networks of 16 to 32 bits, whole connections. */
static void
addresses_match(struct lp_rule_match *match, uint32_t i)
{
	static const uint8_t lens[] = {32, 24, 28, 20, 32, 24, 32, 16};
	struct lp_prefix prefix;
	uint8_t v4[4];
	uint32_t ip = 0x0b000000 + i * 4096;

	memset(&prefix, 0, sizeof(prefix));
	prefix.len = lens[i % 8];
	if (prefix.len == 16)
		ip &= 0xffff0000;
	for (unsigned j = 0; j < 4; j++)
		v4[j] = (uint8_t)(ip >> (24 - 8 * j));
	lp_ip_from_v4(&prefix.ip, v4);
	rule_match_address(match, LP_RULE_SRC, &prefix);
}

static void
addresses_ask(struct question *question, uint32_t i, bool hit)
{
	uint32_t ip = hit ? 0x0b000000 + i * 4096 : 0x0a000000 + i;

	for (unsigned j = 0; j < 4; j++)
		question->connection.src.bytes[12 + j] =
		    (uint8_t)(ip >> (24 - 8 * j));
}

/* Every length that a prefix of a topic can have. */
static void
lengths_match(struct lp_rule_match *match, uint32_t i)
{
	char text[256];

	memset(text, 'x', sizeof(text));
	put_digits(text, i);
	rule_match_bytes(match, LP_RULE_TOPIC, true, text,
	    DIGITS + i % (LP_TOPIC_NAME_MAX - DIGITS));
}

static void
lengths_ask(struct question *question, uint32_t i, bool hit)
{
	if (question->topic[DIGITS] != 'x') {
		memset(question->topic, 'x', LP_TOPIC_NAME_MAX);
		question->request.text[LP_RULES_TOPIC].len = LP_TOPIC_NAME_MAX;
	}
	put_digits(question->topic, hit ? i : i + 5000000);
}

/* All pairs of lengths of two addresses: as many tuples as there may be. */
static void
tuples_match(struct lp_rule_match *match, uint32_t i)
{
	struct lp_prefix prefix;
	struct lp_rules_connection connection;

	rule_match_connection(&connection);
	memset(&prefix, 0, sizeof(prefix));
	for (unsigned j = 0; j < 2; j++) {
		unsigned bits = 97 + (j == 0 ? i % 31 : i / 31 % 31);

		prefix.ip = j == 0 ? connection.src : connection.dst;
		prefix.len = (uint8_t)(bits - 96);
		for (unsigned k = bits; k < 128; k++)
			prefix.ip.bytes[k / 8] &= (uint8_t) ~(0x80u >> k % 8);
		/* The last bit is another one: close, but none holds. */
		prefix.ip.bytes[(bits - 1) / 8] ^=
		    (uint8_t)(0x80u >> (bits - 1) % 8);
		rule_match_address(
		    match, j == 0 ? LP_RULE_SRC : LP_RULE_DST, &prefix);
	}
}

/* One key, and ranges that are asked one after the other. */
static void
sizes_match(struct lp_rule_match *match, uint32_t i)
{
	rule_match_text(match, LP_RULE_TOPIC, "0000000.orders.eu-west-1");
	rule_match_range(match, LP_RULE_FRAME_SIZE, 1000 + i, 1000 + i);
}

static void
sizes_ask(struct question *question, uint32_t i, bool hit)
{
	question->request.frame_size = hit ? 1000 + i : 100;
}

static void
same_ask(struct question *question, uint32_t i, bool hit)
{
	(void)hit;
	question->request.frame_size = i;
}

static const struct shape shapes[] = {
    {"topics", topics_match, topics_ask, 100000, false},
    {"prefixes", prefixes_match, prefixes_ask, 100000, false},
    {"addresses", addresses_match, addresses_ask, 100000, false},
    {"connections", addresses_match, addresses_ask, 100000, true},
    {"lengths", lengths_match, lengths_ask, 100000, false},
    {"tuples", tuples_match, same_ask, 1000, false},
    {"sizes", sizes_match, sizes_ask, 10000, false},
};

/* ---- figures ------------------------------------------------------------- */

static void
print(const struct shape *shape, const char *what, uint32_t count,
    const char *unit, double value, unsigned long n)
{
	printf("rules/%s/%s/%u\tlightpath\t%s\t%.2f\t%lu\n", shape->name, what,
	    count, unit, value, n);
}

static uint32_t
no_name(void *context, unsigned field, const char *name, uint16_t len)
{
	(void)context;
	(void)field;
	(void)name;
	(void)len;
	return 0;
}

static void
add(struct lp_rules_builder *builder, uint32_t id, uint16_t priority,
    const struct lp_rule_match *match, uint8_t verdict)
{
	struct lp_rule_action action = {.verdict = verdict};
	struct lp_rules_rule rule = {.id = id,
	    .slot = id,
	    .priority = priority,
	    .match = match,
	    .action = &action};
	char why[LP_WHY_SIZE];

	if (lp_rules_add(builder, &rule, why))
		errx(1, "%s", why);
}

/* The last of them is for all that the others do not hold for. */
static struct lp_rules *
compile(const struct shape *shape, uint32_t count)
{
	struct lp_rules_names names = {.find = no_name};
	static struct lp_rule_match match;
	struct lp_rules_builder *builder;
	struct lp_rules *rules;
	char why[LP_WHY_SIZE];
	unsigned long text = 0;
	uint64_t spent = 0, start;

	if (lp_rules_new(&builder, 0x5eed, &names))
		errx(1, "no memory");
	for (uint32_t i = 0; i < count - 1; i++) {
		rule_match_clear(&match);
		shape->match(&match, i);
		text += match.text_len;
		start = lp_clock_ns();
		add(builder, i + 1, 1000, &match, LP_RULE_ALLOW);
		spent += lp_clock_ns() - start;
	}
	rule_match_clear(&match);
	add(builder, count, 0, &match, LP_RULE_RESET);
	start = lp_clock_ns();
	if (lp_rules_build(&rules, builder, why))
		errx(1, "%s", why);
	spent += lp_clock_ns() - start;
	lp_rules_discard(builder);
	print(shape, "build", count, "ms", (double)spent / 1e6, 1);
	print(shape, "memory", count, "bytes",
	    (double)rules->size_bytes / count, count);
	print(shape, "text", count, "bytes", (double)text / count, count);
	print(shape, "tuples", count, "tuples",
	    rules->tables[LP_RULES_REQUEST_DECIDES].count, 1);
	return rules;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

enum kind { HIT, HOT_HIT, KEPT, MISS, KINDS };

/* Rules of a shape, and what was measured of them. */
struct size {
	struct lp_rules *rules;
	uint32_t count;
	uint64_t stamp;
	uint32_t decided;
	double alone[KINDS][TURNS]; /* of making the questions */
	double whole[KINDS][TURNS];
};

/* The rule that a question is about. */
static uint32_t
choose(uint64_t *chance, uint32_t count, enum kind kind)
{
	uint32_t some =
	    (kind == HOT_HIT || kind == KEPT) && count > HOT ? HOT : count;

	return (uint32_t)((random_next(chance) >> 32) * some >> 32) *
	    (count / some);
}

static void
ask(const struct size *size, const struct question *question,
    struct lp_rules_found *found, bool kept)
{
	static struct lp_rules_cache_place places[LP_RULES_CACHE_PLACES];
	static lp_counter counters[2];
	struct lp_rules_cache cache = {
	    .places = places, .found = &counters[0], .missed = &counters[1]};

	if (kept)
		lp_rules_cache_request(&cache, size->stamp, size->rules,
		    &question->connection, &question->request, found);
	else
		lp_rules_request(size->rules, &question->connection,
		    &question->request, found);
}

/* Cycles of a question, for some turns; `asks` not: of making it. */
__attribute__((noinline)) static void
measure(const struct shape *shape, struct size *size, enum kind kind, bool asks,
    unsigned turn, unsigned turns)
{
	double *samples = asks ? size->whole[kind] : size->alone[kind];
	struct lp_rules_found found = {.decides = 0};
	struct question question;
	uint64_t chance = turn + 1;

	begin_question(&question);
	for (unsigned end = turn + turns; turn < end; turn++) {
		uint64_t start = world_cycles();

		for (unsigned i = 0; i < QUESTIONS; i++) {
			shape->ask(&question,
			    choose(&chance, size->count - 1, kind),
			    kind != MISS);
			__asm__ volatile("" : : "r"(&question) : "memory");
			if (!asks)
				continue;
			if (shape->of_connection)
				lp_rules_connection(
				    size->rules, &question.connection, &found);
			else
				ask(size, &question, &found, kind == KEPT);
			size->decided += found.decides < size->count - 1;
		}
		samples[turn] = (double)(world_cycles() - start) / QUESTIONS;
	}
}

static double
median(double samples[TURNS])
{
	qsort(samples, TURNS, sizeof(samples[0]), compare);
	return samples[TURNS / 2];
}

static void
report(const struct shape *shape, struct size *size)
{
	static const char *const names[] = {"hit", "hot", "kept", "miss"};
	unsigned hits = shape->ask == same_ask ? 0 : KINDS - 1;

	if (size->decided != hits * TURNS * QUESTIONS)
		errx(1, "%s: %u of %u questions decided", shape->name,
		    size->decided, KINDS * TURNS * QUESTIONS);
	for (unsigned kind = 0; kind < KINDS; kind++)
		print(shape, names[kind], size->count, world_unit,
		    median(size->whole[kind]) - median(size->alone[kind]),
		    TURNS * QUESTIONS);
	lp_rules_free(size->rules);
}

/*
 * All sizes in alternation, so that what else the machine does is none of what
 * one differs by from the other.
 */
static void
measure_shape(const struct shape *shape)
{
	static struct size sizes[SIZES];
	static uint64_t stamp;
	unsigned count = 0;

	for (uint32_t n = 10; n <= shape->rules_max; n *= 10) {
		sizes[count].rules = compile(shape, n);
		sizes[count].count = n;
		sizes[count].decided = 0;
		sizes[count++].stamp = ++stamp;
	}
	for (unsigned turn = 0; turn < TURNS; turn += TURNS / ROUNDS)
		for (unsigned i = 0; i < count * KINDS * 2; i++)
			measure(shape, &sizes[i / KINDS / 2], i / 2 % KINDS,
			    i % 2 == 1, turn, TURNS / ROUNDS);
	for (unsigned i = 0; i < count; i++)
		report(shape, &sizes[i]);
}

/* Cycles of world_cycles() in a microsecond. */
static double
clock_rate(void)
{
	uint64_t begin = world_cycles(), begin_ns = lp_clock_ns(), ns;

	do
		ns = lp_clock_ns() - begin_ns;
	while (ns < 50 * 1000 * 1000);
	return (double)(world_cycles() - begin) * 1000 / (double)ns;
}

/* Of all shapes, or of those that are named. */
int
main(int argc, char **argv)
{
	printf(
	    "rules/clock\tlightpath\t%s\t%.2f\t1\n", world_unit, clock_rate());
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		bool named = argc == 1;

		for (int j = 1; j < argc; j++)
			named |= strcmp(argv[j], shapes[i].name) == 0;
		if (named)
			measure_shape(&shapes[i]);
	}
	return 0;
}
