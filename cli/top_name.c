/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ESCAPE_LEN = 4 }; /* "\xNN" */

static const char *
or_dash(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "-";
}

char *
lp_top_name_escape(const char *text)
{
	char *name = malloc(ESCAPE_LEN * strlen(text) + 1);
	char *end = name;

	if (name == NULL)
		return NULL;
	*end = '\0';
	for (const char *c = text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~' ||
		    (c == text && (*c == '(' || *c == '"')))
			end += sprintf(end, "\\x%02x", (unsigned char)*c);
		else
			*end++ = *c;
	*end = '\0';
	return name;
}

static char *
client_name(const Lp__Pb__KafkaClientStats *client)
{
	if (client->evicted)
		return strdup("(evicted)");
	if (client->other)
		return strdup("(others)");
	if (client->client_id == NULL)
		return strdup("(null)");
	if (client->client_id[0] == '\0')
		return strdup("\"\"");
	return lp_top_name_escape(client->client_id);
}

/* "payments/orders": two texts of others, the rest is ours. */
static char *
join(
    const char *first, const char *between, const char *second, const char *end)
{
	char *left = lp_top_name_escape(first);
	char *right = lp_top_name_escape(second);
	char *name = NULL;

	if (left != NULL && right != NULL &&
	    asprintf(&name, "%s%s%s%s", left, between, right, end) < 0)
		name = NULL;
	free(left);
	free(right);
	return name;
}

static char *
topic_name(const Lp__Pb__KafkaTopicStats *topic)
{
	const char *cluster = or_dash(topic->cluster);

	if (topic->evicted)
		return strdup("(evicted)");
	if (topic->other && topic->cluster == NULL)
		return strdup("(others)");
	if (topic->other)
		return join(cluster, "", "", "/(others)");
	return join(cluster, "/", or_dash(topic->topic), "");
}

static char *
api_name(const Lp__Pb__KafkaApiStats *api, const char *end)
{
	char key[16];
	const char *text = api->api;

	(void)snprintf(key, sizeof(key), "key %" PRId32, api->api_key);
	if (text == NULL || text[0] == '\0')
		text = key;
	if (api->kind == NULL || api->kind[0] == '\0')
		return join(text, "", "", end);
	return join(text, " ", api->kind, end);
}

char *
lp_top_name_of(enum lp_top_view view, const struct lp_top_entry *entry)
{
	const Lp__Pb__KafkaApiStats *api = entry->api;
	const char *end = "";
	char node[16];

	if (view == LP_TOP_CLIENTS)
		return client_name(entry->client);
	if (view == LP_TOP_TOPICS)
		return topic_name(entry->topic);
	if (api->other || !api->has_api_key)
		return strdup("(others)");
	if (api->origin != NULL && strcmp(api->origin, "broker") == 0)
		end = " (replication)";
	if (view == LP_TOP_APIS)
		return api_name(api, end);
	(void)snprintf(node, sizeof(node), "%" PRId32, api->node_id);
	return join(or_dash(api->cluster), "/",
	    view == LP_TOP_BROKERS ? node : or_dash(api->listener), end);
}

/* What is typed is compared as it is, and as a name would show it. */
bool
lp_top_name_matches(const char *name, const char *filter)
{
	bool start = filter[0] == '^';
	const char *text = start ? filter + 1 : filter;
	char *escaped = lp_top_name_escape(text);
	const char *wanted[] = {text, escaped};
	bool found = false;

	for (size_t i = 0; i < 2 && !found; i++)
		if (wanted[i] == NULL)
			;
		else if (start)
			found = strncasecmp(
				    name, wanted[i], strlen(wanted[i])) == 0;
		else
			found = strcasestr(name, wanted[i]) != NULL;
	free(escaped);
	return found;
}
