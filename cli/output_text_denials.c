/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_denials.h"

#include <inttypes.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/table.h"
#include "proto/message.h"

static const struct lp_column columns[LP_DENIALS_COLUMNS] = {{"TIME", false},
    {"WHAT", false}, {"RULE", false}, {"CLIENT", false}, {"CLIENT ID", false},
    {"PRINCIPAL", false}, {"REQUEST", false}, {"ON", false},
    {"LISTENER", false}, {"DATAPLANE", false}};
enum { COLUMN_DATAPLANE = LP_DENIALS_COLUMNS - 1 };

static bool
is_left_out(const Lp__Pb__Denial *denial)
{
	return denial->has_left_out;
}

/* In the words of rules: what becomes of it. */
static void
add_what(struct lp_table *table, const Lp__Pb__Denial *denial)
{
	enum lp_style style = denial->shadow || is_left_out(denial)
	    ? LP_STYLE_WARN
	    : LP_STYLE_BAD;

	if (is_left_out(denial))
		lp_table_add(
		    table, style, "%" PRIu64 " more", denial->left_out);
	else
		lp_table_add(table, style, "%s%s", denial->action,
		    denial->shadow ? " (shadow)" : "");
}

static void
add_rule(struct lp_table *table, const Lp__Pb__Denial *denial)
{
	if (denial->rule != NULL)
		lp_table_add(table, LP_STYLE_PLAIN, "%s", denial->rule);
	else if (denial->has_rule_id)
		lp_table_add(table, LP_STYLE_PLAIN, "#%" PRIu32 " (gone)",
		    denial->rule_id);
	else
		lp_table_add(table, LP_STYLE_PLAIN, "-");
}

static void
add_client(struct lp_table *table, const Lp__Pb__Denial *denial)
{
	char text[LP_ENDPOINT_TEXT_SIZE] = "-";
	struct lp_endpoint client;

	if (lp_message_to_endpoint(&client, denial->client) == 0)
		lp_endpoint_format(text, &client);
	lp_table_add(table, LP_STYLE_PLAIN, "%s", text);
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(denial->client_id));
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(denial->principal));
}

static void
add_request(struct lp_table *table, const Lp__Pb__Denial *denial)
{
	if (is_left_out(denial))
		lp_table_add(table, LP_STYLE_PLAIN, "-");
	else if (!denial->has_api_key)
		lp_table_add(table, LP_STYLE_PLAIN, "connection");
	else if (denial->api != NULL)
		lp_table_add(table, LP_STYLE_PLAIN, "%s v%" PRId32, denial->api,
		    denial->api_version);
	else
		lp_table_add(table, LP_STYLE_PLAIN, "API %" PRId32 " v%" PRId32,
		    denial->api_key, denial->api_version);
}

/* The topic if there is one: a group that commits to it is who, not what. */
static void
add_subject(struct lp_table *table, const Lp__Pb__Denial *denial)
{
	if (denial->topic != NULL)
		lp_table_add(table, LP_STYLE_PLAIN, "topic %s", denial->topic);
	else if (denial->group != NULL)
		lp_table_add(table, LP_STYLE_PLAIN, "group %s", denial->group);
	else if (denial->transactional_id != NULL)
		lp_table_add(table, LP_STYLE_PLAIN, "transaction %s",
		    denial->transactional_id);
	else
		lp_table_add(table, LP_STYLE_PLAIN, "-");
}

static void
add_listener(struct lp_table *table, const Lp__Pb__Denial *denial)
{
	char node[sizeof(", broker -2147483648")] = "";

	if (denial->has_node_id)
		(void)snprintf(
		    node, sizeof(node), ", broker %" PRId32, denial->node_id);
	if (denial->cluster != NULL && denial->listener != NULL)
		lp_table_add(table, LP_STYLE_PLAIN, "%s/%s%s", denial->cluster,
		    denial->listener, node);
	else if (denial->has_listener_id)
		lp_table_add(table, LP_STYLE_PLAIN, "#%" PRIu32 " (gone)%s",
		    denial->listener_id, node);
	else
		lp_table_add(table, LP_STYLE_PLAIN, "-");
}

static void
add_row(struct lp_table *table, const struct lp_denials_row *row)
{
	char time[LP_CLOCK_RFC3339_SIZE];

	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    lp_clock_rfc3339(time, row->denial->time_ns));
	add_what(table, row->denial);
	add_rule(table, row->denial);
	add_client(table, row->denial);
	add_request(table, row->denial);
	add_subject(table, row->denial);
	add_listener(table, row->denial);
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(row->dataplane));
}

int
lp_output_text_denials(
    const struct lp_print *print, const struct lp_denials_view *view)
{
	struct lp_table table;

	if (view->lost > 0)
		(void)fprintf(print->out,
		    "%" PRIu64 " more were forgotten before they were asked "
		    "for\n",
		    view->lost);
	lp_table_init(&table, columns, LP_DENIALS_COLUMNS);
	if (view->past != NULL)
		lp_table_continue(&table, view->past->widths);
	if (!lp_view_denials_mixed(view))
		lp_table_hide(&table, COLUMN_DATAPLANE);
	for (size_t i = 0; i < view->count; i++)
		add_row(&table, &view->rows[i]);
	return lp_table_write(&table, print->out, print->color);
}
