/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/serve.h"
#include "world.h"

#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controld/stream.h"
#include "proto/who.h"

/* A server that answers with the version, and what it has seen. */
static struct world world; /* its loop and directory */
static struct lp_serve *serve;
static const char *path;
static unsigned requests, gone;
static uint64_t last_client;
static char last_who[LP_WHO_SIZE];
static unsigned answers; /* frames for each request */

static void
on_request(void *arg, uint64_t client, const struct lp_serve_peer *peer,
    Lp__Pb__ControlRequest *request)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__VersionReply version = LP__PB__VERSION_REPLY__INIT;
	char text[1024];

	(void)arg;
	requests++;
	last_client = client;
	strcpy(last_who, peer->who);
	ck_assert(peer->local);
	ck_assert_str_eq(peer->from, "unix");
	ck_assert_str_eq(peer->role, "admin");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	version.version = text;
	reply.cookie = request->cookie;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_VERSION;
	reply.version = &version;
	for (unsigned i = 0; i < answers; i++)
		lp_serve_reply(serve, client, &reply);
	lp__pb__control_request__free_unpacked(request, NULL);
}

static void
on_gone(void *arg, uint64_t client)
{
	(void)arg;
	(void)client;
	gone++;
}

static int
try_open(struct lp_serve **out, const char *group, unsigned frame_ms, char *why)
{
	const struct lp_serve_options options = {
	    .base = world.base,
	    .path = path,
	    .group = group,
	    .frame_ms = frame_ms,
	    .request = on_request,
	    .gone = on_gone,
	};

	return lp_serve_open(out, &options, why);
}

static void
start_with(unsigned frame_ms)
{
	char why[LP_SERVE_WHY_SIZE] = "";

	make_dir(world.dir);
	world.base = event_base_new();
	path = strdup(path_in(world.dir, "controld.sock"));
	answers = 1;
	ck_assert_msg(try_open(&serve, NULL, frame_ms, why) == 0, "%s", why);
}

static void
start(void)
{
	start_with(60000);
}

static void
stop(void)
{
	lp_serve_close(serve);
	ck_assert_int_ne(access(path, F_OK), 0);
	event_base_free(world.base);
	remove_dir(world.dir);
	free((char *)path);
}

