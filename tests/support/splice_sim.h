/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation about addresses between simulated peers, through a listener
 * that rewrites them.  Every segment that leaves the plane is looked at:
 *
 *	to the client	its bytes are those that the client is to read at that
 *			place, whatever was lost or cut; or zeros, where it has
 *			them already; none is a broker's own address
 *	to the broker	its bytes are what the client wrote
 *
 * and, when it is over, that both have read all of it, and what the plane kept
 * for it is free again.
 */
#ifndef LP_TESTS_SUPPORT_SPLICE_SIM_H
#define LP_TESTS_SUPPORT_SPLICE_SIM_H

#include "tests/support/address_talk.h"
#include "tests/support/sim.h"

enum splice_sim_end {
	SPLICE_SIM_WHOLE, /* both have read all */
	SPLICE_SIM_CUT, /* it ends before: what was read is the begin of it */
};

struct splice_sim {
	struct sim sim;
	struct address_talk talk;

	/* What has been seen of segments to the client. */
	uint64_t zeros; /* those with nothing else */
	uint64_t segments; /* those with payload */
	uint64_t longest; /* payload */
	size_t read[2]; /* bytes, by enum sim_who, when it is over */
	/* The test's own tap and losses, after what is checked here. */
	void (*tap)(struct splice_sim *run, enum sim_who to,
	    const struct sim_segment *segment);
	bool (*lose)(struct splice_sim *run, enum sim_way way,
	    const struct sim_segment *segment);
	/* Called after every step, before the applications. */
	void (*step)(struct splice_sim *run);
	/* A test's own. */
	unsigned stage;
	uint64_t count;
	struct sim_segment kept;
};

/*
 * Opens the plane.  Listeners of plane.h are set to rewrite; the name they
 * advertise is of so many bytes, 0: none but the VIP.
 */
void splice_sim_open(uint32_t connections);
void splice_sim_advertise(unsigned len);

/* A pattern, what names end in being of so many bytes. */
void splice_sim_pattern(unsigned suffix_len);
void splice_sim_close(void);

/* Pieces that hold bytes of edits, as they came or as they leave. */
unsigned splice_sim_pieces(void);

/* Draws ends and links of that seed; nothing is said and no step is run. */
void splice_sim_prepare(struct splice_sim *run, uint64_t seed);

/*
 * Then all is as good as it can be: full segments, large windows, no delayed
 * acknowledgements, links that lose nothing and take 1 ms; no option.
 */
void splice_sim_calm(struct splice_sim *run, bool is_v6);

/*
 * Begins, and runs until both ends are done; checks all, and frees it.  No
 * more than so many retransmission timeouts may there be at both ends, and
 * three for each segment that is lost.
 */
void splice_sim_run(
    struct splice_sim *run, enum splice_sim_end end, uint64_t timeouts);

#endif
