/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From messages to rows of metrics: the daemon, its dataplanes, and what they
 * count of packets.  Kafka is export_kafka.h's, rules are export_rule.h's.
 */
#ifndef LP_CONTROLD_EXPORT_ROWS_H
#define LP_CONTROLD_EXPORT_ROWS_H

#include "controld/export_text.h"

/* Long enough for a name of ours or "#4294967295". */
enum { LP_EXPORT_ROWS_NAME_SIZE = LP_NAME_SIZE };

/* Where a counter goes, by its name; the last one of a list has none. */
struct lp_export_place {
	const char *name;
	enum lp_export_metric metric;
	const char *own; /* its value of the metric's own label, or NULL */
};

/* Of the daemon alone; the dataplanes in it are left out. */
void lp_export_rows_status(
    struct lp_export_text *text, const Lp__Pb__StatusReply *status);

/* Of one dataplane, as the daemon sees it. */
void lp_export_rows_dataplane(struct lp_export_text *text,
    const Lp__Pb__DataplaneStatus *dataplane, bool up, bool kafka_up,
    bool rules_up);

/* One frame of what dataplane `path` counts. */
void lp_export_rows_stats(
    struct lp_export_text *text, const char *path, const Lp__Pb__Stats *stats);

/*
 * Names are never empty for what has an id: "#5" is what the configuration
 * knows no more.  Names of ours have no such sign.  Returns name or buf.
 */
const char *lp_export_rows_name(
    char buf[LP_EXPORT_ROWS_NAME_SIZE], const char *name, uint32_t id);
/* A broker's name is its node id. */
const char *lp_export_rows_broker(char buf[LP_EXPORT_ROWS_NAME_SIZE],
    bool has_node_id, int32_t node_id, uint32_t broker_id);

/* Adds those counters that have a place, in the order of places, each once. */
void lp_export_rows_places(struct lp_export_row *row,
    const struct lp_export_place *places, Lp__Pb__Counter *const *counters,
    size_t count);
bool lp_export_rows_has_place(
    const struct lp_export_place *places, const char *name);

#endif
