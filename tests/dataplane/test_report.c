/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/report.h"

#include <event2/buffer.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/clock.h"
#include "dataplane/kafka/talkers.h"
#include "dataplane/region.h"
#include "tests/dataplane/cold.h"

enum {
	CONNECTIONS = 1000,
	CHANGES = 16, /* of a connection, at most: then it is another */
};

static struct lp_dataplane dataplane;

static void
begin(void)
{
	cold_config(&dataplane.running.config);
	ck_assert_int_eq(
	    lp_region_open(&dataplane.region, NULL, CONNECTIONS, 4096), 0);
}

static void
end(void)
{
	lp_region_close(&dataplane.region);
	lp_config_fini(&dataplane.running.config);
}

/* What packets change, after so many changes of connection `number`. */
static void
fill_changing(struct lp_conn *conn, uint32_t number, uint32_t changes)
{
	uint64_t both = (uint64_t)number * CHANGES + changes;

	conn->tcp.state = LP_TCP_ESTABLISHED;
	conn->bytes[LP_TO_BROKER] = both;
	conn->bytes[LP_TO_CLIENT] = both;
	conn->packets[LP_TO_BROKER] = both;
	conn->packets[LP_TO_CLIENT] = both;
}

/* Everything of a connection follows from its number. */
static void
fill(struct lp_conn *conn, uint32_t number)
{
	const uint8_t v4[4] = {10, (uint8_t)(number >> 16),
	    (uint8_t)(number >> 8), (uint8_t)number};

	fill_changing(conn, number, 0);
	lp_ip_from_v4(&conn->client_ip, v4);
	lp_ip_from_v4(&conn->vip_ip, v4);
	lp_ip_from_v4(&conn->source_ip, v4);
	lp_ip_from_v4(&conn->broker_ip, v4);
	conn->client_port = (uint16_t)(number % 1000 + 1);
	conn->vip_port = conn->client_port;
	conn->source_port = conn->client_port;
	conn->broker_port = conn->client_port;
	conn->listener_id = PAYMENTS_PUBLIC;
	conn->broker_id = PAYMENTS_1;
	conn->serial = number;
	conn->use = LP_CONN_USED;
}

static Lp__Pb__DataplaneMessage *
take_message(struct evbuffer *out)
{
	const uint8_t *data = evbuffer_pullup(out, -1);
	const uint8_t *payload;
	size_t len;
	Lp__Pb__DataplaneMessage *message;

	ck_assert_int_eq(
	    lp_frame_next(data, evbuffer_get_length(out), &payload, &len),
	    LP_OK);
	message = lp_message_unpack_dataplane(payload, len);
	ck_assert_ptr_nonnull(message);
	evbuffer_drain(out, LP_FRAME_HEADER_SIZE + len);
	return message;
}

static void
check_end(const Lp__Pb__Endpoint *end, const struct lp_conn *expected)
{
	struct lp_endpoint got;

	ck_assert_int_eq(lp_message_to_endpoint(&got, end), 0);
	ck_assert(lp_ip_equal(&got.ip, &expected->client_ip));
	ck_assert_uint_eq(got.port, expected->client_port);
}

static void
check_row(const Lp__Pb__Connection *row)
{
	struct lp_conn expected;

	fill(&expected, (uint32_t)(row->client_bytes / CHANGES));
	ck_assert_uint_eq(row->broker_bytes, row->client_bytes);
	ck_assert_uint_eq(row->client_packets, row->client_bytes);
	ck_assert_uint_eq(row->broker_packets, row->client_bytes);
	check_end(row->client, &expected);
	check_end(row->vip, &expected);
	check_end(row->source, &expected);
	check_end(row->broker, &expected);
	ck_assert_str_eq(row->state, "ESTABLISHED");
	ck_assert_str_eq(row->cluster, "payments");
	ck_assert_str_eq(row->listener, "public");
	ck_assert_int_eq(row->node_id, 1);
}

