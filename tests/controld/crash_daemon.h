/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real lp-controld, with two real dataplanes, one of them over TLS, killed
 * where the test wants it; and questions to it as lpctl asks them.
 */
#ifndef LP_TESTS_CONTROLD_CRASH_DAEMON_H
#define LP_TESTS_CONTROLD_CRASH_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

#include "cli/client.h"
#include "crash_points.h"

enum { DATAPLANES = 2 };

struct daemon {
	char dir[64];
	char socket[96];
	char address[32]; /* of the dataplane that is reached over TLS */
	pid_t pid; /* of lp-controld; 0: none */
	pid_t dataplanes[DATAPLANES];
	struct crash_points *points;
	const char *program, *preload;
};

/* What became of a question. */
enum outcome {
	ANSWERED, /* it was done */
	REFUSED, /* it was not; the text says why */
	DIED, /* no answer: it died, as it was to */
};

/*
 * argv: lp-controld, lp-dataplane, and crash_points.so; the dataplanes are
 * started.
 */
void daemon_init(struct daemon *daemon, char **argv);
void daemon_fini(struct daemon *daemon);

/*
 * Starts lp-controld, which dies in place of step `left` (0: it does not).
 * False: it has died.
 */
bool daemon_start(struct daemon *daemon, uint32_t left);
/* Ends it as an operator does. */
void daemon_stop(struct daemon *daemon);
/* It dies in place of that step from now on; 0: it lives on. */
void daemon_arm(struct daemon *daemon, uint32_t left);
/* It lives on from here; false: it has died already. */
bool daemon_spare(struct daemon *daemon);

/* Takes ownership of the request. */
enum outcome daemon_ask(struct daemon *daemon, struct lp_replies *replies,
    Lp__Pb__ControlRequest *request, Lp__Pb__ControlReply__BodyCase wanted,
    char why[LP_ERROR_SIZE]);

/*
 * Every object, a line each, in order; the caller's to free.  *number is the
 * generation, *max_id the highest id.
 */
char *daemon_show(struct daemon *daemon, uint64_t *number, uint32_t *max_id);

/* Whether a change waits to be confirmed, and which. */
bool daemon_waits(struct daemon *daemon, uint64_t *generation);
/* Until none does; false: it has died. */
bool daemon_wait_over(struct daemon *daemon);

/* Until both dataplanes run what it desires; ends the test after 20 s. */
void daemon_wait_applied(struct daemon *daemon);

#endif
