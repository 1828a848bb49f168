/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections whose streams are changed in passing.
 *
 * What the broker sends may leave as other bytes of another number.  From there
 * on the two ends do not agree on sequence numbers: this stage translates them
 * (seqmap.h), holds what must be complete before it can be changed, and speaks
 * to the broker in the meantime.  kafka/edit.h decides what is changed; the
 * rules are in the head of splice.c.
 *
 * tcp_state and the Kafka stage see one connection, in the numbers of who
 * sends: bytes of the broker's are numbered by it alone.
 */
#ifndef LP_PIPELINE_SPLICE_H
#define LP_PIPELINE_SPLICE_H

#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/rewrite.h"

/* Whom what it holds waits for, and where that one is (splice_stall.c). */
struct lp_splice_front {
	uint32_t at;
	uint8_t whom;
};

/* A packet of a spliced connection on its way through; internal. */
struct lp_splice_at {
	struct lp_rewrite *rewrite;
	struct lp_batch *batch;
	struct lp_pkt *pkt;
	struct lp_kafka *kafka;
	struct lp_conn *conn;
	struct lp_splice *splice;
	struct lp_seqmap *map; /* of the stream to the client */
	struct lp_edit *edits;
	/* In the broker's numbers, also what a client acknowledges. */
	struct lp_tcp_segment segment;
	struct lp_splice_front front; /* before the packet */
	uint32_t index; /* of the connection */
	struct lp_way way;
	enum lp_tcp_verdict verdict;
	bool dropped; /* nothing of it counts */
	bool made; /* it lies in the outbox: one that was held */
	bool overflows; /* the client has no room for all of the packet */
	bool again; /* some of it has been judged before */
	bool has_text;
	bool waits; /* behind a gap */
	/* Inline: its sender begins again there, and not in front of the gap.
	 * It goes on without its text: who has that answers. */
	bool probes;
	bool unheard; /* or read, and not been judged */
};

/* A new connection, before its first packet; or one that was not spliced. */
void lp_splice_begin(struct lp_kafka *kafka, uint32_t index);

/*
 * One that was opened when its listener neither rewrote nor had rules that act,
 * and now it does: it is spliced, whatever of it is under way.  What has passed
 * is passed.  One whose streams are lost is once they are read again.
 */
void lp_splice_follow(
    struct lp_kafka *kafka, const struct lp_batch *batch, uint32_t index);

/*
 * A packet of a connection with LP_CONN_SPLICED, from the TCP state to its
 * verdict.  Its way on is known.
 */
void lp_splice_packet(struct lp_rewrite *rewrite, struct lp_batch *batch,
    struct lp_pkt *pkt, const struct lp_way *way);

/*
 * Under a mark with a log: its streams are read and changed no more, for ever
 * or until they are proven anew (kafka/recover.h).
 */
void lp_splice_end(struct lp_kafka *kafka, uint32_t index);

/* The options of a SYN; and where the numbers begin. */
void lp_splice_meet(struct lp_splice_at *at);

/* Nothing of it leaves, or all of it in other packets. */
void lp_splice_consume(struct lp_splice_at *at, enum lp_reason reason);

/* Before it has changed anything. */
void lp_splice_drop(struct lp_splice_at *at, enum lp_reason why);

/* Writes a number of the TCP header, and keeps the checksum right. */
static inline void
lp_splice_write32(struct lp_pkt *pkt, unsigned off, uint32_t value)
{
	uint8_t *tcp = pkt->data + pkt->l4_off;
	uint8_t is[4];

	lp_put32(is, value);
	lp_sum_update(
	    tcp + LP_TCP_SUM, lp_sum_replace(0, tcp + off, is, sizeof(is)));
	memcpy(tcp + off, is, sizeof(is));
}

static inline void
lp_splice_write16(struct lp_pkt *pkt, unsigned off, uint16_t value)
{
	uint8_t *tcp = pkt->data + pkt->l4_off;
	uint8_t is[2];

	lp_put16(is, value);
	lp_sum_update(
	    tcp + LP_TCP_SUM, lp_sum_replace(0, tcp + off, is, sizeof(is)));
	memcpy(tcp + off, is, sizeof(is));
}

/* ---- splice_client.c, splice_broker.c ------------------------------------ */

/* A packet of that side, under the mark of its connection. */
void lp_splice_client(struct lp_splice_at *at);
void lp_splice_broker(struct lp_splice_at *at);

/* ---- splice_judge.c ------------------------------------------------------ */

enum lp_splice_judgement {
	LP_SPLICE_PASS,
	LP_SPLICE_WAIT, /* something before it is missing */
	LP_SPLICE_FULL, /* that, and there is no room for it */
	LP_SPLICE_DROP, /* *why is set */
};

enum lp_splice_judgement lp_splice_judge(
    struct lp_splice_at *at, enum lp_reason *why);

/* Whether some of its bytes are to be looked at, or kept. */
bool lp_splice_judge_wants(const struct lp_splice_at *at);

/* A client's, some of which has been judged before: it may be others now. */
bool lp_splice_judge_again(const struct lp_splice_at *at);

