/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_denials.h"

#include "cli/json.h"
#include "proto/message.h"

static json_t *
client_of(const Lp__Pb__Denial *denial)
{
	char text[LP_ENDPOINT_TEXT_SIZE];
	struct lp_endpoint client;

	if (lp_message_to_endpoint(&client, denial->client) != 0)
		return json_null();
	return json_string(lp_endpoint_format(text, &client));
}

static json_t *
whose(const Lp__Pb__Denial *denial)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "client",
	    client_of(denial), "client_id",
	    lp_json_string_or_null(denial->client_id), "principal",
	    lp_json_string_or_null(denial->principal), "cluster",
	    lp_json_string_or_null(denial->cluster), "listener",
	    lp_json_string_or_null(denial->listener), "broker",
	    lp_json_number_or_null(denial->has_node_id, denial->node_id));
}

static json_t *
asked(const Lp__Pb__Denial *denial)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "api",
	    lp_json_string_or_null(denial->api), "api_key",
	    lp_json_number_or_null(denial->has_api_key, denial->api_key),
	    "api_version",
	    lp_json_number_or_null(
		denial->has_api_version, denial->api_version),
	    "topic", lp_json_string_or_null(denial->topic), "group",
	    lp_json_string_or_null(denial->group), "transactional_id",
	    lp_json_string_or_null(denial->transactional_id), "cut",
	    denial->cut);
}

static json_t *
row_of(const struct lp_denials_row *row)
{
	const Lp__Pb__Denial *denial = row->denial;
	json_t *what =
	    json_pack("{s:s, s:o, s:o, s:o, s:s, s:b, s:o, s:o}", "dataplane",
		row->dataplane, "number", lp_json_integer(denial->number),
		"time", lp_json_time(denial->time_ns), "time_ns",
		lp_json_integer(denial->time_ns), "action", denial->action,
		"shadow", denial->shadow, "rule",
		lp_json_string_or_null(denial->rule), "rule_id",
		lp_json_number_or_null(denial->has_rule_id, denial->rule_id));

	/* No denial: how many there are more. */
	if (denial->has_left_out)
		return lp_json_join(what,
		    json_pack("{s:o}", "left_out",
			lp_json_integer(denial->left_out)));
	return lp_json_join(lp_json_join(what, whose(denial)), asked(denial));
}

static int
write_round(const struct lp_print *print, const struct lp_denials_view *view)
{
	int err = 0;

	if (view->lost > 0)
		err = lp_json_write(print,
		    json_pack("{s:s, s:o}", "action", "lost", "lost",
			lp_json_integer(view->lost)));
	for (size_t i = 0; i < view->count && err == 0; i++)
		err = lp_json_write(print, row_of(&view->rows[i]));
	return err;
}

int
lp_output_json_denials(
    const struct lp_print *print, const struct lp_denials_view *view)
{
	json_t *rows;

	if (print->stream)
		return write_round(print, view);
	rows = json_array();
	for (size_t i = 0; i < view->count; i++)
		rows = lp_json_append(rows, row_of(&view->rows[i]));
	return lp_json_write(print, json_pack("{s:o}", "denials", rows));
}
