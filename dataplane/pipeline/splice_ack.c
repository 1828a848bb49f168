/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acknowledgements between ends that number bytes differently.  None ever
 * tells the broker that the client has what it has not, but for what we hold
 * of an edit ourselves; and no window that it was told becomes smaller.
 */
#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/mark.h"
#include "dataplane/pipeline/mirror.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/splice.h"

enum {
	BLOCKS_MAX = 4, /* RFC 2018: with timestamps one less */
	ACK_MAX = LP_ETH_LEN + LP_IP6_LEN + LP_TCP_LEN + 40,
	/* Beyond any window: no limit. */
	FAR = 1 << 30,
};

/* One of ours, in the numbers of who gets it. */
struct own {
	enum lp_direction dir; /* that it goes in */
	uint32_t seq, ack;
	uint16_t window; /* the field */
	bool blocks;
	uint32_t newest; /* the block with it comes first */
};

static uint16_t window_to(uint32_t, uint32_t, uint8_t);
static bool send(struct lp_splice_at *, const struct own *);
static uint16_t write_blocks(
    const struct lp_splice_at *, uint8_t *, uint32_t, unsigned);
static uint8_t *find_sack(const struct lp_pkt *, unsigned *);
static bool block_back(
    const struct lp_splice_at *, const uint8_t *, uint32_t *, uint32_t *);

uint32_t
lp_splice_ack(const struct lp_splice_at *at, uint32_t ack)
{
	return lp_seqmap_back(
	    at->map, at->edits, ack, at->conn->tcp.peer[LP_TO_CLIENT].end);
}

uint32_t
lp_splice_ack_edge(const struct lp_splice_at *at, uint32_t edge)
{
	const struct lp_edit *open = lp_seqmap_open(at->map, at->edits);
	uint32_t told = at->splice->edge;
	uint32_t start, here;

	here = lp_seqmap_back(at->map, at->edits, edge,
	    at->conn->tcp.peer[LP_TO_CLIENT].end + FAR);
	if (open != NULL) {
		/* Nothing of what is held fills the client's window yet. */
		start = lp_seqmap_out(at->map, at->edits, open->start);
		if (!lp_seq_before(edge, start))
			here = lp_edit_end(open) + (edge - start);
	}
	return lp_seq_before(here, told) ? told : here;
}

void
lp_splice_ack_send(struct lp_splice_at *at, bool blocks, uint32_t seq)
{
	struct lp_conn *conn = at->conn;
	struct lp_tcp_peer *client = &conn->tcp.peer[LP_TO_BROKER];
	struct lp_tcp_peer *broker = &conn->tcp.peer[LP_TO_CLIENT];
	uint32_t ack = lp_splice_ack(at, at->splice->client_ack);
	struct own own = {.dir = LP_TO_BROKER,
	    .seq = client->end,
	    .ack = lp_seq_max(ack, client->ack),
	    .blocks = blocks,
	    .newest = seq};
	uint32_t edge = lp_splice_ack_edge(at, at->splice->client_edge);

	own.window = window_to(own.ack, edge, client->scale);
	if (!send(at, &own))
		return;
	edge = own.ack + ((uint32_t)own.window << client->scale);
	at->splice->edge = lp_seq_max(at->splice->edge, edge);
	client->ack = own.ack;
	/* What the broker sends for it comes again from as far behind. */
	if (own.window > client->window)
		client->window = own.window;
	broker->limit = lp_seq_max(broker->limit, at->splice->edge);
}

void
lp_splice_ack_again(struct lp_splice_at *at, uint32_t seq)
{
	const struct lp_tcp_peer *client = &at->conn->tcp.peer[LP_TO_BROKER];
	const struct lp_tcp_peer *broker = &at->conn->tcp.peer[LP_TO_CLIENT];
	const struct own own = {.dir = LP_TO_CLIENT,
	    .seq = at->splice->out_next,
	    .ack = broker->ack,
	    .window = window_to(broker->ack, client->limit, broker->scale),
	    .blocks = true,
	    .newest = seq};

	if (broker->flags & LP_PEER_ACKED)
		(void)send(at, &own);
}

/* Up to that right edge, as the field of a header has it. */
static uint16_t
window_to(uint32_t ack, uint32_t edge, uint8_t scale)
{
	uint32_t window = edge - ack;

	if ((int32_t)window < 0)
		return 0;
	window >>= scale;
	return window > UINT16_MAX ? UINT16_MAX : (uint16_t)window;
}

