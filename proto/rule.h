/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language of rules: what one matches, and what it does.
 *
 *	match	'api=Produce,Fetch topic=pay* client_id="batch 7"'
 *	action	'deny'   'limit bytes=50MB/s burst=5MB per=client_id'
 *
 * A match is a list of fields, each once, all of which must hold; a field is a
 * set of values, one of which must hold.  The empty match holds for
 * everything.  A value is exact, a prefix of a text (`pay*`), or a range of
 * numbers (`1024-2047`, `1MB-`).  A field that a connection or a request does
 * not have never holds.
 *
 * Fields of a connection are known when it opens.  Those of a request are read
 * on the wire: on a listener that does not look into Kafka they never hold, and
 * what becomes of bytes that cannot be judged is the listener's to say.
 * Requests of brokers to each other match no rule without from=broker or any.
 *
 * Text is stored and sent in its canonical form (lp_rule_match_print() of
 * what was parsed): one spelling for one meaning.  Pure: no memory but the
 * caller's.
 */
#ifndef LP_PROTO_RULE_H
#define LP_PROTO_RULE_H

#include "proto/address.h"
#include "proto/limits.h"

enum {
	/* Canonical text of a match and of an action, with the final NUL. */
	LP_RULE_MATCH_SIZE = 512,
	LP_RULE_ACTION_SIZE = 160,
	/* Values of one match, over all fields. */
	LP_RULE_VALUES_MAX = 64,
	/* Bytes of one value: as much of a text is read on the wire. */
	LP_RULE_TEXT_MAX = 255,
	/* Product of the numbers of values of kind NAME, TEXT and ADDRESS. */
	LP_RULE_COMBINATIONS_MAX = 1024,
	/* Of two rules the higher number is asked first. */
	LP_RULE_PRIORITY_MAX = 65535,
	/* Of max_throttle, whose default is 1,000. */
	LP_RULE_THROTTLE_MAX_MS = 60000,
};

/*
 * X(NAME, "word", level, kind): level CONNECTION or REQUEST; kind
 *	NAME	the name of a configured object, or CLUSTER/NAME of a listener
 *	TEXT	exact, or a prefix with `*` at its end; "..." where it has
 *		spaces, commas, quotes or a `*` of its own (\" \\ inside), and
 *		a `*` behind it for a prefix; UTF-8 without control characters
 *	NUMBER	N, LOW-HIGH, LOW-, -HIGH; sizes take kB MB GB (powers of ten)
 *	WORD	one of a few
 *	ADDRESS	an address or a prefix (RFC 4632, RFC 4291)
 *	API	a name of Kafka's, whatever its case, or a key
 */
/* clang-format off */
#define LP_RULE_FIELDS(X)                                                     \
	X(CLUSTER, "cluster", CONNECTION, NAME)                               \
	X(LISTENER, "listener", CONNECTION, NAME) /* CLUSTER/NAME */          \
	X(BROKER, "broker", CONNECTION, NUMBER) /* node id */                 \
	X(PORT, "port", CONNECTION, NAME) /* the client's SYN came in by */   \
	X(SRC, "src", CONNECTION, ADDRESS) /* the client */                   \
	X(SRC_PORT, "src_port", CONNECTION, NUMBER)                           \
	X(DST, "dst", CONNECTION, ADDRESS) /* whom the client talks to */     \
	X(DST_PORT, "dst_port", CONNECTION, NUMBER)                           \
	X(FROM, "from", REQUEST, WORD) /* client, broker, any; absent: client */ \
	X(API, "api", REQUEST, API)                                           \
	X(VERSION, "version", REQUEST, NUMBER)                                \
	X(CLIENT_ID, "client_id", REQUEST, TEXT)                              \
	X(PRINCIPAL, "principal", REQUEST, TEXT)                              \
	X(TOPIC, "topic", REQUEST, TEXT)                                      \
	X(GROUP, "group", REQUEST, TEXT)                                      \
	X(TRANSACTIONAL_ID, "transactional_id", REQUEST, TEXT)                \
	X(ACKS, "acks", REQUEST, WORD) /* 0, 1, all */                        \
	X(FRAME_SIZE, "frame_size", REQUEST, NUMBER) /* bytes, with the size */
