/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/denial_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/line.h"
#include "dataplane/report.h"
#include "proto/apis.h"
#include "proto/log.h"

enum {
	TEXT_SHOWN = 64, /* bytes of a client's text */
	RULE_SIZE = LP_NAME_SIZE + 32,
};

static struct lp_denial_journal_rule *find(
    struct lp_denial_journal *journal, const struct lp_denial *denial);
static const char *rule_name(
    char name[RULE_SIZE], uint32_t rule_id, const struct lp_config *config);
static void put_verdict(struct lp_line *line, const struct lp_denial *denial,
    const struct lp_config *config);
static void put_text(struct lp_line *line, const char *what,
    const struct lp_denial *denial, enum lp_denial_text which);
static void put_listener(struct lp_line *line, const struct lp_denial *denial,
    const struct lp_config *config);

void
lp_denial_journal_note(struct lp_denial_journal *journal,
    const struct lp_denial_entry *entry, const struct lp_config *config,
    uint64_t now_ns)
{
	char line[LP_DENIAL_JOURNAL_LINE_SIZE];
	struct lp_denial_journal_rule *rule;

	lp_denial_journal_turn(journal, config, now_ns);
	if (journal->since_ns == 0)
		journal->since_ns = now_ns;
	rule = find(journal, &entry->denial);
	if (rule == NULL) {
		journal->others += entry->more != 0 ? entry->more : 1;
	} else if (entry->denial.kind == LP_DENIAL_LEFT_OUT) {
		rule->more += entry->more;
	} else if (rule->written == LP_DENIAL_JOURNAL_RULE_MAX ||
	    journal->written == LP_DENIAL_JOURNAL_MAX) {
		rule->more++;
	} else {
		rule->written++;
		journal->written++;
		lp_denial_journal_line(line, &entry->denial, config);
		lp_log_info("%s", line);
	}
}

void
lp_denial_journal_turn(struct lp_denial_journal *journal,
    const struct lp_config *config, uint64_t now_ns)
{
	char name[RULE_SIZE];

	if (journal->since_ns == 0 ||
	    now_ns - journal->since_ns < LP_DENIAL_JOURNAL_S * 1000000000ull)
		return;
	for (uint32_t i = 0; i < journal->rule_count; i++) {
		const struct lp_denial_journal_rule *rule = &journal->rules[i];

		if (rule->more > 0)
			lp_log_info("refused %s: %" PRIu64
				    " more in the last %d s",
			    rule_name(name, rule->rule_id, config), rule->more,
			    LP_DENIAL_JOURNAL_S);
	}
	if (journal->others > 0)
		lp_log_info("refused by other rules: %" PRIu64
			    " more in the last %d s",
		    journal->others, LP_DENIAL_JOURNAL_S);
	*journal = (struct lp_denial_journal){0};
}

void
lp_denial_journal_line(char text[LP_DENIAL_JOURNAL_LINE_SIZE],
    const struct lp_denial *denial, const struct lp_config *config)
{
	const struct lp_endpoint client = {
	    .ip = denial->client_ip, .port = denial->client_port};
	char endpoint[LP_ENDPOINT_TEXT_SIZE];
	struct lp_line line = {
	    .text = text, .size = LP_DENIAL_JOURNAL_LINE_SIZE};
	const char *api = lp_apis_name(denial->api);

	put_verdict(&line, denial, config);
	if (denial->api == LP_DENIALS_NO_API)
		lp_line_put(&line, ": a connection");
	else if (api != NULL)
		lp_line_put(&line, ": %s v%d", api, denial->version);
	else
		lp_line_put(
		    &line, ": API %d v%d", denial->api, denial->version);
	put_text(&line, "topic", denial, LP_DENIAL_TOPIC);
	put_text(&line, "group", denial, LP_DENIAL_GROUP);
	put_text(&line, "transactional id", denial, LP_DENIAL_TRANSACTIONAL_ID);
	lp_line_put(
	    &line, "; client %s", lp_endpoint_format(endpoint, &client));
	put_text(&line, "client id", denial, LP_DENIAL_CLIENT_ID);
	put_text(&line, "principal", denial, LP_DENIAL_PRINCIPAL);
	put_listener(&line, denial, config);
}

