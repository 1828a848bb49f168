/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of Kafka on the wire, in the state region: the worker writes
 * (telemetry.h), control reads at any time and asks nobody.
 *
 * Everything is an atomic counter, or written before the store that makes it
 * visible.  Place 0 of every list is `other`: what has no place of its own.
 * Place 1 of topics and clients is `evicted`: what those have counted who had
 * a place and lost it.  So no counter that is shown ever jumps by the history
 * of another, and rows, `other` and `evicted` are all there was.
 * The memory of histograms is touched only where times fell, so a list is
 * mostly address space.
 *
 * Times are of CLOCK_MONOTONIC.
 */
#ifndef LP_KAFKA_KAFKA_STATS_H
#define LP_KAFKA_KAFKA_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/pipeline/limits.h"
#include "dataplane/pipeline/stats.h"
#include "proto/histogram.h"

/* Who speaks through a connection: replication goes between brokers. */
enum lp_kafka_origin {
	LP_KAFKA_FROM_CLIENT = 0,
	LP_KAFKA_FROM_BROKER,
	LP_KAFKA_ORIGINS,
};

/*
 * What the latency of a request depends on.  That of a Produce is known from
 * its request, that of a Fetch from its response: its requests, and those in
 * flight, count under NONE.
 */
enum lp_kafka_kind {
	LP_KAFKA_KIND_NONE = 0,
	LP_KAFKA_ACKS_0, /* never answered */
	LP_KAFKA_ACKS_1,
	LP_KAFKA_ACKS_ALL,
	LP_KAFKA_FETCH_DATA, /* answered by records, an error, or at once */
	LP_KAFKA_FETCH_MAX_WAIT, /* empty: its wait was over */
	LP_KAFKA_KINDS,
};

enum {
	/* In a row: all keys that nobody has, or that are newer than us. */
	LP_KAFKA_API_UNKNOWN = -1,

	/* Kafka's error codes: UNKNOWN_SERVER_ERROR is -1; 133 as of 4.1. */
	LP_KAFKA_ERROR_MIN = -1,
	LP_KAFKA_ERROR_MAX = 142,
	LP_KAFKA_ERROR_OTHER = LP_KAFKA_ERROR_MAX - LP_KAFKA_ERROR_MIN + 1,
	LP_KAFKA_ERRORS, /* places: those codes, and all the others */

	/* A topic is at most 249 bytes; client ids are cut there. */
	LP_TALKER_NAME_MAX = 255,
	LP_TALKER_HISTOGRAMS = 3,
};

/* X(member, what it counts) of a row; see message KafkaApiStats. */
/* clang-format off */
#define LP_KAFKA_ROW(X)                                                        \
	X(requests, "requests")                                                \
	X(responses, "responses")                                              \
	X(request_bytes, "bytes of their frames, size fields included")        \
	X(response_bytes, "bytes of their frames, size fields included")       \
	X(in_flight, "requests without a response yet")                        \
	X(throttled, "responses with a throttle time")                         \
	X(throttle_ms, "sum of the throttle times")

/* Of one client id. */
#define LP_KAFKA_CLIENT(X)                                                     \
	X(requests, "requests")                                                \
	X(responses, "responses")                                              \
	X(request_bytes, "bytes of their frames, size fields included")        \
	X(response_bytes, "bytes of their frames, size fields included")       \
	X(errors, "error codes in the responses")                              \
	X(throttled, "responses with a throttle time")                         \
	X(in_flight, "requests without a response yet")

/* Of one topic of a cluster. */
#define LP_KAFKA_TOPIC(X)                                                      \
	X(produce_requests, "Produce requests that name it")                   \
	X(produce_bytes, "bytes of records in them")                           \
	X(fetch_responses, "Fetch responses with records of it")               \
	X(fetch_bytes, "bytes of records in them")                             \
	X(errors, "error codes of its partitions")

