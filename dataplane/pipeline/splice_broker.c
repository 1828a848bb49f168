/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the broker to the client: read, edited, sent on; or held, and the broker
 * told so.
 */
#include "dataplane/pipeline/splice.h"

#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/said.h"

static void pass(struct lp_splice_at *, uint32_t);
static bool is_unread(const struct lp_splice_at *);
static bool needs_segments(const struct lp_splice_at *);
static void place(struct lp_splice_at *);
static uint32_t where(const struct lp_splice_at *);
static void wait(struct lp_splice_at *, uint32_t, enum lp_splice_judgement);
static void acknowledge_held(struct lp_splice_at *, uint32_t, bool);

void
lp_splice_broker(struct lp_splice_at *at)
{
	struct lp_pkt *pkt = at->pkt;
	struct lp_tcp_peer *broker = &at->conn->tcp.peer[LP_TO_CLIENT];
	uint32_t had = broker->ack;
	enum lp_splice_judgement judgement;
	enum lp_reason why;

	judgement = lp_splice_judge(at, &why);
	if (judgement == LP_SPLICE_DROP) {
		lp_splice_drop(at, why);
		return;
	}
	at->verdict = lp_tcp_state_run(&at->conn->tcp, pkt->dir, &at->segment);
	if (at->verdict == LP_TCP_OK && judgement == LP_SPLICE_PASS) {
		if (at->segment.flags & LP_TCP_RST)
			lp_splice_write32(pkt, LP_TCP_SEQ, where(at));
		lp_kafka_segment(at->kafka, at->batch, pkt, &at->segment);
		if (at->segment.flags & (LP_TCP_FIN | LP_TCP_RST))
			lp_edit_abandon(at->kafka, pkt->conn);
	}
	if (at->verdict == LP_TCP_OK && (at->segment.flags & LP_TCP_ACK)) {
		lp_edit_melt(
		    at->kafka, pkt->conn, LP_TO_BROKER, at->segment.ack);
		lp_said_melt(
		    at->kafka, pkt->conn, at->splice->maps[LP_TO_BROKER].floor);
	}
	if (at->splice->flags & LP_SPLICE_BROKEN)
		return;
	if (at->verdict != LP_TCP_OK)
		judgement = LP_SPLICE_PASS;
	/* As it came: it will come in once more. */
	if (judgement == LP_SPLICE_WAIT)
		(void)lp_splice_wait(at);
	lp_rewrite_translate(at->rewrite, pkt);
	if (at->segment.flags & LP_TCP_SYN)
		lp_splice_meet(at);
	lp_pace_packet(
	    &at->kafka->pace, at->conn, pkt, at->verdict == LP_TCP_OK);
	if (judgement == LP_SPLICE_PASS)
		pass(at, had);
	else
		wait(at, had, judgement);
}

/* On to the client; `had`: what the broker had acknowledged before. */
static void
pass(struct lp_splice_at *at, uint32_t had)
{
	struct lp_pkt *pkt = at->pkt;
	enum lp_reason reason = LP_REASON_FORWARDED;
	bool moved = at->splice->waiting_count[LP_TO_CLIENT] != 0 && !at->made;
	bool sent;

	if (at->verdict != LP_TCP_OK)
		reason = LP_REASON_OUT_OF_WINDOW;
	if (at->segment.len > 0 && is_unread(at)) {
		if (!lp_kafka_is_intact(pkt)) {
			lp_pkt_drop(pkt, LP_REASON_TCP_CHECKSUM);
			return;
		}
		lp_splice_send_bare(at);
		at->segment.len = 0;
	}
	at->overflows = at->segment.len > 0 &&
	    lp_splice_send_overflows(at, at->segment.seq + at->segment.len);
	if (at->overflows && !lp_kafka_is_intact(pkt)) {
		lp_pkt_drop(pkt, LP_REASON_TCP_CHECKSUM);
		return;
	}
	lp_splice_paint(at, LP_TO_CLIENT);
	if (at->segment.len == 0 || (at->segment.flags & LP_TCP_RST) ||
	    (!needs_segments(at) && !moved)) {
		place(at);
		lp_rewrite_output(
		    at->rewrite, at->batch, pkt, &at->way, reason);
		return;
	}
	sent = lp_splice_send(at) > 0;
	if (sent) {
		lp_splice_consume(at, LP_REASON_REWRITTEN);
	} else if (lp_seq_before(had, at->segment.ack)) {
		/* Its acknowledgement must not wait with its bytes. */
		lp_splice_send_bare(at);
		place(at);
		lp_rewrite_output(
		    at->rewrite, at->batch, pkt, &at->way, LP_REASON_HELD_EDIT);
	} else {
		lp_splice_consume(at, LP_REASON_HELD_EDIT);
	}
	acknowledge_held(at, at->segment.seq, sent);
}

