/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attachment of a steering program to a device.
 *
 * Life-cycle: a program is never detached to attach another: between the two
 * the kernel would answer our connections with resets.  A kept link whose
 * device vanished says so by its ifindex of 0, also if a device of the same
 * name has come back; it is dropped then.
 */
#include "dataplane/port/xdp_link.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/keep.h"
#include "dataplane/port/netdev.h"
#include "dataplane/port/pool.h"
#include "dataplane/port/xdp_steer.h"

static void
keep_name(char name[LP_KEEP_NAME_SIZE], const char *device)
{
	snprintf(name, LP_KEEP_NAME_SIZE, "link:%s", device);
}

/* The kept link, or -errno: make a new one. */
static int
adopt(const struct lp_netdev *device, struct lp_keep *keep)
{
	char name[LP_KEEP_NAME_SIZE];
	struct lp_xdp_link old = {.fd = -1};
	int error;

	keep_name(name, device->name);
	old.fd = lp_keep_get(keep, name);
	if (old.fd < 0)
		return old.fd;
	error = lp_xdp_link_is_on(&old, device->ifindex) ? 0 : -ENODEV;
	if (error == 0)
		return old.fd;
	lp_xdp_link_detach(&old, device->name, keep);
	return error;
}

static int
attach(const struct lp_netdev *device, int program, __u32 mode,
    const struct lp_pool *pool)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = mode);
	int fd;

	do {
		fd = bpf_link_create(
		    program, (int)device->ifindex, BPF_XDP, &options);
	} while (fd == -EBUSY && lp_pool_pause_busy(pool));
	return fd;
}

static void
say_busy(const struct lp_netdev *device, char why[LP_WHY_SIZE])
{
	__u32 id = 0;

	(void)bpf_xdp_query_id((int)device->ifindex, 0, &id);
	snprintf(why, LP_WHY_SIZE,
	    "%s already has an XDP program (id %u, see bpftool prog) that is "
	    "not ours: stop what put it there, or ip link set dev %s xdp off",
	    device->name, id, device->name);
}

static bool
is_generic(const struct lp_netdev *device)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, options);

	return bpf_xdp_query((int)device->ifindex, 0, &options) == 0 &&
	    options.attach_mode == XDP_ATTACHED_SKB;
}

static void
say_generic(struct lp_xdp_link *link, const char *driver, int error)
{
	link->generic = true;
	snprintf(link->why, sizeof(link->why),
	    "driver %s takes no native XDP program%s%s", driver,
	    error != 0 ? ": " : "", error != 0 ? strerror(-error) : "");
}

int
lp_xdp_link_open(struct lp_xdp_link *link, const struct lp_netdev *device,
    int program, const struct lp_pool *pool, struct lp_keep *keep,
    char why[LP_WHY_SIZE])
{
	int error;

	*link = (struct lp_xdp_link){.fd = -1};
	if (keep != NULL)
		link->fd = adopt(device, keep);
	if (link->fd >= 0) {
		link->adopted = true;
		link->pending = true;
		if (is_generic(device))
			say_generic(link, device->driver, 0);
		return 0;
	}
	link->fd = attach(device, program, XDP_FLAGS_DRV_MODE, pool);
	if (link->fd >= 0)
		return 0;
	error = link->fd;
	if (error != -EBUSY && error != -EEXIST && error != -EPERM) {
		link->fd = attach(device, program, XDP_FLAGS_SKB_MODE, pool);
		if (link->fd >= 0) {
			say_generic(link, device->driver, error);
			return 0;
		}
		error = link->fd;
	}
	if (error == -EBUSY || error == -EEXIST)
		say_busy(device, why);
	else if (error == -EPERM)
		snprintf(why, LP_WHY_SIZE,
		    "not permitted to attach an XDP program: give "
		    "lp-dataplane CAP_NET_ADMIN and CAP_BPF");
	else
		snprintf(why, LP_WHY_SIZE,
		    "%s: driver %s takes no XDP program: %s", device->name,
		    device->driver, strerror(-error));
	return error;
}

int
lp_xdp_link_activate(struct lp_xdp_link *link, struct lp_xdp_steer *steer,
    int program, char why[LP_WHY_SIZE])
{
	struct timespec now;

	if (!link->pending)
		return 0;
	/* Its first turn is the worker's first beat: until then, ours. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	lp_xdp_steer_beat(
	    steer, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	if (bpf_link_update(link->fd, program, NULL) != 0) {
		int error = -errno;

		snprintf(why, LP_WHY_SIZE,
		    "cannot replace the XDP program of the process before: %s",
		    strerror(-error));
		return error;
	}
	link->pending = false;
	return 0;
}

int
lp_xdp_link_keep(
    const struct lp_xdp_link *link, const char *device, struct lp_keep *keep)
{
	char name[LP_KEEP_NAME_SIZE];

	keep_name(name, device);
	return lp_keep_put(keep, name, link->fd);
}

void
lp_xdp_link_detach(
    struct lp_xdp_link *link, const char *device, struct lp_keep *keep)
{
	char name[LP_KEEP_NAME_SIZE];

	if (keep != NULL) {
		keep_name(name, device);
		(void)lp_keep_drop(keep, name);
	}
	if (link->fd >= 0)
		(void)bpf_link_detach(link->fd);
	lp_xdp_link_close(link);
}

void
lp_xdp_link_close(struct lp_xdp_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
}

bool
lp_xdp_link_is_on(const struct lp_xdp_link *link, unsigned ifindex)
{
	struct bpf_link_info info = {0};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(link->fd, &info, &size) == 0 &&
	    info.type == BPF_LINK_TYPE_XDP && info.xdp.ifindex != 0 &&
	    info.xdp.ifindex == ifindex;
}