/* Names are the contract of `lpctl stats kafka`. */
#define LP_KAFKA_COUNTERS(X)                                                   \
	X(requests, "requests")                                                \
	X(responses, "responses")                                              \
	X(request_frames, "frames from clients, known or not")                 \
	X(response_frames, "frames from brokers, known or not")                \
	X(frames_unparsed, "requests of a key or version that is not known")     \
	X(frames_malformed, "frames that break the rules of their version")    \
	X(frames_impossible, "frames of a size or key that none has: lost")    \
	X(correlation_mismatch, "responses to another request: lost")          \
	X(responses_unasked, "responses without a request: lost")              \
	X(bytes_missed, "times that bytes went past us: lost")                       \
	X(checksums_bad, "segments not read: their checksum is wrong")         \
	X(inflight_full, "requests that had no place in flight: lost")          \
	X(walks_full, "frames not read: too many half-read ones")              \
	X(streams_lost, "connections whose frames could not be told apart")  \
	X(streams_recovered, "of those, and of ones joined late, proven")  \
	X(unseen_bytes, "bytes of connections not followed: lost, TLS, other")                 \
	X(skipped_bytes, "bytes of records, skipped by arithmetic")            \
	X(held_segments, "segments out of order that were held")               \
	X(held_full, "segments out of order that had no place")                \
	X(connections_kafka, "connections that turned out to speak Kafka")     \
	X(connections_tls, "connections that turned out to be TLS")            \
	X(connections_other, "connections that turned out to be neither")      \
	X(tls_alerts, "of those, plain clients on a port of TLS")              \
	X(sasl_handshakes, "SASL handshakes")                                  \
	X(sasl_raw_tokens, "SASL tokens that are no Kafka frames")             \
	X(sasl_failures, "SASL handshakes and tokens refused by the broker")              \
	X(fetches_full, "Fetch requests that name all that they want")          \
	X(fetches_incremental, "Fetch requests that name what is new (KIP-227)") \
	X(fetch_sessions, "fetch sessions that brokers made")                  \
	X(fetch_session_errors, "Fetch requests whose session was refused")    \
	X(topic_ids, "topic ids whose names are known")                        \
	X(topic_ids_max, "their limit")                                        \
	X(topic_ids_learnt, "learnt from what passed, so far")                 \
	X(topic_ids_told, "told by lp-controld, and new, so far")              \
	X(topic_ids_replaced, "forgotten for others: the table was full")      \
	X(topic_ids_unknown, "topic ids met whose names are not known")        \
	X(responses_rewritten, "responses whose addresses were replaced")      \
	X(addresses_rewritten, "addresses replaced in them")                   \
	X(addresses_shadowed, "addresses that would be: --rewrite shadow")     \
	X(nodes_unknown, "of them, of nodes that are no known brokers")        \
	X(overlays, "ranges replaced at equal length: endpoints, versions")    \
	X(versions_clamped, "ApiVersions requests too new to be read")         \
	X(rewrite_full, "segments dropped, to be sent again: no room")         \
	X(rewrite_too_large, "connections reset: a list beyond the limit")     \
	X(rewrite_unreadable, "connections reset: an answer not to be read")   \
	X(rewrite_stalled, "connections reset: they held what others lacked")  \
	X(rewrite_tls, "connections of TLS on listeners that rewrite")         \
	X(edits, "edits that are not acknowledged yet")                        \
	X(edits_max, "their limit")                                            \
	X(sightings, "brokers, lists of them and TLS that were met")           \
	X(sightings_max, "their limit")                                        \
	X(sightings_full, "brokers met that were not noted: no room")          \
	X(rules_uncounted,                                                     \
	    "matched more rules at once than are counted of one")              \
	X(rules_topics_unknown,                                                \
	    "topics that rules could not tell: ids without a known name")      \
	X(partitions_denied, "partitions that a rule refused")                 \
	X(partitions_unknown,                                                  \
	    "refused for now: the name of the topic's id is not known")        \
	X(names_denied, "topics that a rule refused by name or id alone")      \
	X(names_reset, "connections reset: such a topic could not be refused") \
	X(requests_denied, "requests that a rule refused as a whole")         \
	X(creations_denied, "Metadata requests that may create no topic now")  \
	X(sessions_renewed, "fetch sessions ended, to be made under new rules") \
	X(requests_reset, "connections reset at a request: a rule says so")    \
	X(answers_throttled, "answers whose throttle time a rule has set")     \
	X(buckets, "buckets of rules that limit, ever in use")                 \
	X(buckets_max, "their limit")                                          \
	X(buckets_shared, "requests charged to all: no bucket of their own")   \
	X(answers_uncharged,                                                   \
	    "answers of Fetch that no topic's limit has: no room")             \
	X(unjudged_reset, "connections reset: bytes that rules cannot judge")  \
	X(unjudged_passed, "segments and requests passed unjudged")       \
	X(rules_remembered, "what rules say of a request, known from before")  \
	X(rules_forgotten, "not known from before, or not any more")           \
	X(denials_told, "denials in the log: who was refused, by which rule")  \
	X(denials_left_out, "denials not in it: too many in a second")        \
	X(denials_full, "denials not in it: nobody took out those before")    \
	X(judged_replaced,                                                     \
	    "segments that said another thing than was judged: put right")     \
	X(judged_full,                                                         \
	    "segments dropped, to be sent again: no room for what is judged")  \
	X(rows, "rows of statistics in use")                                   \
	X(rows_max, "their limit")                                             \
	X(rows_refused, "new rows refused, now part of the row `other`")       \
	X(topics, "topics with statistics of their own")                       \
	X(topics_max, "their limit")                                           \
	X(topics_evicted, "topics that lost their place to another")                \
	X(topics_other, "look-ups that found no place and went to `other`")    \
	X(clients, "client ids with statistics of their own")                  \
	X(clients_max, "their limit")                                          \
	X(clients_evicted, "client ids that lost their place to another")           \
	X(clients_other, "look-ups that found no place and went to `other`")
