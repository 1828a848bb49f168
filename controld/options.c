/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controld/export.h"
#include "controld/poll.h"
#include "controld/target.h"
#include "proto/tls.h"

static int parse(int key, char *arg, struct argp_state *state);
static void add_dataplane(
    struct lp_options *options, const char *path, struct argp_state *state);
static unsigned long long number(const char *option, const char *text,
    unsigned long long min, unsigned long long max, struct argp_state *state);
static void set_metrics(
    struct lp_options *options, const char *text, struct argp_state *state);
static void set_listen(
    struct lp_options *options, const char *text, struct argp_state *state);

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
	KEY_ROLES,
};

void
lp_options_parse(struct lp_options *options, int argc, char **argv)
{
	static const struct argp_option list[] = {
	    {"database", KEY_DATABASE, "PATH", 0,
		"the database (/var/lib/lightpath/lightpath.db)", 0},
	    {"socket", KEY_SOCKET, "PATH", 0,
		"where lpctl comes (/run/lightpath/controld.sock)", 0},
	    {"dataplane", KEY_DATAPLANE, "PATH|HOST:PORT", 0,
		"the socket of a dataplane, or one of another machine, over "
		"TLS; may be given 16 times (/run/lightpath/dataplane.sock)",
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
	    {"roles", KEY_ROLES, "FILE", 0,
		"who has which role, a NAME ROLE a line (as the certificates "
		"say)",
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

	*options = (struct lp_options){
	    .database = "/var/lib/lightpath/lightpath.db",
	    .socket = "/run/lightpath/controld.sock",
	    .tls = LP_TLS_DIRECTORY,
	    .ask_brokers = true,
	    .clients = LP_POLL_DIRECTORY,
	    .poll_s = LP_POLL_INTERVAL_S,
	};
	lp_endpoint_parse(&options->metrics, LP_EXPORT_DEFAULT, NULL);
	argp_parse(&argp, argc, argv, 0, NULL, options);
}

static int
parse(int key, char *arg, struct argp_state *state)
{
	struct lp_options *options = state->input;

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
	case KEY_ROLES:
		options->roles = arg;
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
    struct lp_options *options, const char *path, struct argp_state *state)
{
	struct lp_target target;
	char why[LP_WHY_SIZE];

	if (lp_target_parse(&target, path, why) != 0)
		argp_error(state, "--dataplane %s: %s", path, why);
	options->far |= target.host[0] != '\0';
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
set_metrics(
    struct lp_options *options, const char *text, struct argp_state *state)
{
	char why[LP_WHY_SIZE];

	options->metrics_given = true;
	options->metrics_off = strcmp(text, "off") == 0;
	if (!options->metrics_off &&
	    lp_endpoint_parse(&options->metrics, text, why) != 0)
		argp_error(state, "--metrics %s: %s", text, why);
}

static void
set_listen(
    struct lp_options *options, const char *text, struct argp_state *state)
{
	char why[LP_WHY_SIZE];

	if (lp_endpoint_parse_bare(&options->listen, text, LP_TLS_PORT, why) !=
	    0)
		argp_error(state, "--listen %s: %s", text, why);
}
