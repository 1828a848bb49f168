/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One controller that is connected.
 */
#ifndef LP_DATAPLANE_SESSION_H
#define LP_DATAPLANE_SESSION_H

#include <event2/bufferevent.h>

#include "dataplane/dataplane.h"

struct lp_session;

enum {
	/* Bytes that wait for a controller that does not read. */
	LP_SESSION_OUTPUT_MAX = 8 << 20,
	LP_SESSION_FROM_SIZE = 128,
};

/*
 * Takes ownership of the connection, also when it fails.  Says HELLO.  from:
 * who it is, on another machine; NULL: on this one.
 */
int lp_session_new(struct lp_session **session, struct event_base *base,
    struct lp_dataplane *dataplane, struct bufferevent *event,
    const char *from);
/* Accepts NULL. */
void lp_session_free(struct lp_session *session);

/* Each second: BEAT, and a look whether it is still there. */
void lp_session_tick(struct lp_session *session);

/* Five times a second: topic ids, both ways. */
void lp_session_watch(struct lp_session *session);

/* We did not listen for a while: that was not its silence. */
void lp_session_excuse(struct lp_session *session);

/* Ends it, for that reason. */
void lp_session_end(struct lp_session *session, const char *why);

/* Its connection, if it is of another machine; else NULL. */
struct bufferevent *lp_session_remote(const struct lp_session *session);

/* It was welcomed, and is not over. */
bool lp_session_welcomed(const struct lp_session *session);

/* It is over: to be freed. */
bool lp_session_done(const struct lp_session *session);

#endif
