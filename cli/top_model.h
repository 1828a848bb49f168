/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What "lpctl top" shows: two answers of lp-controld become rows with rates
 * and quantiles.  No terminal, no socket, no clock.
 *
 * An answer is kept as it came (a sample).  A row of a view sums what belongs
 * together, over listeners, brokers, APIs and dataplanes; its quantiles are
 * those of the merged histograms, never means of quantiles.  Of an interval
 * the earlier histogram is taken away from the later one first.
 */
#ifndef LP_CLI_TOP_MODEL_H
#define LP_CLI_TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/client.h"

enum lp_top_view {
	LP_TOP_CLIENTS = 0,
	LP_TOP_TOPICS,
	LP_TOP_BROKERS,
	LP_TOP_APIS,
	LP_TOP_LISTENERS,
	LP_TOP_VIEWS, /* how many there are */
};

/*
 * Whose latency the quantiles are.  The wait of a Fetch that nothing answered
 * but max_wait is no latency: only the view of APIs has it, in its own row.
 */
enum lp_top_latency {
	LP_TOP_ALL = 0,
	LP_TOP_PRODUCE,
	LP_TOP_FETCH, /* answered by data */
	LP_TOP_REST,
	LP_TOP_LATENCIES,
};

enum lp_top_column {
	LP_TOP_NAME = 0,
	LP_TOP_REQUESTS,
	LP_TOP_IN, /* bytes from clients */
	LP_TOP_OUT, /* bytes to clients */
	LP_TOP_ERRORS,
	LP_TOP_THROTTLED,
	LP_TOP_IN_FLIGHT,
	LP_TOP_P50,
	LP_TOP_P99,
	LP_TOP_P999,
	LP_TOP_P9999,
	LP_TOP_COLUMNS,
};

enum {
	LP_TOP_QUANTILES = LP_TOP_COLUMNS - LP_TOP_P50,
	LP_TOP_FILTER_SIZE = 128,
};

/* The value of a cell that there is nothing to say about. */
#define LP_TOP_NOTHING (-1.0)

struct lp_top_row {
	char *name; /* printable ASCII: see lp_top_name_escape() */
	/*
	 * By enum lp_top_column, without LP_TOP_NAME: a second, or in all with
	 * since_start; in flight: now; quantiles: ns.
	 */
	double values[LP_TOP_COLUMNS];
	const struct lp_top_entry *first; /* of those summed; of the sample */
};

struct lp_top_rows {
	struct lp_top_row *list;
	size_t count;
	size_t hidden; /* left out by the filter */
};

/* What a person may choose. */
struct lp_top_choice {
	uint8_t view; /* enum lp_top_view */
	uint8_t latency; /* enum lp_top_latency */
	uint8_t sort; /* enum lp_top_column */
	bool reverse; /* names: from Z; numbers: from the smallest */
	bool since_start; /* not the last interval */
	bool busy; /* only rows that had requests */
	/* Part of the name, without regard to case; "^x": its start. */
	char filter[LP_TOP_FILTER_SIZE];
};

/* The parts of one answer, in order of their identity; top_sample.c. */
struct lp_top_sample {
	struct lp_replies replies;
	struct lp_top_plane *planes;
	size_t plane_count;
	struct lp_top_entry *apis;
	size_t api_count;
	struct lp_top_entry *topics;
	size_t topic_count;
	struct lp_top_entry *clients;
	size_t client_count;
};

/* All zero: nothing has been asked yet. */
struct lp_top_model {
	struct lp_top_sample now;
	struct lp_top_sample before;
};

/* Of all APIs, and what the streams counted. */
struct lp_top_totals {
	size_t dataplanes;
	const char *dataplane; /* the first one's id; "" if there is none */
	double seconds; /* of the interval; 0: there is none yet */
	struct lp_top_row all; /* without name and quantiles */
	uint64_t streams_lost; /* since the start */
	uint64_t unseen_bytes;
};

/*
 * Takes the replies (*replies is then empty), which are KafkaCountersReply
 * all; what was now becomes the sample before.  0, or -ENOMEM: the model is
 * as it was, and the replies are freed.
 */
int lp_top_model_feed(struct lp_top_model *model, struct lp_replies *replies);
void lp_top_model_fini(struct lp_top_model *model);

/* Sorted and filtered; 0, or -ENOMEM and no rows.  Free with rows_fini. */
int lp_top_model_rows(struct lp_top_rows *rows,
    const struct lp_top_model *model, const struct lp_top_choice *choice);
void lp_top_model_rows_fini(struct lp_top_rows *rows);

void lp_top_model_totals(struct lp_top_totals *totals,
    const struct lp_top_model *model, bool since_start);

/* False: a view has nothing to say in that column. */
bool lp_top_model_has(enum lp_top_view view, enum lp_top_column column);

#endif
