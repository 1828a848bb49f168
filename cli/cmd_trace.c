/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets go in requests of a few; those of one run have one trace id, so that
 * a connection that one opens is known to the next.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/trace_file.h"
#include "cli/trace_packet.h"
#include "cli/view.h"
#include "proto/rule_explain.h"

enum {
	/* Of one trace: what fits a screen, and some more. */
	PACKETS_MAX = 4096,
	PAYLOAD_MAX = LP_TRACE_PACKET_MAX - LP_TRACE_PACKET_HEADERS,
};

/* What goes into one request, and all that has come back. */
struct trace {
	const struct lp_lpctl *lpctl;
	Lp__Pb__TracePacketsRequest ask;
	Lp__Pb__TracePacket packets[LP_TRACE_PACKETS_MAX];
	Lp__Pb__TracePacket *list[LP_TRACE_PACKETS_MAX];
	uint8_t bytes[LP_TRACE_BYTES_MAX];
	size_t len;
	char request[LP_RULE_MATCH_SIZE]; /* canonical, if there is one */
	struct lp_trace_view view;
};

static int from_options(
    struct trace *trace, const struct lp_words *words, struct lp_error *error);
static int read_ends(struct lp_trace_packet *packet,
    const struct lp_words *words, struct lp_error *error);
static int read_end(struct lp_endpoint *end, const char *option,
    const char *text, enum lp_trace_kind kind, struct lp_error *error);
static int read_tcp(struct lp_trace_packet *packet,
    const struct lp_words *words, struct lp_error *error);
static int read_payload(struct lp_trace_packet *packet, uint8_t *buf,
    const char *text, struct lp_error *error);
static int read_request(
    struct trace *trace, const char *text, struct lp_error *error);
static int refuse_request(struct lp_error *error, const char *text,
    const struct lp_rule_error *found);
static int from_file(struct trace *trace, const struct lp_words *words,
    uint32_t count, struct lp_error *error);
static int add(struct trace *trace, const uint8_t *bytes, size_t len,
    uint64_t offset_ns, bool fill_mac, struct lp_error *error);
static int ask(struct trace *trace, bool last, struct lp_error *error);
static int check_request(const struct trace *trace, struct lp_error *error);
static int check_options(const struct lp_words *words, struct lp_error *error);

int
lp_cmd_trace(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	const char *count_text = lp_command_value(words, LP_OPTION_COUNT, NULL);
	uint32_t count = UINT32_MAX;
	struct trace *trace;
	int status = check_options(words, error);

	if (status != LP_EXIT_OK)
		return status;
	if (count_text != NULL &&
	    lp_command_number(&count, count_text, 1, UINT32_MAX) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--count: \"%s\" is no number from 1", count_text);
	trace = calloc(1, sizeof(*trace));
	if (trace == NULL)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	trace->lpctl = lpctl;
	lp__pb__trace_packets_request__init(&trace->ask);
	trace->ask.dataplane =
	    (char *)lp_command_value(words, LP_OPTION_DATAPLANE, NULL);
	trace->ask.port = (char *)lp_command_value(words, LP_OPTION_PORT, NULL);
	trace->ask.packets = trace->list;
	trace->view.port = trace->ask.port;
	if (getrandom(&trace->ask.trace_id, sizeof(trace->ask.trace_id), 0) !=
		sizeof(trace->ask.trace_id) ||
	    trace->ask.trace_id == 0)
		trace->ask.trace_id = 1;
	status = lp_command_given(words, LP_OPTION_READ)
	    ? from_file(trace, words, count, error)
	    : from_options(trace, words, error);
	/* What was traced before something went wrong is worth seeing. */
	if (trace->view.count > 0) {
		int err = lpctl->output->trace(&lpctl->print, &trace->view);

		if (status == LP_EXIT_OK)
			status = lp_error_output(error, err);
	}
	lp_view_trace_fini(&trace->view);
	free(trace);
	return status;
}

static int
check_options(const struct lp_words *words, struct lp_error *error)
{
	static const enum lp_option_id described[] = {LP_OPTION_KIND,
	    LP_OPTION_FROM, LP_OPTION_TO, LP_OPTION_FLAGS, LP_OPTION_SEQ,
	    LP_OPTION_ACK, LP_OPTION_PAYLOAD};
	bool file = lp_command_given(words, LP_OPTION_READ);

	if (!lp_command_given(words, LP_OPTION_PORT))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--port is missing: where the packet comes in");
	for (size_t i = 0; i < sizeof(described) / sizeof(described[0]); i++)
		if (file && lp_command_given(words, described[i]))
			return lp_error_set(error, LP_EXIT_USAGE,
			    "--%s describes a packet, --read takes them from "
			    "a file: give one of them",
			    lp_command_option(described[i])->name);
	if (file && lp_command_given(words, LP_OPTION_REQUEST))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--request goes with a packet that is described, and not "
		    "with those of a file");
	if (!file &&
	    (lp_command_given(words, LP_OPTION_PACKET_FILTER) ||
		lp_command_given(words, LP_OPTION_COUNT)))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--filter and --count are for packets of a file, --read");
	return LP_EXIT_OK;
}

