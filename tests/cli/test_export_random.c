/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations at random, exported and read again: the files declare what
 * there was, and what they declare, added to nothing, exports the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/plan.h"
#include "controld/model.h"
#include "tests/cli/random_config.h"
#include "tests/support/ensure.h"
#include "tests/support/random.h"

enum { SEEDS = 150, TRIES = 120 };

static struct {
	unsigned seeds;
	size_t objects[LP_OBJECT_KINDS], choices, steps, refused;
} sum;

typedef int printer(
    FILE *out, const struct lp_declaration *declaration, const char *owner);

static char *
print(printer *put, const struct lp_declaration *declaration, const char *owner)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ensure(out && put(out, declaration, owner) == 0, "no memory");
	fclose(out);
	return text;
}

/* As a plan does it. */
static void
resolve(struct lp_declaration *declaration)
{
	for (size_t i = 0; i < declaration->count; i++) {
		struct lp_object *object = &declaration->list[i].object;
		char why[LP_WHY_SIZE];

		if (object->kind == LP_OBJECT_BROKER &&
		    lp_ip_is_none(&object->broker.real.ip))
			ensure(random_config_resolve(&object->broker.real.ip,
				   object->broker.host, why) == 0,
			    "%s", why);
	}
}

/* Of a file that has that text. */
static void
load(struct lp_declaration *out, struct lp_report **report, const char *text)
{
	char path[32];
	const char *paths[] = {path};
	int fd = memfd_create("export", 0);

	ensure(
	    fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text),
	    "memfd");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ensure(lp_report_new(report) == 0, "no memory");
	ensure(lp_declaration_load(out, *report, paths, 1) == 0, "no memory");
	close(fd);
	resolve(out);
	if (lp_report_count(*report, LP_SEVERITY_ERROR) > 0) {
		lp_report_print(*report, stderr, false);
		ensure(false, "is refused:\n%s", text);
	}
}

static bool
is_same(const struct lp_declared *a, const struct lp_declared *b)
{
	if (memcmp(&a->object, &b->object, sizeof(a->object)) != 0 ||
	    strcmp(a->cluster, b->cluster) != 0 ||
	    strcmp(a->same_as, b->same_as) != 0 ||
	    a->choice_count != b->choice_count)
		return false;
	for (size_t i = 0; i < a->choice_count; i++)
		if (strcmp(a->choices[i].listener, b->choices[i].listener) !=
			0 ||
		    !lp_ip_equal(
			&a->choices[i].vip.ip, &b->choices[i].vip.ip) ||
		    a->choices[i].vip.port != b->choices[i].vip.port)
			return false;
	return true;
}

/* Those of one owner, or all of them. */
static void
read_again(printer *put, const struct lp_declaration *wanted, const char *owner)
{
	char *text = print(put, wanted, owner);
	struct lp_declaration got;
	struct lp_report *report;
	size_t next = 0;

	load(&got, &report, text);
	for (size_t i = 0; i < wanted->count; i++) {
		if (owner && strcmp(wanted->list[i].object.owner, owner) != 0)
			continue;
		ensure(next < got.count &&
			is_same(&wanted->list[i], &got.list[next]),
		    "object %zu is another one:\n%s", next, text);
		next++;
	}
	ensure(next == got.count, "%zu objects of %zu:\n%s", got.count, next,
	    text);
	lp_declaration_fini(&got);
	lp_report_free(report);
	free(text);
}

/* All of it in one transaction, where there was nothing. */
static void
make_again(const char *text)
{
	struct lp_declaration_operation operations = {0};
	struct lp_declaration declared, made;
	struct lp_model_change change;
	struct lp_config nothing;
	struct lp_report *report;
	char *again;

	load(&declared, &report, text);
	lp_config_init(&nothing);
	for (size_t i = 0; i < declared.count; i++)
		ensure(lp_declaration_operation_add(
			   &operations, &declared.list[i]) == 0,
		    "no memory");
	ensure(lp_model_apply(&change, &nothing, 1, operations.list,
		   operations.count) == 0,
	    "%s: %s: %s:\n%s", change.error.object, change.error.field,
	    change.error.why, text);
	ensure(lp_declaration_from_config(&made, &change.config) == 0,
	    "no memory");
	again = print(lp_declaration_print, &made, NULL);
	ensure(strcmp(again, text) == 0, "made again it is\n%s\nand was\n%s",
	    again, text);
	free(again);
	lp_declaration_fini(&made);
	lp_model_change_fini(&change);
	lp_declaration_operation_fini(&operations);
	lp_declaration_fini(&declared);
	lp_report_free(report);
}

