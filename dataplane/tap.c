/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle: new ▸ pump … ▸ stop ▸ pump until the ring is empty ▸ free.
 *
 * Synchronization: the worker sees the capture by one pointer, which it reads
 * once a batch; after that was taken away and a grace period has passed it is
 * control's alone.
 *
 * The filter is compiled when the capture begins: a listener or a broker that
 * is configured later is not in it.
 */
#include "dataplane/tap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/clock.h"
#include "dataplane/grace.h"
#include "dataplane/reply.h"

enum {
	PACKETS_MAX = 64, /* of one frame */
	COMMENT_SIZE = 512,
	/* Of a packet in a frame: its fields and its comment. */
	PACKET_EXTRA = COMMENT_SIZE + 64,
	FRAME_ROOM = LP_FRAME_SIZE_MAX - 8192, /* ports, and the rest */
	SNAP_MIN = 64,
};

struct lp_tap {
	struct lp_dataplane *dataplane;
	struct lp_capture *capture;
	uint64_t cookie;
	uint64_t real_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	bool begun; /* and that was said */
	bool stopped;
	uint32_t told[LP_PORTS_MAX]; /* id of the port they know in a slot */
};

/* One frame, with all that its message refers to. */
struct frame {
	Lp__Pb__CaptureReply reply;
	Lp__Pb__CapturePort ports[LP_PORTS_MAX];
	Lp__Pb__CapturePort *port_list[LP_PORTS_MAX];
	Lp__Pb__CapturedPacket packets[PACKETS_MAX];
	Lp__Pb__CapturedPacket *packet_list[PACKETS_MAX];
	char comments[PACKETS_MAX][COMMENT_SIZE];
	uint8_t *bytes; /* copies: the ring goes on */
	size_t room;
};

static int compile(struct lp_capture *capture,
    const struct lp_dataplane *dataplane, const Lp__Pb__CaptureFilter *filter,
    char why[LP_WHY_SIZE]);
static int compile_client(struct lp_capture *capture,
    const Lp__Pb__Prefix *prefix, char why[LP_WHY_SIZE]);
static int compile_port(struct lp_capture *capture,
    const struct lp_dataplane *dataplane, const char *name,
    char why[LP_WHY_SIZE]);
static int compile_listener(struct lp_capture *capture,
    const struct lp_config *config, const char *name, char why[LP_WHY_SIZE]);
static int compile_broker(struct lp_capture *capture,
    const struct lp_config *config, int32_t node_id, char why[LP_WHY_SIZE]);
static int make_ring(struct lp_capture *capture,
    const struct lp_dataplane *dataplane, uint32_t snaplen);
static void unpublish(struct lp_tap *tap);
static int send_frame(
    struct lp_tap *tap, struct evbuffer *out, struct frame *frame, bool more);
static void tell_port(struct lp_tap *tap, struct frame *frame, uint8_t slot);
static void add_packet(struct lp_tap *tap, struct frame *frame,
    const struct lp_capture_entry *entry);
static void comment(char text[COMMENT_SIZE],
    const struct lp_capture_entry *entry, const struct lp_config *config);

int
lp_tap_new(struct lp_tap **out, struct lp_dataplane *dataplane,
    const Lp__Pb__CaptureRequest *request, char why[LP_WHY_SIZE])
{
	const Lp__Pb__CaptureFilter *filter = request->filter;
	struct lp_tap *tap;
	int error;

	if (dataplane->tapped) {
		snprintf(why, LP_WHY_SIZE,
		    "another capture runs already; a dataplane has one at a "
		    "time");
		return -EBUSY;
	}
	if (!dataplane->worker) {
		snprintf(why, LP_WHY_SIZE, "it has no open port");
		return -EINVAL;
	}
	tap = calloc(1, sizeof(*tap));
	if (tap)
		tap->capture = aligned_alloc(64, sizeof(*tap->capture));
	if (!tap || !tap->capture) {
		free(tap);
		snprintf(why, LP_WHY_SIZE, "no memory");
		return -ENOMEM;
	}
	tap->dataplane = dataplane;
	tap->cookie = request->cookie;
	tap->real_offset_ns = lp_clock_real_ns() - lp_clock_ns();
	memset(tap->capture, 0, sizeof(*tap->capture));
	error = compile(tap->capture, dataplane, filter, why);
	if (!error) {
		error = make_ring(tap->capture, dataplane,
		    filter->has_snaplen ? filter->snaplen : 0);
		if (error)
			snprintf(why, LP_WHY_SIZE, "no memory for its ring");
	}
	if (error) {
		free(tap->capture);
		free(tap);
		return error;
	}
	dataplane->tapped = true;
	lp_pipeline_capture(
	    lp_worker_pipeline(dataplane->worker), tap->capture);
	*out = tap;
	return 0;
}

