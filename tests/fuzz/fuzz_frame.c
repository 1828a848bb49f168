/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of frames, as it comes from a socket: each is unpacked as all
 * three messages, and every object in it is converted.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/config.h"
#include "proto/message.h"
#include "tests/fuzz/fuzz.h"

/* What passes the border is well formed: it packs to itself again. */
static void
take_object(const Lp__Pb__Object *message)
{
	uint8_t packed[LP_OBJECT_PACKED_MAX];
	struct lp_object object, again;
	struct lp_message_object holder;
	char why[LP_WHY_SIZE];
	const char *field;
	int rc;

	if (lp_message_to_object(&object, message, &field, why)) {
		assert(strlen(field) > 0 && strlen(why) > 0);
		return;
	}
	assert(lp_object_check(&object, &field, why) == 0);
	lp_message_pack_object(packed, sizeof(packed), &object);
	lp_message_from_object(&holder, &object);
	rc = lp_message_to_object(&again, &holder.message, &field, why);
	assert(rc == 0);
	assert(memcmp(&object, &again, sizeof(object)) == 0);
}

static void
take_dataplane(const uint8_t *payload, size_t len)
{
	Lp__Pb__DataplaneMessage *message =
	    lp_message_unpack_dataplane(payload, len);

	if (!message)
		return;
	if (message->body_case == LP__PB__DATAPLANE_MESSAGE__BODY_OBJECT)
		take_object(message->object->object);
	lp__pb__dataplane_message__free_unpacked(message, NULL);
}

static void
take_request(const uint8_t *payload, size_t len)
{
	Lp__Pb__ControlRequest *message =
	    lp_message_unpack_request(payload, len);
	const Lp__Pb__Transaction *transaction;

	if (!message)
		return;
	transaction = message->transaction;
	if (message->body_case == LP__PB__CONTROL_REQUEST__BODY_TRANSACTION)
		for (size_t i = 0; i < transaction->n_operations; i++)
			if (transaction->operations[i]->object)
				take_object(transaction->operations[i]->object);
	lp__pb__control_request__free_unpacked(message, NULL);
}

static void
take_reply(const uint8_t *payload, size_t len)
{
	Lp__Pb__ControlReply *message = lp_message_unpack_reply(payload, len);

	if (!message)
		return;
	if (message->body_case == LP__PB__CONTROL_REPLY__BODY_SHOW)
		for (size_t i = 0; i < message->show->n_objects; i++)
			take_object(message->show->objects[i]);
	lp__pb__control_reply__free_unpacked(message, NULL);
}

static void
take_payload(const uint8_t *payload, size_t len)
{
	take_dataplane(payload, len);
	take_request(payload, len);
	take_reply(payload, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *payload;
	size_t len;

	/* Whatever the length says: else few mutations would get far. */
	if (size > LP_FRAME_HEADER_SIZE)
		take_payload(
		    data + LP_FRAME_HEADER_SIZE, size - LP_FRAME_HEADER_SIZE);
	while (lp_frame_next(data, size, &payload, &len) == LP_OK) {
		assert(payload == data + LP_FRAME_HEADER_SIZE);
		assert(len > 0 && len <= size - LP_FRAME_HEADER_SIZE);
		take_payload(payload, len);
		size -= LP_FRAME_HEADER_SIZE + len;
		data += LP_FRAME_HEADER_SIZE + len;
	}
	return 0;
}

static size_t
frame(uint8_t *data, size_t max, const ProtobufCMessage *message)
{
	uint8_t *bytes;
	size_t len;
	int rc = lp_message_frame(&bytes, &len, message);

	assert(rc == 0 && len <= max);
	memcpy(data, bytes, len);
	free(bytes);
	return len;
}

static void
make_object(struct lp_object *object, unsigned kind)
{
	lp_object_init(object, kind);
	object->id = 7;
	switch (kind) {
	case LP_OBJECT_PORT:
		strcpy(object->port.name, "front");
		strcpy(object->port.device, "eth0");
		lp_prefix_parse(
		    &object->port.addresses[0], "10.9.0.10/24", NULL);
		lp_prefix_parse(
		    &object->port.addresses[1], "2001:db8::10/64", NULL);
		object->port.address_count = 2;
		lp_ip_parse(&object->port.gateway_v4, "10.9.0.1", NULL);
		break;
	case LP_OBJECT_CLUSTER:
		strcpy(object->cluster.name, "payments");
		break;
	case LP_OBJECT_BROKER:
		object->broker.cluster_id = 1;
		strcpy(object->broker.host, "broker-1");
		lp_endpoint_parse(&object->broker.real, "10.8.0.20:9092", NULL);
		break;
	case LP_OBJECT_LISTENER:
		object->listener.cluster_id = 1;
		object->listener.broker_base = 9100;
		strcpy(object->listener.name, "public");
		lp_endpoint_parse(
		    &object->listener.vip, "[2001:db8::64]:9092", NULL);
		break;
	case LP_OBJECT_ENDPOINT:
		object->endpoint.listener_id = 2;
		object->endpoint.broker_id = 3;
		lp_endpoint_parse(
		    &object->endpoint.vip, "10.9.0.100:9100", NULL);
		break;
	case LP_OBJECT_RULE:
		strcpy(object->rule.name, "deny-x");
		strcpy(object->rule.match, "api=Fetch topic=pay*");
		strcpy(object->rule.action, "deny");
		break;
	}
}

static size_t
seed_request(uint8_t *data, size_t max, Lp__Pb__Object *object)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	Lp__Pb__Transaction transaction = LP__PB__TRANSACTION__INIT;
	Lp__Pb__Operation operation = LP__PB__OPERATION__INIT;
	Lp__Pb__Operation *operations[] = {&operation, &operation};

	request.protocol = LP_CONTROL_PROTOCOL;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_TRANSACTION;
	request.transaction = &transaction;
	transaction.n_operations = 2;
	transaction.operations = operations;
	operation.verb = LP__PB__OPERATION__VERB__ADD;
	operation.kind = LP_OBJECT_PORT;
	operation.object = object;
	return frame(data, max, &request.base);
}

