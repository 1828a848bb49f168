/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments of our own towards the client.  Their headers follow a pattern: the
 * broker's packet that brings the bytes; or, where the client's
 * acknowledgement lets them go, one made from what is known of the connection.
 * The timestamps are those of that packet.  What the client echoes may be older
 * than what the edit was sent with meanwhile, and would be refused: then it is
 * that (RFC 7323, 5.3).
 *
 * New bytes of an edit go out as far as the client's window reaches, and one at
 * least with what the broker sends: the probe of a window that is shut.  What
 * does not, goes when the client acknowledges, or with the broker's next
 * attempt.
 */
#include "dataplane/kafka/chain.h"
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/note.h"
#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/mark.h"
#include "dataplane/pipeline/mirror.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/splice.h"

enum {
	OPTIONS_MAX = 40,
	HEADERS_MAX = LP_ETH_LEN + LP_IP6_LEN + LP_TCP_LEN + OPTIONS_MAX,
	/* Pieces whose bytes one packet may set free; the outbox bounds it. */
	SPANS_MAX = LP_EDIT_BYTES_MAX / LP_HELD_BYTES + 2,
};

/* Writes bytes into segments, one after another. */
struct writer {
	struct lp_splice_at *at;
	uint8_t headers[HEADERS_MAX];
	uint16_t l4_off;
	uint16_t payload_off;
	uint16_t room; /* of the payload of a segment */
	uint8_t ip_flags; /* LP_PKT_V6 */
	uint8_t tcp_flags; /* of all but the last */
	uint8_t slot;
	uint32_t seq; /* of the next byte */
	struct lp_pkt *pkt; /* the one being filled; NULL: none */
	unsigned count;
	bool failed; /* no buffer: what follows is as lost */
};

static void pattern(struct writer *, const struct lp_pkt *);
static void make_pattern(struct writer *);
static void keep_stamp(const struct writer *, struct lp_edit *);
static void use_stamp(struct writer *, const struct lp_edit *);
static bool put(struct writer *, const uint8_t *, uint32_t);
static bool open_segment(struct writer *);
static bool is_secret(const struct lp_splice_at *, const struct lp_pkt *);
static void close_segment(struct writer *, uint8_t);
static bool send_edit(struct writer *, struct lp_edit *, uint32_t, bool);
static bool send_plain(struct writer *, uint32_t, uint32_t, bool);
static struct lp_edit *next_resize(const struct lp_splice_at *, uint32_t);

unsigned
lp_splice_send(struct lp_splice_at *at)
{
	const struct lp_tcp_segment *segment = &at->segment;
	uint32_t end = segment->seq + segment->len;
	uint32_t pos = segment->seq;
	struct lp_edit *owed = lp_splice_send_owed(at);
	bool whole = true;
	struct writer to = {.at = at};

	pattern(&to, at->pkt);
	to.seq = lp_seqmap_out(at->map, at->edits, pos);
	if (owed != NULL)
		whole = send_edit(&to, owed, 0, true);
	while (lp_seq_before(pos, end) && !to.failed) {
		struct lp_edit *edit = next_resize(at, pos);
		uint32_t upto = end;

		if (edit != NULL && lp_seq_before(edit->start, end))
			upto = edit->start;
		if (lp_seq_before(pos, upto)) {
			whole = send_plain(&to, pos, upto, whole);
			pos = upto;
			continue;
		}
		if (edit == NULL || edit->kind == LP_EDIT_OPEN)
			break;
		pos = lp_edit_end(edit);
		/* Only with its last byte do the new ones come. */
		if (lp_seq_before(end, pos))
			break;
		keep_stamp(&to, edit);
		whole = whole && send_edit(&to, edit, 0, true);
	}
	whole = whole && !lp_seq_before(pos, end);
	if (whole && (segment->flags & LP_TCP_FIN) && to.pkt == NULL)
		(void)open_segment(&to);
	close_segment(&to,
	    whole ? segment->flags & (LP_TCP_FIN | LP_TCP_PSH) : LP_TCP_PSH);
	return to.count;
}

struct lp_edit *
lp_splice_send_owed(const struct lp_splice_at *at)
{
	struct lp_edit *edit =
	    at->map->first != 0 ? &at->edits[at->map->first - 1] : NULL;
	uint32_t known = at->conn->tcp.peer[LP_TO_BROKER].ack;

	if (edit == NULL || edit->kind != LP_EDIT_RESIZE ||
	    edit->new_len == 0 || at->segment.seq != lp_edit_end(edit) ||
	    lp_seq_before(known, lp_edit_end(edit)))
		return NULL;
	return edit;
}

