/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multicast listener discovery (RFC 3810) for ports that are alone.
 *
 * A switch that snoops gives the questions of neighbour discovery only to
 * those who have reported the group that a question is sent to.  Where there
 * is a kernel behind a port it joins the groups of our addresses and reports
 * them; where there is none it is done here: reports of what is new, twice, a
 * second apart, and answers to queries.
 */
#ifndef LP_PIPELINE_MLD_H
#define LP_PIPELINE_MLD_H

#include "dataplane/pipeline/arena.h"
#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/snapshot.h"

struct lp_mld_group;

/* Why a group is to be reported. */
enum lp_mld_cause {
	LP_MLD_NEW,
	LP_MLD_AGAIN, /* new a second ago: one report may be lost */
	LP_MLD_ASKED,
};
enum { LP_MLD_CAUSES = 3 };

struct lp_mld_port {
	uint32_t incarnation; /* of the port, as reported */
	uint32_t at; /* the group that the next report begins with */
	uint64_t due_ms[LP_MLD_CAUSES]; /* UINT64_MAX: nothing to report */
	uint64_t v1_until_ms; /* a querier speaks MLDv1 only */
};

struct lp_mld {
	const struct lp_make *make;
	struct lp_mld_group *groups; /* beside those of the snapshot */
	struct lp_mld_group *before; /* of the snapshot before this one */
	uint32_t count;
	uint64_t due_ms; /* the least of all ports */
	struct lp_mld_port ports[LP_PORTS_MAX];
};

/* Takes its memory; lp_mld_init() starts with nothing reported. */
void lp_mld_carve(struct lp_mld *mld, struct lp_arena *arena);
void lp_mld_init(struct lp_mld *mld, const struct lp_make *make);

/* A new snapshot: what it has that was not reported yet will be. */
void lp_mld_update(struct lp_mld *mld, const struct lp_snapshot *snapshot);

/* A query, of any form and right or not, on a port that is alone. */
bool lp_mld_is_query(const struct lp_batch *batch, const struct lp_pkt *pkt);

/* Takes note of it and gives it its verdict. */
void lp_mld_receive(
    struct lp_mld *mld, const struct lp_batch *batch, struct lp_pkt *pkt);

/* Once a turn: a few reports, if there are any due. */
void lp_mld_tick(struct lp_mld *mld, struct lp_batch *batch);

/* When it has something to do next; 0: at once, UINT64_MAX: nothing. */
static inline uint64_t
lp_mld_due_ms(const struct lp_mld *mld)
{
	return mld->due_ms;
}

#endif
