/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "controld/access.h"
#include "controld/audit.h"
#include "controld/backup.h"
#include "controld/clock.h"
#include "controld/commit.h"
#include "controld/discover_status.h"
#include "controld/gather.h"
#include "controld/history.h"
#include "controld/model_note.h"
#include "controld/query.h"
#include "controld/reply.h"
#include "controld/serve_status.h"
#include "controld/show.h"
#include "controld/tools.h"
#include "controld/topics.h"

enum {
	HOST_SIZE = 65,
	/* So many of a status: one a listener. */
	WARNINGS_MAX = 32,
};

struct lp_session {
	struct lp_context context;
	struct lp_commit *commit;
	struct lp_gather *gather;
	struct lp_query_set *queries;
	struct lp_tool_set *tools;
	struct lp_backup *backup;
	struct lp_topics *topics;
	struct lp_discover *discover;
	char controller[HOST_SIZE + 40]; /* host name and database */
	uint64_t started_ns;
	bool (*remote)(void *arg, struct lp_serve_remote *status);
};

static void on_changed(void *arg);
static void on_answered(
    void *arg, unsigned index, const Lp__Pb__DataplaneMessage *message);
static void on_own_reply(void *arg, const Lp__Pb__ControlReply *reply);
static enum lp_role role_of(const struct lp_serve_peer *peer);
static void reply_forbidden(struct lp_session *session,
    const struct lp_reply_to *to, const struct lp_serve_peer *peer,
    const Lp__Pb__ControlRequest *request);
static void reply_status(
    struct lp_session *session, const struct lp_reply_to *to);
static size_t fill_losses(const struct lp_config *config,
    Lp__Pb__PortLossStatus *rows, Lp__Pb__PortLossStatus **list);
static bool fill_confirm(
    Lp__Pb__ConfirmStatus *status, const struct lp_confirm *confirm);
static size_t fill_warnings(const struct lp_config *config,
    char warnings[][LP_MODEL_NOTE_SIZE], char **list);
static void fill_dataplane(Lp__Pb__DataplaneStatus *status,
    const struct lp_push_dataplane *dataplane, char **backends);
static void reply_version(
    struct lp_session *session, const struct lp_reply_to *to);

int
lp_session_new(struct lp_session **out,
    const struct lp_session_options *options, struct lp_generation *current)
{
	struct lp_session *session = calloc(1, sizeof(*session));
	struct lp_push_options push = {
	    .base = options->base,
	    .paths = options->dataplanes,
	    .path_count = options->dataplane_count,
	    .epoch = lp_store_epoch(options->store),
	    .times = options->times,
	    .tls = options->tls,
	    .resolve = options->resolve,
	    .changed = on_changed,
	    .answered = on_answered,
	    .arg = session,
	};
	const struct lp_topics_options topics = {
	    .context = session ? &session->context : NULL,
	    .ask_brokers = options->ask_brokers,
	    .times = options->topic_times,
	};
	char host[HOST_SIZE] = "";
	int err;

	if (session == NULL)
		return -ENOMEM;
	session->started_ns = lp_clock_time_ns();
	session->remote = options->remote;
	gethostname(host, sizeof(host) - 1);
	snprintf(session->controller, sizeof(session->controller), "%s %s",
	    host, lp_store_database_id(options->store));
	push.controller = session->controller;
	session->context.base = options->base;
	session->context.store = options->store;
	session->context.reply = options->reply;
	session->context.unread = options->unread;
	session->context.arg = options->arg;
	err = lp_audit_new(&session->context.audit, &session->context);
	if (err == 0)
		err = lp_commit_new(&session->commit, &session->context);
	if (err == 0)
		err = lp_gather_new(
		    &session->gather, &session->context, &options->gather);
	if (err == 0)
		err = lp_query_new(
		    &session->queries, &session->context, options->query_ms);
	if (err == 0)
		err = lp_tools_new(
		    &session->tools, &session->context, options->query_ms);
	if (err == 0)
		err = lp_backup_new(
		    &session->backup, &session->context, options->backup_ms);
	session->context.self = on_own_reply;
	session->context.arg_of_self = session;
	if (err == 0)
		err = lp_discover_new(&session->discover, &session->context,
		    session->commit, &options->discover);
	if (err == 0)
		err = lp_topics_new(&session->topics, &topics);
	if (err == 0)
		err = lp_push_new(
		    &session->context.push, &push, &session->context.current);
	if (err != 0) {
		lp_session_free(session);
		return err;
	}
	session->context.current = *current;
	lp_config_init(&current->config);
	lp_commit_resume(session->commit);
	*out = session;
	return 0;
}

