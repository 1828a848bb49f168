/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments behind a gap: whole packets, as they came, in held pieces, in the
 * order of their sequence numbers; a list a direction.  A segment that is sent
 * again and lies in one that waits is not kept twice.
 *
 * The pool is that of edits.  A client needs nothing but segments out of order
 * to take of it: it gets less than a broker, whose answers were asked for.
 */
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/note.h"
#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/mirror.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/splice.h"

enum {
	WAITING_MAX = 64,
	/* Pieces that are left for edits (kafka/edit.c). */
	PIECES_KEPT = 256,
};

/* Of a held packet: where its parts are (struct lp_held, spare). */
enum { L4_OFF, PAYLOAD_OFF, PAYLOAD_LEN };

static bool has_room(const struct lp_splice_at *);
static bool keep(struct lp_splice_at *);
static void refresh(const struct lp_splice_at *, struct lp_pkt *);
static uint32_t piece_end(const struct lp_held *);

bool
lp_splice_wait(struct lp_splice_at *at)
{
	bool kept = keep(at);

	at->waits = true;
	if (kept)
		lp_telemetry_count(&at->kafka->telemetry, held_segments, 1);
	else
		lp_telemetry_count(&at->kafka->telemetry, held_full, 1);
	return kept;
}

static bool
keep(struct lp_splice_at *at)
{
	struct lp_held_pool *pool = &at->kafka->held;
	struct lp_splice *splice = at->splice;
	const struct lp_pkt *pkt = at->pkt;
	uint32_t seq = at->segment.seq;
	uint32_t end =
	    seq + at->segment.len + ((at->segment.flags & LP_TCP_FIN) != 0);
	uint32_t *link = &splice->waiting[pkt->dir];
	struct lp_held *piece, *before = NULL;
	uint32_t fresh;

	while (*link != 0) {
		piece = &pool->pieces[*link - 1];
		if (lp_seq_before(seq, piece->seq))
			break;
		if (!lp_seq_before(piece_end(piece), end)) {
			at->probes = before == NULL &&
			    (at->conn->flags & LP_CONN_INLINE) != 0;
			return true;
		}
		before = piece;
		link = &piece->next;
	}
	if (!has_room(at) || pkt->len > LP_HELD_BYTES)
		return false;
	fresh = lp_held_pool_take(pool);
	if (fresh == 0)
		return false;
	piece = &pool->pieces[fresh - 1];
	piece->seq = seq;
	piece->len = pkt->len;
	piece->spare[L4_OFF] = pkt->l4_off;
	piece->spare[PAYLOAD_OFF] = pkt->payload_off;
	piece->spare[PAYLOAD_LEN] = pkt->payload_len;
	memcpy(piece->bytes, pkt->data, pkt->len);
	piece->next = *link;
	if (before != NULL)
		lp_kafka_save(at->kafka, before, LP_HELD_HEAD);
	else
		lp_kafka_save(at->kafka, link, sizeof(*link));
	*link = fresh;
	splice->waiting_count[pkt->dir]++;
	return true;
}

static bool
has_room(const struct lp_splice_at *at)
{
	const struct lp_held_pool *pool = &at->kafka->held;
	unsigned count = at->splice->waiting_count[at->pkt->dir];

	if (count >= WAITING_MAX || pool->free_count <= PIECES_KEPT)
		return false;
	if (at->pkt->dir == LP_TO_CLIENT)
		return true; /* lp_edit_room() was asked */
	return pool->free_count > pool->count / 4 * 3 ||
	    (count < LP_STREAM_HELD_SHARE &&
		pool->free_count > pool->count / 8 * 5);
}

struct lp_pkt *
lp_splice_wait_over(struct lp_splice_at *at)
{
	struct lp_held_pool *pool = &at->kafka->held;
	struct lp_splice *splice = at->splice;
	uint32_t *first = &splice->waiting[at->pkt->dir];
	uint32_t link = *first;
	const struct lp_held *piece = &pool->pieces[link - 1];
	struct lp_pkt *pkt;

	assert(link != 0);
	pkt = lp_make_packet(
	    at->rewrite->make, at->batch, at->pkt->port_in, LP_ETH_LEN);
	if (pkt == NULL)
		return NULL;
	memcpy(pkt->data, piece->bytes, piece->len);
	pkt->len = piece->len;
	pkt->frame_len = piece->len;
	pkt->l3_off = LP_ETH_LEN;
	pkt->l4_off = piece->spare[L4_OFF];
	pkt->payload_off = piece->spare[PAYLOAD_OFF];
	pkt->payload_len = piece->spare[PAYLOAD_LEN];
	pkt->flags = (uint8_t)((at->pkt->flags & (LP_PKT_V6 | LP_PKT_INLINE)) |
	    LP_PKT_TCP | LP_PKT_TCP_SUM_GOOD);
	pkt->tcp_flags = pkt->data[pkt->l4_off + LP_TCP_FLAGS];
	pkt->conn = at->index;
	pkt->dir = at->pkt->dir;
	pkt->port_in = at->pkt->port_in;
	pkt->port_out = LP_PORT_NONE;
	/* What a client had sent was copied when it came. */
	if (pkt->dir == LP_TO_CLIENT)
		lp_mirror_made(at->batch, at->conn, pkt, pkt->payload_off,
		    lp_note_doubtful(&at->kafka->state->conns[at->index]));
	refresh(at, pkt);
	lp_kafka_save(at->kafka, first, sizeof(*first));
	*first = piece->next;
	splice->waiting_count[pkt->dir]--;
	lp_held_pool_give(pool, link);
	return pkt;
}

