/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	received ▸ (note, hide) ▸ sent ▸ finish
 *
 * The entries of a batch are begun behind the head of the ring, where control
 * does not look, and given to it all at once by finish.  So a note can be
 * written while the packet goes through the stages, and the verdict last.
 *
 * Synchronization: one producer, one consumer.  Counts of head and tail go
 * round at 2^32; entries are told apart by their difference.
 */
#include "dataplane/pipeline/capture.h"

#include <string.h>

#include "dataplane/kafka/note.h"
#include "dataplane/pipeline/mirror.h"
#include "dataplane/pipeline/region.h"

static struct lp_capture_entry *place(const struct lp_capture *, uint32_t);
static struct lp_capture_entry *begin(
    struct lp_capture *, const struct lp_batch *, unsigned);
static bool is_one_of(const uint32_t[], unsigned, uint32_t);

uint32_t
lp_capture_stride(uint16_t snap)
{
	return (uint32_t)((sizeof(struct lp_capture_entry) + snap + 63) &
	    ~(size_t)63);
}

bool
lp_capture_matches(const struct lp_capture *capture, const struct lp_conn *conn)
{
	uint64_t client[2];

	memcpy(client, conn->client_ip.bytes, sizeof(client));
	return (client[0] & capture->client_mask[0]) == capture->client[0] &&
	    (client[1] & capture->client_mask[1]) == capture->client[1] &&
	    is_one_of(capture->listeners, capture->listener_count,
		conn->listener_id) &&
	    is_one_of(capture->brokers, capture->broker_count, conn->broker_id);
}

void
lp_capture_received(struct lp_batch *batch)
{
	struct lp_capture *capture = batch->capture;

	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];
		struct lp_capture_entry *entry;
		const struct lp_conn *conn;

		pkt->captured = 0;
		if (pkt->verdict != LP_UNDECIDED || pkt->conn == LP_CONN_NONE)
			continue;
		conn = &capture->region->connections[pkt->conn];
		if (!(capture->slots & 1u << pkt->port_in) ||
		    !lp_capture_matches(capture, conn))
			continue;
		entry = begin(capture, batch, i);
		if (entry == NULL)
			continue;
		pkt->captured = (uint8_t)capture->begun;
		entry->slot = pkt->port_in;
		entry->sent = false;
		entry->conn_serial = conn->serial;
		entry->listener_id = conn->listener_id;
		entry->broker_id = conn->broker_id;
		entry->note.len = 0;
		entry->note.zero_from = 0;
		entry->note.zero_len =
		    lp_note_doubtful(&capture->region->kafka.conns[pkt->conn])
		    ? pkt->payload_len
		    : 0;
	}
}

void
lp_capture_sent(struct lp_batch *batch)
{
	struct lp_capture *capture = batch->capture;

	if (!capture->sent)
		return;
	for (unsigned i = 0; i < batch->count; i++) {
		const struct lp_pkt *pkt = &batch->pkts[i];
		const struct lp_capture_entry *received;
		struct lp_capture_entry *entry;

		if (pkt->captured == 0 || pkt->verdict != LP_FORWARD)
			continue;
		received = place(capture, pkt->captured - 1u);
		entry = begin(capture, batch, i);
		if (entry == NULL)
			continue;
		entry->slot = pkt->port_out;
		entry->sent = true;
		/*
		 * It says the same, and hides the same: only headers differ.
		 * Its connection may be forgotten by now.
		 */
		entry->conn_serial = received->conn_serial;
		entry->listener_id = received->listener_id;
		entry->broker_id = received->broker_id;
		entry->note = received->note;
	}
}

void
lp_capture_finish(struct lp_batch *batch)
{
	struct lp_capture *capture = batch->capture;
	uint32_t head =
	    atomic_load_explicit(&capture->head, memory_order_relaxed);

	for (uint32_t i = 0; i < capture->begun; i++) {
		struct lp_capture_entry *entry = place(capture, i);
		const struct lp_pkt *pkt = &batch->pkts[entry->pkt];
		uint32_t from =
		    (uint32_t)entry->payload_off + entry->note.zero_from;
		uint32_t to = from + entry->note.zero_len;

		entry->verdict = pkt->verdict;
		entry->reason = pkt->reason;
		if (to > entry->cut)
			to = entry->cut;
		if (from < to)
			memset(entry->bytes + from, 0, to - from);
	}
	lp_count_add(&capture->captured, capture->begun);
	atomic_store_explicit(
	    &capture->head, head + capture->begun, memory_order_release);
	capture->begun = 0;
}

