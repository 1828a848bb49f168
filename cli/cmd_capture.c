/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle: asked ▸ packets … ▸ enough (a signal, --count, --duration) ▸
 * stop is sent ▸ last packets, and how many were missed ▸ summary.
 *
 * Signals are read from a descriptor, between two replies, so the file always
 * ends with a whole packet.  A second one ends without waiting for the last
 * packets.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/pcapng.h"
#include "cli/table.h"
#include "cli/view.h"

enum {
	/* Of all dataplanes; a port that is made anew is another. */
	INTERFACES_MAX = 1024,
	LAST_MS = 5000, /* for the last packets */
	SNAPLEN_MIN = 64,
	DURATION_MAX_S = 86400,
	NODE_ID_MAX = INT32_MAX,
};

struct interface {
	char *dataplane;
	uint32_t slot;
};

struct capture {
	const struct lp_lpctl *lpctl;
	struct lp_client *client;
	FILE *file;
	int signal_fd;
	unsigned signals; /* that came */
	struct lp_prefix prefix; /* of the client */
	struct interface interfaces[INTERFACES_MAX]; /* the last counts */
	uint32_t interface_count;
	uint32_t snaplen;
	uint64_t count_max;
	uint64_t end_ms; /* CLOCK_MONOTONIC; 0: none */
	uint64_t last_ms; /* when we stop to wait for the last packets */
	bool stopping;
	bool over;
	struct lp_capture_view view;
};

static int read_options(struct capture *capture, Lp__Pb__CaptureFilter *filter,
    Lp__Pb__Prefix *client, const struct lp_words *words,
    struct lp_error *error);
static int read_client(Lp__Pb__Prefix *client, struct lp_prefix *prefix,
    const char *text, struct lp_error *error);
static int read_number(uint32_t *out, const struct lp_words *words,
    enum lp_option_id id, uint32_t min, uint32_t max, struct lp_error *error);
static int check_file(const struct capture *capture, struct lp_error *error);
static int open_file(struct capture *capture, struct lp_error *error);
static int run(struct capture *capture, const char *dataplane,
    Lp__Pb__CaptureFilter *filter, struct lp_error *error);
static int send_stop(struct capture *capture, struct lp_error *error);
static int wait_ms(const struct capture *capture);
static int take(struct capture *capture, const Lp__Pb__ControlReply *reply,
    struct lp_error *error);
static void take_ports(
    struct capture *capture, const Lp__Pb__CapturePacketsReply *reply);
static void take_packets(
    struct capture *capture, const Lp__Pb__CapturePacketsReply *reply);
static uint32_t find_interface(
    const struct capture *capture, const char *dataplane, uint32_t slot);
static int finish(struct capture *capture, int status, struct lp_error *error);
static int catch_signals(struct capture *capture, struct lp_error *error);
static void take_signals(struct capture *capture);
static uint64_t clock_ms(void);

int
lp_cmd_capture(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	Lp__Pb__CaptureFilter filter = LP__PB__CAPTURE_FILTER__INIT;
	Lp__Pb__Prefix client = LP__PB__PREFIX__INIT;
	struct capture *capture = calloc(1, sizeof(*capture));
	int status;

	if (capture == NULL)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	capture->lpctl = lpctl;
	capture->signal_fd = -1;
	capture->view.path = lp_command_value(words, LP_OPTION_WRITE, "-");
	status = read_options(capture, &filter, &client, words, error);
	if (status == LP_EXIT_OK)
		status = catch_signals(capture, error);
	if (status == LP_EXIT_OK)
		status = run(capture,
		    lp_command_value(words, LP_OPTION_DATAPLANE, NULL), &filter,
		    error);
	status = finish(capture, status, error);
	lp_client_close(capture->client);
	if (capture->signal_fd >= 0)
		(void)close(capture->signal_fd);
	for (uint32_t i = 0; i < capture->interface_count; i++)
		free(capture->interfaces[i].dataplane);
	free(capture);
	return status;
}

static int
read_options(struct capture *capture, Lp__Pb__CaptureFilter *filter,
    Lp__Pb__Prefix *client, const struct lp_words *words,
    struct lp_error *error)
{
	const char *text = lp_command_value(words, LP_OPTION_CLIENT, NULL);
	uint32_t broker = 0;
	uint32_t count = 0;
	uint32_t seconds = 0;

