/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes to and from lp-controld: over the socket of this machine, or over TLS.
 * For client.c.
 *
 * Nothing waits in here but by the waiter, which waits for events of poll()
 * on the descriptor and ends at the caller's deadline; looking up the name of
 * a host does, too.  Whatever fails returns an exit status, and *error.
 */
#ifndef LP_CLI_CLIENT_STREAM_H
#define LP_CLI_CLIENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/error.h"
#include "cli/place.h"

struct lp_client_stream_waiter {
	int (*wait)(void *arg, short events, struct lp_error *error);
	void *arg;
};

struct lp_client_stream {
	int fd; /* -1: closed */
	struct lp_client_tls *tls; /* NULL: the socket of this machine */
	const char *name; /* for messages: the path, or HOST:PORT */
	struct lp_place place;
};

/* The place is borrowed for as long as it is open; to be closed in any case. */
void lp_client_stream_init(struct lp_client_stream *stream, const char *place);
void lp_client_stream_close(struct lp_client_stream *stream);

/* patient: connect() may block for so long, in a full backlog; 0: not at all.
 */
int lp_client_stream_open(struct lp_client_stream *stream, uint32_t patient_ms,
    const struct lp_client_stream_waiter *waiter, struct lp_error *error);

/*
 * *done bytes, or none: then *events is what to wait for before it is tried
 * again; 0: there will be no more.  Who does not take what we send is found
 * out by reading, since he may have said why.
 */
int lp_client_stream_send(struct lp_client_stream *stream, const uint8_t *data,
    size_t len, size_t *done, short *events, struct lp_error *error);
int lp_client_stream_receive(struct lp_client_stream *stream, uint8_t *data,
    size_t size, size_t *done, short *events, struct lp_error *error);

/* Something was received that poll() does not tell of any more. */
bool lp_client_stream_pending(const struct lp_client_stream *stream);

/* "NAME: lost lp-controld: WHY; ...", unreachable. */
int lp_client_stream_lost(const struct lp_client_stream *stream,
    const char *why, struct lp_error *error);

#endif
