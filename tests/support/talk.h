/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka conversations as byte streams, and an account of what is in them: what
 * an observer should count.  Written out by hand from the protocol's
 * description, so that it shares nothing with the walker and its tables.
 *
 *	ApiVersions 3, Metadata 9, Produce 9 (acks 0, 1 and -1), Fetch 11 and 12
 *
 * And where groups are asked for, half of them of
 *
 *	OffsetFetch 1 to 9, JoinGroup 0 to 9, Heartbeat 0 to 4, InitProducerId 0
 *	to 4, ConsumerGroupHeartbeat 0 and 1, ShareGroupHeartbeat 1,
 *	StreamsGroupHeartbeat 0 and 1
 *
 * Records are random bytes.  Brokers answer in order; a Produce with acks=0 is
 * not answered.  Source: https://kafka.apache.org/protocol
 */
#ifndef LP_TESTS_SUPPORT_TALK_H
#define LP_TESTS_SUPPORT_TALK_H

#include "tests/support/sim.h"

enum {
	TALK_MESSAGES_MAX = 256,
	TALK_TOPICS = 4,
	TALK_PARTITIONS_MAX = 1 << 14,
	TALK_NAMES_MAX = 1 << 12,
	TALK_GROUPS = 3,
	TALK_OFFSETS_MAX = 1 << 14,
	TALK_CLIENTS = 3,
	TALK_TEXT_MAX = 64,
};

enum talk_api {
	TALK_PRODUCE = 0, /* as on the wire */
	TALK_FETCH = 1,
	TALK_METADATA = 3,
	TALK_OFFSET_FETCH = 9,
	TALK_JOIN_GROUP = 11,
	TALK_HEARTBEAT = 12,
	TALK_API_VERSIONS = 18,
	TALK_INIT_PRODUCER_ID = 22,
	TALK_CONSUMER_HEARTBEAT = 68,
	TALK_SHARE_HEARTBEAT = 76,
	TALK_STREAMS_HEARTBEAT = 88,
	TALK_APIS,
};

/* A request, and its response if there is one. */
struct talk_message {
	int16_t api, version;
	int16_t acks; /* of a Produce */
	int32_t correlation;
	uint8_t client; /* index of its client id */
	bool flexible; /* its version, KIP-482 */
	bool answered;
	/* Of a group, or of a transactional id, if it has one: its index; a
	 * Produce has but one, "transaction". */
	bool has_group;
	uint8_t group;
	/* Of a heartbeat that says that its member leaves. */
	bool leaves;
	size_t number_at; /* of a request as a whole: its number, */
	size_t error_at; /* and in its answer the error code, */
	size_t text_at, text_len; /* and what is said of that */
	size_t request_at, request_len; /* with the size field */
	size_t response_at, response_len;
};

struct talk_counts {
	uint64_t requests, responses;
	uint64_t request_bytes, response_bytes; /* with the size field */
	uint64_t records_in, records_out; /* bytes, of requests, of responses */
	uint64_t errors; /* error codes that are not 0 */
	uint64_t throttled; /* responses whose throttle_time is not 0 */
};

struct talk_topic {
	char name[TALK_TEXT_MAX];
	/* Elements that name it, in requests and in responses. */
	uint64_t produce_requests, fetch_requests, metadata_requests;
	uint64_t produce_responses, fetch_responses, metadata_responses;
	uint64_t partitions_in, partitions_out;
	uint64_t records_in, records_out; /* bytes */
};

/* Where the index of a partition is, of a Produce or a Fetch. */
struct talk_partition {
	bool response; /* there an error code follows it at once */
	uint8_t topic; /* index */
	uint16_t message; /* index */
	size_t at; /* in what its end writes */
};

/* Where a topic of a Metadata is. */
struct talk_name {
	bool response;
	uint8_t topic; /* index */
	uint16_t message; /* index */
	size_t error_at; /* of a response: its error code, in front of it */
	size_t last_at; /* the last byte of its name */
};

/* What an answer to an OffsetFetch tells of a partition. */
struct talk_offset {
	uint8_t topic; /* index */
	uint8_t group; /* index */
	uint16_t message; /* index */
	size_t at; /* of the offset, */
	size_t len; /* with the epoch behind it, if there is one */
	size_t error_at;
};

struct talk_client {
	char id[TALK_TEXT_MAX]; /* empty: an empty one */
	bool null;
	uint64_t requests;
	uint64_t request_bytes;
};

struct talk_account {
	struct talk_counts total;
	struct talk_counts api[TALK_APIS]; /* by enum talk_api */
	uint64_t acks[3]; /* Produce requests with -1, 0, 1 */
	struct talk_topic topic[TALK_TOPICS];
	struct talk_client client[TALK_CLIENTS];
};

struct talk {
	uint64_t random;
	struct sim_bytes bytes[2]; /* by enum sim_who: what it writes */
	unsigned count;
	struct talk_message messages[TALK_MESSAGES_MAX];
	struct talk_account account;
	unsigned partition_count;
	struct talk_partition partitions[TALK_PARTITIONS_MAX];
	unsigned name_count;
	struct talk_name names[TALK_NAMES_MAX];
	bool has_groups;
	char groups[TALK_GROUPS][TALK_TEXT_MAX]; /* transactional ids, too */
	unsigned offset_count;
	struct talk_offset offsets[TALK_OFFSETS_MAX];

	/* When it runs as the application of a simulation. */
	unsigned pipeline; /* requests that wait for an answer at most */
	uint64_t answer_ns; /* that the broker takes, at most */
	unsigned asked, heard, answered; /* messages */
	uint64_t due_ns; /* of the next answer; 0: not asked yet */
};

/* About so many bytes in each direction, at least one request. */
void talk_open(
    struct talk *talk, uint64_t seed, size_t client_bytes, size_t broker_bytes);
/* Requests of groups, too. */
void talk_open_groups(
    struct talk *talk, uint64_t seed, size_t client_bytes, size_t broker_bytes);
void talk_free(struct talk *talk);

/*
 * An application for sim_run(): the client asks, several at a time, the broker
 * answers what it has read whole, and both close at the end.
 */
void talk_run(void *talk, struct sim *sim);

#endif