/* The rows of a whole answer; each is checked. */
static unsigned
count_rows(uint32_t limit, unsigned *frames)
{
	struct evbuffer *out = evbuffer_new();
	struct lp_report_cursor cursor;
	unsigned rows = 0;
	bool more = true;

	lp_report_connections_begin(&cursor, 77, limit);
	for (*frames = 0; more; (*frames)++) {
		Lp__Pb__DataplaneMessage *message;
		const Lp__Pb__ConnectionsReply *reply;

		ck_assert_int_eq(
		    lp_report_connections(out, &dataplane, &cursor, &more), 0);
		message = take_message(out);
		reply = message->connections_reply;
		ck_assert_uint_eq(reply->cookie, 77);
		ck_assert_int_eq(reply->more, more);
		ck_assert_uint_le(reply->n_connections, LP_ROWS_MAX);
		for (size_t i = 0; i < reply->n_connections; i++)
			check_row(reply->connections[i]);
		rows += (unsigned)reply->n_connections;
		lp__pb__dataplane_message__free_unpacked(message, NULL);
	}
	evbuffer_free(out);
	return rows;
}

START_TEST(all_connections_are_reported_in_bounded_frames)
{
	unsigned frames;

	begin();
	ck_assert_uint_eq(count_rows(0, &frames), 0);
	ck_assert_uint_eq(frames, 1);
	for (uint32_t i = 0; i < CONNECTIONS; i += 2)
		fill(&dataplane.region.connections[i], i);
	ck_assert_uint_eq(count_rows(0, &frames), CONNECTIONS / 2);
	ck_assert_uint_eq(frames, 4);
	ck_assert_uint_eq(count_rows(130, &frames), 130);
	ck_assert_uint_eq(frames, 2);
	end();
}
END_TEST

/* Of a client whose names are of these bytes, as many as there may be. */
static void
fill_kafka(struct lp_kafka_conn *conn, char byte)
{
	enum { PLACE = 5, SERIAL = 3 };
	struct lp_talker *talker =
	    &dataplane.region.kafka_stats->clients.places[PLACE];
	uint64_t word;

	memset(&word, byte, sizeof(word));
	atomic_store(&talker->serial, SERIAL);
	atomic_store(&talker->name_len, LP_TALKER_NAME_MAX);
	for (size_t i = 0; i < sizeof(talker->name) / sizeof(word); i++)
		atomic_store(&talker->name[i], word);
	conn->client = SERIAL << LP_TALKER_INDEX_BITS | PLACE;
	conn->mode = LP_KAFKA_LIVE;
	conn->flags = LP_KAFKA_SPOKE | LP_KAFKA_NAMED;
	conn->name_len = LP_KAFKA_NAME_MAX;
	memset(conn->name, byte, LP_KAFKA_NAME_MAX);
}

START_TEST(long_names_make_more_frames)
{
	unsigned frames;

	begin();
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		fill(&dataplane.region.connections[i], i);
		fill_kafka(&dataplane.region.kafka.conns[i], '\xff');
	}
	ck_assert_uint_eq(count_rows(0, &frames), CONNECTIONS);
	ck_assert_uint_gt(frames, CONNECTIONS / LP_ROWS_MAX + 1);
	end();
}
END_TEST

START_TEST(names_of_a_connection_are_readable)
{
	static const char principal[] = "J\xc3\xbcrgen\xff\n";
	struct evbuffer *out = evbuffer_new();
	struct lp_report_cursor cursor;
	struct lp_kafka_conn *conn;
	Lp__Pb__DataplaneMessage *message;
	const Lp__Pb__Connection *row;
	bool more = true;

	begin();
	fill(&dataplane.region.connections[0], 0);
	conn = &dataplane.region.kafka.conns[0];
	fill_kafka(conn, '\xff');
	conn->name_len = (uint8_t)strlen(principal);
	memcpy(conn->name, principal, sizeof(principal));
	lp_report_connections_begin(&cursor, 77, 0);
	ck_assert_int_eq(
	    lp_report_connections(out, &dataplane, &cursor, &more), 0);
	message = take_message(out);
	row = message->connections_reply->connections[0];
	ck_assert_str_eq(row->principal, "J\xc3\xbcrgen\\xff\\x0a");
	ck_assert_uint_eq(strlen(row->client_id), 4 * LP_TALKER_NAME_MAX);
	ck_assert_int_eq(strncmp(row->client_id, "\\xff\\xff", 8), 0);
	lp__pb__dataplane_message__free_unpacked(message, NULL);
	evbuffer_free(out);
	end();
}
END_TEST