unsigned
lp_splice_wait_blocks(const struct lp_splice_at *at, uint32_t seq,
    uint32_t blocks[][2], unsigned max)
{
	const struct lp_held_pool *pool = &at->kafka->held;
	uint32_t link = at->splice->waiting[at->pkt->dir];
	unsigned count = 0;

	while (link != 0) {
		const struct lp_held *piece = &pool->pieces[link - 1];
		uint32_t left = piece->seq;
		uint32_t right = piece_end(piece);
		bool newest;

		for (link = piece->next; link != 0; link = piece->next) {
			piece = &pool->pieces[link - 1];
			if (lp_seq_before(right, piece->seq))
				break;
			right = lp_seq_max(right, piece_end(piece));
		}
		newest = !lp_seq_before(seq, left) && lp_seq_before(seq, right);
		if (!newest && count == max)
			continue;
		if (count < max)
			count++;
		/* RFC 2018, 4: the one that has just come first. */
		if (newest) {
			memmove(blocks + 1, blocks,
			    (count - 1) * sizeof(blocks[0]));
			blocks[0][0] = left;
			blocks[0][1] = right;
		} else {
			blocks[count - 1][0] = left;
			blocks[count - 1][1] = right;
		}
	}
	return count;
}

uint32_t
lp_splice_wait_end(const struct lp_splice_at *at)
{
	const struct lp_held_pool *pool = &at->kafka->held;
	uint32_t link = at->splice->waiting[at->pkt->dir];
	uint32_t end = pool->pieces[link - 1].seq;

	assert(link != 0);
	for (; link != 0; link = pool->pieces[link - 1].next)
		end = lp_seq_max(end, piece_end(&pool->pieces[link - 1]));
	return end;
}

/*
 * Its timestamps and acknowledgement become those of the packet that lets it
 * go: older ones its receiver would refuse, or take for news (RFC 7323, 5.2).
 */
static void
refresh(const struct lp_splice_at *at, struct lp_pkt *pkt)
{
	const struct lp_splice *splice = at->splice;
	const struct lp_tcp_peer *client = &at->conn->tcp.peer[LP_TO_BROKER];
	const struct lp_tcp_peer *broker = &at->conn->tcp.peer[LP_TO_CLIENT];
	uint16_t from = lp_parse_tcp_option(
	    at->pkt, LP_TCP_OPT_TIMESTAMP, LP_TCP_OPT_STAMPS_LEN);
	uint16_t to = lp_parse_tcp_option(
	    pkt, LP_TCP_OPT_TIMESTAMP, LP_TCP_OPT_STAMPS_LEN);
	uint8_t *tcp = pkt->data + pkt->l4_off;

	if (from != 0 && to != 0)
		memcpy(pkt->data + to, at->pkt->data + from,
		    LP_TCP_OPT_STAMPS_LEN - 2);
	if (pkt->dir == LP_TO_CLIENT) {
		lp_put32(tcp + LP_TCP_ACKNO, broker->ack);
		memcpy(tcp + LP_TCP_WINDOW,
		    at->pkt->data + at->pkt->l4_off + LP_TCP_WINDOW, 2);
	} else {
		/* In its own space: of that packet they are translated. */
		lp_put32(tcp + LP_TCP_ACKNO, splice->client_ack);
		lp_put16(tcp + LP_TCP_WINDOW,
		    (uint16_t)((splice->client_edge - splice->client_ack) >>
			client->scale));
	}
	lp_make_checksum(pkt, LP_PROTO_TCP, LP_TCP_SUM);
}

/* With its FIN, if it has one. */
static uint32_t
piece_end(const struct lp_held *piece)
{
	uint8_t flags = piece->bytes[piece->spare[L4_OFF] + LP_TCP_FLAGS];

	return piece->seq + piece->spare[PAYLOAD_LEN] +
	    ((flags & LP_TCP_FIN) != 0);
}
