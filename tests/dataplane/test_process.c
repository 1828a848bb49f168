/* SPDX-License-Identifier: Apache-2.0 */
/* Life and death of the two processes, as an operator sees them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "tests/dataplane/controller.h"

enum { EPOCH = 3 };

static struct dataplane dataplane;
static struct controller controller;
static struct lp_config config;

struct life {
	pid_t old;
};

static bool
child_is_new(void *arg)
{
	const struct life *life = arg;
	pid_t now = dataplane_child(&dataplane);

	return now != 0 && now != life->old;
}

static bool
child_is_dead(void *arg)
{
	const struct life *life = arg;

	return kill(life->old, 0) != 0 && errno == ESRCH;
}

static const Lp__Pb__Stats *
get_stats(void)
{
	Lp__Pb__StatsRequest request = LP__PB__STATS_REQUEST__INIT;

	request.cookie = 1;
	controller_send(&controller,
	    LP__PB__DATAPLANE_MESSAGE__BODY_STATS_REQUEST, &request);
	return controller_expect(
	    &controller, LP__PB__DATAPLANE_MESSAGE__BODY_STATS_REPLY)
	    ->stats_reply->stats;
}

START_TEST(killed_packet_process_goes_on)
{
	struct life life;
	const Lp__Pb__Hello *hello;
	uint64_t boot_id;

	cold_config(&config);
	dataplane_start(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	boot_id = controller_expect(
	    &controller, LP__PB__DATAPLANE_MESSAGE__BODY_HELLO)
		      ->hello->boot_id;
	controller_close(&controller);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	controller_apply(&controller, EPOCH, 1, &config);
	life.old = dataplane_child(&dataplane);
	ck_assert_int_ne(life.old, 0);
	kill(life.old, SIGKILL);
	controller_expect_end(&controller);
	controller_close(&controller);
	/* The socket is the keeper's: it takes connections all the time. */
	controller_open(&controller, dataplane.socket);
	hello = controller_expect(
	    &controller, LP__PB__DATAPLANE_MESSAGE__BODY_HELLO)
		    ->hello;
	ck_assert(child_is_new(&life));
	ck_assert_uint_eq(hello->boot_id, boot_id);
	ck_assert_uint_eq(hello->generation, 1);
	ck_assert_uint_eq(hello->digest, lp_config_digest(&config));
	controller_close(&controller);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	ck_assert_uint_eq(get_stats()->restarts, 1);
	ck_assert_uint_eq(get_stats()->n_ports, 2);
	ck_assert(get_stats()->ports[0]->up);
	controller_close(&controller);
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
	lp_config_fini(&config);
}
END_TEST

START_TEST(packet_process_dies_with_its_keeper)
{
	struct life life;
	int status;

	dataplane_start(&dataplane, NULL);
	life.old = dataplane_child(&dataplane);
	kill(dataplane.keeper, SIGKILL);
	waitpid(dataplane.keeper, &status, 0);
	cold_wait(child_is_dead, &life, "the end of the packet process");
	/* It left its socket; the next one takes its place. */
	ck_assert_int_eq(access(dataplane.socket, F_OK), 0);
	dataplane_restart(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	controller_beat(&controller);
	controller_close(&controller);
	dataplane_stop(&dataplane);
	ck_assert_int_ne(access(dataplane.socket, F_OK), 0);
	dataplane_clean(&dataplane);
}
END_TEST

START_TEST(socket_of_a_living_dataplane_is_left_alone)
{
	struct dataplane second;
	pid_t first;

	dataplane_start(&dataplane, NULL);
	first = dataplane.keeper;
	second = dataplane;
	/* Its log says "is ready" no more; wait for its end instead. */
	dataplane_restart(&second, "--cpu=0");
	ck_assert_int_ne(second.keeper, first);
	ck_assert_int_eq(dataplane_wait(&second), EX_CONFIG);
	ck_assert(dataplane_logged(&second, second.socket));
	ck_assert(
	    dataplane_logged(&second, "another daemon serves this socket"));
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	controller_beat(&controller);
	controller_close(&controller);
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
}
END_TEST

START_TEST(cpu_that_is_not_there_ends_it_with_a_message)
{
	cold_mkdir(dataplane.directory);
	cold_path(dataplane.socket, dataplane.directory, "socket");
	cold_path(dataplane.snapshot, dataplane.directory, "snapshot");
	cold_path(dataplane.log, dataplane.directory, "log");
	dataplane_restart(&dataplane, "--cpu=1023");
	ck_assert_int_eq(dataplane_wait(&dataplane), EX_CONFIG);
	ck_assert(dataplane_logged(&dataplane, "--cpu 1023"));
	dataplane_clean(&dataplane);
}
END_TEST

static void
expect_status(pid_t pid, const char *name, const char *expected)
{
	char path[64];
	char line[256];
	size_t len = strlen(name);
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			line[strcspn(line, "\n")] = '\0';
			ck_assert_str_eq(line + len + 2, expected);
			fclose(file);
			return;
		}
	ck_abort_msg("%s is not in %s", name, path);
}

START_TEST(privileges_are_dropped)
{
	/* CAP_NET_ADMIN 12, CAP_NET_RAW 13, CAP_IPC_LOCK 14, CAP_PERFMON 38,
	 * CAP_BPF 39. */
	static const char five[] = "000000c000007000";
	static const char none[] = "0000000000000000";
	pid_t child;

	dataplane_start(&dataplane, NULL);
	child = dataplane_child(&dataplane);
	expect_status(child, "NoNewPrivs", "1");
	expect_status(dataplane.keeper, "CapEff", none);
	if (geteuid() == 0) {
		expect_status(child, "CapEff", five);
		expect_status(child, "CapPrm", five);
		expect_status(child, "CapBnd", five);
		expect_status(dataplane.keeper, "CapPrm", five);
		expect_status(dataplane.keeper, "CapBnd", five);
	}
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
}
END_TEST

START_TEST(idle_dataplane_sleeps)
{
	const Lp__Pb__Stats *stats;
	uint64_t sleeps = 0;

	cold_config(&config);
	dataplane_start(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	controller_apply(&controller, EPOCH, 1, &config);
	do {
		stats = get_stats();
		for (size_t i = 0; i < stats->n_worker; i++)
			if (strcmp(stats->worker[i]->name, "sleeps") == 0)
				sleeps = stats->worker[i]->value;
	} while (sleeps == 0);
	controller_close(&controller);
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
	lp_config_fini(&config);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    killed_packet_process_goes_on,
	    packet_process_dies_with_its_keeper,
	    socket_of_a_living_dataplane_is_left_alone,
	    cpu_that_is_not_there_ends_it_with_a_message,
	    privileges_are_dropped,
	    idle_dataplane_sleeps,
	    NULL,
	};

	return cold_run("process", tests);
}
