/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between protobuf and the plain structs: pack, unpack, validate.
 *
 * Unpacking is the border: whatever passes it is well formed (sizes, ranges,
 * enum values, NUL termination), so nobody behind it asks again.  Whether
 * objects fit each other is lp_config_check()'s to say.
 */
#ifndef LP_PROTO_MESSAGE_H
#define LP_PROTO_MESSAGE_H

#include <stddef.h>

#include "proto/frame.h"
#include "proto/lightpath.pb-c.h"
#include "proto/object.h"

enum {
	/* Between lp-controld and lp-dataplane: the range this code speaks. */
	LP_DATAPLANE_PROTOCOL_MIN = 1,
	LP_DATAPLANE_PROTOCOL_MAX = 1,
	/* Between lpctl and lp-controld. */
	LP_CONTROL_PROTOCOL = 1,
	/* One packed object is smaller than this; asserted by a test. */
	LP_OBJECT_PACKED_MAX = 2048,
	/* And one packed rule than this, with its frame. */
	LP_RULE_PACKED_MAX = 1024,
};

/* What a dataplane says in HELLO if it answers KafkaStatsRequest. */
#define LP_CAPABILITY_KAFKA_STATS "kafka-stats"
/* Or if it keeps inline listeners, or rewrites addresses of brokers. */
#define LP_CAPABILITY_INLINE "mode.inline"
#define LP_CAPABILITY_REWRITE "rewrite"
/* ... if it takes TopicIdsKnown; and it sends TopicIdsLearnt. */
#define LP_CAPABILITY_TOPIC_IDS "topic-ids"
/* Or if it sends BrokersSeen. */
#define LP_CAPABILITY_DISCOVERY "discovery"
/* Or if it takes rules, and what listeners say of them. */
#define LP_CAPABILITY_RULES "rules"
/* Or if it answers RuleStatsRequest. */
#define LP_CAPABILITY_RULE_STATS "rule-stats"
/* Or if it answers DenialsRequest. */
#define LP_CAPABILITY_DENIALS "denials"

/*
 * Frames a message: *frame is malloc'ed, header included, and the caller's
 * to free.  0, -ENOMEM, or -EMSGSIZE beyond LP_FRAME_SIZE_MAX.
 */
int lp_message_frame(
    uint8_t **frame, size_t *frame_len, const ProtobufCMessage *message);

/*
 * NULL if the bytes are not such a message, are more than a frame holds, or
 * have an enum value without a name or an address that is not 16 bytes; bytes
 * of packets (fields called data) are of any length.
 * Texts are at most as long as the frame.  Free with
 * lp__pb__..._message__free_unpacked(m, NULL).
 */
Lp__Pb__DataplaneMessage *lp_message_unpack_dataplane(
    const uint8_t *payload, size_t len);
Lp__Pb__ControlRequest *lp_message_unpack_request(
    const uint8_t *payload, size_t len);
Lp__Pb__ControlReply *lp_message_unpack_reply(
    const uint8_t *payload, size_t len);

/* The bytes that an unpacked message holds, with all its parts; or more. */
size_t lp_message_memory_of(const ProtobufCMessage *message);

/* An enum lp_object_kind, or 0 for a message of no kind that we know. */
unsigned lp_message_object_kind(const Lp__Pb__Object *message);

/*
 * A plain object from its message, checked by lp_object_check().  0, or
 * -EINVAL with the field (constant string) and the reason.
 */
int lp_message_to_object(struct lp_object *object,
    const Lp__Pb__Object *message, const char **field, char why[LP_WHY_SIZE]);

/*
 * Overwrites those fields of *object that the message carries; the kinds
 * must agree.  For SET and ADD: repeated addresses only if replace_addresses,
 * gateways only if replace_gateway.  Ids are left alone: they are the
 * daemon's.  Not checked as a whole; *object is unchanged on failure.
 */
int lp_message_merge_object(struct lp_object *object,
    const Lp__Pb__Object *message, bool replace_addresses, bool replace_gateway,
    const char **field, char why[LP_WHY_SIZE]);

/*
 * A message that borrows from *object and lives in *holder: no allocation,
 * valid while both are.
 */
struct lp_message_object {
	Lp__Pb__Object message;
	union {
		Lp__Pb__Port port;
		Lp__Pb__Cluster cluster;
		Lp__Pb__Broker broker;
		Lp__Pb__Listener listener;
		Lp__Pb__ListenerEndpoint endpoint;
		Lp__Pb__Rule rule;
	};
	Lp__Pb__Endpoint ip_port;
	Lp__Pb__Prefix prefixes[LP_PORT_ADDRESSES_MAX];
	Lp__Pb__Prefix *prefix_list[LP_PORT_ADDRESSES_MAX];
};
Lp__Pb__Object *lp_message_from_object(
    struct lp_message_object *holder, const struct lp_object *object);

/* The bytes of the packed object. */
size_t lp_message_object_size(const struct lp_object *object);

/* Packs the object as in OBJECT frames; returns its bytes (<= max). */
size_t lp_message_pack_object(
    uint8_t *buf, size_t max, const struct lp_object *object);

/* An endpoint message that lives in *holder and borrows from *endpoint. */
Lp__Pb__Endpoint *lp_message_from_endpoint(
    Lp__Pb__Endpoint *holder, const struct lp_endpoint *endpoint);
/* 0, or -EINVAL: absent, not 16 bytes, or port out of 1..65535. */
int lp_message_to_endpoint(
    struct lp_endpoint *endpoint, const Lp__Pb__Endpoint *message);

#endif