/* clang-format on */

enum lp_rule_field {
#define X(name, word, level, kind) LP_RULE_##name,
	LP_RULE_FIELDS(X)
#undef X
	    LP_RULE_FIELD_COUNT,
};

enum lp_rule_value_kind {
	LP_RULE_EXACT = 1, /* a text or a name */
	LP_RULE_PREFIX, /* of a text; of length 0: every one that is not null */
	LP_RULE_RANGE, /* low..high, both in; exact: low == high */
	LP_RULE_ADDRESS, /* prefix */
};

enum lp_rule_from {
	LP_RULE_FROM_CLIENT = 0,
	LP_RULE_FROM_BROKER = 1,
};

struct lp_rule_value {
	uint8_t field; /* enum lp_rule_field */
	uint8_t kind; /* enum lp_rule_value_kind */
	uint16_t text; /* EXACT, PREFIX: where in lp_rule_match.text */
	uint16_t len; /* bytes, without quotes and `*`; there is no NUL */
	/*
	 * RANGE.  An API is its key; acks 0, 1 and -1 (all); from enum
	 * lp_rule_from.
	 */
	int64_t low;
	int64_t high;
	struct lp_prefix prefix; /* host bits are zero */
};

/* A parsed match; equal ones are equal in memory. */
struct lp_rule_match {
	uint32_t fields; /* 1 << enum lp_rule_field */
	uint16_t count;
	uint16_t text_len;
	/* In the order of fields; within one as written, none twice. */
	struct lp_rule_value values[LP_RULE_VALUES_MAX];
	char text[LP_RULE_MATCH_SIZE];
};

/* What becomes of what is matched. */
enum lp_rule_verdict {
	LP_RULE_ALLOW = 1,
	/* As an authorizer of the broker does: an error in the answer. */
	LP_RULE_DENY,
	/* RST to both ends: of a connection, or at the first such request. */
	LP_RULE_RESET,
	LP_RULE_LIMIT,
	/* Counted; the rules behind it are asked too. */
	LP_RULE_OBSERVE,
	/* Metadata creates no topic; the rules behind it are asked too. */
	LP_RULE_NO_CREATE,
	/* Connections at the bootstrap endpoint: to that broker, or to none. */
	LP_RULE_ROUTE,
};

/* Whose bucket a limit takes from. */
enum lp_rule_per {
	LP_RULE_PER_RULE = 0,
	LP_RULE_PER_CLIENT_ID,
	LP_RULE_PER_PRINCIPAL,
};

enum {
	LP_RULE_HAS_PRIORITY = 1 << 0,
	LP_RULE_HAS_DSCP = 1 << 1,
	LP_RULE_HAS_MIRROR = 1 << 2,
};

/*
 *	VERDICT [ARGUMENT=VALUE]... [priority=N] [dscp=N] [mirror=PORT]
 *
 *	limit	requests=N/s bytes=SIZE/s (one of them, or both)
 *		burst=SIZE max_throttle=DURATION per=rule|client_id|principal
 *	route	broker=NODE
 *
 * N is 1 to 1,000,000,000 and SIZE up to 1000GB; DURATION is in ms or s.
 * priority, dscp and mirror are of connections, go with allow, limit and route,
 * and need no verdict: allow is meant.
 */
struct lp_rule_action {
	uint8_t verdict; /* enum lp_rule_verdict */
	uint8_t per; /* enum lp_rule_per */
	uint8_t has; /* LP_RULE_HAS_* */
	uint8_t priority; /* 0..7, the highest is sent first; without one: 3 */
	uint8_t dscp; /* 0..63 */
	uint32_t max_throttle_ms; /* up to LP_RULE_THROTTLE_MAX_MS */
	uint64_t requests_per_s; /* 0: not limited */
	uint64_t bytes_per_s; /* 0: not limited */
	uint64_t burst_bytes; /* default: a tenth of a second, 64 kB at least */
	int32_t broker; /* node id */
	char mirror[LP_NAME_SIZE];
};

/* What is wrong with a text, and where. */
struct lp_rule_error {
	uint32_t column; /* of its first byte, from 1 */
	uint32_t len; /* bytes to be underlined, 1 at least */
	char why[LP_WHY_SIZE];
};

