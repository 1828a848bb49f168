/* SPDX-License-Identifier: Apache-2.0 */
/* DPDK's environment: which arguments it may be given, and how it starts. */
#include "dataplane/port/dpdk_eal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/dataplane/dpdk_lab.h"

enum { BUFFERS = 4096, BUFFER_SIZE = 2048 };

/* Arguments with a file prefix that no other run of this test has. */
static const char *
with_prefix(void)
{
	static char arguments[64];

	snprintf(arguments, sizeof(arguments),
	    "--no-huge -m 64 --file-prefix lp-test-%d", (int)getpid());
	return arguments;
}

/* What EAL leaves of it when its process ends. */
static void
remove_prefix(void)
{
	char line[64];

	snprintf(line, sizeof(line), "rm -rf /var/run/dpdk/lp-test-%d",
	    (int)getpid());
	ck_assert_int_eq(system(line), 0);
}

static const char *const refused[] = {
    "-l0",
    "-l 0",
    "-l",
    "-c1",
    "-c 0x3",
    "-s 1",
    "-S 1",
    "--lcores=0",
    "--lcores 0@(0,1)",
    "--lcore 0",
    "--lc=0",
    "--l 0",
    "--main-lcore 0",
    "--main-lcore=0",
    "--ma 0",
    "-a 0000:03:00.0",
    "-a0000:03:00.0",
    "--allow=0000:03:00.0",
    "--allow 0000:03:00.0",
    "--al 0000:03:00.0",
    "-b 0000:03:00.0",
    "--block=0000:03:00.0",
    "--bl 0",
    "--vdev=net_null0",
    "--vdev net_null0",
    "--vde net_null0",
    "--proc-type=secondary",
    "--proc-type auto",
    "--proc secondary",
    "--pr secondary",
    "-h",
    "--help",
    "--hel",
    "-v",
    "--version",
    "--vers",
    "-n 4 -l 0",
    "-n 4\t--vdev=net_null0",
    "  --no-huge   -c 1  ",
    "-n4 --in-memory -v",
    /* Several short options in one word, as getopt() reads them. */
    "-vn4",
    /* EAL would end the process. */
    "--log-level help",
    "--log-level=help",
    "--log-l help",
    "--log-l=help",
    "-n 4 --log-level=help",
    /* No option, so that EAL would end its own arguments there. */
    "--",
    "-- -l 0",
};

START_TEST(what_is_not_for_operators_to_say_is_refused)
{
	char why[LP_WHY_SIZE] = "";

	ck_assert_msg(
	    lp_dpdk_eal_check(refused[_i], why) == -EINVAL, "%s", refused[_i]);
	ck_assert_str_ne(why, "");
}
END_TEST

static const char *const allowed[] = {
    "",
    "   ",
    "\t",
    "-n 4",
    "-n4",
    "-r 2",
    "-m 512",
    "-m512",
    "-d librte_net_null.so",
    "--no-huge",
    "--no-huge -m 64",
    "--in-memory",
    "--file-prefix x",
    "--file-prefix=x",
    "--file-p x",
    "--huge-dir=/mnt/huge",
    "--huge-unlink",
    "--socket-mem 1024",
    "--socket-mem=512,512",
    "--socket-limit=0,0",
    "--legacy-mem",
    "--single-file-segments",
    "--iova-mode=va",
    "--base-virtaddr=0x200000000",
    "--log-level=lib.eal:debug",
    "--log-level 8",
    "--log-level=8 -d help",
    "--telemetry",
    "--no-telemetry",
    "--no-pci",
    "--no-shconf",
    "--no-hpet",
    "--vfio-intr=msix",
    "--vfio-vf-token=14d63f20-8445-11ea-8900-1f9ce7d5650d",
    "--match-allocations",
    "--create-uio-dev",
    "--force-max-simd-bitwidth=256",
};

