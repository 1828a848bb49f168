/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real client, against clusters that librdkafka plays, and a broker by
 * hand that refuses passwords.
 */
#include "controld/poll_ask.h"
#include "world.h"

#include <arpa/inet.h>
#include <endian.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { METADATA = 3, BROKERS = 3 };

static char dir[64];
static rd_kafka_t *handle; /* that the played cluster needs */
static rd_kafka_mock_cluster_t *cluster;
static struct lp_poll_answer answer;
static atomic_bool over;

static void
setup(void)
{
	make_dir(dir);
	handle = NULL;
	cluster = NULL;
	atomic_store(&over, false);
	answer = (struct lp_poll_answer){0};
}

static void
teardown(void)
{
	if (cluster != NULL)
		rd_kafka_mock_cluster_destroy(cluster);
	if (handle != NULL)
		rd_kafka_destroy(handle);
	lp_poll_ask_free(&answer);
	remove_dir(dir);
}

static void
play(void)
{
	char why[256];

	handle = rd_kafka_new(
	    RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
	cluster = rd_kafka_mock_cluster_new(handle, BROKERS);
	ck_assert_ptr_nonnull(cluster);
}

static const char *
path(void)
{
	return path_in(dir, "payments.conf");
}

static void
put(const char *format, const char *text)
{
	FILE *file = fopen(path(), "w");

	ck_assert_int_eq(fchmod(fileno(file), 0600), 0);
	fprintf(file, format, text);
	fclose(file);
}

static void
ask(void)
{
	lp_poll_ask_free(&answer);
	lp_poll_ask(path(), &over, &answer);
}

/* Why the file is not used, without its path. */
static const char *
refusal(const char *text)
{
	put("%s", text);
	ask();
	ck_assert_uint_eq(answer.count, 0);
	ck_assert_int_eq(strncmp(answer.why, path(), strlen(path())), 0);
	return answer.why + strlen(path());
}

START_TEST(all_brokers_are_found)
{
	bool found[BROKERS + 1] = {false};

	play();
	put("# what lp-controld is\n\nbootstrap.servers = %s\n",
	    rd_kafka_mock_cluster_bootstraps(cluster));
	ask();
	ck_assert_str_eq(answer.why, "");
	ck_assert_uint_eq(answer.count, BROKERS);
	for (unsigned i = 0; i < BROKERS; i++) {
		char at[LP_HOST_SIZE + 16];

		ck_assert_int_ge(answer.brokers[i].node_id, 1);
		ck_assert_int_le(answer.brokers[i].node_id, BROKERS);
		found[answer.brokers[i].node_id] = true;
		ck_assert_str_eq(answer.brokers[i].host, "127.0.0.1");
		snprintf(at, sizeof(at), "%s:%u", answer.brokers[i].host,
		    answer.brokers[i].port);
		ck_assert_ptr_nonnull(
		    strstr(rd_kafka_mock_cluster_bootstraps(cluster), at));
	}
	ck_assert(found[1] && found[2] && found[3]);
}
END_TEST

/* An answer that takes longer than the first wait is waited for. */
START_TEST(a_slow_broker_is_waited_for)
{
	play();
	for (int32_t id = 1; id <= BROKERS; id++)
		rd_kafka_mock_broker_set_rtt(cluster, id, 700);
	put("bootstrap.servers=%s", rd_kafka_mock_cluster_bootstraps(cluster));
	ask();
	ck_assert_str_eq(answer.why, "");
	ck_assert_uint_eq(answer.count, BROKERS);
}
END_TEST

START_TEST(another_broker_is_asked_when_one_is_down)
{
	play();
	rd_kafka_mock_broker_set_down(cluster, 1);
	rd_kafka_mock_broker_set_down(cluster, 2);
	put("bootstrap.servers=%s\nreconnect.backoff.ms=10",
	    rd_kafka_mock_cluster_bootstraps(cluster));
	ask();
	ck_assert_str_eq(answer.why, "");
	ck_assert_uint_eq(answer.count, BROKERS);
}
END_TEST

/* A socket that listens, and who speaks there. */
struct server {
	int fd;
	uint16_t port;
	pthread_t thread;
	_Atomic unsigned passwords; /* that came */
};

static void
bind_at(struct server *server, const char *address)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);

	*server = (struct server){0};
	inet_pton(AF_INET, address, &at.sin_addr);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(server->fd, (struct sockaddr *)&at, len), 0);
	getsockname(server->fd, (struct sockaddr *)&at, &len);
	server->port = ntohs(at.sin_port);
}

