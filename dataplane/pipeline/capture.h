/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of chosen packets, for `lpctl capture`.
 *
 * Control compiles a filter into a struct lp_capture with a ring of its own
 * and gives it to the packet path with one store (lp_pipeline_capture()); the
 * worker copies what matches into the ring, control takes it out.  A full ring
 * costs copies, never packets: they are counted.  Nothing else is shared, and
 * without a capture the packet path looks at one pointer a batch.
 *
 * A packet is copied as it came in, behind admit, where its connection is
 * known; and, if wanted, once more as it leaves.  In between a stage may say
 * what it saw in it (a note), and which bytes nobody must see.  `lpctl trace`
 * shows the same notes.
 */
#ifndef LP_PIPELINE_CAPTURE_H
#define LP_PIPELINE_CAPTURE_H

#include "dataplane/pipeline/batch.h"
#include "dataplane/pipeline/stats.h"
#include "proto/address.h"

struct lp_conn;
struct lp_region;

enum {
	/* A ring takes no more memory than that. */
	LP_CAPTURE_RING_BYTES = 8 << 20,
	LP_CAPTURE_NOTE_SIZE = 248,
	/* Listeners, and brokers, of one name or node id: one a cluster. */
	LP_CAPTURE_IDS_MAX = LP_CLUSTERS_MAX,
};

/* What a stage says of a packet; one that is not captured has none. */
struct lp_capture_note {
	uint16_t len; /* of the text, which is not NUL terminated */
	/* Of the TCP payload: bytes that are overwritten before control sees
	 * the copy (a password). */
	uint16_t zero_from;
	uint16_t zero_len;
	char text[LP_CAPTURE_NOTE_SIZE];
};

struct lp_capture_entry {
	_Alignas(64) uint64_t time_ns; /* CLOCK_MONOTONIC, of the batch */
	uint32_t conn_serial;
	uint32_t listener_id;
	uint32_t broker_id;
	uint16_t len; /* of the frame */
	uint16_t cut; /* bytes of it that are here */
	uint16_t payload_off;
	uint16_t payload_len;
	uint8_t pkt; /* place in its batch, until finished */
	uint8_t slot; /* came in by that port, or left by it */
	uint8_t dir; /* enum lp_direction */
	uint8_t verdict; /* final */
	uint8_t reason;
	bool sent; /* as it left */
	struct lp_capture_note note;
	_Alignas(64) uint8_t bytes[];
};

struct lp_capture {
	/* The filter: control writes it before anybody sees it. */
	uint16_t slots; /* bits: ports that packets come in by */
	uint64_t client[2]; /* the client's address and that ... */
	uint64_t client_mask[2]; /* ... is this; mask 0: any */
	uint32_t listeners[LP_CAPTURE_IDS_MAX];
	uint32_t brokers[LP_CAPTURE_IDS_MAX];
	uint16_t listener_count; /* 0: any */
	uint16_t broker_count;
	bool sent; /* also as they leave */

	/* The ring. */
	uint16_t snap; /* bytes of a frame that an entry holds */
	uint32_t stride; /* bytes of an entry */
	uint32_t count; /* of entries, a power of two */
	uint8_t *entries;

	/* worker only */
	_Alignas(64) const struct lp_region *region;
	uint32_t begun; /* entries of this batch, not yet given to control */
	uint32_t tail_seen;

	/* worker writes, control reads */
	_Alignas(64) _Atomic uint32_t head;
	lp_counter captured;
	lp_counter dropped;
	/* control writes, worker reads */
	_Alignas(64) _Atomic uint32_t tail;
};

/* Bytes of an entry for so many bytes of a frame. */
uint32_t lp_capture_stride(uint16_t snap);

/* Whether packets of that connection are wanted. */
bool lp_capture_matches(
    const struct lp_capture *capture, const struct lp_conn *conn);

/*
 * worker, with a capture in the batch: after admit, before transmit, and after
 * it, when verdicts are final.
 */
void lp_capture_received(struct lp_batch *batch);
void lp_capture_sent(struct lp_batch *batch);
void lp_capture_finish(struct lp_batch *batch);

/* worker: where to write what was seen in that packet; NULL: nobody asks. */
struct lp_capture_note *lp_capture_note(
    const struct lp_batch *batch, const struct lp_pkt *pkt);
/* More text behind what is there; what does not fit is cut. */
void lp_capture_text(
    struct lp_capture_note *note, const char *text, size_t len);
void lp_capture_number(struct lp_capture_note *note, int64_t number);
/* No byte is hidden: a copy is made with all that may be a secret hidden. */
void lp_capture_show(struct lp_capture_note *note);
/* Those bytes of the payload, and all between them and earlier ones. */
void lp_capture_hide(struct lp_capture_note *note, uint16_t from, uint16_t len);

/* control: the oldest entry, or NULL; and that it is done with. */
const struct lp_capture_entry *lp_capture_oldest(struct lp_capture *capture);
void lp_capture_consumed(struct lp_capture *capture);

#endif
