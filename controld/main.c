/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controld/certificates.h"
#include "controld/export.h"
#include "controld/export_collect.h"
#include "controld/print.h"
#include "controld/query.h"
#include "controld/serve.h"
#include "controld/session.h"
#include "controld/store.h"
#include "proto/log.h"

struct options {
	const char *database;
	const char *socket;
	const char *group;
	const char *dataplanes[LP_PUSH_DATAPLANES_MAX];
	unsigned dataplane_count;
	struct lp_endpoint metrics;
	bool metrics_off, metrics_given;
	struct lp_endpoint listen; /* port 0: nowhere */
	const char *tls;
	uint64_t epoch;
	bool ask_brokers;
	const char *clients;
	bool clients_given;
	unsigned poll_s;
	bool check;
	bool verbose;
};

struct controld {
	struct event_base *base;
	struct event *terminate, *interrupt;
	struct lp_certificates *certificates; /* NULL: no network */
	struct lp_store *store;
	struct lp_session *session;
	struct lp_serve *serve;
	struct lp_export *export; /* NULL: no metrics */
};

static int parse(int key, char *arg, struct argp_state *state);
static void add_dataplane(
    struct options *options, const char *path, struct argp_state *state);
static unsigned long long number(const char *option, const char *text,
    unsigned long long min, unsigned long long max, struct argp_state *state);
static void set_metrics(
    struct options *options, const char *text, struct argp_state *state);
static void set_listen(
    struct options *options, const char *text, struct argp_state *state);
static int check(const struct options *options);
static int run(const struct options *options);
static int check_clients(const struct options *options);
static int start(struct controld *controld, const struct options *options);
static int start_events(struct controld *controld);
static int start_certificates(
    struct controld *controld, const struct options *options);
static int start_session(struct controld *controld,
    const struct options *options, struct lp_generation *current);
static int start_serve(
    struct controld *controld, const struct options *options);
static int start_export(
    struct controld *controld, const struct options *options);
static void stop(struct controld *controld);
static void on_signal(evutil_socket_t number, short what, void *arg);
static void on_request(void *arg, uint64_t client,
    const struct lp_serve_peer *peer, Lp__Pb__ControlRequest *request);
static void on_gone(void *arg, uint64_t client);
static void on_ask(void *arg, Lp__Pb__ControlRequest *request);
static void on_cancel(void *arg);
static void on_reply(
    void *arg, uint64_t client, const Lp__Pb__ControlReply *reply);
static size_t unread(void *arg, uint64_t client);
static bool on_remote(void *arg, struct lp_serve_remote *status);
static void on_checked(void *arg);

const char *argp_program_version = "lp-controld " LP_VERSION;

enum {
	KEY_DATABASE = 256,
	KEY_SOCKET,
	KEY_DATAPLANE,
	KEY_GROUP,
	KEY_EPOCH,
	KEY_METRICS,
	KEY_NO_REQUESTS,
	KEY_CLIENTS,
	KEY_POLL,
	KEY_LISTEN,
	KEY_TLS,
};