START_TEST(connection_that_is_being_changed_is_left_out)
{
	unsigned frames;

	begin();
	fill(&dataplane.region.connections[3], 3);
	fill(&dataplane.region.connections[4], 4);
	lp_region_begin(&dataplane.region, 3);
	ck_assert_uint_eq(count_rows(0, &frames), 1);
	lp_region_end(&dataplane.region);
	ck_assert_uint_eq(count_rows(0, &frames), 2);
	end();
}
END_TEST

enum { WRITTEN = 4 };

struct writer {
	atomic_bool stop;
	_Atomic uint32_t rounds;
};

/*
 * As the worker: not instrumented, because the reader is meant to race with
 * it and to find out.  Now and then it is preempted in the middle.
 */
static __attribute__((no_sanitize("thread"))) void
overwrite(struct lp_conn *conn, const struct lp_conn *from, size_t len,
    bool preempted)
{
	volatile uint64_t *to = (volatile uint64_t *)conn;

	for (size_t i = 0; i < len / sizeof(*to); i++) {
		if (preempted && i == len / sizeof(*to) / 2)
			usleep(100);
		to[i] = ((const uint64_t *)from)[i];
	}
}

/* The place is another connection's: only its use says when. */
static void
begin_anew(uint32_t index, uint32_t number, bool preempted)
{
	struct lp_conn *conn = &dataplane.region.connections[index];
	struct lp_conn next = {0};

	atomic_store_explicit(&conn->use, LP_CONN_FREE, memory_order_release);
	fill(&next, number);
	next.use = LP_CONN_FREE;
	overwrite(conn, &next, sizeof(next), preempted);
	atomic_store_explicit(&conn->use, LP_CONN_USED, memory_order_release);
}

/* A packet. */
static void
change(uint32_t index, uint32_t number, uint32_t changes, bool preempted)
{
	struct lp_conn next = {0};

	fill_changing(&next, number, changes);
	overwrite(lp_region_begin(&dataplane.region, index), &next,
	    LP_CONN_CHANGING, preempted);
	lp_region_end(&dataplane.region);
}

static void *
write_rows(void *arg)
{
	struct writer *writer = arg;

	for (uint32_t round = 1; !atomic_load(&writer->stop); round++) {
		uint32_t number = round / CHANGES;
		bool preempted = round % 4001 == 0;

		if (round % CHANGES == 0)
			begin_anew(number % WRITTEN, number, preempted);
		else if (number > 0)
			change(number % WRITTEN, number, round % CHANGES,
			    preempted);
		atomic_store(&writer->rounds, round);
	}
	return NULL;
}

START_TEST(no_row_is_torn)
{
	struct writer writer = {0};
	pthread_t thread;
	unsigned frames;
	unsigned rows = 0;

	begin();
	ck_assert_int_eq(pthread_create(&thread, NULL, write_rows, &writer), 0);
	/* Both must have had their turns, however they are scheduled. */
	while (atomic_load(&writer.rounds) < 1000000 || rows < 50000)
		rows += count_rows(WRITTEN, &frames);
	atomic_store(&writer.stop, true);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(count_rows(0, &frames), WRITTEN);
	end();
}
END_TEST

