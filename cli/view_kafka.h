/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka statistics of dataplanes, put together for showing: frames are merged,
 * what is wanted of them is chosen and sorted, quantiles are computed.
 */
#ifndef LP_CLI_VIEW_KAFKA_H
#define LP_CLI_VIEW_KAFKA_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/client.h"
#include "cli/error.h"
#include "proto/histogram.h"
#include "proto/lightpath.pb-c.h"

/* As --sort takes them: enum lp_kafka_sort in words. */
#define LP_VIEW_KAFKA_SORT_WORDS                                               \
	"requests bytes errors in-flight throttled idle p50 p99 p99.9 p99.99 " \
	"max name"

enum lp_kafka_sort {
	LP_KAFKA_SORT_REQUESTS = 0,
	LP_KAFKA_SORT_BYTES,
	LP_KAFKA_SORT_ERRORS,
	LP_KAFKA_SORT_IN_FLIGHT, /* this one and the next two: of clients */
	LP_KAFKA_SORT_THROTTLED,
	LP_KAFKA_SORT_IDLE,
	LP_KAFKA_SORT_P50, /* the quantiles of all latencies together */
	LP_KAFKA_SORT_P99,
	LP_KAFKA_SORT_P99_9,
	LP_KAFKA_SORT_P99_99,
	LP_KAFKA_SORT_MAX,
	LP_KAFKA_SORT_NAME,
	LP_KAFKA_SORTS,
};

/* Of one dataplane; its frames were merged into the first. */
struct lp_kafka_view_row {
	const char *dataplane; /* its id; "" if it has none */
	Lp__Pb__KafkaStats *stats;
	/* Of topics or clients, the first so many are wanted; */
	size_t shown;
	size_t cut; /* as many more were beyond the limit */
	/* And, apart, all the others, and who was one of them; NULL: none. */
	const void *other, *evicted;
};

/* Borrows from the replies, which it rearranges. */
struct lp_kafka_view {
	struct lp_kafka_view_row *rows;
	size_t count;
};

/* LP_EXIT_OK, or LP_EXIT_UNREACHABLE; nothing is then to be freed. */
int lp_view_kafka_init(struct lp_kafka_view *view, struct lp_replies *replies,
    struct lp_error *error);
void lp_view_kafka_fini(struct lp_kafka_view *view);

/* False: there is no such key. */
bool lp_view_kafka_sort(enum lp_kafka_sort *sort, const char *word);

/* Which topics or clients, and in what order.  prefix: NULL: all. */
struct lp_kafka_choice {
	const char *prefix;
	enum lp_kafka_sort sort;
	uint32_t limit; /* 0: none */
};

/* APIs by origin, listener, broker, key and kind. */
void lp_view_kafka_order_apis(struct lp_kafka_view *view);
/* LP_EXIT_OK, or LP_EXIT_UNREACHABLE: no memory. */
int lp_view_kafka_choose_topics(struct lp_kafka_view *view,
    const struct lp_kafka_choice *choice, struct lp_error *error);
int lp_view_kafka_choose_clients(struct lp_kafka_view *view,
    const struct lp_kafka_choice *choice, struct lp_error *error);

/*
 * Adds what the message says; NULL says nothing, and neither does a bucket
 * that there cannot be.
 */
void lp_view_kafka_add(
    struct lp_histogram_view *view, const Lp__Pb__Histogram *message);

#endif
