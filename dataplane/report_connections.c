/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronization: the worker changes connections while we read them, and it
 * must not be held up, so there is no lock.  A row is copied twice; it is
 * shown only if both copies are equal, in use, and the undo slot named another
 * connection before, between and after.
 *
 * What a packet changes is changed under the undo slot: a worker that is in the
 * middle of it and does not move (it was preempted) shows there; one that moves
 * changes the row between the copies.  Adding and removing are not: a place is
 * free until all of its connection is there, and free again before another one
 * is written to it, so that a row in use is whole and one that is filled
 * between the copies differs in them.
 *
 * A row that keeps changing is tried again a bounded number of times and then
 * left out of this answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/clock.h"
#include "dataplane/kafka/talkers.h"
#include "dataplane/reply.h"
#include "dataplane/report.h"

enum { COPY_TRIES = 100 };

/* A connection and what is known of Kafka in it, of one moment. */
struct copy {
	struct lp_conn conn;
	struct lp_kafka_conn kafka;
};

struct rows {
	Lp__Pb__Connection *list[LP_ROWS_MAX];
	struct lp_report_row rows[LP_ROWS_MAX];
	size_t count;
	size_t bytes; /* of all of them, packed */
};

enum {
	/* Two names, and what has a bound without them. */
	ROW_BYTES_MAX = LP_REPORT_TEXT_SIZE(LP_TALKER_NAME_MAX) +
	    LP_REPORT_TEXT_SIZE(LP_KAFKA_NAME_MAX) + 1024,
};

static bool next_row(struct rows *rows, const struct lp_dataplane *dataplane,
    struct lp_report_cursor *cursor);
static bool copy_row(
    const struct lp_region *region, uint32_t index, struct copy *out);
static void copy_both(
    struct copy *to, const struct lp_region *region, uint32_t index);
static void racy_copy(void *to, const void *from, size_t len);
static bool being_changed(const struct lp_region *region, uint32_t index);
static void fill_kafka(struct lp_report_row *row,
    const struct lp_kafka_conn *conn, const struct lp_talker_list *clients);
static bool client_name(
    char *out, const struct lp_talker_list *clients, uint32_t handle);
static void fill_endpoint(struct lp_report_row *row, unsigned place,
    Lp__Pb__Endpoint **field, const struct lp_ip *ip, uint16_t port);
static void fill_names(Lp__Pb__Connection *message, const struct lp_conn *conn,
    const struct lp_config *config);

void
lp_report_connections_begin(
    struct lp_report_cursor *cursor, uint64_t cookie, uint32_t limit)
{
	*cursor = (struct lp_report_cursor){
	    .cookie = cookie,
	    .left = limit == 0 ? UINT32_MAX : limit,
	};
}

int
lp_report_connections(struct evbuffer *out,
    const struct lp_dataplane *dataplane, struct lp_report_cursor *cursor,
    bool *more)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__ConnectionsReply reply = LP__PB__CONNECTIONS_REPLY__INIT;
	struct rows *rows = malloc(sizeof(*rows));
	int error;

	if (!rows)
		return -ENOMEM;
	rows->count = rows->bytes = 0;
	*more = true;
	while (*more && rows->count < LP_ROWS_MAX &&
	    rows->bytes + ROW_BYTES_MAX <= LP_REPORT_ROWS_BYTES)
		*more = next_row(rows, dataplane, cursor);
	reply.cookie = cursor->cookie;
	reply.n_connections = rows->count;
	reply.connections = rows->list;
	reply.has_more = *more;
	reply.more = *more;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_CONNECTIONS_REPLY;
	message.connections_reply = &reply;
	error = lp_reply_send(out, &message);
	free(rows);
	return error;
}

/* Adds the next connection; false if there is none. */
static bool
next_row(struct rows *rows, const struct lp_dataplane *dataplane,
    struct lp_report_cursor *cursor)
{
	const struct lp_region *region = &dataplane->region;
	struct copy copy;

