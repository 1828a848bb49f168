/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka conversations that tell clients where brokers are, and what a client
 * of a listener that rewrites should read of them: every answer is written
 * twice from one model, as the broker says it and as the client is to be told.
 * Written by hand from the protocol's description; shares nothing with what it
 * tests.
 *
 *	ApiVersions 0-3, Metadata 0-13, FindCoordinator 0-6, DescribeCluster
 *	0-2, Produce 3-13 (acks 0, 1, -1), Fetch 4-18, ShareFetch and
 *	ShareAcknowledge 1-2, these four with NodeEndpoints
 *
 * A broker's own host is made of letters that occur nowhere else, see
 * address_talk_leaks().  Source: https://kafka.apache.org/protocol
 */
#ifndef LP_TESTS_SUPPORT_ADDRESS_TALK_H
#define LP_TESTS_SUPPORT_ADDRESS_TALK_H

#include "tests/support/sim.h"

enum {
	ADDRESS_MESSAGES_MAX = 64,
	ADDRESS_BROKERS_MAX = 3000,
	ADDRESS_HOST_MAX = 249, /* of those that a broker tells */
	ADDRESS_HOST_SIZE = 256,
};

enum address_api {
	ADDRESS_PRODUCE = 0, /* as on the wire */
	ADDRESS_FETCH = 1,
	ADDRESS_METADATA = 3,
	ADDRESS_COORDINATOR = 10,
	ADDRESS_VERSIONS = 18,
	ADDRESS_CLUSTER = 60,
	ADDRESS_SHARE_FETCH = 78,
	ADDRESS_SHARE_ACKNOWLEDGE = 79,
};

/* A broker, as a cluster speaks of it. */
struct address_node {
	int32_t id;
	int32_t port;
	char host[ADDRESS_HOST_SIZE];
	char rack[16]; /* empty: null */
};

/* A request, and its response if there is one. */
struct address_message {
	int16_t api, version;
	int16_t acks; /* of a Produce */
	int32_t correlation;
	bool answered;
	uint32_t nodes; /* at most so many in its response */
	uint32_t filler; /* bytes of records or of topics, about */
	uint64_t pause_ns; /* before it is answered */
	size_t request_at, request_len; /* with the size field */
	size_t response_at, response_len; /* as the broker writes it */
	size_t told_at, told_len; /* as the client reads it */
};

struct address_talk {
	uint64_t random;
	/* Where a client is to be told that a node is; false: as it was. */
	bool (*tell)(const struct address_node *node, struct address_node *as);
	/* Hints are told where all hosts keep their length, else hidden. */
	bool tells_hints;
	bool long_hosts; /* that have room for an id and two bytes */
	struct sim_bytes bytes[2]; /* by enum sim_who: what it writes */
	struct sim_bytes told; /* what the client reads */
	unsigned count;
	struct address_message messages[ADDRESS_MESSAGES_MAX];
	uint64_t nodes, edited; /* told of, and answers that are changed */
	uint64_t hinted, hidden; /* answers with hints that are told, and not */

	/* When it runs as the application of a simulation. */
	unsigned pipeline; /* requests that wait for an answer at most */
	unsigned asked, heard, answered; /* messages */
	uint64_t due_ns; /* of the next answer; 0: not asked yet */
	size_t written; /* of it, already */
	/* The broker writes no more than so much, and closes then; 0: all. */
	size_t stop_at;
	size_t split_at; /* it pauses there; 0: nowhere */
};

/* Nothing is said yet.  `tell` may be NULL: nothing is changed. */
void address_talk_open(struct address_talk *talk, uint64_t seed,
    bool (*tell)(const struct address_node *node, struct address_node *as));
void address_talk_free(struct address_talk *talk);

/* Draws a message that needs about so many bytes of answer at most. */
void address_talk_draw(struct address_talk *talk, size_t bytes);

/* A request of that version, and an answer of so many nodes. */
struct address_message *address_talk_add(struct address_talk *talk,
    enum address_api api, int16_t version, uint32_t nodes, uint32_t filler);

/* Whether there is anything in those bytes of a broker's own address. */
bool address_talk_leaks(const uint8_t *bytes, size_t len);

/*
 * An application for sim_run(): the client asks, several at a time, the broker
 * answers what it has read whole, and both close at the end.
 */
void address_talk_run(void *talk, struct sim *sim);

#endif