void
lp_tap_free(struct lp_tap *tap)
{
	if (!tap)
		return;
	unpublish(tap);
	free(tap->capture->entries);
	free(tap->capture);
	free(tap);
}

void
lp_tap_stop(struct lp_tap *tap)
{
	unpublish(tap);
}

int
lp_tap_pump(struct lp_tap *tap, struct evbuffer *out, size_t max, bool *more)
{
	struct lp_capture *capture = tap->capture;
	size_t limit = evbuffer_get_length(out) + max;
	struct frame *frame = malloc(sizeof(*frame) + FRAME_ROOM);
	const struct lp_capture_entry *entry;
	int error = 0;

	if (!frame)
		return -ENOMEM;
	do {
		lp__pb__capture_reply__init(&frame->reply);
		frame->bytes = (uint8_t *)(frame + 1);
		frame->room = FRAME_ROOM;
		entry = lp_capture_oldest(capture);
		while (entry && frame->reply.n_packets < PACKETS_MAX &&
		    (size_t)entry->cut + PACKET_EXTRA <= frame->room) {
			add_packet(tap, frame, entry);
			lp_capture_consumed(capture);
			entry = lp_capture_oldest(capture);
		}
		*more = entry || !tap->stopped;
		if (frame->reply.n_packets > 0 || !*more || !tap->begun)
			error = send_frame(tap, out, frame, *more);
		tap->begun = true;
	} while (!error && entry && evbuffer_get_length(out) < limit);
	free(frame);
	return error;
}

uint64_t
lp_tap_cookie(const struct lp_tap *tap)
{
	return tap->cookie;
}

int
lp_tap_refuse(struct evbuffer *out, uint64_t cookie, const char *why)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__CaptureReply reply = LP__PB__CAPTURE_REPLY__INIT;

	reply.cookie = cookie;
	reply.why = (char *)why;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_REPLY;
	message.capture_reply = &reply;
	return lp_reply_send(out, &message);
}

static int
compile(struct lp_capture *capture, const struct lp_dataplane *dataplane,
    const Lp__Pb__CaptureFilter *filter, char why[LP_WHY_SIZE])
{
	const struct lp_config *config = &dataplane->running.config;
	int error = 0;

	capture->slots = UINT16_MAX;
	capture->sent = filter->sent;
	if (filter->client)
		error = compile_client(capture, filter->client, why);
	if (!error && filter->port)
		error = compile_port(capture, dataplane, filter->port, why);
	if (!error && filter->listener)
		error =
		    compile_listener(capture, config, filter->listener, why);
	if (!error && filter->has_node_id)
		error = compile_broker(capture, config, filter->node_id, why);
	return error;
}

static int
compile_client(struct lp_capture *capture, const Lp__Pb__Prefix *prefix,
    char why[LP_WHY_SIZE])
{
	uint8_t mask[16] = {0};
	struct lp_ip ip;
	uint32_t len = prefix->len;

	/* The border lets pass what is not 16 bytes only where it is absent */
	if (prefix->ip.len != sizeof(ip.bytes)) {
		snprintf(why, LP_WHY_SIZE, "client: no address");
		return -EINVAL;
	}
	memcpy(ip.bytes, prefix->ip.data, sizeof(ip.bytes));
	if (len > (lp_ip_is_v4(&ip) ? 32 : 128)) {
		snprintf(why, LP_WHY_SIZE, "client: prefix too long");
		return -EINVAL;
	}
	if (lp_ip_is_v4(&ip))
		len += 96;
	for (uint32_t i = 0; i < len; i++)
		mask[i / 8] |= (uint8_t)(0x80u >> i % 8);
	memcpy(capture->client_mask, mask, sizeof(mask));
	memcpy(capture->client, ip.bytes, sizeof(ip.bytes));
	for (int i = 0; i < 2; i++)
		capture->client[i] &= capture->client_mask[i];
	return 0;
}

