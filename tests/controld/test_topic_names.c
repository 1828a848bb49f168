/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/topic_names.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { SMALL = 8 };

static struct lp_topic_names *names;
static struct lp_config config;

/* Clusters 1 and 2, a table of so many places. */
static void
begin(uint32_t max)
{
	lp_config_init(&config);
	for (uint32_t i = 1; i <= 2; i++) {
		struct lp_object object;

		lp_object_init(&object, LP_OBJECT_CLUSTER);
		object.id = i;
		snprintf(object.cluster.name, LP_NAME_SIZE, "cluster-%u", i);
		ck_assert_int_eq(lp_config_put(&config, &object), 0);
	}
	ck_assert_int_eq(lp_topic_names_new(&names, max), 0);
	lp_topic_names_configure(names, &config);
}

static void
end(void)
{
	lp_topic_names_free(names);
	lp_config_fini(&config);
}

static struct lp_topic_id_pair
pair_of(uint32_t cluster, uint32_t n, const char *name)
{
	struct lp_topic_id_pair pair = {.cluster_id = cluster};

	memset(pair.uuid, 0xee, sizeof(pair.uuid));
	memcpy(pair.uuid, &n, sizeof(n));
	pair.len = (uint8_t)strlen(name);
	memcpy(pair.name, name, pair.len);
	return pair;
}

static bool
seed(uint32_t cluster, uint32_t n, const char *name)
{
	struct lp_topic_id_pair pair = pair_of(cluster, n, name);

	return lp_topic_names_add(
	    names, &pair, LP_TOPIC_SEEDED, LP_TOPIC_NAMES_NO_PEER);
}

static bool
learn(uint32_t cluster, uint32_t n, const char *name, unsigned peer)
{
	struct lp_topic_id_pair pair = pair_of(cluster, n, name);

	return lp_topic_names_add(names, &pair, LP_TOPIC_LEARNT, peer);
}

/* How many a dataplane is told; the last one's name. */
static char last[LP_TOPIC_NAME_MAX + 1];
static unsigned
told(unsigned peer)
{
	struct lp_topic_id_pair pairs[3];
	unsigned count = 0, n;

	while ((n = lp_topic_names_next(names, peer, pairs, 3)) > 0) {
		count += n;
		memcpy(last, pairs[n - 1].name, pairs[n - 1].len);
		last[pairs[n - 1].len] = '\0';
	}
	return count;
}

static const struct lp_topic_names_counts *
counts(uint32_t cluster)
{
	return lp_topic_names_counts(names, cluster);
}

START_TEST(each_is_told_what_it_does_not_know)
{
	begin(LP_TOPIC_IDS_MAX);
	ck_assert(seed(1, 1, "a"));
	ck_assert(learn(1, 2, "b", 0));
	ck_assert(learn(2, 2, "b", 1));
	ck_assert(!learn(2, 2, "b", 0));
	ck_assert_uint_eq(told(0), 1);
	ck_assert_uint_eq(told(0), 0);
	ck_assert_uint_eq(told(1), 2);
	ck_assert_uint_eq(told(2), 3);
	ck_assert(seed(1, 3, "late"));
	ck_assert_uint_eq(told(0), 1);
	ck_assert_str_eq(last, "late");
	/* It comes back and knows nothing. */
	lp_topic_names_forget_peer(names, 0);
	ck_assert_uint_eq(told(0), 4);
	ck_assert_uint_eq(counts(1)->known, 3);
	ck_assert_uint_eq(counts(1)->seeded, 2);
	ck_assert_uint_eq(counts(1)->learnt, 1);
	ck_assert_uint_eq(counts(2)->known, 1);
	ck_assert_uint_eq(counts(1)->shared + counts(2)->shared, 11);
	end();
}
END_TEST

START_TEST(an_id_keeps_its_first_name)
{
	begin(LP_TOPIC_IDS_MAX);
	ck_assert(learn(1, 1, "payments", 0));
	ck_assert(!learn(1, 1, "orders", 1));
	ck_assert(!seed(1, 1, "pay"));
	ck_assert_uint_eq(counts(1)->renamed, 2);
	/* Made anew: the same name, another id. */
	ck_assert(seed(1, 2, "payments"));
	ck_assert_uint_eq(told(2), 2);
	ck_assert_str_eq(last, "payments");
	end();
}
END_TEST

START_TEST(a_full_table_takes_what_is_in_use)
{
	begin(SMALL);
	for (uint32_t i = 0; i < SMALL; i++)
		ck_assert(seed(1, i, "listed"));
	ck_assert_uint_eq(told(0), SMALL);
	ck_assert(!seed(1, 100, "one-more"));
	ck_assert_uint_eq(counts(1)->refused, 1);
	ck_assert(learn(2, 100, "in-use", 1));
	ck_assert_uint_eq(counts(2)->refused, 1);
	ck_assert_uint_eq(counts(1)->known, SMALL - 1);
	ck_assert_uint_eq(counts(2)->known, 1);
	ck_assert_uint_eq(told(0), 1);
	ck_assert_str_eq(last, "in-use");
	/* The oldest went: it is new again. */
	ck_assert(!learn(1, 1, "listed", 1));
	ck_assert(learn(1, 0, "listed", 1));
	end();
}
END_TEST

START_TEST(what_is_configured_away_is_forgotten)
{
	begin(SMALL);
	ck_assert(!seed(3, 1, "of-no-cluster"));
	for (uint32_t i = 0; i < SMALL; i++)
		ck_assert(seed(1 + i % 2, i, "x"));
	lp_config_remove(&config, LP_OBJECT_CLUSTER, 1);
	lp_topic_names_configure(names, &config);
	ck_assert_ptr_null(counts(1));
	ck_assert_uint_eq(counts(2)->known, SMALL / 2);
	ck_assert_uint_eq(told(0), SMALL / 2);
	/* Their places are there for others. */
	for (uint32_t i = 0; i < SMALL / 2; i++)
		ck_assert(seed(2, 100 + i, "y"));
	ck_assert(!seed(2, 200, "z"));
	ck_assert_uint_eq(told(0), SMALL / 2);
	ck_assert_str_eq(last, "y");
	end();
}
END_TEST

START_TEST(as_many_as_the_worker_has_room_for)
{
	begin(LP_TOPIC_IDS_MAX);
	for (uint32_t i = 0; i < LP_TOPIC_IDS_MAX; i++)
		ck_assert(seed(1 + i % 2, i, "topic"));
	ck_assert(!seed(1, LP_TOPIC_IDS_MAX, "topic"));
	ck_assert_uint_eq(told(15), LP_TOPIC_IDS_MAX);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("topic_names");
	TCase *tcase = tcase_create("topic_names");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, each_is_told_what_it_does_not_know);
	tcase_add_test(tcase, an_id_keeps_its_first_name);
	tcase_add_test(tcase, a_full_table_takes_what_is_in_use);
	tcase_add_test(tcase, what_is_configured_away_is_forgotten);
	tcase_add_test(tcase, as_many_as_the_worker_has_room_for);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
