/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes from lpctl, byte by byte as a socket gives it: to a daemon that
 * has a database and no dataplane.  Behind TLS it is the same that reads.  What
 * an input changes is there for the next ones; a new daemon takes over now and
 * then.
 */
#include <assert.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controld/serve.h"
#include "controld/session.h"
#include "controld/stream.h"
#include "tests/controld/world.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/ensure.h"

#define BODY(name) LP__PB__CONTROL_REQUEST__BODY_##name

enum {
	INPUTS = 500, /* of one daemon */
	TURNS = 8, /* of the loop, before the client goes */
	TURNS_MAX = 100000,
};

static struct {
	struct event_base *base;
	struct lp_store *store;
	struct lp_session *session;
	struct lp_serve *serve;
	char dir[64];
	char path[96];
	unsigned inputs;
} daemon_;

static void
on_request(void *arg, uint64_t client, const struct lp_serve_peer *peer,
    Lp__Pb__ControlRequest *request)
{
	(void)arg;
	lp_session_request(daemon_.session, client, peer, request);
}

static void
on_gone(void *arg, uint64_t client)
{
	(void)arg;
	lp_session_gone(daemon_.session, client);
}

static void
on_reply(void *arg, uint64_t client, const Lp__Pb__ControlReply *reply)
{
	(void)arg;
	lp_serve_reply(daemon_.serve, client, reply);
}

static void
start(void)
{
	struct lp_store_options store = {0};
	struct lp_session_options session = {0};
	struct lp_serve_options serve = {0};
	struct lp_generation current;
	char why[LP_STORE_WHY_SIZE], why_not[LP_SERVE_WHY_SIZE];

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	strcpy(daemon_.dir, "/tmp/lp-fuzz-XXXXXX");
	ensure(mkdtemp(daemon_.dir) != NULL, "no directory");
	snprintf(daemon_.path, sizeof(daemon_.path), "%s/sock", daemon_.dir);
	daemon_.base = event_base_new();
	store.path = path_in(daemon_.dir, "db");
	ensure(lp_store_open(&daemon_.store, &current, &store, why) == 0, "%s",
	    why);
	session.base = daemon_.base;
	session.store = daemon_.store;
	session.times = patient;
	session.query_ms = 200;
	session.reply = on_reply;
	ensure(lp_session_new(&daemon_.session, &session, &current) == 0,
	    "no session");
	serve.base = daemon_.base;
	serve.path = daemon_.path;
	serve.frame_ms = LP_SERVE_FRAME_MS;
	serve.request = on_request;
	serve.gone = on_gone;
	ensure(
	    lp_serve_open(&daemon_.serve, &serve, why_not) == 0, "%s", why_not);
}

static void
stop(void)
{
	if (daemon_.base == NULL)
		return;
	lp_serve_close(daemon_.serve);
	lp_session_free(daemon_.session);
	lp_store_close(daemon_.store);
	event_base_free(daemon_.base);
	remove_dir(daemon_.dir);
	daemon_.base = NULL;
}

