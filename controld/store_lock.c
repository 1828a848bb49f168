/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "proto/log.h"

static int refuse(struct lp_store_sql *sql, int lock, const char *name);

int
lp_store_lock_take(struct lp_store_sql *sql)
{
	char *name;
	int lock;

	if (asprintf(&name, "%s.lock", sql->path) < 0)
		return lp_store_sql_refuse(sql, -ENOMEM, "out of memory");
	lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (lock < 0) {
		lock = lp_store_sql_refuse(
		    sql, -errno, "cannot make %s: %s", name, strerror(errno));
	} else if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		int err = refuse(sql, lock, name);

		close(lock);
		lock = err;
	} else if (ftruncate(lock, 0) != 0 ||
	    dprintf(lock, "%d\n", getpid()) < 0) {
		/* Only for the message of the next who comes. */
		lp_log_warn("%s: %s", name, strerror(errno));
	}
	free(name);
	return lock;
}

static int
refuse(struct lp_store_sql *sql, int lock, const char *name)
{
	char pid[16] = "";
	ssize_t len;

	if (errno != EWOULDBLOCK)
		return lp_store_sql_refuse(
		    sql, -errno, "cannot lock %s: %s", name, strerror(errno));
	len = pread(lock, pid, sizeof(pid) - 1, 0);
	pid[len > 0 ? len : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return lp_store_sql_refuse(sql, -EBUSY,
	    "is in use by another lp-controld (pid %s)",
	    pid[0] != '\0' ? pid : "unknown");
}
