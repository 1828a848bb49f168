/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/complete.h"

#include <inttypes.h>
#include <net/if.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/complete_rule.h"

enum { ANSWER_MS = 1000 }; /* nobody waits longer at a prompt */

/* Where the cursor is. */
struct cursor {
	const struct lp_lpctl *lpctl;
	const char *socket, *remote, *tls;
	char place[LP_PLACE_SIZE];
	const struct lp_command *command; /* NULL: none yet */
	const struct lp_option *option; /* whose value is next, or NULL */
	const char *operands[LP_OPERANDS_MAX];
	int operand_count; /* before the cursor */
	const char *word; /* at the cursor */
};

static void offer_option_value(const struct cursor *cursor);
static void offer_options(const struct cursor *cursor);
static void offer_commands(const struct cursor *cursor);
static void offer_operand(const struct cursor *cursor);

static lp_option_set
options_here(const struct cursor *cursor)
{
	lp_option_set mask = lp_command_global_options();

	if (cursor->command != NULL)
		mask |= cursor->command->options;
	return mask;
}

/* "--device", "--device=x" or "-o". */
static const struct lp_option *
find_option(const struct cursor *cursor, const char *word)
{
	size_t len = strcspn(word, "=");

	for (int id = 0; id < LP_OPTIONS; id++) {
		const struct lp_option *option = lp_command_option(id);

		if ((options_here(cursor) & LP_OPTION_BIT(id)) == 0)
			continue;
		if (len == strlen(option->name) + 2 &&
		    memcmp(word + 2, option->name, len - 2) == 0)
			return option;
		if (option->letter != 0 && len == 2 &&
		    word[1] == option->letter)
			return option;
	}
	return NULL;
}

/* Where to ask: as on the line that is being written. */
static void
set_place(
    struct cursor *cursor, const struct lp_option *option, const char *value)
{
	if (option == lp_command_option(LP_OPTION_SOCKET)) {
		cursor->socket = value;
		cursor->remote = NULL;
	} else if (option == lp_command_option(LP_OPTION_REMOTE)) {
		cursor->remote = value;
	} else if (option == lp_command_option(LP_OPTION_TLS)) {
		cursor->tls = value;
	}
}

static void
pass_option(struct cursor *cursor, const char *word)
{
	const struct lp_option *option = find_option(cursor, word);

	if (option == NULL || option->argument != LP_ARGUMENT_REQUIRED)
		return;
	if (strchr(word, '=') == NULL)
		cursor->option = option;
	else
		set_place(cursor, option, strchr(word, '=') + 1);
}

static void
pass_word(struct cursor *cursor, const char *word)
{
	if (cursor->option != NULL) {
		set_place(cursor, cursor->option, word);
		cursor->option = NULL;
	} else if (strcmp(word, "--") == 0) {
		cursor->command = NULL;
		cursor->operand_count = 0;
	} else if (word[0] == '-') {
		pass_option(cursor, word);
	} else if (cursor->command == NULL) {
		cursor->command = lp_command_find(word);
	} else if (cursor->operand_count < LP_OPERANDS_MAX) {
		cursor->operands[cursor->operand_count++] = word;
	}
}

void
lp_complete_write(const struct lp_lpctl *lpctl, int count, char *const *words)
{
	struct cursor cursor = {.lpctl = lpctl,
	    .socket = lpctl->socket,
	    .remote = lpctl->remote,
	    .tls = lpctl->tls};

	char why[LP_WHY_SIZE];

	if (count == 0)
		return;
	for (int i = 0; i < count - 1; i++)
		pass_word(&cursor, words[i]);
	cursor.word = words[count - 1];
	if (cursor.remote != NULL &&
	    lp_place_make(cursor.place, cursor.remote, cursor.tls, why) == 0)
		cursor.socket = cursor.place;
	if (cursor.option != NULL)
		offer_option_value(&cursor);
	else if (cursor.word[0] == '-')
		offer_options(&cursor);
	else if (cursor.command == NULL)
		offer_commands(&cursor);
	else
		offer_operand(&cursor);
}

static void
offer(const struct cursor *cursor, const char *candidate)
{
	if (strncmp(candidate, cursor->word, strlen(cursor->word)) == 0)
		(void)fprintf(cursor->lpctl->print.out, "%s\n", candidate);
}

