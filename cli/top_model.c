/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * The entries of a view are paired with what they were in the sample before,
 * named, and sorted by name; each run of equal names is one row.  One
 * histogram is enough that way, whatever the number of rows.
 */
#include "cli/top_model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/top_name.h"
#include "cli/top_sample.h"
#include "proto/histogram.h"

/* What all rows of a view are made with. */
struct work {
	const struct lp_top_model *model;
	const struct lp_top_choice *choice;
	struct lp_histogram_view *times; /* of one row; NULL: not wanted */
};

/* An entry on its way into a row. */
struct item {
	char *name;
	const struct lp_top_entry *now;
	const struct lp_top_entry *before; /* NULL: counts from zero */
	double seconds; /* 0: nothing is known of a second */
};

static const unsigned quantiles[LP_TOP_QUANTILES] = {5000, 9900, 9990, 9999};

static double window_s(const struct lp_top_model *model, const char *dataplane);

int
lp_top_model_feed(struct lp_top_model *model, struct lp_replies *replies)
{
	struct lp_top_sample sample;
	int err = lp_top_sample_init(&sample, replies);

	if (err != 0)
		return err;
	lp_top_sample_fini(&model->before);
	model->before = model->now;
	model->now = sample;
	return 0;
}

void
lp_top_model_fini(struct lp_top_model *model)
{
	lp_top_sample_fini(&model->before);
	lp_top_sample_fini(&model->now);
}

void
lp_top_model_rows_fini(struct lp_top_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->list[i].name);
	free(rows->list);
	*rows = (struct lp_top_rows){0};
}

bool
lp_top_model_has(enum lp_top_view view, enum lp_top_column column)
{
	return view != LP_TOP_TOPICS ||
	    (column != LP_TOP_THROTTLED && column != LP_TOP_IN_FLIGHT);
}

/* Of one dataplane; 0 if it has not answered twice. */
static double
window_s(const struct lp_top_model *model, const char *dataplane)
{
	const struct lp_top_plane *now =
	    lp_top_sample_plane(&model->now, dataplane);
	const struct lp_top_plane *before =
	    lp_top_sample_plane(&model->before, dataplane);

	if (now == NULL || before == NULL || now->time_ns <= before->time_ns)
		return 0;
	return (double)(now->time_ns - before->time_ns) /
	    (double)LP_CLOCK_NS_PER_S;
}

/* ---- items ----------------------------------------------------------------
 */

static void
free_items(struct item *items, size_t count)
{
	for (size_t i = 0; items != NULL && i < count; i++)
		free(items[i].name);
	free(items);
}

/* Both samples are in one order: each is walked once. */
static struct item *
make_items(const struct lp_top_model *model, enum lp_top_view view,
    bool since_start, size_t *count)
{
	size_t before_count = 0;
	const struct lp_top_entry *now =
	    lp_top_sample_entries(&model->now, view, count);
	const struct lp_top_entry *before =
	    lp_top_sample_entries(&model->before, view, &before_count);
	struct item *items = calloc(*count + 1, sizeof(*items));
	size_t j = 0, n = 0;

	for (size_t i = 0; items != NULL && i < *count; i++) {
		if (lp_top_sample_is_evicted(&now[i]) && !since_start)
			continue;
		items[n] = (struct item){.now = &now[i], .seconds = 1};
		if (since_start) {
			n++;
			continue;
		}
		items[n].seconds = window_s(model, now[i].dataplane);
		while (j < before_count &&
		    lp_top_sample_compare(&before[j], &now[i]) < 0)
			j++;
		if (j < before_count &&
		    lp_top_sample_compare(&before[j], &now[i]) == 0)
			items[n].before = &before[j++];
		n++;
	}
	*count = n;
	return items;
}

