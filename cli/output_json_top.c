/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of rows are written as the screen shows them, escaped: client ids are
 * any bytes, JSON is not.
 */
#include "cli/json.h"
#include "cli/output_top.h"
#include "cli/top_sample.h"

static const char *const keys[LP_TOP_COLUMNS] = {
    [LP_TOP_REQUESTS] = "requests",
    [LP_TOP_IN] = "in_bytes",
    [LP_TOP_OUT] = "out_bytes",
    [LP_TOP_ERRORS] = "errors",
    [LP_TOP_THROTTLED] = "throttled",
    [LP_TOP_IN_FLIGHT] = "in_flight",
    [LP_TOP_P50] = "p50_ns",
    [LP_TOP_P99] = "p99_ns",
    [LP_TOP_P999] = "p99_9_ns",
    [LP_TOP_P9999] = "p99_99_ns",
};

/* The columns before `end` that the view has. */
static json_t *
values(const struct lp_top_row *row, int end, enum lp_top_view view,
    bool since_start)
{
	json_t *object = json_object();

	for (int i = LP_TOP_REQUESTS; i < end; i++) {
		double value = row->values[i];
		json_t *json;

		if (!lp_top_model_has(view, i))
			continue;
		if (value < 0)
			json = json_null();
		else if (i >= LP_TOP_IN_FLIGHT || since_start)
			json = lp_json_integer((uint64_t)value);
		else
			json = json_real(value);
		if (json_object_set_new(object, keys[i], json) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* What the name was made of, where that is made of more than one thing. */
static json_t *
parts(const Lp__Pb__KafkaApiStats *api, enum lp_top_view view)
{
	switch (view) {
	case LP_TOP_BROKERS:
		return json_pack("{s:o, s:o, s:o}", "cluster",
		    lp_json_string_or_null(api->cluster), "node_id",
		    lp_json_number_or_null(api->has_node_id, api->node_id),
		    "origin", lp_json_string_or_null(api->origin));
	case LP_TOP_LISTENERS:
		return json_pack("{s:o, s:o, s:o}", "cluster",
		    lp_json_string_or_null(api->cluster), "listener",
		    lp_json_string_or_null(api->listener), "origin",
		    lp_json_string_or_null(api->origin));
	case LP_TOP_APIS:
		return json_pack("{s:o, s:o, s:o, s:o}", "api_key",
		    lp_json_number_or_null(api->has_api_key, api->api_key),
		    "api", lp_json_string_or_null(api->api), "kind",
		    lp_json_string_or_null(api->kind), "origin",
		    lp_json_string_or_null(api->origin));
	default:
		return json_object();
	}
}

static json_t *
one_row(const struct lp_top_row *row, const struct lp_top_choice *choice)
{
	json_t *name = json_pack("{s:s}", "name", row->name);

	return lp_json_join(
	    lp_json_join(name, parts(row->first->api, choice->view)),
	    values(row, LP_TOP_COLUMNS, choice->view, choice->since_start));
}

static json_t *
totals_of(const struct lp_top_picture *picture)
{
	const struct lp_top_totals *totals = picture->totals;
	json_t *unseen = json_pack("{s:o, s:o}", "streams_lost",
	    lp_json_integer(totals->streams_lost), "unseen_bytes",
	    lp_json_integer(totals->unseen_bytes));

	return lp_json_join(unseen,
	    values(&totals->all, LP_TOP_P50, LP_TOP_APIS,
		picture->state->choice.since_start));
}

int
lp_output_json_top(
    const struct lp_print *print, const struct lp_top_picture *picture)
{
	const struct lp_top_choice *choice = &picture->state->choice;
	json_t *rows = json_array();

	for (size_t i = 0; i < picture->rows->count; i++)
		rows = lp_json_append(
		    rows, one_row(&picture->rows->list[i], choice));
	return lp_json_write(print,
	    json_pack("{s:o, s:s, s:b, s:o, s:o, s:o, s:o}", "time",
		lp_json_time(print->now_ns), "view",
		lp_top_state_views[choice->view], "since_start",
		choice->since_start, "seconds",
		choice->since_start ? json_null()
				    : json_real(picture->totals->seconds),
		"dataplanes", lp_json_integer(picture->totals->dataplanes),
		"totals", totals_of(picture), "rows", rows));
}
