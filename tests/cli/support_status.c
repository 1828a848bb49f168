/* SPDX-License-Identifier: Apache-2.0 */
/* What lp-controld says of itself, of its dataplanes and of the clusters. */
#include "tests/cli/support.h"

#include "proto/message.h"

#define S UINT64_C(1000000000)

/* One that differs and one that knows nothing; both are asked. */
static void
add_discovery(Lp__Pb__StatusReply *body)
{
	static Lp__Pb__NodeStatus node = LP__PB__NODE_STATUS__INIT;
	static Lp__Pb__DiscoveryStatus heard = LP__PB__DISCOVERY_STATUS__INIT;
	static Lp__Pb__DiscoveryStatus quiet = LP__PB__DISCOVERY_STATUS__INIT;
	static Lp__Pb__PollStatus good = LP__PB__POLL_STATUS__INIT;
	static Lp__Pb__PollStatus bad = LP__PB__POLL_STATUS__INIT;
	static Lp__Pb__NodeStatus *nodes[] = {&node};
	static Lp__Pb__DiscoveryStatus *list[] = {&heard, &quiet};
	static char *listeners[] = {"public"};

	node.node_id = 7;
	node.host = "fd00:2::17";
	node.has_port = node.has_listed_ns = true;
	node.port = 9092;
	node.rack = "east";
	node.listed_ns = SUPPORT_NOW_NS - 3 * S;
	node.state = "unknown";
	node.why = "broker payments/7: endpoint: is already taken by broker "
		   "payments/1";
	node.remedy = "lpctl add-broker payments 7 [fd00:2::17]:9092";
	heard.cluster = "payments";
	heard.has_discover = heard.discover = true;
	heard.has_listed_ns = heard.has_changed_ns = true;
	heard.listed_ns = SUPPORT_NOW_NS - 3 * S;
	heard.has_listed = true;
	heard.listed = 4;
	heard.changed_ns = SUPPORT_NOW_NS - 70 * S;
	heard.change = "broker payments/12 added at 10.0.2.12:9092 "
		       "(10.0.2.12:9092)";
	heard.nodes = nodes;
	heard.n_nodes = 1;
	heard.has_more = true;
	heard.more = 2;
	heard.tls_listeners = listeners;
	heard.n_tls_listeners = 1;
	good.has_answered = good.has_answered_ns = good.has_brokers = true;
	good.answered_ns = SUPPORT_NOW_NS - 12 * S;
	good.answered = good.brokers = 4;
	heard.poll = &good;
	bad.has_failed = bad.has_failed_ns = true;
	bad.failed = 2;
	bad.failed_ns = SUPPORT_NOW_NS - 5 * S;
	bad.why = "empty.conf:3: is no PROPERTY=VALUE";
	quiet.poll = &bad;
	quiet.cluster = "empty";
	body->n_discovery = 2;
	body->discovery = list;
}

static void
add_alone(Lp__Pb__DataplaneStatus *row)
{
	row->on_loss = "hold for 600 s, then closed";
	row->has_alone_ns = row->has_joined_ns = row->has_closed_ns = true;
	row->alone_ns = SUPPORT_NOW_NS - 3000 * S;
	row->joined_ns = SUPPORT_NOW_NS - 200 * S;
	row->closed_ns = SUPPORT_NOW_NS - 2400 * S;
}

/* On another machine. */
static void
add_far(Lp__Pb__DataplaneStatus *far, const Lp__Pb__DataplaneStatus *near)
{
	*far = *near;
	far->id = "edge-2";
	far->path = "edge-2.example.net:9644";
	far->peer = "edge-2.example.net";
	far->on_loss = "hold";
	far->has_closed_ns = false;
	far->closed_ns = 0;
}

static void
add_losses(Lp__Pb__StatusReply *body)
{
	static Lp__Pb__PortLossStatus left, right;
	static Lp__Pb__PortLossStatus *list[] = {&left, &right};

	lp__pb__port_loss_status__init(&left);
	lp__pb__port_loss_status__init(&right);
	left.port = "left";
	right.port = "right";
	left.on_loss = right.on_loss = LP_ON_LOSS_WIRE;
	body->n_port_losses = 2;
	body->port_losses = list;
}

