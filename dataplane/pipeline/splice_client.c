/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the client to the broker: what the client has and allows becomes what
 * the broker knows it by.
 */
#include "dataplane/pipeline/splice.h"

#include "dataplane/kafka/edit.h"

/* An acknowledgement may be so much older, where windows are small. */
enum { ACK_BACK_MIN = 66000 };

static uint32_t unsent(const struct lp_splice_at *, uint32_t);
static void client_numbers(struct lp_splice_at *, uint32_t);
static bool is_recent(const struct lp_splice_at *, uint32_t);
static void client_acknowledged(struct lp_splice_at *, uint32_t, uint32_t);
static void translate_ack(struct lp_splice_at *);

void
lp_splice_client(struct lp_splice_at *at)
{
	struct lp_tcp_segment *segment = &at->segment;
	struct lp_pkt *pkt = at->pkt;
	enum lp_reason reason = LP_REASON_FORWARDED;
	uint32_t ack = segment->ack;
	uint32_t edge = ack +
	    ((uint32_t)segment->window
		<< at->conn->tcp.peer[LP_TO_BROKER].scale);
	bool acks = (segment->flags & LP_TCP_ACK) &&
	    (at->conn->tcp.peer[LP_TO_CLIENT].flags & LP_PEER_SEEN);
	bool strange;
	enum lp_reason why;

	if (lp_splice_judge(at, &why) == LP_SPLICE_DROP) {
		lp_splice_drop(at, why);
		return;
	}
	strange = acks && lp_seq_before(at->splice->out_next, ack);
	acks = acks && !strange;
	if (strange)
		segment->ack = unsent(at, ack);
	else if (acks)
		client_numbers(at, edge);
	at->verdict = lp_tcp_state_run(&at->conn->tcp, pkt->dir, segment);
	if (at->verdict == LP_TCP_OK)
		lp_kafka_segment(at->kafka, at->batch, pkt, segment);
	if (at->verdict == LP_TCP_OK && segment->len > 0)
		lp_splice_judge_read(at);
	if (at->verdict == LP_TCP_OK && acks)
		client_acknowledged(at, ack, edge);
	if (at->splice->flags & LP_SPLICE_BROKEN)
		return;
	lp_rewrite_translate(at->rewrite, pkt);
	if (segment->flags & LP_TCP_SYN)
		lp_splice_meet(at);
	if (acks)
		translate_ack(at);
	else if (strange)
		lp_splice_write32(pkt, LP_TCP_ACKNO, segment->ack);
	/* Out of the window, and so not read: the broker must not take it. */
	if (at->verdict != LP_TCP_OK && lp_splice_judge_wants(at)) {
		lp_splice_send_bare(at);
		segment->len = 0;
	}
	lp_splice_paint(at, LP_TO_BROKER);
	if (at->verdict != LP_TCP_OK)
		reason = LP_REASON_OUT_OF_WINDOW;
	else if (pkt->reason == LP_REASON_OPENED)
		reason = LP_REASON_OPENED;
	lp_rewrite_output(at->rewrite, at->batch, pkt, at->hop, reason);
	if (at->verdict == LP_TCP_OK && acks)
		lp_splice_send_more(at);
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
