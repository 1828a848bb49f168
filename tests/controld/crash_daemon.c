/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_daemon.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/message.h"
#include "tests/support/pki.h"
#include "transaction.h"
#include "world.h"

enum {
	WAIT_MS = 20000,
	TURN_MS = 5,
};

static pid_t
spawn(const struct daemon *daemon, bool counted, char *const *argv)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	/* A test that has failed does not end them. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (chdir(daemon->dir) != 0)
		_exit(127);
	if (counted) {
		setenv(CRASH_POINTS_FILE, "points", 1);
		setenv("LD_PRELOAD", daemon->preload, 1);
		/* The sanitizer would be first, or not at all. */
		setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 0);
	}
	if (freopen("log", "a", stderr) == NULL)
		_exit(127);
	execv(argv[0], argv);
	_exit(127);
}

static void
turn(unsigned *turns, const char *what)
{
	ck_assert_msg(++*turns < WAIT_MS / TURN_MS, "in vain: %s", what);
	poll(NULL, 0, TURN_MS); /* nothing else tells */
}

/* A port of this host that nobody has. */
static void
choose_address(struct daemon *daemon)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	snprintf(daemon->address, sizeof(daemon->address), "127.0.0.1:%u",
	    ntohs(address.sin_port));
}

static void
make_certificates(const struct daemon *daemon)
{
	const struct pki_wish wishes[] = {
	    {.name = "controld", .role = "controld"},
	    {.name = "dp1", .role = "dataplane", .hosts = "IP:127.0.0.1"},
	};
	struct pki *ca = pki_new("crash");
	char dir[96];

	for (unsigned i = 0; i < 2; i++) {
		snprintf(
		    dir, sizeof(dir), "%s/tls.%s", daemon->dir, wishes[i].name);
		ck_assert_int_eq(mkdir(dir, 0700), 0);
		pki_issue(ca, dir, &wishes[i]);
	}
	pki_free(ca);
}

/* The last one is of another machine, as it were. */
static void
start_dataplane(struct daemon *daemon, unsigned i, char *program)
{
	char socket[16], snapshot[24], id[16];
	bool far = i == DATAPLANES - 1;
	char *const argv[] = {program, "--socket", socket, "--snapshot",
	    snapshot, "--id", id, "--connections", "1024", "--buffers", "4096",
	    far ? "--listen" : NULL, daemon->address, "--tls", "tls.dp1", NULL};

	snprintf(socket, sizeof(socket), "dp%u.sock", i);
	snprintf(snapshot, sizeof(snapshot), "dp%u.snapshot", i);
	snprintf(id, sizeof(id), "dp%u", i);
	daemon->dataplanes[i] = spawn(daemon, false, argv);
}

void
daemon_init(struct daemon *daemon, char **argv)
{
	char path[96];
	int fd;

	*daemon = (struct daemon){.program = argv[0], .preload = argv[2]};
	snprintf(daemon->dir, sizeof(daemon->dir), "/tmp/lp-crash-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(daemon->dir));
	snprintf(
	    daemon->socket, sizeof(daemon->socket), "%s/c.sock", daemon->dir);
	snprintf(path, sizeof(path), "%s/points", daemon->dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, sizeof(struct crash_points)), 0);
	daemon->points = mmap(NULL, sizeof(struct crash_points),
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(daemon->points, MAP_FAILED);
	close(fd);
	choose_address(daemon);
	make_certificates(daemon);
	for (unsigned i = 0; i < DATAPLANES; i++)
		start_dataplane(daemon, i, argv[1]);
}

void
daemon_fini(struct daemon *daemon)
{
	if (daemon->pid != 0)
		daemon_stop(daemon);
	for (unsigned i = 0; i < DATAPLANES; i++)
		kill(daemon->dataplanes[i], SIGTERM);
	for (unsigned i = 0; i < DATAPLANES; i++) {
		int status;

		waitpid(daemon->dataplanes[i], &status, 0);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		    "a dataplane ended with %#x: see %s/log", status,
		    daemon->dir);
	}
	munmap(daemon->points, sizeof(struct crash_points));
	remove_dir(daemon->dir);
}

