/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/complete_rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/apis.h"
#include "proto/rule_words.h"

/* A text, up to the value or word that is being typed. */
struct cursor {
	const struct lp_complete_rule *rule;
	int before; /* bytes that stay */
};

static void offer_values(const struct cursor *cursor, unsigned field);
static void offer_names(const struct cursor *cursor, enum lp_object_kind kind);

static void
offer(const struct cursor *cursor, const char *word, const char *tail)
{
	const struct lp_complete_rule *rule = cursor->rule;
	char text[LP_RULE_MATCH_SIZE];

	if (snprintf(text, sizeof(text), "%.*s%s%s", cursor->before, rule->text,
		word, tail) < (int)sizeof(text) &&
	    strncmp(text, rule->text, strlen(rule->text)) == 0)
		rule->offer(rule->arg, text);
}

/* The last word, behind blanks and the quote that a shell has left there. */
static const char *
last_word(const char *text)
{
	const char *blank = strrchr(text, ' ');

	if (blank != NULL)
		return blank + 1;
	return text + strspn(text, "'\"");
}

void
lp_complete_rule_match(const struct lp_complete_rule *rule)
{
	const char *word = last_word(rule->text);
	const char *value = strchr(word, '=');
	struct cursor cursor = {.rule = rule};

	if (value == NULL) {
		cursor.before = (int)(word - rule->text);
		for (unsigned i = 0; i < LP_RULE_FIELD_COUNT; i++)
			if (!rule->request || !lp_rule_field_is_connection(i))
				offer(&cursor, lp_rule_field_name(i), "=");
		return;
	}
	value = strrchr(value, ',') != NULL ? strrchr(value, ',') : value;
	cursor.before = (int)(value + 1 - rule->text);
	offer_values(&cursor, lp_rule_field_find(word, strcspn(word, "=")));
}

void
lp_complete_rule_action(const struct lp_complete_rule *rule)
{
	const char *word = last_word(rule->text);
	const char *value = strchr(word, '=');
	struct cursor cursor = {.rule = rule};

	if (value != NULL) {
		cursor.before = (int)(value + 1 - rule->text);
		if (strncmp(word, "mirror=", strlen("mirror=")) == 0)
			offer_names(&cursor, LP_OBJECT_PORT);
		for (const struct lp_rule_word *per = lp_rule_pers;
		     per->word != NULL &&
		     strncmp(word, "per=", strlen("per=")) == 0;
		     per++)
			offer(&cursor, per->word, "");
		return;
	}
	cursor.before = (int)(word - rule->text);
	/* The verdict comes first. */
	if (strchr(rule->text, ' ') == NULL)
		for (const struct lp_rule_word *verdict = lp_rule_verdicts;
		     verdict->word != NULL; verdict++)
			offer(&cursor, verdict->word, "");
	for (const struct lp_rule_word *name = lp_rule_arguments;
	     name->word != NULL; name++)
		offer(&cursor, name->word, "=");
}

static void
offer_apis(const struct cursor *cursor)
{
	for (int64_t key = 0; key < lp_apis_table_count; key++)
		if (lp_apis_name(key) != NULL)
			offer(cursor, lp_apis_name(key), "");
}

static void
offer_brokers(const struct cursor *cursor)
{
	const struct lp_object *broker;
	size_t index = 0;
	char text[16];

	while (cursor->rule->view != NULL &&
	    (broker = lp_view_next(
		 cursor->rule->view, LP_OBJECT_BROKER, &index)) != NULL) {
		(void)snprintf(
		    text, sizeof(text), "%" PRId32, broker->broker.node_id);
		offer(cursor, text, "");
	}
}

static void
offer_values(const struct cursor *cursor, unsigned field)
{
	const struct lp_rule_word *words;

	switch (field) {
	case LP_RULE_FIELD_COUNT: /* there is no such field */
		return;
	case LP_RULE_CLUSTER:
		offer_names(cursor, LP_OBJECT_CLUSTER);
		return;
	case LP_RULE_LISTENER:
		offer_names(cursor, LP_OBJECT_LISTENER);
		return;
	case LP_RULE_PORT:
		offer_names(cursor, LP_OBJECT_PORT);
		return;
	case LP_RULE_BROKER:
		offer_brokers(cursor);
		return;
	case LP_RULE_API:
		offer_apis(cursor);
		return;
	default:
		break;
	}
	if (lp_rule_field_kind(field) != LP_RULE_KIND_WORD)
		return;
	words = lp_rule_field_words(field);
	for (const struct lp_rule_word *word = words; word->word != NULL;
	     word++)
		/* Of several for one value the first; no set in a request. */
		if (lp_rule_word_of(words, word->low, word->high) ==
			word->word &&
		    (!cursor->rule->request || word->low == word->high))
			offer(cursor, word->word, "");
}

/* As rules name them: a label without its kind. */
static void
offer_names(const struct cursor *cursor, enum lp_object_kind kind)
{
	const struct lp_view *view = cursor->rule->view;
	char label[LP_OBJECT_LABEL_SIZE];
	const struct lp_object *object;
	size_t index = 0;

	while (view != NULL &&
	    (object = lp_view_next(view, kind, &index)) != NULL) {
		lp_config_label(&view->config, object, label);
		offer(cursor, strchr(label, ' ') + 1, "");
	}
}
