/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of the daemons: one line a message on stderr, made for a journal.
 *
 * Each line starts with the priority as "<N>" (sd-daemon(3)) when stderr is
 * not a terminal, so that journald stores it; on a terminal with the time and
 * the program's name.  Cold code only: never called on the packet path.
 */
#ifndef LP_PROTO_LOG_H
#define LP_PROTO_LOG_H

#include <stdarg.h>
#include <stdbool.h>

/* Call once, before threads.  name is borrowed for ever. */
void lp_log_init(const char *name, bool verbose);

/* lp_log_error() adds nothing; give errno texts with "%s", strerror(). */
void lp_log_error(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void lp_log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void lp_log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only with verbose. */
void lp_log_debug(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