static int
connect_it(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;

	lp_stream_address(&address, path);
	ck_assert_int_eq(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static size_t
make_request(uint8_t bytes[64], uint64_t cookie)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	Lp__Pb__VersionRequest version = LP__PB__VERSION_REQUEST__INIT;
	size_t len;

	request.protocol = LP_CONTROL_PROTOCOL;
	request.cookie = cookie;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_VERSION;
	request.version = &version;
	len = lp__pb__control_request__pack(
	    &request, bytes + LP_FRAME_HEADER_SIZE);
	lp_frame_header(bytes, len);
	return len + LP_FRAME_HEADER_SIZE;
}

struct reading {
	int fd;
	uint8_t bytes[4096];
	size_t len;
	bool closed;
};

static bool
has_reply(void *arg)
{
	struct reading *reading = arg;
	const uint8_t *payload;
	size_t payload_len;
	ssize_t len = read(reading->fd, reading->bytes + reading->len,
	    sizeof(reading->bytes) - reading->len);

	if (len > 0)
		reading->len += (size_t)len;
	if (len == 0 || (len < 0 && errno == ECONNRESET))
		reading->closed = true;
	return reading->closed ||
	    lp_frame_next(
		reading->bytes, reading->len, &payload, &payload_len) == LP_OK;
}

static void
poke(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* Our own end is not in the loop: it is looked at every millisecond. */
static void
run(bool (*done)(void *arg), void *arg)
{
	const struct timeval wait = {.tv_usec = 1000};
	struct event *tick = event_new(world.base, -1, EV_PERSIST, poke, NULL);

	event_add(tick, &wait);
	world_run(&world, done, arg);
	event_free(tick);
}

static void
check_reply(int fd, uint64_t cookie)
{
	struct reading reading = {.fd = fd};
	Lp__Pb__ControlReply *reply;
	const uint8_t *payload;
	size_t len;

	run(has_reply, &reading);
	ck_assert(!reading.closed);
	ck_assert_int_eq(
	    lp_frame_next(reading.bytes, reading.len, &payload, &len), LP_OK);
	reply = lp_message_unpack_reply(payload, len);
	ck_assert_ptr_nonnull(reply);
	ck_assert_uint_eq(reply->cookie, cookie);
	lp__pb__control_reply__free_unpacked(reply, NULL);
}

static void
check_closed(int fd)
{
	struct reading reading = {.fd = fd};

	run(has_reply, &reading);
	ck_assert(reading.closed);
}

static bool
all_gone(void *arg)
{
	(void)arg;
	return lp_serve_count(serve) == 0;
}

START_TEST(a_request_is_answered)
{
	uint8_t bytes[64];
	size_t len = make_request(bytes, 42);
	char who[64];
	int fd;

	start();
	fd = connect_it();
	ck_assert_int_eq(write(fd, bytes, len), (int)len);
	check_reply(fd, 42);
	snprintf(who, sizeof(who), "uid %u (", getuid());
	ck_assert_int_eq(strncmp(last_who, who, strlen(who)), 0);
	snprintf(who, sizeof(who), "), pid %d", getpid());
	ck_assert_ptr_nonnull(strstr(last_who, who));
	close(fd);
	run(all_gone, NULL);
	ck_assert_uint_eq(gone, 1);
	stop();
}
END_TEST

static bool
has_read(void *arg)
{
	(void)arg;
	return requests > 0;
}

START_TEST(a_request_may_come_byte_by_byte)
{
	uint8_t bytes[64];
	size_t len = make_request(bytes, 43);
	int fd;

	start();
	fd = connect_it();
	for (size_t i = 0; i < len; i++) {
		ck_assert_uint_eq(requests, 0);
		ck_assert_int_eq(write(fd, bytes + i, 1), 1);
		event_base_loop(world.base, EVLOOP_NONBLOCK);
	}
	check_reply(fd, 43);
	close(fd);
	stop();
}
END_TEST

START_TEST(several_requests_may_come_at_once)
{
	uint8_t bytes[192];
	size_t len = make_request(bytes, 1);
	struct reading reading = {0};

	start();
	reading.fd = connect_it();
	len += make_request(bytes + len, 2);
	ck_assert_int_eq(write(reading.fd, bytes, len), (int)len);
	run(has_reply, &reading);
	ck_assert_uint_eq(requests, 2);
	close(reading.fd);
	stop();
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} garbage[] = {
    {"\0\0\0\0", 4},
    {"\xff\xff\xff\xff", 4},
    {"\0\1\0\0", 4},
    {"GET / HTTP/1.0\r\n\r\n", 18},
    {"\0\0\0\4\xff\xff\xff\xff", 8},
    {"\0\0\0\2\x08\x01", 6}, /* protocol 1, and no cookie */
    {"\0\0\0\1\x08", 5},
};

START_TEST(garbage_closes_the_client_and_nobody_else)
{
	uint8_t bytes[64];
	size_t len = make_request(bytes, 44);
	int other, fd;

	start();
	other = connect_it();
	fd = connect_it();
	ck_assert_int_eq(write(fd, garbage[_i].bytes, garbage[_i].len),
	    (int)garbage[_i].len);
	check_closed(fd);
	ck_assert_uint_eq(requests, 0);
	ck_assert_int_eq(write(other, bytes, len), (int)len);
	check_reply(other, 44);
	close(fd);
	close(other);
	stop();
}
END_TEST

START_TEST(random_bytes_do_no_harm)
{
	unsigned seed = 7;
	uint8_t bytes[64];
	size_t len;
	int fd;

	start();
	for (unsigned round = 0; round < 200; round++) {
		fd = connect_it();
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)rand_r(&seed);
		if (round % 2 == 0)
			memcpy(bytes, "\0\0\0\x3c", 4);
		ck_assert_int_eq(
		    write(fd, bytes, sizeof(bytes)), (int)sizeof(bytes));
		event_base_loop(world.base, EVLOOP_NONBLOCK);
		close(fd);
		run(all_gone, NULL);
	}
	len = make_request(bytes, 45);
	fd = connect_it();
	ck_assert_int_eq(write(fd, bytes, len), (int)len);
	check_reply(fd, 45);
	close(fd);
	stop();
}
END_TEST

START_TEST(half_a_frame_is_not_waited_for_for_ever)
{
	int fd;

	start_with(20);
	fd = connect_it();
	ck_assert_int_eq(write(fd, "\0\0\0\x10half", 8), 8);
	check_closed(fd);
	close(fd);
	stop();
}
END_TEST

START_TEST(a_client_that_does_not_read_is_closed)
{
	uint8_t bytes[64];
	size_t len = make_request(bytes, 46);
	int fd;

	start();
	answers = LP_SERVE_OUTPUT_MAX / 1000;
	fd = connect_it();
	ck_assert_int_eq(write(fd, bytes, len), (int)len);
	run(has_read, NULL);
	run(all_gone, NULL); /* though we have not closed it */
	ck_assert_uint_eq(lp_serve_overflows(serve), 1);
	close(fd);
	stop();
}
END_TEST

/* Together more than there is room for: the one that has the most goes. */
START_TEST(of_clients_that_do_not_read_the_slowest_is_closed)
{
	static const unsigned parts[] = {50, 90, 70};
	uint8_t bytes[64];
	size_t len = make_request(bytes, 47);
	int fds[3];

	start();
	for (unsigned i = 0; i < 3; i++) {
		fds[i] = connect_it();
		answers = LP_SERVE_OUTPUT_MAX / 1000 * parts[i] / 100;
		ck_assert_int_eq(write(fds[i], bytes, len), (int)len);
		while (requests == i)
			event_base_loop(world.base, EVLOOP_ONCE);
		ck_assert_uint_eq(lp_serve_overflows(serve), i == 2);
	}
	while (gone == 0)
		event_base_loop(world.base, EVLOOP_ONCE);
	ck_assert_uint_eq(lp_serve_count(serve), 2);
	answers = 1;
	check_reply(fds[0], 47);
	check_reply(fds[2], 47);
	for (unsigned i = 0; i < 3; i++)
		close(fds[i]);
	stop();
}
END_TEST

START_TEST(one_too_many_is_turned_away)
{
	int fds[LP_SERVE_CLIENTS_MAX + 1];
	uint8_t bytes[64];
	size_t len = make_request(bytes, 47);

	start();
	for (unsigned i = 0; i <= LP_SERVE_CLIENTS_MAX; i++) {
		fds[i] = connect_it();
		event_base_loop(world.base, EVLOOP_NONBLOCK);
	}
	check_closed(fds[LP_SERVE_CLIENTS_MAX]);
	ck_assert_uint_eq(lp_serve_count(serve), LP_SERVE_CLIENTS_MAX);
	ck_assert_int_eq(write(fds[0], bytes, len), (int)len);
	check_reply(fds[0], 47);
	for (unsigned i = 0; i <= LP_SERVE_CLIENTS_MAX; i++)
		close(fds[i]);
	run(all_gone, NULL);
	stop();
}
END_TEST

START_TEST(an_answer_to_who_has_gone_finds_nobody)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	uint8_t bytes[64];
	size_t len = make_request(bytes, 48);
	int fd;

	start();
	fd = connect_it();
	ck_assert_int_eq(write(fd, bytes, len), (int)len);
	run(has_read, NULL);
	close(fd);
	run(all_gone, NULL);
	lp_serve_reply(serve, last_client, &reply);
	lp_serve_reply(serve, 0, &reply);
	stop();
}
END_TEST