struct lp_capture_note *
lp_capture_note(const struct lp_batch *batch, const struct lp_pkt *pkt)
{
	if (pkt < batch->pkts || pkt >= batch->pkts + batch->count)
		return NULL;
	if (batch->capture != NULL && pkt->captured != 0)
		return &place(batch->capture, pkt->captured - 1u)->note;
	if (batch->mirror != NULL && pkt->mirror != 0)
		return &batch->mirror->notes[pkt - batch->pkts];
	return NULL;
}

void
lp_capture_text(struct lp_capture_note *note, const char *text, size_t len)
{
	size_t room = sizeof(note->text) - note->len;

	if (len > room)
		len = room;
	memcpy(note->text + note->len, text, len);
	note->len = (uint16_t)(note->len + len);
}

void
lp_capture_number(struct lp_capture_note *note, int64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left != 0);
	if (number < 0)
		lp_capture_text(note, "-", 1);
	lp_capture_text(note, digits + at, sizeof(digits) - at);
}

void
lp_capture_show(struct lp_capture_note *note)
{
	note->zero_from = 0;
	note->zero_len = 0;
}

void
lp_capture_hide(struct lp_capture_note *note, uint16_t from, uint16_t len)
{
	uint32_t end = (uint32_t)from + len;
	uint32_t was_end = (uint32_t)note->zero_from + note->zero_len;

	if (note->zero_len != 0) {
		if (note->zero_from < from)
			from = note->zero_from;
		if (was_end > end)
			end = was_end;
	}
	if (end > UINT16_MAX)
		end = UINT16_MAX;
	note->zero_from = from;
	note->zero_len = (uint16_t)(end - from);
}

const struct lp_capture_entry *
lp_capture_oldest(struct lp_capture *capture)
{
	uint32_t tail =
	    atomic_load_explicit(&capture->tail, memory_order_relaxed);

	if (tail == atomic_load_explicit(&capture->head, memory_order_acquire))
		return NULL;
	return (const struct lp_capture_entry *)(capture->entries +
	    (size_t)(tail & (capture->count - 1)) * capture->stride);
}

void
lp_capture_consumed(struct lp_capture *capture)
{
	uint32_t tail =
	    atomic_load_explicit(&capture->tail, memory_order_relaxed);

	atomic_store_explicit(&capture->tail, tail + 1, memory_order_release);
}

/* Number n of the entries that this batch has begun. */
static struct lp_capture_entry *
place(const struct lp_capture *capture, uint32_t n)
{
	uint32_t at =
	    atomic_load_explicit(&capture->head, memory_order_relaxed) + n;

	return (struct lp_capture_entry *)(capture->entries +
	    (size_t)(at & (capture->count - 1)) * capture->stride);
}

/* A copy of that packet as it is now, or NULL, and counted: the ring is full */
static struct lp_capture_entry *
begin(struct lp_capture *capture, const struct lp_batch *batch, unsigned i)
{
	const struct lp_pkt *pkt = &batch->pkts[i];
	uint32_t next =
	    atomic_load_explicit(&capture->head, memory_order_relaxed) +
	    capture->begun;
	struct lp_capture_entry *entry;

	if (next - capture->tail_seen >= capture->count)
		capture->tail_seen =
		    atomic_load_explicit(&capture->tail, memory_order_acquire);
	if (next - capture->tail_seen >= capture->count) {
		lp_count_add(&capture->dropped, 1);
		return NULL;
	}
	entry = place(capture, capture->begun++);
	entry->time_ns = batch->now_ns;
	entry->len = pkt->len;
	entry->cut = pkt->len < capture->snap ? pkt->len : capture->snap;
	entry->payload_off = pkt->payload_off;
	entry->payload_len = pkt->payload_len;
	entry->pkt = (uint8_t)i;
	entry->dir = pkt->dir;
	memcpy(entry->bytes, pkt->data, entry->cut);
	return entry;
}

static bool
is_one_of(const uint32_t ids[], unsigned count, uint32_t id)
{
	for (unsigned i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return count == 0;
}
