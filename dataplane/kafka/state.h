/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Lightpath remembers of Kafka on its connections.  It lies in the state
 * region (pipeline/region.h): indexes, never pointers; it outlives the packet
 * process.
 *
 *	conns		one a connection, at the same index
 *	messages	frames that are being walked and that the segment at
 *			hand does not complete
 *	inflight	requests that wait for their response
 *	held		pieces of out-of-order segments, of edits, and of what
 *			requests were whose answers are judged (recall.h)
 *	splices		one a connection, at the same index: what changes of
 *			its streams in passing (pipeline/splice.h)
 *	edits		of the bytes of a stream, not acknowledged yet
 *	said		bytes of clients that rules have judged, not
 *			acknowledged yet (said.h)
 *	paces		one a connection, at the same index: whose window is
 *			kept small (pipeline/pace.h)
 *
 * What a connection costs.  At rest, between two frames and with nothing in
 * flight, it needs 704 bytes: 256 of struct lp_conn, for TCP and its two ends;
 * 256 of struct lp_kafka_conn, for where its two streams are and who it is; 128
 * of struct lp_splice, for the maps of its sequence numbers, which become
 * memory only where addresses are rewritten or rules act; and 64 of struct
 * lp_pace_conn, only where an end is held back.  The others are pools, by the
 * number of connections, 1628 bytes for each:
 *
 *	messages	908: half a struct lp_message of 1816; of these, 1056
 *			are what rules ask of a request: 765 of texts that
 *			outlast their fact, 256 of 32 rules that it matched
 *	inflight	144: two of 72
 *	held		256: an eighth of 2048
 *	edits		64: one
 *	said		256: one
 *
 * A frame in one segment takes no place of messages: few of them become memory.
 * What happens when a pool is empty is said with it.  Which places are free is
 * private to the packet process and found by a scan at start.
 *
 * A packet changes this under the mark of its connection (the undo slot), but
 * nothing of it is copied back: a connection on whose change the process was
 * killed has lost its streams, and proves them anew (recover.c).
 */
#ifndef LP_KAFKA_STATE_H
#define LP_KAFKA_STATE_H

#include "dataplane/kafka/disguise.h"
#include "dataplane/kafka/readdress.h"
#include "dataplane/kafka/sightings.h"
#include "dataplane/kafka/stream.h"
#include "dataplane/kafka/walk.h"
#include "dataplane/pipeline/arena.h"
#include "dataplane/pipeline/buckets.h"
#include "dataplane/pipeline/seqmap.h"

enum {
	/* Bytes in front of what the walker reads, see walk.h; what is in
	 * them, by offset. */
	LP_REQUEST_HEAD = 12,
	LP_REQUEST_KEY = 4,
	LP_REQUEST_VERSION = 6,
	LP_REQUEST_VERSION_END = 8,
	LP_REQUEST_CORRELATION = 8,
	LP_RESPONSE_HEAD = 8,
	/* Names that are kept with a connection, without a NUL. */
	LP_KAFKA_NAME_MAX = 63,
	/* Requests in flight on one connection. */
	LP_KAFKA_INFLIGHT_MAX = 1024,
	/* And when the pool is nearly empty. */
	LP_KAFKA_INFLIGHT_SHARE = 16,
	/* Pieces and edits that there are at least, whatever the table. */
	LP_KAFKA_HELD_MIN = 2048,
	LP_KAFKA_EDITS_MIN = 1024,
	LP_KAFKA_SAID_MIN = 2048,
};

/* What the bytes of a connection are. */
enum lp_kafka_mode {
	LP_KAFKA_OFF = 0, /* nobody looks */
	LP_KAFKA_LIVE, /* both streams are followed */
	LP_KAFKA_LOST, /* borders of frames are not known; recover.c */
	LP_KAFKA_TLS, /* the client's hello is being read, for its SNI */
	LP_KAFKA_OPAQUE, /* TLS, or not Kafka: for ever */
};

/* Where a direction is in its frame. */
enum lp_kafka_place {
	LP_AT_HEAD = 0, /* reading the fixed part */
	LP_AT_BODY, /* walking */
	LP_AT_TAIL, /* all that is left to the end is being skipped */
};

