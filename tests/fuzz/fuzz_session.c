/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes from a controller, byte by byte as a socket gives it: to a
 * dataplane with memory ports and a worker.  What an input applies is there for
 * the next ones; a new dataplane takes over now and then.
 */
#include <event2/event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/session.h"
#include "proto/message.h"
#include "tests/fuzz/fuzz.h"
#include "tests/proto/objects.h"
#include "tests/support/ensure.h"

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name

enum {
	INPUTS = 200, /* of one dataplane */
	TURNS = 4, /* of the loop, before the controller goes */
};

static struct lp_dataplane dataplane;
static struct event_base *base;
static char directory[64];
static char path[96];
static unsigned inputs;
static struct lp_options options = {.id = "fuzz",
    .snapshot_path = path,
    .connections = 64,
    .buffers = 4096,
    .spin_us = 1,
    .cpu = LP_OPTIONS_NO_CPU};

static void
start(void)
{
	ensure(
	    lp_dataplane_init(&dataplane, &options, NULL) == 0, "no dataplane");
}

static void
stop(void)
{
	lp_dataplane_fini(&dataplane);
	memset(&dataplane, 0, sizeof(dataplane));
	unlink(path);
}

static void
stop_all(void)
{
	stop();
	event_base_free(base);
	rmdir(directory);
}

static void
start_all(void)
{
	signal(SIGPIPE, SIG_IGN); /* as main() does */
	/* A port of another back end finds no device of the host. */
	(void)unshare(CLONE_NEWNET);
	strcpy(directory, "/tmp/lp-fuzz-XXXXXX");
	ensure(mkdtemp(directory) != NULL, "no directory");
	snprintf(path, sizeof(path), "%s/snapshot", directory);
	base = event_base_new();
	start();
	atexit(stop_all);
}

/* What it says is read, by nobody. */
static void
turn(int fd, unsigned count)
{
	static uint8_t words[1 << 16];

	while (count-- > 0) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		while (recv(fd, words, sizeof(words), MSG_DONTWAIT) > 0)
			;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lp_session *session;
	struct bufferevent *event;
	size_t sent = 0;
	int fds[2];

	if (inputs == 0) {
		start_all();
	} else if (inputs % INPUTS == 0) {
		stop();
		start();
	}
	inputs++;
	ensure(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0,
	    "socketpair");
	event = bufferevent_socket_new(base, fds[0], BEV_OPT_CLOSE_ON_FREE);
	ensure(event != NULL, "no memory");
	ensure(lp_session_new(&session, base, &dataplane, event, NULL) == 0,
	    "no session");
	while (sent < size && !lp_session_done(session)) {
		ssize_t n =
		    send(fds[1], data + sent, size - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		turn(fds[1], 1);
	}
	turn(fds[1], TURNS);
	lp_session_tick(session);
	lp_session_watch(session);
	turn(fds[1], TURNS);
	close(fds[1]);
	event_base_loop(base, EVLOOP_NONBLOCK);
	lp_session_free(session);
	return 0;
}

/* ---- what a controller says that is well ---- */

static size_t
add(uint8_t *data, size_t at, size_t max,
    Lp__Pb__DataplaneMessage__BodyCase kind, void *body)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	uint8_t *frame;
	size_t len;

	message.body_case = kind;
	message.hello = body; /* a union of pointers */
	ensure(lp_message_frame(&frame, &len, &message.base) == 0, "a frame");
	ensure(at + len <= max, "a seed is too long");
	memcpy(data + at, frame, len);
	free(frame);
	return at + len;
}

static size_t
add_welcome(uint8_t *data, size_t max)
{
	Lp__Pb__Welcome welcome = LP__PB__WELCOME__INIT;

	welcome.epoch = 1;
	welcome.protocol = LP_DATAPLANE_PROTOCOL_MAX;
	welcome.sync = LP__PB__WELCOME__SYNC__REPLACE;
	welcome.controller = (char *)"fuzz";
	return add(data, 0, max, BODY(WELCOME), &welcome);
}

