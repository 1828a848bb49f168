/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans from any configuration to any other: the model of lp-controld does
 * them.  LP_TEST_SEED and LP_TEST_MORE are as in tests/support/random.h.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/support_plan.h"
#include "tests/controld/transaction.h"
#include "tests/support/random.h"

enum {
	SEEDS = 400,
	COMMANDS_MAX = 24,
};

static uint64_t state;

static unsigned
draw(unsigned below)
{
	return random_between(&state, 0, below - 1);
}

static const char *
pick(const char *const *list)
{
	unsigned count = 0;

	while (list[count] != NULL)
		count++;
	return list[draw(count)];
}

/* One command, which may well be refused. */
static void
make_command(char *text, size_t size)
{
	static const char *const clusters[] = {"a", "b", "c", NULL};
	static const char *const names[] = {"x", "y", "z", NULL};
	static const char *const verbs[] = {
	    "add", "add", "add", "set", "del", NULL};
	static const char *const matches[] = {"", "src=10.0.0.0/8", "cluster=a",
	    "cluster=b", "listener=a/x", "listener=b/y", "port=x",
	    "cluster=a,c+src=10.1.0.0/16", NULL};
	static const char *const actions[] = {
	    "allow", "reset", "allow+dscp=46", NULL};
	static const char *const owners[] = {
	    "", "", " owner=", " owner=e", " owner=f", NULL};
	const char *verb = pick(verbs), *owner = pick(owners);
	const char *cluster = pick(clusters), *name = pick(names);
	bool is_set = strcmp(verb, "set") == 0;
	unsigned number = draw(4);

	if (strcmp(verb, "del") == 0)
		owner = "";
	switch (draw(6)) {
	case 0:
		if (draw(3) == 0)
			snprintf(text, size,
			    "add port x device=eth7 peer=y loss=%s;"
			    "add port y device=eth8 peer=x loss=drop",
			    draw(2) ? "drop" : "wire");
		else
			snprintf(text, size,
			    "%s port %s device=eth%u address=10.9.%u.10/24"
			    "%s side=%s%s",
			    verb, name, number, number,
			    draw(2) ? ",fd00::1/64" : "",
			    draw(2) ? "both" : "client", owner);
		break;
	case 1:
		snprintf(text, size, "%s cluster %s discover=%u same=%s%s",
		    verb, cluster, draw(2), draw(2) ? pick(clusters) : "",
		    owner);
		break;
	case 2:
		/* What was found stays, and so does where it is. */
		if (draw(4) == 0)
			snprintf(text, size,
			    "%s broker %s %u to=10.9.1.%u:9092 found=1%s", verb,
			    cluster, number,
			    (unsigned)(cluster[0] - 'a') * 4 + number, owner);
		else
			snprintf(text, size,
			    "%s broker %s %u to=10.9.0.%u:9092%s%s", verb,
			    cluster, number, 20 + draw(8),
			    draw(3) == 0 ? " at=x@10.9.0.200:9" : "", owner);
		break;
	case 3:
		snprintf(text, size,
		    "%s listener %s %s vip=10.9.0.%u:9092 unjudged=reset "
		    "rewrite=%s%s%s%s",
		    verb, cluster, name, 100 + draw(6),
		    draw(2) ? "on" : "shadow",
		    draw(2) ? " advertise=k.example.com" : "",
		    !is_set && draw(2) ? " base=20000" : "", owner);
		break;
	default:
		snprintf(text, size,
		    "%s rule %s%u priority=%u match=%s "
		    "action=%s shadow=%u%s",
		    verb, name, number,
		    /* Its own: of equal ones the older is asked first. */
		    draw(3) * 12 + (unsigned)(name[0] - 'x') * 4 + number,
		    pick(matches), pick(actions), draw(2), owner);
		break;
	}
}

/* What the model takes of some commands, one after another. */
static void
grow(struct lp_config *config, unsigned commands)
{
	uint32_t next_id = 1;

	for (size_t i = 0; i < config->count; i++)
		if (config->objects[i].id >= next_id)
			next_id = config->objects[i].id + 1;
	while (commands-- > 0) {
		Lp__Pb__ControlRequest *request;
		struct lp_model_change change;
		char text[512];

		make_command(text, sizeof(text));
		request = make_transaction(text);
		if (lp_model_apply(&change, config, next_id,
			request->transaction->operations,
			request->transaction->n_operations) == 0) {
			lp_config_fini(config);
			*config = change.config;
			next_id = change.next_id;
			lp_config_init(&change.config);
		}
		lp_model_change_fini(&change);
		lp__pb__control_request__free_unpacked(request, NULL);
	}
}

