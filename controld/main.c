/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controld/certificates.h"
#include "controld/export.h"
#include "controld/export_collect.h"
#include "controld/options.h"
#include "controld/print.h"
#include "controld/query.h"
#include "controld/role_file.h"
#include "controld/serve.h"
#include "controld/session.h"
#include "controld/store.h"
#include "proto/log.h"

struct controld {
	struct event_base *base;
	struct event *terminate, *interrupt;
	struct event *hangup; /* NULL: no roles to read anew */
	struct lp_certificates *certificates; /* NULL: no network */
	struct lp_role_file *roles; /* NULL: as the certificates say */
	struct lp_store *store;
	struct lp_session *session;
	struct lp_serve *serve;
	struct lp_export *export; /* NULL: no metrics */
};

static int check(const struct lp_options *options);
static int run(const struct lp_options *options);
static int check_clients(const struct lp_options *options);
static int start(struct controld *controld, const struct lp_options *options);
static int start_events(struct controld *controld);
static int start_certificates(
    struct controld *controld, const struct lp_options *options);
static int start_roles(
    struct controld *controld, const struct lp_options *options);
static int start_session(struct controld *controld,
    const struct lp_options *options, struct lp_generation *current);
static int start_serve(
    struct controld *controld, const struct lp_options *options);
static int start_export(
    struct controld *controld, const struct lp_options *options);
static void stop(struct controld *controld);
static void on_signal(evutil_socket_t number, short what, void *arg);
static void on_hangup(evutil_socket_t number, short what, void *arg);
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

int
main(int argc, char **argv)
{
	struct lp_options options;

	lp_options_parse(&options, argc, argv);
	lp_log_init("lp-controld", options.verbose);
	umask(027); /* the database is not for everybody */
	return options.check ? check(&options) : run(&options);
}

static int
check(const struct lp_options *options)
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
run(const struct lp_options *options)
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
check_clients(const struct lp_options *options)
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
start(struct controld *controld, const struct lp_options *options)
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
	if (options->listen.port != 0 || options->far) {
		err = start_certificates(controld, options);
		if (err != 0)
			return err;
	}
	if (options->roles != NULL) {
		err = start_roles(controld, options);
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
	signal(SIGHUP, SIG_IGN); /* unless there is something to read anew */
	controld->terminate = evsignal_new(base, SIGTERM, on_signal, controld);
	controld->interrupt = evsignal_new(base, SIGINT, on_signal, controld);
	if (controld->terminate == NULL || controld->interrupt == NULL ||
	    event_add(controld->terminate, NULL) != 0 ||
	    event_add(controld->interrupt, NULL) != 0)
		return -ENOMEM;
	return 0;
}

static int
start_certificates(struct controld *controld, const struct lp_options *options)
{
	char why[LP_TLS_WHY_SIZE];
	int err = lp_certificates_open(&controld->certificates, controld->base,
	    options->tls, on_checked, controld, why);

	if (err != 0)
		lp_log_error("--tls %s", why);
	return err;
}

static int
start_roles(struct controld *controld, const struct lp_options *options)
{
	char why[LP_ROLE_FILE_WHY_SIZE];
	int err = lp_role_file_open(&controld->roles, options->roles, why);

	if (err != 0) {
		lp_log_error("--roles %s", why);
		return err;
	}
	controld->hangup =
	    evsignal_new(controld->base, SIGHUP, on_hangup, controld);
	if (controld->hangup == NULL || event_add(controld->hangup, NULL) != 0)
		return -ENOMEM;
	return 0;
}

static int
start_session(struct controld *controld, const struct lp_options *options,
    struct lp_generation *current)
{
	const struct lp_session_options session_options = {
	    .base = controld->base,
	    .store = controld->store,
	    .dataplanes = options->dataplanes,
	    .dataplane_count = options->dataplane_count,
	    .times = lp_push_times,
	    .tls = lp_certificates_tls(controld->certificates),
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
start_serve(struct controld *controld, const struct lp_options *options)
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

	if (options->listen.port != 0)
		serve_options.remote.tls =
		    lp_certificates_tls(controld->certificates);
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
start_export(struct controld *controld, const struct lp_options *options)
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
	lp_role_file_close(controld->roles);
	if (controld->hangup != NULL)
		event_free(controld->hangup);
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
on_hangup(evutil_socket_t number, short what, void *arg)
{
	struct controld *controld = arg;

	(void)number;
	(void)what;
	lp_role_file_reload(controld->roles);
}

static void
on_request(void *arg, uint64_t client, const struct lp_serve_peer *peer,
    Lp__Pb__ControlRequest *request)
{
	struct controld *controld = arg;
	struct lp_serve_peer known = *peer;
	enum lp_role role;

	if (controld->roles != NULL && !peer->local) {
		role = lp_role_file_find(controld->roles, peer->who);
		known.role = role != LP_ROLE_NONE ? lp_role_word(role) : "";
	}
	lp_session_request(controld->session, client, &known, request);
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
	if (controld->session != NULL)
		lp_session_recheck(controld->session);
}
