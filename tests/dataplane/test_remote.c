/* SPDX-License-Identifier: Apache-2.0 */
/* Controllers of other machines, at a real process: TLS over loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "dataplane/remote.h"
#include "proto/tcp.h"
#include "tests/dataplane/controller.h"
#include "tests/support/pki.h"

enum { EPOCH = 7, FLOOD = 80 };

static struct dataplane dataplane;
static struct controller controller;
static struct lp_config config;
static struct pki *ca, *other_ca;
static char dirs[3][PATH_MAX]; /* the dataplane's, a controller's, another's */
static char address[64];
static struct lp_endpoint endpoint;
static const struct pki_wish good = {.name = "control", .role = "controld"};

/* Each program has loopback addresses of its own: 127.A.B.0 and on. */
static uint32_t
loopback(unsigned i)
{
	return 127u << 24 | ((uint32_t)getppid() & 0x7fff) << 8 | (i & 0xff);
}

static void
begin(void)
{
	static const char *const names[] = {"plane", "control", "other"};
	struct in_addr ip = {.s_addr = htonl(loopback(1))};
	struct pki_wish server = {.name = "edge-1", .role = "dataplane"};
	char hosts[64];

	signal(SIGPIPE, SIG_IGN);
	snprintf(address, sizeof(address), "%s:%d", inet_ntoa(ip),
	    LP_TLS_DATAPLANE_PORT);
	snprintf(hosts, sizeof(hosts), "IP:%s", inet_ntoa(ip));
	server.hosts = hosts;
	ck_assert_int_eq(lp_endpoint_parse(&endpoint, address, NULL), 0);
	ca = pki_new("ours");
	other_ca = pki_new("theirs");
	for (unsigned i = 0; i < 3; i++) {
		cold_mkdir(dirs[i]);
		pki_issue(ca, dirs[i],
		    i == 0 ? &server
			   : &(struct pki_wish){
				 .name = names[i], .role = "controld"});
	}
	cold_config(&config);
	dataplane.listen = address;
	dataplane.tls = dirs[0];
	dataplane_start(&dataplane, NULL);
}

static void
end(void)
{
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
	lp_config_fini(&config);
	for (unsigned i = 0; i < 3; i++)
		cold_rmdir(dirs[i]);
	pki_free(ca);
	pki_free(other_ca);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* TCP, from one of our addresses; 0: any. */
static int
connect_from(unsigned from)
{
	struct sockaddr_in source = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(loopback(from))};
	struct sockaddr_storage to;
	socklen_t len = lp_tcp_address(&to, &endpoint);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (from != 0)
		ck_assert_int_eq(
		    bind(fd, (struct sockaddr *)&source, sizeof(source)), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, len), 0);
	return fd;
}

/* In a process of its own: bytes of the one end are TLS at the other. */
static void
relay(int plain, int far, const char *directory)
{
	char why[LP_TLS_WHY_SIZE], host[LP_IP_TEXT_SIZE];
	uint8_t bytes[4096];
	struct lp_tls *tls;
	struct ssl_st *ssl;
	int len;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (lp_tls_open(&tls, directory, true, why) != 0 && !tls)
		_exit(1);
	ssl = lp_tls_client(tls, lp_ip_format(host, &endpoint.ip), "dataplane");
	SSL_set_fd(ssl, far);
	if (SSL_connect(ssl) != 1)
		_exit(2);
	for (;;) {
		struct pollfd fds[] = {
		    {.fd = plain, .events = POLLIN},
		    {.fd = far, .events = POLLIN},
		};

		if (SSL_pending(ssl) == 0)
			poll(fds, 2, -1);
		if (SSL_pending(ssl) > 0 || fds[1].revents) {
			len = SSL_read(ssl, bytes, sizeof(bytes));
			if (len <= 0 || write(plain, bytes, (size_t)len) != len)
				_exit(0);
		} else if (fds[0].revents) {
			len = (int)read(plain, bytes, sizeof(bytes));
			if (len <= 0 || SSL_write(ssl, bytes, len) != len)
				_exit(0);
		}
	}
}

