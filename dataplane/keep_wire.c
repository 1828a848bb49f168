/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/keep_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header; /* for its alignment */
	char space[CMSG_SPACE(sizeof(int))];
};

static int take_fd(struct msghdr *header);

int
lp_keep_wire_send(int socket, const struct lp_keep_message *message, int fd)
{
	struct iovec data = {
	    .iov_base = (void *)message, .iov_len = sizeof(*message)};
	struct msghdr header = {.msg_iov = &data, .msg_iovlen = 1};
	union control control;
	struct cmsghdr *rights;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control.space);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	}
	while (sendmsg(socket, &header, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int
lp_keep_wire_recv(int socket, struct lp_keep_message *message, int *fd)
{
	struct iovec data = {.iov_base = message, .iov_len = sizeof(*message)};
	union control control;
	struct msghdr header = {
	    .msg_iov = &data,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control.space),
	};
	ssize_t len;

	do
		len = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	*fd = -1;
	if (len < 0)
		return -errno;
	*fd = take_fd(&header);
	if (len == sizeof(*message) &&
	    memchr(message->name, '\0', sizeof(message->name)))
		return 0;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return len == 0 ? -ECONNRESET : -EBADMSG;
}

/* The kernel has closed what did not fit into our space for one. */
static int
take_fd(struct msghdr *header)
{
	struct cmsghdr *rights = CMSG_FIRSTHDR(header);
	int fd;

	if (!rights || rights->cmsg_level != SOL_SOCKET ||
	    rights->cmsg_type != SCM_RIGHTS ||
	    rights->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
	return fd;
}
