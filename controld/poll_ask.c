/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	file ▸ its properties ▸ a client of librdkafka ▸ Metadata ▸ brokers
 *
 * librdkafka connects, and connects again, in threads of its own; we wait for
 * its answer in short pieces, and look at what it says of errors between them.
 * It hides what is secret from its texts, and so do we once more.
 */
#include "controld/poll_ask.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/clock.h"

enum {
	WAIT_MIN_MS = 200, /* for a connection, and first for an answer */
	WAIT_MAX_MS = 4000,
	PAUSE_MS = 100,
	/* For another server, once one has refused the password: shorter than
	 * the first is left alone, RECONNECT_MS less a quarter. */
	REFUSED_MS = 2000,
	SECRET_SIZE = LP_POLL_FILE_SIZE_MAX,
};

#define RECONNECT_MS "3000"

/* What librdkafka takes for secret, too. */
static const char *const secrets[] = {"sasl.password", "ssl.key.password",
    "ssl.keystore.password", "ssl.key.pem", "sasl.oauthbearer.config",
    "sasl.oauthbearer.client.secret"};

struct asking {
	rd_kafka_t *client;
	char error[LP_POLL_WHY_SIZE]; /* the last that it told of */
	bool refused; /* by a server */
};

static int configure(rd_kafka_conf_t *conf, const char *path, char *why);
static int set(
    rd_kafka_conf_t *conf, const char *name, const char *value, char *why);
static bool is_secret(const char *name);
static bool has_servers(const rd_kafka_conf_t *conf);
static void on_error(rd_kafka_t *client, int err, const char *text, void *arg);
static void on_log(
    const rd_kafka_t *client, int level, const char *from, const char *text);
static void ask(struct asking *asking, const atomic_bool *over,
    struct lp_poll_answer *answer);
static void take(
    struct lp_poll_answer *answer, const struct rd_kafka_metadata *metadata);
static void clean(char *text, const rd_kafka_conf_t *conf);
static void make_printable(char *text);

void
lp_poll_ask(
    const char *path, const atomic_bool *over, struct lp_poll_answer *answer)
{
	struct asking asking = {0};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[LP_WHY_SIZE];

	*answer = (struct lp_poll_answer){0};
	if (configure(conf, path, answer->why) != 0) {
		make_printable(answer->why);
		rd_kafka_conf_destroy(conf);
		return;
	}
	rd_kafka_conf_set_opaque(conf, &asking);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	asking.client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (asking.client == NULL) {
		clean(why, conf);
		snprintf(answer->why, sizeof(answer->why), "%.*s: %s",
		    LP_POLL_FILE_PATH_SHOWN, path, why);
		make_printable(answer->why);
		rd_kafka_conf_destroy(conf);
		return;
	}
	ask(&asking, over, answer);
	rd_kafka_destroy(asking.client);
}

void
lp_poll_ask_free(struct lp_poll_answer *answer)
{
	free(answer->brokers);
	answer->brokers = NULL;
	answer->count = 0;
}

static int
configure(rd_kafka_conf_t *conf, const char *path, char *why)
{
	char text[LP_WHY_SIZE];
	struct lp_poll_file file;
	const char *name, *value;
	int err = lp_poll_file_open(&file, path, why);

	if (err != 0)
		return err;
	/* The file may have others.  A server is not tried again while we do
	 * not look: it may have refused the password. */
	set(conf, "client.id", "lightpath-controld", text);
	set(conf, "reconnect.backoff.ms", RECONNECT_MS, text);
	while ((err = lp_poll_file_next(&file, &name, &value, text)) > 0) {
		err = set(conf, name, value, text);
		if (err != 0)
			break;
	}
	if (err != 0)
		snprintf(why, LP_POLL_WHY_SIZE, "%.*s:%u: %s",
		    LP_POLL_FILE_PATH_SHOWN, path, file.line, text);
	lp_poll_file_close(&file);
	if (err == 0 && !has_servers(conf)) {
		snprintf(why, LP_POLL_WHY_SIZE,
		    "%.*s: has no bootstrap.servers", LP_POLL_FILE_PATH_SHOWN,
		    path);
		err = -EINVAL;
	}
	return err;
}

/* Its text may repeat the value. */
static int
set(rd_kafka_conf_t *conf, const char *name, const char *value, char *why)
{
	char text[LP_WHY_SIZE] = "";
	rd_kafka_conf_res_t result =
	    rd_kafka_conf_set(conf, name, value, text, sizeof(text));

	if (result == RD_KAFKA_CONF_OK)
		return 0;
	clean(text, conf);
	if (is_secret(name))
		snprintf(text, sizeof(text), "librdkafka refuses its value");
	snprintf(why, LP_WHY_SIZE, "%.*s: %.*s", LP_NAME_SIZE, name,
	    LP_WHY_SIZE - LP_NAME_SIZE - 3, text);
	return -EINVAL;
}

