/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the client to the broker: what the client has and allows becomes what
 * the broker knows it by.  Where rules act, what comes behind a gap is held;
 * the client hears so, and the broker what it acknowledges.
 */
#include "dataplane/pipeline/splice.h"

#include "dataplane/kafka/edit.h"

/* An acknowledgement may be so much older, where windows are small. */
enum { ACK_BACK_MIN = 66000 };

/* What the broker knew of the client before a packet. */
struct known {
	uint32_t ack;
	uint32_t edge;
};

static bool is_unread(const struct lp_splice_at *);
static void hurry_not(struct lp_splice_at *);
static bool is_in_window(const struct lp_splice_at *);
static bool hold(struct lp_splice_at *);
static void aim_reset(struct lp_splice_at *);
static bool is_news(const struct lp_splice_at *, const struct known *);
static void pass(struct lp_splice_at *, bool, bool, enum lp_reason);
static uint32_t unsent(const struct lp_splice_at *, uint32_t);
static void client_numbers(struct lp_splice_at *, uint32_t);
static bool is_recent(const struct lp_splice_at *, uint32_t);
static void client_acknowledged(struct lp_splice_at *, uint32_t, uint32_t);
static void translate_ack(struct lp_splice_at *);

void
lp_splice_client(struct lp_splice_at *at)
{
	struct lp_tcp_segment *segment = &at->segment;
	const struct lp_tcp_peer *peers = at->conn->tcp.peer;
	const struct known known = {
	    .ack = peers[LP_TO_BROKER].ack, .edge = peers[LP_TO_CLIENT].limit};
	uint32_t ack = segment->ack, seq = segment->seq;
	uint32_t edge =
	    ack + ((uint32_t)segment->window << peers[LP_TO_BROKER].scale);
	bool acks = (segment->flags & LP_TCP_ACK) &&
	    (peers[LP_TO_CLIENT].flags & LP_PEER_SEEN);
	bool strange = acks && lp_seq_before(at->splice->out_next, ack);
	enum lp_splice_judgement judgement;
	enum lp_reason why;
	bool kept = false;

	at->again = lp_splice_judge_again(at);
	at->unheard = lp_splice_judge_unheard(at);
	judgement = lp_splice_judge(at, &why);
	if (judgement == LP_SPLICE_DROP) {
		lp_splice_drop(at, why);
		return;
	}
	acks = acks && !strange;
	if (strange)
		segment->ack = unsent(at, ack);
	else if (acks)
		client_numbers(at, edge);
	if (judgement == LP_SPLICE_WAIT && is_in_window(at))
		kept = hold(at);
	else
		judgement = LP_SPLICE_PASS;
	aim_reset(at);
	at->verdict = lp_tcp_state_run(&at->conn->tcp, at->pkt->dir, segment);
	if (at->verdict == LP_TCP_OK)
		lp_kafka_segment(at->kafka, at->batch, at->pkt, segment);
	if (at->verdict == LP_TCP_OK && segment->len > 0)
		lp_splice_judge_read(at);
	if (at->verdict == LP_TCP_OK && acks)
		client_acknowledged(at, ack, edge);
	if (at->splice->flags & LP_SPLICE_BROKEN)
		return;
	if (judgement == LP_SPLICE_PASS || at->probes || is_news(at, &known))
		pass(at, acks, strange,
		    judgement == LP_SPLICE_WAIT ? LP_REASON_HELD_GAP
						: LP_REASON_FORWARDED);
	else if (kept)
		lp_splice_consume(at, LP_REASON_HELD_GAP);
	else
		lp_pkt_drop(at->pkt, LP_REASON_AHEAD);
	if (judgement == LP_SPLICE_WAIT)
		lp_splice_ack_again(at, seq);
	if (at->verdict == LP_TCP_OK && acks)
		lp_splice_send_more(at);
}

/*
 * Nobody has read its bytes, and so the broker must not take them: behind a RST
 * or a FIN that it may not have believed, or out of the window.
 */