/* Answers are read, by nobody. */
static void
turn(int fd, unsigned count)
{
	static uint8_t answers[1 << 16];

	while (count-- > 0) {
		event_base_loop(daemon_.base, EVLOOP_NONBLOCK);
		while (fd >= 0 &&
		    recv(fd, answers, sizeof(answers), MSG_DONTWAIT) > 0)
			;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_un address;
	size_t sent = 0;
	int fd;

	if (daemon_.inputs == 0)
		atexit(stop);
	if (daemon_.inputs++ % INPUTS == 0) {
		stop();
		start();
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	lp_stream_address(&address, daemon_.path);
	ensure(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
	    "connect");
	while (sent < size) {
		ssize_t n = send(fd, data + sent, size - sent, MSG_NOSIGNAL);

		turn(fd, 1);
		if (n > 0)
			sent += (size_t)n;
		else if (lp_serve_count(daemon_.serve) == 0)
			break; /* it has had enough */
	}
	turn(fd, TURNS);
	close(fd);
	for (unsigned i = 0; lp_serve_count(daemon_.serve) > 0; i++) {
		ensure(i < TURNS_MAX, "a client that has gone is kept");
		turn(-1, 1);
	}
	return 0;
}

/* ---- what well-formed requests there are ---- */

static size_t
add(uint8_t *data, size_t at, size_t max, Lp__Pb__ControlRequest *request)
{
	size_t len = lp__pb__control_request__get_packed_size(request);

	ensure(at + LP_FRAME_HEADER_SIZE + len <= max, "a seed is too long");
	lp_frame_header(data + at, len);
	lp__pb__control_request__pack(
	    request, data + at + LP_FRAME_HEADER_SIZE);
	return at + LP_FRAME_HEADER_SIZE + len;
}

/* A cluster of that name, with a broker and a rule. */
static size_t
add_change(uint8_t *data, size_t at, size_t max, char *name, bool more)
{
	static uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1};
	Lp__Pb__Operation operations[3];
	Lp__Pb__Operation *list[3];
	Lp__Pb__Object objects[3];
	Lp__Pb__Cluster cluster = LP__PB__CLUSTER__INIT;
	Lp__Pb__Broker broker = LP__PB__BROKER__INIT;
	Lp__Pb__Endpoint endpoint = LP__PB__ENDPOINT__INIT;
	Lp__Pb__Rule rule = LP__PB__RULE__INIT;
	Lp__Pb__Transaction transaction = LP__PB__TRANSACTION__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;

	for (unsigned i = 0; i < 3; i++) {
		lp__pb__operation__init(&operations[i]);
		lp__pb__object__init(&objects[i]);
		operations[i].verb = LP__PB__OPERATION__VERB__ADD;
		operations[i].name = operations[i].cluster = name;
		operations[i].object = &objects[i];
		operations[i].has_may_exist = operations[i].may_exist = true;
		list[i] = &operations[i];
	}
	operations[0].kind = LP_OBJECT_CLUSTER;
	objects[0].body_case = LP__PB__OBJECT__BODY_CLUSTER;
	objects[0].cluster = &cluster;
	operations[1].kind = LP_OBJECT_BROKER;
	operations[1].has_node_id = true;
	operations[1].node_id = 1;
	objects[1].body_case = LP__PB__OBJECT__BODY_BROKER;
	objects[1].broker = &broker;
	endpoint.ip.data = ip;
	endpoint.ip.len = sizeof(ip);
	endpoint.port = 9092;
	ip[14] = (uint8_t)name[0];
	broker.real = &endpoint;
	broker.host = (char *)"broker";
	operations[2].kind = LP_OBJECT_RULE;
	objects[2].body_case = LP__PB__OBJECT__BODY_RULE;
	objects[2].rule = &rule;
	objects[2].owner = (char *)"team-a";
	rule.has_priority = true;
	rule.priority = 7;
	rule.match = (char *)"api=Fetch";
	rule.action = (char *)"observe";
	transaction.n_operations = 3;
	transaction.operations = list;
	transaction.has_more = transaction.more = more;
	transaction.comment = (char *)"as typed";
	request.protocol = LP_CONTROL_PROTOCOL;
	request.cookie = 4;
	request.body_case = BODY(TRANSACTION);
	request.transaction = &transaction;
	return add(data, at, max, &request);
}

/* One of each that changes nothing. */
static size_t
seed_questions(uint8_t *data, size_t max)
{
	Lp__Pb__ShowRequest show = LP__PB__SHOW_REQUEST__INIT;
	Lp__Pb__StatusRequest status = LP__PB__STATUS_REQUEST__INIT;
	Lp__Pb__CountersRequest counters = LP__PB__COUNTERS_REQUEST__INIT;
	Lp__Pb__ConnectionListRequest connections =
	    LP__PB__CONNECTION_LIST_REQUEST__INIT;
	Lp__Pb__VersionRequest version = LP__PB__VERSION_REQUEST__INIT;
	Lp__Pb__KafkaCountersRequest kafka =
	    LP__PB__KAFKA_COUNTERS_REQUEST__INIT;
	Lp__Pb__TracePacketsRequest trace = LP__PB__TRACE_PACKETS_REQUEST__INIT;
	Lp__Pb__CapturePacketsRequest capture =
	    LP__PB__CAPTURE_PACKETS_REQUEST__INIT;
	Lp__Pb__RuleCountersRequest rules = LP__PB__RULE_COUNTERS_REQUEST__INIT;
	Lp__Pb__DenialListRequest denials = LP__PB__DENIAL_LIST_REQUEST__INIT;
	Lp__Pb__HistoryRequest history = LP__PB__HISTORY_REQUEST__INIT;
	Lp__Pb__AuditRequest audit = LP__PB__AUDIT_REQUEST__INIT;
	Lp__Pb__BackupRequest backup = LP__PB__BACKUP_REQUEST__INIT;
	const struct {
		Lp__Pb__ControlRequest__BodyCase body;
		void *message;
	} questions[] = {
	    {BODY(SHOW), &show},
	    {BODY(STATUS), &status},
	    {BODY(COUNTERS), &counters},
	    {BODY(CONNECTIONS), &connections},
	    {BODY(VERSION), &version},
	    {BODY(KAFKA), &kafka},
	    {BODY(TRACE), &trace},
	    {BODY(CAPTURE), &capture},
	    {BODY(RULES), &rules},
	    {BODY(DENIALS), &denials},
	    {BODY(HISTORY), &history},
	    {BODY(AUDIT), &audit},
	    {BODY(BACKUP), &backup},
	};
	size_t at = 0;

	show.has_generation = history.has_limit = true;
	show.generation = 1;
	history.limit = 3;
	trace.trace_id = 77;
	trace.port = (char *)"front";
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;

		request.protocol = LP_CONTROL_PROTOCOL;
		request.cookie = i;
		request.body_case = questions[i].body;
		request.show = questions[i].message; /* any of the union */
		at = add(data, at, max, &request);
	}
	return at;
}

/* In pieces, kept only if it is confirmed, and taken back. */
static size_t
seed_changes(uint8_t *data, size_t max)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	Lp__Pb__RollbackRequest rollback = LP__PB__ROLLBACK_REQUEST__INIT;
	Lp__Pb__ConfirmRequest confirm = LP__PB__CONFIRM_REQUEST__INIT;
	size_t at = add_change(data, 0, max, (char *)"b", true);

	at = add_change(data, at, max, (char *)"c", false);
	request.protocol = LP_CONTROL_PROTOCOL;
	request.cookie = 3;
	request.body_case = BODY(ROLLBACK);
	request.rollback = &rollback;
	rollback.has_generation = rollback.has_confirm_ms = true;
	rollback.generation = 1;
	rollback.confirm_ms = 60000;
	at = add(data, at, max, &request);
	request.body_case = BODY(CONFIRM);
	request.confirm = &confirm;
	return add(data, at, max, &request);
}

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	switch (index) {
	case 0:
		return add_change(data, 0, max, (char *)"a", false);
	case 1:
		return seed_questions(data, max);
	case 2:
		return seed_changes(data, max);
	default:
		return 0;
	}
}