static void
listen_at(struct server *server, const char *address)
{
	bind_at(server, address);
	ck_assert_int_eq(listen(server->fd, 16), 0);
}

static void
put_servers(const struct server *server, const char *more)
{
	char text[64];

	snprintf(text, sizeof(text), "127.0.0.1:%u\n", server->port);
	put("bootstrap.servers=%s", text);

	FILE *file = fopen(path(), "a");

	fputs(more, file);
	fclose(file);
}

START_TEST(nobody_there_is_told)
{
	struct server server;
	char wanted[128];

	bind_at(&server, "127.0.0.1");
	put_servers(&server, "");
	ask();
	close(server.fd);
	ck_assert_uint_eq(answer.count, 0);
	snprintf(wanted, sizeof(wanted),
	    "127.0.0.1:%u/bootstrap: Connect to ipv4#127.0.0.1:%u failed: "
	    "Connection refused",
	    server.port, server.port);
	ck_assert_ptr_nonnull(strstr(answer.why, wanted));
	ck_assert_ptr_null(strstr(answer.why, "(after "));
}
END_TEST

/* Somebody listens and says nothing, until we are to end. */
static void *
end_it(void *arg)
{
	const struct server *server = arg;
	int fd = accept(server->fd, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	atomic_store(&over, true);
	return (void *)(intptr_t)fd;
}

START_TEST(the_end_is_not_waited_for)
{
	struct server server;
	void *fd;

	listen_at(&server, "127.0.0.1");
	put_servers(&server, "");
	pthread_create(&server.thread, NULL, end_it, &server);
	ask();
	pthread_join(server.thread, &fd);
	close((int)(intptr_t)fd);
	close(server.fd);
	ck_assert_uint_eq(answer.count, 0);
	ck_assert_str_ne(answer.why, "");
}
END_TEST

static bool
read_all(int fd, void *bytes, size_t len)
{
	return recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

static void
reply(int fd, uint32_t correlation_id, const void *body, size_t len)
{
	uint8_t out[512];
	uint32_t size = htobe32((uint32_t)len + 4);

	memcpy(out, &size, 4);
	memcpy(out + 4, &correlation_id, 4); /* as it came */
	memcpy(out + 8, body, len);
	(void)!send(fd, out, len + 8, MSG_NOSIGNAL);
}

/* ApiVersions, SaslHandshake, and SaslAuthenticate, which is in vain. */
static void
refuse_password(struct server *server, int fd)
{
	static const uint8_t versions[] = {0, 0, 0, 0, 0, 4, /* */
	    0, 3, 0, 0, 0, 4, 0, 17, 0, 0, 0, 1, /* */
	    0, 18, 0, 0, 0, 0, 0, 36, 0, 0, 0, 1};
	static const uint8_t too_new[] = {0, 35, 0, 0, 0, 1, /* */
	    0, 18, 0, 0, 0, 0};
	static const uint8_t plain[] = {
	    0, 0, 0, 0, 0, 1, 0, 5, 'P', 'L', 'A', 'I', 'N'};
	static const char text[] =
	    "\0\x3a\0\x22No user has this password, wrong-1"
	    "\0\0\0\0\0\0\0\0\0\0\0\0";
	uint8_t head[12], rest[4096];

	while (read_all(fd, head, sizeof(head))) {
		uint32_t len = (uint32_t)head[0] << 24 |
		    (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
		unsigned api = (unsigned)head[4] << 8 | head[5];
		uint32_t id;

		memcpy(&id, head + 8, 4);
		if (len < 8 || len - 8 > sizeof(rest) ||
		    !read_all(fd, rest, len - 8))
			return;
		if (api == 18 && head[7] > 0)
			reply(fd, id, too_new, sizeof(too_new));
		else if (api == 18)
			reply(fd, id, versions, sizeof(versions));
		else if (api == 17)
			reply(fd, id, plain, sizeof(plain));
		else if (api == 36) {
			atomic_fetch_add(&server->passwords, 1);
			reply(fd, id, text, sizeof(text) - 1);
		}
	}
}

static void *
refuse_passwords(void *arg)
{
	struct server *server = arg;
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		refuse_password(server, fd);
		close(fd);
	}
	return NULL;
}

static void
ask_with_password(struct server *server, const char *password)
{
	char more[256];

	listen_at(server, "127.0.0.1");
	snprintf(more, sizeof(more),
	    "security.protocol=sasl_plaintext\nsasl.mechanism=PLAIN\n"
	    "sasl.username=lightpath\nsasl.password=%s\n",
	    password);
	put_servers(server, more);
	pthread_create(&server->thread, NULL, refuse_passwords, server);
	ask();
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

START_TEST(a_wrong_password_is_sent_once_and_told)
{
	struct server server;

	ask_with_password(&server, "wrong-2");
	ck_assert_uint_eq(answer.count, 0);
	ck_assert_ptr_nonnull(strstr(answer.why, "SASL authentication error"));
	ck_assert_ptr_nonnull(strstr(answer.why, "No user has this password"));
	ck_assert_ptr_null(strstr(answer.why, "wrong-2"));
	ck_assert_uint_eq(atomic_load(&server.passwords), 1);
}
END_TEST

/* A broker that repeats it, as none should. */
START_TEST(no_text_has_the_password_in_it)
{
	struct server server;

	ask_with_password(&server, "wrong-1");
	ck_assert_uint_eq(atomic_load(&server.passwords), 1);
	ck_assert_str_eq(answer.why, "the reason has what is secret in it");
}
END_TEST

START_TEST(a_wrong_file_is_refused_with_its_line)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
	    {"bootstrap.servers=a\nno.such=x\n",
		":2: no.such: No such configuration property: \"no.such\""},
	    {"security.protocol=tls",
		":1: security.protocol: Invalid value \"tls\" for "
		"configuration property \"security.protocol\""},
	    {"\n\nsocket.timeout.ms=1\n",
		":3: socket.timeout.ms: Configuration property "
		"\"socket.timeout.ms\" value 1 is outside allowed range "
		"10..300000"},
	    {"socket.timeout.ms=soon\n",
		":1: socket.timeout.ms: Invalid value for configuration "
		"property \"socket.timeout.ms\""},
	    {"opaque=1", ":1: opaque: "},
	    {"secret", ":1: is no PROPERTY=VALUE"},
	    {"", ": has no bootstrap.servers"},
	    {"sasl.password=secret", ": has no bootstrap.servers"},
	    {"bootstrap.servers=\n", ": has no bootstrap.servers"},
	    {"bootstrap.servers=a\nsecurity.protocol=ssl\n"
	     "ssl.ca.location=/no/such\nssl.key.password=secret\n",
		": ssl.ca.location failed: "},
	    {"metadata.broker.list=a\nsecurity.protocol=sasl_ssl\n"
	     "sasl.mechanism=NONE-SUCH\n",
		": "},
	    {"bootstrap.servers=a\nsecurity.protocol=ssl\n"
	     "ssl.key.pem=secret\n",
		": ssl.key.pem failed: "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = refusal(cases[i].text);

		ck_assert_msg(
		    strncmp(why, cases[i].why, strlen(cases[i].why)) == 0,
		    "%zu: %s", i, why);
		ck_assert_msg(strstr(why, "secret") == NULL, "%zu: %s", i, why);
	}
}
END_TEST

START_TEST(a_file_that_others_may_read_is_not_used)
{
	play();
	put("bootstrap.servers=%s", rd_kafka_mock_cluster_bootstraps(cluster));
	ck_assert_int_eq(chmod(path(), 0644), 0);
	ask();
	ck_assert_uint_eq(answer.count, 0);
	ck_assert_ptr_nonnull(strstr(answer.why,
	    "payments.conf: mode 0644 lets others in, and passwords are in "
	    "it: chmod 600"));
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("poll_ask");
	TCase *tcase = tcase_create("poll_ask");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	TEST(all_brokers_are_found);
	TEST(a_slow_broker_is_waited_for);
	TEST(another_broker_is_asked_when_one_is_down);
	TEST(nobody_there_is_told);
	TEST(the_end_is_not_waited_for);
	TEST(a_wrong_password_is_sent_once_and_told);
	TEST(no_text_has_the_password_in_it);
	TEST(a_wrong_file_is_refused_with_its_line);
	TEST(a_file_that_others_may_read_is_not_used);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