static int
name_items(struct item *items, size_t count, enum lp_top_view view)
{
	for (size_t i = 0; i < count; i++) {
		items[i].name = lp_top_name_of(view, items[i].now);
		if (items[i].name == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int
compare_items(const void *a, const void *b)
{
	return strcmp(
	    ((const struct item *)a)->name, ((const struct item *)b)->name);
}

/* ---- rows -----------------------------------------------------------------
 */

/*
 * A count that went back is one of a process that began anew, or of who lost
 * its place and got another one.
 */
static bool
began_anew(
    const struct lp_top_figures *now, const struct lp_top_figures *before)
{
	for (int i = 0; i < LP_TOP_COUNTS; i++)
		if (now->counts[i] < before->counts[i])
			return true;
	return now->responses < before->responses;
}

static uint64_t
count_of(const Lp__Pb__Histogram *histogram, uint32_t bucket, size_t *at)
{
	if (histogram == NULL)
		return 0;
	while (*at < histogram->n_buckets && *at < histogram->n_counts &&
	    histogram->buckets[*at] < bucket)
		++*at;
	if (*at < histogram->n_buckets && *at < histogram->n_counts &&
	    histogram->buckets[*at] == bucket)
		return histogram->counts[*at];
	return 0;
}

/* Adds what came between the two; before may be NULL. */
static void
add_times(struct lp_histogram_view *times, const Lp__Pb__Histogram *now,
    const Lp__Pb__Histogram *before)
{
	uint64_t end_ns = 0;
	size_t at = 0;

	for (size_t i = 0; i < now->n_buckets && i < now->n_counts; i++) {
		uint64_t count = now->counts[i];
		uint64_t old = count_of(before, now->buckets[i], &at);

		if (old <= count)
			count -= old;
		if (count > 0 &&
		    lp_histogram_put(times, now->buckets[i], count))
			end_ns = lp_histogram_upper(now->buckets[i]) - 1;
	}
	/* A maximum of before says nothing of the interval. */
	if (end_ns > 0 && now->has_max_ns &&
	    (end_ns > now->max_ns || before == NULL ||
		before->max_ns < now->max_ns))
		end_ns = now->max_ns;
	if (times->max_ns < end_ns)
		times->max_ns = end_ns;
}

/* Whether its times count for the quantiles of the row. */
static bool
is_latency(const struct lp_top_choice *choice,
    const struct lp_top_figures *figures, enum lp_top_latency of)
{
	if (choice->view == LP_TOP_APIS)
		return true;
	return !figures->max_wait &&
	    (choice->latency == LP_TOP_ALL || choice->latency == of);
}

static void
clear_row(struct lp_top_row *row)
{
	*row = (struct lp_top_row){0};
	for (int i = 0; i < LP_TOP_COLUMNS; i++)
		row->values[i] = LP_TOP_NOTHING;
}

static void
add_value(struct lp_top_row *row, enum lp_top_column column, double value)
{
	if (row->values[column] < 0)
		row->values[column] = 0;
	row->values[column] += value;
}

static void
add_times_of(const struct work *work, const struct lp_top_figures *now,
    const struct lp_top_figures *before)
{
	for (int i = 0; work->times != NULL && i < LP_TOP_LATENCIES; i++)
		if (now->latency[i] != NULL && is_latency(work->choice, now, i))
			add_times(
			    work->times, now->latency[i], before->latency[i]);
}

static void
add_item(
    const struct work *work, struct lp_top_row *row, const struct item *item)
{
	enum lp_top_view view = work->choice->view;
	struct lp_top_figures now, before = {0};
	bool answers_only;

	lp_top_sample_figures(&now, item->now);
	answers_only = now.counts[LP_TOP_COUNT_REQUESTS] == 0;
	if (item->before != NULL)
		lp_top_sample_figures(&before, item->before);
	if (began_anew(&now, &before))
		before = (struct lp_top_figures){0};
	if (lp_top_model_has(view, LP_TOP_IN_FLIGHT))
		add_value(row, LP_TOP_IN_FLIGHT, (double)now.in_flight);
	if (item->seconds <= 0)
		return;
	add_times_of(work, &now, &before);
	for (int i = 0; i < LP_TOP_COUNTS; i++)
		now.counts[i] -= before.counts[i];
	for (int i = 0; i < LP_TOP_COUNTS; i++)
		if (lp_top_model_has(view, LP_TOP_REQUESTS + i))
			add_value(row, LP_TOP_REQUESTS + i,
			    (double)now.counts[i] / item->seconds);
	/* What a Fetch is answered by is known when it is answered. */
	if (view == LP_TOP_APIS && answers_only)
		add_value(row, LP_TOP_REQUESTS,
		    (double)(now.responses - before.responses) / item->seconds);
}

static void
finish_row(struct lp_top_row *row, const struct lp_histogram_view *times)
{
	for (int i = 0; times->count > 0 && i < LP_TOP_QUANTILES; i++)
		row->values[LP_TOP_P50 + i] =
		    (double)lp_histogram_quantile(times, quantiles[i]);
}

/* Takes the names of the items.  One row of room for each item is there. */
static void
fill_rows(struct lp_top_rows *rows, const struct work *work, struct item *items,
    size_t count)
{
	const struct lp_top_choice *choice = work->choice;
	size_t end;

	for (size_t i = 0; i < count; i = end) {
		struct lp_top_row *row = &rows->list[rows->count];

		clear_row(row);
		row->first = items[i].now;
		memset(work->times, 0, sizeof(*work->times));
		for (end = i;
		     end < count && strcmp(items[i].name, items[end].name) == 0;
		     end++)
			add_item(work, row, &items[end]);
		if (!lp_top_name_matches(items[i].name, choice->filter) ||
		    (choice->busy && row->values[LP_TOP_REQUESTS] <= 0 &&
			row->values[LP_TOP_IN_FLIGHT] <= 0)) {
			rows->hidden++;
			continue;
		}
		finish_row(row, work->times);
		row->name = items[i].name;
		items[i].name = NULL;
		rows->count++;
	}
}

/* Largest first, names from A; equal ones by name; nothing comes last. */
static int
compare_rows(const void *a, const void *b, void *arg)
{
	const struct lp_top_choice *choice = arg;
	const struct lp_top_row *x = a;
	const struct lp_top_row *y = b;
	double left = x->values[choice->sort];
	double right = y->values[choice->sort];
	int order;

	if (choice->sort == LP_TOP_NAME) {
		order = strcmp(x->name, y->name);
		return choice->reverse ? -order : order;
	}
	if ((left < 0) != (right < 0))
		return left < 0 ? 1 : -1;
	order = (left < right) - (left > right);
	if (order == 0)
		return strcmp(x->name, y->name);
	return choice->reverse ? -order : order;
}

int
lp_top_model_rows(struct lp_top_rows *rows, const struct lp_top_model *model,
    const struct lp_top_choice *choice)
{
	size_t count = 0;
	struct item *items =
	    make_items(model, choice->view, choice->since_start, &count);
	struct lp_histogram_view *times = malloc(sizeof(*times));
	const struct work work = {model, choice, times};
	int err = -ENOMEM;

	*rows = (struct lp_top_rows){0};
	if (items == NULL || times == NULL ||
	    name_items(items, count, choice->view) != 0)
		goto out;
	rows->list = calloc(count + 1, sizeof(*rows->list));
	if (rows->list == NULL)
		goto out;
	qsort(items, count, sizeof(*items), compare_items);
	fill_rows(rows, &work, items, count);
	qsort_r(rows->list, rows->count, sizeof(*rows->list), compare_rows,
	    (void *)choice);
	err = 0;
out:
	free_items(items, count);
	free(times);
	return err;
}

void
lp_top_model_totals(struct lp_top_totals *totals,
    const struct lp_top_model *model, bool since_start)
{
	const struct lp_top_sample *now = &model->now;

	const struct lp_top_choice choice = {.view = LP_TOP_LISTENERS};
	const struct work work = {model, &choice, NULL};
	size_t count = 0;
	struct item *items =
	    make_items(model, choice.view, since_start, &count);

	*totals = (struct lp_top_totals){
	    .dataplanes = now->plane_count,
	    .dataplane = now->plane_count > 0 ? now->planes[0].id : "",
	};
	clear_row(&totals->all);
	for (size_t i = 0; i < now->plane_count; i++)
		if (since_start || window_s(model, now->planes[i].id) > 0)
			for (int j = 0; j < LP_TOP_COUNTS; j++)
				add_value(&totals->all, LP_TOP_REQUESTS + j, 0);
	if (now->plane_count > 0)
		add_value(&totals->all, LP_TOP_IN_FLIGHT, 0);
	for (size_t i = 0; items != NULL && i < count; i++)
		add_item(&work, &totals->all, &items[i]);
	free_items(items, count);
	for (size_t i = 0; i < now->plane_count; i++) {
		double seconds = window_s(model, now->planes[i].id);

		if (totals->seconds < seconds)
			totals->seconds = seconds;
		totals->streams_lost += now->planes[i].streams_lost;
		totals->unseen_bytes += now->planes[i].unseen_bytes;
	}
}
