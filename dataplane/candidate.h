/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation on its way: BEGIN, OBJECT frames, END.  Nothing of what runs
 * is touched here; the result is a whole configuration, or a refusal.  Pure:
 * no socket, no time.
 */
#ifndef LP_DATAPLANE_CANDIDATE_H
#define LP_DATAPLANE_CANDIDATE_H

#include <stdbool.h>

#include "proto/config.h"
#include "proto/message.h"

/* Which configuration runs. */
struct lp_running {
	struct lp_config config;
	uint64_t epoch_seen; /* the highest of any controller */
	uint64_t controller_seen; /* whose it is: a hash, 0: not known */
	uint64_t epoch; /* under which it came */
	uint64_t generation; /* 0: none yet */
	uint64_t digest;
	unsigned beats; /* in which it was told */
};

/* Why a generation is refused: what REJECTED says. */
struct lp_refusal {
	Lp__Pb__Rejected__Code code;
	/* The controller has lost its place: its connection is to be closed. */
	bool out_of_place;
	uint64_t generation;
	uint32_t object_id; /* 0: not of one object */
	char object[LP_OBJECT_LABEL_SIZE];
	const char *field; /* a constant string, or "" */
	char why[LP_WHY_SIZE];
};

enum lp_candidate_state {
	LP_CANDIDATE_NONE = 0,
	LP_CANDIDATE_OPEN, /* between BEGIN and END */
	/* Refused before its END: the frames up to END are passed over. */
	LP_CANDIDATE_REFUSED,
};

struct lp_candidate {
	enum lp_candidate_state state;
	uint64_t epoch;
	uint64_t generation;
	uint64_t base_generation; /* 0: a full one */
	uint64_t digest;
	uint32_t expected; /* OBJECT frames */
	uint32_t received;
	struct lp_config config;
	/*
	 * Rules that are to go: ids that rise.  There may be very many, and
	 * they go in one pass.
	 */
	uint32_t *gone;
	size_t gone_count, gone_size;
};

void lp_candidate_init(struct lp_candidate *candidate);
void lp_candidate_fini(struct lp_candidate *candidate);

/*
 * The three frames in turn; epoch is that of WELCOME.  0, -ENOMEM, or -EINVAL
 * with *refusal filled: it is to be sent.
 */
int lp_candidate_begin(struct lp_candidate *candidate,
    const Lp__Pb__Begin *begin, uint64_t epoch,
    const struct lp_running *running, struct lp_refusal *refusal);
int lp_candidate_object(struct lp_candidate *candidate,
    const Lp__Pb__ObjectFrame *frame, struct lp_refusal *refusal);

/*
 * On 0 candidate->config is complete, checked, and has the digest.
 * -ECANCELED: it was refused before, and that was said.
 */
int lp_candidate_end(struct lp_candidate *candidate, const Lp__Pb__End *end,
    const struct lp_running *running, struct lp_refusal *refusal);

#endif