/* Whether lp-controld has ended, which it must have by the signal. */
static bool
is_dead(struct daemon *daemon)
{
	int status;

	if (waitpid(daemon->pid, &status, WNOHANG) != daemon->pid)
		return false;
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	    "lp-controld ended by itself (%#x): see %s/log", status,
	    daemon->dir);
	daemon->pid = 0;
	return true;
}

static enum outcome
ask_version(struct daemon *daemon)
{
	struct lp_replies replies;
	char why[LP_ERROR_SIZE];
	enum outcome outcome = daemon_ask(daemon, &replies,
	    make_request(LP__PB__CONTROL_REQUEST__BODY_VERSION),
	    LP__PB__CONTROL_REPLY__BODY_VERSION, why);

	if (outcome == ANSWERED)
		lp_client_replies_free(&replies);
	return outcome;
}

bool
daemon_start(struct daemon *daemon, uint32_t left)
{
	char *const argv[] = {(char *)daemon->program, "--database", "db",
	    "--socket", "c.sock", "--dataplane", "dp0.sock", "--dataplane",
	    daemon->address, "--tls", "tls.controld", "--metrics", "off",
	    "--no-kafka-requests", NULL};
	unsigned turns = 0;

	daemon_arm(daemon, left);
	/* Of the one before: it would be mistaken for the new one. */
	unlink(daemon->socket);
	daemon->pid = spawn(daemon, true, argv);
	for (;;) {
		if (access(daemon->socket, F_OK) == 0 &&
		    ask_version(daemon) == ANSWERED)
			return true;
		if (daemon->pid == 0 || is_dead(daemon))
			return false;
		turn(&turns, "an answer of lp-controld");
	}
}

bool
daemon_spare(struct daemon *daemon)
{
	daemon->points->left = 0;
	/* It may be at the very step: then it does not answer this. */
	return ask_version(daemon) == ANSWERED;
}

void
daemon_stop(struct daemon *daemon)
{
	int status;

	daemon_arm(daemon, 0);
	kill(daemon->pid, SIGTERM);
	ck_assert_int_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "lp-controld ended with %#x: see %s/log", status, daemon->dir);
	daemon->pid = 0;
}

void
daemon_arm(struct daemon *daemon, uint32_t left)
{
	daemon->points->name[0] = '\0';
	daemon->points->done = 0;
	daemon->points->left = left;
}

enum outcome
daemon_ask(struct daemon *daemon, struct lp_replies *replies,
    Lp__Pb__ControlRequest *request, Lp__Pb__ControlReply__BodyCase wanted,
    char why[LP_ERROR_SIZE])
{
	struct lp_error error = {0};
	int status = lp_client_ask(
	    replies, daemon->socket, WAIT_MS, request, wanted, &error);
	unsigned turns = 0;

	lp__pb__control_request__free_unpacked(request, NULL);
	snprintf(why, LP_ERROR_SIZE, "%s", error.text);
	if (status == LP_EXIT_OK)
		return ANSWERED;
	lp_client_replies_free(replies);
	if (status != LP_EXIT_UNREACHABLE)
		return REFUSED;
	/* It has gone, or is about to; or does not listen yet. */
	while (daemon->points->name[0] != '\0' && !is_dead(daemon))
		turn(&turns, "its end");
	return DIED;
}

