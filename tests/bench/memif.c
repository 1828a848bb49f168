/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka clients and a broker behind one memif port, for whatever stands at its
 * other end: a generator of traffic, and the judge of what becomes of it.
 *
 * Life-cycle
 *
 * Resolves the addresses, opens the connections, warms up, prints "ready", and
 * waits for SIGUSR1 while others set their counters to zero.  Then it sends
 * for so many seconds, prints what it has seen, a name and a value a line, and
 * "done"; and stays for another SIGUSR1, since some forget their counters when
 * we hang up.  Every wait is bounded.
 */
#include <argp.h>
#include <err.h>
#include <rte_cycles.h>
#include <signal.h>
#include <stdlib.h>

#include "memif_load.h"
#include "memif_open.h"

enum {
	CONNECTIONS = 1024,
	PAYLOAD = 64,
	PAYLOAD_LARGEST = 1400,
	SECONDS = 5,
	SECONDS_MAX = 3600,
	QUEUES_MAX = 16,
	SIGNAL_S = 60, /* that it may take to come */
	IDLE_TURNS = 1000,
	KEY_MAC = 'm',
};

struct options {
	const char *socket;
	bool bounce;
	uint8_t mac[6];
	bool has_mac;
	unsigned connections;
	unsigned payload;
	unsigned seconds;
	unsigned cpu;
	unsigned queues;
};

static error_t parse_option(int key, char *arg, struct argp_state *state);
static unsigned parse_number(const char *arg, unsigned min, unsigned max,
    const struct argp_state *state);
static void block_signal(sigset_t *set);
static void set_up(
    struct link *link, struct frames *frames, const struct options *options);
static void wait_for_signal(struct link *link, struct frames *frames,
    const sigset_t *set, const char *word);
static void show_example(const struct frames *frames);
static void print(const struct load *load);

static const struct argp_option option_list[] = {
    {"mode", 'M', "nat|bounce", 0,
	"Frames come back translated (default), or as they are with MAC "
	"addresses swapped",
	0},
    {"mac", KEY_MAC, "MAC", 0, "Send to it instead of asking by ARP", 0},
    {"connections", 'c', "N", 0, "A power of two (default 1024)", 0},
    {"payload", 'p', "N", 0, "Bytes a segment (default 64)", 0},
    {"seconds", 's', "N", 0, "To measure (default 5)", 0},
    {"cpu", 'C', "N", 0, "To run on (default 0)", 0},
    {"queues", 'q', "N", 0, "That the other end sends on (default 1)", 0},
    {0},
};

