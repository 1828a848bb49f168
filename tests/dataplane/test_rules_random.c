/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rules over few values, so that they meet often: the table, and what
 * explains it, against the model that asks them one by one.
 */
#include "dataplane/rules.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/rule_explain.h"
#include "tests/support/ensure.h"
#include "tests/support/random.h"
#include "tests/support/rule_match.h"
#include "tests/support/rules_model.h"

enum {
	SETS = 6000,
	LOOKS = 120, /* of each kind, for each set */
	RULES_MAX = 4000,
};

/*
 * With this one all numbers of the field DST_PORT have the same hash: nothing
 * may be decided by it.
 */
static const uint64_t bad_seed =
    0xa0761d6478bd642fu - (LP_RULE_DST_PORT + 1) * 0x9e3779b97f4a7c15u;

static const int64_t edges[] = {-3, -1, 0, 1, 2, 3, 5, 63, 64, 100, 127, 128,
    130, 32767, 65535, 4294967295, 4294967296};

static uint64_t chance;
static struct lp_rule_match matches[RULES_MAX];
static struct lp_rule_action actions[RULES_MAX];
static struct lp_rules_rule rules[RULES_MAX];
static struct rules_model model = {
    .rules = rules, .names = {.find = rules_model_name}};

static uint32_t
between(uint32_t low, uint32_t high)
{
	return random_between(&chance, low, high);
}

static bool
percent(unsigned of_100)
{
	return random_percent(&chance, of_100);
}

static int64_t
edge(void)
{
	return edges[between(0, sizeof(edges) / sizeof(edges[0]) - 1)];
}

/* Of two letters, so that prefixes and texts meet. */
static unsigned
draw_text(char text[8])
{
	unsigned len = between(0, percent(80) ? 4 : 7);

	for (unsigned i = 0; i < len; i++)
		text[i] = percent(60) ? 'a' : 'b';
	return len;
}

static void
draw_ip(struct lp_ip *ip)
{
	uint8_t v4[4] = {10, 0, (uint8_t)between(0, 3), (uint8_t)between(0, 3)};

	if (percent(70)) {
		lp_ip_from_v4(ip, v4);
		return;
	}
	memset(ip, 0, sizeof(*ip));
	if (percent(80)) {
		ip->bytes[0] = 0x20;
		ip->bytes[1] = 1;
	}
	ip->bytes[7] = (uint8_t)between(0, 3);
	ip->bytes[15] = (uint8_t)between(1, 3);
}

static void
draw_prefix(struct lp_prefix *prefix)
{
	static const uint8_t v4[] = {0, 8, 24, 25, 30, 31, 32};
	static const uint8_t v6[] = {0, 1, 16, 62, 63, 64, 65, 127, 128};
	unsigned bits;

	memset(prefix, 0, sizeof(*prefix));
	draw_ip(&prefix->ip);
	prefix->len = lp_ip_is_v4(&prefix->ip) ? v4[between(0, sizeof(v4) - 1)]
					       : v6[between(0, sizeof(v6) - 1)];
	bits = prefix->len + (lp_ip_is_v4(&prefix->ip) ? 96u : 0u);
	for (; bits < 128; bits++)
		prefix->ip.bytes[bits / 8] &= (uint8_t) ~(0x80u >> bits % 8);
}

static void
draw_range(struct lp_rule_match *match, unsigned field)
{
	int64_t low = edge(), high = percent(50) ? low : edge();

	if (field == LP_RULE_ACKS)
		low = high = (int64_t)between(0, 2) - 1;
	if (field == LP_RULE_FROM) {
		low = between(0, 1);
		high = percent(50) ? 1 : low;
	}
	rule_match_range(
	    match, field, low < high ? low : high, low < high ? high : low);
}

static void
draw_value(struct lp_rule_match *match, unsigned field)
{
	struct lp_prefix prefix;
	char text[8];

	switch (field) {
	case LP_RULE_CLUSTER:
	case LP_RULE_LISTENER:
	case LP_RULE_PORT:
		snprintf(text, sizeof(text), "n%u", between(1, 3));
		rule_match_bytes(match, field, false, text, 2);
		break;
	case LP_RULE_SRC:
	case LP_RULE_DST:
		draw_prefix(&prefix);
		rule_match_address(match, field, &prefix);
		break;
	case LP_RULE_CLIENT_ID:
	case LP_RULE_PRINCIPAL:
	case LP_RULE_TOPIC:
	case LP_RULE_GROUP:
	case LP_RULE_TRANSACTIONAL_ID:
		rule_match_bytes(
		    match, field, percent(50), text, draw_text(text));
		break;
	default:
		draw_range(match, field);
	}
}

static void
draw_match(struct lp_rule_match *match)
{
	unsigned of_100 = between(0, 25);
	bool connection = percent(40);

	rule_match_clear(match);
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		unsigned count = percent(30) ? between(2, 4) : 1;

		if (connection && field >= LP_RULE_FROM)
			break;
		if (!percent(of_100) || match->count + count > 12)
			continue;
		/* A product below the limit. */
		if (match->count > 6)
			count = 1;
		while (count-- > 0)
			draw_value(match, field);
	}
}

