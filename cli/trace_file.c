/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/trace_file.h"

#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct lp_trace_file {
	pcap_t *pcap;
	const char *path;
	uint64_t count; /* of those that the filter lets pass */
	bool begun;
	uint64_t first_ns;
};

static int check_link(const struct lp_trace_file *file, struct lp_error *error);
static int set_filter(const struct lp_trace_file *file, const char *filter,
    struct lp_error *error);

int
lp_trace_file_open(struct lp_trace_file **out, const char *path,
    const char *filter, struct lp_error *error)
{
	struct lp_trace_file *file = calloc(1, sizeof(*file));
	char why[PCAP_ERRBUF_SIZE] = "";
	int status;

	if (file == NULL)
		return lp_error_set(error, LP_EXIT_REFUSED, "out of memory");
	file->path = path;
	file->pcap = pcap_open_offline_with_tstamp_precision(
	    path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (file->pcap == NULL) {
		/* libpcap names the file only where it cannot be opened. */
		if (strncmp(why, path, strlen(path)) == 0)
			lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
		else
			lp_error_set(
			    error, LP_EXIT_REFUSED, "%s: %s", path, why);
		free(file);
		return LP_EXIT_REFUSED;
	}
	status = check_link(file, error);
	if (status == LP_EXIT_OK && filter != NULL)
		status = set_filter(file, filter, error);
	if (status == LP_EXIT_OK)
		*out = file;
	else
		lp_trace_file_close(file);
	return status;
}

void
lp_trace_file_close(struct lp_trace_file *file)
{
	if (file == NULL)
		return;
	pcap_close(file->pcap);
	free(file);
}

int
lp_trace_file_next(struct lp_trace_file *file, struct lp_trace_frame *frame,
    struct lp_error *error)
{
	struct pcap_pkthdr *head;
	const u_char *bytes;
	uint64_t time_ns;
	int got = pcap_next_ex(file->pcap, &head, &bytes);

	*frame = (struct lp_trace_frame){0};
	if (got == PCAP_ERROR_BREAK)
		return LP_EXIT_OK;
	file->count++;
	if (got != 1)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "%s: packet %" PRIu64 ": %s", file->path, file->count,
		    pcap_geterr(file->pcap));
	if (head->caplen < head->len)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "%s: packet %" PRIu64 ": only %u of its %u bytes were "
		    "captured; a trace needs whole packets",
		    file->path, file->count, head->caplen, head->len);
	if (head->caplen > LP_TRACE_PACKET_MAX)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "%s: packet %" PRIu64 ": %u bytes, %d are the most that a "
		    "port takes; was it captured where segments are joined "
		    "(ethtool -K DEV gro off tso off gso off)?",
		    file->path, file->count, head->caplen, LP_TRACE_PACKET_MAX);
	/* With that precision tv_usec holds nanoseconds. */
	time_ns = (uint64_t)head->ts.tv_sec * 1000000000u +
	    (uint64_t)head->ts.tv_usec;
	if (!file->begun)
		file->first_ns = time_ns;
	file->begun = true;
	frame->bytes = bytes;
	frame->len = head->caplen;
	frame->offset_ns =
	    time_ns > file->first_ns ? time_ns - file->first_ns : 0;
	return LP_EXIT_OK;
}

static int
check_link(const struct lp_trace_file *file, struct lp_error *error)
{
	int link = pcap_datalink(file->pcap);
	const char *name = pcap_datalink_val_to_name(link);

	if (link == DLT_EN10MB)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_REFUSED,
	    "%s: link type %s; a trace needs Ethernet frames, as captured on "
	    "one interface (not on \"any\")",
	    file->path, name != NULL ? name : "unknown");
}

static int
set_filter(const struct lp_trace_file *file, const char *filter,
    struct lp_error *error)
{
	struct bpf_program program;
	int status = LP_EXIT_OK;

	if (pcap_compile(
		file->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
		return lp_error_set(error, LP_EXIT_USAGE, "--filter: %s",
		    pcap_geterr(file->pcap));
	if (pcap_setfilter(file->pcap, &program) != 0)
		status = lp_error_set(error, LP_EXIT_USAGE, "--filter: %s",
		    pcap_geterr(file->pcap));
	pcap_freecode(&program);
	return status;
}