void
lp_session_free(struct lp_session *session)
{
	if (session == NULL)
		return;
	lp_push_free(session->context.push);
	lp_topics_free(session->topics);
	lp_discover_free(session->discover);
	lp_backup_free(session->backup);
	lp_tools_free(session->tools);
	lp_query_free(session->queries);
	lp_gather_free(session->gather);
	lp_commit_free(session->commit);
	lp_audit_free(session->context.audit);
	lp_config_fini(&session->context.current.config);
	free(session);
}

void
lp_session_request(struct lp_session *session, uint64_t client,
    const struct lp_serve_peer *peer, Lp__Pb__ControlRequest *request)
{
	struct lp_reply_to to = {.client = client, .cookie = request->cookie};
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__USAGE};
	unsigned body = request->body_case;
	const struct lp_access *access = lp_access_find(body);
	bool may = lp_access_may(role_of(peer), body);

	if (may && access->audited)
		to.audit = lp_audit_about(peer, role_of(peer), access->request);
	if (!may && body != LP__PB__CONTROL_REQUEST__BODY__NOT_SET)
		reply_forbidden(session, &to, peer, request);
	else if (body == LP__PB__CONTROL_REQUEST__BODY_VERSION)
		reply_version(session, &to);
	else if (request->protocol != LP_CONTROL_PROTOCOL)
		lp_reply_failure(&session->context, &to, &failure,
		    "this lp-controld speaks control protocol %d, lpctl %u: "
		    "bring both to the same version",
		    LP_CONTROL_PROTOCOL, request->protocol);
	else if (body == LP__PB__CONTROL_REQUEST__BODY_SHOW)
		lp_show_reply(&session->context, &to, request->show);
	else if (body == LP__PB__CONTROL_REQUEST__BODY_STATUS)
		reply_status(session, &to);
	else if (body == LP__PB__CONTROL_REQUEST__BODY_BACKUP)
		lp_backup_add(session->backup, &to);
	else if (body == LP__PB__CONTROL_REQUEST__BODY_AUDIT)
		lp_audit_reply(&session->context, &to, request->audit);
	else if (body == LP__PB__CONTROL_REQUEST__BODY_HISTORY)
		lp_history_reply(&session->context, &to, request->history);
	else if (body == LP__PB__CONTROL_REQUEST__BODY_COUNTERS ||
	    body == LP__PB__CONTROL_REQUEST__BODY_CONNECTIONS ||
	    body == LP__PB__CONTROL_REQUEST__BODY_KAFKA ||
	    body == LP__PB__CONTROL_REQUEST__BODY_RULES ||
	    body == LP__PB__CONTROL_REQUEST__BODY_DENIALS)
		lp_query_add(session->queries, &to, request);
	else if (body == LP__PB__CONTROL_REQUEST__BODY_TRACE ||
	    body == LP__PB__CONTROL_REQUEST__BODY_CAPTURE)
		lp_tools_add(session->tools, &to, request);
	else if (body == LP__PB__CONTROL_REQUEST__BODY_ROLLBACK ||
	    body == LP__PB__CONTROL_REQUEST__BODY_CONFIRM) {
		lp_commit_add(session->commit, &to, request);
		return; /* it is kept */
	} else if (body != LP__PB__CONTROL_REQUEST__BODY_TRANSACTION)
		lp_reply_failure(&session->context, &to, &failure,
		    "this lp-controld does not know this request: bring it "
		    "to the version of lpctl");
	else {
		request = lp_gather_add(session->gather, &to, request);
		if (request != NULL)
			lp_commit_add(session->commit, &to, request);
		return; /* it is kept */
	}
	lp__pb__control_request__free_unpacked(request, NULL);
}

void
lp_session_recheck(struct lp_session *session)
{
	lp_push_recheck(session->context.push);
}

void
lp_session_gone(struct lp_session *session, uint64_t client)
{
	lp_gather_gone(session->gather, client);
	lp_commit_gone(session->commit, client);
	lp_query_gone(session->queries, client);
	lp_tools_gone(session->tools, client);
	lp_backup_gone(session->backup, client);
}

static void
on_changed(void *arg)
{
	struct lp_session *session = arg;

	lp_query_changed(session->queries);
	lp_tools_changed(session->tools);
	lp_commit_changed(session->commit);
	lp_topics_changed(session->topics);
}

