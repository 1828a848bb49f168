/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a peer is still there, and fast enough.  Pure: time is a number.
 */
#ifndef LP_DATAPLANE_LIVENESS_H
#define LP_DATAPLANE_LIVENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LP_LIVENESS_SILENT_MS = 5000, /* five beats */
	LP_LIVENESS_FRAME_MS = 30000, /* for one frame, however it drips */
};

struct lp_liveness {
	uint64_t heard_ms; /* last bytes */
	uint64_t partial_ms; /* since when a frame is incomplete; 0: none is */
};

static inline void
lp_liveness_init(struct lp_liveness *liveness, uint64_t now_ms)
{
	*liveness = (struct lp_liveness){.heard_ms = now_ms};
}

/*
 * Bytes came; all complete frames were taken.  frames: at least one was;
 * partial: bytes of another are left.
 */
static inline void
lp_liveness_heard(
    struct lp_liveness *liveness, uint64_t now_ms, bool frames, bool partial)
{
	liveness->heard_ms = now_ms;
	if (!partial)
		liveness->partial_ms = 0;
	else if (frames || liveness->partial_ms == 0)
		liveness->partial_ms = now_ms;
}

/* NULL, or why it is to be dropped. */
static inline const char *
lp_liveness_check(const struct lp_liveness *liveness, uint64_t now_ms)
{
	if (now_ms - liveness->heard_ms >= LP_LIVENESS_SILENT_MS)
		return "silent for 5 s";
	if (liveness->partial_ms != 0 &&
	    now_ms - liveness->partial_ms >= LP_LIVENESS_FRAME_MS)
		return "one frame took longer than 30 s";
	return NULL;
}

#endif
