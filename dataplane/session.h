/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One controller that is connected.
 */
#ifndef LP_DATAPLANE_SESSION_H
#define LP_DATAPLANE_SESSION_H

#include <event2/event.h>

#include "dataplane/dataplane.h"

struct lp_session;

enum {
	/* Bytes that wait for a controller that does not read. */
	LP_SESSION_OUTPUT_MAX = 8 << 20,
};

/* Takes ownership of the socket, also when it fails.  Says HELLO. */
int lp_session_new(struct lp_session **session, struct event_base *base,
    struct lp_dataplane *dataplane, int socket);
/* Accepts NULL. */
void lp_session_free(struct lp_session *session);

/* Each second: BEAT, and a look whether it is still there. */
void lp_session_tick(struct lp_session *session);

/* Five times a second: topic ids, both ways. */
void lp_session_watch(struct lp_session *session);

/* We did not listen for a while: that was not its silence. */
void lp_session_excuse(struct lp_session *session);

/* It was welcomed, and is not over. */
bool lp_session_welcomed(const struct lp_session *session);

/* It is over: to be freed. */
bool lp_session_done(const struct lp_session *session);

#endif
