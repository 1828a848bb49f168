/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof
 *
 * Both directions are at rest: all that either end has sent is acknowledged.
 * Then a segment of the client is exactly one frame, of a key and version that
 * we know, with a client id; the next thing that the broker sends begins with
 * its correlation id.  Three times in a row, and with the same client id, that
 * is no accident: the third answer is the first frame that is read again.
 *
 * Whatever does not fit begins the proof anew.  A client that never rests is
 * never proven; its bytes count as unseen.
 */
#include "dataplane/kafka/recover.h"

#include <string.h>

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/inflight.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/pipeline/wire.h"

enum {
	STEPS = 3,
	CLIENT_LEN_OFF = 12,
	CLIENT_OFF = 14,
	CLIENT_ID_MAX = 255,
};

static void asked(
    struct lp_kafka_at *, const struct lp_pkt *, const struct lp_tcp_segment *);
static bool answered(
    struct lp_kafka_at *, const struct lp_pkt *, const struct lp_tcp_segment *);
static bool at_rest(const struct lp_conn *, const struct lp_tcp_segment *);
static bool is_whole_frame(const uint8_t *, uint32_t);
static uint32_t hash_client(const uint8_t *);
static bool resume(struct lp_kafka_at *, const struct lp_tcp_segment *);

bool
lp_recover_segment(struct lp_kafka_at *at, const struct lp_pkt *pkt,
    const struct lp_tcp_segment *segment)
{
	if (pkt->dir == LP_TO_CLIENT)
		return answered(at, pkt, segment);
	asked(at, pkt, segment);
	return false;
}

static void
asked(struct lp_kafka_at *at, const struct lp_pkt *pkt,
    const struct lp_tcp_segment *segment)
{
	const uint8_t *frame = pkt->data + pkt->payload_off;
	struct lp_kafka_proof *proof = &at->conn->proof;
	uint32_t next = segment->seq + segment->len;
	uint32_t client;

	/* The same one, sent again. */
	if (proof->asked && proof->next == next)
		return;
	/* Summed last: most segments of a busy connection prove nothing. */
	if (proof->asked || !at_rest(at->tcp, segment) ||
	    !is_whole_frame(frame, segment->len) || !lp_kafka_is_intact(pkt)) {
		memset(proof, 0, sizeof(*proof));
		return;
	}
	client = hash_client(frame);
	if (proof->steps > 0 && proof->client_hash != client)
		proof->steps = 0;
	*proof = (struct lp_kafka_proof){.steps = proof->steps,
	    .asked = true,
	    .key = (int16_t)lp_get16(frame + LP_REQUEST_KEY),
	    .version = (int16_t)lp_get16(frame + LP_REQUEST_VERSION),
	    .correlation_id = (int32_t)lp_get32(frame + LP_REQUEST_CORRELATION),
	    .next = next,
	    .sent_ns = at->kafka->now_ns,
	    .client_hash = client,
	    .bytes = segment->len};
}

static bool
answered(struct lp_kafka_at *at, const struct lp_pkt *pkt,
    const struct lp_tcp_segment *segment)
{
	const uint8_t *frame = pkt->data + pkt->payload_off;
	struct lp_kafka_proof *proof = &at->conn->proof;

	/* The rest of an answer, or something that nobody asked for: the next
	 * request must find both directions at rest. */
	if (!proof->asked)
		return false;
	if (at->tcp->tcp.peer[LP_TO_BROKER].ack != segment->seq ||
	    segment->len < LP_RESPONSE_HEAD ||
	    (int32_t)lp_get32(frame) < LP_RESPONSE_HEAD - LP_FRAME_SIZE_FIELD ||
	    (int32_t)lp_get32(frame + LP_FRAME_SIZE_FIELD) !=
		proof->correlation_id ||
	    !lp_kafka_is_intact(pkt)) {
		memset(proof, 0, sizeof(*proof));
		return false;
	}
	proof->asked = false;
	return ++proof->steps == STEPS && resume(at, segment);
}

/*
 * All that the broker has sent, the client has acknowledged, if only with this
 * segment; and the broker all that came before it.
 */
static bool
at_rest(const struct lp_conn *tcp, const struct lp_tcp_segment *segment)
{
	const struct lp_tcp_peer *client = &tcp->tcp.peer[LP_TO_BROKER];
	const struct lp_tcp_peer *broker = &tcp->tcp.peer[LP_TO_CLIENT];

	return (broker->flags & LP_PEER_ACKED) &&
	    (client->flags & LP_PEER_ACKED) && broker->ack == segment->seq &&
	    client->ack == broker->end &&
	    client->end == segment->seq + segment->len;
}

static bool
is_whole_frame(const uint8_t *frame, uint32_t len)
{
	int16_t client_len;

	if (len < CLIENT_OFF || lp_get32(frame) != len - LP_FRAME_SIZE_FIELD ||
	    !lp_walk_knows((int16_t)lp_get16(frame + LP_REQUEST_KEY),
		(int16_t)lp_get16(frame + LP_REQUEST_VERSION)))
		return false;
	client_len = (int16_t)lp_get16(frame + CLIENT_LEN_OFF);
	return client_len >= -1 && client_len <= CLIENT_ID_MAX &&
	    (uint32_t)(CLIENT_OFF + client_len) <= len;
}

/* FNV-1a; only to tell one client id from another. */
static uint32_t
hash_client(const uint8_t *frame)
{
	int16_t len = (int16_t)lp_get16(frame + CLIENT_LEN_OFF);
	uint32_t hash = 2166136261u ^ (uint32_t)len;

	for (int16_t i = 0; i < len; i++)
		hash = (hash ^ frame[CLIENT_OFF + i]) * 16777619u;
	return hash;
}

/* The request of this answer is behind us, the answer is still to be read. */
static bool
resume(struct lp_kafka_at *at, const struct lp_tcp_segment *segment)
{
	const struct lp_kafka_proof proof = at->conn->proof;
	struct lp_kafka_conn *conn = at->conn;
	struct lp_inflight *entry = lp_inflight_push(at);

	memset(&conn->proof, 0, sizeof(conn->proof));
	if (entry == NULL)
		return false;
	entry->key = proof.key;
	entry->version = proof.version;
	entry->correlation_id = proof.correlation_id;
	entry->sent_ns = proof.sent_ns;
	entry->request_bytes = proof.bytes;
	lp_account_request(at, NULL, entry, true);
	conn->mode = LP_KAFKA_LIVE;
	conn->flags |= LP_KAFKA_SPOKE;
	/* How it began was not seen. */
	if (conn->auth == LP_AUTH_FRESH)
		conn->auth = LP_AUTH_MAYBE;
	lp_stream_open(&conn->sides[LP_TO_BROKER].stream, proof.next);
	lp_stream_open(&conn->sides[LP_TO_CLIENT].stream, segment->seq);
	lp_telemetry_count(&at->kafka->telemetry, streams_recovered, 1);
	if (at->splice == NULL && at->snapshot != NULL &&
	    lp_snapshot_splices(at->snapshot, at->tcp->listener_id))
		at->kafka->recovered = true;
	return true;
}
