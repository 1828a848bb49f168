/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper with a packet process that does as it is told: this program
 * itself, started with what to do as its second argument.
 */
#include "dataplane/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "tests/dataplane/cold.h"

/* ---- the packet process ----------------------------------------------- */

static int
child_count(struct lp_keep *keep)
{
	char text[16] = "";
	int fd = lp_keep_get(keep, "count");
	int count;

	if (fd < 0)
		return -1;
	count = pread(fd, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 0;
	snprintf(text, sizeof(text), "%d", count + 1);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		count = -1;
	close(fd);
	return count;
}

/* The file "count" says which start this is. */
static int
child_main(int keeper_fd, const char *what)
{
	struct lp_keep *keep;
	int count;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (lp_keep_new(&keep, keeper_fd) != 0)
		return 3;
	count = child_count(keep);
	if (strcmp(what, "die") == 0)
		raise(SIGKILL);
	if (strcmp(what, "config") == 0)
		return EX_CONFIG;
	if (lp_keep_ready(keep) != 0)
		return 3;
	if (strcmp(what, "config-later") == 0 && count < 2)
		return EX_CONFIG;
	/* The first one leaves a descriptor, the second one takes it up. */
	if (strcmp(what, "inherit") == 0 && count == 0) {
		fd = lp_keep_get(keep, "count");
		lp_keep_put(keep, "heirloom", fd);
		raise(SIGSEGV);
	}
	if (strcmp(what, "inherit") == 0 && lp_keep_get(keep, "heirloom") < 0)
		return 3;
	for (;;)
		pause();
}

/* ---- the keeper, in a process of its own ------------------------------ */

struct keeper {
	pid_t pid;
	int count; /* a file: how often a packet process was started */
	char directory[PATH_MAX];
};

static void
start(struct keeper *keeper, const char *what)
{
	static struct lp_keep_store store;
	char *argv[] = {"keeper", (char *)what, NULL};
	const struct lp_keeper_config config = {
	    .program = "/proc/self/exe",
	    .title = "packets",
	    .argc = 2,
	    .argv = argv,
	    .store = &store,
	};
	char path[PATH_MAX];

	cold_mkdir(keeper->directory);
	cold_path(path, keeper->directory, "count");
	keeper->count = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(keeper->count, 0);
	keeper->pid = fork();
	ck_assert_int_ge(keeper->pid, 0);
	if (keeper->pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Check's handler ends the whole group: not what a keeper inherits. */
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	lp_keep_store_init(&store);
	lp_keep_store_put(&store, "count", keeper->count);
	_exit(lp_keeper_run(&config));
}

static int
wait_status(struct keeper *keeper)
{
	int status;

	ck_assert_int_eq(waitpid(keeper->pid, &status, 0), keeper->pid);
	ck_assert(WIFEXITED(status));
	cold_rmdir(keeper->directory);
	return WEXITSTATUS(status);
}

static int
starts(const struct keeper *keeper)
{
	char text[16] = "";

	return pread(keeper->count, text, sizeof(text) - 1, 0) > 0 ? atoi(text)
								   : 0;
}

static bool
started_once(void *arg)
{
	return starts(arg) >= 1;
}

static bool
started_twice(void *arg)
{
	return starts(arg) >= 2;
}

static bool
started_three_times(void *arg)
{
	return starts(arg) >= 3;
}

static bool
has_no_child(void *arg)
{
	const struct keeper *keeper = arg;
	char path[64];
	char text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", keeper->pid,
	    keeper->pid);
	file = fopen(path, "r");
	if (!file)
		return true;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return text[0] == '\0';
}

START_TEST(stop_is_passed_on)
{
	struct keeper keeper;

	start(&keeper, "live");
	cold_wait(started_once, &keeper, "a start");
	kill(keeper.pid, SIGTERM);
	ck_assert_int_eq(wait_status(&keeper), 0);
	ck_assert_int_eq(starts(&keeper), 1);
}
END_TEST

START_TEST(descriptors_outlive_the_packet_process)
{
	struct keeper keeper;

	start(&keeper, "inherit");
	cold_wait(started_twice, &keeper, "a second start");
	kill(keeper.pid, SIGTERM);
	ck_assert_int_eq(wait_status(&keeper), 0);
	ck_assert_int_eq(starts(&keeper), 2);
}
END_TEST

START_TEST(keeper_gives_up_beyond_the_budget)
{
	struct keeper keeper;

	start(&keeper, "die");
	ck_assert_int_eq(wait_status(&keeper), 1);
	/* The first start, and as many again as the budget allows. */
	ck_assert_int_eq(starts(&keeper), 11);
}
END_TEST

START_TEST(wrong_configuration_is_not_tried_again)
{
	struct keeper keeper;

	start(&keeper, "config");
	ck_assert_int_eq(wait_status(&keeper), EX_CONFIG);
	ck_assert_int_eq(starts(&keeper), 1);
}
END_TEST

START_TEST(configuration_that_was_right_once_is_tried_again)
{
	struct keeper keeper;

	start(&keeper, "config-later");
	cold_wait(started_three_times, &keeper, "a third start");
	kill(keeper.pid, SIGTERM);
	ck_assert_int_eq(wait_status(&keeper), 0);
}
END_TEST

START_TEST(stop_between_two_starts_ends_at_once)
{
	struct keeper keeper;

	start(&keeper, "die");
	cold_wait(started_three_times, &keeper, "three starts");
	cold_wait(has_no_child, &keeper, "the pause between two starts");
	kill(keeper.pid, SIGTERM);
	ck_assert_int_eq(wait_status(&keeper), 0);
}
END_TEST

/* ---- the store -------------------------------------------------------- */

struct request {
	int pair[2];
	struct lp_keep_store store;
};

static int
ask(struct request *request, const void *data, size_t len, int *fd)
{
	struct lp_keep_message answer;
	bool ready = false;

	ck_assert_int_eq(send(request->pair[0], data, len, 0), (ssize_t)len);
	ck_assert_int_eq(
	    lp_keep_store_serve(&request->store, request->pair[1], &ready), 0);
	ck_assert_int_eq(lp_keep_wire_recv(request->pair[0], &answer, fd), 0);
	return answer.result;
}

static void
request_init(struct request *request)
{
	lp_keep_store_init(&request->store);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, request->pair), 0);
}

