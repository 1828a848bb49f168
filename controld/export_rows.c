/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/export_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct lp_export_place worker_places[] = {
    {"loops", LP_EXPORT_WORKER_LOOPS, NULL},
    {"busy_ns", LP_EXPORT_WORKER_TIME, "busy"},
    {"idle_ns", LP_EXPORT_WORKER_TIME, "idle"},
    {"sleep_ns", LP_EXPORT_WORKER_TIME, "asleep"},
    {"sleeps", LP_EXPORT_WORKER_SLEEPS, NULL},
    {"sent_reset", LP_EXPORT_WORKER_SENT, "reset"},
    {"sent_edited", LP_EXPORT_WORKER_SENT, "edited"},
    {"sent_acks", LP_EXPORT_WORKER_SENT, "ack"},
    {"sent_windows", LP_EXPORT_WORKER_SENT, "window"},
    {"sent_mirror", LP_EXPORT_WORKER_SENT, "mirror"},
    {"sent_neighbor", LP_EXPORT_WORKER_SENT, "neighbor"},
    {"sent_released", LP_EXPORT_WORKER_SENT, "held"},
    {"sent_queued", LP_EXPORT_WORKER_SENT, "queued"},
    {"dropped_held", LP_EXPORT_WORKER_DROPPED, "held"},
    {"dropped_queued", LP_EXPORT_WORKER_DROPPED, "queued"},
    {"dropped_made", LP_EXPORT_WORKER_DROPPED, "made"},
    {"dropped_mirror", LP_EXPORT_WORKER_DROPPED, "mirror"},
    {NULL, 0, NULL},
};

/* NAME_max is the limit of table NAME. */
static const struct lp_export_place table_places[] = {
    {"connections", LP_EXPORT_TABLE, "connections"},
    {"half_open", LP_EXPORT_TABLE, "half_open"},
    {"neighbors", LP_EXPORT_TABLE, "neighbors"},
    {"source_pairs", LP_EXPORT_TABLE, "source_pairs"},
    {"buffers", LP_EXPORT_TABLE, "buffers"},
    {"queued", LP_EXPORT_TABLE, "queued"},
    {"connections_max", LP_EXPORT_TABLE_LIMIT, "connections"},
    {"half_open_max", LP_EXPORT_TABLE_LIMIT, "half_open"},
    {"neighbors_max", LP_EXPORT_TABLE_LIMIT, "neighbors"},
    {"source_pairs_max", LP_EXPORT_TABLE_LIMIT, "source_pairs"},
    {"buffers_max", LP_EXPORT_TABLE_LIMIT, "buffers"},
    {"queued_max", LP_EXPORT_TABLE_LIMIT, "queued"},
    {"opened", LP_EXPORT_CONNECTIONS, "opened"},
    {"closed", LP_EXPORT_CONNECTIONS, "closed"},
    {"expired", LP_EXPORT_CONNECTIONS, "expired"},
    {"evicted", LP_EXPORT_CONNECTIONS, "evicted"},
    {"removed", LP_EXPORT_CONNECTIONS, "removed"},
    {"source_port_moved", LP_EXPORT_CONNECTIONS, "source_port_moved"},
    {"paced", LP_EXPORT_CONNECTIONS, "paced"},
    {"snapshot_unsaved", LP_EXPORT_UNSAVED, NULL},
    {"remote_accepted", LP_EXPORT_HANDSHAKES, "accepted"},
    {"remote_refused", LP_EXPORT_HANDSHAKES, "refused"},
    {NULL, 0, NULL},
};

static const struct lp_export_place port_places[] = {
    {"rx_packets", LP_EXPORT_PORT_RX, NULL},
    {"rx_bytes", LP_EXPORT_PORT_RX_BYTES, NULL},
    {"tx_packets", LP_EXPORT_PORT_TX, NULL},
    {"tx_bytes", LP_EXPORT_PORT_TX_BYTES, NULL},
    {"tx_queued", LP_EXPORT_PORT_QUEUED, NULL},
    {"tx_waited", LP_EXPORT_PORT_WAITED, NULL},
    {NULL, 0, NULL},
};