struct lp_kafka_side {
	struct lp_stream stream;
	uint32_t left; /* bytes of the frame behind those looked at */
	uint32_t message; /* index + 1; 0: none, the frame is not walked */
	uint8_t place; /* enum lp_kafka_place */
	uint8_t head_len; /* bytes of the head that are here */
	uint8_t head[LP_REQUEST_HEAD];
	bool ended; /* a frame of it was read to its end */
};

enum lp_kafka_flags {
	LP_KAFKA_NAMED = 1 << 0, /* name holds the principal, proven */
	LP_KAFKA_SNI = 1 << 1, /* name holds the server name of TLS */
	LP_KAFKA_CLAIMED = 1 << 2, /* name holds a principal, not yet proven */
	LP_KAFKA_RAW_SASL = 1 << 3, /* tokens without headers follow */
	LP_KAFKA_SPOKE = 1 << 4, /* a whole request was read */
	LP_KAFKA_PLAIN = 1 << 5, /* SASL/PLAIN was asked for */
	LP_KAFKA_SCRAM = 1 << 6,
	LP_KAFKA_FINAL = 1 << 7, /* the last token was sent */
};

/* Whether a token of SASL may come on a connection; note.h has the rule. */
enum lp_kafka_auth {
	LP_AUTH_MAYBE = 0, /* it has, or its beginning was not seen */
	LP_AUTH_FRESH, /* nothing was said yet but ApiVersions */
	LP_AUTH_NONE, /* it began with something else */
};

/* The proof that a lost connection is building up. */
struct lp_kafka_proof {
	uint8_t steps; /* requests in a row that were answered */
	bool asked; /* one is waiting for its answer */
	int16_t key;
	int16_t version;
	int32_t correlation_id;
	uint32_t next; /* sequence number behind it */
	uint64_t sent_ns;
	uint32_t client_hash;
	uint32_t bytes;
};

/* Reads the server name from a TLS hello, byte by byte (tls.c). */
struct lp_tls_hello {
	uint8_t state;
	uint8_t got; /* bytes of the field at hand */
	uint16_t value; /* the number being read */
	uint16_t left; /* bytes to skip or of a name */
	uint16_t extensions; /* bytes left of them */
	uint16_t total; /* bytes read, bounded */
	bool done;
};

struct lp_kafka_conn {
	_Alignas(64) struct lp_kafka_side sides[2]; /* enum lp_direction */
	uint8_t mode; /* enum lp_kafka_mode */
	uint8_t flags; /* enum lp_kafka_flags */
	uint8_t name_len;
	uint8_t auth; /* enum lp_kafka_auth */
	uint16_t inflight_count;
	uint32_t oldest; /* of its requests in flight: index + 1; 0: none */
	uint32_t newest;
	uint32_t client; /* handle of its last client id (telemetry.h) */
	union {
		/* LP_KAFKA_LIVE: what the topics of its last answer of
		 * Fetch were charged to, the one that owes most. */
		struct lp_bucket_ref owing;
		struct lp_kafka_proof proof; /* LP_KAFKA_LOST */
		struct lp_tls_hello hello; /* LP_KAFKA_TLS */
	};
	char name[LP_KAFKA_NAME_MAX + 1];
	/* By direction: sequence number behind the last secret, if its bit of
	 * secrets is set. */
	uint32_t secret_end[2];
	uint8_t secrets;
	bool has_member; /* heartbeats of a group go by it */
	uint16_t kept_count; /* of its requests in flight: with a piece kept */
	/* What it holds of the pools has moved last (splice_stall.c); s. */
	uint32_t moved_s;
	/* Its fetch or share session: under which rules it was made, and its
	 * id; share sessions have none (deny.h). */
	uint32_t session_stamp;
	int32_t session_id;
};
static_assert(sizeof(struct lp_kafka_conn) <= 256, "512 with struct lp_conn");

/* What a Fetch wants of a session (KIP-227). */
enum lp_fetch_session {
	LP_FETCH_ALONE = 0, /* none; or to close the one it had */
	LP_FETCH_FIRST, /* a new one */
	LP_FETCH_INCREMENTAL, /* the one it has, but for what it names */
};

/* What a rule has refused of a request, for its answer (deny.h). */
struct lp_refused {
	uint8_t code; /* the error that it is told; 0: nothing was refused */
	uint8_t tail; /* deny_name.c */
};

