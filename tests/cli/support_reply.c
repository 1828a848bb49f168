/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed answers: one small installation, seen from every side. */
#include "tests/cli/support.h"

#include <check.h>

#include "proto/message.h"

#define S UINT64_C(1000000000)

#define REPLY(name, CASE, member)                                              \
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;              \
	reply.cookie = SUPPORT_COOKIE;                                         \
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_##CASE;                  \
	reply.member = &(name)

void
support_reply_changed(struct support_bytes *bytes)
{
	char *notes[] = {
	    "listener payments/public: at most 64512 connections per broker"};
	Lp__Pb__TransactionReply body = LP__PB__TRANSACTION_REPLY__INIT;
	REPLY(body, TRANSACTION, transaction);

	body.generation = 7;
	body.has_applied = body.has_connected = true;
	body.applied = body.connected = 1;
	body.n_notes = 1;
	body.notes = notes;
	support_bytes_add(bytes, &reply);
}

void
support_reply_confirmed(struct support_bytes *bytes)
{
	Lp__Pb__ConfirmReply body = LP__PB__CONFIRM_REPLY__INIT;
	REPLY(body, CONFIRM, confirm);

	body.generation = 7;
	support_bytes_add(bytes, &reply);
}

static void
set_ip(struct lp_ip *ip, const char *text)
{
	ck_assert_int_eq(lp_ip_parse(ip, text, NULL), 0);
}

static void
set_endpoint(struct lp_endpoint *endpoint, const char *text)
{
	ck_assert_int_eq(lp_endpoint_parse(endpoint, text, NULL), 0);
}

static void
make_port(struct lp_object *object, uint32_t id, const char *name,
    const char *device, const char *address, const char *gateway)
{
	lp_object_init(object, LP_OBJECT_PORT);
	object->id = id;
	strcpy(object->port.name, name);
	strcpy(object->port.device, device);
	object->port.address_count = 1;
	ck_assert_int_eq(
	    lp_prefix_parse(&object->port.addresses[0], address, NULL), 0);
	if (gateway != NULL)
		set_ip(&object->port.gateway_v4, gateway);
}

static void
make_broker(struct lp_object *object, uint32_t id, uint32_t cluster_id,
    int32_t node_id, const char *host, const char *real)
{
	lp_object_init(object, LP_OBJECT_BROKER);
	object->id = id;
	object->broker.cluster_id = cluster_id;
	object->broker.node_id = node_id;
	strcpy(object->broker.host, host);
	set_endpoint(&object->broker.real, real);
}

static void
make_listener(struct lp_object *object, uint32_t id, uint32_t cluster_id,
    const char *name, const char *vip)
{
	lp_object_init(object, LP_OBJECT_LISTENER);
	object->id = id;
	object->listener.cluster_id = cluster_id;
	strcpy(object->listener.name, name);
	set_endpoint(&object->listener.vip, vip);
	object->listener.broker_base =
	    (uint16_t)(object->listener.vip.port + 1);
}

static void
make_endpoint(struct lp_object *object, uint32_t id, uint32_t listener_id,
    uint32_t broker_id, const char *vip)
{
	lp_object_init(object, LP_OBJECT_ENDPOINT);
	object->id = id;
	object->endpoint.listener_id = listener_id;
	object->endpoint.broker_id = broker_id;
	set_endpoint(&object->endpoint.vip, vip);
}

enum { OBJECTS = 12 };

static void
make_objects(struct lp_object objects[OBJECTS])
{
	struct lp_object *at = objects;

	make_port(at++, 1, "front", "eth1", "10.9.0.10/24", NULL);
	objects[0].port.side = LP_SIDE_CLIENT;
	strcpy(objects[0].owner, "edge");
	make_port(at, 2, "back", "eth2", "10.0.2.10/24", "10.0.2.1");
	at->port.side = LP_SIDE_BROKER;
	at->port.allow_default_route = true;
	at->port.address_count = 2;
	(void)lp_prefix_parse(&at->port.addresses[1], "fd00:2::10/64", NULL);
	set_ip(&at++->port.gateway_v6, "fd00:2::1");
	lp_object_init(at, LP_OBJECT_CLUSTER);
	at->id = 3;
	at->cluster.discover = true;
	strcpy(at->owner, "team-a");
	strcpy(at++->cluster.name, "payments");
	lp_object_init(at, LP_OBJECT_CLUSTER);
	at->id = 4;
	strcpy(at->cluster.name, "empty");
	at++->cluster.same_as = 3;
	make_broker(at, 5, 3, 1, "kafka-1.internal", "10.0.2.11:9092");
	strcpy(at++->owner, "team-a");
	make_broker(at, 6, 3, 12, "10.0.2.12", "10.0.2.12:9092");
	at++->broker.discovered = true;
	make_broker(at++, 7, 3, 70000, "fd00:2::13", "[fd00:2::13]:9092");
	make_listener(at, 8, 3, "public", "10.9.0.100:9092");
	strcpy(at++->listener.advertise, "kafka.example.com");
	make_listener(at, 9, 3, "v6", "[fd00:9::100]:19092");
	strcpy(at->listener.advertise, "*.k.example.com");
	strcpy(at->owner, "team-a");
	at->listener.kafka = LP_LOOK_OFF;
	at->listener.rewrite = LP_REWRITING_OFF;
	at++->listener.source_address = LP_SOURCE_PRESERVE;
	make_endpoint(at++, 10, 8, 5, "10.9.0.100:9094");
	make_endpoint(at++, 11, 8, 6, "10.9.0.100:9105");
	make_endpoint(at, 12, 9, 7, "[fd00:9::103]:9092");
	at++->endpoint.chosen = true;
	ck_assert_ptr_eq(at, objects + OBJECTS);
}