/* A whole generation. */
static size_t
add_generation(uint8_t *data, size_t at, size_t max, uint64_t number)
{
	Lp__Pb__Begin begin = LP__PB__BEGIN__INIT;
	Lp__Pb__End end = LP__PB__END__INIT;
	struct lp_config config;

	make_config(&config);
	for (uint32_t id = FRONT; id <= BACK; id++) {
		struct lp_object port =
		    *lp_config_find(&config, LP_OBJECT_PORT, id);

		port.port.backend = LP_BACKEND_MEMORY;
		strcpy(port.port.device, id == FRONT ? "m-front" : "m-back");
		put(&config, port);
	}
	begin.epoch = 1;
	begin.generation = end.generation = number;
	begin.full = true;
	begin.object_count = (uint32_t)config.count;
	begin.digest = lp_config_digest(&config);
	at = add(data, at, max, BODY(BEGIN), &begin);
	for (size_t i = 0; i < config.count; i++) {
		Lp__Pb__ObjectFrame frame = LP__PB__OBJECT_FRAME__INIT;
		struct lp_message_object holder;

		frame.object =
		    lp_message_from_object(&holder, &config.objects[i]);
		at = add(data, at, max, BODY(OBJECT), &frame);
	}
	lp_config_fini(&config);
	return add(data, at, max, BODY(END), &end);
}

/* One of each that changes nothing. */
static size_t
add_questions(uint8_t *data, size_t at, size_t max)
{
	uint8_t packet_bytes[60] = {0};
	Lp__Pb__StatsRequest stats = LP__PB__STATS_REQUEST__INIT;
	Lp__Pb__ConnectionsRequest connections =
	    LP__PB__CONNECTIONS_REQUEST__INIT;
	Lp__Pb__KafkaStatsRequest kafka = LP__PB__KAFKA_STATS_REQUEST__INIT;
	Lp__Pb__RuleStatsRequest rules = LP__PB__RULE_STATS_REQUEST__INIT;
	Lp__Pb__DenialsRequest denials = LP__PB__DENIALS_REQUEST__INIT;
	Lp__Pb__TracePacket packet = LP__PB__TRACE_PACKET__INIT;
	Lp__Pb__TracePacket *packets[] = {&packet};
	Lp__Pb__TraceRequest trace = LP__PB__TRACE_REQUEST__INIT;
	Lp__Pb__CaptureFilter filter = LP__PB__CAPTURE_FILTER__INIT;
	Lp__Pb__CaptureRequest capture = LP__PB__CAPTURE_REQUEST__INIT;
	Lp__Pb__CaptureStop capture_stop = LP__PB__CAPTURE_STOP__INIT;
	Lp__Pb__Beat beat = LP__PB__BEAT__INIT;
	const struct {
		Lp__Pb__DataplaneMessage__BodyCase kind;
		void *body;
	} questions[] = {
	    {BODY(BEAT), &beat},
	    {BODY(STATS_REQUEST), &stats},
	    {BODY(CONNECTIONS_REQUEST), &connections},
	    {BODY(KAFKA_STATS_REQUEST), &kafka},
	    {BODY(RULE_STATS_REQUEST), &rules},
	    {BODY(DENIALS_REQUEST), &denials},
	    {BODY(TRACE_REQUEST), &trace},
	    {BODY(CAPTURE_REQUEST), &capture},
	    {BODY(CAPTURE_STOP), &capture_stop},
	};

	packet.data.data = packet_bytes;
	packet.data.len = sizeof(packet_bytes);
	packet.has_fill_mac = packet.fill_mac = true;
	trace.trace_id = 9;
	trace.port = (char *)"front";
	trace.packets = packets;
	trace.n_packets = 1;
	trace.has_last = trace.last = true;
	trace.request = (char *)"api=Fetch";
	capture.filter = &filter;
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		at = add(data, at, max, questions[i].kind, questions[i].body);
	return at;
}

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	size_t at = add_welcome(data, max);

	switch (index) {
	case 0:
		return add_questions(data, at, max);
	case 1:
		return add_generation(data, at, max, 2);
	case 2:
		at = add_generation(data, at, max, 3);
		return add_questions(data, at, max);
	default:
		return 0;
	}
}
