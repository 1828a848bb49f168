/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a pcap or pcapng file, for `lpctl trace`; what libpcap reads.
 */
#ifndef LP_CLI_TRACE_FILE_H
#define LP_CLI_TRACE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "cli/error.h"

struct lp_trace_file;

struct lp_trace_frame {
	const uint8_t *bytes; /* until the next call */
	size_t len;
	uint64_t offset_ns; /* after the first one; 0 if it is earlier */
};

/*
 * "-" is standard input; filter: NULL, or an expression of pcap-filter(7).
 * LP_EXIT_OK, or LP_EXIT_REFUSED with the reason.
 */
int lp_trace_file_open(struct lp_trace_file **file, const char *path,
    const char *filter, struct lp_error *error);
/* NULL is accepted. */
void lp_trace_file_close(struct lp_trace_file *file);

/*
 * LP_EXIT_OK, and bytes NULL at the end; or LP_EXIT_REFUSED: the file is
 * broken, or the packet is not whole or too long.
 */
int lp_trace_file_next(struct lp_trace_file *file, struct lp_trace_frame *frame,
    struct lp_error *error);

#endif
