/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: who may ask, and frames in and out.
 *
 * Whoever the file system lets connect may ask: root, our own user and the
 * group of the socket.  Requests are handed on whole; a client that sends
 * what is no request, half a frame for too long, or does not read its
 * answers is closed.  Where all of them leave more unread than there is room
 * for, the one that leaves the most is.
 */
#ifndef LP_CONTROLD_SERVE_H
#define LP_CONTROLD_SERVE_H

#include <event2/event.h>

#include "proto/message.h"

enum {
	LP_SERVE_CLIENTS_MAX = 64,
	LP_SERVE_WHO_SIZE = 96,
	LP_SERVE_WHY_SIZE = 512,
	/* Bytes that a client may leave unread: a whole configuration. */
	LP_SERVE_OUTPUT_MAX = 128 << 20,
	/* And all of them: two that read slowly do not hinder each other. */
	LP_SERVE_OUTPUTS_MAX = 2 * LP_SERVE_OUTPUT_MAX,
	LP_SERVE_FRAME_MS = 30000, /* from the first byte to the last */
};

struct lp_serve;

/* Who asks; for the time of a call. */
struct lp_serve_peer {
	const char *who; /* "uid 0 (root), pid 7", "alice" */
	const char *from; /* "unix", "10.0.0.7:51234" */
	const char *role; /* "admin", ...; "": none is known */
	bool local; /* on this machine, and let in by the file system */
};

struct lp_serve_options {
	struct event_base *base;
	const char *path;
	const char *group; /* NULL: stays our own */
	unsigned frame_ms; /* LP_SERVE_FRAME_MS */
	/* Takes ownership of the request. */
	void (*request)(void *arg, uint64_t client,
	    const struct lp_serve_peer *peer, Lp__Pb__ControlRequest *request);
	/* Nobody waits for answers to this client any more. */
	void (*gone)(void *arg, uint64_t client);
	void *arg;
};

/*
 * Listens.  A socket left by a dead daemon is replaced; one where somebody
 * answers is not.  0, or -errno and why.
 */
int lp_serve_open(struct lp_serve **out, const struct lp_serve_options *options,
    char why[LP_SERVE_WHY_SIZE]);

/* Closes every client and removes the socket.  NULL is accepted. */
void lp_serve_close(struct lp_serve *serve);

/*
 * Answers a client; one that has gone is no error.  Does not call back:
 * a client closed for it is reaped later.
 */
void lp_serve_reply(
    struct lp_serve *serve, uint64_t client, const Lp__Pb__ControlReply *reply);

/* Bytes of answers that this client has not read yet; 0 if it has gone. */
size_t lp_serve_unread(const struct lp_serve *serve, uint64_t client);

/* Clients that were closed for what they, or all, left unread. */
uint64_t lp_serve_overflows(const struct lp_serve *serve);

unsigned lp_serve_count(const struct lp_serve *serve);

#endif