	if (text != NULL &&
	    read_client(client, &capture->prefix, text, error) != LP_EXIT_OK)
		return error->status;
	if (read_number(
		&broker, words, LP_OPTION_BROKER, 0, NODE_ID_MAX, error) ||
	    read_number(&count, words, LP_OPTION_COUNT, 1, UINT32_MAX, error) ||
	    read_number(&seconds, words, LP_OPTION_DURATION, 1, DURATION_MAX_S,
		error) ||
	    read_number(&capture->snaplen, words, LP_OPTION_SNAPLEN,
		SNAPLEN_MIN, LP_TRACE_PACKET_MAX, error))
		return error->status;
	filter->client = text != NULL ? client : NULL;
	filter->has_node_id = lp_command_given(words, LP_OPTION_BROKER);
	filter->node_id = (int32_t)broker;
	filter->listener =
	    (char *)lp_command_value(words, LP_OPTION_LISTENER, NULL);
	filter->port = (char *)lp_command_value(words, LP_OPTION_PORT, NULL);
	filter->has_snaplen = capture->snaplen != 0;
	filter->snaplen = capture->snaplen;
	filter->has_sent = true;
	filter->sent = lp_command_given(words, LP_OPTION_SENT);
	capture->count_max = count != 0 ? count : UINT64_MAX;
	if (seconds != 0)
		capture->end_ms = clock_ms() + (uint64_t)seconds * 1000;
	return LP_EXIT_OK;
}

/* An address alone is one client. */
static int
read_client(Lp__Pb__Prefix *client, struct lp_prefix *prefix, const char *text,
    struct lp_error *error)
{
	char why[LP_WHY_SIZE] = "";
	int err;

	if (strchr(text, '/') != NULL) {
		err = lp_prefix_parse(prefix, text, why);
	} else {
		err = lp_ip_parse(&prefix->ip, text, why);
		prefix->len = lp_ip_is_v4(&prefix->ip) ? 32 : 128;
	}
	if (err != 0)
		return lp_error_set(error, LP_EXIT_USAGE, "--client: %s", why);
	client->ip.data = prefix->ip.bytes;
	client->ip.len = sizeof(prefix->ip.bytes);
	client->len = prefix->len;
	return LP_EXIT_OK;
}

static int
read_number(uint32_t *out, const struct lp_words *words, enum lp_option_id id,
    uint32_t min, uint32_t max, struct lp_error *error)
{
	const char *text = lp_command_value(words, id, NULL);

	if (text == NULL || lp_command_number(out, text, min, max) == 0)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_USAGE,
	    "--%s: \"%s\" is no number from %u to %u",
	    lp_command_option(id)->name, text, min, max);
}

static int
check_file(const struct capture *capture, struct lp_error *error)
{
	if (strcmp(capture->view.path, "-") != 0 || isatty(STDOUT_FILENO) != 1)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_USAGE,
	    "standard output is a terminal: give a file with -w, or pipe it "
	    "into tshark -i -");
}

/* When the capture has begun: one that is refused overwrites no file. */
static int
open_file(struct capture *capture, struct lp_error *error)
{
	if (strcmp(capture->view.path, "-") != 0) {
		capture->file = fopen(capture->view.path, "wb");
		if (capture->file == NULL)
			return lp_error_set(error, LP_EXIT_REFUSED, "%s: %s",
			    capture->view.path, strerror(errno));
	} else {
		capture->file = capture->lpctl->print.out;
	}
	lp_pcapng_begin(capture->file, "lpctl " LP_VERSION);
	if (fflush(capture->file) == 0)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_UNREACHABLE, "%s: %s",
	    capture->view.path, strerror(errno));
}

static int
run(struct capture *capture, const char *dataplane,
    Lp__Pb__CaptureFilter *filter, struct lp_error *error)
{
	Lp__Pb__CapturePacketsRequest ask =
	    LP__PB__CAPTURE_PACKETS_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	int status = lp_client_open(&capture->client, capture->lpctl->socket,
	    lp_lpctl_answer_ms(capture->lpctl), error);

	if (status == LP_EXIT_OK)
		status = check_file(capture, error);
	if (status != LP_EXIT_OK)
		return status;
	ask.dataplane = (char *)dataplane;
	ask.filter = filter;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_CAPTURE;
	request.capture = &ask;
	status = lp_client_send(capture->client, &request, error);
	while (status == LP_EXIT_OK && !capture->over) {
		Lp__Pb__ControlReply *reply;

		take_signals(capture);
		if (wait_ms(capture) == 0 || capture->signals > 0)
			status = send_stop(capture, error);
		if (status == LP_EXIT_OK)
			status = lp_client_next(capture->client, &reply,
			    LP__PB__CONTROL_REPLY__BODY_CAPTURE,
			    wait_ms(capture), capture->signal_fd, error);
		if (status == LP_EXIT_OK && reply != NULL) {
			status = take(capture, reply, error);
			lp__pb__control_reply__free_unpacked(reply, NULL);
		}
	}
	return status;
}

/* Once; then it is the last packets that we wait for, and not for ever. */
static int
send_stop(struct capture *capture, struct lp_error *error)
{
	Lp__Pb__CapturePacketsRequest ask =
	    LP__PB__CAPTURE_PACKETS_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;

	if (capture->stopping) {
		if (capture->signals <= 1 && clock_ms() < capture->last_ms)
			return LP_EXIT_OK;
		return lp_error_set(error, LP_EXIT_TIMEOUT,
		    "ended before the last packets had come");
	}
	capture->stopping = true;
	capture->last_ms = clock_ms() + LAST_MS;
	ask.has_stop = true;
	ask.stop = true;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_CAPTURE;
	request.capture = &ask;
	return lp_client_send(capture->client, &request, error);
}

