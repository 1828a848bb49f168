/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pki.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/pki_file.h"
#include "proto/nearest.h"

enum {
	PEM_SIZE_MAX = 65536, /* of one certificate or key */
	S_PER_DAY = 86400,
	DATE_SIZE = 16,
};

/* An authority that is open, and locked. */
struct authority {
	const char *directory;
	int lock;
	struct lp_pki_x509 *ca;
	struct lp_pki_x509_pem certificate, list;
	struct lp_pki_index index;
};

static const char certificate_name[] = "ca.pem";
static const char key_name[] = "ca.key.pem";
static const char list_name[] = "crl.pem";
static const char index_name[] = "index.txt";

static int check_authority_name(const char *name, struct lp_error *error);
static int write_new(struct lp_pki_view *view, struct lp_pki_x509 *ca,
    int64_t now, struct lp_error *error);
static int check_order(
    const struct lp_pki_request *request, struct lp_error *error);
static int open_authority(struct authority *authority, struct lp_pki_view *view,
    const struct lp_pki_request *request, struct lp_error *error);
static void close_authority(struct authority *authority);
static int read_index(
    struct lp_pki_index *index, const char *directory, struct lp_error *error);
static int write_index(struct authority *authority, struct lp_error *error);
static int text_of_index(
    const struct lp_pki_index *index, struct lp_pki_x509_pem *text);
static int decide_end(int64_t *until, const struct lp_pki_view *view,
    const struct lp_pki_request *request, struct lp_error *error);
static int order(struct authority *authority, struct lp_pki_view *view,
    const struct lp_pki_request *request, struct lp_error *error);
static int hand_out(struct authority *authority, struct lp_pki_view *view,
    const struct lp_pki_x509_pem *certificate,
    const struct lp_pki_x509_pem *key, struct lp_error *error);
static int mark(struct authority *authority, struct lp_pki_view *view,
    const struct lp_pki_request *request, struct lp_error *error);
static int write_list(struct authority *authority,
    const struct lp_pki_view *view, struct lp_error *error);

int
lp_pki_init(struct lp_pki_view *view, const struct lp_pki_request *request,
    struct lp_error *error)
{
	uint32_t days = request->days != 0 ? request->days : LP_PKI_DAYS_CA;
	const char *name =
	    request->name != NULL ? request->name : LP_PKI_NAME_DEFAULT;
	struct lp_pki_x509 *ca = NULL;
	char why[LP_WHY_SIZE];
	int status;

	*view = (struct lp_pki_view){
	    .action = LP_PKI_INIT,
	    .directory = request->directory,
	    .now = request->now,
	    .until = request->now + (int64_t)days * S_PER_DAY,
	};
	if (check_authority_name(name, error) != LP_EXIT_OK)
		return error->status;
	memcpy(view->authority, name, strlen(name) + 1);
	if (lp_pki_x509_new(
		&ca, name, request->now - LP_PKI_SKEW_S, view->until, why) != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	status = write_new(view, ca, request->now, error);
	lp_pki_x509_free(ca);
	return status;
}

int
lp_pki_issue(struct lp_pki_view *view, const struct lp_pki_request *request,
    struct lp_error *error)
{
	struct authority authority;
	struct stat exists;
	int status;

	*view = (struct lp_pki_view){.action = LP_PKI_ISSUE,
	    .directory = request->directory,
	    .now = request->now};
	status = check_order(request, error);
	if (status != LP_EXIT_OK)
		return status;
	if (snprintf(view->path, sizeof(view->path), "%s/%s",
		request->out != NULL ? request->out : request->directory,
		request->name) >= PATH_MAX)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "the name of the directory is too long");
	if (lstat(view->path, &exists) == 0)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "%.300s: exists: no key is overwritten; move it away, or "
		    "say another --out",
		    view->path);
	status = open_authority(&authority, view, request, error);
	if (status == LP_EXIT_OK)
		status = order(&authority, view, request, error);
	close_authority(&authority);
	return status;
}

int
lp_pki_revoke(struct lp_pki_view *view, const struct lp_pki_request *request,
    struct lp_error *error)
{
	struct authority authority;
	int status;

