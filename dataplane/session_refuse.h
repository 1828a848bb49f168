/* SPDX-License-Identifier: Apache-2.0 */
/* What a controller is refused: generations, or itself.  For session.c. */
#ifndef LP_DATAPLANE_SESSION_REFUSE_H
#define LP_DATAPLANE_SESSION_REFUSE_H

#include "dataplane/session_part.h"

/*
 * If there was an error: says why, and ends the session if the controller has
 * lost its place.
 */
void lp_session_refuse_generation(struct lp_session *session, int error,
    struct lp_refusal *refusal, uint64_t generation);

void lp_session_refuse_send(
    struct lp_session *session, const struct lp_refusal *refusal);

/*
 * Whether that epoch of WELCOME is over; if so, that is said, and the session
 * ends.
 */
bool lp_session_refuse_epoch(struct lp_session *session, uint64_t epoch);

/* Of host name and database; 0 if it has not said who it is. */
uint64_t lp_session_refuse_id(const struct lp_session *session);

#endif
