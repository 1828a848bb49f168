/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dataplane process in a directory of its own, and a controller that speaks
 * to it over the real socket.  What does not work fails the test.
 */
#ifndef LP_TESTS_DATAPLANE_CONTROLLER_H
#define LP_TESTS_DATAPLANE_CONTROLLER_H

#include <sys/types.h>

#include "proto/message.h"
#include "tests/dataplane/cold.h"

struct dataplane {
	pid_t keeper;
	char directory[PATH_MAX];
	char socket[PATH_MAX];
	char snapshot[PATH_MAX];
	char log[PATH_MAX];
	/* Before it is started: where it listens for other machines, too. */
	const char *listen, *tls; /* NULL: nowhere */
};

/* Starts it; extra: one more argument, or NULL. */
void dataplane_start(struct dataplane *dataplane, const char *extra);
/* Starts it again in the same directory, after dataplane_stop(). */
void dataplane_restart(struct dataplane *dataplane, const char *extra);
/* SIGTERM; asserts that it ends with 0. */
void dataplane_stop(struct dataplane *dataplane);
/* Waits for its end by itself; returns its exit status. */
int dataplane_wait(struct dataplane *dataplane);
/* The process id of the packet process, or 0. */
pid_t dataplane_child(const struct dataplane *dataplane);
/* Removes the directory. */
void dataplane_clean(struct dataplane *dataplane);
/* True once the log has that text. */
bool dataplane_logged(const struct dataplane *dataplane, const char *text);
void dataplane_wait_log(const struct dataplane *dataplane, const char *text);

struct controller {
	int fd;
	size_t len;
	uint8_t in[2 * LP_FRAME_SIZE_MAX];
	Lp__Pb__DataplaneMessage *last; /* freed by the next one */
};

/* Connects; *hello lives until the next message. */
void controller_open(struct controller *controller, const char *path);
void controller_close(struct controller *controller);

/* Bytes as they are. */
void controller_write(
    struct controller *controller, const void *data, size_t len);
void controller_send(struct controller *controller,
    Lp__Pb__DataplaneMessage__BodyCase kind, void *body);

/* The next message that is no BEAT; it must be of that kind. */
const Lp__Pb__DataplaneMessage *controller_expect(
    struct controller *controller, Lp__Pb__DataplaneMessage__BodyCase kind);
/* Asserts that nothing but HELLO and BEAT comes, and the connection ends. */
void controller_expect_end(struct controller *controller);
/* The next message, whatever it is; NULL at the end. */
const Lp__Pb__DataplaneMessage *controller_next(struct controller *controller);

void controller_welcome(struct controller *controller, uint64_t epoch);
void controller_welcome_as(
    struct controller *controller, uint64_t epoch, const char *name);
void controller_begin(struct controller *controller, uint64_t epoch,
    uint64_t generation, uint64_t base, uint32_t count, uint64_t digest);
void controller_object(
    struct controller *controller, const struct lp_object *object, bool gone);
void controller_end(struct controller *controller, uint64_t generation);

/* BEGIN, all objects, END of a full generation. */
void controller_push(struct controller *controller, uint64_t epoch,
    uint64_t generation, const struct lp_config *config);
/* The same, and APPLIED is expected. */
void controller_apply(struct controller *controller, uint64_t epoch,
    uint64_t generation, const struct lp_config *config);
/* Expects REJECTED with that code; returns it. */
const Lp__Pb__Rejected *controller_expect_rejected(
    struct controller *controller, Lp__Pb__Rejected__Code code);
/* Waits for a BEAT and returns it. */
const Lp__Pb__Beat *controller_beat(struct controller *controller);

#endif