	*view = (struct lp_pki_view){.action = LP_PKI_REVOKE,
	    .directory = request->directory,
	    .now = request->now};
	status = open_authority(&authority, view, request, error);
	if (status == LP_EXIT_OK)
		status = mark(&authority, view, request, error);
	if (status == LP_EXIT_OK)
		status = write_list(&authority, view, error);
	if (status == LP_EXIT_OK)
		status = write_index(&authority, error);
	close_authority(&authority);
	return status;
}

int
lp_pki_list(struct lp_pki_view *view, const struct lp_pki_request *request,
    struct lp_error *error)
{
	struct lp_pki_x509_pem certificate = {0};
	char why[LP_PKI_FILE_WHY_SIZE];
	int err;

	*view = (struct lp_pki_view){.action = LP_PKI_LIST,
	    .directory = request->directory,
	    .now = request->now};
	err = lp_pki_file_read(&certificate, request->directory,
	    certificate_name, PEM_SIZE_MAX, false, why);
	if (err == 0)
		err = lp_pki_x509_about(
		    view->authority, &view->until, &certificate, why);
	lp_pki_x509_pem_free(&certificate);
	if (err != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	return read_index(&view->index, request->directory, error);
}

void
lp_pki_view_fini(struct lp_pki_view *view)
{
	lp_pki_index_fini(&view->index);
}

static int
check_authority_name(const char *name, struct lp_error *error)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (name[i] < ' ' || name[i] > '~')
			return lp_error_set(error, LP_EXIT_REFUSED,
			    "--name: is to be of printable ASCII");
	if (len == 0 || len >= LP_NAME_SIZE)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "--name: is to be of 1 to %d bytes", LP_NAME_SIZE - 1);
	return LP_EXIT_OK;
}

/* The directory with all that is in it comes at once. */
static int
write_new(struct lp_pki_view *view, struct lp_pki_x509 *ca, int64_t now,
    struct lp_error *error)
{
	struct lp_pki_x509_pem certificate = {0}, key = {0};
	struct lp_pki_x509_pem list = {0}, index = {0};
	const struct lp_pki_file files[] = {
	    {certificate_name, &certificate, 0644},
	    {key_name, &key, 0600},
	    {list_name, &list, 0644},
	    {index_name, &index, 0644},
	};
	char why[LP_PKI_FILE_WHY_SIZE] = "out of memory";
	int err = text_of_index(&view->index, &index);

	if (err == 0)
		err = lp_pki_x509_own(ca, &certificate, &key, why);
	if (err == 0)
		err = lp_pki_x509_revoked(ca, &view->index, (uint64_t)now,
		    now - LP_PKI_SKEW_S, view->until, &list, why);
	if (err == 0)
		err = lp_pki_file_directory(view->directory, files,
		    sizeof(files) / sizeof(files[0]), why);
	lp_pki_x509_pem_free(&certificate);
	lp_pki_x509_pem_free(&key);
	lp_pki_x509_pem_free(&list);
	lp_pki_x509_pem_free(&index);
	if (err != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	return LP_EXIT_OK;
}

static int
check_order(const struct lp_pki_request *request, struct lp_error *error)
{
	char why[LP_WHY_SIZE];
	bool server = lp_pki_x509_names_hosts(request->role);

	if (lp_pki_index_check_name(request->name, why) != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "\"%.64s\": %s",
		    request->name, why);
	if (server && request->host_count == 0)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "--host is missing: the names and addresses under which "
		    "%s is reached",
		    request->name);
	if (!server && request->host_count > 0)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "--host: only controld and dataplane are reached; the "
		    "role is %s",
		    lp_role_word(request->role));
	for (size_t i = 0; i < request->host_count; i++)
		if (lp_pki_x509_check_host(request->hosts[i], why) != 0)
			return lp_error_set(
			    error, LP_EXIT_REFUSED, "--host: %s", why);
	return LP_EXIT_OK;
}