static void
on_answered(void *arg, unsigned index, const Lp__Pb__DataplaneMessage *message)
{
	struct lp_session *session = arg;

	if (message->body_case == LP__PB__DATAPLANE_MESSAGE__BODY_BROKERS_SEEN)
		lp_discover_heard(
		    session->discover, index, message->brokers_seen);
	else if (message->body_case ==
		LP__PB__DATAPLANE_MESSAGE__BODY_TRACE_REPLY ||
	    message->body_case == LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_REPLY)
		lp_tools_answered(session->tools, index, message);
	else if (message->body_case ==
		LP__PB__DATAPLANE_MESSAGE__BODY_TOPIC_IDS_LEARNT ||
	    message->body_case ==
		LP__PB__DATAPLANE_MESSAGE__BODY_TOPIC_IDS_TAKEN)
		lp_topics_answered(session->topics, index, message);
	else
		lp_query_answered(session->queries, index, message);
}

static void
on_own_reply(void *arg, const Lp__Pb__ControlReply *reply)
{
	const struct lp_session *session = arg;

	lp_discover_answered(session->discover, reply);
}

/* Whom the file system lets in may do all that is in the table. */
static enum lp_role
role_of(const struct lp_serve_peer *peer)
{
	return peer->local ? LP_ROLE_ADMIN : lp_role_parse(peer->role);
}

static void
reply_forbidden(struct lp_session *session, const struct lp_reply_to *to,
    const struct lp_serve_peer *peer, const Lp__Pb__ControlRequest *request)
{
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	enum lp_role role = role_of(peer);

	lp_audit_forbidden(session->context.audit, peer, role,
	    lp_access_name(request->body_case));
	if (role != LP_ROLE_NONE)
		lp_reply_failure(&session->context, to, &failure,
		    "the role of %s, %s, may not: %s (see lpctl(8), ROLES)",
		    peer->who, lp_role_word(role),
		    lp_access_name(request->body_case));
	else if (peer->role[0] == '\0')
		lp_reply_failure(&session->context, to, &failure,
		    "%s has no role (see lpctl(8), ROLES)", peer->who);
	else
		lp_reply_failure(&session->context, to, &failure,
		    "%s has no role: \"%s\" is none (see lpctl(8), ROLES)",
		    peer->who, peer->role);
}

static void
reply_status(struct lp_session *session, const struct lp_reply_to *to)
{
	const struct lp_context *context = &session->context;
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__StatusReply status = LP__PB__STATUS_REPLY__INIT;
	Lp__Pb__DataplaneStatus rows[LP_PUSH_DATAPLANES_MAX];
	Lp__Pb__DataplaneStatus *list[LP_PUSH_DATAPLANES_MAX];
	char *backends[LP_PUSH_DATAPLANES_MAX][LP_PUSH_BACKENDS_MAX];
	char warnings[WARNINGS_MAX][LP_MODEL_NOTE_SIZE];
	char *warning_list[WARNINGS_MAX];
	Lp__Pb__TopicIdsStatus topics[LP_CLUSTERS_MAX];
	Lp__Pb__TopicIdsStatus *topic_list[LP_CLUSTERS_MAX];
	Lp__Pb__ConfirmStatus confirm;
	Lp__Pb__PortLossStatus losses[LP_PORTS_MAX];
	Lp__Pb__PortLossStatus *loss_list[LP_PORTS_MAX];
	struct lp_discover_status discovery;
	struct lp_serve_status remote;

	status.generation = context->current.number;
	status.has_digest = status.has_epoch = status.has_since_ns = true;
	status.digest = context->current.digest;
	status.epoch = lp_store_epoch(context->store);
	status.since_ns = context->current.time_ns;
	status.version = (char *)LP_VERSION;
	status.database = (char *)lp_store_path(context->store);
	status.has_started_ns = status.has_pid = true;
	status.started_ns = session->started_ns;
	status.pid = (uint32_t)getpid();
	status.n_dataplanes = lp_push_count(context->push);
	status.dataplanes = list;
	for (unsigned i = 0; i < status.n_dataplanes; i++) {
		fill_dataplane(
		    &rows[i], lp_push_dataplane(context->push, i), backends[i]);
		list[i] = &rows[i];
	}
	if (fill_confirm(&confirm, lp_commit_confirm(session->commit)))
		status.confirm = &confirm;
	status.n_warnings =
	    fill_warnings(&context->current.config, warnings, warning_list);
	status.warnings = warning_list;
	status.n_port_losses =
	    fill_losses(&context->current.config, losses, loss_list);
	status.port_losses = loss_list;
	status.n_topic_ids = lp_topics_status(session->topics, topics);
	status.topic_ids = topic_list;
	for (size_t i = 0; i < status.n_topic_ids; i++)
		topic_list[i] = &topics[i];
	lp_discover_status_fill(
	    &discovery, session->discover, &context->current.config);
	status.n_discovery = discovery.count;
	status.discovery = discovery.list;
	if (session->remote != NULL &&
	    session->remote(context->arg, &remote.remote)) {
		lp_serve_status_fill(&remote);
		status.remote = &remote.message;
	}
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_STATUS;
	reply.status = &status;
	lp_reply_send(context, to, &reply);
}