static void
offer_commands(const struct cursor *cursor)
{
	const struct lp_command *command;

	for (size_t i = 0; (command = lp_command_at(i)) != NULL; i++)
		offer(cursor, command->name);
}

static void
offer_options(const struct cursor *cursor)
{
	for (int id = 0; id < LP_OPTIONS; id++) {
		char text[LP_NAME_SIZE];

		if ((options_here(cursor) & LP_OPTION_BIT(id)) == 0)
			continue;
		(void)snprintf(
		    text, sizeof(text), "--%s", lp_command_option(id)->name);
		offer(cursor, text);
	}
}

static void
offer_devices(const struct cursor *cursor)
{
	struct if_nameindex *list = if_nameindex();

	if (list == NULL)
		return;
	for (const struct if_nameindex *at = list; at->if_index != 0; at++)
		offer(cursor, at->if_name);
	if_freenameindex(list);
}

static void
offer_dataplanes(const struct cursor *cursor)
{
	Lp__Pb__StatusRequest ask = LP__PB__STATUS_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	struct lp_error error;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_STATUS;
	request.status = &ask;
	if (lp_client_ask(&replies, cursor->socket, ANSWER_MS, &request,
		LP__PB__CONTROL_REPLY__BODY_STATUS, &error) == LP_EXIT_OK) {
		const Lp__Pb__StatusReply *reply = replies.list[0]->status;

		for (size_t i = 0; i < reply->n_dataplanes; i++)
			if (reply->dataplanes[i]->id != NULL)
				offer(cursor, reply->dataplanes[i]->id);
	}
	lp_client_replies_free(&replies);
}

/* The names of the kind; brokers and listeners only of the cluster named. */
static void
offer_names(
    const struct cursor *cursor, const struct lp_view *view, enum lp_word word)
{
	static const enum lp_object_kind kinds[] = {
	    [LP_WORD_PORT] = LP_OBJECT_PORT,
	    [LP_WORD_CLUSTER] = LP_OBJECT_CLUSTER,
	    [LP_WORD_BROKER] = LP_OBJECT_BROKER,
	    [LP_WORD_LISTENER] = LP_OBJECT_LISTENER,
	};
	const struct lp_object *cluster = NULL;
	const struct lp_object *object;
	char node[16];
	size_t index = 0;

	if (cursor->operand_count > 0)
		cluster = lp_config_find_name(
		    &view->config, LP_OBJECT_CLUSTER, 0, cursor->operands[0]);
	while ((object = lp_view_next(view, kinds[word], &index)) != NULL) {
		if (word == LP_WORD_PORT)
			offer(cursor, object->port.name);
		else if (word == LP_WORD_CLUSTER)
			offer(cursor, object->cluster.name);
		else if (cluster == NULL)
			return;
		else if (word == LP_WORD_LISTENER &&
		    object->listener.cluster_id == cluster->id)
			offer(cursor, object->listener.name);
		else if (word == LP_WORD_BROKER &&
		    object->broker.cluster_id == cluster->id) {
			(void)snprintf(node, sizeof(node), "%" PRId32,
			    object->broker.node_id);
			offer(cursor, node);
		}
	}
}

static void
offer_candidate(void *arg, const char *candidate)
{
	offer(arg, candidate);
}

/* The text of a rule; the language is known without lp-controld. */
static void
offer_text(
    const struct cursor *cursor, const struct lp_view *view, enum lp_word word)
{
	const struct lp_complete_rule rule = {
	    .text = cursor->word,
	    .view = view,
	    .request = word == LP_WORD_REQUEST,
	    .offer = offer_candidate,
	    .arg = (void *)cursor,
	};

	if (word == LP_WORD_ACTION)
		lp_complete_rule_action(&rule);
	else
		lp_complete_rule_match(&rule);
}

static void
offer_from(
    const struct cursor *cursor, const struct lp_view *view, enum lp_word word)
{
	if (word == LP_WORD_MATCH || word == LP_WORD_ACTION)
		offer_text(cursor, view, word);
	else
		offer_names(cursor, view, word);
}