static int
from_options(
    struct trace *trace, const struct lp_words *words, struct lp_error *error)
{
	const char *kind = lp_command_value(words, LP_OPTION_KIND, "tcp");
	const char *payload = lp_command_value(words, LP_OPTION_PAYLOAD, NULL);
	const char *request = lp_command_value(words, LP_OPTION_REQUEST, NULL);
	struct lp_trace_packet packet = {.kind = LP_TRACE_TCP};
	uint8_t buf[PAYLOAD_MAX];
	uint8_t bytes[LP_TRACE_PACKET_MAX];
	int status;

	if (strcmp(kind, "ping") == 0)
		packet.kind = LP_TRACE_PING;
	else if (strcmp(kind, "arp") == 0)
		packet.kind = LP_TRACE_ARP;
	status = read_ends(&packet, words, error);
	if (status == LP_EXIT_OK)
		status = read_tcp(&packet, words, error);
	if (status == LP_EXIT_OK && payload != NULL)
		status = read_payload(&packet, buf, payload, error);
	if (status == LP_EXIT_OK && request != NULL)
		status = read_request(trace, request, error);
	if (status != LP_EXIT_OK)
		return status;
	status = add(trace, bytes, lp_trace_packet_build(bytes, &packet), 0,
	    packet.kind != LP_TRACE_ARP, error);
	if (status == LP_EXIT_OK)
		status = ask(trace, true, error);
	return status == LP_EXIT_OK ? check_request(trace, error) : status;
}

static int
read_ends(struct lp_trace_packet *packet, const struct lp_words *words,
    struct lp_error *error)
{
	const char *from = lp_command_value(words, LP_OPTION_FROM, NULL);
	const char *to = lp_command_value(words, LP_OPTION_TO, NULL);

	if (from == NULL || to == NULL)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--from and --to, or --read, are needed");
	if (read_end(&packet->from, "from", from, packet->kind, error) ||
	    read_end(&packet->to, "to", to, packet->kind, error))
		return error->status;
	if (lp_ip_is_v4(&packet->from.ip) != lp_ip_is_v4(&packet->to.ip))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--from and --to are of two families");
	if (packet->kind == LP_TRACE_ARP && !lp_ip_is_v4(&packet->to.ip))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--kind arp: ARP is of IPv4; neighbour discovery can be "
		    "read from a file, --read");
	return LP_EXIT_OK;
}

static int
read_end(struct lp_endpoint *end, const char *option, const char *text,
    enum lp_trace_kind kind, struct lp_error *error)
{
	char why[LP_WHY_SIZE] = "";
	int err = kind == LP_TRACE_TCP ? lp_endpoint_parse(end, text, why)
				       : lp_ip_parse(&end->ip, text, why);

	if (err == 0)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_USAGE, "--%s: %s", option, why);
}

static int
read_tcp(struct lp_trace_packet *packet, const struct lp_words *words,
    struct lp_error *error)
{
	const char *flags = lp_command_value(words, LP_OPTION_FLAGS, "S");
	const char *seq = lp_command_value(words, LP_OPTION_SEQ, "1");
	const char *ack = lp_command_value(words, LP_OPTION_ACK, "0");

	if (packet->kind != LP_TRACE_TCP &&
	    (lp_command_given(words, LP_OPTION_FLAGS) ||
		lp_command_given(words, LP_OPTION_SEQ) ||
		lp_command_given(words, LP_OPTION_ACK) ||
		lp_command_given(words, LP_OPTION_REQUEST)))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--flags, --seq, --ack and --request are of TCP");
	if (lp_trace_packet_flags(&packet->flags, flags) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--flags: \"%s\" has other letters than SAFRPU", flags);
	if (lp_command_number(&packet->seq, seq, 0, UINT32_MAX) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--seq: \"%s\" is no sequence number", seq);
	if (lp_command_number(&packet->ack, ack, 0, UINT32_MAX) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--ack: \"%s\" is no sequence number", ack);
	return LP_EXIT_OK;
}

static int
read_payload(struct lp_trace_packet *packet, uint8_t *buf, const char *text,
    struct lp_error *error)
{
	FILE *file;

	packet->payload = buf;
	if (packet->kind == LP_TRACE_ARP)
		return lp_error_set(
		    error, LP_EXIT_USAGE, "--payload: ARP has none");
	if (text[0] != '@') {
		if (lp_trace_packet_hex(
			buf, PAYLOAD_MAX, &packet->payload_len, text) == 0)
			return LP_EXIT_OK;
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--payload: not pairs of hex digits, or more than %d "
		    "bytes; @FILE reads a file",
		    PAYLOAD_MAX);
	}
	file = fopen(text + 1, "rb");
	if (file == NULL)
		return lp_error_set(
		    error, LP_EXIT_USAGE, "--payload: %s: %m", text + 1);
	packet->payload_len = fread(buf, 1, PAYLOAD_MAX, file);
	if (ferror(file) != 0)
		lp_error_set(
		    error, LP_EXIT_USAGE, "--payload: %s: %m", text + 1);
	else if (fgetc(file) != EOF)
		lp_error_set(error, LP_EXIT_USAGE,
		    "--payload: %s: more than the %d bytes of a packet",
		    text + 1, PAYLOAD_MAX);
	(void)fclose(file);
	return error->status;
}