/* As controller_open(), over TLS. */
static void
open_far(struct controller *far, const char *directory, unsigned from)
{
	const struct timeval timeout = {.tv_sec = COLD_DEADLINE_MS / 1000};
	int fd = connect_from(from);
	int pair[2];
	pid_t child;

	memset(far, 0, sizeof(*far));
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(pair[0]);
		relay(pair[1], fd, directory);
	}
	close(fd);
	close(pair[1]);
	far->fd = pair[0];
	setsockopt(far->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

/*
 * It hears nothing but the end, and why is in the log.  Each is from an address
 * of its own: how fast they come does not matter then.
 */
static void
is_refused(
    unsigned from, const struct pki_wish *wish, struct pki *by, const char *why)
{
	struct controller far;

	pki_issue(by, dirs[2], wish);
	pki_trust_also(ca, dirs[2]);
	open_far(&far, dirs[2], from);
	ck_assert_ptr_null(controller_next(&far));
	controller_close(&far);
	dataplane_wait_log(&dataplane, why);
}

/* Of what controller is connected to. */
static uint64_t
counted(const char *name)
{
	Lp__Pb__StatsRequest request = LP__PB__STATS_REQUEST__INIT;
	const Lp__Pb__Stats *stats;

	request.cookie = 1;
	controller_send(&controller,
	    LP__PB__DATAPLANE_MESSAGE__BODY_STATS_REQUEST, &request);
	do
		stats = controller_expect(
		    &controller, LP__PB__DATAPLANE_MESSAGE__BODY_STATS_REPLY)
			    ->stats_reply->stats;
	while (stats->n_tables == 0);
	for (size_t i = 0; i < stats->n_tables; i++)
		if (strcmp(stats->tables[i]->name, name) == 0)
			return stats->tables[i]->value;
	ck_abort_msg("%s is not counted", name);
	return 0;
}

/* Whatever it says, it is left. */
static void
is_closed(unsigned from, const char *text)
{
	size_t len = strlen(text);
	int fd = connect_from(from);
	char byte;

	/* It may be closed before it has said that. */
	(void)send(fd, text, len, MSG_NOSIGNAL);
	ck_assert_int_le(read(fd, &byte, 1), 0);
	close(fd);
}

static void
apply_far(uint64_t generation)
{
	struct controller far;

	open_far(&far, dirs[1], 0);
	controller_welcome(&far, EPOCH);
	controller_apply(&far, EPOCH, generation, &config);
	controller_close(&far);
}

START_TEST(a_controller_of_another_machine_is_as_good)
{
	begin();
	apply_far(1);
	ck_assert(dataplane_logged(&dataplane, "connected as control (127."));
	/* Beside one of this machine. */
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	apply_far(2);
	controller_apply(&controller, EPOCH, 3, &config);
	controller_close(&controller);
	end();
}
END_TEST

START_TEST(who_has_no_right_certificate_is_nobody)
{
	static const struct pki_wish expired = {.name = "control",
	    .role = "controld",
	    .from_s = -7200,
	    .to_s = -3600};
	static const struct pki_wish admin = {.name = "alice", .role = "admin"};
	static const struct pki_wish plane = {
	    .name = "edge-2", .role = "dataplane"};
	static const struct pki_wish nothing = {.name = "control"};

	begin();
	is_refused(11, &good, other_ca, "of another CA");
	is_refused(12, &expired, ca, "has expired");
	is_refused(13, &admin, ca, "of another role");
	is_refused(14, &plane, ca, "of another role");
	is_refused(15, &nothing, ca, "of another role");
	/* The place of one that has failed comes free later. */
	for (unsigned i = 0; i < LP_REMOTE_OF_SITE_MAX; i++)
		is_closed(9, "GET / HTTP/1.1\r\n\r\n");
	dataplane_wait_log(&dataplane, "it does not speak TLS");
	is_closed(9, "");
	dataplane_wait_log(&dataplane, "have made no handshake yet");
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	controller_apply(&controller, EPOCH, 1, &config);
	ck_assert_uint_eq(counted("remote_accepted"), 0);
	ck_assert_uint_eq(
	    counted("remote_refused"), 5 + LP_REMOTE_OF_SITE_MAX + 1);
	controller_close(&controller);
	end();
}
END_TEST

/* From one address or many, silent or failing: the real one comes through. */
START_TEST(a_flood_keeps_nobody_out)
{
	int fds[2 * FLOOD];

	begin();
	for (unsigned i = 0; i < FLOOD; i++)
		fds[i] = connect_from(5);
	apply_far(1);
	for (unsigned i = 0; i < FLOOD; i++)
		fds[FLOOD + i] = connect_from(10 + i);
	apply_far(2);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	controller_apply(&controller, EPOCH, 3, &config);
	controller_close(&controller);
	ck_assert(dataplane_logged(&dataplane, "have made no handshake yet"));
	for (unsigned i = 0; i < 2 * FLOOD; i++)
		close(fds[i]);
	end();
}
END_TEST

START_TEST(who_makes_no_handshake_is_left)
{
	uint8_t byte;
	int fd;

	begin();
	fd = connect_from(0);
	ck_assert_int_eq(write(fd, "\x16", 1), 1);
	ck_assert_int_eq(read(fd, &byte, 1), 0);
	ck_assert(dataplane_logged(&dataplane, "no handshake within 5000 ms"));
	close(fd);
	end();
}
END_TEST

/* So many with certificates; those of this machine find a place all the same.
 */
START_TEST(remote_controllers_have_their_share)
{
	static struct controller fars[5];

	begin();
	for (unsigned i = 0; i < 4; i++) {
		open_far(&fars[i], dirs[1], 0);
		controller_welcome(&fars[i], EPOCH);
	}
	open_far(&fars[4], dirs[1], 0);
	ck_assert_ptr_null(controller_next(&fars[4]));
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	controller_apply(&controller, EPOCH, 1, &config);
	controller_close(&controller);
	for (unsigned i = 0; i < 5; i++)
		controller_close(&fars[i]);
	end();
}
END_TEST

START_TEST(the_socket_outlives_the_packet_process)
{
	struct controller far;

	begin();
	apply_far(1);
	open_far(&far, dirs[1], 0);
	controller_welcome(&far, EPOCH);
	kill(dataplane_child(&dataplane), SIGKILL);
	controller_expect_end(&far);
	controller_close(&far);
	apply_far(2);
	end();
}
END_TEST

START_TEST(certificates_are_read_anew_at_sighup)
{
	struct controller far, other;

	begin();
	open_far(&far, dirs[1], 0);
	controller_welcome(&far, EPOCH);
	open_far(&other, dirs[2], 0);
	controller_welcome(&other, EPOCH);
	pki_revoke(ca, dirs[0], dirs[1], 3600);
	ck_assert_int_eq(kill(dataplane.keeper, SIGHUP), 0);
	controller_expect_end(&far);
	controller_close(&far);
	dataplane_wait_log(&dataplane, "revoked");
	/* It cannot come again; who is not on the list stays. */
	open_far(&far, dirs[1], 0);
	ck_assert_ptr_null(controller_next(&far));
	controller_close(&far);
	controller_apply(&other, EPOCH, 1, &config);
	controller_close(&other);
	end();
}
END_TEST

START_TEST(without_certificates_it_does_not_start)
{
	begin();
	dataplane_stop(&dataplane);
	pki_clean(dirs[0]);
	dataplane.listen = address;
	dataplane_restart(&dataplane, "--cpu=0");
	ck_assert_int_eq(dataplane_wait(&dataplane), EX_CONFIG);
	ck_assert(dataplane_logged(&dataplane, "cert.pem"));
	/* For end(): one that can be stopped. */
	dataplane.tls = NULL;
	dataplane.listen = NULL;
	dataplane_restart(&dataplane, NULL);
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_controller_of_another_machine_is_as_good,
	    who_has_no_right_certificate_is_nobody,
	    a_flood_keeps_nobody_out,
	    who_makes_no_handshake_is_left,
	    remote_controllers_have_their_share,
	    the_socket_outlives_the_packet_process,
	    certificates_are_read_anew_at_sighup,
	    without_certificates_it_does_not_start,
	    NULL,
	};

	return cold_run("remote", tests);
}