static void
offer_names_of_rules(const struct cursor *cursor, const Lp__Pb__ShowReply *show)
{
	for (size_t i = 0; i < show->n_objects; i++)
		if (show->objects[i]->body_case == LP__PB__OBJECT__BODY_RULE &&
		    show->objects[i]->rule->name != NULL)
			offer(cursor, show->objects[i]->rule->name);
}

/* There may be very many: their names alone, which make no view. */
static void
offer_rules(const struct cursor *cursor)
{
	Lp__Pb__ShowRequest ask = LP__PB__SHOW_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	struct lp_error error;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_SHOW;
	request.show = &ask;
	ask.has_kinds = ask.has_names = ask.names = true;
	ask.kinds = 1u << LP_OBJECT_RULE;
	if (lp_client_ask(&replies, cursor->socket, ANSWER_MS, &request,
		LP__PB__CONTROL_REPLY__BODY_SHOW, &error) == LP_EXIT_OK)
		for (size_t i = 0; i < replies.count; i++)
			offer_names_of_rules(cursor, replies.list[i]->show);
	lp_client_replies_free(&replies);
}

static void
offer_objects(const struct cursor *cursor, enum lp_word word)
{
	Lp__Pb__ShowRequest ask = LP__PB__SHOW_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	struct lp_error error;
	struct lp_view view;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_SHOW;
	request.show = &ask;
	ask.has_kinds = true;
	ask.kinds = (1u << LP_OBJECT_RULE) - 1;
	if (lp_client_ask(&replies, cursor->socket, ANSWER_MS, &request,
		LP__PB__CONTROL_REPLY__BODY_SHOW, &error) == LP_EXIT_OK &&
	    lp_view_init(&view, &replies, &error) == LP_EXIT_OK) {
		offer_from(cursor, &view, word);
		lp_view_fini(&view);
	} else if (word == LP_WORD_MATCH || word == LP_WORD_ACTION) {
		offer_text(cursor, NULL, word);
	}
	lp_client_replies_free(&replies);
}

static void
offer_word(const struct cursor *cursor, enum lp_word word)
{
	switch (word) {
	case LP_WORD_COMMAND:
		offer_commands(cursor);
		break;
	case LP_WORD_DEVICE:
		offer_devices(cursor);
		break;
	case LP_WORD_DATAPLANE:
		offer_dataplanes(cursor);
		break;
	case LP_WORD_PORT:
	case LP_WORD_CLUSTER:
	case LP_WORD_BROKER:
	case LP_WORD_LISTENER:
	case LP_WORD_MATCH:
	case LP_WORD_ACTION:
		offer_objects(cursor, word);
		break;
	case LP_WORD_REQUEST: /* has no name of ours in it */
		offer_text(cursor, NULL, word);
		break;
	case LP_WORD_RULE:
		offer_rules(cursor);
		break;
	case LP_WORD_STATS:
		offer(cursor, "kafka");
		break;
	case LP_WORD_DB:
		offer(cursor, "backup");
		offer(cursor, "verify");
		offer(cursor, "restore");
		break;
	case LP_WORD_PKI:
		offer(cursor, "init");
		offer(cursor, "issue");
		offer(cursor, "revoke");
		offer(cursor, "list");
		break;
	case LP_WORD_ANY:
	case LP_WORD_FILE: /* the shell offers files where we say nothing */
		break;
	}
}

static void
offer_option_value(const struct cursor *cursor)
{
	const char *at = cursor->option->words;
	char word[LP_NAME_SIZE];
	size_t len;

	if (at == NULL) {
		offer_word(cursor, cursor->option->word);
		return;
	}
	for (; *at != '\0'; at += len + (at[len] == ' ')) {
		len = strcspn(at, " ");
		(void)snprintf(word, sizeof(word), "%.*s", (int)len, at);
		offer(cursor, word);
	}
}

static void
offer_operand(const struct cursor *cursor)
{
	const struct lp_operand *operands = cursor->command->operands;
	int i = 0;

	while (i < cursor->operand_count &&
	    !lp_command_several(cursor->command, i))
		i++;
	if (i < LP_OPERANDS_MAX && operands[i].name != NULL)
		offer_word(cursor, operands[i].word);
}
