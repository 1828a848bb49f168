/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the walker tells of a Kafka message: facts, one after another, in the
 * order of the bytes.
 *
 * Source: https://kafka.apache.org/protocol and the message definitions that
 * kafka-clients ships (common/message/\*.json).  They mark few of these; the
 * classification is ours (facts.py), and a test fails when a new field
 * whose name sounds like one of them is not classified.
 *
 * What to expect:
 *	topics do not nest.  Inside of one the name or id, the partitions and
 *	the error codes come in the order of the bytes: in Metadata and in
 *	DescribeTopicPartitions the error code stands before the name, and that
 *	of a partition before its index.  An error code outside is the whole
 *	answer's.  A list of names alone is a topic for each of them.
 *	what a message leaves out is not told: no REPLICA_ID in a Fetch of
 *	version 15 or later is a client; no COORDINATOR_TYPE a group.
 *	tagged fields come where they stand, which is behind the rest; their
 *	order is the sender's.
 *	in a list of endpoints of UpdateMetadata the port comes before the host.
 *	ENDPOINTS are brokers as clients are told of them, of each NODE_ID, HOST
 *	and PORT; it comes before the first, and where there is none.  Those
 *	that clients can do without, hints where a leader went, may be hidden:
 *	HIDDEN_ARRAY comes first then, when a byte of the count is there;
 *	HIDDEN_TAG and HIDDEN_SIZE, each as soon as it is read.
 *	of a value of a configuration only its length is told, before its bytes,
 *	as of records: who changes them has to know at the first one.  So it is
 *	of error messages.
 *	MEMBER_EPOCH is the generation in the classic group protocol.
 *	PARTITION_CUT, ERROR_CUT and NUMBER_CUT, of a TIMEOUT or a MEMBER_EPOCH,
 *	come only where the bytes at hand end inside of such a number, once; the
 *	number itself when the rest is there.  So does THROTTLE_CUT, but only
 *	between the third byte and the last: the first two are zero in every
 *	time that anybody waits.
 */
#ifndef LP_KAFKA_FACT_H
#define LP_KAFKA_FACT_H

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, what it is).  "text": bytes; "number": value. */
/* clang-format off */
#define LP_FACTS(X)                                                            \
	X(CLIENT_ID, "text, of the request's header; may be null")             \
	X(TOPIC_BEGIN, "an element that speaks of one topic begins")           \
	X(TOPIC_END, "and ends: its name, id and partitions were told")        \
	X(TOPIC_NAME, "text; may be null where an id stands")                  \
	X(TOPIC_ID, "text: the 16 bytes of a UUID; all zero: none")            \
	X(PARTITION, "number: index of a partition")                           \
	X(RECORDS, "number: bytes of records that follow; -1: null")           \
	X(TOPICS_NULL, "an array of topics is null: all, or as before")        \
	X(GROUP_ID, "text")                                                    \
	X(TRANSACTIONAL_ID, "text; may be null")                               \
	X(COORDINATOR_KEY, "text: whose coordinator is looked for")            \
	X(COORDINATOR_TYPE, "number: 0 group, 1 transaction, 2 share")         \
	X(ACKS, "number: -1, 0, 1")                                            \
	X(REPLICA_ID, "number: -1: a client asks")                             \
	X(MAX_WAIT, "number: ms that a Fetch may wait")                        \
	X(MIN_BYTES, "number: bytes that end its wait")                        \
	X(SESSION_ID, "number: of a fetch or share session")                   \
	X(SESSION_EPOCH, "number")                                             \
	X(MEMBER_EPOCH, "number: of a member of a group")                      \
	X(ERROR_CODE, "number: 0: none; see error.h")                          \
	X(THROTTLE_TIME, "number: ms")                                         \
	X(NODE_ID, "number: of a broker whose address follows")                \
	X(HOST, "text: where a broker can be reached")                         \
	X(PORT, "number: and its port; 4 bytes, 2 in a few APIs")              \
	X(RACK, "text; may be null")                                           \
	X(CLUSTER_ID, "text; may be null")                                     \
	X(ENDPOINT_TYPE, "number: 1 brokers, 2 controllers are described")     \
	X(API_KEY, "number: in an ApiVersions response")                       \
	X(API_MIN, "number: its lowest version")                               \
	X(API_MAX, "number: its highest version")                              \
	X(SASL_MECHANISM, "text")                                              \
	X(SASL_TOKEN, "text: its first bytes; the whole may be longer")        \
	X(RESOURCE_TYPE, "number: 2: topic")                                   \
	X(RESOURCE_NAME, "text")                                               \
	X(SOFTWARE_NAME, "text: of the client, KIP-511")                       \
	X(SOFTWARE_VERSION, "text")                                            \
	X(AUTO_CREATION, "number: Metadata may create topics")                 \
	X(REGEX, "text: topics that the broker chooses")                       \
	X(ENDPOINTS, "number: how many brokers with addresses follow")         \
	X(HIDDEN_ARRAY, "number: of such an array the count's first byte")     \
	X(HIDDEN_TAG, "number: of a tagged field with such an array in it")    \
	X(HIDDEN_SIZE, "number: of bytes of that field, which follow")         \
	X(CONFIG_NAME, "text")                                                 \
	X(CONFIG_VALUE, "number: bytes of its value that follow; -1: null")    \
	X(FEATURE_NAME, "text: in an ApiVersions response, KIP-584")           \
	X(FEATURE_MIN, "number: its lowest version that a broker has")         \
	X(FEATURE_MAX, "number: its highest")                                  \
	X(FINALIZED_MAX, "number: its highest version in use in the cluster")  \
	X(FINALIZED_MIN, "number: its lowest")                                 \
	X(PARTITION_CUT, "number: the first byte, of an index that is cut")    \
	X(ERROR_CUT, "number: the first byte, of an error code that is cut")   \
	X(TIMEOUT, "number: ms; of who joins a group, of transactions")        \
	X(ERROR_MESSAGE, "number: bytes of it that follow; -1: null")          \
	X(NUMBER_CUT, "number: the first byte, of another that is cut")            \
	X(THROTTLE_CUT, "number: of a throttle time that lacks its last byte")
/* clang-format on */

enum lp_fact_kind {
	LP_FACT_NONE = 0,
#define X(name, text) LP_FACT_##name,
	LP_FACTS(X)
#undef X
	    LP_FACT_KINDS,
};

/* Texts are told up to so many bytes; full_len says how long they are. */
enum { LP_FACT_TEXT_MAX = 255 };

struct lp_fact {
	uint8_t kind; /* enum lp_fact_kind */
	bool null; /* a null text, a null array */
	uint8_t width; /* bytes of a number on the wire; of a length 0 */
	uint32_t at; /* of its first byte, counted from the frame's size */
	int64_t value; /* a number, host order */
	/*
	 * A text: in the segment itself where it lies in one piece, else in
	 * the walk; good until the walk goes on.
	 */
	const uint8_t *bytes;
	uint16_t len; /* at most LP_FACT_TEXT_MAX */
	uint32_t full_len;
};

/* "topic_name"; NULL for others. */
const char *lp_fact_name(unsigned kind);

#endif
