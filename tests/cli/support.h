/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of lpctl: fixed answers, and a controld that gives them.
 */
#ifndef LP_TESTS_CLI_SUPPORT_H
#define LP_TESTS_CLI_SUPPORT_H

#include <sys/types.h>

#include "cli/lpctl.h"
#include "proto/lightpath.pb-c.h"

/* 2025-11-23T02:30:00.123Z */
#define SUPPORT_NOW_NS UINT64_C(1763865000123000000)

enum {
	SUPPORT_COOKIE = 1, /* what lpctl asks with */
	SUPPORT_BYTES_MAX = 262144,
};

/* What lpctl prints to memory. */
struct support_output {
	char *text;
	size_t len;
	FILE *file;
};
void support_output_open(struct support_output *output);
/* Flushes; the text is valid until close. */
const char *support_output_text(struct support_output *output);
void support_output_close(struct support_output *output);

/*
 * Compares with golden/NAME.ENDING; with LP_GOLDEN=write in the environment the
 * file is written instead.
 */
void support_golden(const char *name, const char *ending, const char *text);

/* An lpctl whose output and messages go to the two (err may be NULL). */
void support_lpctl(struct lp_lpctl *lpctl, const char *socket,
    struct support_output *out, struct support_output *err);

/*
 * Cuts a line at blanks that are not between single quotes, which go, into a
 * NULL terminated argv; argv[0] is "lpctl".
 */
struct support_argv {
	char buf[4096];
	char *argv[256];
	int argc;
};
void support_argv(struct support_argv *words, const char *line);

/* Bytes of one or more framed replies. */
struct support_bytes {
	uint8_t data[SUPPORT_BYTES_MAX];
	size_t len;
};
void support_bytes_add(
    struct support_bytes *bytes, const Lp__Pb__ControlReply *reply);

/* The answers, as frames; two frames where an answer may be split. */
void support_reply_changed(struct support_bytes *bytes);
void support_reply_confirmed(struct support_bytes *bytes);
void support_reply_show(struct support_bytes *bytes);
void support_reply_show_empty(struct support_bytes *bytes);
/* Two ports of DPDK, and what two dataplanes say of them. */
void support_reply_show_dpdk(struct support_bytes *bytes);
void support_reply_show_inline(struct support_bytes *bytes);
void support_reply_ports(struct support_bytes *bytes);
void support_reply_status(struct support_bytes *bytes);
void support_reply_stats(struct support_bytes *bytes, uint64_t round);
void support_reply_connections(struct support_bytes *bytes);
/* Of two dataplanes, the first in two frames. */
void support_reply_kafka(struct support_bytes *bytes);
/* The same, and more to come. */
void support_reply_kafka_part(struct support_bytes *bytes);
void support_reply_version(struct support_bytes *bytes);
/* Two packets, one a frame. */
void support_reply_trace(struct support_bytes *bytes);
/* The second of them alone, of which rules say nothing. */
void support_reply_trace_dropped(struct support_bytes *bytes);
/* As an output writes it, and a summary. */
int support_write_trace(const struct lp_output *output,
    const struct lp_print *print, struct lp_replies *replies);
int support_write_captured(const struct lp_output *output,
    const struct lp_print *print, struct lp_replies *replies);
/* Three packets, one of a port without a name; and the end. */
void support_reply_capture(struct support_bytes *bytes, bool complete);
void support_reply_failure(struct support_bytes *bytes,
    Lp__Pb__Failure__Result result, uint32_t place, const char *object,
    const char *field, const char *text);

/* The replies as a client has them; free with lp_client_replies_free(). */
void support_replies(
    struct lp_replies *replies, const struct support_bytes *bytes);

/*
 * A process that accepts one connection, reads one frame, writes the bytes,
 * and then closes, or does nothing until it is stopped.
 */
enum support_end { SUPPORT_CLOSE, SUPPORT_HANG, SUPPORT_DEAF };
struct support_daemon {
	char dir[64];
	char path[96];
	pid_t pid;
};
void support_daemon_start(struct support_daemon *daemon,
    const struct support_bytes *bytes, enum support_end end);
/* The same, with an answer for each of so many connections. */
void support_daemon_start_many(struct support_daemon *daemon,
    const struct support_bytes *bytes, size_t count, enum support_end end);
void support_daemon_stop(struct support_daemon *daemon);

/* Runs a line's one command against those answers; its exit status. */
int support_run(const char *text, const struct support_bytes *answers,
    size_t count, struct support_output *out, struct support_output *err,
    struct lp_error *error);

/* A line that is no command of lpctl's is refused, and that is said of it. */
void support_misuse(const char *line, const char *says);

/* What a line prints of that answer is golden; of "json" with -o json. */
void support_page(const struct support_bytes *bytes, const char *name,
    const char *line, const char *ending);

#endif