static bool
is_unread(const struct lp_splice_at *at)
{
	const struct lp_stream *stream =
	    &at->kafka->state->conns[at->index].sides[LP_TO_BROKER].stream;
	uint8_t state = at->conn->tcp.state;

	if (state == LP_TCP_CLOSED || state == LP_TCP_TIME_WAIT)
		return true;
	if (at->verdict != LP_TCP_OK)
		return lp_splice_judge_wants(at);
	return lp_splice_judge_orders(at) && stream->has_fin &&
	    lp_seq_before(stream->fin, at->segment.seq + at->segment.len);
}

/* On to the broker; acks: what it acknowledges counts, or is strange. */
static void
pass(struct lp_splice_at *at, bool acks, bool strange, enum lp_reason reason)
{
	struct lp_pkt *pkt = at->pkt;
	bool bare = at->segment.len > 0 && is_unread(at);

	/* What is left of it gets a checksum that is right. */
	if (bare && !lp_kafka_is_intact(pkt)) {
		lp_pkt_drop(pkt, LP_REASON_TCP_CHECKSUM);
		return;
	}
	lp_rewrite_translate(at->rewrite, pkt);
	if (at->segment.flags & LP_TCP_SYN)
		lp_splice_meet(at);
	if (acks)
		translate_ack(at);
	else if (strange)
		lp_splice_write32(pkt, LP_TCP_ACKNO, at->segment.ack);
	lp_pace_packet(
	    &at->kafka->pace, at->conn, pkt, acks && at->verdict == LP_TCP_OK);
	if (bare) {
		lp_splice_send_bare(at);
		at->segment.len = 0;
	}
	if (pkt->tcp_flags & LP_TCP_URG)
		hurry_not(at);
	lp_splice_paint(at, LP_TO_BROKER);
	if (at->verdict != LP_TCP_OK)
		reason = LP_REASON_OUT_OF_WINDOW;
	else if (pkt->reason == LP_REASON_OPENED)
		reason = LP_REASON_OPENED;
	lp_rewrite_output(at->rewrite, at->batch, pkt, &at->way, reason);
}

/*
 * An urgent byte is taken out of the stream by its receiver, who then reads
 * another thing than was judged (RFC 6093).
 */
static void
hurry_not(struct lp_splice_at *at)
{
	struct lp_pkt *pkt = at->pkt;
	const uint8_t *tcp = pkt->data + pkt->l4_off;

	if (!lp_splice_judge_orders(at))
		return;
	pkt->tcp_flags &= (uint8_t)~LP_TCP_URG;
	lp_splice_write16(
	    pkt, LP_TCP_OFF, (uint16_t)(tcp[LP_TCP_OFF] << 8 | pkt->tcp_flags));
	lp_splice_write16(pkt, LP_TCP_URGENT, 0);
}

/* It would be, had it come in order. */
static bool
is_in_window(const struct lp_splice_at *at)
{
	struct lp_tcp_track trial = at->conn->tcp;

	return lp_tcp_state_run(&trial, LP_TO_BROKER, &at->segment) ==
	    LP_TCP_OK;
}

/*
 * Its bytes wait, or are as lost: false.  What is left acknowledges what it
 * did, behind all that has passed.
 */
static bool
hold(struct lp_splice_at *at)
{
	const struct lp_stream *stream =
	    &at->kafka->state->conns[at->index].sides[LP_TO_BROKER].stream;
	bool kept = lp_splice_wait(at);

	if (!kept)
		lp_splice_stall_refused(at, true);
	lp_splice_send_bare(at);
	lp_splice_write32(at->pkt, LP_TCP_SEQ, stream->need);
	at->segment.seq = stream->need;
	at->segment.len = 0;
	at->segment.flags = at->pkt->tcp_flags;
	return kept;
}

/*
 * A RST behind those that wait, which are as lost with it: the broker looks for
 * it behind what it was sent.
 */
