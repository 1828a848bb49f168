/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window update of our own says what the other end has said last, but for
 * the window: its highest sequence number that has gone on, its highest
 * acknowledgement, its newest timestamps (RFC 7323, 5.3).  One that is lost is
 * not sent again: an end whose window is shut asks by itself (RFC 9293,
 * 3.8.6.1), and the answer passes with the whole of it.
 */
#include "dataplane/pipeline/pace_send.h"

#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/mark.h"
#include "dataplane/pipeline/mirror.h"
#include "dataplane/pipeline/splice.h"
#include "dataplane/pipeline/wire.h"

enum { UPDATE_MAX = LP_ETH_LEN + LP_IP6_LEN + LP_TCP_LEN + 12 };

static bool tell(
    struct lp_rewrite *, struct lp_batch *, uint32_t, enum lp_direction);
static uint16_t write_tcp(const struct lp_rewrite *, uint8_t *, uint32_t,
    enum lp_direction, uint16_t);
static uint16_t write_stamps(const struct lp_pace_side *, uint8_t *);

void
lp_pace_send_turn(struct lp_rewrite *rewrite, struct lp_batch *batch)
{
	struct lp_pace *pace = &rewrite->kafka->pace;

	lp_pace_turn(pace);
	if (batch->snapshot == NULL)
		return;
	/* Both ends of a connection may be due. */
	for (unsigned step = 0; step + 2 <= LP_PACE_STEP; step += 2) {
		uint32_t index = lp_pace_next(pace, batch->now_ns);

		if (index == LP_CONN_NONE)
			return;
		bool again = false;

		for (enum lp_direction dir = LP_TO_BROKER; dir <= LP_TO_CLIENT;
		     dir++)
			if (!tell(rewrite, batch, index, dir))
				again = true;
		lp_pace_seen(pace, index, batch->now_ns, again);
	}
}

/* That end, if it is to be told; false: it could not be. */
static bool
tell(struct lp_rewrite *rewrite, struct lp_batch *batch, uint32_t index,
    enum lp_direction sender)
{
	const struct lp_conn *conn =
	    lp_conntrack_get(rewrite->conntrack, index);
	struct lp_pace *pace = &rewrite->kafka->pace;
	bool client = sender == LP_TO_BROKER;
	const struct lp_ip *to = client ? &conn->client_ip : &conn->broker_ip;
	struct lp_pkt *pkt;
	uint16_t field, len;
	struct lp_way way;

	/* First: once it is told it is not kept any more. */
	if (lp_pace_is_waiting(pace, index, sender) &&
	    !lp_pace_is_held(pace, index, sender, batch->now_ns))
		lp_splice_stall_released(
		    rewrite->kafka, index, sender, batch->now_s);
	if (!lp_pace_resume(pace, index, sender, batch->now_ns, &field))
		return true;
	/* As lost. */
	if (!lp_way_find(rewrite->neighbors, batch, conn, !sender, &way))
		return true;
	pkt = lp_make_packet(rewrite->make, batch, way.slot, UPDATE_MAX);
	if (pkt == NULL) {
		lp_pace_failed(pace, index, sender);
		return false;
	}
	len = write_tcp(rewrite,
	    pkt->data + LP_ETH_LEN +
		(lp_ip_is_v4(to) ? LP_IP4_LEN : LP_IP6_LEN),
	    index, sender, field);
	lp_make_ip(pkt, client ? &conn->vip_ip : &conn->source_ip, to,
	    LP_PROTO_TCP, len);
	lp_mark_made(rewrite->conntrack->region, conn, pkt);
	if (client)
		lp_mirror_made(batch, conn, pkt, 0, false);
	lp_make_checksum(pkt, LP_PROTO_TCP, LP_TCP_SUM);
	lp_count_add(&rewrite->make->stats->sent_windows, 1);
	lp_way_send(rewrite->neighbors, batch, conn, !sender, &way, pkt);
	return true;
}

/* To that end, as the other one would; its length. */
static uint16_t
write_tcp(const struct lp_rewrite *rewrite, uint8_t *tcp, uint32_t index,
    enum lp_direction sender, uint16_t field)
{
	const struct lp_conn *conn =
	    lp_conntrack_get(rewrite->conntrack, index);
	const struct lp_tcp_peer *other = &conn->tcp.peer[!sender];
	bool client = sender == LP_TO_BROKER;
	uint32_t seq = other->end;
	uint16_t len = LP_TCP_LEN;

	/* The client numbers what it has in its own way. */
	if (client && (conn->flags & LP_CONN_SPLICED))
		seq = rewrite->kafka->state->splices[index].out_next;
	lp_put16(tcp + LP_TCP_SRC, client ? conn->vip_port : conn->source_port);
	lp_put16(
	    tcp + LP_TCP_DST, client ? conn->client_port : conn->broker_port);
	lp_put32(tcp + LP_TCP_SEQ, seq);
	lp_put32(tcp + LP_TCP_ACKNO, other->ack);
	lp_put16(tcp + LP_TCP_WINDOW, field);
	tcp[LP_TCP_FLAGS] = LP_TCP_ACK;
	len = (uint16_t)(len +
	    write_stamps(
		lp_pace_side(&rewrite->kafka->pace, index, sender), tcp + len));
	tcp[LP_TCP_OFF] = (uint8_t)(len / 4 << 4);
	return len;
}

static uint16_t
write_stamps(const struct lp_pace_side *side, uint8_t *option)
{
	if (!(side->flags & LP_PACE_STAMPED))
		return 0;
	option[0] = LP_TCP_OPT_NOP;
	option[1] = LP_TCP_OPT_NOP;
	option[2] = LP_TCP_OPT_TIMESTAMP;
	option[3] = LP_TCP_OPT_STAMPS_LEN;
	lp_put32(option + 4, side->stamp);
	lp_put32(option + 8, side->echo);
	return 2 + LP_TCP_OPT_STAMPS_LEN;
}