static void
request_fini(struct request *request)
{
	lp_keep_store_fini(&request->store);
	close(request->pair[0]);
	close(request->pair[1]);
}

START_TEST(store_is_limited)
{
	struct request request;
	char name[LP_KEEP_NAME_SIZE];

	request_init(&request);
	for (int i = 0; i < LP_KEEP_MAX; i++) {
		snprintf(name, sizeof(name), "fd %d", i);
		ck_assert_int_eq(
		    lp_keep_store_put(&request.store, name, dup(0)), 0);
	}
	ck_assert_int_eq(
	    lp_keep_store_put(&request.store, "one more", dup(0)), -ENOSPC);
	/* In place of an older one there is room. */
	ck_assert_int_eq(lp_keep_store_put(&request.store, "fd 7", dup(0)), 0);
	request_fini(&request);
}
END_TEST

START_TEST(names_are_found_and_forgotten)
{
	struct request request;
	struct lp_keep_message get = {.op = LP_KEEP_GET, .name = "a"};
	struct lp_keep_message drop = {.op = LP_KEEP_DROP, .name = "a"};
	int fd;

	request_init(&request);
	ck_assert_int_eq(ask(&request, &get, sizeof(get), &fd), -ENOENT);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(lp_keep_store_put(&request.store, "a", dup(0)), 0);
	ck_assert_int_eq(ask(&request, &get, sizeof(get), &fd), 0);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(ask(&request, &drop, sizeof(drop), &fd), 0);
	ck_assert_int_eq(ask(&request, &drop, sizeof(drop), &fd), 0);
	ck_assert_int_eq(ask(&request, &get, sizeof(get), &fd), -ENOENT);
	request_fini(&request);
}
END_TEST

START_TEST(nonsense_is_no_request)
{
	struct request request;
	struct lp_keep_message get = {.op = 99, .name = "a"};
	bool ready = false;
	int fd;

	request_init(&request);
	ck_assert_int_eq(ask(&request, &get, sizeof(get), &fd), -EOPNOTSUPP);
	/* An empty name, and a descriptor that is missing. */
	get.op = LP_KEEP_GET;
	get.name[0] = '\0';
	ck_assert_int_eq(ask(&request, &get, sizeof(get), &fd), -ENOENT);
	get.op = LP_KEEP_PUT;
	get.name[0] = 'a';
	ck_assert_int_eq(ask(&request, &get, sizeof(get), &fd), -EINVAL);
	/* What is no message, or has no end to its name, is passed over. */
	ck_assert_int_eq(send(request.pair[0], "abc", 3, 0), 3);
	ck_assert_int_eq(
	    lp_keep_store_serve(&request.store, request.pair[1], &ready), 0);
	memset(get.name, 'x', sizeof(get.name));
	ck_assert_int_eq(
	    send(request.pair[0], &get, sizeof(get), 0), sizeof(get));
	ck_assert_int_eq(
	    lp_keep_store_serve(&request.store, request.pair[1], &ready), 0);
	ck_assert(!ready);
	/* And the end is the end. */
	shutdown(request.pair[0], SHUT_WR);
	ck_assert_int_eq(
	    lp_keep_store_serve(&request.store, request.pair[1], &ready),
	    -ECONNRESET);
	request_fini(&request);
}
END_TEST

int
main(int argc, char **argv)
{
	static const char option[] = "--keeper-fd=";
	const TTest *const tests[] = {
	    stop_is_passed_on,
	    descriptors_outlive_the_packet_process,
	    keeper_gives_up_beyond_the_budget,
	    wrong_configuration_is_not_tried_again,
	    configuration_that_was_right_once_is_tried_again,
	    stop_between_two_starts_ends_at_once,
	    store_is_limited,
	    names_are_found_and_forgotten,
	    nonsense_is_no_request,
	    NULL,
	};

	if (argc == 3 && strncmp(argv[1], option, strlen(option)) == 0)
		_exit(child_main(atoi(argv[1] + strlen(option)), argv[2]));
	return cold_run("keeper", tests);
}