static void
add_show(struct support_bytes *bytes, const struct lp_object *objects,
    size_t count, bool more)
{
	Lp__Pb__ShowReply body = LP__PB__SHOW_REPLY__INIT;
	struct lp_message_object holders[OBJECTS];
	Lp__Pb__Object *list[OBJECTS];
	REPLY(body, SHOW, show);

	for (size_t i = 0; i < count; i++)
		list[i] = lp_message_from_object(&holders[i], &objects[i]);
	body.generation = 7;
	body.objects = list;
	body.n_objects = count;
	reply.has_more = reply.more = more;
	support_bytes_add(bytes, &reply);
}

void
support_reply_show(struct support_bytes *bytes)
{
	struct lp_object objects[OBJECTS];

	make_objects(objects);
	add_show(bytes, objects, 5, true);
	add_show(bytes, objects + 5, OBJECTS - 5, false);
}

void
support_reply_show_empty(struct support_bytes *bytes)
{
	add_show(bytes, NULL, 0, false);
}

void
support_reply_show_dpdk(struct support_bytes *bytes)
{
	struct lp_object objects[2];

	make_port(&objects[0], 1, "front", "0000:03:00.0,rx-vec=1",
	    "10.9.0.10/24", NULL);
	make_port(&objects[1], 2, "back",
	    "net_memif0,socket=/run/x.sock,role=client", "10.0.2.10/24", NULL);
	objects[0].port.backend = objects[1].port.backend = LP_BACKEND_DPDK;
	objects[0].port.mtu = 9000;
	add_show(bytes, objects, 2, false);
}

void
support_reply_show_inline(struct support_bytes *bytes)
{
	struct lp_object objects[6];

	for (unsigned i = 0; i < 2; i++) {
		make_port(&objects[i], i + 1, i == 0 ? "left" : "right",
		    i == 0 ? "eth1" : "eth2", "10.0.0.1/24", NULL);
		objects[i].port.address_count = 0;
		objects[i].port.on_loss = LP_ON_LOSS_WIRE;
		strcpy(objects[i].port.peer, i == 0 ? "right" : "left");
	}
	lp_object_init(&objects[2], LP_OBJECT_CLUSTER);
	objects[2].id = 3;
	strcpy(objects[2].cluster.name, "payments");
	make_broker(&objects[3], 4, 3, 1, "10.0.2.11", "10.0.2.11:9092");
	make_listener(&objects[4], 5, 3, "seen", "10.0.0.1:1");
	objects[4].listener.vip = (struct lp_endpoint){0};
	objects[4].listener.broker_base = 0;
	objects[4].listener.mode = LP_MODE_INLINE;
	objects[4].listener.source_address = LP_SOURCE_PRESERVE;
	objects[4].listener.rewrite = LP_REWRITING_OFF;
	make_endpoint(&objects[5], 6, 5, 4, "10.0.2.11:9092");
	add_show(bytes, objects, 6, false);
}

/* Both lists end with an element without a name. */
static size_t
make_counters(Lp__Pb__Counter *counters, Lp__Pb__Counter **list,
    const char *const *names, uint64_t first, uint64_t step)
{
	size_t count = 0;

	for (; names[count] != NULL; count++) {
		lp__pb__counter__init(&counters[count]);
		counters[count].name = (char *)names[count];
		counters[count].has_value = true;
		counters[count].value = first;
		first = first >= step ? first - step : 0;
		list[count] = &counters[count];
	}
	return count;
}

