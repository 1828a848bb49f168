/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  The rules that were touched are read once and kept.  Then all
 * rules pass by in the order in which they are asked, and each is compared
 * with those that are kept: it hides one of them, or one of them hides it.
 *
 * Limits.  Rules that are kept: KEPT_MAX, the oldest of them.  What is read and
 * compared: LP_MODEL_NOTE_RULE_STEPS, those of the highest priorities first.
 */
#include "controld/model_note_rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "controld/model_note.h"
#include "proto/object_rule.h"

enum {
	/* What it takes in steps to read a value, and to compare a pair but
	 * for its values: measured. */
	STEPS_OF_VALUE = 200,
	STEPS_OF_PAIR = 24,
	KEPT_MAX = 16384, /* of 4 kB each */
};

struct kept {
	const struct lp_object *object;
	struct lp_object_rule rule;
	bool hidden; /* it was said */
};

struct search {
	struct lp_model_change *change;
	bool is_check; /* see struct lp_model_work */
	struct kept *kept; /* ordered by id */
	size_t kept_count;
	size_t more_count; /* that are not kept */
	const struct lp_object **rules; /* all, in the order they are asked */
	size_t count;
	uint64_t steps; /* so far */
	bool may_hide; /* one of those that are kept may, see may_hide() */
};

static int keep_touched(
    struct search *search, const struct lp_model_work *work);
static int by_turn(const void *a, const void *b);
static void read_rule(
    struct lp_object_rule *out, const struct lp_object *object);
static int note_alone(struct search *search, const struct kept *kept);
static const char *find_no_broker(const struct lp_config *config,
    const struct lp_object_rule *rule, char text[LP_WHY_SIZE]);
static bool has_broker(const struct lp_config *config,
    const struct lp_object_rule *rule, const struct lp_rule_value *node);
static bool is_of(const struct lp_config *config,
    const struct lp_object_rule *rule, uint32_t cluster_id);
static int note_more(struct search *search);
static int list_all(struct search *search);
static int find_hidden(struct search *search);
static bool may_hide(const struct lp_rule_action *action, bool shadow);
static int compare_with(struct search *search, const struct lp_object *object);
static bool compare(struct search *search, const struct lp_object_rule *first,
    const struct lp_object_rule *then);
static int note_hidden(struct search *search, const struct lp_object *hidden,
    const struct lp_object *by);

int
lp_model_note_rule_run(struct lp_model_work *work)
{
	struct search search = {
	    .change = work->change, .is_check = work->is_check};
	int err = keep_touched(&search, work);

	if (err == 0 && search.more_count > 0)
		err = note_more(&search);
	if (err == 0 && search.kept_count > 0)
		err = list_all(&search);
	if (err == 0 && search.kept_count > 0)
		err = find_hidden(&search);
	free(search.kept);
	free(search.rules);
	return err;
}

/* Only those that are still there; what each is by itself is said here. */
static int
keep_touched(struct search *search, const struct lp_model_work *work)
{
	const struct lp_config *config = &search->change->config;
	size_t count =
	    work->touch_count < KEPT_MAX ? work->touch_count : KEPT_MAX;
	int err = 0;

	search->kept = calloc(count + 1, sizeof(*search->kept));
	if (search->kept == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < work->touch_count && err == 0; i++) {
		/* One place more, for those that do not stay. */
		struct kept *kept = &search->kept[search->kept_count];

		kept->object = work->touches[i].kind != LP_OBJECT_RULE
		    ? NULL
		    : lp_config_find(
			  config, LP_OBJECT_RULE, work->touches[i].id);
		if (kept->object == NULL)
			continue;
		read_rule(&kept->rule, kept->object);
		err = note_alone(search, kept);
		if (search->kept_count == KEPT_MAX) {
			search->more_count++;
			continue;
		}
		search->may_hide |=
		    may_hide(&kept->rule.action, kept->object->rule.shadow);
		search->kept_count++;
	}
	return err;
}

static int
by_turn(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;

	return lp_object_rule_order(*left, *right);
}

/* It has passed the check. */
static void
read_rule(struct lp_object_rule *out, const struct lp_object *object)
{
	const char *field;
	char why[LP_WHY_SIZE];

	(void)lp_object_rule_read(out, &object->rule, &field, why);
}

static int
note_alone(struct search *search, const struct kept *kept)
{
	const struct lp_config *config = &search->change->config;
	char text[LP_WHY_SIZE];
	int err = 0;

	/* Whoever reads it from a file has been told. */
	if (kept->rule.warning[0] != '\0' && !search->is_check)
		err = lp_model_note_add(
		    search->change, kept->object, "%s", kept->rule.warning);
	if (err == 0 && find_no_broker(config, &kept->rule, text) != NULL)
		err =
		    lp_model_note_add(search->change, kept->object, "%s", text);
	/* It is so of all of them, and no reason to mend one. */
	if (err == 0 && kept->rule.action.verdict == LP_RULE_LIMIT &&
	    !kept->object->rule.shadow && !search->is_check)
		err = lp_model_note_add(search->change, kept->object,
		    "limits at each dataplane by itself: two of them let "
		    "pass twice as much");
	return err;
}

