/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/options.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/alone.h"
#include "dataplane/pipeline/limits.h"
#include "proto/tls.h"

enum option_key {
	KEY_ID = 'i',
	KEY_SOCKET = 's',
	KEY_SNAPSHOT = 'f',
	KEY_CONNECTIONS = 'c',
	KEY_BUFFERS = 'b',
	KEY_VERBOSE = 'v',
	KEY_GROUP = 'g',
	KEY_IDLE = 256,
	KEY_SPIN_US,
	KEY_CPU,
	KEY_MTU,
	KEY_DPDK,
	KEY_DPDK_PRIVILEGED,
	KEY_ON_LOSS,
	KEY_LISTEN,
	KEY_TLS,
	KEY_KEEPER_FD,
};

static error_t parse_option(int key, char *arg, struct argp_state *state);
static void set_defaults(struct lp_options *options);
static uint32_t get_number(struct argp_state *state, const char *option,
    const char *text, uint32_t min, uint32_t max);
static void set_id(
    struct lp_options *options, struct argp_state *state, const char *text);
static void set_listen(
    struct lp_options *options, struct argp_state *state, const char *text);
static void print_version(FILE *stream, struct argp_state *state);

/* argp asks for this name: it is what --version calls. */
void (*argp_program_version_hook)(FILE *, struct argp_state *) = print_version;

static const struct argp_option option_list[] = {
    {"id", KEY_ID, "NAME", 0, "Name of this dataplane (default: host name)", 0},
    {"socket", KEY_SOCKET, "PATH", 0,
	"Where lp-controld connects (/run/lightpath/dataplane.sock)", 0},
    {"group", KEY_GROUP, "NAME", 0, "Group that may use the socket", 0},
    {"listen", KEY_LISTEN, "ADDRESS[:PORT]", 0,
	"Where lp-controld connects from another machine, over TLS (nowhere; "
	"port 9644)",
	0},
    {"tls", KEY_TLS, "DIRECTORY", 0,
	"Where cert.pem, key.pem, ca.pem and, maybe, crl.pem are "
	"(" LP_TLS_DIRECTORY ")",
	0},
    {"snapshot", KEY_SNAPSHOT, "PATH", 0,
	"Last good configuration (/var/lib/lightpath/dataplane.snapshot)", 0},
    {"on-controld-loss", KEY_ON_LOSS, "hold|closed:TIME", 0,
	"Without any lp-controld: forward for ever (default), or for TIME "
	"(10s to 30d; s, m, h, d) and then nothing",
	0},
    {"connections", KEY_CONNECTIONS, "N", 0,
	"Connections at most (default 65536)", 1},
    {"buffers", KEY_BUFFERS, "N", 0, "Packet buffers (default 16384)", 1},
    {"mtu", KEY_MTU, "N", 0,
	"Largest MTU of DPDK ports, if above 2030: packet buffers are as "
	"large",
	1},
    {"dpdk", KEY_DPDK, "ARGUMENTS", 0,
	"More arguments for DPDK's EAL, as one word: --dpdk '-n 4'", 2},
    {"dpdk-privileged", KEY_DPDK_PRIVILEGED, NULL, 0,
	"Keep CAP_SYS_ADMIN and CAP_SYS_RAWIO, for DPDK devices that need "
	"physical addresses (uio, vfio without an IOMMU) and for net_af_xdp",
	2},
    {"idle", KEY_IDLE, "adaptive|spin", 0,
	"Sleep after a while without packets, or never", 2},
    {"spin-us", KEY_SPIN_US, "N", 0,
	"Microseconds without packets before it sleeps (default 50)", 2},
    {"cpu", KEY_CPU, "N", 0, "Pin the worker to this CPU", 2},
    {"verbose", KEY_VERBOSE, NULL, 0, "Log more", 3},
    {"keeper-fd", KEY_KEEPER_FD, "N", OPTION_HIDDEN, NULL, 0},
    {0},
};

void
lp_options_parse(struct lp_options *options, int argc, char **argv)
{
	static const struct argp argp = {
	    .options = option_list,
	    .parser = parse_option,
	    .doc = "The dataplane of Lightpath: forwards Kafka connections."
		   "\vIt is configured by lp-controld over its socket, and "
		   "starts from the last good configuration.",
	};

	set_defaults(options);
	argp_parse(&argp, argc, argv, 0, NULL, options);
}