/* To be closed in any case. */
static int
open_authority(struct authority *authority, struct lp_pki_view *view,
    const struct lp_pki_request *request, struct lp_error *error)
{
	const char *directory = request->directory;
	struct lp_pki_x509_pem key = {0};
	char why[LP_PKI_FILE_WHY_SIZE];
	int err;

	*authority = (struct authority){.directory = directory};
	authority->lock = lp_pki_file_lock(directory, why);
	err = authority->lock < 0 ? authority->lock : 0;
	if (err == 0)
		err = lp_pki_file_read(&authority->certificate, directory,
		    certificate_name, PEM_SIZE_MAX, false, why);
	if (err == 0)
		err = lp_pki_file_read(
		    &key, directory, key_name, PEM_SIZE_MAX, true, why);
	if (err == 0)
		err = lp_pki_file_read(&authority->list, directory, list_name,
		    LP_PKI_INDEX_SIZE_MAX, false, why);
	if (err == 0)
		err = lp_pki_x509_load(
		    &authority->ca, &authority->certificate, &key, why);
	if (err == 0)
		err = lp_pki_x509_about(view->authority, &view->until,
		    &authority->certificate, why);
	lp_pki_x509_pem_free(&key);
	if (err != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	return read_index(&authority->index, directory, error);
}

static void
close_authority(struct authority *authority)
{
	lp_pki_index_fini(&authority->index);
	lp_pki_x509_free(authority->ca);
	lp_pki_x509_pem_free(&authority->certificate);
	lp_pki_x509_pem_free(&authority->list);
	if (authority->lock >= 0)
		close(authority->lock);
}

static int
read_index(
    struct lp_pki_index *index, const char *directory, struct lp_error *error)
{
	struct lp_pki_x509_pem text = {0};
	char why[LP_PKI_FILE_WHY_SIZE], what[LP_WHY_SIZE] = "out of memory";

	if (lp_pki_file_read(&text, directory, index_name,
		LP_PKI_INDEX_SIZE_MAX, false, why) != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	if (lp_pki_index_read(index, text.text, text.len, what) != 0) {
		lp_pki_x509_pem_free(&text);
		return lp_error_set(error, LP_EXIT_REFUSED, "%.300s/%s: %s",
		    directory, index_name, what);
	}
	lp_pki_x509_pem_free(&text);
	return LP_EXIT_OK;
}

static int
write_index(struct authority *authority, struct lp_error *error)
{
	struct lp_pki_x509_pem text = {0};
	const struct lp_pki_file file = {index_name, &text, 0644};
	char why[LP_PKI_FILE_WHY_SIZE] = "out of memory";
	int err = text_of_index(&authority->index, &text);

	if (err == 0 && text.len > LP_PKI_INDEX_SIZE_MAX) {
		err = -EFBIG;
		(void)snprintf(why, sizeof(why),
		    "%.300s/%s: would be larger than %d bytes: make another "
		    "authority",
		    authority->directory, index_name, LP_PKI_INDEX_SIZE_MAX);
	}
	if (err == 0)
		err = lp_pki_file_replace(authority->directory, &file, why);
	lp_pki_x509_pem_free(&text);
	if (err != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	return LP_EXIT_OK;
}

static int
text_of_index(const struct lp_pki_index *index, struct lp_pki_x509_pem *text)
{
	FILE *file = open_memstream(&text->text, &text->len);
	bool failed;

	if (file == NULL)
		return -ENOMEM;
	lp_pki_index_write(index, file);
	failed = ferror(file) != 0;
	return fclose(file) != 0 || failed ? -ENOMEM : 0;
}

/* By default not longer than the authority; asked for, that is refused. */
static int
decide_end(int64_t *until, const struct lp_pki_view *view,
    const struct lp_pki_request *request, struct lp_error *error)
{
	uint32_t days = request->days != 0 ? request->days : LP_PKI_DAYS;
	time_t end = view->until;
	char date[DATE_SIZE] = "";
	struct tm tm = {0};

	gmtime_r(&end, &tm);
	(void)strftime(date, sizeof(date), "%F", &tm);
	*until = request->now + (int64_t)days * S_PER_DAY;
	if (view->until <= request->now)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "the authority \"%s\" has ended on %s", view->authority,
		    date);
	if (*until <= view->until)
		return LP_EXIT_OK;
	*until = view->until;
	if (request->days == 0)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_REFUSED,
	    "--days %u: longer than the authority \"%s\", which ends on %s",
	    days, view->authority, date);
}

static int
order(struct authority *authority, struct lp_pki_view *view,
    const struct lp_pki_request *request, struct lp_error *error)
{
	struct lp_pki_x509_order order = {
	    .name = request->name,
	    .role = request->role,
	    .hosts = request->hosts,
	    .host_count = request->host_count,
	    .from = request->now - LP_PKI_SKEW_S,
	};
	struct lp_pki_index_row row = {
	    .role = request->role, .issued = request->now};
	struct lp_pki_x509_pem certificate = {0}, key = {0};
	char why[LP_WHY_SIZE] = "out of memory";
	int status = decide_end(&order.until, view, request, error);
	int err;

	if (status != LP_EXIT_OK)
		return status;
	do
		err = lp_pki_x509_random_serial(&order.serial, why);
	while (err == 0 &&
	    lp_pki_index_find(&authority->index, order.serial) != NULL);
	row.serial = order.serial;
	row.expires = order.until;
	memcpy(row.name, request->name, strlen(request->name) + 1);
	if (err == 0)
		err = lp_pki_x509_issue(
		    authority->ca, &order, &certificate, &key, why);
	if (err == 0 &&
	    (lp_pki_index_add(&authority->index, &row) != 0 ||
		lp_pki_index_add(&view->index, &row) != 0))
		err = -ENOMEM;
	if (err != 0)
		status = lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	else
		status = hand_out(authority, view, &certificate, &key, error);
	lp_pki_x509_pem_free(&certificate);
	lp_pki_x509_pem_free(&key);
	return status;
}

static int
hand_out(struct authority *authority, struct lp_pki_view *view,
    const struct lp_pki_x509_pem *certificate,
    const struct lp_pki_x509_pem *key, struct lp_error *error)
{
	const struct lp_pki_file files[] = {
	    {"cert.pem", certificate, 0644},
	    {"key.pem", key, 0600},
	    {certificate_name, &authority->certificate, 0644},
	    {list_name, &authority->list, 0644},
	};
	char why[LP_PKI_FILE_WHY_SIZE];

	if (write_index(authority, error) != LP_EXIT_OK)
		return error->status;
	if (lp_pki_file_directory(
		view->path, files, sizeof(files) / sizeof(files[0]), why) != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	return LP_EXIT_OK;
}

/* One of that serial, or all of that name; those that are so already, too. */
static int
mark(struct authority *authority, struct lp_pki_view *view,
    const struct lp_pki_request *request, struct lp_error *error)
{
	uint64_t serial = lp_pki_index_serial(request->name);
	char hint[LP_NEAREST_HINT_SIZE];
	struct lp_nearest nearest;

	lp_nearest_init(&nearest, request->name, strlen(request->name));
	for (size_t i = 0; i < authority->index.count; i++) {
		struct lp_pki_index_row *row = &authority->index.rows[i];

		lp_nearest_offer(&nearest, row->name);
		if (serial != 0 ? row->serial != serial
				: strcmp(row->name, request->name) != 0)
			continue;
		if (row->revoked == 0)
			row->revoked = request->now;
		if (lp_pki_index_add(&view->index, row) != 0)
			return lp_error_set(
			    error, LP_EXIT_REFUSED, "out of memory");
	}
	if (view->index.count > 0)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_REFUSED,
	    "no certificate was issued to \"%.100s\"%s", request->name,
	    lp_nearest_hint(hint, nearest.best));
}

/*
 * Valid as long as the authority: whoever verifies has a copy, and nobody
 * could be let in any more where a list that has expired is not replaced.
 */
static int
write_list(struct authority *authority, const struct lp_pki_view *view,
    struct lp_error *error)
{
	uint64_t number = lp_pki_x509_number(&authority->list) + 1;
	struct lp_pki_x509_pem text = {0};
	const struct lp_pki_file file = {list_name, &text, 0644};
	char why[LP_PKI_FILE_WHY_SIZE];
	int err;

	/* So it rises also where the old one was lost, but for a second. */
	if (number < (uint64_t)view->now)
		number = (uint64_t)view->now;
	err = lp_pki_x509_revoked(authority->ca, &authority->index, number,
	    view->now - LP_PKI_SKEW_S, view->until, &text, why);
	if (err == 0)
		err = lp_pki_file_replace(authority->directory, &file, why);
	lp_pki_x509_pem_free(&text);
	if (err != 0)
		return lp_error_set(error, LP_EXIT_REFUSED, "%s", why);
	return LP_EXIT_OK;
}