static void add_process(
    struct lp_export_text *text, const char *path, const Lp__Pb__Stats *stats);
static void add_topic_ids(
    struct lp_export_text *text, const Lp__Pb__TopicIdsStatus *status);
static void add_poll(
    struct lp_export_text *text, const Lp__Pb__DiscoveryStatus *status);
static void add_port(struct lp_export_text *text, const char *path,
    const Lp__Pb__PortStats *port);
static void add_endpoint(struct lp_export_text *text, const char *path,
    const Lp__Pb__EndpointStats *endpoint);
void
lp_export_rows_status(
    struct lp_export_text *text, const Lp__Pb__StatusReply *status)
{
	struct lp_export_row row;

	if (!lp_export_text_row(&row, text, LP_EXPORT_SET_DAEMON, NULL))
		return;
	lp_export_text_add(&row, LP_EXPORT_BUILD_INFO,
	    status->version != NULL ? status->version : "", 1);
	lp_export_text_add(&row, LP_EXPORT_START, NULL, status->started_ns);
	lp_export_text_add(&row, LP_EXPORT_DESIRED, NULL, status->generation);
	lp_export_text_add(&row, LP_EXPORT_EPOCH, NULL, status->epoch);
	for (size_t i = 0; i < status->n_topic_ids; i++)
		add_topic_ids(text, status->topic_ids[i]);
	for (size_t i = 0; i < status->n_discovery; i++)
		if (status->discovery[i]->poll != NULL)
			add_poll(text, status->discovery[i]);
}

void
lp_export_rows_dataplane(struct lp_export_text *text,
    const Lp__Pb__DataplaneStatus *dataplane, bool up, bool kafka_up,
    bool rules_up)
{
	static const char *const states[] = {"connecting", "synchronising",
	    "applied", "rejected", "fenced", "incompatible"};
	const char *const values[] = {
	    dataplane->path, dataplane->id, dataplane->version};
	struct lp_export_row row;

	if (lp_export_text_row(&row, text, LP_EXPORT_SET_BUILD, values))
		lp_export_text_add(&row, LP_EXPORT_DATAPLANE_INFO, NULL, 1);
	if (!lp_export_text_row(&row, text, LP_EXPORT_SET_DATAPLANE, values))
		return;
	lp_export_text_add(&row, LP_EXPORT_UP, NULL, up);
	lp_export_text_add(&row, LP_EXPORT_KAFKA_UP, NULL, kafka_up);
	lp_export_text_add(&row, LP_EXPORT_RULES_UP, NULL, rules_up);
	lp_export_text_add(
	    &row, LP_EXPORT_APPLIED, NULL, dataplane->generation);
	lp_export_text_add(&row, LP_EXPORT_ALONE, NULL, dataplane->alone_ns);
	lp_export_text_add(&row, LP_EXPORT_JOINED, NULL, dataplane->joined_ns);
	lp_export_text_add(&row, LP_EXPORT_CLOSED, NULL, dataplane->closed_ns);
	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		lp_export_text_add(&row, LP_EXPORT_STATE, states[i],
		    dataplane->state != NULL &&
			strcmp(dataplane->state, states[i]) == 0);
}

void
lp_export_rows_stats(
    struct lp_export_text *text, const char *path, const Lp__Pb__Stats *stats)
{
	/* Only one of the frames has it. */
	if (stats->has_uptime_ns)
		add_process(text, path, stats);
	for (size_t i = 0; i < stats->n_ports; i++)
		add_port(text, path, stats->ports[i]);
	for (size_t i = 0; i < stats->n_endpoints; i++)
		add_endpoint(text, path, stats->endpoints[i]);
}