static int
compile_port(struct lp_capture *capture, const struct lp_dataplane *dataplane,
    const char *name, char why[LP_WHY_SIZE])
{
	capture->slots = 0;
	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		const struct lp_port_slot *slot = &dataplane->ports.slots[i];

		if (slot->id != 0 && strcmp(slot->object.name, name) == 0)
			capture->slots |= (uint16_t)(1u << i);
	}
	if (capture->slots != 0)
		return 0;
	snprintf(why, LP_WHY_SIZE, "it runs no port \"%.64s\"", name);
	return -EINVAL;
}

/* "NAME", of any cluster, or "CLUSTER/NAME". */
static int
compile_listener(struct lp_capture *capture, const struct lp_config *config,
    const char *name, char why[LP_WHY_SIZE])
{
	const char *slash = strchr(name, '/');
	size_t cluster_len = slash ? (size_t)(slash - name) : 0;
	const char *wanted = slash ? slash + 1 : name;

	for (size_t i = 0; i < config->count; i++) {
		const struct lp_object *object = &config->objects[i];
		const struct lp_object *cluster;

		if (object->kind != LP_OBJECT_LISTENER ||
		    strcmp(object->listener.name, wanted) != 0 ||
		    capture->listener_count == LP_CAPTURE_IDS_MAX)
			continue;
		cluster = lp_config_find(
		    config, LP_OBJECT_CLUSTER, object->listener.cluster_id);
		if (slash &&
		    (!cluster || strlen(cluster->cluster.name) != cluster_len ||
			memcmp(cluster->cluster.name, name, cluster_len) != 0))
			continue;
		capture->listeners[capture->listener_count++] = object->id;
	}
	if (capture->listener_count > 0)
		return 0;
	snprintf(why, LP_WHY_SIZE, "it runs no listener \"%.128s\"", name);
	return -EINVAL;
}

static int
compile_broker(struct lp_capture *capture, const struct lp_config *config,
    int32_t node_id, char why[LP_WHY_SIZE])
{
	for (size_t i = 0; i < config->count; i++) {
		const struct lp_object *object = &config->objects[i];

		if (object->kind == LP_OBJECT_BROKER &&
		    object->broker.node_id == node_id &&
		    capture->broker_count < LP_CAPTURE_IDS_MAX)
			capture->brokers[capture->broker_count++] = object->id;
	}
	if (capture->broker_count > 0)
		return 0;
	snprintf(
	    why, LP_WHY_SIZE, "it runs no broker of node id %" PRId32, node_id);
	return -EINVAL;
}

/* As many entries as fit its memory: the largest frame decides. */
static int
make_ring(struct lp_capture *capture, const struct lp_dataplane *dataplane,
    uint32_t snaplen)
{
	uint32_t snap = SNAP_MIN;

	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		const struct lp_port *port = dataplane->ports.slots[i].port;

		if (port && port->mtu + 18u > snap)
			snap = port->mtu + 18u;
	}
	if (snaplen != 0 && snaplen < snap)
		snap = snaplen < SNAP_MIN ? SNAP_MIN : snaplen;
	if (snap > LP_TRACE_PACKET_MAX)
		snap = LP_TRACE_PACKET_MAX;
	capture->snap = (uint16_t)snap;
	capture->stride = lp_capture_stride(capture->snap);
	capture->count = 1;
	while (capture->count * 2 * capture->stride <= LP_CAPTURE_RING_BYTES)
		capture->count *= 2;
	capture->entries =
	    aligned_alloc(64, (size_t)capture->count * capture->stride);
	return capture->entries ? 0 : -ENOMEM;
}

