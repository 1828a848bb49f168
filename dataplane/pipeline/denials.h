/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules refuse, on its way from the worker to control, who logs it
 * (dataplane/denial_log.h).
 *
 *	denial = lp_denials_open(denials, row->slot, row->id);
 *	if (denial != NULL) {
 *		... fill it in ...
 *		lp_denials_close(denials);
 *	}
 *
 * A ring with one producer (the worker) and one consumer (control).  It lies in
 * the memory of the process, not in the state region: what control has not
 * taken out goes with the process, what was counted of it stays.
 *
 * Rates.  LP_DENIALS_RULE_MAX a second of each rule and LP_DENIALS_MAX of all:
 * it is a log, not a count, and a client that is refused tries again.  What is
 * left out is counted by rule; a denial of the kind LP_DENIAL_LEFT_OUT tells
 * that it has begun, once a second, and control looks at the count later.  When
 * the ring is full a denial is counted, and lost: nobody waits.
 */
#ifndef LP_PIPELINE_DENIALS_H
#define LP_PIPELINE_DENIALS_H

#include "dataplane/pipeline/arena.h"
#include "dataplane/pipeline/limits.h"
#include "dataplane/pipeline/stats.h"
#include "proto/address.h"

struct lp_conn;
struct lp_kafka_stats;
struct lp_region;

enum {
	LP_DENIALS_SIZE = 256, /* of the ring; a power of two */
	LP_DENIALS_RULE_MAX = 20,
	LP_DENIALS_MAX = 100,
	/* In place of a rule's slot. */
	LP_DENIALS_UNJUDGED = LP_RULE_SLOTS, /* no rule's, a listener's */
	LP_DENIALS_OTHERS, /* beyond what there may be of all */
	LP_DENIALS_SLOTS,
	LP_DENIALS_TEXT_MAX = 255,
	LP_DENIALS_NO_API = INT16_MIN,
};

enum lp_denial_kind {
	LP_DENIAL_DENY = 1, /* an error in the answer */
	LP_DENIAL_RESET, /* of a connection, or at a request */
	LP_DENIAL_NO_CREATE, /* Metadata creates no topic */
	LP_DENIAL_UNJUDGED, /* reset: rules cannot judge its bytes */
	LP_DENIAL_LEFT_OUT, /* is none: from here on some are left out */
};

enum lp_denial_text {
	LP_DENIAL_CLIENT_ID = 0,
	LP_DENIAL_PRINCIPAL,
	LP_DENIAL_TOPIC,
	LP_DENIAL_GROUP,
	LP_DENIAL_TRANSACTIONAL_ID,
	LP_DENIAL_TEXTS,
};

struct lp_denial {
	uint64_t time_ns; /* CLOCK_MONOTONIC, of the turn */
	/* LEFT_OUT: those of its slot that were left out before. */
	uint64_t left_out;
	uint32_t slot; /* of its rule, or LP_DENIALS_* */
	uint32_t rule_id; /* 0: of none */
	uint32_t listener_id;
	uint32_t broker_id;
	int32_t node_id;
	struct lp_ip client_ip;
	uint16_t client_port;
	int16_t api; /* LP_DENIALS_NO_API: of a connection */
	int16_t version;
	uint8_t kind; /* enum lp_denial_kind */
	bool shadow; /* it would be, but for that */
	uint8_t has; /* 1 << enum lp_denial_text: it is there, not null */
	uint8_t cut; /* likewise: it is longer */
	uint8_t lens[LP_DENIAL_TEXTS];
	uint8_t texts[LP_DENIAL_TEXTS][LP_DENIALS_TEXT_MAX];
};

/* Of a slot; the worker's own but for what it has left out. */
struct lp_denials_budget {
	lp_counter left_out; /* so far */
	uint32_t second;
	uint16_t count; /* in that second */
	bool is_marked; /* that some are left out of it was told */
};

struct lp_denials {
	_Alignas(64) _Atomic uint32_t head; /* the worker writes */
	_Alignas(64) _Atomic uint32_t tail; /* control writes */
	_Alignas(64) struct lp_kafka_stats *stats; /* its counters */
	uint64_t now_ns;
	struct lp_denial *places;
	struct lp_denials_budget *budgets; /* by slot */
};

void lp_denials_carve(struct lp_denials *denials, struct lp_arena *arena);
/* The region knows it from then on. */
void lp_denials_init(struct lp_denials *denials, struct lp_region *region);

/* worker: once a turn. */
static inline void
lp_denials_turn(struct lp_denials *denials, uint64_t now_ns)
{
	denials->now_ns = now_ns;
}

/*
 * worker: the next place, all but its texts zero or told here; NULL: it is not
 * told, and counted.  Accepts NULL: nobody reads.
 */
struct lp_denial *lp_denials_open(
    struct lp_denials *denials, uint32_t slot, uint32_t rule_id);
void lp_denials_close(struct lp_denials *denials);

/* Whose connection it is. */
void lp_denials_whose(struct lp_denial *denial, const struct lp_conn *conn);

/* What is longer than LP_DENIALS_TEXT_MAX is cut. */
void lp_denials_text(struct lp_denial *denial, enum lp_denial_text which,
    const uint8_t *bytes, size_t len);

/* control: the oldest one, until it is consumed; NULL: there is none. */
const struct lp_denial *lp_denials_oldest(const struct lp_denials *denials);
void lp_denials_consumed(struct lp_denials *denials);

/* control: how many of that slot were left out, so far. */
static inline uint64_t
lp_denials_left_out(const struct lp_denials *denials, uint32_t slot)
{
	return lp_count_get(&denials->budgets[slot].left_out);
}

#endif