static void
add_stats_of(struct support_bytes *bytes, const char *dataplane,
    Lp__Pb__Stats *stats, uint64_t round, bool more)
{
	Lp__Pb__CountersReply body = LP__PB__COUNTERS_REPLY__INIT;
	REPLY(body, COUNTERS, counters);

	stats->has_time_ns = stats->has_uptime_ns = stats->has_restarts = true;
	stats->time_ns = SUPPORT_NOW_NS + round * 2 * S;
	stats->uptime_ns = (3725 + round * 2) * S;
	stats->restarts = 1;
	body.dataplane = (char *)dataplane;
	body.stats = stats;
	reply.has_more = reply.more = more;
	support_bytes_add(bytes, &reply);
}

static void
add_stats(struct support_bytes *bytes, Lp__Pb__Stats *stats, uint64_t round,
    bool more)
{
	add_stats_of(bytes, "edge-1", stats, round, more);
}

static void
add_port_stats(struct support_bytes *bytes, uint64_t round)
{
	static const char *const names[] = {
	    "rx_packets", "rx_bytes", "tx_packets", "rx_ring_full", NULL};
	Lp__Pb__Counter counters[8];
	Lp__Pb__Counter *list[8];
	Lp__Pb__PortStats port = LP__PB__PORT_STATS__INIT;
	Lp__Pb__PortStats *ports[] = {&port};
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;

	port.has_id = port.has_up = port.has_mtu = port.has_queues = true;
	port.id = 1;
	port.name = "front";
	port.device = "eth1";
	port.backend = "af_xdp";
	port.mode = "copy";
	port.why = "the driver has no zero-copy";
	port.up = true;
	port.mtu = 1500;
	port.mac = "02:00:00:00:00:01";
	port.queues = 1;
	port.driver = "veth";
	port.offloads = "";
	port.has_speed_mbps = true;
	port.speed_mbps = 10000;
	port.n_counters =
	    make_counters(counters, list, names, 3000 + 500 * round, 1000);
	port.counters = list;
	stats.n_ports = 1;
	stats.ports = ports;
	add_stats(bytes, &stats, round, true);
}

static void
add_endpoint_stats(struct support_bytes *bytes, uint64_t round)
{
	Lp__Pb__EndpointStats row = LP__PB__ENDPOINT_STATS__INIT;
	Lp__Pb__EndpointStats *rows[] = {&row};
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;

	row.has_listener_id = row.has_broker_id = row.has_node_id = true;
	row.listener_id = 8;
	row.broker_id = 5;
	row.node_id = 1;
	row.cluster = "payments";
	row.listener = "public";
	row.has_connections_opened = row.has_connections_open = true;
	row.has_client_packets = row.has_client_bytes = true;
	row.has_broker_packets = row.has_broker_bytes = row.has_refused = true;
	row.connections_opened = 20 + round;
	row.connections_open = 4;
	row.client_packets = 100 + 10 * round;
	row.client_bytes = UINT64_C(12345678901) + 1000 * round;
	row.broker_packets = 90;
	row.broker_bytes = 8000;
	row.refused = 2;
	stats.n_endpoints = 1;
	stats.endpoints = rows;
	add_stats(bytes, &stats, round, true);
}

void
support_reply_stats(struct support_bytes *bytes, uint64_t round)
{
	static const char *const verdicts[] = {
	    "forwarded", "local", "held", "dropped", NULL};
	static const char *const reasons[] = {
	    "forwarded", "opened", "arp", "not_ours", "runt", NULL};
	static const char *const worker[] = {
	    "busy_ns", "idle_ns", "sleep_ns", "sleeps", NULL};
	static const char *const tables[] = {
	    "connections_max", "connections", "expired", NULL};
	Lp__Pb__Counter counters[4][8];
	Lp__Pb__Counter *lists[4][8];
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;

	add_port_stats(bytes, round);
	add_endpoint_stats(bytes, round);
	stats.n_verdicts =
	    make_counters(counters[0], lists[0], verdicts, 4000, 1500);
	stats.verdicts = lists[0];
	stats.n_reasons =
	    make_counters(counters[1], lists[1], reasons, 3900, 1300);
	stats.reasons = lists[1];
	stats.n_worker = make_counters(
	    counters[2], lists[2], worker, (1 + round) * 1000, 250);
	stats.worker = lists[2];
	stats.n_tables =
	    make_counters(counters[3], lists[3], tables, 1000, 600);
	stats.tables = lists[3];
	add_stats(bytes, &stats, round, false);
}

/* An open port of DPDK. */
static void
make_port_stats(Lp__Pb__PortStats *port, uint32_t id, const char *name,
    const char *driver, uint32_t mbps)
{
	lp__pb__port_stats__init(port);
	port->has_id = port->has_up = port->has_mtu = port->has_queues = true;
	port->id = id;
	port->name = (char *)name;
	port->backend = "dpdk";
	port->mode = port->driver = (char *)driver;
	port->up = true;
	port->mtu = 9000;
	port->mac = "02:00:00:00:00:01";
	port->queues = 1;
	port->has_speed_mbps = mbps != 0;
	port->speed_mbps = mbps;
	port->offloads = "";
}