START_TEST(every_reason_has_its_counter)
{
	struct evbuffer *out = evbuffer_new();
	Lp__Pb__DataplaneMessage *message;
	const Lp__Pb__Stats *stats;

	begin();
	lp_count_add(&dataplane.region.stats->reasons[LP_REASON_ARP], 42);
	ck_assert_int_eq(lp_report_stats(out, &dataplane, 5), 0);
	message = take_message(out);
	ck_assert_uint_eq(message->stats_reply->cookie, 5);
	stats = message->stats_reply->stats;
	ck_assert_uint_eq(stats->n_reasons, LP_REASON_COUNT - 1);
	for (unsigned i = 1; i < LP_REASON_COUNT; i++) {
		ck_assert_str_eq(
		    stats->reasons[i - 1]->name, lp_reason_name(i));
		ck_assert_uint_eq(
		    stats->reasons[i - 1]->value, i == LP_REASON_ARP ? 42 : 0);
	}
	ck_assert_uint_eq(stats->n_verdicts, LP_VERDICTS - 1);
	ck_assert_uint_eq(stats->n_endpoints, 0);
	lp__pb__dataplane_message__free_unpacked(message, NULL);
	while (evbuffer_get_length(out) > 0) {
		message = take_message(out);
		lp__pb__dataplane_message__free_unpacked(message, NULL);
	}
	evbuffer_free(out);
	end();
}
END_TEST

START_TEST(endpoints_are_reported_by_name)
{
	struct lp_endpoint_stats *stats;
	struct evbuffer *out = evbuffer_new();
	Lp__Pb__DataplaneMessage *message;
	const Lp__Pb__EndpointStats *row;

	begin();
	stats = &dataplane.region.endpoints[100];
	stats->listener_id = ORDERS_PUBLIC;
	stats->broker_id = ORDERS_1;
	lp_count_set(&stats->open, 3);
	lp_count_set(&stats->bytes[LP_TO_CLIENT], 999);
	ck_assert_int_eq(lp_report_stats(out, &dataplane, 5), 0);
	message = take_message(out);
	ck_assert_uint_eq(message->stats_reply->stats->n_endpoints, 1);
	row = message->stats_reply->stats->endpoints[0];
	ck_assert_str_eq(row->cluster, "orders");
	ck_assert_str_eq(row->listener, "public");
	ck_assert_int_eq(row->node_id, 1);
	ck_assert_uint_eq(row->connections_open, 3);
	ck_assert_uint_eq(row->broker_bytes, 999);
	ck_assert(!message->stats_reply->more);
	ck_assert_uint_eq(evbuffer_get_length(out), 0);
	lp__pb__dataplane_message__free_unpacked(message, NULL);
	evbuffer_free(out);
	end();
}
END_TEST

/* What the link of the next report says. */
static struct lp_port_link said;

static void
say_link(struct lp_port *port, struct lp_port_link *link)
{
	(void)port;
	*link = said;
}

static unsigned
say_nothing(
    const struct lp_port *port, struct lp_port_counter counters[], unsigned max)
{
	(void)port;
	(void)counters;
	(void)max;
	return 0;
}

/* The first two slots have ports; the first is open, the second is not. */
static Lp__Pb__DataplaneMessage *
report_ports(void)
{
	static const struct lp_backend_ops ops = {
	    .link = say_link, .counters = say_nothing};
	static struct lp_port port;
	struct evbuffer *out = evbuffer_new();
	Lp__Pb__DataplaneMessage *message;

	begin();
	dataplane.ports.ops = &ops;
	for (unsigned i = 0; i < 2; i++) {
		struct lp_port_slot *slot = &dataplane.ports.slots[i];

		slot->id = FRONT + i;
		slot->object = lp_config_find(
		    &dataplane.running.config, LP_OBJECT_PORT, FRONT + i)
				   ->port;
	}
	dataplane.ports.slots[0].port = &port;
	lp_count_set(&dataplane.region.stats->queues[0].queued, 1);
	lp_count_set(&dataplane.region.stats->queues[0].waited, 2);
	lp_count_set(&dataplane.region.stats->queues[0].full, 3);
	lp_count_set(&dataplane.region.stats->queues[0].dropped, 4);
	strcpy(dataplane.ports.slots[1].why, "no such device");
	ck_assert_int_eq(lp_report_stats(out, &dataplane, 5), 0);
	message = take_message(out);
	ck_assert_uint_eq(message->stats_reply->stats->n_ports, 2);
	evbuffer_free(out);
	memset(&dataplane.ports, 0, sizeof(dataplane.ports));
	end();
	return message;
}