/* clang-format on */

struct lp_kafka_histogram {
	_Alignas(64) lp_counter sum_ns;
	lp_counter max_ns;
	lp_counter octaves; /* bit i: counts of octave i were touched */
	lp_counter spare;
	lp_counter counts[LP_HISTOGRAM_BUCKETS];
};
static_assert(LP_HISTOGRAM_OCTAVES <= 64, "a bit for each");

/* The key is set once, before `rows_used` goes past it, and stays. */
struct lp_kafka_row {
	_Alignas(64) uint32_t listener_id;
	uint32_t broker_id;
	int16_t api_key;
	uint8_t origin; /* enum lp_kafka_origin */
	uint8_t kind; /* enum lp_kafka_kind */
#define X(member, text) lp_counter member;
	LP_KAFKA_ROW(X)
#undef X
	lp_counter errors[LP_KAFKA_ERRORS];
	struct lp_kafka_histogram latency;
	struct lp_kafka_histogram throttled_latency;
	struct lp_kafka_histogram transfer;
};

enum lp_talker_state {
	LP_TALKER_FREE = 0, /* all zero */
	LP_TALKER_USED,
	LP_TALKER_DRAINING, /* nameless; what is left belongs to `evicted` */
};

/* Index of a member in `counts`. */
enum lp_kafka_client_count {
#define X(member, text) LP_KAFKA_CLIENT_##member,
	LP_KAFKA_CLIENT(X)
#undef X
	    LP_KAFKA_CLIENT_COUNTS,
};
enum lp_kafka_topic_count {
#define X(member, text) LP_KAFKA_TOPIC_##member,
	LP_KAFKA_TOPIC(X)
#undef X
	    LP_KAFKA_TOPIC_COUNTS,
};
enum lp_kafka_client_histogram {
	LP_KAFKA_CLIENT_PRODUCE = 0,
	LP_KAFKA_CLIENT_FETCH, /* answered by data */
	LP_KAFKA_CLIENT_REST,
};
enum lp_kafka_topic_histogram {
	LP_KAFKA_TOPIC_PRODUCE = 0,
	LP_KAFKA_TOPIC_FETCH,
};
enum { LP_TALKER_COUNTS = 8 };
static_assert((unsigned)LP_KAFKA_CLIENT_COUNTS <= LP_TALKER_COUNTS &&
	(unsigned)LP_KAFKA_TOPIC_COUNTS <= LP_TALKER_COUNTS,
    "places for all");
/* The one that also goes down; all others are sums of events. */
enum { LP_TALKER_GAUGE = LP_KAFKA_CLIENT_in_flight };
static_assert((unsigned)LP_KAFKA_TOPIC_COUNTS <= (unsigned)LP_TALKER_GAUGE,
    "topics have none");

/*
 * A client id or a topic.  `serial` is odd while the name is being written,
 * and another one with every change of its owner: what was read between two
 * equal even ones is of one owner.
 */
struct lp_talker {
	_Alignas(64) _Atomic uint32_t serial;
	_Atomic uint32_t state; /* enum lp_talker_state */
	_Atomic uint32_t cluster_id; /* 0: of clients */
	_Atomic uint16_t name_len;
	_Atomic uint8_t null; /* the name: not the empty one */
	lp_counter last_ms; /* looked up */
	_Atomic uint64_t name[(LP_TALKER_NAME_MAX + 1) / 8];
	lp_counter counts[LP_TALKER_COUNTS];
	struct lp_kafka_histogram histograms[LP_TALKER_HISTOGRAMS];
};

enum {
	LP_TALKER_OTHER = 0,
	LP_TALKER_EVICTED,
	LP_TALKER_FIRST, /* that may be somebody's */
	LP_TALKER_PLACES = LP_TALKER_FIRST + LP_KAFKA_TALKERS_MAX + 1,
};