/*
 * Parse `text` (NUL terminated, any length).  0, or -EINVAL with *error; *out
 * is then not defined.
 */
int lp_rule_match_parse(
    struct lp_rule_match *out, const char *text, struct lp_rule_error *error);
int lp_rule_action_parse(
    struct lp_rule_action *out, const char *text, struct lp_rule_error *error);

/*
 * Canonical text, NUL terminated; buf has LP_RULE_MATCH_SIZE or
 * LP_RULE_ACTION_SIZE bytes.  What parses and prints in more does not parse.
 */
char *lp_rule_match_print(char *buf, const struct lp_rule_match *match);
char *lp_rule_action_print(char *buf, const struct lp_rule_action *action);

/*
 * Whether the match and the action go together, and whether any request can
 * have all of the fields: no Fetch has a group.  0, or -EINVAL with *error,
 * whose column is in the canonical text of the match, or 0 (and len, too): it
 * is of the action.  With 0 a warning may be in error->why ("": none): what the
 * match does not see, or the deny does not reach.
 *
 * A deny needs fields of requests.  Where it names no API it holds for those
 * that can be denied (lp_rule_deny_versions), and of InitProducerId for those
 * with a transactional id; other requests it does not match, and the rules
 * behind it are asked.  What brokers ask each other is never denied.
 */
int lp_rule_check(const struct lp_rule_match *match,
    const struct lp_rule_action *action, struct lp_rule_error *error);

/*
 * Whether a holds wherever b does.  True is certain; false is not, where what
 * is in one field follows from another.
 */
bool lp_rule_covers(
    const struct lp_rule_match *a, const struct lp_rule_match *b);

/*
 * Whether b is never asked behind a rule of that match and action: it covers
 * b, and decides.  observe and no_create do not decide; a deny where it denies;
 * route, priority, dscp and mirror for connections, not for their requests.
 */
bool lp_rule_hides(const struct lp_rule_match *a,
    const struct lp_rule_action *action, const struct lp_rule_match *b);

/*
 * Of an API, by its key: why its requests cannot be denied, and what to do
 * instead; NULL: they can.  In which versions, as bits.  Whether by topics:
 * what names none, and means all, is then not denied.
 */
const char *lp_rule_deny_fault(int64_t api);
uint32_t lp_rule_deny_versions(int64_t api);
bool lp_rule_deny_is_by_part(int64_t api);
/* Likewise, by the index of each partition (dataplane/kafka/deny.h). */
bool lp_rule_deny_is_by_index(int64_t api);
/* By the name of each topic, or its id, for it has nothing else of them. */
bool lp_rule_deny_is_by_name(int64_t api);
/* In its answer alone (dataplane/kafka/recall.h). */
bool lp_rule_deny_is_by_answer(int64_t api);
/* By its group or transactional id; what it has of topics comes too late. */
bool lp_rule_deny_is_whole(int64_t api);
/*
 * The error code that is told of what a rule with these fields denies
 * (1 << enum lp_rule_field): of a topic, but where a rule asks for a group or
 * a transactional id and for no topic, and brokers tell it so.
 */
int16_t lp_rule_deny_code(int64_t api, uint32_t fields);

/*
 * Of an API, by its key: why a limit never delays its requests, nor counts them
 * for its bucket; NULL: it does.
 */
const char *lp_rule_limit_fault(int64_t api);

/*
 * Whether what a limit counts of it is in its answer, and so are the topics
 * that it asks for: requests in a session do not name them again (KIP-227).
 */
bool lp_rule_limit_is_by_answer(int64_t api);

/* The word of a field; of a verdict.  NULL for others. */
const char *lp_rule_field_name(unsigned field);
const char *lp_rule_verdict_name(unsigned verdict);

/* Whether it is a field of connections. */
bool lp_rule_field_is_connection(unsigned field);

/* Whether any of the fields is of requests. */
bool lp_rule_match_is_request(const struct lp_rule_match *match);

/* The values of one field: the first, and how many. */
uint16_t lp_rule_match_values(const struct lp_rule_match *match, unsigned field,
    const struct lp_rule_value **first);

#endif