static void
draw_rules(size_t count)
{
	model.count = count;
	for (size_t i = 0; i < count; i++) {
		draw_match(&matches[i]);
		memset(&actions[i], 0, sizeof(actions[i]));
		actions[i].verdict =
		    (uint8_t)between(LP_RULE_ALLOW, LP_RULE_ROUTE);
		if (percent(30))
			actions[i].verdict = LP_RULE_OBSERVE;
		actions[i].broker = (int32_t)between(0, 9);
		if (percent(30) && !lp_rule_match_is_request(&matches[i]) &&
		    (actions[i].verdict == LP_RULE_LIMIT ||
			actions[i].verdict == LP_RULE_ALLOW))
			actions[i].has = LP_RULE_HAS_DSCP;
		rules[i] = (struct lp_rules_rule){
		    /* Each once, in no order. */
		    .id = (uint32_t)(i * 7919 % 65521 + 1),
		    .slot = (uint32_t)i,
		    .priority = (uint16_t)(percent(50) ? 7 : between(0, 65535)),
		    .shadow = percent(20),
		    .match = &matches[i],
		    .action = &actions[i],
		};
	}
}

static void
draw_connection(struct lp_rules_connection *connection)
{
	memset(connection, 0, sizeof(*connection));
	draw_ip(&connection->src);
	draw_ip(&connection->dst);
	connection->src_port = (uint16_t)edge();
	connection->dst_port = (uint16_t)edge();
	connection->cluster = between(0, 3);
	connection->listener = between(0, 3);
	connection->port = between(0, 3);
	connection->broker = percent(20) ? -1 : (int32_t)(uint16_t)edge();
}

static uint8_t undenied(const struct lp_rules_request *);
static void describe(struct lp_rule_subject *, char[3][8],
    const struct lp_rules_connection *, const struct lp_rules_request *);

static void
draw_request(struct lp_rules_request *request, char texts[LP_RULES_TEXTS][8])
{
	memset(request, 0, sizeof(*request));
	for (unsigned i = 0; i < LP_RULES_TEXTS; i++) {
		if (percent(20))
			continue;
		request->text[i].bytes = (const uint8_t *)texts[i];
		request->text[i].len = (uint16_t)draw_text(texts[i]);
		request->text[i].cut = percent(10);
	}
	request->api = (int16_t)edge();
	request->version = (int16_t)edge();
	request->acks =
	    percent(30) ? LP_RULES_NO_ACKS : (int16_t)((int)between(0, 3) - 1);
	request->frame_size = (uint32_t)edge();
	request->from = percent(20) ? LP_RULE_FROM_BROKER : LP_RULE_FROM_CLIENT;
	request->undenied = undenied(request);
}

/* As who judges requests knows it. */
static uint8_t
undenied(const struct lp_rules_request *request)
{
	const struct lp_rules_connection of = {.broker = -1};
	struct lp_rule_subject subject;
	char names[3][8];

	describe(&subject, names, &of, request);
	if (request->api < 0)
		return LP_RULES_DENIED;
	if (lp_rule_undenied(NULL, &subject) != NULL)
		return LP_RULES_UNDENIED;
	return lp_rule_deny_is_whole(request->api) ? LP_RULES_UNDENIED_BY_TOPIC
						   : LP_RULES_DENIED;
}

/* What is put into words is what decides. */
static void
describe(struct lp_rule_subject *subject, char names[3][8],
    const struct lp_rules_connection *of,
    const struct lp_rules_request *request)
{
	static const unsigned fields[3] = {
	    LP_RULE_CLUSTER, LP_RULE_LISTENER, LP_RULE_PORT};
	const uint32_t ids[3] = {of->cluster, of->listener, of->port};

	memset(subject, 0, sizeof(*subject));
	for (unsigned i = 0; i < 3; i++)
		if (ids[i] != 0)
			lp_rule_subject_text(subject, fields[i], names[i],
			    (size_t)snprintf(names[i], 8, "n%u", ids[i] % 10));
	lp_rule_subject_ip(subject, LP_RULE_SRC, &of->src);
	lp_rule_subject_ip(subject, LP_RULE_DST, &of->dst);
	lp_rule_subject_number(subject, LP_RULE_SRC_PORT, of->src_port);
	lp_rule_subject_number(subject, LP_RULE_DST_PORT, of->dst_port);
	if (of->broker >= 0)
		lp_rule_subject_number(subject, LP_RULE_BROKER, of->broker);
	if (request == NULL)
		return;
	subject->is_request = true;
	lp_rule_subject_number(subject, LP_RULE_FROM, request->from);
	lp_rule_subject_number(
	    subject, LP_RULE_FRAME_SIZE, request->frame_size);
	if (request->api >= 0)
		lp_rule_subject_number(subject, LP_RULE_API, request->api);
	if (request->version >= 0)
		lp_rule_subject_number(
		    subject, LP_RULE_VERSION, request->version);
	if (request->acks >= -1 && request->acks <= 1)
		lp_rule_subject_number(subject, LP_RULE_ACKS, request->acks);
	for (unsigned i = 0; i < LP_RULES_TEXTS; i++) {
		const struct lp_rules_text *text = &request->text[i];

		if (text->bytes == NULL)
			continue;
		lp_rule_subject_text(subject, LP_RULE_CLIENT_ID + i,
		    (const char *)text->bytes, text->len);
		subject->cut |= (uint32_t)text->cut << (LP_RULE_CLIENT_ID + i);
	}
}

