/* SPDX-License-Identifier: Apache-2.0 */
/* Order and counts of BEGIN, OBJECT and END, without a socket. */
#include "dataplane/candidate.h"

#include <errno.h>
#include <stdio.h>

#include "tests/dataplane/cold.h"

enum { EPOCH = 5, GENERATION = 10 };

static uint64_t welcomed; /* the epoch of the session */
static struct lp_running running;
static struct lp_candidate candidate;
static struct lp_refusal refusal;

static void
begin_running(void)
{
	cold_config(&running.config);
	welcomed = EPOCH;
	running.epoch_seen = EPOCH;
	running.epoch = EPOCH;
	running.generation = GENERATION;
	running.digest = lp_config_digest(&running.config);
	lp_candidate_init(&candidate);
}

static void
end_running(void)
{
	lp_candidate_fini(&candidate);
	lp_config_fini(&running.config);
}

static int
begin(uint64_t epoch, uint64_t generation, uint64_t base, uint32_t count,
    uint64_t digest)
{
	Lp__Pb__Begin frame = LP__PB__BEGIN__INIT;

	frame.epoch = epoch;
	frame.generation = generation;
	frame.full = base == 0;
	frame.has_base_generation = base != 0;
	frame.base_generation = base;
	frame.object_count = count;
	frame.digest = digest;
	return lp_candidate_begin(
	    &candidate, &frame, welcomed, &running, &refusal);
}

static int
add(const struct lp_object *object, bool gone)
{
	Lp__Pb__ObjectFrame frame = LP__PB__OBJECT_FRAME__INIT;
	struct lp_message_object holder;

	frame.object = lp_message_from_object(&holder, object);
	frame.has_gone = gone;
	frame.gone = gone;
	return lp_candidate_object(&candidate, &frame, &refusal);
}

static int
end(uint64_t generation)
{
	Lp__Pb__End frame = LP__PB__END__INIT;

	frame.generation = generation;
	return lp_candidate_end(&candidate, &frame, &running, &refusal);
}

START_TEST(full_generation_begins_from_nothing)
{
	struct lp_config one;
	struct lp_object cluster = make_cluster(1, "only");

	begin_running();
	lp_config_init(&one);
	put(&one, cluster);
	ck_assert_int_eq(begin(EPOCH, 11, 0, 1, lp_config_digest(&one)), 0);
	ck_assert_int_eq(add(&cluster, false), 0);
	ck_assert_int_eq(end(11), 0);
	ck_assert_uint_eq(candidate.config.count, 1);
	ck_assert_uint_eq(running.config.count, 12);
	lp_config_fini(&one);
	end_running();
}
END_TEST

START_TEST(delta_begins_from_what_runs)
{
	begin_running();
	ck_assert_int_eq(begin(EPOCH, 11, GENERATION, 0, running.digest), 0);
	ck_assert_int_eq(end(11), 0);
	ck_assert_uint_eq(candidate.config.count, running.config.count);
	end_running();
}
END_TEST

/* Of 300 rules every third goes, and another changes. */
START_TEST(rules_come_change_and_go)
{
	struct lp_config next;
	struct lp_object rule;
	char name[LP_NAME_SIZE];

	begin_running();
	for (uint32_t id = 1000; id < 1300; id++) {
		snprintf(name, sizeof(name), "r%u", id);
		put(&running.config,
		    make_rule(id, name, 1, "src=10.0.0.0/8", "reset"));
	}
	lp_config_init(&next);
	ck_assert_int_eq(lp_config_copy(&next, &running.config), 0);
	for (uint32_t id = 1000; id < 1300; id += 3)
		lp_config_remove(&next, LP_OBJECT_RULE, id);
	rule = *lp_config_find(&next, LP_OBJECT_RULE, 1001);
	rule.rule.priority = 7;
	put(&next, rule);
	ck_assert_int_eq(
	    begin(EPOCH, 11, GENERATION, 103, lp_config_digest(&next)), 0);
	ck_assert_int_eq(add(&rule, false), 0);
	for (uint32_t id = 1000; id < 1300; id += 3)
		ck_assert_int_eq(
		    add(lp_config_find(&running.config, LP_OBJECT_RULE, id),
			true),
		    0);
	/* One is here again, and gone, out of their order. */
	rule = *lp_config_find(&running.config, LP_OBJECT_RULE, 1000);
	ck_assert_int_eq(add(&rule, false), 0);
	ck_assert_int_eq(add(&rule, true), 0);
	ck_assert_int_eq(end(11), 0);
	ck_assert_uint_eq(candidate.config.count, next.count);
	ck_assert_uint_eq(
	    lp_config_digest(&candidate.config), lp_config_digest(&next));
	lp_config_fini(&next);
	end_running();
}
END_TEST