void
support_reply_ports(struct support_bytes *bytes)
{
	Lp__Pb__PortStats front, back;
	Lp__Pb__PortStats *ports[] = {&front, &back};
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;

	stats.n_ports = 2;
	stats.ports = ports;
	make_port_stats(&front, 1, "front", "mlx5_pci", 100000);
	front.has_numa_node = true;
	front.offloads = "rx-ip-checksum rx-tcp-checksum rss";
	lp__pb__port_stats__init(&back);
	back.has_id = back.has_up = true;
	back.id = 2;
	back.why = "net_memif0: no socket at /run/x.sock";
	add_stats_of(bytes, "edge-1", &stats, 0, true);
	make_port_stats(&front, 1, "front", "net_ixgbe", 10000);
	front.up = false;
	front.has_numa_node = true;
	front.numa_node = 1;
	front.why = "no carrier";
	make_port_stats(&back, 7, "other", "net_memif", 0);
	add_stats_of(bytes, "edge-2", &stats, 0, false);
}

static void
make_connection(Lp__Pb__Connection *connection, Lp__Pb__Endpoint messages[4],
    struct lp_endpoint endpoints[4], const char *const texts[4])
{
	lp__pb__connection__init(connection);
	for (int i = 0; i < 4; i++) {
		set_endpoint(&endpoints[i], texts[i]);
		(void)lp_message_from_endpoint(&messages[i], &endpoints[i]);
	}
	connection->client = &messages[0];
	connection->vip = &messages[1];
	connection->source = &messages[2];
	connection->broker = &messages[3];
	connection->state = "ESTABLISHED";
	connection->cluster = "payments";
	connection->listener = "public";
	connection->has_node_id = true;
	connection->node_id = 1;
	connection->has_age_ms = connection->has_idle_ms = true;
	connection->age_ms = 61000;
	connection->idle_ms = 5;
	connection->content = "kafka";
	connection->client_id = "web-1";
	connection->principal = "alice";
	connection->has_in_flight = true;
	connection->in_flight = 2;
	connection->has_client_bytes = connection->has_broker_bytes = true;
	connection->client_bytes = 1234567;
	connection->broker_bytes = 89;
	connection->has_client_packets = connection->has_broker_packets = true;
	connection->client_packets = 1000;
	connection->broker_packets = 7;
}

void
support_reply_connections(struct support_bytes *bytes)
{
	static const char *const v4[4] = {"10.9.0.1:40000", "10.9.0.100:9092",
	    "10.0.2.10:1024", "10.0.2.11:9092"};
	static const char *const v6[4] = {"[fd00:9::1]:40001",
	    "[fd00:9::100]:19096", "[fd00:9::1]:40001", "[fd00:2::13]:9092"};
	Lp__Pb__Connection connections[2];
	Lp__Pb__Endpoint messages[2][4];
	struct lp_endpoint endpoints[2][4];
	Lp__Pb__Connection *list[1];
	Lp__Pb__ConnectionListReply body = LP__PB__CONNECTION_LIST_REPLY__INIT;
	REPLY(body, CONNECTIONS, connections);

	make_connection(&connections[0], messages[0], endpoints[0], v4);
	make_connection(&connections[1], messages[1], endpoints[1], v6);
	connections[1].listener = "v6";
	connections[1].node_id = 3;
	connections[1].state = "SYN_SENT";
	body.dataplane = "edge-1";
	body.n_connections = 1;
	body.connections = list;
	list[0] = &connections[0];
	reply.has_more = reply.more = true;
	support_bytes_add(bytes, &reply);
	list[0] = &connections[1];
	reply.more = false;
	support_bytes_add(bytes, &reply);
}

void
support_reply_version(struct support_bytes *bytes)
{
	Lp__Pb__VersionReply body = LP__PB__VERSION_REPLY__INIT;
	REPLY(body, VERSION, version);

	body.version = "0.1.0";
	body.has_protocol = body.has_schema = true;
	body.protocol = 1;
	body.schema = 2;
	support_bytes_add(bytes, &reply);
}

void
support_reply_failure(struct support_bytes *bytes,
    Lp__Pb__Failure__Result result, uint32_t place, const char *object,
    const char *field, const char *text)
{
	Lp__Pb__Failure body = LP__PB__FAILURE__INIT;
	REPLY(body, FAILURE, failure);

	body.result = result;
	body.has_place = place != 0;
	body.place = place;
	body.object = (char *)object;
	body.field = (char *)field;
	body.text = (char *)text;
	support_bytes_add(bytes, &reply);
}
