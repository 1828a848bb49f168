/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_status.h"

#include "cli/json.h"
#include "cli/output_json_kafka.h"
#include "proto/object.h"

static json_t *alone(const Lp__Pb__DataplaneStatus *status);

static json_t *
strings(char *const *list, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(
		    array, lp_json_string_or_null(list[i]));
	return array;
}

static json_t *
dataplane_status(const Lp__Pb__DataplaneStatus *status)
{
	json_t *texts = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "dataplane", lp_json_string_or_null(status->id), "path",
	    lp_json_string_or_null(status->path), "state",
	    lp_json_string_or_null(status->state), "why",
	    lp_json_string_or_null(status->why), "version",
	    lp_json_string_or_null(status->version), "backends",
	    strings(status->backends, status->n_backends), "certificate",
	    lp_json_string_or_null(status->peer));
	json_t *numbers = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "generation",
	    status->has_generation ? lp_json_integer(status->generation)
				   : json_null(),
	    "digest",
	    status->has_digest ? lp_json_hex(status->digest) : json_null(),
	    "boot_id",
	    status->has_boot_id ? lp_json_hex(status->boot_id) : json_null(),
	    "since", lp_json_time(status->since_ns), "since_ns",
	    lp_json_integer(status->since_ns), "build_ns",
	    lp_json_integer(status->build_ns), "swap_ns",
	    lp_json_integer(status->swap_ns));

	return lp_json_join(texts, lp_json_join(numbers, alone(status)));
}

/* Without any lp-controld: what it does then, and when it last was. */
static json_t *
alone(const Lp__Pb__DataplaneStatus *status)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "on_loss",
	    lp_json_string_or_null(status->on_loss), "alone",
	    lp_json_time(status->alone_ns), "alone_ns",
	    lp_json_integer(status->alone_ns), "joined",
	    lp_json_time(status->joined_ns), "joined_ns",
	    lp_json_integer(status->joined_ns), "closed",
	    lp_json_time(status->closed_ns), "closed_ns",
	    lp_json_integer(status->closed_ns));
}

static json_t *
node_status(const Lp__Pb__NodeStatus *node)
{
	return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "node_id", node->node_id, "host",
	    lp_json_string_or_null(node->host), "port",
	    lp_json_number_or_null(node->has_port, node->port), "rack",
	    lp_json_string_or_null(node->rack), "listed",
	    lp_json_time(node->listed_ns), "listed_ns",
	    lp_json_integer(node->listed_ns), "state",
	    lp_json_string_or_null(node->state), "why",
	    lp_json_string_or_null(node->why), "remedy",
	    lp_json_string_or_null(node->remedy));
}

static json_t *
poll_status(const Lp__Pb__PollStatus *poll)
{
	if (poll == NULL)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "answered",
	    lp_json_time(poll->answered_ns), "answered_ns",
	    lp_json_integer(poll->answered_ns), "brokers",
	    lp_json_integer(poll->brokers), "answers",
	    lp_json_integer(poll->answered), "failed",
	    lp_json_time(poll->failed_ns), "failed_ns",
	    lp_json_integer(poll->failed_ns), "failures",
	    lp_json_integer(poll->failed), "why",
	    lp_json_string_or_null(poll->why));
}

static json_t *
discovery_status(const Lp__Pb__DiscoveryStatus *row)
{
	json_t *nodes = json_array();

	for (size_t i = 0; i < row->n_nodes; i++)
		nodes = lp_json_append(nodes, node_status(row->nodes[i]));
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o}",
	    "cluster", lp_json_string_or_null(row->cluster), "discover",
	    row->discover ? "on" : "off", "listed",
	    lp_json_time(row->listed_ns), "listed_ns",
	    lp_json_integer(row->listed_ns), "brokers_listed",
	    lp_json_integer(row->listed), "changed",
	    lp_json_time(row->changed_ns), "changed_ns",
	    lp_json_integer(row->changed_ns), "change",
	    lp_json_string_or_null(row->change), "differing", nodes,
	    "differing_more", lp_json_integer(row->more), "tls_listeners",
	    strings(row->tls_listeners, row->n_tls_listeners), "poll",
	    poll_status(row->poll));
}

static json_t *
port_losses(const Lp__Pb__StatusReply *reply)
{
	json_t *array = json_array();

	for (size_t i = 0; i < reply->n_port_losses; i++) {
		const Lp__Pb__PortLossStatus *row = reply->port_losses[i];

		array = lp_json_append(array,
		    json_pack("{s:o, s:o}", "port",
			lp_json_string_or_null(row->port), "on_loss",
			lp_json_string_or_null(lp_on_loss_name(row->on_loss))));
	}
	return array;
}

static json_t *
remote_status(const Lp__Pb__RemoteStatus *remote)
{
	if (remote == NULL)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o}",
	    "address", lp_json_string_or_null(remote->address), "clients",
	    lp_json_integer(remote->clients), "accepted",
	    lp_json_integer(remote->accepted), "refused",
	    lp_json_integer(remote->refused), "no_room",
	    lp_json_integer(remote->full), "too_late",
	    lp_json_integer(remote->late), "idle",
	    lp_json_integer(remote->idle), "delayed",
	    lp_json_integer(remote->delayed), "expires",
	    lp_json_time(remote->expires_ns), "expires_ns",
	    lp_json_integer(remote->expires_ns), "why",
	    lp_json_string_or_null(remote->why));
}

static json_t *
confirm_status(const Lp__Pb__ConfirmStatus *confirm)
{
	if (confirm == NULL)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "generation",
	    lp_json_integer(confirm->generation), "until",
	    lp_json_time(confirm->until_ns), "until_ns",
	    lp_json_integer(confirm->until_ns), "back_to",
	    lp_json_integer(confirm->back_to), "who",
	    lp_json_string_or_null(confirm->who));
}

int
lp_output_json_status(
    const struct lp_print *print, const Lp__Pb__StatusReply *reply)
{
	json_t *dataplanes = json_array(), *discovery = json_array();

	for (size_t i = 0; i < reply->n_discovery; i++)
		discovery = lp_json_append(
		    discovery, discovery_status(reply->discovery[i]));
	for (size_t i = 0; i < reply->n_dataplanes; i++)
		dataplanes = lp_json_append(
		    dataplanes, dataplane_status(reply->dataplanes[i]));
	return lp_json_write(print,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		      "s:o, s:o, s:o, s:o, s:o, s:o}",
		"generation", lp_json_integer(reply->generation), "digest",
		lp_json_hex(reply->digest), "epoch",
		lp_json_integer(reply->epoch), "since",
		lp_json_time(reply->since_ns), "since_ns",
		lp_json_integer(reply->since_ns), "version",
		lp_json_string_or_null(reply->version), "database",
		lp_json_string_or_null(reply->database), "started",
		lp_json_time(reply->started_ns), "started_ns",
		lp_json_integer(reply->started_ns), "pid",
		lp_json_integer(reply->pid), "dataplanes", dataplanes,
		"topic_ids", lp_output_json_kafka_ids(reply), "warnings",
		strings(reply->warnings, reply->n_warnings), "discovery",
		discovery, "confirm", confirm_status(reply->confirm),
		"port_losses", port_losses(reply), "remote",
		remote_status(reply->remote)));
}
