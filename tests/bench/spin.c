/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps one core from idling and takes no time from anybody: a loop at
 * SCHED_IDLE, the stand-in for idle=poll.  Ends after a while, or with its
 * parent.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	SECONDS_MAX = 3600,
	CPU_ARG = 1,
	SECONDS_ARG,
	ARGS,
};

static void yield_to_all(void);

int
main(int argc, char **argv)
{
	unsigned long seconds, cpu;
	cpu_set_t set;

	if (argc != ARGS)
		errx(2, "usage: bench_spin CPU SECONDS");
	cpu = strtoul(argv[CPU_ARG], NULL, 10);
	seconds = strtoul(argv[SECONDS_ARG], NULL, 10);
	if (cpu >= CPU_SETSIZE || seconds == 0 || seconds > SECONDS_MAX)
		errx(2, "seconds: 1 to %d", SECONDS_MAX);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm((unsigned)seconds);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		err(1, "CPU %s", argv[CPU_ARG]);
	yield_to_all();
	for (;;)
		__asm__ volatile("" ::: "memory");
}

/*
 * SCHED_IDLE counts within a scheduling group.  Where the kernel groups by
 * session, the session must step back as well.
 */
static void
yield_to_all(void)
{
	struct sched_param param = {0};
	int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);

	if (sched_setscheduler(0, SCHED_IDLE, &param) != 0)
		err(1, "SCHED_IDLE");
	if (fd < 0)
		return;
	if (write(fd, "19", 2) != 2)
		warn("/proc/self/autogroup");
	close(fd);
}