bool
lp_splice_send_overflows(const struct lp_splice_at *at, uint32_t upto)
{
	return (at->splice->flags & LP_SPLICE_EDITED) &&
	    lp_seq_before(at->splice->client_edge,
		lp_seqmap_out(at->map, at->edits, upto));
}

void
lp_splice_send_more(struct lp_splice_at *at)
{
	struct writer to = {.at = at};
	uint32_t delta = at->map->delta;
	/* All before it must be there: nothing else fills the window. */
	uint32_t there = at->splice->client_ack;
	struct lp_way way = at->way;

	for (uint32_t link = at->map->first; link != 0;
	     link = at->edits[link - 1].next) {
		struct lp_edit *edit = &at->edits[link - 1];
		uint32_t start = edit->start + delta;

		if (edit->kind == LP_EDIT_OPEN || lp_seq_before(there, start))
			break;
		if (lp_edit_is_painted(edit))
			continue;
		if (edit->sent < edit->new_len) {
			if (!lp_seq_before(
				start + edit->sent, at->splice->client_edge))
				break;
			if (to.l4_off == 0)
				make_pattern(&to);
			use_stamp(&to, edit);
			if (!send_edit(&to, edit, edit->sent, false))
				break;
		}
		there = lp_seq_max(there, start + edit->new_len);
		delta += edit->new_len - edit->old_len;
	}
	close_segment(&to, LP_TCP_PSH);
	/* What else comes of the packet goes its way. */
	at->way = way;
}

void
lp_splice_send_bare(struct lp_splice_at *at)
{
	struct lp_pkt *pkt = at->pkt;
	uint8_t *tcp = pkt->data + pkt->l4_off;
	uint8_t *ip = pkt->data + pkt->l3_off;

	pkt->len = pkt->payload_off;
	pkt->payload_len = 0;
	pkt->tcp_flags &= (uint8_t) ~(LP_TCP_FIN | LP_TCP_PSH | LP_TCP_URG);
	tcp[LP_TCP_FLAGS] &= (uint8_t) ~(LP_TCP_FIN | LP_TCP_PSH | LP_TCP_URG);
	if (pkt->flags & LP_PKT_V6) {
		lp_put16(ip + LP_IP6_PAYLOAD,
		    (uint16_t)(pkt->len - pkt->l3_off - LP_IP6_LEN));
	} else {
		lp_put16(ip + LP_IP4_TOTAL, (uint16_t)(pkt->len - pkt->l3_off));
		lp_put16(ip + LP_IP4_SUM, 0);
		lp_put16(ip + LP_IP4_SUM,
		    (uint16_t)~lp_sum_fold(lp_sum_add(
			0, ip, (size_t)(pkt->l4_off - pkt->l3_off))));
	}
	lp_make_checksum(pkt, LP_PROTO_TCP, LP_TCP_SUM);
}

/* As that packet, which is on its way to the client. */
static void
pattern(struct writer *to, const struct lp_pkt *pkt)
{
	to->slot = to->at->way.slot;
	to->ip_flags = pkt->flags & LP_PKT_V6;
	to->tcp_flags = LP_TCP_ACK;
	to->l4_off =
	    (uint16_t)(LP_ETH_LEN + (to->ip_flags ? LP_IP6_LEN : LP_IP4_LEN));
	to->payload_off =
	    (uint16_t)(to->l4_off + (pkt->payload_off - pkt->l4_off));
	assert(to->payload_off <= HEADERS_MAX);
	/* Without options of IP: our segments are no copies of it. */
	memcpy(to->headers + to->l4_off, pkt->data + pkt->l4_off,
	    (size_t)(pkt->payload_off - pkt->l4_off));
}