/* A broker may come later: it is no error. */
static const char *
find_no_broker(const struct lp_config *config,
    const struct lp_object_rule *rule, char text[LP_WHY_SIZE])
{
	const struct lp_rule_value *nodes;
	uint16_t count =
	    lp_rule_match_values(&rule->match, LP_RULE_BROKER, &nodes);

	for (uint16_t i = 0; i < count; i++) {
		if (has_broker(config, rule, &nodes[i]))
			continue;
		if (nodes[i].low == nodes[i].high)
			snprintf(text, LP_WHY_SIZE,
			    "there is no broker %lld yet",
			    (long long)nodes[i].low);
		else
			snprintf(text, LP_WHY_SIZE,
			    "there is no broker from %lld to %lld yet",
			    (long long)nodes[i].low, (long long)nodes[i].high);
		return text;
	}
	return NULL;
}

static bool
has_broker(const struct lp_config *config, const struct lp_object_rule *rule,
    const struct lp_rule_value *node)
{
	size_t first, count = lp_config_range(config, LP_OBJECT_BROKER, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_broker_object *broker =
		    &config->objects[i].broker;

		if (broker->node_id >= node->low &&
		    broker->node_id <= node->high &&
		    is_of(config, rule, broker->cluster_id))
			return true;
	}
	return false;
}

/* Whether the rule is about that cluster, or about any. */
static bool
is_of(const struct lp_config *config, const struct lp_object_rule *rule,
    uint32_t cluster_id)
{
	const struct lp_object *cluster =
	    lp_config_find(config, LP_OBJECT_CLUSTER, cluster_id);
	const struct lp_rule_value *values;
	char name[2 * LP_NAME_SIZE];
	uint16_t count =
	    lp_rule_match_values(&rule->match, LP_RULE_CLUSTER, &values);

	for (uint16_t i = 0; i < count; i++)
		if (strcmp(lp_object_rule_text(name, rule, &values[i]),
			cluster->cluster.name) == 0)
			return true;
	return count == 0;
}

static int
note_more(struct search *search)
{
	return lp_model_note_add(search->change,
	    search->kept[search->kept_count - 1].object,
	    "the last of this change that was compared with others: whether "
	    "%zu newer ones can ever match was not looked at",
	    search->more_count);
}

static int
list_all(struct search *search)
{
	const struct lp_config *config = &search->change->config;
	size_t first;

	search->count = lp_config_range(config, LP_OBJECT_RULE, &first);
	search->rules = calloc(search->count, sizeof(*search->rules));
	if (search->rules == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < search->count; i++)
		search->rules[i] = &config->objects[first + i];
	qsort(search->rules, search->count, sizeof(*search->rules), by_turn);
	return 0;
}

static int
find_hidden(struct search *search)
{
	int err = 0;

	for (size_t i = 0; i < search->count && err == 0; i++) {
		if (search->change->note_count == LP_MODEL_NOTES_MAX)
			return 0;
		if (search->steps >= LP_MODEL_NOTE_RULE_STEPS)
			return lp_model_note_add(search->change,
			    search->rules[i],
			    "from here on, %zu of %zu rules were not looked at "
			    "to find those that can never match",
			    search->count - i, search->count);
		err = compare_with(search, search->rules[i]);
	}
	return err;
}

/* Only such can hide another (lp_rule_hides()). */
static bool
may_hide(const struct lp_rule_action *action, bool shadow)
{
	return !shadow && action->verdict != LP_RULE_OBSERVE &&
	    action->verdict != LP_RULE_NO_CREATE;
}

/* One note for each that is hidden: by one that hides it. */
static int
compare_with(struct search *search, const struct lp_object *object)
{
	struct lp_object_rule rule;
	struct lp_rule_error error;
	struct kept *self = NULL;
	const struct lp_object *by = NULL;
	bool hides;
	int err = 0;

	/* It has passed the check: these cannot fail. */
	(void)lp_rule_action_parse(&rule.action, object->rule.action, &error);
	hides = may_hide(&rule.action, object->rule.shadow);
	if (!hides && !search->may_hide)
		return 0;
	(void)lp_rule_match_parse(&rule.match, object->rule.match, &error);
	search->steps += STEPS_OF_VALUE * (rule.match.count + 1u);
	for (size_t i = 0; i < search->kept_count && err == 0; i++) {
		struct kept *kept = &search->kept[i];
		bool first = lp_object_rule_order(object, kept->object) < 0;

		search->steps++;
		if (kept->object == object) {
			self = kept;
		} else if (first) {
			if (kept->hidden || !hides ||
			    !compare(search, &rule, &kept->rule))
				continue;
			kept->hidden = true;
			err = note_hidden(search, kept->object, object);
		} else if (by == NULL &&
		    may_hide(&kept->rule.action, kept->object->rule.shadow) &&
		    compare(search, &kept->rule, &rule)) {
			by = kept->object;
		}
	}
	if (err != 0 || by == NULL || (self != NULL && self->hidden))
		return err;
	if (self != NULL)
		self->hidden = true;
	return note_hidden(search, object, by);
}

/* Whether the one that is asked first hides the other. */
static bool
compare(struct search *search, const struct lp_object_rule *first,
    const struct lp_object_rule *then)
{
	uint32_t count = first->match.count;

	/* Its own values are put in order (lp_rule_covers()). */
	search->steps += STEPS_OF_PAIR + count * (count + then->match.count);
	return lp_rule_hides(&first->match, &first->action, &then->match);
}

static int
note_hidden(struct search *search, const struct lp_object *hidden,
    const struct lp_object *by)
{
	return lp_model_note_add(search->change, hidden,
	    "can never match: hidden by rule %s (priority %u), which is asked "
	    "first",
	    by->rule.name, by->rule.priority);
}