int
main(int argc, char **argv)
{
	static const struct argp_option list[] = {
	    {"database", KEY_DATABASE, "PATH", 0,
		"the database (/var/lib/lightpath/lightpath.db)", 0},
	    {"socket", KEY_SOCKET, "PATH", 0,
		"where lpctl comes (/run/lightpath/controld.sock)", 0},
	    {"dataplane", KEY_DATAPLANE, "PATH", 0,
		"the socket of a dataplane; may be given 16 times "
		"(/run/lightpath/dataplane.sock)",
		0},
	    {"group", KEY_GROUP, "NAME", 0,
		"members of this group may use lpctl, too", 0},
	    {"listen", KEY_LISTEN, "ADDRESS[:PORT]", 0,
		"where lpctl comes from other machines, over TLS (nowhere; "
		"port 9643)",
		0},
	    {"tls", KEY_TLS, "DIRECTORY", 0,
		"where cert.pem, key.pem, ca.pem and, maybe, crl.pem are "
		"(" LP_TLS_DIRECTORY ")",
		0},
	    {"metrics", KEY_METRICS, "ADDRESS:PORT", 0,
		"where Prometheus comes, or off (" LP_EXPORT_DEFAULT ")", 0},
	    {"no-kafka-requests", KEY_NO_REQUESTS, NULL, 0,
		"ask no broker for the names of topic ids", 0},
	    {"kafka-clients", KEY_CLIENTS, "DIRECTORY", 0,
		"where CLUSTER.conf is, a file of librdkafka's properties and "
		"of mode 0600, for each cluster that is asked for its brokers "
		"(" LP_POLL_DIRECTORY ")",
		0},
	    {"poll-interval", KEY_POLL, "SECONDS", 0,
		"how often clusters are asked for their brokers (30)", 0},
	    {"epoch", KEY_EPOCH, "N", 0,
		"have at least this epoch, to take dataplanes over from "
		"another lp-controld: a number above its epoch",
		0},
	    {"check", 'n', NULL, 0,
		"check the database, print the configuration as lpctl "
		"commands, and exit; changes nothing",
		0},
	    {"verbose", 'v', NULL, 0, "log more", 0},
	    {0},
	};
	static const struct argp argp = {
	    .options = list,
	    .parser = parse,
	    .doc = "The control daemon of Lightpath: stores the "
		   "configuration and brings it to every dataplane.",
	};
	struct options options = {
	    .database = "/var/lib/lightpath/lightpath.db",
	    .socket = "/run/lightpath/controld.sock",
	    .tls = LP_TLS_DIRECTORY,
	    .ask_brokers = true,
	    .clients = LP_POLL_DIRECTORY,
	    .poll_s = LP_POLL_INTERVAL_S,
	};

	lp_endpoint_parse(&options.metrics, LP_EXPORT_DEFAULT, NULL);
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	lp_log_init("lp-controld", options.verbose);
	umask(027); /* the database is not for everybody */
	return options.check ? check(&options) : run(&options);
}

static int
parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_DATABASE:
		options->database = arg;
		return 0;
	case KEY_SOCKET:
		options->socket = arg;
		return 0;
	case KEY_GROUP:
		options->group = arg;
		return 0;
	case KEY_DATAPLANE:
		add_dataplane(options, arg, state);
		return 0;
	case KEY_METRICS:
		set_metrics(options, arg, state);
		return 0;
	case KEY_LISTEN:
		set_listen(options, arg, state);
		return 0;
	case KEY_TLS:
		options->tls = arg;
		return 0;
	case KEY_NO_REQUESTS:
		options->ask_brokers = false;
		return 0;
	case KEY_EPOCH:
		options->epoch = number("epoch", arg, 1, INT64_MAX, state);
		return 0;
	case KEY_CLIENTS:
		options->clients = arg;
		options->clients_given = true;
		return 0;
	case KEY_POLL:
		options->poll_s = (unsigned)number("poll-interval", arg,
		    LP_POLL_INTERVAL_MIN_S, LP_POLL_INTERVAL_MAX_S, state);
		return 0;
	case 'n':
		options->check = true;
		return 0;
	case 'v':
		options->verbose = true;
		return 0;
	case ARGP_KEY_END:
		if (options->dataplane_count == 0)
			options->dataplanes[options->dataplane_count++] =
			    "/run/lightpath/dataplane.sock";
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void
add_dataplane(
    struct options *options, const char *path, struct argp_state *state)
{
	for (unsigned i = 0; i < options->dataplane_count; i++)
		if (strcmp(options->dataplanes[i], path) == 0)
			argp_error(
			    state, "--dataplane %s: is given twice", path);
	if (options->dataplane_count == LP_PUSH_DATAPLANES_MAX)
		argp_error(state, "--dataplane %s: there are %d already", path,
		    LP_PUSH_DATAPLANES_MAX);
	options->dataplanes[options->dataplane_count++] = path;
}

static unsigned long long
number(const char *option, const char *text, unsigned long long min,
    unsigned long long max, struct argp_state *state)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' &&
	    value >= min && value <= max)
		return value;
	if (max == INT64_MAX)
		argp_error(state, "--%s %s: not a number from %llu on", option,
		    text, min);
	argp_error(state, "--%s %s: not a number from %llu to %llu", option,
	    text, min, max);
	return min;
}

static void
set_metrics(struct options *options, const char *text, struct argp_state *state)
{
	char why[LP_WHY_SIZE];

	options->metrics_given = true;
	options->metrics_off = strcmp(text, "off") == 0;
	if (!options->metrics_off &&
	    lp_endpoint_parse(&options->metrics, text, why) != 0)
		argp_error(state, "--metrics %s: %s", text, why);
}