/* Read here already, so that what is wrong is shown where it stands. */
static int
read_request(struct trace *trace, const char *text, struct lp_error *error)
{
	struct lp_rule_match match;
	struct lp_rule_error found;

	if (lp_rule_match_parse(&match, text, &found) != 0)
		return refuse_request(error, text, &found);
	lp_rule_match_print(trace->request, &match);
	if (lp_rule_request_check(&match, &found) != 0)
		return refuse_request(error, trace->request, &found);
	trace->ask.request = trace->request;
	return LP_EXIT_OK;
}

static int
refuse_request(
    struct lp_error *error, const char *text, const struct lp_rule_error *found)
{
	(void)lp_error_set(error, LP_EXIT_USAGE, "--request: %s", found->why);
	if (found->column != 0)
		lp_error_show(error, text, found->column, found->len);
	return error->status;
}

static int
from_file(struct trace *trace, const struct lp_words *words, uint32_t count,
    struct lp_error *error)
{
	const char *path = lp_command_value(words, LP_OPTION_READ, NULL);
	struct lp_trace_file *file = NULL;
	struct lp_trace_frame frame;
	uint32_t done = 0;
	int status = lp_trace_file_open(&file, path,
	    lp_command_value(words, LP_OPTION_PACKET_FILTER, NULL), error);

	for (; status == LP_EXIT_OK && done < count; done++) {
		status = lp_trace_file_next(file, &frame, error);
		if (status != LP_EXIT_OK || frame.bytes == NULL)
			break;
		if (done == PACKETS_MAX)
			status = lp_error_set(error, LP_EXIT_REFUSED,
			    "%s: more than %d packets: choose with --filter "
			    "or --count",
			    path, PACKETS_MAX);
		else
			status = add(trace, frame.bytes, frame.len,
			    frame.offset_ns, false, error);
	}
	lp_trace_file_close(file);
	if (status == LP_EXIT_OK && done == 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s: no packet%s",
		    path,
		    lp_command_given(words, LP_OPTION_PACKET_FILTER)
			? " that matches"
			: "");
	return status == LP_EXIT_OK ? ask(trace, true, error) : status;
}

/* Asks first if there is no room for it. */
static int
add(struct trace *trace, const uint8_t *bytes, size_t len, uint64_t offset_ns,
    bool fill_mac, struct lp_error *error)
{
	size_t n = trace->ask.n_packets;
	Lp__Pb__TracePacket *packet;

	if ((n == LP_TRACE_PACKETS_MAX ||
		trace->len + len > LP_TRACE_BYTES_MAX) &&
	    ask(trace, false, error) != LP_EXIT_OK)
		return error->status;
	n = trace->ask.n_packets++;
	packet = &trace->packets[n];
	lp__pb__trace_packet__init(packet);
	packet->data.data = trace->bytes + trace->len;
	packet->data.len = len;
	memcpy(packet->data.data, bytes, len);
	trace->len += len;
	packet->has_fill_mac = true;
	packet->fill_mac = fill_mac;
	packet->has_offset_ns = true;
	packet->offset_ns = offset_ns;
	trace->list[n] = packet;
	return LP_EXIT_OK;
}

static int
ask(struct trace *trace, bool last, struct lp_error *error)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	int status;

	trace->ask.has_last = true;
	trace->ask.last = last;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_TRACE;
	request.trace = &trace->ask;
	status = lp_client_ask(&replies, trace->lpctl->socket,
	    lp_lpctl_answer_ms(trace->lpctl), &request,
	    LP__PB__CONTROL_REPLY__BODY_TRACE, error);
	if (status == LP_EXIT_OK)
		status = lp_view_trace_take(
		    &trace->view, &replies, trace->ask.n_packets, error);
	lp_client_replies_free(&replies);
	trace->ask.n_packets = 0;
	trace->len = 0;
	return status;
}

/* Who does not know of it leaves it out. */
static int
check_request(const struct trace *trace, struct lp_error *error)
{
	const Lp__Pb__TracePacketsReply *reply = trace->view.replies[0]->trace;
	const Lp__Pb__TracedPacket *packet = reply->packets[0];

	if (trace->ask.request == NULL || packet->n_request > 0 ||
	    packet->request_note != NULL)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_UNREACHABLE,
	    "--request: lp-controld or the dataplane is of a version that "
	    "cannot say what rules say of it");
}
