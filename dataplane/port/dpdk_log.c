/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronization: DPDK's own threads and the worker may speak, too.  The lock
 * of the stream is held while a line is written, and taken to read one.
 *
 * The only state of the whole process here is DPDK's: it has one log.
 */
#include "dataplane/port/dpdk_log.h"

#include <errno.h>
#include <rte_log.h>
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/log.h"

static struct {
	FILE *stream;
	char error[LP_WHY_SIZE]; /* the first */
	char warning[LP_WHY_SIZE]; /* the first */
	char told[LP_WHY_SIZE]; /* of it, what the caller may look at */
} dpdk_log;

static ssize_t take_line(void *cookie, const char *text, size_t size);

int
lp_dpdk_log_open(void)
{
	const cookie_io_functions_t functions = {.write = take_line};

	if (dpdk_log.stream != NULL)
		return 0;
	dpdk_log.stream = fopencookie(NULL, "w", functions);
	if (dpdk_log.stream == NULL)
		return -errno;
	return rte_openlog_stream(dpdk_log.stream);
}

void
lp_dpdk_log_listen(void)
{
	flockfile(dpdk_log.stream);
	dpdk_log.error[0] = '\0';
	dpdk_log.warning[0] = '\0';
	funlockfile(dpdk_log.stream);
}

const char *
lp_dpdk_log_complaint(const char *otherwise)
{
	flockfile(dpdk_log.stream);
	memcpy(dpdk_log.told,
	    dpdk_log.error[0] != '\0' ? dpdk_log.error : dpdk_log.warning,
	    sizeof(dpdk_log.told));
	funlockfile(dpdk_log.stream);
	return dpdk_log.told[0] != '\0' ? dpdk_log.told : otherwise;
}

/* rte_vlog() flushes after each message: this is one. */
static ssize_t
take_line(void *cookie, const char *text, size_t size)
{
	uint32_t level = (uint32_t)rte_log_cur_msg_loglevel();
	char *first = level <= RTE_LOG_ERR ? dpdk_log.error : dpdk_log.warning;
	int len = (int)size;

	(void)cookie;
	while (len > 0 && text[len - 1] == '\n')
		len--;
	if (len == 0)
		return (ssize_t)size;
	if (level > RTE_LOG_WARNING) {
		lp_log_debug("DPDK: %.*s", len, text);
		return (ssize_t)size;
	}
	if (first[0] == '\0')
		snprintf(first, LP_WHY_SIZE, "%.*s", len, text);
	lp_log_info("DPDK: %.*s", len, text);
	return (ssize_t)size;
}
