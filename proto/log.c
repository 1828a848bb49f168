/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/log.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum {
	LINE_SIZE = 1024, /* below PIPE_BUF: one write is one line */
};

/*
 * The only mutable state of a whole process: stderr is one, too, and to hand
 * a log to every function would tell nobody anything.  Written once, before
 * there are threads.
 */
static struct {
	const char *name;
	bool verbose;
	bool terminal;
} state = {.name = "lightpath"};

static void log_line(int priority, const char *format, va_list args);
static size_t put_head(char *line, size_t size, int priority);
static void make_printable(char *text);

void
lp_log_init(const char *name, bool verbose)
{
	state.name = name;
	state.verbose = verbose;
	state.terminal = isatty(STDERR_FILENO);
}

void
lp_log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_ERR, format, args);
	va_end(args);
}

void
lp_log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_WARNING, format, args);
	va_end(args);
}

void
lp_log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_INFO, format, args);
	va_end(args);
}

void
lp_log_debug(const char *format, ...)
{
	va_list args;

	if (!state.verbose)
		return;
	va_start(args, format);
	log_line(LOG_DEBUG, format, args);
	va_end(args);
}

static void
log_line(int priority, const char *format, va_list args)
{
	/* Two bytes are kept for the newline that a long text must not take. */
	char line[LINE_SIZE + 2];
	size_t head = put_head(line, LINE_SIZE, priority);
	size_t len;
	ssize_t written;

	vsnprintf(line + head, LINE_SIZE - head, format, args);
	make_printable(line + head);
	len = strlen(line);
	line[len] = '\n';
	/* A log that cannot be written to has nowhere to say so. */
	written = write(STDERR_FILENO, line, len + 1);
	(void)written;
}

static size_t
put_head(char *line, size_t size, int priority)
{
	char when[sizeof("2026-01-01 00:00:00")] = "";
	struct timespec now;
	struct tm tm;
	int len;

	if (!state.terminal) {
		len = snprintf(line, size, "<%d>", priority);
		return (size_t)len;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (localtime_r(&now.tv_sec, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	len = snprintf(line, size, "%s.%03ld %.32s: ", when,
	    now.tv_nsec / 1000000, state.name);
	return (size_t)len;
}

/* A text of a peer must not start a line of its own or move the cursor. */
static void
make_printable(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
}
