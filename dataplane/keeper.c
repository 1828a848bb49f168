/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle: spawn ▸ serve requests until SIGCHLD ▸ budget ▸ spawn ...
 *
 * If the keeper dies the kernel kills the packet process (PR_SET_PDEATHSIG in
 * privilege.c): it would run without anybody to hold its state.
 */
#include "dataplane/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "dataplane/clock.h"
#include "dataplane/restart.h"
#include "proto/log.h"

enum {
	/* A packet process that was asked to stop and does not is killed. */
	STOP_TIMEOUT_MS = 10000,
	NO_CHILD = 0,
	EXIT_EXEC_FAILED = 127,
};

struct keeper {
	const struct lp_keeper_config *config;
	char **argv; /* of the packet process; [1] is its end of the socket */
	struct lp_restart restart;
	int signals; /* signalfd */
	int socket; /* to the packet process, or -1 */
	pid_t child; /* or NO_CHILD */
	bool ready; /* this packet process forwards */
	bool was_ready; /* or one before it did */
	bool stopping;
	bool done;
	int status; /* to exit with, when done */
	uint64_t due_ms; /* to start (no child) or to kill (stopping) */
};

static int make_argv(struct keeper *keeper);
static int open_signals(struct keeper *keeper);
static void turn(struct keeper *keeper);
static int timeout_ms(const struct keeper *keeper);
static void on_due(struct keeper *keeper);
static void on_signal(struct keeper *keeper);
static void on_request(struct keeper *keeper);
static void on_death(struct keeper *keeper, int wait_status);
static void finish(struct keeper *keeper, int status);
static void spawn(struct keeper *keeper);
static void run_child(struct keeper *keeper, int socket, pid_t parent)
    __attribute__((noreturn));
static void describe(char *text, size_t size, int wait_status);
static uint64_t now_ms(void);

int
lp_keeper_run(const struct lp_keeper_config *config)
{
	struct keeper keeper = {.config = config, .signals = -1, .socket = -1};
	int error = open_signals(&keeper);

	if (!error)
		error = make_argv(&keeper);
	if (error) {
		lp_log_error("keeper: %s", strerror(-error));
		finish(&keeper, EXIT_FAILURE);
	} else {
		spawn(&keeper);
	}
	while (!keeper.done)
		turn(&keeper);
	if (keeper.socket >= 0)
		close(keeper.socket);
	if (keeper.signals >= 0)
		close(keeper.signals);
	free(keeper.argv);
	lp_keep_store_fini(config->store);
	return keeper.status;
}

/* TITLE --keeper-fd=N ARGUMENTS... */
static int
make_argv(struct keeper *keeper)
{
	const struct lp_keeper_config *config = keeper->config;

	keeper->argv = calloc((size_t)config->argc + 2, sizeof(*keeper->argv));
	if (!keeper->argv)
		return -ENOMEM;
	keeper->argv[0] = (char *)config->title;
	for (int i = 1; i < config->argc; i++)
		keeper->argv[i + 1] = config->argv[i];
	return 0;
}

static int
open_signals(struct keeper *keeper)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	keeper->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return keeper->signals < 0 ? -errno : 0;
}

static void
turn(struct keeper *keeper)
{
	/* poll() passes over a negative descriptor. */
	struct pollfd fds[2] = {
	    {.fd = keeper->signals, .events = POLLIN},
	    {.fd = keeper->socket, .events = POLLIN},
	};

	if (poll(fds, 2, timeout_ms(keeper)) < 0 && errno != EINTR) {
		lp_log_error("keeper: poll: %s", strerror(errno));
		finish(keeper, EXIT_FAILURE);
		return;
	}
	/* What it gave us to keep counts also if it has died since. */
	if (fds[1].revents)
		on_request(keeper);
	if (fds[0].revents)
		on_signal(keeper);
	if (!keeper->done && keeper->due_ms && now_ms() >= keeper->due_ms)
		on_due(keeper);
}

static int
timeout_ms(const struct keeper *keeper)
{
	uint64_t now = now_ms();

	if (!keeper->due_ms)
		return -1;
	return keeper->due_ms > now ? (int)(keeper->due_ms - now) : 0;
}

static void
on_due(struct keeper *keeper)
{
	keeper->due_ms = 0;
	if (keeper->stopping) {
		lp_log_warn("keeper: packet process %d did not stop in %d s: "
			    "killed",
		    keeper->child, STOP_TIMEOUT_MS / 1000);
		kill(keeper->child, SIGKILL);
		return;
	}
	spawn(keeper);
}