static size_t
seed_reply(uint8_t *data, size_t max, Lp__Pb__Object *object)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__ShowReply show = LP__PB__SHOW_REPLY__INIT;
	Lp__Pb__Object *objects[] = {object, object};

	reply.body_case = LP__PB__CONTROL_REPLY__BODY_SHOW;
	reply.show = &show;
	show.n_objects = 2;
	show.objects = objects;
	return frame(data, max, &reply.base);
}

static size_t
seed_kafka(uint8_t *data, size_t max)
{
	uint32_t buckets[] = {0, 700, 2111};
	uint64_t counts[] = {1, UINT64_MAX, 1u << 20};
	Lp__Pb__Histogram histogram = LP__PB__HISTOGRAM__INIT;
	Lp__Pb__KafkaApiStats api = LP__PB__KAFKA_API_STATS__INIT;
	Lp__Pb__KafkaApiStats *apis[] = {&api, &api};
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__KafkaStatsReply reply = LP__PB__KAFKA_STATS_REPLY__INIT;
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;

	histogram.n_buckets = histogram.n_counts = 3;
	histogram.buckets = buckets;
	histogram.counts = counts;
	api.api = (char *)"Produce";
	api.latency = api.transfer = &histogram;
	stats.n_apis = 2;
	stats.apis = apis;
	reply.stats = &stats;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_KAFKA_STATS_REPLY;
	message.kafka_stats_reply = &reply;
	return frame(data, max, &message.base);
}

static size_t
seed_denials(uint8_t *data, size_t max)
{
	uint8_t ip[sizeof(struct lp_ip)] = {0};
	Lp__Pb__Endpoint client = LP__PB__ENDPOINT__INIT;
	Lp__Pb__Denial denial = LP__PB__DENIAL__INIT;
	Lp__Pb__Denial *denials[] = {&denial, &denial};
	Lp__Pb__DenialsReply reply = LP__PB__DENIALS_REPLY__INIT;
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;

	client.ip.data = ip;
	client.ip.len = sizeof(ip);
	client.port = 51000;
	denial.action = (char *)"deny";
	denial.client = &client;
	denial.topic = (char *)"secret";
	reply.n_denials = 2;
	reply.denials = denials;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_DENIALS_REPLY;
	message.denials_reply = &reply;
	return frame(data, max, &message.base);
}

/*
 * An OBJECT frame, a request and a reply with an object of each kind; then
 * Kafka statistics, and denials.
 */
size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__ObjectFrame object_frame = LP__PB__OBJECT_FRAME__INIT;
	unsigned kind = LP_OBJECT_PORT + index / 3;
	struct lp_message_object holder;
	struct lp_object object;

	if (index == 3 * (LP_OBJECT_KINDS - LP_OBJECT_PORT))
		return seed_kafka(data, max);
	if (index == 3 * (LP_OBJECT_KINDS - LP_OBJECT_PORT) + 1)
		return seed_denials(data, max);
	if (kind >= LP_OBJECT_KINDS)
		return 0;
	make_object(&object, kind);
	object_frame.object = lp_message_from_object(&holder, &object);
	if (index % 3 == 1)
		return seed_request(data, max, object_frame.object);
	if (index % 3 == 2)
		return seed_reply(data, max, object_frame.object);
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_OBJECT;
	message.object = &object_frame;
	return frame(data, max, &message.base);
}
