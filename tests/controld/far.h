/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket over TLS, and clients of it.  Their end is in the same
 * thread; the loop is given a turn each millisecond.
 */
#ifndef LP_TESTS_CONTROLD_FAR_H
#define LP_TESTS_CONTROLD_FAR_H

#include <openssl/ssl.h>

#include "controld/serve.h"
#include "proto/who.h"
#include "tests/support/pki.h"
#include "world.h"

enum { FARS_MAX = 100, LONG_MS = 600000 };

struct far {
	int fd; /* 0: nobody */
	SSL *ssl; /* NULL: its bytes are not TLS */
	bool shaken, closed;
	unsigned answers;
	uint8_t bytes[4096];
	size_t len;
};

extern struct far fars[FARS_MAX];

extern struct world far_world; /* its loop and directory */
extern struct pki *far_ca;
extern struct lp_tls *far_tls, *far_client_tls;
extern struct lp_serve *far_serve;
extern struct lp_serve_remote far_status; /* after each turn of the loop */
extern char far_dirs[2][128]; /* of the server, of the client */
extern char far_path[128]; /* of the unix socket */
extern bool far_silent; /* requests get no answer */
extern unsigned far_requests, far_gone;
extern struct far_last {
	char who[LP_WHO_SIZE], from[64], role[64];
	bool local;
} far_last; /* who has asked */

/* Nothing has a limit but what a test sets. */
struct lp_serve_remote_options far_no_limits(void);

/* NULL: without limits. */
void far_start(const struct lp_serve_remote_options *remote, unsigned frame_ms);
void far_stop(void);

/* TCP only; and then as far as the loop is run. */
struct far *far_connect(unsigned i);
/* From another address of this host: INADDR_LOOPBACK + 1, ... */
struct far *far_connect_from(unsigned i, uint32_t source);
void far_shake(struct far *far);
/* Through the handshake, so many. */
void far_let_in(unsigned count);

size_t far_request(uint8_t bytes[64]);
void far_ask(struct far *far);

/* Both our ends and the loop, until it is so. */
void far_run(bool (*done)(void *arg), void *arg);

/* arg: a far; or a number, of all. */
bool far_is_closed(void *arg);
bool far_is_in(void *arg);
bool far_has_answers(void *arg);
bool far_has_asked(void *arg);
bool far_none_is_left(void *arg);

#endif