/* NULL: it has no place. */
static struct lp_denial_journal_rule *
find(struct lp_denial_journal *journal, const struct lp_denial *denial)
{
	struct lp_denial_journal_rule *rule;

	if (denial->slot == LP_DENIALS_OTHERS)
		return NULL;
	for (uint32_t i = 0; i < journal->rule_count; i++)
		if (journal->rules[i].slot == denial->slot &&
		    journal->rules[i].rule_id == denial->rule_id)
			return &journal->rules[i];
	if (journal->rule_count == LP_DENIAL_JOURNAL_RULES)
		return NULL;
	rule = &journal->rules[journal->rule_count++];
	rule->slot = denial->slot;
	rule->rule_id = denial->rule_id;
	return rule;
}

static const char *
rule_name(
    char name[RULE_SIZE], uint32_t rule_id, const struct lp_config *config)
{
	const struct lp_object *rule =
	    lp_config_find(config, LP_OBJECT_RULE, rule_id);

	if (rule_id == 0)
		snprintf(name, RULE_SIZE, "as it cannot be judged");
	else if (rule)
		snprintf(name, RULE_SIZE, "by rule %s", rule->rule.name);
	else
		snprintf(
		    name, RULE_SIZE, "by rule #%" PRIu32 " (gone)", rule_id);
	return name;
}

static void
put_verdict(struct lp_line *line, const struct lp_denial *denial,
    const struct lp_config *config)
{
	char name[RULE_SIZE];
	const char *what = denial->kind == LP_DENIAL_DENY ? "denied"
	    : denial->kind == LP_DENIAL_NO_CREATE         ? "not created"
							  : "reset";

	lp_line_put(line, "%s%s %s%s", denial->shadow ? "would be " : "", what,
	    rule_name(name, denial->rule_id, config),
	    denial->shadow ? " (shadow)" : "");
}

/* A quote of its own would end it. */
static void
put_text(struct lp_line *line, const char *what, const struct lp_denial *denial,
    enum lp_denial_text which)
{
	char text[LP_REPORT_TEXT_SIZE(TEXT_SHOWN)];
	const uint8_t *bytes = denial->texts[which];
	size_t len = denial->lens[which];
	bool cut = len > TEXT_SHOWN || (denial->cut & 1u << which);

	if (!(denial->has & 1u << which))
		return;
	if (len > TEXT_SHOWN)
		len = TEXT_SHOWN;
	lp_line_put(line, ", %s \"", what);
	while (len > 0) {
		const uint8_t *quote = memchr(bytes, '"', len);
		size_t until = quote ? (size_t)(quote - bytes) : len;

		lp_line_put(line, "%s", lp_report_text(text, bytes, until));
		if (quote)
			lp_line_put(line, "\\x22");
		until += quote != NULL;
		bytes += until;
		len -= until;
	}
	lp_line_put(line, cut ? "\"..." : "\"");
}

static void
put_listener(struct lp_line *line, const struct lp_denial *denial,
    const struct lp_config *config)
{
	const struct lp_object *listener =
	    lp_config_find(config, LP_OBJECT_LISTENER, denial->listener_id);
	const struct lp_object *cluster = listener
	    ? lp_config_find(
		  config, LP_OBJECT_CLUSTER, listener->listener.cluster_id)
	    : NULL;

	if (listener && cluster)
		lp_line_put(line, "; listener %s/%s", cluster->cluster.name,
		    listener->listener.name);
	else
		lp_line_put(line, "; listener #%" PRIu32 " (gone)",
		    denial->listener_id);
	if (denial->node_id >= 0)
		lp_line_put(line, ", broker %" PRId32, denial->node_id);
}