/* Until something is due; 0: it is; negative: nothing will be. */
static int
wait_ms(const struct capture *capture)
{
	uint64_t due = capture->stopping ? capture->last_ms : capture->end_ms;
	uint64_t now = clock_ms();

	if (due == 0)
		return -1;
	return now < due ? (int)(due - now) : 0;
}

static int
take(struct capture *capture, const Lp__Pb__ControlReply *reply,
    struct lp_error *error)
{
	const Lp__Pb__CapturePacketsReply *captured = reply->capture;

	if (capture->file == NULL && open_file(capture, error) != LP_EXIT_OK)
		return error->status;
	take_ports(capture, captured);
	take_packets(capture, captured);
	capture->view.dropped += captured->dropped;
	capture->over = !reply->more;
	if (fflush(capture->file) != 0)
		return lp_error_set(error, LP_EXIT_UNREACHABLE, "%s: %s",
		    capture->view.path, strerror(errno));
	if (capture->view.packets == capture->count_max && !capture->stopping &&
	    !capture->over)
		return send_stop(capture, error);
	return LP_EXIT_OK;
}

static void
take_ports(struct capture *capture, const Lp__Pb__CapturePacketsReply *reply)
{
	const char *dataplane = reply->dataplane ? reply->dataplane : "";

	for (size_t i = 0;
	     i < reply->n_ports && capture->interface_count < INTERFACES_MAX;
	     i++) {
		const Lp__Pb__CapturePort *port = reply->ports[i];
		char text[LP_DEVICE_SIZE + LP_NAME_SIZE + 32];
		char *copy = strdup(dataplane);

		if (copy == NULL)
			return;
		(void)snprintf(text, sizeof(text), "%s of %s",
		    port->device ? port->device : "?", dataplane);
		lp_pcapng_interface(capture->file,
		    port->name ? port->name : "?", lp_table_safe(text),
		    capture->snaplen);
		capture->interfaces[capture->interface_count++] =
		    (struct interface){copy, port->slot};
	}
}

static void
take_packets(struct capture *capture, const Lp__Pb__CapturePacketsReply *reply)
{
	const char *dataplane = reply->dataplane ? reply->dataplane : "";

	for (size_t i = 0;
	     i < reply->n_packets && capture->view.packets < capture->count_max;
	     i++) {
		const Lp__Pb__CapturedPacket *from = reply->packets[i];
		struct lp_pcapng_packet packet = {
		    .interface = find_interface(capture, dataplane, from->slot),
		    .time_ns = from->time_ns,
		    .bytes = from->data.data,
		    .len = (uint32_t)from->data.len,
		    .wire_len = from->len,
		    .sent = from->sent,
		    .comment =
			from->comment ? lp_table_safe(from->comment) : NULL,
		};

		/* A port that nobody has named: it would break the file. */
		if (packet.interface == UINT32_MAX)
			continue;
		lp_pcapng_packet(capture->file, &packet);
		capture->view.packets++;
	}
}

/* The last one: a slot may have been taken by another port. */
static uint32_t
find_interface(
    const struct capture *capture, const char *dataplane, uint32_t slot)
{
	for (uint32_t i = capture->interface_count; i-- > 0;)
		if (capture->interfaces[i].slot == slot &&
		    strcmp(capture->interfaces[i].dataplane, dataplane) == 0)
			return i;
	return UINT32_MAX;
}

/*
 * The summary, also of a capture that broke off; on standard error, where it
 * does not mix with packets.
 */
static int
finish(struct capture *capture, int status, struct lp_error *error)
{
	const struct lp_lpctl *lpctl = capture->lpctl;
	bool own = capture->file != lpctl->print.out;
	struct lp_print print = lpctl->print;

	if (capture->file == NULL)
		return status;
	if ((own ? fclose(capture->file) : fflush(capture->file)) != 0 &&
	    status == LP_EXIT_OK)
		status = lp_error_set(error, LP_EXIT_UNREACHABLE, "%s: %s",
		    capture->view.path, strerror(errno));
	if (lpctl->output == &lp_output_text || !own)
		print.out = lpctl->err;
	(void)lpctl->output->captured(&print, &capture->view);
	return status;
}

static int
catch_signals(struct capture *capture, struct lp_error *error)
{
	sigset_t caught;

	sigemptyset(&caught);
	sigaddset(&caught, SIGINT);
	sigaddset(&caught, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &caught, NULL);
	/* A reader that went is an error of the file, not our end. */
	(void)signal(SIGPIPE, SIG_IGN);
	capture->signal_fd = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
	if (capture->signal_fd >= 0)
		return LP_EXIT_OK;
	return lp_error_set(
	    error, LP_EXIT_UNREACHABLE, "signalfd: %s", strerror(errno));
}

static void
take_signals(struct capture *capture)
{
	struct signalfd_siginfo info;

	while (read(capture->signal_fd, &info, sizeof(info)) == sizeof(info))
		capture->signals++;
}

static uint64_t
clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