/* What the broker would say if it said anything now. */
static void
make_pattern(struct writer *to)
{
	const struct lp_splice_at *at = to->at;
	const struct lp_conn *conn = at->conn;
	const struct lp_tcp_peer *broker = &conn->tcp.peer[LP_TO_CLIENT];
	uint32_t window =
	    (conn->tcp.peer[LP_TO_BROKER].limit - broker->ack) >> broker->scale;
	uint8_t *tcp;

	to->failed = !lp_way_find(at->rewrite->neighbors, at->batch, conn,
	    LP_TO_CLIENT, &to->at->way);
	if (!to->failed)
		to->slot = to->at->way.slot;
	to->ip_flags = at->pkt->flags & LP_PKT_V6;
	to->tcp_flags = LP_TCP_ACK;
	to->l4_off =
	    (uint16_t)(LP_ETH_LEN + (to->ip_flags ? LP_IP6_LEN : LP_IP4_LEN));
	to->payload_off = (uint16_t)(to->l4_off + LP_TCP_LEN);
	tcp = to->headers + to->l4_off;
	lp_put16(tcp + LP_TCP_SRC, conn->vip_port);
	lp_put16(tcp + LP_TCP_DST, conn->client_port);
	lp_put32(tcp + LP_TCP_ACKNO, broker->ack);
	lp_put16(tcp + LP_TCP_WINDOW,
	    lp_pace_field(&at->kafka->pace, at->index, LP_TO_BROKER,
		broker->ack,
		window > UINT16_MAX ? UINT16_MAX : (uint16_t)window));
	to->payload_off = (uint16_t)(to->payload_off +
	    lp_splice_ack_stamps(at->pkt, tcp + LP_TCP_LEN));
	tcp[LP_TCP_OFF] = (uint8_t)((to->payload_off - to->l4_off) / 4 << 4);
}

/* The broker's, of the packet that is the pattern. */
static void
keep_stamp(const struct writer *to, struct lp_edit *edit)
{
	uint16_t from = lp_parse_tcp_option(
	    to->at->pkt, LP_TCP_OPT_TIMESTAMP, LP_TCP_OPT_STAMPS_LEN);
	uint32_t stamp;

	if (from == 0)
		return;
	stamp = lp_get32(to->at->pkt->data + from);
	if (edit->stamped && !lp_seq_before(edit->stamp, stamp))
		return;
	lp_edit_save(to->at->kafka, edit);
	edit->stamped = true;
	edit->stamp = stamp;
}

/* In a pattern that was made, whose only option is that. */
static void
use_stamp(struct writer *to, const struct lp_edit *edit)
{
	uint8_t *stamp = to->headers + to->l4_off + LP_TCP_LEN + 4;

	if (edit->stamped && to->payload_off > to->l4_off + LP_TCP_LEN &&
	    lp_seq_before(lp_get32(stamp), edit->stamp))
		lp_put32(stamp, edit->stamp);
}

static bool
put(struct writer *to, const uint8_t *bytes, uint32_t len)
{
	while (len > 0) {
		uint32_t part = len;
		uint16_t used;

		if (to->pkt == NULL && !open_segment(to))
			return false;
		used = (uint16_t)(to->pkt->len - to->payload_off);
		if (part > (uint32_t)(to->room - used))
			part = (uint32_t)(to->room - used);
		memcpy(to->pkt->data + to->pkt->len, bytes, part);
		to->pkt->len = (uint16_t)(to->pkt->len + part);
		to->seq += part;
		bytes += part;
		len -= part;
		if (used + part == to->room)
			close_segment(to, 0);
	}
	return true;
}

static bool
open_segment(struct writer *to)
{
	const struct lp_splice_at *at = to->at;
	uint16_t mtu, headers;

	if (to->failed)
		return false;
	to->pkt = lp_make_packet(
	    at->rewrite->make, at->batch, to->slot, to->payload_off);
	to->failed = to->pkt == NULL;
	if (to->failed)
		return false;
	memcpy(to->pkt->data, to->headers, to->payload_off);
	lp_put32(to->pkt->data + to->l4_off + LP_TCP_SEQ, to->seq);
	headers = (uint16_t)(to->payload_off - to->l4_off - LP_TCP_LEN);
	mtu = (uint16_t)(at->batch->snapshot->ports[to->slot].mtu -
	    (to->payload_off - LP_ETH_LEN));
	to->room =
	    (uint16_t)(at->splice->mss > headers ? at->splice->mss - headers
						 : 1);
	if (to->room > mtu)
		to->room = mtu;
	to->count++;
	return true;
}

/* Whether a token may reach into it: into what is behind its first byte. */
static bool
is_secret(const struct lp_splice_at *at, const struct lp_pkt *pkt)
{
	const struct lp_kafka_conn *conn = &at->kafka->state->conns[at->index];
	uint32_t seq = lp_get32(pkt->data + pkt->l4_off + LP_TCP_SEQ);

	if (!lp_note_doubtful(conn))
		return false;
	return conn->mode != LP_KAFKA_LIVE ||
	    ((conn->secrets & 1u << LP_TO_CLIENT) &&
		lp_seq_before(
		    lp_splice_ack(at, seq), conn->secret_end[LP_TO_CLIENT]));
}