static void
on_signal(struct keeper *keeper)
{
	struct signalfd_siginfo info;
	int status;

	if (read(keeper->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD) {
		if (keeper->child != NO_CHILD &&
		    waitpid(keeper->child, &status, WNOHANG) == keeper->child)
			on_death(keeper, status);
		return;
	}
	if (info.ssi_signo == SIGHUP) {
		/* To read its certificates anew; at its start it does. */
		if (keeper->child != NO_CHILD)
			kill(keeper->child, SIGHUP);
		return;
	}
	if (keeper->stopping)
		return;
	keeper->stopping = true;
	if (keeper->child == NO_CHILD) {
		finish(keeper, EXIT_SUCCESS);
		return;
	}
	kill(keeper->child, SIGTERM);
	keeper->due_ms = now_ms() + STOP_TIMEOUT_MS;
}

static void
on_request(struct keeper *keeper)
{
	bool ready = false;
	int error =
	    lp_keep_store_serve(keeper->config->store, keeper->socket, &ready);

	if (error) {
		/* It is ending; how, SIGCHLD tells. */
		close(keeper->socket);
		keeper->socket = -1;
		return;
	}
	if (ready) {
		keeper->ready = true;
		keeper->was_ready = true;
		lp_log_info(
		    "keeper: packet process %d is ready", keeper->child);
	}
}

static void
on_death(struct keeper *keeper, int wait_status)
{
	char how[64];
	unsigned delay_ms;

	keeper->child = NO_CHILD;
	keeper->due_ms = 0;
	if (keeper->stopping) {
		finish(keeper, EXIT_SUCCESS);
		return;
	}
	if (!keeper->was_ready && WIFEXITED(wait_status) &&
	    WEXITSTATUS(wait_status) == EX_CONFIG) {
		/* It has said why; the next one would say the same. */
		finish(keeper, EX_CONFIG);
		return;
	}
	describe(how, sizeof(how), wait_status);
	if (!lp_restart_allow(&keeper->restart, now_ms(), &delay_ms)) {
		lp_log_error("keeper: packet process %s; it died more than %d "
			     "times in %d s: giving up",
		    how, LP_RESTART_MAX, LP_RESTART_WINDOW_MS / 1000);
		finish(keeper, EXIT_FAILURE);
		return;
	}
	lp_log_warn("keeper: packet process %s%s; starting it again in %u ms",
	    how, keeper->ready ? "" : " before it was ready", delay_ms);
	if (delay_ms == 0)
		spawn(keeper);
	else
		keeper->due_ms = now_ms() + delay_ms;
}

static void
finish(struct keeper *keeper, int status)
{
	keeper->done = true;
	keeper->status = status;
}

static void
spawn(struct keeper *keeper)
{
	pid_t parent = getpid();
	int pair[2];

	if (keeper->socket >= 0)
		close(keeper->socket);
	keeper->socket = -1;
	keeper->ready = false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		lp_log_error("keeper: socketpair: %s", strerror(errno));
		finish(keeper, EXIT_FAILURE);
		return;
	}
	keeper->child = fork();
	if (keeper->child == 0)
		run_child(keeper, pair[1], parent);
	close(pair[1]);
	keeper->socket = pair[0];
	if (keeper->child > 0)
		return;
	lp_log_error("keeper: fork: %s", strerror(errno));
	keeper->child = NO_CHILD;
	finish(keeper, EXIT_FAILURE);
}

/* In the new process. */
static void
run_child(struct keeper *keeper, int socket, pid_t parent)
{
	const char *program = keeper->config->program;
	char option[32];
	sigset_t none;
	/* Not close-on-exec: this one is for the new image. */
	int fd = dup(socket);

	snprintf(option, sizeof(option), "--keeper-fd=%d", fd);
	keeper->argv[1] = option;
	/* Until it can do something about it. */
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fd >= 0 && getppid() == parent)
		execv(program, keeper->argv);
	lp_log_error("keeper: %s: %s", program, strerror(errno));
	_exit(EXIT_EXEC_FAILED);
}

static void
describe(char *text, size_t size, int wait_status)
{
	if (WIFSIGNALED(wait_status))
		snprintf(text, size, "was killed by signal %d (%s)",
		    WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	else
		snprintf(text, size, "exited with status %d",
		    WEXITSTATUS(wait_status));
}

static uint64_t
now_ms(void)
{
	return lp_clock_ns() / 1000000;
}