struct lp_talker_list {
	lp_counter places_used; /* none from there on was ever touched */
	/* One more before and after each piece moved into `evicted`. */
	lp_counter moves;
	/* Two sums, the talkers, and a place for the next while one drains. */
	struct lp_talker places[LP_TALKER_PLACES];
};

struct lp_topic_id_value {
	uint8_t uuid[LP_TOPIC_ID_SIZE];
	uint32_t cluster_id;
	uint16_t name_len;
	uint8_t told; /* by lp-controld, who knows it; else seen */
	uint8_t name[LP_TOPIC_NAME_MAX];
};
enum { LP_TOPIC_ID_WORDS = sizeof(struct lp_topic_id_value) / 8 };
static_assert(sizeof(struct lp_topic_id_value) == 272, "LP_REGION_LAYOUT");

/*
 * `serial` is 0 for a place that was never used, odd while it is written, and
 * else how many writes there were so far, twice: what is higher is younger,
 * and what was read between two equal even ones is whole.
 */
struct lp_topic_id {
	lp_counter serial;
	uint8_t used_lately; /* the worker's own */
	union {
		struct lp_topic_id_value value; /* as the worker reads it */
		_Atomic uint64_t words[LP_TOPIC_ID_WORDS];
	};
};
static_assert(sizeof(struct lp_topic_id) == 288, "LP_REGION_LAYOUT");

enum lp_sighting_kind {
	LP_SIGHTING_NONE = 0,
	LP_SIGHTING_NODE, /* a broker; id: its node id */
	LP_SIGHTING_LIST, /* a list of brokers, all of them; id: 0 */
	LP_SIGHTING_TLS, /* TLS where addresses are replaced; id: listener */
};
enum { LP_SIGHTING_HOST_MAX = 253, LP_SIGHTING_RACK_MAX = 63 };

/* By node and cluster object, whose listeners tell the same addresses. */
struct lp_sighting_key {
	uint32_t cluster_id;
	int32_t id;
	uint32_t kind; /* enum lp_sighting_kind */
};
static_assert(sizeof(struct lp_sighting_key) == 12, "hashed as bytes");

struct lp_sighting_value {
	struct lp_sighting_key key;
	uint16_t port;
	uint8_t host_len, rack_len; /* not NUL terminated */
	uint8_t host[LP_SIGHTING_HOST_MAX];
	uint8_t rack[LP_SIGHTING_RACK_MAX];
	uint8_t spare[4];
};
enum { LP_SIGHTING_WORDS = sizeof(struct lp_sighting_value) / 8 };
static_assert(sizeof(struct lp_sighting_value) == 336, "LP_REGION_LAYOUT");

/*
 * `serial` is 0 where nothing was ever, odd while it is written, and else
 * another one, higher than all before, with every change: what was read
 * between two equal even ones is whole.
 */
struct lp_sighting {
	lp_counter serial;
	lp_counter seen_ms; /* last */
	union {
		struct lp_sighting_value value; /* as the worker reads it */
		_Atomic uint64_t words[LP_SIGHTING_WORDS];
	};
};
static_assert(sizeof(struct lp_sighting) == 352, "LP_REGION_LAYOUT");

enum lp_kafka_counter {
#define X(member, text) LP_KAFKA_COUNTER_##member,
	LP_KAFKA_COUNTERS(X)
#undef X
	    LP_KAFKA_COUNTER_COUNT,
};
static_assert(LP_KAFKA_COUNTER_COUNT == 87, "raise LP_REGION_LAYOUT with it");

struct lp_kafka_stats {
	struct {
#define X(member, text) lp_counter member;
		_Alignas(64) LP_KAFKA_COUNTERS(X)
#undef X
	} counters;
	lp_counter rows_used; /* places, `other` included */
	struct lp_talker_list topics;
	struct lp_talker_list clients;
	struct lp_kafka_row rows[LP_KAFKA_ROWS_MAX + 1];
	_Alignas(64) lp_counter topic_ids_used; /* high-water mark */
	lp_counter topic_ids_serial; /* of the youngest */
	struct lp_topic_id topic_ids[LP_TOPIC_IDS_MAX];
	_Alignas(64) lp_counter sightings_used; /* high-water mark */
	lp_counter sightings_serial; /* of the youngest */
	struct lp_sighting sightings[LP_SIGHTINGS_MAX];
};

/* The place of an error code in `errors`. */
static inline unsigned
lp_kafka_error_place(int16_t code)
{
	if (code < LP_KAFKA_ERROR_MIN || code > LP_KAFKA_ERROR_MAX)
		return LP_KAFKA_ERROR_OTHER;
	return (unsigned)(code - LP_KAFKA_ERROR_MIN);
}

#endif
