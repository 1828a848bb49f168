/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: who may ask, and frames in and out.
 *
 * Whoever the file system lets connect may ask: root, our own user and the
 * group of the socket.  From other machines, over TLS, whoever has a
 * certificate of our CA; what he may ask is looked up by his role, and not
 * here.  Requests are handed on whole; a client that sends what is no request,
 * half a frame for too long, or does not read its answers is closed.  Where
 * all of them leave more unread than there is room for, the one that leaves
 * the most is.  Those near and those far have places of their own.
 */
#ifndef LP_CONTROLD_SERVE_H
#define LP_CONTROLD_SERVE_H

#include <event2/event.h>

#include "proto/message.h"
#include "proto/tls.h"

enum {
	LP_SERVE_CLIENTS_MAX = 64,
	LP_SERVE_WHY_SIZE = 512,
	/* Bytes that a client may leave unread: a whole configuration. */
	LP_SERVE_OUTPUT_MAX = 128 << 20,
	/* And all of them: two that read slowly do not hinder each other. */
	LP_SERVE_OUTPUTS_MAX = 2 * LP_SERVE_OUTPUT_MAX,
	LP_SERVE_FRAME_MS = 30000, /* from the first byte to the last */

	/* Over TLS; and those who are in the middle of the handshake. */
	LP_SERVE_REMOTE_MAX = 64,
	LP_SERVE_SHAKING_MAX = 16,
};

struct lp_serve;

/* Who asks; for the time of a call. */
struct lp_serve_peer {
	const char *who; /* "uid 0 (root), pid 7", "alice" */
	const char *from; /* "unix", "10.0.0.7:51234" */
	const char *role; /* "admin", ...; "": none is known */
	bool local; /* on this machine, and let in by the file system */
};

struct lp_serve_remote_options {
	struct lp_tls *tls; /* borrowed; NULL: the unix socket only */
	struct lp_endpoint address; /* port 0: any */
	unsigned handshake_ms;
	unsigned idle_ms; /* without a request, and nothing is owed */
	unsigned per_address; /* connections; an IPv6 /64 is one address */
	unsigned rate, burst; /* requests a second, of one client */
	unsigned handshakes; /* a second, of all */
};

/* All but tls and address, as they should be. */
extern const struct lp_serve_remote_options lp_serve_remote_usual;

struct lp_serve_options {
	struct event_base *base;
	const char *path;
	const char *group; /* NULL: stays our own */
	unsigned frame_ms; /* LP_SERVE_FRAME_MS */
	struct lp_serve_remote_options remote;
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

/* What has become of those over TLS. */
struct lp_serve_remote {
	struct lp_endpoint address;
	unsigned clients; /* now */
	uint64_t accepted;
	uint64_t refused; /* all of them; and of them: */
	uint64_t full; /* no room, in all or for the address */
	uint64_t late; /* no handshake in time */
	uint64_t idle; /* closed: asked nothing */
	uint64_t delayed; /* requests that came faster than the rate */
	uint64_t expires_ns; /* our certificate */
	char why[LP_TLS_WHY_SIZE]; /* the last reload failed; "" */
};

/* False: there is only the unix socket. */
bool lp_serve_remote(
    const struct lp_serve *serve, struct lp_serve_remote *status);

/* Closes who is far and whose certificate is not good any more. */
void lp_serve_recheck(struct lp_serve *serve);

#endif