START_TEST(the_rest_is_allowed)
{
	char why[LP_WHY_SIZE] = "";

	ck_assert_msg(lp_dpdk_eal_check(allowed[_i], why) == 0, "%s: %s",
	    allowed[_i], why);
	ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(what_is_refused_is_told_with_the_way_out)
{
	char why[LP_WHY_SIZE];

	ck_assert_int_eq(lp_dpdk_eal_check("-n 4 --vdev=net_x0", why), -EINVAL);
	ck_assert_str_eq(
	    why, "--vdev=net_x0: add-port --device names a device");
	ck_assert_int_eq(lp_dpdk_eal_check("--lcor 1", why), -EINVAL);
	ck_assert_str_eq(why, "--lcor: --cpu places the worker");
}
END_TEST

START_TEST(too_many_words_are_refused)
{
	char text[1024] = "", why[LP_WHY_SIZE] = "";
	int count;

	for (count = 0; lp_dpdk_eal_check(text, why) == 0; count++) {
		ck_assert_int_lt(count, 300);
		strcat(text, "-n ");
	}
	ck_assert_int_eq(count, 53);
	ck_assert_str_eq(why, "more than 52 words");
}
END_TEST

/* Starts it, and checks that it fails with those words, both times. */
static void
check_fails(const char *arguments, const char *words)
{
	char why[LP_WHY_SIZE] = "", again[LP_WHY_SIZE] = "";

	ck_assert_int_eq(
	    lp_dpdk_eal_start(arguments, BUFFERS, BUFFER_SIZE, why), -ENODEV);
	ck_assert_msg(strstr(why, words) != NULL, "no '%s' in: %s", words, why);
	ck_assert_ptr_nonnull(strstr(why, "then restart lp-dataplane"));
	/* Not even with arguments that would do. */
	ck_assert_int_eq(
	    lp_dpdk_eal_start("--no-huge -m 64", BUFFERS, BUFFER_SIZE, again),
	    -ENODEV);
	ck_assert_str_eq(again, why);
	ck_assert_str_eq(lp_dpdk_eal_cost(), "");
}

static const struct {
	const char *arguments;
	const char *words;
} failures[] = {
    {"--no-such-argument", "Invalid 'command line' arguments"},
    {"--no-huge --socket-mem", "Invalid 'command line' arguments"},
    {"--no-huge -m", "Invalid 'command line' arguments"},
    {"--no-huge --iova-mode=sideways", "--iova-mode"},
    {"--no-huge --base-virtaddr=x", "--base-virtaddr"},
    {"--in-memory --legacy-mem",
	"--legacy-mem is not compatible with --in-memory"},
    {"--in-memory --huge-unlink=never", "--huge-unlink=never"},
    {"--in-memory --no-huge --socket-mem=64", "--socket-mem"},
    {"--huge-dir=/nonexistent --socket-mem=1", "EAL: "},
    {"--in-memory -m 100000000", "EAL: "},
    {"-d /nonexistent.so", "/nonexistent.so"},
};

/* The process goes on: control has more to do than DPDK. */
START_TEST(wrong_arguments_give_a_reason_and_end_nothing)
{
	check_fails(failures[_i].arguments, failures[_i].words);
}
END_TEST

static const struct {
	uint32_t buffers;
	uint16_t mtu;
} pools[] = {
    {16384, 0}, {65536, 0}, {16384, 4000}, {16384, 9000}, {4096, 9600}};

/* No buffer lies across the border of two pages: each costs whole ones. */
START_TEST(plain_pages_are_enough_for_all_buffers)
{
	const struct lp_pool_config config = {
	    .buffer_count = pools[_i].buffers,
	    .mtu = pools[_i].mtu,
	    .arguments = "--no-huge",
	};
	struct lp_pool *pool = NULL;
	char why[LP_WHY_SIZE] = "";

	ck_assert_msg(
	    lp_port_dpdk_ops.pool_open(&pool, &config, why) == 0, "%s", why);
	ck_assert_uint_eq(lp_port_dpdk_ops.free_count(pool), pools[_i].buffers);
	lp_port_dpdk_ops.pool_close(pool);
}
END_TEST

static const char *const starts[] = {
    NULL,
    "",
    "--no-huge",
    "--no-huge -m 64",
    "--no-huge -m64",
    "--no-huge --iova-mode=va -n 2",
    "--no-huge --no-pci",
};

START_TEST(it_starts_with_and_without_hugepages)
{
	char why[LP_WHY_SIZE] = "";

	ck_assert_msg(
	    lp_dpdk_eal_start(starts[_i], BUFFERS, BUFFER_SIZE, why) == 0, "%s",
	    why);
	/* Once and for all: what is said later does not count. */
	ck_assert_int_eq(
	    lp_dpdk_eal_start("--no-such", BUFFERS, BUFFER_SIZE, why), 0);
	if (starts[_i] != NULL && strstr(starts[_i], "--no-huge") != NULL)
		ck_assert_ptr_nonnull(
		    strstr(lp_dpdk_eal_cost(), "no hugepages (--no-huge)"));
}
END_TEST

START_TEST(it_starts_with_files_of_its_own)
{
	char why[LP_WHY_SIZE] = "";

	ck_assert_msg(
	    lp_dpdk_eal_start(with_prefix(), BUFFERS, BUFFER_SIZE, why) == 0,
	    "%s", why);
	remove_prefix();
}
END_TEST

START_TEST(the_thread_keeps_its_affinity_and_its_signals)
{
	cpu_set_t before, after, one;
	sigset_t mask, mask_after;
	char why[LP_WHY_SIZE] = "";

	ck_assert_int_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	/* Pinned: a part of what there is must stay a part. */
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
		if (CPU_ISSET(cpu, &before))
			CPU_SET(cpu, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);

	ck_assert_int_eq(
	    lp_dpdk_eal_start("--no-huge -m 64", BUFFERS, BUFFER_SIZE, why), 0);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(after), &after), 0);
	ck_assert(CPU_EQUAL(&one, &after));
	pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
	for (int i = 1; i < NSIG; i++)
		ck_assert_int_eq(
		    sigismember(&mask_after, i), sigismember(&mask, i));
}
END_TEST

