/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the packet path would do with a packet, and why: the same code on a
 * private pipeline, which nobody else sees.
 *
 * A trace has a region, ports and tables of its own.  It borrows the snapshot
 * that runs, and knows of the connections and next hops of the worker what a
 * copy tells; what its packets open or learn is gone with it.  Control thread
 * only.
 *
 * Where it may differ from the worker, and says so: a new connection's source
 * port is the worker's to choose; a table that is full is full only there, and
 * a rate of RSTs that is reached is reached only there.
 */
#ifndef LP_DATAPLANE_TRACE_H
#define LP_DATAPLANE_TRACE_H

#include "dataplane/pipeline/pipeline.h"
#include "proto/config.h"

enum {
	LP_TRACE_STAGES_MAX = 12,
	LP_TRACE_OUTPUTS_MAX = 4,
	LP_TRACE_TEXT_SIZE = 288,
	/* Connections that one trace may know. */
	LP_TRACE_CONNECTIONS = 4096,
};

struct lp_trace;

/* What is running; all of it borrowed. */
struct lp_trace_source {
	const struct lp_snapshot *snapshot; /* NULL: none yet */
	const struct lp_region *region;
	const struct lp_pipeline *pipeline; /* the worker's, or NULL */
	const struct lp_config *config; /* for names */
	uint64_t now_ns; /* CLOCK_MONOTONIC */
};

struct lp_trace_packet {
	const uint8_t *bytes;
	uint16_t len; /* at most LP_TRACE_PACKET_MAX */
	uint8_t slot; /* of the port it comes in by */
	bool fill_mac; /* destination: the port's */
	uint64_t offset_ns; /* after the first packet of the trace */
};

struct lp_trace_stage {
	const char *name;
	uint8_t verdict; /* LP_UNDECIDED: it passed the packet on */
	uint8_t reason;
	char text[LP_TRACE_TEXT_SIZE];
};

struct lp_trace_output {
	uint8_t slot;
	bool made; /* beside the packet */
	uint16_t len;
	uint16_t cut; /* bytes of it that are here */
	const uint8_t *bytes;
};

struct lp_trace_result {
	struct lp_trace_stage stages[LP_TRACE_STAGES_MAX];
	unsigned stage_count;
	uint8_t verdict;
	uint8_t reason;
	bool has_conn;
	bool opened; /* by this packet */
	uint8_t dir;
	struct lp_conn
	    conn; /* as the packet left it; serial 0: not a live one */
	/* Rules were asked of it: of `asked`, which may have been refused. */
	bool is_asked;
	bool is_refused;
	uint8_t asked_stage;
	struct lp_conn asked;
	bool has_hop;
	struct lp_ip hop;
	bool has_hop_mac;
	uint8_t hop_mac[6];
	struct lp_trace_output outputs[LP_TRACE_OUTPUTS_MAX];
	unsigned output_count;
	uint8_t bytes[LP_TRACE_PACKET_MAX];
	uint8_t made[LP_TRACE_OUTPUTS_MAX][LP_TRACE_MADE_MAX];
};

/* seed: random; of its tables.  0, or -ENOMEM. */
int lp_trace_new(struct lp_trace **trace, uint64_t seed, uint64_t now_ns);
/* Accepts NULL. */
void lp_trace_free(struct lp_trace *trace);

/*
 * Before packets are run: takes over the snapshot, and what is known of the
 * connections that these packets belong to.  The source must stay as it is
 * until the last of them was run.
 */
void lp_trace_begin(struct lp_trace *trace,
    const struct lp_trace_source *source,
    const struct lp_trace_packet packets[], unsigned count);

/*
 * Runs one packet.  0; -ENODEV: its port is not open; -ENOBUFS: too many
 * packets of this trace wait for next hops.
 */
int lp_trace_run(struct lp_trace *trace, const struct lp_trace_packet *packet,
    struct lp_trace_result *result);

#endif