START_TEST(a_rule_goes_only_once)
{
	struct lp_object rule = make_rule(50, "r", 1, "", "observe");

	begin_running();
	put(&running.config, rule);
	ck_assert_int_eq(begin(EPOCH, 11, GENERATION, 2, running.digest), 0);
	ck_assert_int_eq(add(&rule, true), 0);
	ck_assert_int_eq(add(&rule, true), -EINVAL);
	ck_assert_str_eq(
	    refusal.why, "an object is to go that is not there: rule 50");
	end_running();
}
END_TEST

/* What it cannot do it does not take, whoever sends it. */
START_TEST(a_rule_that_cannot_be_followed_is_refused)
{
	struct lp_config next;
	struct lp_object rule =
	    make_rule(50, "r", 1, "api=Heartbeat", "limit requests=1/s");

	begin_running();
	lp_config_init(&next);
	ck_assert_int_eq(lp_config_copy(&next, &running.config), 0);
	put(&next, rule);
	ck_assert_int_eq(
	    begin(EPOCH, 11, GENERATION, 1, lp_config_digest(&next)), 0);
	ck_assert_int_eq(add(&rule, false), 0);
	ck_assert_int_eq(end(11), -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__INVALID);
	ck_assert_str_eq(refusal.object, "rule r");
	ck_assert_str_eq(refusal.field, "action");
	lp_config_fini(&next);
	end_running();
}
END_TEST

START_TEST(base_is_looked_at_again_at_the_end)
{
	begin_running();
	ck_assert_int_eq(begin(EPOCH, 12, GENERATION, 0, running.digest), 0);
	/* Another controller was faster. */
	running.generation = 11;
	ck_assert_int_eq(end(12), -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__BASE);
	ck_assert(!refusal.out_of_place);
	end_running();
}
END_TEST

START_TEST(epoch_is_looked_at_again_at_the_end)
{
	begin_running();
	ck_assert_int_eq(begin(EPOCH, 100, 0, 0, 1), 0);
	/* Another controller has taken over, and counts from the beginning. */
	running.epoch_seen = EPOCH + 1;
	running.epoch = EPOCH + 1;
	running.generation = 3;
	ck_assert_int_eq(end(100), -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__FENCED);
	ck_assert_uint_eq(refusal.generation, 100);
	end_running();
}
END_TEST

START_TEST(begin_has_the_epoch_of_welcome)
{
	begin_running();
	ck_assert_int_eq(begin(EPOCH + 1, 11, 0, 0, 1), -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__PROTOCOL);
	ck_assert_int_eq(end(11), -ECANCELED);
	welcomed = EPOCH + 2;
	ck_assert_int_eq(begin(EPOCH + 1, 11, 0, 0, 1), -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__PROTOCOL);
	end_running();
}
END_TEST

START_TEST(delta_on_nothing_is_refused)
{
	struct lp_running none = {0};
	Lp__Pb__Begin frame = LP__PB__BEGIN__INIT;

	lp_config_init(&none.config);
	lp_candidate_init(&candidate);
	frame.epoch = 1;
	frame.generation = 1;
	frame.full = false;
	ck_assert_int_eq(
	    lp_candidate_begin(&candidate, &frame, 1, &none, &refusal),
	    -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__BASE);
	lp_candidate_fini(&candidate);
}
END_TEST

