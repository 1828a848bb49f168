/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One answer, put in order so that two of them can be compared.
 */
#ifndef LP_CLI_TOP_SAMPLE_H
#define LP_CLI_TOP_SAMPLE_H

#include "cli/top_model.h"

/* A dataplane that has answered; borrows from the replies. */
struct lp_top_plane {
	const char *id; /* "" if it has none */
	uint64_t time_ns; /* of its counters, CLOCK_REALTIME */
	uint64_t streams_lost;
	uint64_t unseen_bytes;
};

/* One row of an answer; borrows from it.  One of the three is set. */
struct lp_top_entry {
	const char *dataplane;
	const Lp__Pb__KafkaApiStats *api;
	const Lp__Pb__KafkaTopicStats *topic;
	const Lp__Pb__KafkaClientStats *client;
};

enum lp_top_count {
	LP_TOP_COUNT_REQUESTS,
	LP_TOP_COUNT_IN,
	LP_TOP_COUNT_OUT,
	LP_TOP_COUNT_ERRORS,
	LP_TOP_COUNT_THROTTLED,
	LP_TOP_COUNTS,
};

/* What any kind of entry counts since the start, and its histograms. */
struct lp_top_figures {
	uint64_t counts[LP_TOP_COUNTS];
	uint64_t responses; /* of an API */
	uint64_t in_flight;
	const Lp__Pb__Histogram *latency[LP_TOP_LATENCIES]; /* NULL: none */
	bool max_wait; /* its latency is a wait: see lp_top_latency */
};

/* As lp_top_model_feed(). */
int lp_top_sample_init(
    struct lp_top_sample *sample, struct lp_replies *replies);
void lp_top_sample_fini(struct lp_top_sample *sample);

/* The entries that a view is made of. */
const struct lp_top_entry *lp_top_sample_entries(
    const struct lp_top_sample *sample, enum lp_top_view view, size_t *count);

const struct lp_top_plane *lp_top_sample_plane(
    const struct lp_top_sample *sample, const char *id);

/* The order of entries, of which both are of one kind. */
int lp_top_sample_compare(const void *a, const void *b);

/* All that have no place of their own. */
bool lp_top_sample_is_other(const struct lp_top_entry *entry);

/* The sum of those that lost theirs: it has no rate, it grows by histories. */
bool lp_top_sample_is_evicted(const struct lp_top_entry *entry);

void lp_top_sample_figures(
    struct lp_top_figures *figures, const struct lp_top_entry *entry);

#endif