/* Each of them, wherever it is. */
static bool
has_all(const struct lp_declaration *in, const struct lp_declaration *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		size_t j = 0;

		while (
		    j < in->count && !is_same(&in->list[j], &wanted->list[i]))
			j++;
		if (j == in->count)
			return false;
	}
	return true;
}

/*
 * What one configuration exports, applied to another one, where what it lacks
 * is deleted: afterwards that one has the same, but that of two rules with one
 * priority the older one may be another.  To itself it is no change.
 */
static void
become(const struct lp_config *from, const struct lp_config *to)
{
	struct lp_plan_options options = {
	    .prune = true,
	    .resolve = random_config_resolve,
	};
	struct lp_declaration wanted, declared, made;
	struct lp_model_change change;
	struct lp_report *report;
	struct lp_plan plan;
	char *text;
	bool refused;

	ensure(lp_declaration_from_config(&wanted, to) == 0, "no memory");
	text = print(lp_declaration_print, &wanted, NULL);
	load(&declared, &report, text);
	ensure(lp_plan_make(&plan, report, &declared, from, &options) == 0,
	    "no memory");
	/* There may be none: a port that has a peer keeps one. */
	refused = lp_report_count(report, LP_SEVERITY_ERROR) > 0;
	ensure(from != to || !refused, "it is not itself:\n%s", text);
	ensure(from != to || plan.count == 0, "%zu changes:\n%s", plan.count,
	    text);
	sum.steps += plan.count;
	if (lp_model_apply(&change, from, 100000, plan.operations.list,
		plan.operations.count) == 0 &&
	    !refused) {
		ensure(lp_declaration_from_config(&made, &change.config) == 0,
		    "no memory");
		ensure(made.count == wanted.count && has_all(&made, &wanted),
		    "it has not become:\n%s", text);
		lp_declaration_fini(&made);
	} else {
		sum.refused++;
		if (getenv("LP_TEST_SEED"))
			fprintf(stderr, "%s: %s: %s\n", change.error.object,
			    change.error.field, change.error.why);
	}
	lp_model_change_fini(&change);
	lp_plan_fini(&plan);
	lp_declaration_fini(&declared);
	lp_report_free(report);
	free(text);
	lp_declaration_fini(&wanted);
}

/* What is of another owner is not to be changed. */
static void
disown(struct lp_config *config)
{
	for (size_t i = 0; i < config->count; i++)
		memset(config->objects[i].owner, 0,
		    sizeof(config->objects[i].owner));
}

static void
run(uint64_t seed)
{
	uint64_t random = seed;
	struct lp_declaration declaration;
	struct lp_config config, other;
	char *text;

	ensure_at("LP_TEST_SEED=%llu", (unsigned long long)seed);
	random_config(&config, &random, random_between(&random, 0, TRIES));
	ensure(lp_declaration_from_config(&declaration, &config) == 0,
	    "no memory");
	read_again(lp_declaration_print, &declaration, NULL);
	read_again(lp_declaration_print_json, &declaration, NULL);
	read_again(lp_declaration_print, &declaration, "team-a");
	text = print(lp_declaration_print, &declaration, NULL);
	make_again(text);
	free(text);
	random_config(&other, &random, random_between(&random, 0, TRIES));
	become(&config, &config);
	disown(&config);
	disown(&other);
	become(&config, &other);
	lp_config_fini(&other);
	sum.seeds++;
	for (size_t i = 0; i < declaration.count; i++) {
		sum.objects[declaration.list[i].object.kind]++;
		sum.choices += declaration.list[i].choice_count;
	}
	lp_declaration_fini(&declaration);
	lp_config_fini(&config);
}

int
main(void)
{
	unsigned seeds = random_seeds(SEEDS);
	uint64_t seed;

	if (random_seed_given(&seed)) {
		run(seed);
		return EXIT_SUCCESS;
	}
	for (seed = 1; seed <= seeds; seed++)
		run(seed);
	printf(
	    "%u seeds: %zu ports, %zu clusters, %zu brokers with %zu "
	    "endpoints, %zu listeners, %zu rules; %zu changes, %zu refused\n",
	    sum.seeds, sum.objects[LP_OBJECT_PORT],
	    sum.objects[LP_OBJECT_CLUSTER], sum.objects[LP_OBJECT_BROKER],
	    sum.choices, sum.objects[LP_OBJECT_LISTENER],
	    sum.objects[LP_OBJECT_RULE], sum.steps, sum.refused);
	for (unsigned kind = LP_OBJECT_PORT; kind < LP_OBJECT_KINDS; kind++)
		ensure(kind == LP_OBJECT_ENDPOINT || sum.objects[kind] > seeds,
		    "that is too easy");
	/* Of a few seeds, with sanitizers, hardly one has any. */
	ensure(seeds < SEEDS || sum.choices > seeds / 8, "that is too easy");
	return EXIT_SUCCESS;
}
