/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lpctl db: copies of the database.
 *
 * A backup comes from lp-controld, also from a remote one, while it works; it
 * is written beside its name, verified, and only then gets it.  Verify asks
 * nobody, nor does a restore into a file: they work on files of this host.
 * Without such a file the configuration of the copy becomes that of the
 * lp-controld that runs, as one change like others.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/view_db.h"
#include "proto/who.h"

/* A backup on its way. */
struct copy {
	const struct lp_lpctl *lpctl;
	const char *path; /* that it shall have */
	char *partial; /* and has until it is whole */
	int file;
	uint64_t size;
};

static int check_words(const struct lp_words *words, struct lp_error *error);
static int back_up(struct lp_db_view *view, const struct lp_lpctl *lpctl,
    struct lp_error *error);
static int receive(struct copy *copy, struct lp_error *error);
static int ask(
    struct copy *copy, struct lp_client *client, struct lp_error *error);
static int keep(struct copy *copy, const Lp__Pb__BackupReply *piece,
    struct lp_error *error);
static int verify(struct lp_db_view *view, struct lp_error *error);
static int restore(struct lp_db_view *view, struct lp_error *error);
static int file_error(struct lp_error *error, const char *path);

int
lp_cmd_db(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct lp_db_view view = {
	    .action = words->operands[0],
	    .path = words->operands[1],
	    .database = lp_command_value(words, LP_OPTION_DATABASE, NULL),
	};

	if (check_words(words, error) != LP_EXIT_OK)
		return error->status;
	if (strcmp(view.action, "backup") == 0)
		(void)back_up(&view, lpctl, error);
	else if (strcmp(view.action, "verify") == 0)
		(void)verify(&view, error);
	else if (view.database == NULL)
		return lp_cmd_apply_copy(lpctl, words, view.path, error);
	else
		(void)restore(&view, error);
	if (error->status != LP_EXIT_OK)
		return error->status;
	return lp_error_output(error, lpctl->output->db(&lpctl->print, &view));
}

static int
check_words(const struct lp_words *words, struct lp_error *error)
{
	const char *action = words->operands[0];
	bool restores = strcmp(action, "restore") == 0;
	bool database = lp_command_given(words, LP_OPTION_DATABASE);

	if (!restores && strcmp(action, "backup") != 0 &&
	    strcmp(action, "verify") != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "db %s: backup, verify, or restore", action);
	if (!restores && database)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--database: is an option of db restore");
	if ((!restores || database) &&
	    (lp_command_given(words, LP_OPTION_DRY_RUN) ||
		lp_command_given(words, LP_OPTION_CONFIRM)))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--dry-run and --confirm: are options of db restore "
		    "without --database");
	return LP_EXIT_OK;
}

static int
back_up(struct lp_db_view *view, const struct lp_lpctl *lpctl,
    struct lp_error *error)
{
	struct copy copy = {.lpctl = lpctl, .path = view->path, .file = -1};
	char why[LP_STORE_WHY_SIZE];

	if (access(view->path, F_OK) == 0)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "%s: is there already; give the copy another name",
		    view->path);
	if (asprintf(&copy.partial, "%s.partial", view->path) < 0)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	(void)unlink(copy.partial); /* of one that was cut */
	copy.file =
	    open(copy.partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (copy.file < 0)
		(void)file_error(error, copy.partial);
	else
		(void)receive(&copy, error);
	if (error->status == LP_EXIT_OK &&
	    lp_store_restore_check(copy.partial, &view->facts, why) != 0)
		(void)lp_error_set(error, LP_EXIT_UNREACHABLE, "%s", why);
	/* link(): of two that run at once the second fails. */
	if (error->status == LP_EXIT_OK && link(copy.partial, copy.path) != 0)
		(void)file_error(error, copy.path);
	if (copy.file >= 0)
		(void)unlink(copy.partial);
	free(copy.partial);
	view->size = copy.size;
	return error->status;
}

/* Closes the file. */
static int
receive(struct copy *copy, struct lp_error *error)
{
	const struct lp_lpctl *lpctl = copy->lpctl;
	struct lp_client *client = NULL;

	if (lp_client_open(&client, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		error) == LP_EXIT_OK)
		(void)ask(copy, client, error);
	lp_client_close(client);
	if (error->status == LP_EXIT_OK && fsync(copy->file) != 0)
		(void)file_error(error, copy->partial);
	if (close(copy->file) != 0 && error->status == LP_EXIT_OK)
		(void)file_error(error, copy->partial);
	return error->status;
}

static int
ask(struct copy *copy, struct lp_client *client, struct lp_error *error)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	Lp__Pb__BackupRequest backup = LP__PB__BACKUP_REQUEST__INIT;
	bool more = true;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_BACKUP;
	request.backup = &backup;
	if (lp_client_send(client, &request, error) != LP_EXIT_OK)
		return error->status;
	while (more) {
		Lp__Pb__ControlReply *reply;

		if (lp_client_next(client, &reply,
			LP__PB__CONTROL_REPLY__BODY_BACKUP,
			(int)lp_lpctl_answer_ms(copy->lpctl), -1,
			error) != LP_EXIT_OK)
			return error->status;
		if (reply == NULL)
			return lp_error_set(error, LP_EXIT_UNREACHABLE,
			    "lp-controld sends no more of the copy");
		more = reply->more;
		(void)keep(copy, reply->backup, error);
		lp__pb__control_reply__free_unpacked(reply, NULL);
		if (error->status != LP_EXIT_OK)
			return error->status;
	}
	return LP_EXIT_OK;
}

static int
keep(
    struct copy *copy, const Lp__Pb__BackupReply *piece, struct lp_error *error)
{
	const uint8_t *bytes = piece->data.data;
	size_t left = piece->data.len;

	while (left > 0) {
		ssize_t len = write(copy->file, bytes, left);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return file_error(error, copy->partial);
		bytes += len;
		left -= (size_t)len;
	}
	copy->size += piece->data.len;
	return LP_EXIT_OK;
}

static int
verify(struct lp_db_view *view, struct lp_error *error)
{
	char why[LP_STORE_WHY_SIZE];
	struct stat status;

	if (lp_store_restore_check(view->path, &view->facts, why) != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	if (stat(view->path, &status) == 0)
		view->size = (uint64_t)status.st_size;
	return LP_EXIT_OK;
}

static int
restore(struct lp_db_view *view, struct lp_error *error)
{
	char who[LP_WHO_SIZE], why[LP_STORE_WHY_SIZE];

	if (lp_store_restore_run(view->database, view->path,
		lp_who_local(who, getuid(), getpid()), &view->facts, why) != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	return LP_EXIT_OK;
}

static int
file_error(struct lp_error *error, const char *path)
{
	return lp_error_set(
	    error, LP_EXIT_REFUSED, "%s: %s", path, strerror(errno));
}