static void
aim_reset(struct lp_splice_at *at)
{
	const struct lp_tcp_peer *client = &at->conn->tcp.peer[LP_TO_BROKER];
	const struct lp_stream *stream =
	    &at->kafka->state->conns[at->index].sides[LP_TO_BROKER].stream;

	if (!(at->segment.flags & LP_TCP_RST) ||
	    at->splice->waiting_count[LP_TO_BROKER] == 0 ||
	    (at->segment.seq != lp_splice_wait_end(at) &&
		at->segment.seq != client->end))
		return;
	lp_splice_write32(at->pkt, LP_TCP_SEQ, stream->need);
	at->segment.seq = client->end;
}

/* It acknowledges something, or allows more. */
static bool
is_news(const struct lp_splice_at *at, const struct known *known)
{
	const struct lp_tcp_peer *peers = at->conn->tcp.peer;

	return lp_seq_before(known->ack, peers[LP_TO_BROKER].ack) ||
	    lp_seq_before(known->edge, peers[LP_TO_CLIENT].limit);
}

/*
 * It acknowledges what it was never sent: to the broker that is what it cannot
 * have sent either, as far behind its window, and it refuses that.
 */
static uint32_t
unsent(const struct lp_splice_at *at, uint32_t ack)
{
	const struct lp_tcp_peer *broker = &at->conn->tcp.peer[LP_TO_CLIENT];

	return lp_seq_max(broker->end, broker->limit) +
	    (ack - at->splice->out_next);
}

/* What it acknowledges and allows, in the broker's numbers. */
static void
client_numbers(struct lp_splice_at *at, uint32_t edge)
{
	struct lp_tcp_segment *segment = &at->segment;
	const struct lp_tcp_peer *client = &at->conn->tcp.peer[LP_TO_BROKER];
	uint32_t window;
	bool recent;

	if (!(at->splice->flags & LP_SPLICE_EDITED))
		return;
	recent = is_recent(at, segment->ack);
	segment->ack = lp_splice_ack(at, segment->ack);
	/* We may have gone ahead of it. */
	if (recent && (client->flags & LP_PEER_ACKED) &&
	    lp_seq_before(segment->ack, client->ack))
		segment->ack = client->ack;
	window = lp_splice_ack_edge(at, edge) - segment->ack;
	if ((int32_t)window < 0)
		window = 0;
	window >>= client->scale;
	segment->window = window > UINT16_MAX ? UINT16_MAX : (uint16_t)window;
}

/*
 * Not older than one window (tcp_state.c, bound IV): of a stranger, who has to
 * guess, nothing is put right.
 */
static bool
is_recent(const struct lp_splice_at *at, uint32_t ack)
{
	const struct lp_tcp_peer *client = &at->conn->tcp.peer[LP_TO_BROKER];
	uint32_t back = (uint32_t)client->window << client->scale;

	return !lp_seq_before(ack,
	    at->splice->client_ack -
		(back < ACK_BACK_MIN ? (uint32_t)ACK_BACK_MIN : back));
}

/* In its own space. */
static void
client_acknowledged(struct lp_splice_at *at, uint32_t ack, uint32_t edge)
{
	struct lp_splice *splice = at->splice;
	const struct lp_tcp_segment *segment = &at->segment;
	uint32_t told = segment->ack +
	    ((uint32_t)segment->window
		<< at->conn->tcp.peer[LP_TO_BROKER].scale);

	splice->edge = lp_seq_max(splice->edge, told);
	if (lp_seq_before(ack, splice->client_ack))
		return;
	splice->client_ack = ack;
	splice->client_edge = edge;
	lp_edit_melt(at->kafka, at->pkt->conn, LP_TO_CLIENT, ack);
}

/* Into the packet: acknowledgement, window, SACK blocks. */
static void
translate_ack(struct lp_splice_at *at)
{
	struct lp_pkt *pkt = at->pkt;

	if (!(at->splice->flags & LP_SPLICE_EDITED))
		return;
	lp_splice_ack_blocks(at);
	lp_splice_write32(pkt, LP_TCP_ACKNO, at->segment.ack);
	lp_splice_write16(pkt, LP_TCP_WINDOW, at->segment.window);
}