START_TEST(the_socket_is_for_us_and_a_group)
{
	struct stat status;

	start();
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0660);
	stop();
}
END_TEST

START_TEST(the_group_can_be_given)
{
	const struct group *group = getgrnam("daemon");
	struct stat status;
	char why[LP_SERVE_WHY_SIZE];

	start();
	lp_serve_close(serve);
	if (getuid() == 0 && group != NULL) {
		ck_assert_int_eq(try_open(&serve, "daemon", 1000, why), 0);
		ck_assert_int_eq(stat(path, &status), 0);
		ck_assert_uint_eq(status.st_gid, group->gr_gid);
		lp_serve_close(serve);
	}
	ck_assert_int_eq(try_open(&serve, "no-such-group", 1000, why), -ENOENT);
	ck_assert_str_eq(why, "--group no-such-group: there is no such group");
	/* Nothing is left behind. */
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(try_open(&serve, NULL, 1000, why), 0);
	stop();
}
END_TEST

START_TEST(a_socket_of_a_living_daemon_is_left_alone)
{
	struct lp_serve *other = NULL;
	char why[LP_SERVE_WHY_SIZE], wanted[LP_SERVE_WHY_SIZE];
	uint8_t bytes[64];
	size_t len = make_request(bytes, 49);
	int fd;

	start();
	ck_assert_int_eq(try_open(&other, NULL, 1000, why), -EADDRINUSE);
	snprintf(wanted, sizeof(wanted),
	    "%s: another daemon serves this socket", path);
	ck_assert_str_eq(why, wanted);
	fd = connect_it();
	ck_assert_int_eq(write(fd, bytes, len), (int)len);
	check_reply(fd, 49);
	close(fd);
	stop();
}
END_TEST