/* A request that a rule limits (limit.h). */
struct lp_limited {
	struct lp_bucket_ref bucket; /* that its answer counts for, too */
	uint32_t until_ms; /* CLOCK_MONOTONIC: its sender waits; 0: not */
};

/* A request in flight. */
struct lp_inflight {
	uint32_t next; /* the one sent after it: index + 1; 0: the newest */
	int32_t correlation_id;
	int16_t key;
	int16_t version;
	uint32_t row; /* telemetry.h */
	uint32_t client;
	uint32_t max_wait_ms;
	uint32_t request_bytes;
	uint8_t origin; /* enum lp_kafka_origin */
	uint8_t kind; /* enum lp_kafka_kind, as far as the request tells */
	uint8_t used; /* for the scan */
	bool proves; /* its answer says whether the principal is right */
	bool doubtful; /* a Produce whose acks is not known: it may be 0 */
	uint8_t session; /* enum lp_fetch_session */
	struct lp_refused refused;
	uint32_t kept; /* of it, for its answer: a piece; 0: nothing */
	struct lp_limited limited;
	uint64_t sent_ns; /* its last byte */
	uint64_t answered_ns; /* the first byte of its response */
};

/*
 * Hints where a leader went, which may be changed or hidden; that is known when
 * all of them are here (edit.h).
 */
struct lp_hints {
	struct lp_readdress_mark mark;
	struct lp_overlay first; /* what hides them: of the tag, or of all */
	struct lp_overlay rest; /* and of a tag's value */
};

/* Texts of a request that rules ask for and that outlast their fact. */
enum lp_judged_text {
	LP_JUDGED_CLIENT_ID = 0,
	LP_JUDGED_GROUP,
	LP_JUDGED_TRANSACTIONAL_ID,
	LP_JUDGED_TEXTS,
};

enum {
	/* Rules that are counted of one request. */
	LP_JUDGED_MAX = 32,
	/* In a slot: what matched if a client asks, and if a broker does. */
	LP_JUDGED_AS_CLIENT = 1 << 28,
	LP_JUDGED_AS_BROKER = 1 << 29,
	LP_JUDGED_AS_BOTH = LP_JUDGED_AS_CLIENT | LP_JUDGED_AS_BROKER,
	LP_JUDGED_REFUSES = 1 << 30, /* it has refused a part of it */
	LP_JUDGED_LIMITS = 1 << 27, /* it was charged to its bucket */
	LP_JUDGED_SLOT = LP_JUDGED_LIMITS - 1,
};

/* A rule that a request has matched; another may have its slot by now. */
struct lp_judged_rule {
	uint32_t slot;
	uint32_t id;
};

/* What rules are asked of a request, and which have matched (judge.c). */
struct lp_judged {
	int16_t acks; /* LP_RULES_NO_ACKS: none yet */
	uint8_t resource_type;
	uint8_t has; /* 1 << enum lp_judged_text: it is there, not null */
	uint8_t cut; /* likewise: it is longer */
	uint8_t count;
	bool is_waiting; /* for a topic, or the end, to be judged */
	bool is_named; /* the topic at hand was judged by its name */
	bool is_full; /* it matched more than are counted */
	uint8_t marks; /* enum lp_deny_bits, of partitions of the topic */
	bool no_create; /* it must not create the topics that it names */
	bool is_of_all; /* it names no topics, and means all */
	uint8_t no_create_by; /* index + 1 of such a rule; 0: it has no place */
	bool no_create_last; /* so says one of the topic asked for last */
	uint8_t lens[LP_JUDGED_TEXTS];
	struct lp_refused refused;
	bool is_by_answer; /* a rule limits a topic of it: in its answer */
	struct lp_limited limited;
	struct lp_judged_rule rules[LP_JUDGED_MAX];
	uint8_t texts[LP_JUDGED_TEXTS][LP_FACT_TEXT_MAX];
};

