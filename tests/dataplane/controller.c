/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/controller.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_up(void *arg);

void
dataplane_start(struct dataplane *dataplane, const char *extra)
{
	cold_mkdir(dataplane->directory);
	cold_path(dataplane->socket, dataplane->directory, "socket");
	cold_path(dataplane->snapshot, dataplane->directory, "snapshot");
	cold_path(dataplane->log, dataplane->directory, "log");
	dataplane_restart(dataplane, extra);
}

void
dataplane_restart(struct dataplane *dataplane, const char *extra)
{
	char *const argv[] = {"lp-dataplane", "--id", "test", "--socket",
	    dataplane->socket, "--snapshot", dataplane->snapshot,
	    "--connections", "1024", "--buffers", "4096", "--verbose",
	    dataplane->tls ? "--listen" : (char *)extra,
	    (char *)dataplane->listen, "--tls", (char *)dataplane->tls,
	    (char *)extra, NULL};
	int log = open(dataplane->log,
	    O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

	ck_assert_int_ge(log, 0);
	dataplane->keeper = fork();
	ck_assert_int_ge(dataplane->keeper, 0);
	if (dataplane->keeper == 0) {
		/* A test that fails is killed: nothing must stay behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(log, STDERR_FILENO);
		execv(LP_DATAPLANE_PATH, argv);
		_exit(127);
	}
	close(log);
	if (!extra || strncmp(extra, "--cpu=", 6) != 0)
		cold_wait(is_up, dataplane, "the dataplane's socket");
}

void
dataplane_stop(struct dataplane *dataplane)
{
	ck_assert_int_eq(kill(dataplane->keeper, SIGTERM), 0);
	ck_assert_int_eq(dataplane_wait(dataplane), 0);
}

int
dataplane_wait(struct dataplane *dataplane)
{
	int status;

	ck_assert_int_eq(
	    waitpid(dataplane->keeper, &status, 0), dataplane->keeper);
	ck_assert_msg(
	    WIFEXITED(status), "the keeper was killed by %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

pid_t
dataplane_child(const struct dataplane *dataplane)
{
	char path[64];
	char text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
	    dataplane->keeper, dataplane->keeper);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return atoi(text);
}

void
dataplane_clean(struct dataplane *dataplane)
{
	cold_rmdir(dataplane->directory);
}

bool
dataplane_logged(const struct dataplane *dataplane, const char *text)
{
	static char log[1 << 20];
	FILE *file = fopen(dataplane->log, "r");
	size_t len;

	ck_assert_ptr_nonnull(file);
	len = fread(log, 1, sizeof(log) - 1, file);
	log[len] = '\0';
	fclose(file);
	return strstr(log, text) != NULL;
}

struct search {
	const struct dataplane *dataplane;
	const char *text;
};

static bool
is_logged(void *arg)
{
	const struct search *search = arg;

	return dataplane_logged(search->dataplane, search->text);
}

void
dataplane_wait_log(const struct dataplane *dataplane, const char *text)
{
	struct search search = {dataplane, text};

	cold_wait(is_logged, &search, text);
}

static bool
is_up(void *arg)
{
	const struct dataplane *dataplane = arg;

	return dataplane_logged(dataplane, "is ready");
}

void
controller_open(struct controller *controller, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval timeout = {.tv_sec = COLD_DEADLINE_MS / 1000};

	memset(controller, 0, sizeof(*controller));
	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	controller->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(controller->fd, 0);
	ck_assert_int_eq(connect(controller->fd, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	setsockopt(
	    controller->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

void
controller_close(struct controller *controller)
{
	if (controller->last)
		lp__pb__dataplane_message__free_unpacked(
		    controller->last, NULL);
	close(controller->fd);
}

void
controller_write(struct controller *controller, const void *data, size_t len)
{
	/* A peer that has hung up is for controller_expect_end() to find. */
	while (len > 0) {
		ssize_t sent = send(controller->fd, data, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		data = (const uint8_t *)data + sent;
		len -= (size_t)sent;
	}
}

void
controller_send(struct controller *controller,
    Lp__Pb__DataplaneMessage__BodyCase kind, void *body)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	uint8_t *frame;
	size_t len;

	message.body_case = kind;
	message.hello = body; /* a union of pointers */
	ck_assert_int_eq(lp_message_frame(&frame, &len, &message.base), 0);
	controller_write(controller, frame, len);
	free(frame);
}

const Lp__Pb__DataplaneMessage *
controller_next(struct controller *controller)
{
	const uint8_t *payload;
	size_t len;

	if (controller->last)
		lp__pb__dataplane_message__free_unpacked(
		    controller->last, NULL);
	controller->last = NULL;
	while (lp_frame_next(controller->in, controller->len, &payload, &len) ==
	    LP_MORE) {
		ssize_t got =
		    recv(controller->fd, controller->in + controller->len,
			sizeof(controller->in) - controller->len, 0);

		ck_assert_msg(got >= 0 || errno == ECONNRESET,
		    "nothing came: %s", strerror(errno));
		if (got <= 0)
			return NULL;
		controller->len += (size_t)got;
	}
	controller->last = lp_message_unpack_dataplane(payload, len);
	ck_assert_ptr_nonnull(controller->last);
	len += LP_FRAME_HEADER_SIZE;
	controller->len -= len;
	memmove(controller->in, controller->in + len, controller->len);
	return controller->last;
}

/* It may come between any two others. */
static bool
is_unasked(const Lp__Pb__DataplaneMessage *message)
{
	return message->body_case == LP__PB__DATAPLANE_MESSAGE__BODY_BEAT ||
	    message->body_case ==
	    LP__PB__DATAPLANE_MESSAGE__BODY_TOPIC_IDS_LEARNT;
}

const Lp__Pb__DataplaneMessage *
controller_expect(
    struct controller *controller, Lp__Pb__DataplaneMessage__BodyCase kind)
{
	const Lp__Pb__DataplaneMessage *message;

	do
		message = controller_next(controller);
	while (message && message->body_case != kind && is_unasked(message));
	ck_assert_msg(message != NULL, "the connection ended");
	if (message->body_case == LP__PB__DATAPLANE_MESSAGE__BODY_REJECTED &&
	    kind != LP__PB__DATAPLANE_MESSAGE__BODY_REJECTED)
		ck_abort_msg("rejected: %s %s",
		    message->rejected->problems[0]->object,
		    message->rejected->problems[0]->text);
	ck_assert_int_eq(message->body_case, kind);
	return message;
}

void
controller_expect_end(struct controller *controller)
{
	const Lp__Pb__DataplaneMessage *message;

	do
		message = controller_next(controller);
	while (message &&
	    (is_unasked(message) ||
		message->body_case == LP__PB__DATAPLANE_MESSAGE__BODY_HELLO));
	ck_assert_ptr_null(message);
}

void
controller_welcome(struct controller *controller, uint64_t epoch)
{
	controller_welcome_as(controller, epoch, "test");
}

void
controller_welcome_as(
    struct controller *controller, uint64_t epoch, const char *name)
{
	Lp__Pb__Welcome welcome = LP__PB__WELCOME__INIT;

	controller_expect(controller, LP__PB__DATAPLANE_MESSAGE__BODY_HELLO);
	welcome.epoch = epoch;
	welcome.protocol = LP_DATAPLANE_PROTOCOL_MAX;
	welcome.sync = LP__PB__WELCOME__SYNC__REPLACE;
	welcome.controller = (char *)name;
	controller_send(
	    controller, LP__PB__DATAPLANE_MESSAGE__BODY_WELCOME, &welcome);
}

void
controller_begin(struct controller *controller, uint64_t epoch,
    uint64_t generation, uint64_t base, uint32_t count, uint64_t digest)
{
	Lp__Pb__Begin begin = LP__PB__BEGIN__INIT;

	begin.epoch = epoch;
	begin.generation = generation;
	begin.full = base == 0;
	begin.has_base_generation = base != 0;
	begin.base_generation = base;
	begin.object_count = count;
	begin.digest = digest;
	controller_send(
	    controller, LP__PB__DATAPLANE_MESSAGE__BODY_BEGIN, &begin);
}

void
controller_object(
    struct controller *controller, const struct lp_object *object, bool gone)
{
	Lp__Pb__ObjectFrame frame = LP__PB__OBJECT_FRAME__INIT;
	struct lp_message_object holder;

	frame.object = lp_message_from_object(&holder, object);
	frame.has_gone = gone;
	frame.gone = gone;
	controller_send(
	    controller, LP__PB__DATAPLANE_MESSAGE__BODY_OBJECT, &frame);
}

void
controller_end(struct controller *controller, uint64_t generation)
{
	Lp__Pb__End end = LP__PB__END__INIT;

	end.generation = generation;
	controller_send(controller, LP__PB__DATAPLANE_MESSAGE__BODY_END, &end);
}

void
controller_push(struct controller *controller, uint64_t epoch,
    uint64_t generation, const struct lp_config *config)
{
	controller_begin(controller, epoch, generation, 0,
	    (uint32_t)config->count, lp_config_digest(config));
	for (size_t i = 0; i < config->count; i++)
		controller_object(controller, &config->objects[i], false);
	controller_end(controller, generation);
}

void
controller_apply(struct controller *controller, uint64_t epoch,
    uint64_t generation, const struct lp_config *config)
{
	const Lp__Pb__DataplaneMessage *message;

	controller_push(controller, epoch, generation, config);
	message = controller_expect(
	    controller, LP__PB__DATAPLANE_MESSAGE__BODY_APPLIED);
	ck_assert_uint_eq(message->applied->generation, generation);
	ck_assert_uint_eq(message->applied->digest, lp_config_digest(config));
}

const Lp__Pb__Rejected *
controller_expect_rejected(
    struct controller *controller, Lp__Pb__Rejected__Code code)
{
	const Lp__Pb__Rejected *rejected = controller_expect(
	    controller, LP__PB__DATAPLANE_MESSAGE__BODY_REJECTED)
					       ->rejected;

	ck_assert_int_eq(rejected->code, code);
	ck_assert_uint_eq(rejected->n_problems, 1);
	return rejected;
}

const Lp__Pb__Beat *
controller_beat(struct controller *controller)
{
	return controller_expect(
	    controller, LP__PB__DATAPLANE_MESSAGE__BODY_BEAT)
	    ->beat;
}