START_TEST(a_socket_of_a_dead_daemon_is_replaced)
{
	struct sockaddr_un address;
	char why[LP_SERVE_WHY_SIZE];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	start();
	lp_serve_close(serve);
	lp_stream_address(&address, path);
	ck_assert_int_eq(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_msg(try_open(&serve, NULL, 1000, why) == 0, "%s", why);
	stop();
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
	char why[LP_SERVE_WHY_SIZE];
	int fd;

	start();
	lp_serve_close(serve);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	ck_assert_int_eq(try_open(&serve, NULL, 1000, why), -ENOTSOCK);
	ck_assert_ptr_nonnull(strstr(why, "is there, and is no socket"));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(try_open(&serve, NULL, 1000, why), 0);
	stop();
}
END_TEST

START_TEST(a_path_that_cannot_be_is_refused)
{
	const char *good;
	char why[LP_SERVE_WHY_SIZE];
	char name[256];
	struct lp_serve *other;

	start();
	good = path;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	path = name;
	ck_assert_int_eq(try_open(&other, NULL, 1000, why), -ENAMETOOLONG);
	path = path_in(world.dir, "nix/controld.sock");
	ck_assert_int_eq(try_open(&other, NULL, 1000, why), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "No such file or directory"));
	path = good;
	stop();
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("serve");
	TCase *tcase = tcase_create("serve");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(a_request_is_answered);
	TEST(a_request_may_come_byte_by_byte);
	TEST(several_requests_may_come_at_once);
	tcase_add_loop_test(tcase, garbage_closes_the_client_and_nobody_else, 0,
	    sizeof(garbage) / sizeof(garbage[0]));
	TEST(random_bytes_do_no_harm);
	TEST(half_a_frame_is_not_waited_for_for_ever);
	TEST(a_client_that_does_not_read_is_closed);
	TEST(of_clients_that_do_not_read_the_slowest_is_closed);
	TEST(one_too_many_is_turned_away);
	TEST(an_answer_to_who_has_gone_finds_nobody);
	TEST(the_socket_is_for_us_and_a_group);
	TEST(the_group_can_be_given);
	TEST(a_socket_of_a_living_daemon_is_left_alone);
	TEST(a_socket_of_a_dead_daemon_is_replaced);
	TEST(what_is_no_socket_is_left_alone);
	TEST(a_path_that_cannot_be_is_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
