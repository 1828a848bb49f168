/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/loss.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/alone_file.h"
#include "dataplane/apply.h"
#include "dataplane/clock.h"
#include "proto/log.h"

static void close_or_open(struct lp_dataplane *dataplane);
static void tell_lost(const struct lp_dataplane *dataplane);
static void keep(struct lp_dataplane *dataplane, bool was_alone);
static bool file_path(char path[PATH_MAX], const struct lp_dataplane *);
static void report(struct lp_dataplane *dataplane, int error);
static uint64_t now_ms(void);

void
lp_loss_begin(struct lp_dataplane *dataplane)
{
	struct lp_alone *alone = &dataplane->alone;
	struct lp_alone_file file;
	char path[PATH_MAX];
	int error = -ENOENT;

	if (file_path(path, dataplane))
		error = lp_alone_file_load(&file, path);
	if (error && error != -ENOENT)
		lp_log_error("%s: %s: how long no lp-controld was there before "
			     "is not known",
		    path, strerror(-error));
	lp_alone_init(alone, dataplane->options->alone_limit_s,
	    error ? NULL : &file, now_ms(), lp_clock_real_ns());
	if (alone->closed)
		lp_log_error(
		    "closed: no lp-controld has been there for %" PRIu64
		    " s: no connection is let in until one is",
		    lp_alone_passed_ms(alone, now_ms()) / 1000);
	else if (alone->limit_ms != 0)
		tell_lost(dataplane);
	keep(dataplane, true);
}

void
lp_loss_turn(struct lp_dataplane *dataplane, bool somebody)
{
	struct lp_alone *alone = &dataplane->alone;
	bool was_alone = alone->alone;

	if (lp_alone_turn(alone, somebody, now_ms(), lp_clock_real_ns()))
		close_or_open(dataplane);
	else if (alone->alone && !was_alone)
		tell_lost(dataplane);
	keep(dataplane, was_alone);
}

static void
close_or_open(struct lp_dataplane *dataplane)
{
	if (dataplane->alone.closed)
		lp_log_error("closed: no lp-controld for %" PRIu32
			     " s (--on-controld-loss): no connection is let "
			     "in, and those that lived are reset, until one "
			     "is there",
		    dataplane->options->alone_limit_s);
	else
		lp_log_warn("open again: an lp-controld is there; generation "
			    "%" PRIu64 " goes on",
		    dataplane->running.generation);
	if (lp_apply_again(dataplane) != 0)
		lp_log_error("no snapshot could be made that is %s; it is "
			     "tried again each second",
		    dataplane->alone.closed ? "closed" : "open");
}

static void
tell_lost(const struct lp_dataplane *dataplane)
{
	const struct lp_alone *alone = &dataplane->alone;
	uint64_t passed_ms = lp_alone_passed_ms(alone, now_ms());

	if (alone->limit_ms == 0)
		lp_log_warn("no lp-controld is there any more: generation "
			    "%" PRIu64 " is held",
		    dataplane->running.generation);
	else
		lp_log_warn("no lp-controld is there: generation %" PRIu64
			    " is held for %" PRIu64 " s, then closed",
		    dataplane->running.generation,
		    (alone->limit_ms - passed_ms) / 1000);
}

/* What the next process must know. */
static void
keep(struct lp_dataplane *dataplane, bool was_alone)
{
	struct lp_alone *alone = &dataplane->alone;
	struct lp_alone_file file;
	char path[PATH_MAX];
	int error = 0;

	if (!file_path(path, dataplane))
		error = -ENAMETOOLONG;
	else if (!alone->alone && (was_alone || dataplane->alone_unsaved))
		error = lp_alone_file_remove(path);
	else if (lp_alone_is_due(alone, now_ms(), &file)) {
		error = lp_alone_file_save(path, &file);
		if (!error)
			lp_alone_written(alone, &file);
	} else
		return;
	report(dataplane, error);
}

static void
report(struct lp_dataplane *dataplane, int error)
{
	if (error && !dataplane->alone_unsaved)
		lp_log_error("%s.alone: %s: a restart would not know for how "
			     "long no lp-controld was there; it is tried "
			     "again each second",
		    dataplane->options->snapshot_path, strerror(-error));
	dataplane->alone_unsaved = error != 0;
}

static bool
file_path(char path[PATH_MAX], const struct lp_dataplane *dataplane)
{
	return (size_t)snprintf(path, PATH_MAX, "%s.alone",
		   dataplane->options->snapshot_path) < PATH_MAX;
}

static uint64_t
now_ms(void)
{
	return lp_clock_ns() / 1000000;
}
