/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to lp-controld, and its whole answer.
 *
 * A connection is made for each question: nothing is remembered between two,
 * so a restarted daemon is noticed by nobody.
 */
#ifndef LP_CLI_CLIENT_H
#define LP_CLI_CLIENT_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/error.h"
#include "proto/lightpath.pb-c.h"

enum {
	/* Frames of one answer: eight million connections. */
	LP_CLIENT_REPLIES_MAX = 65536,
};

struct lp_replies {
	Lp__Pb__ControlReply **list;
	size_t count;
};

/* Where it is, as everywhere here: a path, or what cli/place.h makes. */

/*
 * Sends *request (protocol and cookie are filled in) and reads replies until
 * one has no `more`.  LP_EXIT_OK: at least one reply, all of the wanted kind.
 * Else the exit status and the reason: the text of a Failure, which is then
 * the last reply, or LP_EXIT_UNREACHABLE if there is no sensible answer
 * within timeout_ms.  The replies are the caller's to free either way.
 */
int lp_client_ask(struct lp_replies *replies, const char *path,
    uint32_t timeout_ms, Lp__Pb__ControlRequest *request,
    Lp__Pb__ControlReply__BodyCase wanted, struct lp_error *error);

/* What a waiter says instead of a number of descriptors. */
enum { LP_CLIENT_STOP = -2 };

/*
 * Waits in place of poll(), for who has other things to look after meanwhile:
 * returns as poll() does of that one descriptor, and may return 1 too early;
 * or LP_CLIENT_STOP, and the question is given up.
 */
struct lp_client_waiter {
	int (*wait)(void *arg, struct pollfd *pfd, int timeout_ms);
	void *arg;
};

/* The same, and nothing in it blocks but the waiter. */
int lp_client_ask_waiting(struct lp_replies *replies, const char *path,
    uint32_t timeout_ms, Lp__Pb__ControlRequest *request,
    Lp__Pb__ControlReply__BodyCase wanted,
    const struct lp_client_waiter *waiter, struct lp_error *error);

/*
 * A question whose answer lasts.  Opened, asked, and then read reply by reply;
 * statuses and errors as above.
 */
struct lp_client;

int lp_client_open(struct lp_client **client, const char *path,
    uint32_t timeout_ms, struct lp_error *error);
/* NULL is accepted. */
void lp_client_close(struct lp_client *client);

int lp_client_send(struct lp_client *client, Lp__Pb__ControlRequest *request,
    struct lp_error *error);

/*
 * The next reply, which is the caller's to free; *reply is NULL if none has
 * come within wait_ms (negative: for ever), or wake_fd (negative: none) is
 * readable.  A Failure is an error, and no reply.
 */
int lp_client_next(struct lp_client *client, Lp__Pb__ControlReply **reply,
    Lp__Pb__ControlReply__BodyCase wanted, int wait_ms, int wake_fd,
    struct lp_error *error);

/* The Failure that an answer ends with, or NULL. */
const Lp__Pb__Failure *lp_client_failure(const struct lp_replies *replies);

/* Its text alone; never NULL. */
const char *lp_client_failure_text(const Lp__Pb__Failure *failure);

void lp_client_replies_free(struct lp_replies *replies);

#endif