/* Nobody has read its bytes: out of the window, behind a FIN, after a RST. */
static bool
is_unread(const struct lp_splice_at *at)
{
	const struct lp_kafka_conn *conn = &at->kafka->state->conns[at->index];
	uint32_t end = at->segment.seq + at->segment.len;

	return at->verdict != LP_TCP_OK ||
	    at->conn->tcp.state == LP_TCP_CLOSED ||
	    (conn->mode == LP_KAFKA_LIVE &&
		lp_seqmap_open(at->map, at->edits) == NULL &&
		lp_seq_before(conn->sides[LP_TO_CLIENT].stream.need, end));
}

/* Bytes of it are to be replaced by others, or held. */
static bool
needs_segments(const struct lp_splice_at *at)
{
	uint32_t end = at->segment.seq + at->segment.len;
	uint32_t link = lp_seqmap_find(at->map, at->edits, at->segment.seq);

	if (at->overflows || lp_splice_send_owed(at) != NULL)
		return true;
	for (; link != 0; link = at->edits[link - 1].next) {
		const struct lp_edit *edit = &at->edits[link - 1];

		if (!lp_seq_before(edit->start, end))
			return false;
		if (!lp_edit_is_even(edit))
			return true;
	}
	return false;
}

/* Its sequence number becomes the client's. */
static void
place(struct lp_splice_at *at)
{
	struct lp_splice *splice = at->splice;
	uint32_t seq = at->segment.seq;
	uint32_t end;

	if (at->segment.flags & (LP_TCP_SYN | LP_TCP_RST))
		return;
	if ((splice->flags & LP_SPLICE_EDITED) ||
	    (at->verdict == LP_TCP_OK && at->pkt->payload_len == 0)) {
		seq = where(at);
		lp_splice_write32(at->pkt, LP_TCP_SEQ, seq);
	}
	end = seq + at->pkt->payload_len +
	    ((at->pkt->tcp_flags & LP_TCP_FIN) != 0);
	/* One without bytes may tell of those that are lost before us. */
	if (at->verdict == LP_TCP_OK && end != seq)
		splice->out_next = lp_seq_max(splice->out_next, end);
}

/*
 * Where the packet begins for the client.  One without bytes begins where the
 * last one ended, though more may be on the way, and become less: a client
 * takes no window from what begins before what it has seen (RFC 9293,
 * 3.10.7.4), and would wait for ever.  A RST is where the client looks for it
 * (RFC 5961, 3.2).
 */
static uint32_t
where(const struct lp_splice_at *at)
{
	const struct lp_splice *splice = at->splice;
	uint32_t seq = at->segment.seq;
	uint32_t out = lp_seqmap_out(at->map, at->edits, seq);
	bool bare =
	    at->pkt->payload_len == 0 && !(at->segment.flags & LP_TCP_FIN);

	if ((at->segment.flags & LP_TCP_RST) &&
	    lp_splice_ack(at, splice->client_ack) == seq)
		return splice->client_ack;
	if (bare && lp_seq_before(splice->out_next, out))
		return splice->out_next;
	return out;
}

/*
 * Behind a gap: its bytes stay, or are as lost, and in both cases the broker
 * hears what is missing; what it acknowledges goes on.
 */
static void
wait(struct lp_splice_at *at, uint32_t had, enum lp_splice_judgement judgement)
{
	struct lp_pkt *pkt = at->pkt;
	uint32_t seq = at->segment.seq;

	lp_splice_ack_send(at, true, seq);
	if (at->probes || lp_seq_before(had, at->segment.ack)) {
		lp_splice_send_bare(at);
		at->segment.seq = lp_splice_judge_next(at);
		at->segment.flags &= (uint8_t)~LP_TCP_FIN;
		place(at);
		lp_rewrite_output(
		    at->rewrite, at->batch, pkt, &at->way, LP_REASON_HELD_GAP);
		return;
	}
	if (judgement == LP_SPLICE_FULL)
		lp_pkt_drop(pkt, LP_REASON_EDIT_FULL);
	else
		lp_splice_consume(at, LP_REASON_HELD_GAP);
}

/*
 * Bytes of it are held, or were: the broker is told, unless that would only be
 * what it knows, and look to it like a loss.
 */
static void
acknowledge_held(struct lp_splice_at *at, uint32_t seq, bool sent)
{
	const struct lp_edit *open = lp_seqmap_open(at->map, at->edits);
	uint32_t end = seq + at->segment.len;
	uint32_t known = at->conn->tcp.peer[LP_TO_BROKER].ack;
	uint32_t ack = lp_splice_ack(at, at->splice->client_ack);
	bool again = !lp_seq_before(known, end);

	/*
	 * One that is closed the client itself acknowledges; but of a part
	 * without its last byte the client is sent nothing.
	 */
	if (again || (!sent && lp_seq_before(known, ack)) ||
	    (open != NULL &&
		(lp_seq_before(known, ack) ||
		    lp_seq_before(end, lp_edit_end(open)))))
		lp_splice_ack_send(
		    at, at->splice->waiting_count[LP_TO_CLIENT] != 0, end);
}