START_TEST(removing_what_is_not_there_is_refused)
{
	struct lp_object cluster = make_cluster(999, "ghost");

	begin_running();
	ck_assert_int_eq(begin(EPOCH, 11, GENERATION, 1, 1), 0);
	ck_assert_int_eq(add(&cluster, true), -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__PROTOCOL);
	/* Said once; the END is only swallowed. */
	ck_assert_int_eq(add(&cluster, true), 0);
	ck_assert_int_eq(end(11), -ECANCELED);
	ck_assert_int_eq(candidate.state, LP_CANDIDATE_NONE);
	end_running();
}
END_TEST

START_TEST(frames_out_of_place_are_told_apart)
{
	struct lp_object cluster = make_cluster(1, "x");

	begin_running();
	ck_assert_int_eq(add(&cluster, false), -EINVAL);
	ck_assert(refusal.out_of_place);
	ck_assert_int_eq(end(1), -EINVAL);
	ck_assert(refusal.out_of_place);
	ck_assert_int_eq(begin(EPOCH, 11, 0, 1, 1), 0);
	ck_assert_int_eq(begin(EPOCH, 12, 0, 1, 1), -EINVAL);
	ck_assert(refusal.out_of_place);
	lp_candidate_fini(&candidate);
	ck_assert_int_eq(begin(EPOCH, 11, 0, 1, 1), 0);
	ck_assert_int_eq(end(12), -EINVAL);
	ck_assert(refusal.out_of_place);
	end_running();
}
END_TEST

START_TEST(counts_that_cannot_be_are_refused)
{
	begin_running();
	ck_assert_int_eq(
	    begin(EPOCH, 11, 0, 2 * LP_OBJECTS_MAX + 1, 1), -EINVAL);
	ck_assert_int_eq(end(11), -ECANCELED);
	ck_assert_int_eq(begin(EPOCH, 0, 0, 1, 1), -EINVAL);
	end_running();
}
END_TEST

START_TEST(object_without_a_body_is_refused)
{
	Lp__Pb__ObjectFrame frame = LP__PB__OBJECT_FRAME__INIT;
	Lp__Pb__Object object = LP__PB__OBJECT__INIT;

	begin_running();
	frame.object = &object;
	ck_assert_int_eq(begin(EPOCH, 11, 0, 1, 1), 0);
	ck_assert_int_eq(
	    lp_candidate_object(&candidate, &frame, &refusal), -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__INVALID);
	frame.has_gone = true;
	frame.gone = true;
	ck_assert_int_eq(end(11), -ECANCELED);
	ck_assert_int_eq(begin(EPOCH, 11, GENERATION, 1, 1), 0);
	ck_assert_int_eq(
	    lp_candidate_object(&candidate, &frame, &refusal), -EINVAL);
	end_running();
}
END_TEST

START_TEST(too_many_of_a_kind_are_refused)
{
	struct lp_object cluster = make_cluster(1, "x");
	int error = 0;

	begin_running();
	ck_assert_int_eq(begin(EPOCH, 11, 0, LP_CLUSTERS_MAX + 1, 1), 0);
	for (uint32_t i = 1; i <= LP_CLUSTERS_MAX + 1; i++) {
		ck_assert_int_eq(error, 0);
		cluster.id = i;
		error = add(&cluster, false);
	}
	ck_assert_int_eq(error, -EINVAL);
	ck_assert_uint_eq(refusal.object_id, LP_CLUSTERS_MAX + 1);
	end_running();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    full_generation_begins_from_nothing,
	    delta_begins_from_what_runs,
	    rules_come_change_and_go,
	    a_rule_goes_only_once,
	    a_rule_that_cannot_be_followed_is_refused,
	    base_is_looked_at_again_at_the_end,
	    epoch_is_looked_at_again_at_the_end,
	    begin_has_the_epoch_of_welcome,
	    delta_on_nothing_is_refused,
	    removing_what_is_not_there_is_refused,
	    frames_out_of_place_are_told_apart,
	    counts_that_cannot_be_are_refused,
	    object_without_a_body_is_refused,
	    too_many_of_a_kind_are_refused,
	    NULL,
	};

	return cold_run("candidate", tests);
}