/* Complete: to the next hop. */
static void
close_segment(struct writer *to, uint8_t flags)
{
	struct lp_splice_at *at = to->at;
	struct lp_pkt *pkt = to->pkt;
	uint16_t len;

	if (pkt == NULL)
		return;
	to->pkt = NULL;
	len = (uint16_t)(pkt->len - to->l4_off);
	pkt->data[to->l4_off + LP_TCP_FLAGS] = (uint8_t)(to->tcp_flags | flags);
	memset(pkt->data + to->l4_off + LP_TCP_SUM, 0, 4);
	lp_make_ip(
	    pkt, &at->conn->vip_ip, &at->conn->client_ip, LP_PROTO_TCP, len);
	lp_mark_made(at->rewrite->conntrack->region, at->conn, pkt);
	lp_mirror_made(
	    at->batch, at->conn, pkt, to->payload_off, is_secret(at, pkt));
	lp_make_checksum(pkt, LP_PROTO_TCP, LP_TCP_SUM);
	at->splice->out_next = lp_seq_max(
	    at->splice->out_next, to->seq + ((flags & LP_TCP_FIN) != 0));
	lp_count_add(&at->rewrite->make->stats->sent_edited, 1);
	lp_way_send(at->rewrite->neighbors, at->batch, at->conn, LP_TO_CLIENT,
	    &at->way, pkt);
}

/* The first that changes numbers, or will, and ends behind that position. */
static struct lp_edit *
next_resize(const struct lp_splice_at *at, uint32_t pos)
{
	uint32_t link = lp_seqmap_find(at->map, at->edits, pos);

	while (link != 0 && lp_edit_is_even(&at->edits[link - 1]))
		link = at->edits[link - 1].next;
	return link != 0 ? &at->edits[link - 1] : NULL;
}

/*
 * Bytes of the packet that are as they were.  What the client has no room for
 * is kept, as long as there is room here.  False: not all of it has left.
 */
static bool
send_plain(struct writer *to, uint32_t pos, uint32_t upto, bool whole)
{
	struct lp_splice_at *at = to->at;
	const uint8_t *bytes =
	    at->pkt->data + at->pkt->payload_off + (pos - at->segment.seq);
	struct lp_edit *edit = NULL;

	if (at->overflows &&
	    (upto == at->segment.seq + at->segment.len ||
		lp_splice_send_overflows(at, upto)))
		edit =
		    lp_edit_keep(at->kafka, at->index, pos, bytes, upto - pos);
	if (edit == NULL)
		return whole && put(to, bytes, upto - pos);
	keep_stamp(to, edit);
	/* A probe, where the client has nothing else to answer. */
	return whole &&
	    send_edit(to, edit, edit->sent,
		to->count == 0 &&
		    at->splice->client_ack == at->splice->out_next);
}

/*
 * Its new bytes from there on, or from what the client has of them.  False:
 * not all that are left.
 */
static bool
send_edit(struct writer *to, struct lp_edit *edit, uint32_t from, bool probe)
{
	struct lp_splice_at *at = to->at;
	uint32_t start = lp_seqmap_out(at->map, at->edits, edit->start);
	uint32_t has = at->splice->client_ack - start;
	struct lp_span spans[SPANS_MAX];
	unsigned count;
	uint32_t edge, upto;

	if ((int32_t)has > 0 && has > from)
		from = has < edit->new_len ? has : edit->new_len;
	/* As far as the window reaches, and with a probe one byte at least. */
	edge = at->splice->client_edge - start;
	upto = from + (probe ? 1 : 0);
	if ((int32_t)(edge - upto) > 0)
		upto = edge;
	if (upto > edit->new_len)
		upto = edit->new_len;
	if (to->seq != start + from) {
		close_segment(to, 0);
		to->seq = start + from;
	}
	count = lp_chain_read(
	    &at->kafka->held, edit->bytes, from, upto - from, spans, SPANS_MAX);
	for (unsigned i = 0; i < count; i++) {
		if (!put(to, spans[i].bytes, spans[i].len))
			break;
		from += spans[i].len;
	}
	/* What was a probe the client may have had no room for. */
	if ((int32_t)edge > 0 && edge > from)
		edge = from;
	if ((int32_t)edge > 0 && edge > edit->sent) {
		lp_edit_save(at->kafka, edit);
		edit->sent = edge;
	}
	return from == edit->new_len;
}
