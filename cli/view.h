/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of lp-controld, put together for showing.
 *
 * An answer may come in several frames; a view is the whole.
 */
#ifndef LP_CLI_VIEW_H
#define LP_CLI_VIEW_H

#include <stddef.h>

#include "cli/client.h"
#include "cli/error.h"
#include "proto/config.h"
#include "proto/lightpath.pb-c.h"

/* The configuration: ShowReply. */
struct lp_view {
	uint64_t generation;
	struct lp_config config;
};

/* Counters of one dataplane; its frames were merged into the first. */
struct lp_stats_row {
	const char *dataplane; /* its id; "" if it has none */
	const Lp__Pb__Stats *now;
	const Lp__Pb__Stats *before; /* of the last round of --watch, or NULL */
};

/* Borrows from the replies it was made of. */
struct lp_stats_view {
	struct lp_stats_row *rows;
	size_t count;
};

/* The ports: as they are configured, and as dataplanes have them. */
struct lp_ports_view {
	struct lp_view config;
	struct lp_stats_view live;
	const char *why; /* a dataplane is missing in it; NULL: none is */
};

struct lp_connection_row {
	const char *dataplane;
	const Lp__Pb__Connection *connection;
};

struct lp_connections_view {
	struct lp_connection_row *rows;
	size_t count;
};

/* Packets of a trace, in their order; owns the replies they lie in. */
struct lp_trace_view {
	const char *port; /* that they come in by */
	Lp__Pb__ControlReply **replies;
	size_t reply_count;
	size_t count; /* of packets */
};

/* What a capture came to. */
struct lp_capture_view {
	const char *path; /* of its file; "-" for standard output */
	uint64_t packets; /* written */
	uint64_t dropped; /* that were wanted, and missed */
};

/*
 * The constructors return LP_EXIT_OK, or LP_EXIT_UNREACHABLE with the reason
 * why the answer makes no sense; nothing is then to be freed.
 */
int lp_view_init(struct lp_view *view, const struct lp_replies *replies,
    struct lp_error *error);
void lp_view_fini(struct lp_view *view);

/*
 * Merges in place: what belongs together moves to the first reply of its
 * dataplane.  before: the last round, or NULL.
 */
int lp_view_stats_init(struct lp_stats_view *view, struct lp_replies *replies,
    const struct lp_stats_view *before, struct lp_error *error);
void lp_view_stats_fini(struct lp_stats_view *view);

/*
 * Moves the elements of one protobuf list to the end of another: of the field
 * `name` of two messages.  0, or -ENOMEM: then both are as they were.
 */
#define LP_VIEW_MOVE(to, from, name)                                           \
	lp_view_move((void ***)&(to)->name, &(to)->n_##name,                   \
	    (void ***)&(from)->name, &(from)->n_##name)
int lp_view_move(
    void ***to, size_t *to_count, void ***from, size_t *from_count);

int lp_view_connections_init(struct lp_connections_view *view,
    const struct lp_replies *replies, struct lp_error *error);
void lp_view_connections_fini(struct lp_connections_view *view);

/*
 * Takes the one reply over, which must be about so many packets; the first
 * call is on a view of zeroes.
 */
int lp_view_trace_take(struct lp_trace_view *view, struct lp_replies *replies,
    size_t packets, struct lp_error *error);
void lp_view_trace_fini(struct lp_trace_view *view);

/* The next object of a kind from *index on, or NULL; *index moves past it. */
const struct lp_object *lp_view_next(
    const struct lp_view *view, enum lp_object_kind kind, size_t *index);

/* The next broker or listener of a cluster, or of any (0). */
const struct lp_object *lp_view_next_of(const struct lp_view *view,
    enum lp_object_kind kind, uint32_t cluster_id, size_t *index);

/* The next endpoint of a listener. */
const struct lp_object *lp_view_next_endpoint(
    const struct lp_view *view, uint32_t listener_id, size_t *index);

/*
 * The rules in the order in which they are asked; the list is the caller's to
 * free.  -ENOMEM, or 0.
 */
int lp_view_rules(
    const struct lp_object ***list, size_t *count, const struct lp_view *view);

/* A counter's value by name; 0 if there is none. */
uint64_t lp_view_counter(
    Lp__Pb__Counter *const *counters, size_t count, const char *name);

/* What a dataplane says of a port; NULL if it does not know it. */
const Lp__Pb__PortStats *lp_view_port(
    const struct lp_stats_row *row, uint32_t id);

/* "up", "down", "not open"; of NULL "unknown". */
const char *lp_view_link(const Lp__Pb__PortStats *port);

enum { LP_VIEW_SPEED_SIZE = 16 };

/* " 100M", " 2.5G", " 10G"; "" if it is not known, or not up. */
const char *lp_view_speed(
    char buf[LP_VIEW_SPEED_SIZE], const Lp__Pb__PortStats *port);

/* Where the worker's time went, as shares of it; all 0 if nobody counted. */
struct lp_view_time {
	double busy; /* moving packets */
	double idle; /* awake, but without packets */
	double sleep;
};

/* Since the last round of --watch, or else since the start. */
void lp_view_worker_time(
    struct lp_view_time *time, const struct lp_stats_row *row);

#endif