static void
set_listen(struct options *options, const char *text, struct argp_state *state)
{
	char why[LP_WHY_SIZE];

	options->listen.port = LP_TLS_PORT;
	if (lp_ip_parse(&options->listen.ip, text, NULL) != 0 &&
	    lp_endpoint_parse(&options->listen, text, why) != 0)
		argp_error(state, "--listen %s: %s", text, why);
}

static int
check(const struct options *options)
{
	const struct lp_store_options store_options = {
	    .path = options->database, .read_only = true};
	struct lp_generation current;
	struct lp_store *store;
	char why[LP_STORE_WHY_SIZE];
	int status = EXIT_SUCCESS;

	if (lp_store_open(&store, &current, &store_options, why) != 0) {
		lp_log_error("%s", why);
		return EXIT_FAILURE;
	}
	lp_print_config(stdout, &current.config);
	if (fflush(stdout) != 0) {
		lp_log_error("standard output: %s", strerror(errno));
		status = EXIT_FAILURE;
	}
	lp_config_fini(&current.config);
	lp_store_close(store);
	return status;
}

static int
run(const struct options *options)
{
	struct controld controld = {0};
	int status = EXIT_FAILURE;

	if (check_clients(options) == 0 && start(&controld, options) == 0 &&
	    event_base_dispatch(controld.base) >= 0)
		status = EXIT_SUCCESS;
	stop(&controld);
	return status;
}

/* What was asked for is there; by default it may come later, or never. */
static int
check_clients(const struct options *options)
{
	struct stat status;
	int err = 0;

	if (!options->clients_given)
		return 0;
	if (stat(options->clients, &status) != 0)
		err = -errno;
	else if (!S_ISDIR(status.st_mode))
		err = -ENOTDIR;
	if (err != 0)
		lp_log_error(
		    "--kafka-clients %s: %s", options->clients, strerror(-err));
	return err;
}

static int
start(struct controld *controld, const struct options *options)
{
	const struct lp_store_options store_options = {
	    .path = options->database, .epoch = options->epoch};
	struct lp_generation current;
	char why[LP_STORE_WHY_SIZE];
	int err = start_events(controld);

	if (err != 0) {
		lp_log_error("event loop: %s", strerror(-err));
		return err;
	}
	if (options->listen.port != 0) {
		err = start_certificates(controld, options);
		if (err != 0)
			return err;
	}
	err = lp_store_open(&controld->store, &current, &store_options, why);
	if (err != 0) {
		lp_log_error("%s", why);
		return err;
	}
	lp_log_info("%s: generation %" PRIu64 ", epoch %" PRIu64,
	    options->database, current.number, lp_store_epoch(controld->store));
	err = start_session(controld, options, &current);
	lp_config_fini(&current.config);
	if (err != 0)
		return err;
	err = start_serve(controld, options);
	if (err != 0 || options->metrics_off)
		return err;
	return start_export(controld, options);
}

static int
start_events(struct controld *controld)
{
	struct event_base *base = event_base_new();

	controld->base = base;
	if (base == NULL)
		return -ENOMEM;
	signal(SIGPIPE, SIG_IGN); /* writing says EPIPE, which is handled */
	controld->terminate = evsignal_new(base, SIGTERM, on_signal, controld);
	controld->interrupt = evsignal_new(base, SIGINT, on_signal, controld);
	if (controld->terminate == NULL || controld->interrupt == NULL ||
	    event_add(controld->terminate, NULL) != 0 ||
	    event_add(controld->interrupt, NULL) != 0)
		return -ENOMEM;
	return 0;
}

static int
start_certificates(struct controld *controld, const struct options *options)
{
	char why[LP_TLS_WHY_SIZE];
	int err = lp_certificates_open(&controld->certificates, controld->base,
	    options->tls, on_checked, controld, why);

	if (err != 0)
		lp_log_error("--tls %s", why);
	return err;
}

static int
start_session(struct controld *controld, const struct options *options,
    struct lp_generation *current)
{
	const struct lp_session_options session_options = {
	    .base = controld->base,
	    .store = controld->store,
	    .dataplanes = options->dataplanes,
	    .dataplane_count = options->dataplane_count,
	    .times = lp_push_times,
	    .query_ms = LP_QUERY_MS,
	    .ask_brokers = options->ask_brokers,
	    .topic_times = lp_topic_seed_times,
	    .discover = {.poll = {.directory = options->clients,
			     .interval = options->poll_s * 1000}},
	    .reply = on_reply,
	    .unread = unread,
	    .remote = on_remote,
	    .arg = controld,
	};
	int err = lp_session_new(&controld->session, &session_options, current);