	while (cursor->left > 0 &&
	    cursor->next < region->header->connection_count) {
		if (!copy_row(region, cursor->next++, &copy))
			continue;
		lp_report_connections_fill(&rows->rows[rows->count], &copy.conn,
		    &dataplane->running.config);
		fill_kafka(&rows->rows[rows->count], &copy.kafka,
		    &region->kafka_stats->clients);
		rows->list[rows->count] = &rows->rows[rows->count].message;
		rows->bytes += protobuf_c_message_get_packed_size(
				   &rows->rows[rows->count].message.base) +
		    LP_REPORT_ROW_OVERHEAD;
		rows->count++;
		cursor->left--;
		return true;
	}
	return false;
}

bool
lp_report_connections_copy(
    const struct lp_region *region, uint32_t index, struct lp_conn *out)
{
	struct copy copy;

	if (!copy_row(region, index, &copy))
		return false;
	*out = copy.conn;
	return true;
}

static bool
copy_row(const struct lp_region *region, uint32_t index, struct copy *out)
{
	struct copy again;

	for (int i = 0; i < COPY_TRIES; i++) {
		bool changing = being_changed(region, index);

		copy_both(out, region, index);
		if (!changing && out->conn.use == LP_CONN_FREE)
			return false;
		changing |= being_changed(region, index);
		copy_both(&again, region, index);
		changing |= being_changed(region, index);
		if (!changing && memcmp(out, &again, sizeof(again)) == 0)
			return out->conn.use == LP_CONN_USED;
	}
	return false;
}

static void
copy_both(struct copy *to, const struct lp_region *region, uint32_t index)
{
	racy_copy(&to->conn, &region->connections[index], sizeof(to->conn));
	racy_copy(&to->kafka, &region->kafka.conns[index], sizeof(to->kafka));
}

/*
 * A copy that may be torn; the caller finds out.  Word by word and volatile,
 * so that no word is read twice and no memcpy() is made of it; and not
 * watched by ThreadSanitizer, which rightly calls it a race.
 */
static __attribute__((no_sanitize("thread"))) void
racy_copy(void *to, const void *from, size_t len)
{
	const volatile uint64_t *read = from;
	uint64_t *write = to;

	assert(len % sizeof(*read) == 0);
	for (size_t i = 0; i < len / sizeof(*read); i++)
		write[i] = read[i];
	atomic_thread_fence(memory_order_acquire);
}

static bool
being_changed(const struct lp_region *region, uint32_t index)
{
	return atomic_load_explicit(
		   &region->undo->marked, memory_order_acquire) == index + 1;
}

void
lp_report_connections_fill(struct lp_report_row *row,
    const struct lp_conn *conn, const struct lp_config *config)
{
	Lp__Pb__Connection *message = &row->message;
	uint32_t now_s = (uint32_t)(lp_clock_ns() / 1000000000);

	lp__pb__connection__init(message);
	message->has_listener_id = true;
	message->listener_id = conn->listener_id;
	message->has_broker_id = true;
	message->broker_id = conn->broker_id;
	fill_endpoint(
	    row, 0, &message->client, &conn->client_ip, conn->client_port);
	fill_endpoint(row, 1, &message->vip, &conn->vip_ip, conn->vip_port);
	fill_endpoint(
	    row, 2, &message->source, &conn->source_ip, conn->source_port);
	fill_endpoint(
	    row, 3, &message->broker, &conn->broker_ip, conn->broker_port);
	message->state = conn->tcp.state < LP_TCP_STATES
	    ? (char *)lp_tcp_state_name(conn->tcp.state)
	    : NULL;
	message->has_age_ms = true;
	message->age_ms = (uint64_t)(now_s - conn->opened_s) * 1000;
	message->has_idle_ms = true;
	message->idle_ms = (uint64_t)(now_s - conn->last_s) * 1000;
	message->has_client_bytes = true;
	message->client_bytes = conn->bytes[LP_TO_BROKER];
	message->has_broker_bytes = true;
	message->broker_bytes = conn->bytes[LP_TO_CLIENT];
	message->has_client_packets = true;
	message->client_packets = conn->packets[LP_TO_BROKER];
	message->has_broker_packets = true;
	message->broker_packets = conn->packets[LP_TO_CLIENT];
	fill_names(message, conn, config);
}