static bool
is_secret(const char *name)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strcmp(secrets[i], name) == 0)
			return true;
	return false;
}

/* It has this one under another name, too. */
static bool
has_servers(const rd_kafka_conf_t *conf)
{
	size_t size = 0;

	return rd_kafka_conf_get(conf, "bootstrap.servers", NULL, &size) ==
	    RD_KAFKA_CONF_OK &&
	    size > 1;
}

/* Called by rd_kafka_poll(), so in our thread. */
static void
on_error(rd_kafka_t *client, int err, const char *text, void *arg)
{
	struct asking *asking = arg;

	(void)client;
	if (err == RD_KAFKA_RESP_ERR__AUTHENTICATION)
		asking->refused = true;
	/* It says nothing of why. */
	if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN &&
	    asking->error[0] != '\0')
		return;
	snprintf(asking->error, sizeof(asking->error), "%s", text);
}

/* What matters comes by on_error(). */
static void
on_log(const rd_kafka_t *client, int level, const char *from, const char *text)
{
	(void)client;
	(void)level;
	(void)from;
	(void)text;
}

/*
 * A connection that is not up yet, and a slow answer, are waited for in
 * another way: the first may come any time, the second is begun anew each
 * time, so it is given longer.
 */
static void
ask(struct asking *asking, const atomic_bool *over,
    struct lp_poll_answer *answer)
{
	const struct rd_kafka_metadata *metadata;
	uint64_t end_ms = lp_clock_now_ms() + LP_POLL_ASK_MS, now_ms;
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__TIMED_OUT;
	uint64_t wait_ms = WAIT_MIN_MS;

	while (!atomic_load(over) && (now_ms = lp_clock_now_ms()) < end_ms) {
		if (wait_ms > end_ms - now_ms)
			wait_ms = end_ms - now_ms;
		err = rd_kafka_metadata(
		    asking->client, 0, NULL, &metadata, (int)wait_ms);
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			take(answer, metadata);
			rd_kafka_metadata_destroy(metadata);
			return;
		}
		if (err == RD_KAFKA_RESP_ERR__TIMED_OUT &&
		    wait_ms < WAIT_MAX_MS)
			wait_ms *= 2;
		rd_kafka_poll(asking->client, PAUSE_MS);
		if (asking->refused && end_ms > now_ms + REFUSED_MS)
			end_ms = now_ms + REFUSED_MS;
	}
	if (asking->error[0] == '\0')
		snprintf(asking->error, sizeof(asking->error), "%s",
		    rd_kafka_err2str(err));
	clean(asking->error, rd_kafka_conf(asking->client));
	snprintf(answer->why, sizeof(answer->why), "%s", asking->error);
}

static void
take(struct lp_poll_answer *answer, const struct rd_kafka_metadata *metadata)
{
	size_t count = (size_t)metadata->broker_cnt;

	if (count == 0 || count > LP_POLL_ASK_BROKERS_MAX) {
		snprintf(answer->why, sizeof(answer->why),
		    "the cluster says that it has %zu brokers", count);
		return;
	}
	answer->brokers = calloc(count, sizeof(*answer->brokers));
	if (answer->brokers == NULL) {
		snprintf(
		    answer->why, sizeof(answer->why), "%s", strerror(ENOMEM));
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct lp_poll_broker *broker = &answer->brokers[i];
		const char *host = metadata->brokers[i].host;

		broker->node_id = metadata->brokers[i].id;
		broker->port = (uint32_t)metadata->brokers[i].port;
		/* No host is that long: whoever gets it will refuse it. */
		if (strlen(host) < sizeof(broker->host))
			strcpy(broker->host, host);
	}
	answer->count = count;
}

/*
 * One line, without how long it took, so that equal errors are equal; and
 * without what is secret, if that has come in.
 */
static void
clean(char *text, const rd_kafka_conf_t *conf)
{
	char *timing = strstr(text, " (after ");
	char *value = malloc(SECRET_SIZE);
	bool tells = value == NULL;

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]) && !tells;
	     i++) {
		size_t size = SECRET_SIZE;

		if (rd_kafka_conf_get(conf, secrets[i], value, &size) ==
			RD_KAFKA_CONF_OK &&
		    value[0] != '\0' && strstr(text, value) != NULL)
			tells = true;
	}
	if (value != NULL)
		explicit_bzero(value, SECRET_SIZE);
	free(value);
	if (timing != NULL)
		*timing = '\0';
	make_printable(text);
	if (tells)
		strcpy(text, "the reason has what is secret in it");
}

/*
 * A server may say anything, and what is cut may end in the middle of a
 * character: terminals obey some of it, and JSON takes no broken UTF-8.
 */
static void
make_printable(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = *c == '\n' ? ' ' : '?';
}