static void
explained(const struct lp_rules_found *want,
    const struct lp_rules_connection *of,
    const struct lp_rules_request *request)
{
	struct lp_rule_subject subject;
	struct lp_rule_trial trial = {.subject = &subject};
	uint32_t decides = LP_RULES_NONE, seen = 0;
	char names[3][8];

	describe(&subject, names, of, request);
	for (uint32_t i = 0; i < model.count; i++) {
		enum lp_rule_role role = lp_rule_trial_ask(
		    &trial, rules[i].match, rules[i].action, rules[i].shadow);

		if (role == LP_RULE_DECIDES)
			decides = i;
		if (role != LP_RULE_SEES || seen++ >= want->seen_count)
			continue;
		ensure(want->seen[seen - 1] == i, "row %u is explained as seen",
		    i);
	}
	ensure(decides == want->decides, "row %d is explained, not %d",
	    (int)decides, (int)want->decides);
	ensure(seen == want->seen_count + want->more,
	    "%u are explained as seen, not %u", seen,
	    want->seen_count + want->more);
	ensure(trial.later == want->later, "later");
}

static void
same(const struct lp_rules *compiled, const struct lp_rules_connection *of,
    const struct lp_rules_request *request)
{
	struct lp_rules_found want, got;

	rules_model_find(&model, of, request, &want);
	memset(&got, 0xff, sizeof(got));
	if (request == NULL)
		lp_rules_connection(compiled, of, &got);
	else
		lp_rules_request(compiled, of, request, &got);
	ensure(got.decides == want.decides, "row %d decides, not %d",
	    (int)got.decides, (int)want.decides);
	ensure(got.seen_count == want.seen_count, "%u are seen, not %u",
	    got.seen_count, want.seen_count);
	for (unsigned i = 0; i < want.seen_count; i++)
		ensure(got.seen[i] == want.seen[i], "row %u is seen, not %u",
		    got.seen[i], want.seen[i]);
	ensure(got.more == want.more, "%u more, not %u", got.more, want.more);
	ensure(got.no_create == want.no_create, "no_create");
	ensure(got.later == want.later, "later");
	explained(&got, of, request);
}

static struct lp_rules *
compile(uint64_t seed)
{
	struct lp_rules_builder *builder;
	struct lp_rules *compiled;
	char why[LP_WHY_SIZE];

	ensure(lp_rules_new(&builder, seed, &model.names) == 0, "new");
	for (size_t i = 0; i < model.count; i++)
		ensure(lp_rules_add(builder, &rules[i], why) == 0, "%s", why);
	ensure(lp_rules_build(&compiled, builder, why) == 0, "%s", why);
	lp_rules_discard(builder);
	rules_model_sort(&model);
	for (uint32_t i = 0; i < model.count; i++) {
		const struct lp_rules_row *row = &compiled->rows[i];

		ensure(row->id == rules[i].id, "row %u is another rule", i);
		ensure(row->slot == rules[i].slot, "row %u: its slot", i);
		ensure(memcmp(&compiled->actions[row->action], rules[i].action,
			   sizeof(struct lp_rule_action)) == 0,
		    "row %u: its action", i);
	}
	return compiled;
}

static void
run(size_t count, unsigned looks)
{
	struct lp_rules *compiled;

	draw_rules(count);
	compiled = compile(percent(20) ? bad_seed : random_next(&chance));
	for (unsigned i = 0; i < looks; i++) {
		struct lp_rules_connection connection;
		struct lp_rules_request request;
		char texts[LP_RULES_TEXTS][8];

		draw_connection(&connection);
		draw_request(&request, texts);
		same(compiled, &connection, NULL);
		same(compiled, &connection, &request);
	}
	lp_rules_free(compiled);
}

START_TEST(few_rules_are_what_they_are_one_by_one)
{
	uint64_t seed, first = 0, end = random_seeds(SETS);

	if (random_seed_given(&first))
		end = first + 1;
	for (seed = first; seed < end; seed++) {
		chance = seed;
		ensure_at("LP_TEST_SEED=%llu", (unsigned long long)seed);
		run(between(0, percent(50) ? 8 : 60), LOOKS);
	}
}
END_TEST

START_TEST(many_rules_are_what_they_are_one_by_one)
{
	for (uint64_t seed = 0; seed < 4; seed++) {
		chance = 1000000 + seed;
		ensure_at("the set of many rules number %llu",
		    (unsigned long long)seed);
		run(RULES_MAX, 2000 / RANDOM_SLOWER);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rules_random");
	TCase *tcase = tcase_create("rules_random");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, few_rules_are_what_they_are_one_by_one);
	tcase_add_test(tcase, many_rules_are_what_they_are_one_by_one);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