static void
fill_kafka(struct lp_report_row *row, const struct lp_kafka_conn *conn,
    const struct lp_talker_list *clients)
{
	static const char *const words[] = {
	    [LP_KAFKA_LIVE] = "kafka",
	    [LP_KAFKA_LOST] = "lost",
	    [LP_KAFKA_TLS] = "tls",
	    [LP_KAFKA_OPAQUE] = "opaque",
	};
	Lp__Pb__Connection *message = &row->message;
	bool live = conn->mode == LP_KAFKA_LIVE;

	if (conn->mode == LP_KAFKA_OFF || conn->mode > LP_KAFKA_OPAQUE)
		return;
	/* Nothing was said yet: it may be anything. */
	if (live && !(conn->flags & LP_KAFKA_SPOKE))
		return;
	message->content = (char *)words[conn->mode];
	if (conn->mode == LP_KAFKA_OPAQUE && (conn->flags & LP_KAFKA_SNI))
		message->content = (char *)words[LP_KAFKA_TLS];
	message->has_in_flight = live;
	message->in_flight = conn->inflight_count;
	if (client_name(row->client_id, clients, conn->client))
		message->client_id = row->client_id;
	lp_report_text(row->name, (const uint8_t *)conn->name, conn->name_len);
	if (conn->flags & LP_KAFKA_NAMED)
		message->principal = row->name;
	else if (conn->flags & LP_KAFKA_SNI)
		message->server_name = row->name;
}

/* Of that handle, if it still is whose it was. */
static bool
client_name(char *out, const struct lp_talker_list *clients, uint32_t handle)
{
	const uint32_t mask = (1u << LP_TALKER_INDEX_BITS) - 1;
	const struct lp_talker *talker = &clients->places[handle & mask];
	uint64_t words[(LP_TALKER_NAME_MAX + 1) / 8];
	uint32_t serial = atomic_load(&talker->serial);
	uint16_t len = atomic_load(&talker->name_len);
	bool null = atomic_load(&talker->null);

	if ((handle & mask) == LP_TALKER_OTHER ||
	    serial << LP_TALKER_INDEX_BITS != (handle & ~mask))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		words[i] = atomic_load(&talker->name[i]);
	if (atomic_load(&talker->serial) != serial || null ||
	    len > LP_TALKER_NAME_MAX)
		return false;
	lp_report_text(out, (const uint8_t *)words, len);
	return true;
}

static void
fill_endpoint(struct lp_report_row *row, unsigned place,
    Lp__Pb__Endpoint **field, const struct lp_ip *ip, uint16_t port)
{
	row->endpoints[place].ip = *ip;
	row->endpoints[place].port = port;
	*field = lp_message_from_endpoint(
	    &row->messages[place], &row->endpoints[place]);
}

/* Names are of now; the connection may be older than its configuration. */
static void
fill_names(Lp__Pb__Connection *message, const struct lp_conn *conn,
    const struct lp_config *config)
{
	const struct lp_object *listener =
	    lp_config_find(config, LP_OBJECT_LISTENER, conn->listener_id);
	const struct lp_object *broker =
	    lp_config_find(config, LP_OBJECT_BROKER, conn->broker_id);
	const struct lp_object *cluster = listener
	    ? lp_config_find(
		  config, LP_OBJECT_CLUSTER, listener->listener.cluster_id)
	    : NULL;

	if (cluster)
		message->cluster = (char *)cluster->cluster.name;
	if (listener)
		message->listener = (char *)listener->listener.name;
	if (broker) {
		message->has_node_id = true;
		message->node_id = broker->broker.node_id;
	}
}