static size_t
fill_losses(const struct lp_config *config, Lp__Pb__PortLossStatus *rows,
    Lp__Pb__PortLossStatus **list)
{
	size_t first, n = 0;
	size_t count = lp_config_range(config, LP_OBJECT_PORT, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_port_object *port = &config->objects[i].port;

		if (!lp_object_has_peer(port))
			continue;
		lp__pb__port_loss_status__init(&rows[n]);
		rows[n].port = (char *)port->name;
		rows[n].on_loss = port->on_loss;
		list[n] = &rows[n];
		n++;
	}
	return n;
}

/* By the clock of now, whatever it was when the wait began. */
static bool
fill_confirm(Lp__Pb__ConfirmStatus *status, const struct lp_confirm *confirm)
{
	const struct lp_store_waiting *waiting = lp_confirm_waiting(confirm);

	if (waiting == NULL)
		return false;
	lp__pb__confirm_status__init(status);
	status->generation = waiting->generation;
	status->back_to = waiting->back_to;
	status->until_ns = lp_clock_time_ns() +
	    lp_confirm_left_ms(confirm) * UINT64_C(1000000);
	status->who = (char *)waiting->who;
	return true;
}

/* What the notes said when it was made, as long as it is so. */
static size_t
fill_warnings(const struct lp_config *config,
    char warnings[][LP_MODEL_NOTE_SIZE], char **list)
{
	size_t first, n = 0;
	size_t count = lp_config_range(config, LP_OBJECT_LISTENER, &first);

	for (size_t i = first; i < first + count && n < WARNINGS_MAX; i++) {
		if (!lp_model_note_missing(
			config, &config->objects[i], warnings[n]))
			continue;
		list[n] = warnings[n];
		n++;
	}
	return n;
}

static void
fill_dataplane(Lp__Pb__DataplaneStatus *status,
    const struct lp_push_dataplane *dataplane, char **backends)
{
	lp__pb__dataplane_status__init(status);
	status->path = (char *)dataplane->path;
	if (dataplane->peer[0] != '\0')
		status->peer = (char *)dataplane->peer;
	status->state = (char *)lp_push_state_name(dataplane->state);
	status->has_since_ns = true;
	status->since_ns = dataplane->since_ns;
	if (dataplane->why[0] != '\0')
		status->why = (char *)dataplane->why;
	if (dataplane->id[0] == '\0')
		return;
	status->id = (char *)dataplane->id;
	status->has_generation = status->has_digest = true;
	status->generation = dataplane->generation;
	status->digest = dataplane->digest;
	status->version = (char *)dataplane->version;
	for (unsigned i = 0; i < dataplane->backend_count; i++)
		backends[i] = (char *)dataplane->backends[i];
	status->n_backends = dataplane->backend_count;
	status->backends = backends;
	status->has_boot_id = true;
	status->boot_id = dataplane->boot_id;
	status->has_build_ns = status->has_swap_ns = true;
	status->build_ns = dataplane->build_ns;
	status->swap_ns = dataplane->swap_ns;
	if (dataplane->on_loss[0] != '\0')
		status->on_loss = (char *)dataplane->on_loss;
	status->has_alone_ns = dataplane->alone_ns != 0;
	status->alone_ns = dataplane->alone_ns;
	status->has_joined_ns = dataplane->joined_ns != 0;
	status->joined_ns = dataplane->joined_ns;
	status->has_closed_ns = dataplane->closed_ns != 0;
	status->closed_ns = dataplane->closed_ns;
}

static void
reply_version(struct lp_session *session, const struct lp_reply_to *to)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__VersionReply version = LP__PB__VERSION_REPLY__INIT;

	version.version = (char *)LP_VERSION;
	version.has_protocol = version.has_schema = true;
	version.protocol = LP_CONTROL_PROTOCOL;
	version.schema = lp_store_schema(session->context.store);
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_VERSION;
	reply.version = &version;
	lp_reply_send(&session->context, to, &reply);
}