static volatile sig_atomic_t signals;

static void
on_signal(int number)
{
	(void)number;
	if (gettid() == getpid())
		signals++;
}

/* Were DPDK's thread to take one, control would not wake. */
START_TEST(signals_come_to_the_thread_that_started_it)
{
	const struct sigaction action = {.sa_handler = on_signal};
	char why[LP_WHY_SIZE] = "";

	ck_assert_int_eq(
	    lp_dpdk_eal_start("--no-huge -m 64", BUFFERS, BUFFER_SIZE, why), 0);
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(signals, 100);
}
END_TEST

/* Another process that has EAL, for as long as the pipe is open. */
static pid_t
start_holder(const char *arguments, int *hold)
{
	char why[LP_WHY_SIZE] = "", byte;
	int up[2], down[2];
	pid_t child;

	ck_assert_int_eq(pipe(up), 0);
	ck_assert_int_eq(pipe(down), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(down[1]);
		if (lp_dpdk_eal_start(arguments, BUFFERS, BUFFER_SIZE, why) !=
		    0)
			_exit(1);
		(void)!write(up[1], "", 1);
		(void)!read(down[0], &byte, 1);
		_exit(0);
	}
	close(down[0]);
	close(up[1]);
	ck_assert_int_eq(read(up[0], &byte, 1), 1);
	close(up[0]);
	*hold = down[1];
	return child;
}

static void
end_holder(pid_t child, int hold)
{
	int status;

	close(hold);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

START_TEST(a_file_prefix_that_another_process_has_is_told)
{
	const char *arguments = with_prefix();
	pid_t child;
	int hold;

	child = start_holder(arguments, &hold);
	check_fails(arguments, "Is another primary process running?");
	end_holder(child, hold);
	remove_prefix();
}
END_TEST

START_TEST(without_a_prefix_processes_do_not_disturb_each_other)
{
	char why[LP_WHY_SIZE] = "";
	pid_t child;
	int hold;

	child = start_holder(NULL, &hold);
	ck_assert_msg(
	    lp_dpdk_eal_start(NULL, BUFFERS, BUFFER_SIZE, why) == 0, "%s", why);
	end_holder(child, hold);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, what_is_not_for_operators_to_say_is_refused,
	    0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(tcase, the_rest_is_allowed, 0,
	    sizeof(allowed) / sizeof(allowed[0]));
	tcase_add_test(tcase, what_is_refused_is_told_with_the_way_out);
	tcase_add_test(tcase, too_many_words_are_refused);
	tcase_add_loop_test(tcase,
	    wrong_arguments_give_a_reason_and_end_nothing, 0,
	    sizeof(failures) / sizeof(failures[0]));
	tcase_add_loop_test(tcase, it_starts_with_and_without_hugepages, 0,
	    sizeof(starts) / sizeof(starts[0]));
	tcase_add_loop_test(tcase, plain_pages_are_enough_for_all_buffers, 0,
	    sizeof(pools) / sizeof(pools[0]));
	tcase_add_test(tcase, it_starts_with_files_of_its_own);
	tcase_add_test(tcase, the_thread_keeps_its_affinity_and_its_signals);
	tcase_add_test(tcase, signals_come_to_the_thread_that_started_it);
	tcase_add_test(tcase, a_file_prefix_that_another_process_has_is_told);
	tcase_add_test(
	    tcase, without_a_prefix_processes_do_not_disturb_each_other);
}

int
main(void)
{
	return dpdk_lab_main_bare("dpdk_eal", add);
}