static void
add_remote(Lp__Pb__StatusReply *body)
{
	static Lp__Pb__RemoteStatus remote = LP__PB__REMOTE_STATUS__INIT;

	remote.address = "10.0.0.5:9643";
	remote.has_clients = remote.has_accepted = remote.has_refused = true;
	remote.clients = 3;
	remote.accepted = 120;
	remote.refused = 17;
	remote.has_full = remote.has_late = remote.has_idle = true;
	remote.full = 4;
	remote.late = 2;
	remote.idle = 5;
	remote.has_delayed = remote.has_expires_ns = true;
	remote.delayed = 31;
	remote.expires_ns = SUPPORT_NOW_NS + 9 * 86400 * S;
	remote.why = "/etc/lightpath/tls/key.pem: does not fit the certificate "
		     "in cert.pem";
	body->remote = &remote;
}

static void
add_confirm(Lp__Pb__StatusReply *body)
{
	static Lp__Pb__ConfirmStatus confirm = LP__PB__CONFIRM_STATUS__INIT;

	confirm.generation = 7;
	confirm.until_ns = SUPPORT_NOW_NS + 42 * S;
	confirm.back_to = 6;
	confirm.who = "uid 0 (root), pid 7";
	body->confirm = &confirm;
}

void
support_reply_status(struct support_bytes *bytes)
{
	char *backends[] = {"af_xdp", "memory"};
	char *warning = "listener payments/public: has no endpoint";
	Lp__Pb__DataplaneStatus good = LP__PB__DATAPLANE_STATUS__INIT;
	Lp__Pb__DataplaneStatus bad = LP__PB__DATAPLANE_STATUS__INIT;
	Lp__Pb__DataplaneStatus far = LP__PB__DATAPLANE_STATUS__INIT;
	Lp__Pb__DataplaneStatus *list[] = {&good, &bad, &far};
	Lp__Pb__TopicIdsStatus told = LP__PB__TOPIC_IDS_STATUS__INIT;
	Lp__Pb__TopicIdsStatus secret = LP__PB__TOPIC_IDS_STATUS__INIT;
	Lp__Pb__TopicIdsStatus *topics[] = {&told, &secret};
	Lp__Pb__StatusReply body = LP__PB__STATUS_REPLY__INIT;
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;

	reply.cookie = SUPPORT_COOKIE;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_STATUS;
	reply.status = &body;
	body.generation = 7;
	body.has_digest = body.has_epoch = body.has_since_ns = true;
	body.digest = UINT64_C(0x0123456789abcdef);
	body.epoch = 3;
	body.since_ns = SUPPORT_NOW_NS - 200 * S;
	body.version = "0.1.0";
	body.database = "/var/lib/lightpath/lightpath.db";
	body.has_started_ns = body.has_pid = true;
	body.started_ns = SUPPORT_NOW_NS - 90000 * S;
	body.pid = 4711;
	body.n_dataplanes = 3;
	body.dataplanes = list;
	good.path = "/run/lightpath/dataplane.sock";
	good.id = "edge-1";
	good.state = "applied";
	good.has_since_ns = good.has_generation = good.has_digest = true;
	good.since_ns = SUPPORT_NOW_NS - 199 * S;
	good.generation = 7;
	good.digest = body.digest;
	good.version = "0.1.0";
	good.n_backends = 2;
	good.backends = backends;
	good.has_boot_id = good.has_build_ns = good.has_swap_ns = true;
	good.boot_id = 42;
	good.build_ns = 120000;
	good.swap_ns = 9000;
	add_alone(&good);
	add_far(&far, &good);
	bad.path = "/run/lightpath/dataplane-2.sock";
	bad.state = "connecting";
	bad.why = "connect: No such file or directory";
	body.n_warnings = 1;
	body.warnings = &warning;
	body.n_topic_ids = 2;
	body.topic_ids = topics;
	told.cluster = "payments";
	told.has_known = told.has_seeded = told.has_learnt = true;
	told.known = 1204;
	told.seeded = 1200;
	told.learnt = 4;
	told.has_shared = told.has_asked = told.has_since_ns = true;
	told.shared = 1204;
	told.asked = 12;
	told.since_ns = SUPPORT_NOW_NS - 61 * S;
	secret.cluster = "vault";
	secret.has_asked = secret.has_failed = true;
	secret.asked = secret.failed = 3;
	secret.why = "broker 1, 10.0.0.1:9093: this listener wants TLS";
	add_losses(&body);
	add_remote(&body);
	add_confirm(&body);
	add_discovery(&body);
	support_bytes_add(bytes, &reply);
}