static void
print_object(FILE *out, const struct lp_object *object)
{
	char ip[LP_ENDPOINT_TEXT_SIZE];

	switch (object->kind) {
	case LP_OBJECT_CLUSTER:
		fprintf(out, "cluster %s\n", object->cluster.name);
		break;
	case LP_OBJECT_BROKER:
		fprintf(out, "broker %d %s\n", object->broker.node_id,
		    lp_endpoint_format(ip, &object->broker.real));
		break;
	case LP_OBJECT_LISTENER:
		fprintf(out, "listener %s %s\n", object->listener.name,
		    lp_endpoint_format(ip, &object->listener.vip));
		break;
	case LP_OBJECT_ENDPOINT:
		fprintf(out, "endpoint %s\n",
		    lp_endpoint_format(ip, &object->endpoint.vip));
		break;
	case LP_OBJECT_RULE:
		fprintf(out, "rule %s %u %s\n", object->rule.name,
		    object->rule.priority, object->rule.action);
		break;
	default:
		fprintf(out, "port %s\n", object->port.name);
		break;
	}
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The model does not know the order of ids. */
static char *
sort_lines(char *text)
{
	char *lines[256], *rest = NULL, *sorted = NULL;
	size_t count = 0, size;
	FILE *out = open_memstream(&sorted, &size);

	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		ck_assert_uint_lt(count, sizeof(lines) / sizeof(lines[0]));
		lines[count++] = line;
	}
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s\n", lines[i]);
	fclose(out);
	return sorted;
}

char *
daemon_show(struct daemon *daemon, uint64_t *number, uint32_t *max_id)
{
	struct lp_replies replies;
	char why[LP_ERROR_SIZE], *text = NULL, *sorted;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_msg(daemon_ask(daemon, &replies,
			  make_request(LP__PB__CONTROL_REQUEST__BODY_SHOW),
			  LP__PB__CONTROL_REPLY__BODY_SHOW, why) == ANSWERED,
	    "show: %s", why);
	*max_id = 0;
	for (size_t i = 0; i < replies.count; i++) {
		const Lp__Pb__ShowReply *reply = replies.list[i]->show;

		*number = reply->generation;
		for (size_t j = 0; j < reply->n_objects; j++) {
			const char *field;
			struct lp_object object;

			ck_assert_msg(lp_message_to_object(&object,
					  reply->objects[j], &field, why) == 0,
			    "%s: %s", field, why);
			print_object(out, &object);
			if (object.id > *max_id)
				*max_id = object.id;
		}
	}
	fclose(out);
	lp_client_replies_free(&replies);
	sorted = sort_lines(text);
	free(text);
	return sorted;
}

/* False: it has died. */
static bool
ask_status(struct daemon *daemon, struct lp_replies *replies)
{
	char why[LP_ERROR_SIZE];

	return daemon_ask(daemon, replies,
		   make_request(LP__PB__CONTROL_REQUEST__BODY_STATUS),
		   LP__PB__CONTROL_REPLY__BODY_STATUS, why) == ANSWERED;
}

bool
daemon_waits(struct daemon *daemon, uint64_t *generation)
{
	const Lp__Pb__ConfirmStatus *confirm;
	struct lp_replies replies;

	ck_assert(ask_status(daemon, &replies));
	confirm = replies.list[0]->status->confirm;
	*generation = confirm != NULL ? confirm->generation : 0;
	lp_client_replies_free(&replies);
	return *generation != 0;
}

bool
daemon_wait_over(struct daemon *daemon)
{
	unsigned turns = 0;

	for (;;) {
		struct lp_replies replies;
		bool over;

		if (!ask_status(daemon, &replies))
			return false;
		over = replies.list[0]->status->confirm == NULL;
		lp_client_replies_free(&replies);
		if (over)
			return true;
		turn(&turns, "what was not confirmed is taken back");
	}
}

static bool
all_applied(struct daemon *daemon)
{
	const Lp__Pb__StatusReply *status;
	struct lp_replies replies;
	unsigned applied = 0;

	ck_assert(ask_status(daemon, &replies));
	status = replies.list[0]->status;
	for (size_t i = 0; i < status->n_dataplanes; i++)
		applied +=
		    strcmp(status->dataplanes[i]->state, "applied") == 0 &&
		    status->dataplanes[i]->generation == status->generation &&
		    status->dataplanes[i]->digest == status->digest;
	lp_client_replies_free(&replies);
	return applied == DATAPLANES;
}

void
daemon_wait_applied(struct daemon *daemon)
{
	unsigned turns = 0;

	while (!all_applied(daemon))
		turn(&turns, "both dataplanes run what is desired");
}
