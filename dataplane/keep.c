/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/keep.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/keep_wire.h"

enum {
	/* A keeper has nothing else to do: later than this, it hangs. */
	ANSWER_TIMEOUT_S = 5,
};

struct lp_keep {
	int socket;
};

static int ask(struct lp_keep *keep, enum lp_keep_op op, const char *name,
    int put_fd, int *got_fd);

int
lp_keep_new(struct lp_keep **keep, int socket)
{
	const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};

	if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		sizeof(timeout)) != 0)
		return -errno;
	*keep = malloc(sizeof(**keep));
	if (!*keep)
		return -ENOMEM;
	(*keep)->socket = socket;
	return 0;
}

void
lp_keep_free(struct lp_keep *keep)
{
	if (!keep)
		return;
	close(keep->socket);
	free(keep);
}

int
lp_keep_get(struct lp_keep *keep, const char *name)
{
	int fd;
	int error = ask(keep, LP_KEEP_GET, name, -1, &fd);

	if (error)
		return error;
	return fd < 0 ? -EBADMSG : fd;
}

int
lp_keep_put(struct lp_keep *keep, const char *name, int fd)
{
	assert(fd >= 0);
	return ask(keep, LP_KEEP_PUT, name, fd, NULL);
}

int
lp_keep_drop(struct lp_keep *keep, const char *name)
{
	return ask(keep, LP_KEEP_DROP, name, -1, NULL);
}

int
lp_keep_ready(struct lp_keep *keep)
{
	return ask(keep, LP_KEEP_READY, "", -1, NULL);
}

static int
ask(struct lp_keep *keep, enum lp_keep_op op, const char *name, int put_fd,
    int *got_fd)
{
	struct lp_keep_message message = {.op = op};
	int fd = -1;
	int error;

	if (strlen(name) >= sizeof(message.name))
		return -ENAMETOOLONG;
	strcpy(message.name, name);
	error = lp_keep_wire_send(keep->socket, &message, put_fd);
	if (!error)
		error = lp_keep_wire_recv(keep->socket, &message, &fd);
	if (!error && message.op != op)
		error = -EBADMSG;
	if (!error)
		error = message.result;
	if (!error && got_fd)
		*got_fd = fd;
	else if (fd >= 0)
		close(fd);
	return error;
}