static char *
print(const struct lp_config *config)
{
	struct lp_declaration declaration;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(lp_declaration_from_config(&declaration, config), 0);
	ck_assert_int_eq(lp_declaration_print(out, &declaration, NULL), 0);
	fclose(out);
	lp_declaration_fini(&declaration);
	return text;
}

/* Nothing is deleted and added again: who keeps his name keeps his id. */
static void
check_ids(const struct lp_config *before, const struct lp_config *after)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct lp_object *old = &before->objects[i];
		char a[LP_OBJECT_LABEL_SIZE], b[LP_OBJECT_LABEL_SIZE];

		if (old->kind == LP_OBJECT_ENDPOINT)
			continue;
		lp_config_label(before, old, a);
		for (size_t j = 0; j < after->count; j++)
			if (strcmp(a,
				lp_config_label(
				    after, &after->objects[j], b)) == 0)
				ck_assert_uint_eq(
				    after->objects[j].id, old->id);
	}
}

/* True: the plan was made, and done. */
static bool
check_plan(const struct lp_config *before, const struct lp_config *wanted)
{
	const struct lp_plan_options options = {.prune = true};
	struct lp_declaration declaration;
	struct lp_config after;
	struct lp_plan plan;
	char *a, *b;
	bool refused;

	ck_assert_int_eq(lp_declaration_from_config(&declaration, wanted), 0);
	for (size_t i = 0; i < declaration.count; i++)
		declaration.list[i].node = &support_plan_node;
	ck_assert_int_eq(lp_plan_make(&plan, support_plan_report, &declaration,
			     before, &options),
	    0);
	refused = lp_report_count(support_plan_report, LP_SEVERITY_ERROR) > 0 ||
	    !support_plan_run(&after, before, &plan);
	if (!refused) {
		lp_plan_fini(&plan);
		a = print(&after);
		b = print(wanted);
		ck_assert_str_eq(a, b);
		check_ids(before, &after);
		ck_assert_int_eq(lp_plan_make(&plan, support_plan_report,
				     &declaration, &after, &options),
		    0);
		ck_assert_uint_eq(plan.count, 0);
		free(a);
		free(b);
		lp_config_fini(&after);
	}
	lp_plan_fini(&plan);
	lp_declaration_fini(&declaration);
	return !refused;
}

/* Not those of which a name is another's: what is refused is refused. */
static void
forget_owners(struct lp_config *config)
{
	for (size_t i = 0; i < config->count; i++)
		memset(config->objects[i].owner, 0, LP_OWNER_SIZE);
}

static bool
run_seed(uint64_t seed)
{
	struct lp_config before, wanted;
	bool done;

	state = seed;
	/* The last one that is told is the one that fails. */
	fprintf(stderr, "LP_TEST_SEED=%llu\n", (unsigned long long)seed);
	lp_config_init(&before);
	lp_config_init(&wanted);
	grow(&before, draw(COMMANDS_MAX));
	forget_owners(&before);
	/* From there, or from nothing. */
	if (draw(3) != 0)
		ck_assert_int_eq(lp_config_copy(&wanted, &before), 0);
	grow(&wanted, draw(COMMANDS_MAX));
	done = check_plan(&before, &wanted);
	lp_config_fini(&before);
	lp_config_fini(&wanted);
	support_plan_teardown();
	support_plan_setup();
	return done;
}

START_TEST(a_plan_makes_of_any_configuration_any_other)
{
	unsigned seeds = random_seeds(SEEDS), done = 0;
	uint64_t seed;

	if (random_seed_given(&seed)) {
		run_seed(seed);
		return;
	}
	for (seed = 1; seed <= seeds; seed++)
		done += run_seed(seed);
	ck_assert_uint_gt(done, seeds / 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan_random");
	TCase *tests = tcase_create("plan_random");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(
	    tests, support_plan_setup, support_plan_teardown);
	tcase_add_test(tests, a_plan_makes_of_any_configuration_any_other);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