const char *
lp_export_rows_name(
    char buf[LP_EXPORT_ROWS_NAME_SIZE], const char *name, uint32_t id)
{
	if (name != NULL && name[0] != '\0')
		return name;
	snprintf(buf, LP_EXPORT_ROWS_NAME_SIZE, "#%" PRIu32, id);
	return buf;
}

const char *
lp_export_rows_broker(char buf[LP_EXPORT_ROWS_NAME_SIZE], bool has_node_id,
    int32_t node_id, uint32_t broker_id)
{
	if (has_node_id)
		snprintf(buf, LP_EXPORT_ROWS_NAME_SIZE, "%" PRId32, node_id);
	else
		lp_export_rows_name(buf, NULL, broker_id);
	return buf;
}

void
lp_export_rows_places(struct lp_export_row *row,
    const struct lp_export_place *places, Lp__Pb__Counter *const *counters,
    size_t count)
{
	for (; places->name != NULL; places++)
		for (size_t i = 0; i < count; i++) {
			if (counters[i]->name == NULL ||
			    strcmp(counters[i]->name, places->name) != 0)
				continue;
			lp_export_text_add(row, places->metric, places->own,
			    counters[i]->value);
			break;
		}
}

bool
lp_export_rows_has_place(const struct lp_export_place *places, const char *name)
{
	for (; places->name != NULL; places++)
		if (strcmp(places->name, name) == 0)
			return true;
	return false;
}

static void
add_topic_ids(struct lp_export_text *text, const Lp__Pb__TopicIdsStatus *status)
{
	const char *const values[] = {status->cluster};
	struct lp_export_row row;

	if (!lp_export_text_row(&row, text, LP_EXPORT_SET_CLUSTER, values))
		return;
	lp_export_text_add(&row, LP_EXPORT_TOPIC_IDS, NULL, status->known);
	lp_export_text_add(
	    &row, LP_EXPORT_TOPIC_ID_EVENTS, "seeded", status->seeded);
	lp_export_text_add(
	    &row, LP_EXPORT_TOPIC_ID_EVENTS, "learnt", status->learnt);
	lp_export_text_add(
	    &row, LP_EXPORT_TOPIC_ID_EVENTS, "shared", status->shared);
	lp_export_text_add(
	    &row, LP_EXPORT_TOPIC_ID_EVENTS, "refused", status->refused);
	lp_export_text_add(
	    &row, LP_EXPORT_TOPIC_ID_EVENTS, "renamed", status->renamed);
	lp_export_text_add(
	    &row, LP_EXPORT_TOPIC_ID_EVENTS, "asked", status->asked);
	lp_export_text_add(
	    &row, LP_EXPORT_TOPIC_ID_EVENTS, "failed", status->failed);
}

static void
add_process(
    struct lp_export_text *text, const char *path, const Lp__Pb__Stats *stats)
{
	const char *const values[] = {path};
	struct lp_export_row row;

	if (!lp_export_text_row(&row, text, LP_EXPORT_SET_DATAPLANE, values))
		return;
	lp_export_text_add(&row, LP_EXPORT_UPTIME, NULL, stats->uptime_ns);
	lp_export_text_add(&row, LP_EXPORT_RESTARTS, NULL, stats->restarts);
	for (size_t i = 0; i < stats->n_verdicts; i++)
		lp_export_text_add(&row, LP_EXPORT_VERDICTS,
		    stats->verdicts[i]->name != NULL ? stats->verdicts[i]->name
						     : "",
		    stats->verdicts[i]->value);
	for (size_t i = 0; i < stats->n_reasons; i++)
		lp_export_text_add(&row, LP_EXPORT_REASONS,
		    stats->reasons[i]->name != NULL ? stats->reasons[i]->name
						    : "",
		    stats->reasons[i]->value);
	lp_export_rows_places(
	    &row, worker_places, stats->worker, stats->n_worker);
	lp_export_rows_places(
	    &row, table_places, stats->tables, stats->n_tables);
}