int
main(int argc, char **argv)
{
	static const struct argp argp = {
	    .options = option_list,
	    .parser = parse_option,
	    .args_doc = "SOCKET",
	    .doc = "Traffic for what stands at the other end of a memif.",
	};
	struct options options = {.connections = CONNECTIONS,
	    .payload = PAYLOAD,
	    .seconds = SECONDS,
	    .queues = 1};
	struct frames frames = {0};
	struct link link;
	struct load load;
	sigset_t set;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	block_signal(&set);
	link_open(&link, options.socket, options.cpu, options.queues);
	set_up(&link, &frames, &options);
	load_init(&load, &link, &frames);
	load_run(&load, rte_get_tsc_hz());
	show_example(&frames);
	wait_for_signal(&link, &frames, &set, "ready");
	load_run(&load, options.seconds * rte_get_tsc_hz());
	print(&load);
	wait_for_signal(&link, &frames, &set, "done");
	link_close(&link);
	frames_fini(&frames);
	return load.wrong == 0 ? 0 : 1;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	uint8_t *mac = options->mac;

	switch (key) {
	case 'M':
		options->bounce = strcmp(arg, "bounce") == 0;
		if (!options->bounce && strcmp(arg, "nat") != 0)
			argp_error(state, "--mode %s: nat or bounce", arg);
		return 0;
	case KEY_MAC:
		options->has_mac = true;
		if (sscanf(arg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0],
			&mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 6)
			argp_error(state, "--mac %s: no MAC address", arg);
		return 0;
	case 'c':
		options->connections = parse_number(arg, 1, FRAMES_MAX, state);
		if (options->connections & (options->connections - 1))
			argp_error(state, "%s: no power of two", arg);
		return 0;
	case 'p':
		options->payload = parse_number(arg, 0, PAYLOAD_LARGEST, state);
		return 0;
	case 's':
		options->seconds = parse_number(arg, 1, SECONDS_MAX, state);
		return 0;
	case 'C':
		options->cpu = parse_number(arg, 0, CPU_SETSIZE - 1, state);
		return 0;
	case 'q':
		options->queues = parse_number(arg, 1, QUEUES_MAX, state);
		return 0;
	case ARGP_KEY_ARG:
		if (options->socket != NULL)
			return ARGP_ERR_UNKNOWN;
		options->socket = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static unsigned
parse_number(
    const char *arg, unsigned min, unsigned max, const struct argp_state *state)
{
	char *end;
	unsigned long value = strtoul(arg, &end, 10);

	if (*arg == '\0' || *end != '\0' || value < min || value > max)
		argp_error(state, "%s: %u to %u", arg, min, max);
	return (unsigned)value;
}

/* In all threads: DPDK has some of its own. */
static void
block_signal(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, set, NULL) != 0)
		err(1, "sigprocmask");
}

static void
set_up(struct link *link, struct frames *frames, const struct options *options)
{
	frames_init(frames, options->connections);
	frames->payload = (uint16_t)options->payload;
	frames->mode = options->bounce ? FRAMES_BOUNCE : FRAMES_NAT;
	for (unsigned i = 0; i < FRAMES_DIRECTIONS; i++)
		memcpy(frames->peer[i], options->mac, 6);
	if (!options->has_mac)
		open_resolve(link, frames);
	if (!options->bounce)
		open_connections(link, frames);
	frames_settle(frames);
}

static void
wait_for_signal(struct link *link, struct frames *frames, const sigset_t *set,
    const char *word)
{
	static const struct timespec now = {0};
	uint64_t end = rte_rdtsc() + SIGNAL_S * rte_get_tsc_hz();

	printf("%s\n", word);
	fflush(stdout);
	while (rte_rdtsc() < end) {
		if (sigtimedwait(set, NULL, &now) == SIGUSR1)
			return;
		for (unsigned i = 0; i < IDLE_TURNS; i++)
			open_idle(link, frames);
	}
	errx(1, "no SIGUSR1 in %d s", SIGNAL_S);
}

/* What a connection is on both sides. */
static void
show_example(const struct frames *frames)
{
	char text[FRAMES_DIRECTIONS][FRAMES_TEXT];
	uint8_t head[HEAD_LEN];

	for (unsigned i = 0; i < FRAMES_DIRECTIONS; i++) {
		frames_make(frames, head, frames->count / 2, i, FRAMES_DATA,
		    frames->payload);
		frames_text(text[i], head);
	}
	printf("example client %s, broker %s\n", text[FRAMES_TO_BROKER],
	    text[FRAMES_TO_CLIENT]);
}

static void
print(const struct load *load)
{
	double hz = (double)rte_get_tsc_hz();

	printf("sent %lu\nreceived %lu\nlost %lu\n", load->sent, load->received,
	    load->sent - load->received);
	printf("checked %lu\nwrong %lu%s%s\nother %lu\n", load->checked,
	    load->wrong, load->wrong > 0 ? " " : "",
	    load->wrong > 0 ? load->why : "", load->other);
	printf("seconds %.6f\nidle %.4f\nrunning %.4f\ntsc_mhz %.3f\n",
	    (double)load->cycles / hz,
	    (double)load->idle_cycles / (double)load->cycles, load->running,
	    hz / 1e6);
}