static void
set_defaults(struct lp_options *options)
{
	*options = (struct lp_options){
	    .socket_path = "/run/lightpath/dataplane.sock",
	    .snapshot_path = "/var/lib/lightpath/dataplane.snapshot",
	    .tls = LP_TLS_DIRECTORY,
	    .connections = LP_CONNECTIONS_DEFAULT,
	    .buffers = LP_BUFFERS_DEFAULT,
	    .spin_us = LP_OPTIONS_SPIN_US_DEFAULT,
	    .cpu = LP_OPTIONS_NO_CPU,
	    .keeper_fd = LP_OPTIONS_NO_KEEPER,
	};
	/* POSIX: a name that was cut may lack its end. */
	if (gethostname(options->id, sizeof(options->id) - 1) != 0)
		strcpy(options->id, "dataplane");
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct lp_options *options = state->input;

	switch (key) {
	case KEY_ID:
		set_id(options, state, arg);
		return 0;
	case KEY_SOCKET:
		options->socket_path = arg;
		return 0;
	case KEY_SNAPSHOT:
		options->snapshot_path = arg;
		return 0;
	case KEY_GROUP:
		options->group = arg;
		return 0;
	case KEY_LISTEN:
		set_listen(options, state, arg);
		return 0;
	case KEY_TLS:
		options->tls = arg;
		return 0;
	case KEY_ON_LOSS:
		if (!lp_alone_parse(&options->alone_limit_s, arg))
			argp_error(state,
			    "--on-controld-loss %s: hold, or closed:TIME with "
			    "a time from 10s to 30d (s, m, h, d)",
			    arg);
		return 0;
	case KEY_CONNECTIONS:
		options->connections = get_number(state, "connections", arg,
		    LP_CONNECTIONS_MIN, LP_CONNECTIONS_MAX);
		return 0;
	case KEY_BUFFERS:
		options->buffers = get_number(
		    state, "buffers", arg, LP_BUFFERS_MIN, LP_BUFFERS_MAX);
		return 0;
	case KEY_IDLE:
		options->spin = strcmp(arg, "spin") == 0;
		if (!options->spin && strcmp(arg, "adaptive") != 0)
			argp_error(state, "--idle %s: adaptive or spin", arg);
		return 0;
	case KEY_SPIN_US:
		options->spin_us = get_number(
		    state, "spin-us", arg, 0, LP_OPTIONS_SPIN_US_MAX);
		return 0;
	case KEY_CPU:
		options->cpu =
		    (int)get_number(state, "cpu", arg, 0, CPU_SETSIZE - 1);
		return 0;
	case KEY_MTU:
		options->mtu = (uint16_t)get_number(
		    state, "mtu", arg, LP_PORT_MTU_MIN, LP_PORT_MTU_MAX);
		return 0;
	case KEY_DPDK:
		options->dpdk = arg;
		return 0;
	case KEY_DPDK_PRIVILEGED:
		options->dpdk_privileged = true;
		return 0;
	case KEY_VERBOSE:
		options->verbose = true;
		return 0;
	case KEY_KEEPER_FD:
		options->keeper_fd =
		    (int)get_number(state, "keeper-fd", arg, 3, INT16_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static uint32_t
get_number(struct argp_state *state, const char *option, const char *text,
    uint32_t min, uint32_t max)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 ||
	    value < min || value > max)
		argp_error(state, "--%s %s: a number from %u to %u", option,
		    text, min, max);
	return (uint32_t)value;
}

static void
set_id(struct lp_options *options, struct argp_state *state, const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len >= LP_NAME_SIZE)
		argp_error(
		    state, "--id %s: 1 to %d bytes", text, LP_NAME_SIZE - 1);
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)text[i]))
			argp_error(state, "--id %s: no spaces", text);
	/* argp_error() has not returned, so it fits. */
	memcpy(options->id, text, len + 1);
}

static void
set_listen(
    struct lp_options *options, struct argp_state *state, const char *text)
{
	char why[LP_WHY_SIZE];

	if (lp_endpoint_parse_bare(
		&options->listen, text, LP_TLS_DATAPLANE_PORT, why) != 0)
		argp_error(state, "--listen %s: %s", text, why);
}

static void
print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "lp-dataplane %s\n", LP_VERSION);
}