/* A frame on its way through the walker. */
struct lp_message {
	struct lp_walk walk;
	uint32_t used; /* for the scan */
	uint32_t client; /* of a request: handle (telemetry.h) */
	int16_t key;
	int16_t version;
	int32_t throttle_ms;
	int32_t session_id; /* of a request */
	uint32_t delay_ms; /* of an answer: its client is told to wait */
	int64_t acks;
	int64_t max_wait_ms;
	uint64_t record_bytes; /* of the whole message */
	uint32_t seq; /* of its frame's first byte */
	struct lp_readdress_watch watch;
	struct lp_disguise disguise;
	uint32_t errors;
	uint8_t origin; /* enum lp_kafka_origin */
	bool response; /* else a request */
	bool in_topic;
	bool bad; /* its bytes were no such message */
	bool foreign; /* and need not be; frame.h */
	bool proves; /* holds the last token of a client */
	uint8_t rewriting; /* enum lp_rewriting of its listener; 0: none */
	uint8_t session; /* of a request: enum lp_fetch_session */
	uint8_t marked; /* of an answer: enum lp_deny_bits of its partition */
	uint8_t resource_type; /* of an answer */
	bool has_session; /* a response that names one */
	bool is_hinting; /* the edit that is open is of hints */
	bool is_judged; /* rules look at it */
	/* Of the topic at hand. */
	uint64_t topic_bytes;
	uint32_t topic_errors;
	uint8_t topic_name_len;
	bool topic_has_id;
	uint8_t topic_id[16];
	union {
		char topic_name[249];
		struct lp_sighting_list list; /* in front of topics */
		struct lp_hints hints; /* behind them */
	};
	/* Of a request; or of what an answer answers (recall.h). */
	struct lp_judged judged;
};

enum lp_splice_flags {
	LP_SPLICE_SACK = 1 << 0, /* both ends have agreed to it, RFC 2018 */
	LP_SPLICE_SACK_ASKED = 1 << 1, /* the client has */
	/* Some of the broker's bytes were changed: what comes again from below
	 * the floor must not be seen. */
	LP_SPLICE_EDITED = 1 << 2,
	/* Its edits are lost, by a kill or a full pool: it is reset. */
	LP_SPLICE_BROKEN = 1 << 3,
	/* So it is because a rule, or its listener, says so. */
	LP_SPLICE_REFUSED = 1 << 4,
	/* Its client was refused something by marks, which any later answer
	 * may have: none must pass unread (edit.h). */
	LP_SPLICE_MARKED = 1 << 5,
	/* Bytes of the broker's had gone by when it was spliced in front of
	 * which others were missing: up to `passed`. */
	LP_SPLICE_PASSED = 1 << 6,
};

/* Of what its client has said and the broker has not acknowledged (said.h). */
enum lp_splice_keeps {
	LP_SPLICE_KEEPS_NONE = 0,
	LP_SPLICE_KEEPS_SINCE, /* from `kept_from` on */
	LP_SPLICE_KEEPS_ALL,
};

/*
 * What the ends of a connection know of each other where that is not the same:
 * the client's space is that of the broker's sequence numbers as the client
 * sees them.
 *
 * The first line is what packets change; the second is logged by who changes
 * it (pipeline/undo.h).
 */
struct lp_splice {
	/* By direction; only that to the client resizes. */
	_Alignas(64) struct lp_seqmap maps[2];
	uint32_t client_ack; /* the client's highest, in its space */
	uint32_t client_edge; /* right edge of its window, in its space */
	uint32_t out_next; /* highest sent to the client, in its space */
	/* Right edge that was told to the broker, in the broker's. */
	uint32_t edge;
	uint16_t mss; /* that the client takes, options included */
	uint8_t flags; /* enum lp_splice_flags */
	uint8_t keeps; /* enum lp_splice_keeps */
	uint8_t waiting_count[2]; /* by direction: segments behind a gap */
	uint16_t said_count; /* blocks of what its client has said (said.h) */

	/* line 1 */
	uint32_t waiting[2]; /* the first of them: held, index + 1 */
	uint32_t said[2]; /* the first block, and the last: index + 1 */
	uint32_t passed; /* sequence number of the broker's */
	uint32_t kept_from; /* and of the client's */
	uint8_t spare2[40];
};
static_assert(sizeof(struct lp_splice) == 128, "two cache lines");
enum { LP_SPLICE_CHANGING = offsetof(struct lp_splice, waiting) };
static_assert(LP_SPLICE_CHANGING == 64, "a cache line");