	if (err == -ENAMETOOLONG)
		lp_log_error("--dataplane: longer than the path of a socket "
			     "can be");
	else if (err != 0)
		lp_log_error("start: %s", strerror(-err));
	return err;
}

static int
start_serve(struct controld *controld, const struct options *options)
{
	struct lp_serve_options serve_options = {
	    .base = controld->base,
	    .path = options->socket,
	    .group = options->group,
	    .frame_ms = LP_SERVE_FRAME_MS,
	    .remote = lp_serve_remote_usual,
	    .request = on_request,
	    .gone = on_gone,
	    .arg = controld,
	};
	char why[LP_SERVE_WHY_SIZE];
	int err;

	serve_options.remote.tls = lp_certificates_tls(controld->certificates);
	serve_options.remote.address = options->listen;
	err = lp_serve_open(&controld->serve, &serve_options, why);
	if (err != 0)
		lp_log_error("%s", why);
	return err;
}

/*
 * Somebody else may have the default port, another instance as a rule: that is
 * no reason to leave dataplanes without a controller.  What was asked for is
 * had, or the start has failed.
 */
static int
start_export(struct controld *controld, const struct options *options)
{
	const struct lp_export_options export_options = {
	    .base = controld->base,
	    .address = options->metrics,
	    .idle_s = LP_EXPORT_IDLE_S,
	    .life_ms = LP_EXPORT_LIFE_MS,
	    .collect_ms = LP_EXPORT_COLLECT_MS,
	    .size_max = LP_EXPORT_COLLECT_SIZE_MAX,
	    .ask = on_ask,
	    .cancel = on_cancel,
	    .arg = controld,
	};
	char why[LP_WHY_SIZE];
	int err = lp_export_open(&controld->export, &export_options, why);

	if (err == 0 || !options->metrics_given) {
		if (err != 0)
			lp_log_warn("no metrics: %s; --metrics gives them "
				    "another place, --metrics off none",
			    why);
		return 0;
	}
	lp_log_error("--metrics %s", why);
	return err;
}

static void
stop(struct controld *controld)
{
	lp_export_close(controld->export);
	controld->export = NULL;
	lp_serve_close(controld->serve);
	lp_session_free(controld->session);
	lp_store_close(controld->store);
	lp_certificates_close(controld->certificates);
	if (controld->terminate != NULL)
		event_free(controld->terminate);
	if (controld->interrupt != NULL)
		event_free(controld->interrupt);
	if (controld->base != NULL)
		event_base_free(controld->base);
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	struct controld *controld = arg;

	(void)what;
	lp_log_info("%s: stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopbreak(controld->base);
}

static void
on_request(void *arg, uint64_t client, const struct lp_serve_peer *peer,
    Lp__Pb__ControlRequest *request)
{
	struct controld *controld = arg;

	lp_session_request(controld->session, client, peer, request);
}

static void
on_gone(void *arg, uint64_t client)
{
	struct controld *controld = arg;

	lp_session_gone(controld->session, client);
}

static void
on_reply(void *arg, uint64_t client, const Lp__Pb__ControlReply *reply)
{
	struct controld *controld = arg;

	if (client != LP_EXPORT_CLIENT)
		lp_serve_reply(controld->serve, client, reply);
	else if (controld->export != NULL)
		lp_export_reply(controld->export, reply);
}

static void
on_ask(void *arg, Lp__Pb__ControlRequest *request)
{
	static const struct lp_serve_peer metrics = {
	    .who = "metrics", .from = "metrics", .role = "", .local = true};
	struct controld *controld = arg;

	lp_session_request(
	    controld->session, LP_EXPORT_CLIENT, &metrics, request);
}

static void
on_cancel(void *arg)
{
	struct controld *controld = arg;

	lp_session_gone(controld->session, LP_EXPORT_CLIENT);
}

static size_t
unread(void *arg, uint64_t client)
{
	struct controld *controld = arg;

	return lp_serve_unread(controld->serve, client);
}

static bool
on_remote(void *arg, struct lp_serve_remote *status)
{
	const struct controld *controld = arg;

	return lp_serve_remote(controld->serve, status);
}

/* Who was let in with a certificate that is not good any more? */
static void
on_checked(void *arg)
{
	const struct controld *controld = arg;

	if (controld->serve != NULL)
		lp_serve_recheck(controld->serve);
}