/* Likewise, and before rules acted there: what it was is not known. */
bool lp_splice_judge_unheard(const struct lp_splice_at *at);

/* Nothing that its end sends is looked at before what is in front of it. */
bool lp_splice_judge_orders(const struct lp_splice_at *at);

/* Its first byte that must come before others are looked at. */
uint32_t lp_splice_judge_next(const struct lp_splice_at *at);

/*
 * Bytes of the client have been looked at, or could not be: where rules act
 * the listener says what becomes of them then.
 */
void lp_splice_judge_read(struct lp_splice_at *at);

/* ---- splice_send.c: segments of our own --------------------------------- */

/*
 * The payload of the packet, edits in the place of what they replace, in as
 * many segments as it takes.  The packet itself is translated already, and is
 * the pattern of their headers.  Returns how many were made.
 */
unsigned lp_splice_send(struct lp_splice_at *at);

/*
 * The first edit, if the broker knows that we have all its old bytes and the
 * packet is what it sends next: it does not send them again, so we do, in front
 * of the packet.  NULL: nothing is owed.
 */
struct lp_edit *lp_splice_send_owed(const struct lp_splice_at *at);

/* The client has no room for all before that position of the broker's. */
bool lp_splice_send_overflows(const struct lp_splice_at *at, uint32_t upto);

/*
 * More of the bytes of edits, as the client's window allows: its packet, not
 * yet on its way, says so.
 */
void lp_splice_send_more(struct lp_splice_at *at);

/* Only its headers are left; no FIN, no PSH. */
void lp_splice_send_bare(struct lp_splice_at *at);

/* ---- splice_paint.c ------------------------------------------------------ */

/*
 * What keeps its length, in place: zeros below the floor, what was said there
 * when it was judged, and overlays.  The
 * checksum was found right before (lp_splice_judge()), or is not touched.
 */
void lp_splice_paint(struct lp_splice_at *at, enum lp_direction dir);

/* ---- splice_ack.c: acknowledgements -------------------------------------- */

/*
 * Acknowledges to the broker what the client has, and what we hold; with the
 * blocks of what waits behind a gap, if the ends have agreed to them: the one
 * with that sequence number first.
 */
void lp_splice_ack_send(struct lp_splice_at *at, bool blocks, uint32_t seq);

/*
 * Acknowledges once more to the client what the broker has acknowledged last,
 * with the blocks of what waits behind a gap: a duplicate.
 */
void lp_splice_ack_again(struct lp_splice_at *at, uint32_t seq);

/*
 * What may be acknowledged to the broker, and the window's right edge, given
 * an acknowledgement and an edge of the client's in its space.
 */
uint32_t lp_splice_ack(const struct lp_splice_at *at, uint32_t ack);
uint32_t lp_splice_ack_edge(const struct lp_splice_at *at, uint32_t edge);

/*
 * The timestamps of a packet turned round, for one that goes back: what it
 * echoes is what its sender has seen last, so it is not too old (RFC 7323,
 * 5.3).  Returns the bytes written, a multiple of 4.
 */
uint16_t lp_splice_ack_stamps(const struct lp_pkt *pkt, uint8_t *option);

/* The SACK blocks of the client's packet, translated in place. */
void lp_splice_ack_blocks(struct lp_splice_at *at);

/* ---- splice_wait.c: segments behind a gap -------------------------------- */

/* Keeps the packet as it came; false: no room, and it is as lost. */
bool lp_splice_wait(struct lp_splice_at *at);

/*
 * The first one, which there is, as a packet in the outbox that came by the way
 * of this one; NULL: no buffer, it waits on.
 */
struct lp_pkt *lp_splice_wait_over(struct lp_splice_at *at);

/*
 * Runs of those of that end: up to `max` blocks of left and right edges; how
 * many.
 */
unsigned lp_splice_wait_blocks(const struct lp_splice_at *at, uint32_t seq,
    uint32_t blocks[][2], unsigned max);

/* Behind the last of them. */
uint32_t lp_splice_wait_end(const struct lp_splice_at *at);

/* ---- splice_stall.c: who holds of the pools, and does not move ----------- */

/* The look at the table of connections, a slice a turn. */
struct lp_splice_stall {
	uint32_t began_s; /* the process */
	uint32_t looked_s; /* at all of them */
	uint32_t next;
	bool looking;
};

/* Before a packet, and behind it, under the mark of its connection. */
void lp_splice_stall_begin(struct lp_splice_at *at);
void lp_splice_stall_end(struct lp_splice_at *at);

/* There was no room for it; `ahead`: nor has what is before it come. */
void lp_splice_stall_refused(struct lp_splice_at *at, bool ahead);

/* An end that was kept from sending may go on: its time begins now. */
void lp_splice_stall_released(struct lp_kafka *kafka, uint32_t index,
    enum lp_direction sender, uint32_t now_s);

/* Resets those that have not moved for LP_STALLED_S, if the pools are short. */
void lp_splice_stall_turn(struct lp_splice_stall *stall,
    struct lp_rewrite *rewrite, struct lp_batch *batch);

#endif