/* An end that is kept from sending more (pipeline/pace.h). */
struct lp_pace_side {
	/* CLOCK_MONOTONIC: its window does not move before; 0: it moves. */
	uint64_t until_ns;
	/* It never has more than that, or up to that one (pace.h); 0: what
	 * there is. */
	uint32_t window;
	/* The highest right edge that it was told, in its own numbers. */
	uint32_t edge;
	uint32_t given; /* that of the other end */
	/* Of what was sent to it: timestamp, and what that echoes. */
	uint32_t stamp;
	uint32_t echo;
	uint8_t flags; /* enum lp_pace_flags */
	uint8_t wide; /* for one message: 1 << that, if it is more; 0: not */
	uint16_t bound_s; /* CLOCK_MONOTONIC, low bits: bound up to then */
};

struct lp_pace_conn {
	/* By the direction that the end sends in. */
	_Alignas(64) struct lp_pace_side sides[2];
};
static_assert(sizeof(struct lp_pace_conn) == 64, "one cache line");

enum { LP_SAID_BYTES = 240 };

/* Of what a client has said: runs of bytes, in order (said.c). */
struct lp_said {
	uint32_t next; /* index + 1; 0: the last */
	uint32_t end; /* sequence number behind the last run */
	uint16_t used; /* of the bytes */
	bool is_secret; /* they may be of a token */
	uint8_t spare[5];
	uint8_t bytes[LP_SAID_BYTES];
};
static_assert(sizeof(struct lp_said) == 256, "four cache lines");

/* All of them, as mapped by this process. */
struct lp_kafka_state {
	struct lp_kafka_conn *conns;
	struct lp_message *messages;
	struct lp_inflight *inflight;
	struct lp_held *held;
	struct lp_splice *splices;
	struct lp_edit *edits;
	struct lp_pace_conn *paces;
	struct lp_said *said;
	uint32_t conn_count;
	uint32_t message_count;
	uint32_t inflight_count;
	uint32_t held_count;
	uint32_t edit_count;
	uint32_t said_count;
};

/*
 * Places them in the arena, or measures them: for so many connections, half as
 * many frames that are cut by a segment's end at one moment, twice as many
 * requests in flight, an eighth as many held pieces, as many edits and blocks
 * of what was said.
 */
static inline void
lp_kafka_state_carve(struct lp_kafka_state *state, struct lp_arena *arena,
    uint32_t connection_count)
{
	state->conn_count = connection_count;
	state->message_count = connection_count / 2;
	state->inflight_count = connection_count * 2;
	state->held_count = connection_count / 8;
	if (state->held_count < LP_KAFKA_HELD_MIN)
		state->held_count = LP_KAFKA_HELD_MIN;
	state->edit_count = connection_count;
	if (state->edit_count < LP_KAFKA_EDITS_MIN)
		state->edit_count = LP_KAFKA_EDITS_MIN;
	state->said_count = connection_count;
	if (state->said_count < LP_KAFKA_SAID_MIN)
		state->said_count = LP_KAFKA_SAID_MIN;
	state->conns = lp_arena_take(
	    arena, state->conn_count, sizeof(struct lp_kafka_conn));
	state->messages = lp_arena_take(
	    arena, state->message_count, sizeof(struct lp_message));
	state->inflight = lp_arena_take(
	    arena, state->inflight_count, sizeof(struct lp_inflight));
	state->held =
	    lp_arena_take(arena, state->held_count, sizeof(struct lp_held));
	state->splices =
	    lp_arena_take(arena, state->conn_count, sizeof(struct lp_splice));
	state->edits =
	    lp_arena_take(arena, state->edit_count, sizeof(struct lp_edit));
	state->paces = lp_arena_take(
	    arena, state->conn_count, sizeof(struct lp_pace_conn));
	state->said =
	    lp_arena_take(arena, state->said_count, sizeof(struct lp_said));
}

/* Of a connection's the two lines that every segment needs: streams, mode. */
static inline void
lp_kafka_state_prefetch(const struct lp_kafka_state *state, uint32_t index)
{
	const struct lp_kafka_conn *conn = &state->conns[index];

	__builtin_prefetch(conn->sides);
	__builtin_prefetch(&conn->mode);
}

#endif
