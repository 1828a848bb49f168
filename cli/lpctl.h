/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the global options say, and the world around: passed to all commands.
 */
#ifndef LP_CLI_LPCTL_H
#define LP_CLI_LPCTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/output.h"
#include "cli/place.h"
#include "proto/address.h"

enum {
	LP_TIMEOUT_S_DEFAULT = 10,
	/* lp-controld's own time to answer, added to the wait. */
	LP_ANSWER_S = 5,
};

/* Bytes of the command line that go into the history. */
enum { LP_COMMENT_SIZE = 4096 };

#define LP_SOCKET_DEFAULT "/run/lightpath/controld.sock"

struct lp_lpctl {
	const char *socket; /* where lp-controld is: its socket, or a place */
	const char *remote; /* HOST:PORT of another machine; NULL: this one */
	const char *tls; /* directory of our certificate; NULL: the usual */
	char place[LP_PLACE_SIZE]; /* of that machine */
	const struct lp_output *output;
	struct lp_print print; /* where and how the output goes */
	FILE *err;
	bool err_color; /* it is a terminal, and colours are wanted */
	uint32_t timeout_s; /* wait for dataplanes; 0: do not wait */
	const char *comment; /* the command line, for the history; or NULL */
	/* A host's address: 0, or -EINVAL and why; tests have their own. */
	int (*resolve)(struct lp_ip *ip, const char *host, char *why);
};

/* Until an answer must be complete. */
static inline uint32_t
lp_lpctl_answer_ms(const struct lp_lpctl *lpctl)
{
	return (lpctl->timeout_s + LP_ANSWER_S) * 1000;
}

#endif
