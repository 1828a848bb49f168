/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle: idle ▸ copying, a megabyte a turn of the loop ▸ sending ▸ idle.
 * The file has no name any more when it is sent: whatever ends us, nothing is
 * left but what a kill leaves while it is copied, which the next start removes.
 * Its name is none that somebody would give to a copy of his own.
 */
#include "controld/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controld/clock.h"
#include "controld/store_copy.h"

struct lp_backup {
	struct lp_context *context;
	struct event *turn;
	struct lp_reply_to to; /* client 0: idle */
	struct lp_store_copy *copy; /* copying */
	char *path;
	int file; /* sending; -1: not yet */
	uint64_t size, sent;
	uint64_t moved_ms; /* when the last piece was sent */
	unsigned patience_ms;
};

static void on_turn(evutil_socket_t fd, short what, void *arg);
static void go_on(struct lp_backup *backup, unsigned ms);
static void copy(struct lp_backup *backup);
static int open_file(struct lp_backup *backup);
static void send_some(struct lp_backup *backup);
static bool is_patient(struct lp_backup *backup);
static void refuse(
    struct lp_backup *backup, const struct lp_reply_to *to, const char *why);
static void cut(struct lp_backup *backup, const char *why);
static void end(struct lp_backup *backup);

int
lp_backup_new(
    struct lp_backup **out, struct lp_context *context, unsigned patience_ms)
{
	struct lp_backup *backup = calloc(1, sizeof(*backup));

	if (backup == NULL)
		return -ENOMEM;
	backup->context = context;
	backup->file = -1;
	backup->patience_ms =
	    patience_ms != 0 ? patience_ms : LP_BACKUP_PATIENCE_MS;
	backup->turn = evtimer_new(context->base, on_turn, backup);
	if (backup->turn == NULL ||
	    asprintf(&backup->path, "%s.copying",
		lp_store_path(context->store)) < 0) {
		backup->path = NULL;
		lp_backup_free(backup);
		return -ENOMEM;
	}
	unlink(backup->path);
	*out = backup;
	return 0;
}

void
lp_backup_free(struct lp_backup *backup)
{
	if (backup == NULL)
		return;
	if (backup->to.client != 0)
		cut(backup,
		    "lp-controld was stopped before the copy was whole");
	if (backup->turn != NULL)
		event_free(backup->turn);
	free(backup->path);
	free(backup);
}

void
lp_backup_add(struct lp_backup *backup, const struct lp_reply_to *to)
{
	char why[LP_STORE_WHY_SIZE];

	if (backup->to.client != 0) {
		refuse(backup, to,
		    "another copy is being made; try again when it is whole");
		return;
	}
	unlink(backup->path);
	if (lp_store_copy(&backup->copy, backup->context->store, backup->path,
		why) != 0) {
		refuse(backup, to, why);
		return;
	}
	backup->to = *to;
	go_on(backup, 0);
}

void
lp_backup_gone(struct lp_backup *backup, uint64_t client)
{
	if (backup->to.client == client)
		cut(backup, "the client went before the copy was whole");
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct lp_backup *backup = arg;

	(void)fd;
	(void)what;
	if (backup->copy != NULL)
		copy(backup);
	else
		send_some(backup);
}

static void
go_on(struct lp_backup *backup, unsigned ms)
{
	const struct timeval wait = lp_clock_timeval(ms);

	evtimer_add(backup->turn, &wait);
}

static void
copy(struct lp_backup *backup)
{
	char why[LP_STORE_WHY_SIZE] = "";
	int more = lp_store_copy_step(backup->copy, why);

	if (more == 0) {
		more = open_file(backup);
		if (more < 0)
			snprintf(why, sizeof(why), "%s: %s", backup->path,
			    strerror(-more));
	}
	if (more < 0) {
		refuse(backup, &backup->to, why);
		end(backup);
		return;
	}
	go_on(backup, 0);
}

static int
open_file(struct lp_backup *backup)
{
	struct stat status;

	lp_store_copy_end(backup->copy);
	backup->copy = NULL;
	backup->file = open(backup->path, O_RDONLY | O_CLOEXEC);
	if (backup->file < 0 || fstat(backup->file, &status) != 0 ||
	    unlink(backup->path) != 0)
		return -errno;
	backup->size = (uint64_t)status.st_size;
	backup->sent = 0;
	backup->moved_ms = lp_clock_now_ms();
	return 0;
}

static void
send_some(struct lp_backup *backup)
{
	const struct lp_context *context = backup->context;
	uint8_t bytes[LP_BACKUP_PIECE];

	for (unsigned i = 0; i < LP_BACKUP_TURN_PIECES; i++) {
		Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
		Lp__Pb__BackupReply piece = LP__PB__BACKUP_REPLY__INIT;
		ssize_t len;

		if (context->unread != NULL &&
		    context->unread(context->arg, backup->to.client) >=
			LP_BACKUP_UNREAD_MAX) {
			if (!is_patient(backup))
				return;
			break;
		}
		backup->moved_ms = lp_clock_now_ms();
		len = read(backup->file, bytes, sizeof(bytes));
		if (len <= 0) {
			refuse(backup, &backup->to,
			    len == 0 ? "the copy has become shorter"
				     : strerror(errno));
			end(backup);
			return;
		}
		backup->sent += (uint64_t)len;
		piece.data.data = bytes;
		piece.data.len = (size_t)len;
		piece.has_size = true;
		piece.size = backup->size;
		reply.has_more = true;
		reply.more = backup->sent < backup->size;
		reply.body_case = LP__PB__CONTROL_REPLY__BODY_BACKUP;
		reply.backup = &piece;
		lp_reply_send(context, &backup->to, &reply);
		if (!reply.more) {
			end(backup);
			return;
		}
	}
	go_on(backup, LP_BACKUP_TURN_MS);
}

/* Others wait until this one is whole. */
static bool
is_patient(struct lp_backup *backup)
{
	char why[LP_WHY_SIZE];

	if (lp_clock_now_ms() - backup->moved_ms < backup->patience_ms)
		return true;
	snprintf(why, sizeof(why),
	    "the copy was given up: nothing of it was read for %u ms",
	    backup->patience_ms);
	refuse(backup, &backup->to, why);
	end(backup);
	return false;
}

static void
refuse(struct lp_backup *backup, const struct lp_reply_to *to, const char *why)
{
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};

	lp_reply_failure(backup->context, to, &failure, "%s", why);
}

/* Nobody is there to be told; but who has some of it is written down. */
static void
cut(struct lp_backup *backup, const char *why)
{
	backup->to.client = LP_REPLY_NOBODY;
	refuse(backup, &backup->to, why);
	end(backup);
}

static void
end(struct lp_backup *backup)
{
	evtimer_del(backup->turn);
	lp_store_copy_end(backup->copy);
	backup->copy = NULL;
	if (backup->file >= 0)
		close(backup->file);
	backup->file = -1;
	backup->to.client = 0;
}
