/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of the control socket, near or far; and all of them.  For
 * serve.c and serve_tls.c.
 */
#ifndef LP_CONTROLD_SERVE_CLIENT_H
#define LP_CONTROLD_SERVE_CLIENT_H

#include <event2/bufferevent.h>

#include "controld/serve.h"
#include "proto/rate.h"
#include "proto/tls.h"
#include "proto/who.h"

enum {
	/* Those over TLS, and those who are not yet through the handshake. */
	LP_SERVE_CLIENT_FAR = LP_SERVE_REMOTE_MAX + LP_SERVE_SHAKING_MAX,
	LP_SERVE_CLIENT_ALL = LP_SERVE_CLIENTS_MAX + LP_SERVE_CLIENT_FAR,
};

struct lp_serve_client {
	struct lp_serve *serve;
	uint64_t number; /* 0: this place is free */
	struct bufferevent *bev;
	struct event *timer; /* runs while a frame is incomplete */
	bool doomed;
	char who[LP_WHO_SIZE];
	char from[LP_ENDPOINT_TEXT_SIZE];
	char role[LP_TLS_NAME_SIZE];

	/* Of those over TLS: */
	struct ssl_st *ssl; /* the bufferevent's; NULL: it is not */
	bool shaking; /* hands */
	bool paused; /* until the next request is due */
	uint32_t owed; /* answers */
	struct event *patience; /* for the handshake, then for a request */
	struct event *pause;
	struct lp_rate rate;
	struct lp_ip ip;
};

struct lp_serve {
	struct lp_serve_options options;
	char *path;
	struct evconnlistener *listener;
	struct event *reaper;
	struct lp_serve_tls *tls; /* NULL: no network */
	uint64_t last_number;
	uint64_t overflows;
	/* Near ones first; neither takes a place of the other. */
	struct lp_serve_client clients[LP_SERVE_CLIENT_ALL];
};

/*
 * In a free place; takes ownership of the bufferevent, even if it fails, and
 * calls back on the event of who is over TLS.  0 or -ENOMEM.
 */
int lp_serve_client_start(struct lp_serve *serve,
    struct lp_serve_client *client, struct bufferevent *bev);

/* It will be freed from the event loop; format NULL: there is nothing to say.
 */
void lp_serve_client_doom(struct lp_serve_client *client, const char *format,
    ...) __attribute__((format(printf, 2, 3)));

/* At once: only where nothing of it is on the stack. */
void lp_serve_client_clear(struct lp_serve_client *client);

/* An answer was queued; the last one to its request? */
void lp_serve_client_answered(struct lp_serve_client *client, bool last);

#endif