START_TEST(all_that_a_link_says_is_reported)
{
	Lp__Pb__DataplaneMessage *message;
	const Lp__Pb__PortStats *row;

	said = (struct lp_port_link){.present = true,
	    .up = true,
	    .mtu = 9000,
	    .queues = 4,
	    .mode = "zero-copy",
	    .driver = "mlx5_core",
	    .numa_node = 0,
	    .speed_mbps = 100000,
	    .offloads = "rx-ip-checksum rss"};
	message = report_ports();
	row = message->stats_reply->stats->ports[0];
	ck_assert(row->up);
	ck_assert_uint_eq(row->mtu, 9000);
	ck_assert_uint_eq(row->queues, 4);
	ck_assert_str_eq(row->mode, "zero-copy");
	ck_assert_str_eq(row->driver, "mlx5_core");
	ck_assert(row->has_numa_node);
	ck_assert_int_eq(row->numa_node, 0);
	ck_assert_uint_eq(row->speed_mbps, 100000);
	ck_assert_str_eq(row->offloads, "rx-ip-checksum rss");
	ck_assert_ptr_null(row->why);
	lp__pb__dataplane_message__free_unpacked(message, NULL);
}
END_TEST

START_TEST(what_waits_for_a_port_is_among_its_counters)
{
	static const char *const names[] = {
	    "tx_queued", "tx_waited", "tx_queue_full", "tx_queue_dropped"};
	Lp__Pb__DataplaneMessage *message;
	const Lp__Pb__PortStats *row;

	said = (struct lp_port_link){.present = true};
	message = report_ports();
	row = message->stats_reply->stats->ports[0];
	ck_assert_uint_eq(row->n_counters, 4);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_str_eq(row->counters[i]->name, names[i]);
		ck_assert_uint_eq(row->counters[i]->value, i + 1);
	}
	ck_assert_uint_eq(message->stats_reply->stats->ports[1]->n_counters, 0);
	lp__pb__dataplane_message__free_unpacked(message, NULL);
}
END_TEST

START_TEST(what_is_not_known_of_a_port_is_left_out)
{
	Lp__Pb__DataplaneMessage *message;
	const Lp__Pb__PortStats *row;

	said = (struct lp_port_link){.present = true,
	    .mode = "copy",
	    .numa_node = -1,
	    .why = "no carrier"};
	message = report_ports();
	row = message->stats_reply->stats->ports[0];
	ck_assert(!row->up);
	ck_assert(row->has_mtu);
	ck_assert_ptr_null(row->driver);
	ck_assert(!row->has_numa_node);
	ck_assert(!row->has_speed_mbps);
	ck_assert_str_eq(row->offloads, "");
	ck_assert_str_eq(row->why, "no carrier");
	/* Not open: by this it is known. */
	row = message->stats_reply->stats->ports[1];
	ck_assert(row->has_up && !row->up);
	ck_assert(!row->has_mtu && !row->has_queues);
	ck_assert(!row->has_numa_node && !row->has_speed_mbps);
	ck_assert_ptr_null(row->mode);
	ck_assert_ptr_null(row->driver);
	ck_assert_ptr_null(row->offloads);
	ck_assert_str_eq(row->why, "no such device");
	lp__pb__dataplane_message__free_unpacked(message, NULL);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    all_connections_are_reported_in_bounded_frames,
	    long_names_make_more_frames,
	    names_of_a_connection_are_readable,
	    connection_that_is_being_changed_is_left_out,
	    no_row_is_torn,
	    every_reason_has_its_counter,
	    endpoints_are_reported_by_name,
	    what_waits_for_a_port_is_among_its_counters,
	    all_that_a_link_says_is_reported,
	    what_is_not_known_of_a_port_is_left_out,
	    NULL,
	};

	return cold_run("report", tests);
}