/* False: there is no way, or no buffer, and nothing was said. */
static bool
send(struct lp_splice_at *at, const struct own *own)
{
	const struct lp_conn *conn = at->conn;
	bool client = own->dir == LP_TO_CLIENT;
	const struct lp_ip *src = client ? &conn->vip_ip : &conn->source_ip;
	const struct lp_ip *dst = client ? &conn->client_ip : &conn->broker_ip;
	uint16_t len = LP_TCP_LEN;
	struct lp_pkt *pkt;
	struct lp_way way;
	uint8_t *tcp;

	if (!lp_way_find(
		at->rewrite->neighbors, at->batch, conn, own->dir, &way))
		return false;
	pkt = lp_make_packet(at->rewrite->make, at->batch, way.slot, ACK_MAX);
	if (pkt == NULL)
		return false;
	tcp = pkt->data + LP_ETH_LEN +
	    (lp_ip_is_v4(dst) ? LP_IP4_LEN : LP_IP6_LEN);
	lp_put16(tcp + LP_TCP_SRC, client ? conn->vip_port : conn->source_port);
	lp_put16(
	    tcp + LP_TCP_DST, client ? conn->client_port : conn->broker_port);
	lp_put32(tcp + LP_TCP_SEQ, own->seq);
	lp_put32(tcp + LP_TCP_ACKNO, own->ack);
	lp_put16(tcp + LP_TCP_WINDOW,
	    lp_pace_field(
		&at->kafka->pace, at->index, !own->dir, own->ack, own->window));
	tcp[LP_TCP_FLAGS] = LP_TCP_ACK;
	len = (uint16_t)(len + lp_splice_ack_stamps(at->pkt, tcp + len));
	if (own->blocks && (at->splice->flags & LP_SPLICE_SACK))
		len = (uint16_t)(len +
		    write_blocks(at, tcp + len, own->newest,
			len > LP_TCP_LEN ? BLOCKS_MAX - 1 : BLOCKS_MAX));
	tcp[LP_TCP_OFF] = (uint8_t)(len / 4 << 4);
	lp_make_ip(pkt, src, dst, LP_PROTO_TCP, len);
	lp_mark_made(at->rewrite->conntrack->region, conn, pkt);
	if (client)
		lp_mirror_made(at->batch, conn, pkt, 0, false);
	lp_make_checksum(pkt, LP_PROTO_TCP, LP_TCP_SUM);
	lp_count_add(&at->rewrite->make->stats->sent_acks, 1);
	lp_way_send(
	    at->rewrite->neighbors, at->batch, conn, own->dir, &way, pkt);
	return true;
}

uint16_t
lp_splice_ack_stamps(const struct lp_pkt *pkt, uint8_t *option)
{
	uint16_t from = lp_parse_tcp_option(
	    pkt, LP_TCP_OPT_TIMESTAMP, LP_TCP_OPT_STAMPS_LEN);

	if (from == 0)
		return 0;
	option[0] = LP_TCP_OPT_NOP;
	option[1] = LP_TCP_OPT_NOP;
	option[2] = LP_TCP_OPT_TIMESTAMP;
	option[3] = LP_TCP_OPT_STAMPS_LEN;
	memcpy(option + 4, pkt->data + from + 4, 4);
	memcpy(option + 8, pkt->data + from, 4);
	return 2 + LP_TCP_OPT_STAMPS_LEN;
}

static uint16_t
write_blocks(
    const struct lp_splice_at *at, uint8_t *option, uint32_t seq, unsigned max)
{
	uint32_t blocks[BLOCKS_MAX][2];
	unsigned count = lp_splice_wait_blocks(at, seq, blocks, max);

	if (count == 0)
		return 0;
	option[0] = LP_TCP_OPT_NOP;
	option[1] = LP_TCP_OPT_NOP;
	option[2] = LP_TCP_OPT_SACK;
	option[3] = (uint8_t)(2 + 8 * count);
	for (unsigned i = 0; i < count; i++) {
		lp_put32(option + 4 + 8 * i, blocks[i][0]);
		lp_put32(option + 8 + 8 * i, blocks[i][1]);
	}
	return (uint16_t)(4 + 8 * count);
}

void
lp_splice_ack_blocks(struct lp_splice_at *at)
{
	struct lp_pkt *pkt = at->pkt;
	uint8_t was[LP_TCP_LEN + 40], *tcp = pkt->data + pkt->l4_off;
	size_t len = (size_t)(pkt->payload_off - pkt->l4_off);
	unsigned count, kept = 0;
	uint8_t *option = find_sack(pkt, &count);

	if (option == NULL)
		return;
	memcpy(was, tcp, len);
	for (unsigned i = 0; i < count; i++) {
		uint32_t left, right;

		if (!block_back(at, option + 2 + 8 * i, &left, &right))
			continue;
		lp_put32(option + 2 + 8 * kept, left);
		lp_put32(option + 6 + 8 * kept, right);
		kept++;
	}
	option[1] = (uint8_t)(2 + 8 * kept);
	memset(option + (kept > 0 ? 2 + 8 * kept : 0), LP_TCP_OPT_NOP,
	    kept > 0 ? 8 * (count - kept) : 2 + 8 * count);
	lp_sum_update(tcp + LP_TCP_SUM, lp_sum_replace(0, was, tcp, len));
}

/* The option, and how many blocks it has. */
static uint8_t *
find_sack(const struct lp_pkt *pkt, unsigned *count)
{
	uint16_t at =
	    lp_parse_tcp_option(pkt, LP_TCP_OPT_SACK, LP_TCP_OPT_ANY_LEN);
	uint8_t len;

	if (at == 0)
		return NULL;
	len = pkt->data[at - 1];
	*count = (len - 2u) / 8;
	return len == 2 + 8 * *count && *count >= 1 && *count <= BLOCKS_MAX
	    ? pkt->data + at - 2
	    : NULL;
}

/* Inwards; false: nothing is left of it, or it tells of what is acknowledged.
 */
static bool
block_back(const struct lp_splice_at *at, const uint8_t *block, uint32_t *left,
    uint32_t *right)
{
	uint32_t from = lp_get32(block);

	*left = lp_splice_ack(at, from);
	if (lp_seqmap_out(at->map, at->edits, *left) != from)
		(*left)++;
	*right = lp_splice_ack(at, lp_get32(block + 4));
	return lp_seq_before(*left, *right) &&
	    lp_seq_before(at->segment.ack, *right);
}
