/* SPDX-License-Identifier: Apache-2.0 */
/* One question by generic netlink, and its answer; see netdev_xdp.h. */
#include "dataplane/port/netdev_xdp.h"

#include <assert.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Documentation/netlink/specs/netdev.yaml */
enum {
	CMD_DEV_GET = 1,
	DEV_IFINDEX = 1,
	DEV_XDP_FEATURES = 3,
};

struct question {
	struct nlmsghdr header;
	struct genlmsghdr generic;
	struct nlattr attribute;
	uint8_t value[16];
};

union answer {
	struct nlmsghdr header;
	uint8_t bytes[8192];
};

static int
ask(int fd, uint16_t family, uint8_t command, uint16_t type, const void *value,
    size_t size, union answer *answer)
{
	struct question question = {
	    .header = {.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + GENL_HDRLEN +
			   NLA_HDRLEN + NLA_ALIGN(size)),
		.nlmsg_type = family,
		.nlmsg_flags = NLM_F_REQUEST},
	    .generic = {.cmd = command, .version = 1},
	    .attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + size),
		.nla_type = type},
	};
	ssize_t got;
	int error;

	assert(size <= sizeof(question.value));
	memcpy(question.value, value, size);
	if (send(fd, &question, question.header.nlmsg_len, 0) < 0)
		return -errno;
	got = recv(fd, answer, sizeof(*answer), 0);
	if (got < 0)
		return -errno;
	if (!NLMSG_OK(&answer->header, (size_t)got))
		return -EBADMSG;
	if (answer->header.nlmsg_type != NLMSG_ERROR)
		return 0;
	memcpy(&error, NLMSG_DATA(&answer->header), sizeof(error));
	return error != 0 ? error : -EBADMSG;
}

/* The value of that attribute, if it has that size. */
static bool
find(const union answer *answer, uint16_t type, void *value, size_t size)
{
	size_t at = NLMSG_HDRLEN + GENL_HDRLEN;
	size_t end = answer->header.nlmsg_len;
	struct nlattr attribute;

	while (at + NLA_HDRLEN <= end) {
		memcpy(&attribute, answer->bytes + at, sizeof(attribute));
		if (attribute.nla_len < NLA_HDRLEN ||
		    attribute.nla_len > end - at)
			return false;
		if ((attribute.nla_type & NLA_TYPE_MASK) == type &&
		    attribute.nla_len == NLA_HDRLEN + size) {
			memcpy(value, answer->bytes + at + NLA_HDRLEN, size);
			return true;
		}
		at += NLA_ALIGN(attribute.nla_len);
	}
	return false;
}

int
lp_netdev_xdp_features(unsigned ifindex, uint64_t *features)
{
	static const char name[] = "netdev";
	const uint32_t device = ifindex;
	union answer answer;
	uint16_t family = 0;
	int fd, error;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		return -errno;
	error = ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
	    name, sizeof(name), &answer);
	if (error == 0 &&
	    !find(&answer, CTRL_ATTR_FAMILY_ID, &family, sizeof(family)))
		error = -EBADMSG;
	if (error == 0)
		error = ask(fd, family, CMD_DEV_GET, DEV_IFINDEX, &device,
		    sizeof(device), &answer);
	if (error == 0 &&
	    !find(&answer, DEV_XDP_FEATURES, features, sizeof(*features)))
		error = -EBADMSG;
	close(fd);
	return error;
}