static void
add_poll(struct lp_export_text *text, const Lp__Pb__DiscoveryStatus *status)
{
	const char *const values[] = {status->cluster};
	const Lp__Pb__PollStatus *poll = status->poll;
	struct lp_export_row row;

	if (!lp_export_text_row(&row, text, LP_EXPORT_SET_POLLED, values))
		return;
	lp_export_text_add(&row, LP_EXPORT_POLLS, "answered", poll->answered);
	lp_export_text_add(&row, LP_EXPORT_POLLS, "failed", poll->failed);
	lp_export_text_add(
	    &row, LP_EXPORT_POLL_ANSWERED, NULL, poll->answered_ns);
	lp_export_text_add(&row, LP_EXPORT_POLL_BROKERS, NULL, poll->brokers);
}

static void
add_port(struct lp_export_text *text, const char *path,
    const Lp__Pb__PortStats *port)
{
	char buf[LP_EXPORT_ROWS_NAME_SIZE];
	const char *const values[] = {path,
	    lp_export_rows_name(buf, port->name, port->id), port->device,
	    port->backend, port->driver, port->mode};
	struct lp_export_row row;

	if (lp_export_text_row(&row, text, LP_EXPORT_SET_DEVICE, values))
		lp_export_text_add(&row, LP_EXPORT_PORT_INFO, NULL, 1);
	if (!lp_export_text_row(&row, text, LP_EXPORT_SET_PORT, values))
		return;
	lp_export_text_add(&row, LP_EXPORT_PORT_UP, NULL, port->up != 0);
	if (port->has_mtu)
		lp_export_text_add(&row, LP_EXPORT_PORT_MTU, NULL, port->mtu);
	if (port->has_speed_mbps)
		lp_export_text_add(
		    &row, LP_EXPORT_PORT_SPEED, NULL, port->speed_mbps);
	lp_export_rows_places(
	    &row, port_places, port->counters, port->n_counters);
	for (size_t i = 0; i < port->n_counters; i++) {
		const Lp__Pb__Counter *counter = port->counters[i];

		if (counter->name != NULL &&
		    !lp_export_rows_has_place(port_places, counter->name))
			lp_export_text_add(&row, LP_EXPORT_PORT_EVENTS,
			    counter->name, counter->value);
	}
}

static void
add_endpoint(struct lp_export_text *text, const char *path,
    const Lp__Pb__EndpointStats *endpoint)
{
	char listener[LP_EXPORT_ROWS_NAME_SIZE];
	char broker[LP_EXPORT_ROWS_NAME_SIZE];
	const char *const values[] = {path, endpoint->cluster,
	    lp_export_rows_name(
		listener, endpoint->listener, endpoint->listener_id),
	    lp_export_rows_broker(broker, endpoint->has_node_id,
		endpoint->node_id, endpoint->broker_id)};
	struct lp_export_row row;

	if (!lp_export_text_row(&row, text, LP_EXPORT_SET_ENDPOINT, values))
		return;
	lp_export_text_add(
	    &row, LP_EXPORT_ENDPOINT_OPEN, NULL, endpoint->connections_open);
	lp_export_text_add(&row, LP_EXPORT_ENDPOINT_OPENED, NULL,
	    endpoint->connections_opened);
	lp_export_text_add(
	    &row, LP_EXPORT_ENDPOINT_REFUSED, NULL, endpoint->refused);
	lp_export_text_add(&row, LP_EXPORT_ENDPOINT_PACKETS, "client",
	    endpoint->client_packets);
	lp_export_text_add(&row, LP_EXPORT_ENDPOINT_PACKETS, "broker",
	    endpoint->broker_packets);
	lp_export_text_add(
	    &row, LP_EXPORT_ENDPOINT_BYTES, "client", endpoint->client_bytes);
	lp_export_text_add(
	    &row, LP_EXPORT_ENDPOINT_BYTES, "broker", endpoint->broker_bytes);
}
