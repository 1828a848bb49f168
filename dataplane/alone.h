/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long we have been without any lp-controld, and what follows from it.
 *
 *	alone ── welcomed ──▶ not alone ── lost ──▶ alone ── limit ──▶ closed
 *	                          ▲                                      │
 *	                          └────────────── welcomed ──────────────┘
 *
 * The time counts from the loss (or the start) on, and goes on over restarts:
 * it is kept in a file of its own, as what has passed, so that no clock that
 * jumps can shorten or lengthen it.  CLOCK_MONOTONIC measures; CLOCK_REALTIME
 * is only shown.
 *
 * What is written is ahead of what has passed by up to a tenth of the limit: a
 * process that dies again and again cannot put off the end, and one that is
 * restarted in between is closed a little earlier.
 */
#ifndef LP_DATAPLANE_ALONE_H
#define LP_DATAPLANE_ALONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LP_ALONE_LIMIT_MIN_S = 10,
	LP_ALONE_LIMIT_MAX_S = 30 * 24 * 3600,
	LP_ALONE_TEXT_SIZE = 64,
};

struct lp_alone {
	uint64_t limit_ms; /* 0: it never closes */
	bool alone; /* no lp-controld is there that was welcomed */
	bool closed; /* for that */
	uint64_t since_ms; /* CLOCK_MONOTONIC that this process counts from */
	uint64_t before_ms; /* that had passed by then */
	uint64_t written_ms; /* as the file says */
	uint64_t since_real_ns; /* the loss */
	uint64_t closed_real_ns; /* 0: it is not closed */
};

/* What is in the file. */
struct lp_alone_file {
	uint64_t passed_ms;
	uint64_t since_real_ns;
	uint64_t closed_real_ns;
};

/*
 * A process starts, and nobody is there yet; file NULL: somebody was there
 * when the one before it ended.  limit_s 0: never.
 */
void lp_alone_init(struct lp_alone *alone, uint32_t limit_s,
    const struct lp_alone_file *file, uint64_t now_ms, uint64_t real_ns);

/*
 * Whether somebody is there now; at least once a second.  True if closed has
 * changed.
 */
bool lp_alone_turn(
    struct lp_alone *alone, bool somebody, uint64_t now_ms, uint64_t real_ns);

/* How long it has been alone, with what was before this process. */
uint64_t lp_alone_passed_ms(const struct lp_alone *alone, uint64_t now_ms);

/* True if *file is to be written now; lp_alone_written() once it is. */
bool lp_alone_is_due(
    const struct lp_alone *alone, uint64_t now_ms, struct lp_alone_file *file);
void lp_alone_written(struct lp_alone *alone, const struct lp_alone_file *file);

/* "hold"; "hold for 600 s, then closed"; returns text. */
const char *lp_alone_mode(char text[LP_ALONE_TEXT_SIZE], uint32_t limit_s);

/*
 * "hold", "closed:600", "closed:10m" (s, m, h, d).  False if it is neither, or
 * not within the limits.
 */
bool lp_alone_parse(uint32_t *limit_s, const char *text);

#endif
