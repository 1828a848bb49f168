/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The undo slot: how a change of one connection, cut short by a kill, is taken
 * back.  One a worker, in the state region.
 *
 * What changes of the connection itself is copied when the change begins.
 * Where its streams are edited, all else that the change touches has to be
 * taken back with it, or its ends would have been told what nobody remembers:
 * it is logged before it is touched, and put back in the reverse order.  Places
 * of a pool that the change gives back are not taken again before it ends.
 */
#ifndef LP_PIPELINE_UNDO_H
#define LP_PIPELINE_UNDO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	LP_UNDO_COPY = 80, /* of a connection: LP_CONN_CHANGING */
	LP_UNDO_LOG = 128 * 1024,
};

enum lp_undo_logging {
	LP_UNDO_PLAIN = 0, /* the copy is all */
	LP_UNDO_LOGGED, /* and what is in the log */
	LP_UNDO_SPILT, /* the log was too small: it is not all */
};

struct lp_undo {
	_Alignas(64) _Atomic uint32_t marked; /* index + 1; 0: not marked */
	uint32_t logging; /* enum lp_undo_logging */
	uint32_t log_len; /* bytes of log in use */
	_Alignas(16) uint8_t copy[LP_UNDO_COPY];
	_Alignas(16) uint8_t log[LP_UNDO_LOG];
};

/* Stands behind the bytes that it is of. */
struct lp_undo_entry {
	int64_t at; /* from the undo slot on, which is in the same region */
	uint32_t len;
	uint32_t room; /* of the bytes */
};

/* What is about to change, in the region of the slot; NULL: nobody logs. */
static inline void
lp_undo_save(struct lp_undo *undo, const void *at, uint32_t len)
{
	uint32_t room = (len + 15u) & ~15u;
	struct lp_undo_entry *entry;

	if (undo == NULL || undo->logging != LP_UNDO_LOGGED)
		return;
	if (undo->log_len + room + sizeof(*entry) > LP_UNDO_LOG) {
		undo->logging = LP_UNDO_SPILT;
		return;
	}
	memcpy(undo->log + undo->log_len, at, len);
	entry =
	    (struct lp_undo_entry *)(void *)(undo->log + undo->log_len + room);
	*entry = (struct lp_undo_entry){
	    .at = (const uint8_t *)at - (const uint8_t *)undo,
	    .len = len,
	    .room = room};
	/* It counts when all of it is there. */
	atomic_signal_fence(memory_order_seq_cst);
	undo->log_len += room + (uint32_t)sizeof(*entry);
	atomic_signal_fence(memory_order_seq_cst);
}

/* Puts all of it back, the newest first. */
static inline void
lp_undo_replay(struct lp_undo *undo)
{
	uint32_t end = undo->log_len;

	while (end > 0) {
		const struct lp_undo_entry *entry =
		    (const struct lp_undo_entry *)(const void *)(undo->log +
			end - sizeof(*entry));

		end -= (uint32_t)sizeof(*entry) + entry->room;
		memcpy(
		    (uint8_t *)undo + entry->at, undo->log + end, entry->len);
	}
}

#endif
