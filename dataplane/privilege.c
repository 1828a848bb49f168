/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "proto/limits.h"
#include "proto/log.h"

static const struct {
	unsigned bit;
	const char *name;
	bool more; /* only if more was asked for */
} kept[] = {
    {CAP_NET_ADMIN, "CAP_NET_ADMIN", false},
    {CAP_NET_RAW, "CAP_NET_RAW", false},
    {CAP_BPF, "CAP_BPF", false},
    {CAP_PERFMON, "CAP_PERFMON", false},
    {CAP_IPC_LOCK, "CAP_IPC_LOCK", false},
    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", true},
    {CAP_SYS_RAWIO, "CAP_SYS_RAWIO", true},
};
enum { KEPT = sizeof(kept) / sizeof(kept[0]) };

/* What a kernel older than that lacks, and what it means. */
static const struct {
	unsigned major, minor;
	const char *lacks;
} kernel_notes[] = {
    {5, 9, "no XDP links: AF_XDP ports cannot be opened"},
    {5, 10,
	"one AF_XDP port cannot have sockets on several receive queues: only "
	"devices with one queue can be opened"},
    {5, 11, "no preferred busy polling"},
    {6, 4,
	"AF_XDP rings cannot be handed over: packets that wait in them "
	"are lost when the packet process restarts"},
};

static int restrict_to_kept(bool more, bool effective, bool inheritable);
static void list_missing(bool more, char buf[LP_WHY_SIZE]);
static void log_kernel(void);

int
lp_privilege_drop_keeper(bool more)
{
	return restrict_to_kept(more, false, true);
}

int
lp_privilege_drop_packets(bool more)
{
	int error = restrict_to_kept(more, true, false);

	if (error)
		return error;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	/*
	 * Last: the kernel forgets it when capabilities change.  A keeper that
	 * is dead already shows at the first request to it.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -errno;
	return 0;
}

void
lp_privilege_raise_memlock(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		return;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

void
lp_privilege_log_host(bool more)
{
	char missing[LP_WHY_SIZE];
	struct rlimit limit;

	log_kernel();
	list_missing(true, missing);
	if (more && missing[0] != '\0')
		lp_log_warn("missing privileges: %s: some DPDK ports cannot be "
			    "opened (--dpdk-privileged); start as root or give "
			    "these capabilities",
		    missing);
	list_missing(false, missing);
	if (missing[0] != '\0')
		lp_log_warn("missing privileges: %s: ports cannot be "
			    "opened; start as root or give these capabilities",
		    missing);
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY && strstr(missing, "CAP_IPC_LOCK"))
		lp_log_warn("locked memory is limited to %llu KiB and "
			    "CAP_IPC_LOCK is missing: packet buffers may not "
			    "fit; raise it (LimitMEMLOCK=, ulimit -l)",
		    (unsigned long long)limit.rlim_cur / 1024);
}

static int
restrict_to_kept(bool more, bool effective, bool inheritable)
{
	bool have[KEPT];
	bool may_bound;

	if (capng_get_caps_process() != 0)
		return -EPERM;
	for (int i = 0; i < KEPT; i++)
		have[i] = capng_have_capability(CAPNG_PERMITTED, kept[i].bit);
	may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	capng_clear(CAPNG_SELECT_BOTH);
	for (int i = 0; i < KEPT; i++) {
		unsigned type = CAPNG_PERMITTED;

		if (kept[i].more && !more)
			continue;
		capng_update(CAPNG_ADD, CAPNG_BOUNDING_SET, kept[i].bit);
		if (!have[i])
			continue;
		if (effective)
			type |= CAPNG_EFFECTIVE;
		if (inheritable)
			type |= CAPNG_INHERITABLE;
		capng_update(CAPNG_ADD, type, kept[i].bit);
	}
	/* Without CAP_SETPCAP the bounding set cannot change: it is as it is */
	if (capng_apply(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) != 0)
		return errno ? -errno : -EPERM;
	return 0;
}

/* "CAP_BPF CAP_NET_RAW", or "": of what all need, or only more. */
static void
list_missing(bool more, char buf[LP_WHY_SIZE])
{
	size_t len = 0;

	buf[0] = '\0';
	capng_get_caps_process();
	for (int i = 0; i < KEPT; i++)
		if (kept[i].more == more &&
		    !capng_have_capability(CAPNG_EFFECTIVE, kept[i].bit))
			len += (size_t)snprintf(buf + len, LP_WHY_SIZE - len,
			    "%s%s", len ? " " : "", kept[i].name);
}

static void
log_kernel(void)
{
	struct utsname name;
	unsigned major, minor;

	if (uname(&name) != 0 ||
	    sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return;
	for (size_t i = 0; i < sizeof(kernel_notes) / sizeof(kernel_notes[0]);
	     i++)
		if (major < kernel_notes[i].major ||
		    (major == kernel_notes[i].major &&
			minor < kernel_notes[i].minor))
			lp_log_warn("Linux %s is older than %u.%u: %s",
			    name.release, kernel_notes[i].major,
			    kernel_notes[i].minor, kernel_notes[i].lacks);
}
