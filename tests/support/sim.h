/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated peers: a client and a broker with a TCP of their own, on both
 * sides of a plane, over links that delay, lose, repeat and damage.
 *
 *	client ══ link ══▶ FRONT ▸ plane ▸ BACK ══ link ══▶ broker
 *
 * Everything follows from one seed: habits of both ends, links, cuts.  Time is
 * simulated, the plane's too.  One connection a run.  What each application
 * has read is compared with what the other one has written when it is closed.
 *
 * LP_TEST_TRACE=1 prints every segment; the last ones are printed whenever the
 * test fails.
 */
#ifndef LP_TESTS_SUPPORT_SIM_H
#define LP_TESTS_SUPPORT_SIM_H

#include "tests/support/sim_frame.h"
#include "tests/support/sim_tcp.h"

enum sim_who {
	SIM_CLIENT = 0,
	SIM_BROKER = 1,
};

/* One way from an end to the plane, or from the plane to an end. */
enum sim_way {
	SIM_FROM_CLIENT, /* by enum sim_who */
	SIM_FROM_BROKER,
	SIM_TO_CLIENT,
	SIM_TO_BROKER,
	SIM_WAYS,
};

struct sim_link {
	uint64_t delay_ns;
	uint64_t jitter_ns; /* keeps the order */
	/* In a thousand: */
	unsigned lost, twice, late, damaged;
	uint64_t last_ns; /* when the last one in order arrives */
};

enum {
	SIM_FLIGHT_MAX = 1024, /* frames on all links; more are lost */
	SIM_TRACE_MAX = 256, /* lines kept */
	SIM_LIMIT_S = 900, /* simulated, for one run */
};

struct sim_flight {
	uint64_t at_ns;
	uint64_t serial;
	uint32_t frame; /* index */
	uint8_t way;
};

struct sim_trace {
	uint64_t at_ns;
	struct sim_segment segment; /* without payload */
	const char *what;
	uint8_t way;
};

struct sim {
	uint64_t seed, random;
	uint64_t start_ns, now_ns;
	uint64_t wake_ns, beat_ns;
	bool v6;
	bool aborted;
	uint64_t aborted_ns;
	struct sim_tcp tcp[2]; /* by enum sim_who */
	struct sim_place place[2], peer[2];
	struct sim_link link[SIM_WAYS];

	uint64_t serial;
	unsigned in_flight;
	struct sim_flight flight[SIM_FLIGHT_MAX]; /* a heap: the next first */
	uint32_t free[SIM_FLIGHT_MAX];
	struct packet frames[SIM_FLIGHT_MAX];

	/*
	 * Shown what leaves the plane, in order, if set after sim_open();
	 * `right`: its checksum is.
	 */
	void (*tap)(void *context, enum sim_who to,
	    const struct sim_segment *segment, bool right);
	void *tap_context;

	/*
	 * Asked of every segment that sets out on a link, if set: true, it is
	 * lost there.
	 */
	bool (*lose)(
	    void *context, enum sim_way way, const struct sim_segment *segment);
	void *lose_context;

	/* What an end must read; NULL: what the other one writes. */
	const struct sim_bytes *promised[2];

	/* What has happened. */
	uint64_t segments, lost; /* damage is a loss */
	bool live; /* trace at once */
	unsigned traced;
	struct sim_trace trace[SIM_TRACE_MAX];
};

/* Sims that are opened while it is set go through the bump, LEFT_SLOT. */
extern bool sim_is_inline;

/*
 * Draws everything.  The plane is open, with the configuration of plane.h, and
 * as it was at its beginning.
 */
void sim_open(struct sim *sim, uint64_t seed);

/* The same in two steps: what was drawn may be changed in between. */
void sim_prepare(struct sim *sim, uint64_t seed);
void sim_begin(struct sim *sim);

/* As many bytes as may go through it in some hundred segments. */
size_t sim_appetite(const struct sim *sim, enum sim_who who);

/*
 * Until both ends are done.  The application is called after every step and at
 * the times that it asks for with sim_wake(); it writes and reads.
 */
void sim_run(struct sim *sim, void (*app)(void *context, struct sim *sim),
    void *context);

/* What each has got must be what the other one wrote, unless one aborted. */
void sim_close(struct sim *sim);

/* For applications. */
void sim_write(
    struct sim *sim, enum sim_who who, const void *bytes, size_t len);
void sim_shut(struct sim *sim, enum sim_who who);
void sim_abort(struct sim *sim, enum sim_who who);
void sim_wake(struct sim *sim, uint64_t in_ns);
/* A segment that the end's TCP knows nothing of. */
void sim_send(
    struct sim *sim, enum sim_who who, const struct sim_segment *segment);
/* All that it has read so far. */
const uint8_t *sim_read(const struct sim *sim, enum sim_who who, size_t *len);
/* The other end has closed, and all is read; or the connection is reset. */
bool sim_at_end(const struct sim *sim, enum sim_who who);

#endif
