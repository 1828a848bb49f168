/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ports of a dataplane: which are configured, which are open, and in
 * which slot.  Control thread only.
 *
 * A slot belongs to a device, not to an object: a port that is renamed, or
 * deleted and added again in one generation, keeps its slot and stays open.
 * What a new generation needs is opened before anything is published; what it
 * does not need any more is closed after nobody can see it.
 *
 *	free ── prepare ──▶ fresh ── commit ──▶ open ── commit ──▶ reclaiming
 *	  ▲                   │ cancel            │ device gone        │
 *	  └───────────────────┴──▶ reclaiming ◀───┘                    │
 *	  └─────────────────────────────┴──────────────────────────────┘
 *
 * All ports of a process are of one back end: the first one decides.
 */
#ifndef LP_DATAPLANE_PORTS_H
#define LP_DATAPLANE_PORTS_H

#include <stdbool.h>

#include "dataplane/candidate.h"
#include "dataplane/options.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/snapshot.h"

struct lp_port_slot {
	uint32_t id; /* of the object in the running configuration; 0: none */
	struct lp_port_object object;
	struct lp_port *port; /* NULL: not open */
	bool fresh; /* opened for a generation that is not yet published */
	bool gone; /* its device is; to be closed when nobody can see it */
	bool reclaiming; /* closed, but the worker holds buffers of it */
	bool down; /* as last logged */
	unsigned ifindex; /* of an inline port that is not open: its device */
	/* Why it is not open, or does not fit its peer; as last logged. */
	char why[LP_WHY_SIZE];
};

struct lp_ports {
	struct lp_keep *keep; /* may be NULL; borrowed */
	uint8_t *ledger; /* borrowed */
	uint32_t buffer_count;
	uint16_t mtu; /* that buffers must hold; 0: the back end's default */
	const char *dpdk_arguments; /* may be NULL; borrowed */
	const struct lp_backend_ops *ops; /* NULL until the first port */
	struct lp_pool *pool; /* NULL until then, too */
	char held[LP_WHY_SIZE]; /* by the host, too: as last logged */
	struct lp_port_slot slots[LP_PORTS_MAX];
};

/* dpdk_arguments may be NULL. */
void lp_ports_init(struct lp_ports *ports, struct lp_keep *keep,
    uint8_t *ledger, const struct lp_options *options);
/* Closes all.  No worker runs. */
void lp_ports_fini(struct lp_ports *ports);

/* At start: gives each port of that configuration its slot, opens none. */
void lp_ports_assign(struct lp_ports *ports, const struct lp_config *config,
    const uint32_t port_ids[LP_PORTS_MAX]);

/*
 * Opens those that the configuration adds.  0, or -EINVAL with a refusal; then
 * none of them is open.  A port that is configured already and cannot be
 * opened is no reason to refuse.
 */
int lp_ports_prepare(struct lp_ports *ports, const struct lp_config *config,
    struct lp_refusal *refusal);
/* Closes again what prepare opened; without a worker also the pool. */
void lp_ports_cancel(struct lp_ports *ports, bool worker_runs);
/* The configuration was published: closes what it has no more. */
void lp_ports_commit(struct lp_ports *ports, const struct lp_config *config);

/* The ports by slot, for building a snapshot of that configuration. */
void lp_ports_fill(const struct lp_ports *ports, const struct lp_config *config,
    struct lp_open_ports *open);

/*
 * Tells every open port what to steer: what it needs under any of these
 * configurations.  0, or -EINVAL with a refusal: that of the first that fails,
 * which is no reason not to tell the others.
 */
int lp_ports_steer(struct lp_ports *ports,
    const struct lp_config *const configs[], size_t count, uint64_t generation,
    struct lp_refusal *refusal);

/*
 * Each second: looks whether devices have gone, tries to open what is
 * configured and not open, logs each change once.  True if a snapshot must be
 * published; then lp_ports_close_gone().
 */
bool lp_ports_watch(struct lp_ports *ports);
void lp_ports_close_gone(struct lp_ports *ports);

/* True if no closed slot waits for the worker; pipeline NULL: none runs. */
bool lp_ports_reclaim(struct lp_ports *ports, struct lp_pipeline *pipeline);

#endif