static void
unpublish(struct lp_tap *tap)
{
	struct lp_dataplane *dataplane = tap->dataplane;

	if (tap->stopped)
		return;
	lp_pipeline_capture(lp_worker_pipeline(dataplane->worker), NULL);
	lp_worker_wake(dataplane->worker);
	lp_grace_wait(&dataplane->cell);
	tap->stopped = true;
	dataplane->tapped = false;
}

static int
send_frame(
    struct lp_tap *tap, struct evbuffer *out, struct frame *frame, bool more)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__CaptureReply *reply = &frame->reply;

	reply->cookie = tap->cookie;
	reply->ports = frame->port_list;
	reply->packets = frame->packet_list;
	reply->has_more = true;
	reply->more = more;
	if (!more) {
		reply->has_captured = reply->has_dropped = true;
		reply->captured = lp_count_get(&tap->capture->captured);
		reply->dropped = lp_count_get(&tap->capture->dropped);
	}
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_REPLY;
	message.capture_reply = reply;
	return lp_reply_send(out, &message);
}

/* Once, or when another port has taken the place. */
static void
tell_port(struct lp_tap *tap, struct frame *frame, uint8_t slot)
{
	const struct lp_port_slot *port = &tap->dataplane->ports.slots[slot];
	Lp__Pb__CapturePort *message;

	/* A port that has gone since is still the one they know. */
	if ((port->id == 0 && tap->told[slot] != 0) ||
	    (port->id != 0 && port->id == tap->told[slot]) ||
	    frame->reply.n_ports == LP_PORTS_MAX)
		return;
	message = &frame->ports[frame->reply.n_ports];
	lp__pb__capture_port__init(message);
	message->slot = slot;
	message->name = (char *)port->object.name;
	message->device = (char *)port->object.device;
	tap->told[slot] = port->id;
	frame->port_list[frame->reply.n_ports++] = message;
}

static void
add_packet(struct lp_tap *tap, struct frame *frame,
    const struct lp_capture_entry *entry)
{
	size_t n = frame->reply.n_packets++;
	Lp__Pb__CapturedPacket *message = &frame->packets[n];

	tell_port(tap, frame, entry->slot);
	memcpy(frame->bytes, entry->bytes, entry->cut);
	comment(frame->comments[n], entry, &tap->dataplane->running.config);
	lp__pb__captured_packet__init(message);
	message->slot = entry->slot;
	message->time_ns = entry->time_ns + tap->real_offset_ns;
	message->data.data = frame->bytes;
	message->data.len = entry->cut;
	message->len = entry->len;
	message->has_sent = true;
	message->sent = entry->sent;
	message->comment = frame->comments[n];
	frame->packet_list[n] = message;
	frame->bytes += entry->cut;
	frame->room -= (size_t)entry->cut + PACKET_EXTRA;
}

/* "connection 7 from the client, payments/public, broker 1: opened; NOTE" */
static void
comment(char text[COMMENT_SIZE], const struct lp_capture_entry *entry,
    const struct lp_config *config)
{
	const struct lp_object *listener =
	    lp_config_find(config, LP_OBJECT_LISTENER, entry->listener_id);
	const struct lp_object *broker =
	    lp_config_find(config, LP_OBJECT_BROKER, entry->broker_id);
	const struct lp_object *cluster = listener
	    ? lp_config_find(
		  config, LP_OBJECT_CLUSTER, listener->listener.cluster_id)
	    : NULL;
	char node[16] = "?";

	if (broker)
		snprintf(
		    node, sizeof(node), "%" PRId32, broker->broker.node_id);
	snprintf(text, COMMENT_SIZE,
	    "connection %" PRIu32 " from the %s, %s/%s, broker %s: %s%s%.*s",
	    entry->conn_serial,
	    entry->dir == LP_TO_BROKER ? "client" : "broker",
	    cluster ? cluster->cluster.name : "?",
	    listener ? listener->listener.name : "?", node,
	    lp_reason_name(entry->reason), entry->note.len > 0 ? "; " : "",
	    (int)entry->note.len, entry->note.text);
}
