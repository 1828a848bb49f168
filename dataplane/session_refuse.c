/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/session_refuse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "dataplane/reply.h"
#include "proto/log.h"

static bool is_fenced(const struct lp_session *session, uint64_t epoch);

/* Says why; and ends the session if the controller has lost its place. */
void
lp_session_refuse_generation(struct lp_session *session, int error,
    struct lp_refusal *refusal, uint64_t generation)
{
	if (!error)
		return;
	if (error != -EINVAL) {
		*refusal = (struct lp_refusal){
		    .code = LP__PB__REJECTED__CODE__RESOURCE,
		    .generation = generation,
		    .field = "",
		};
		snprintf(
		    refusal->why, sizeof(refusal->why), "%s", strerror(-error));
		session->candidate.state = LP_CANDIDATE_REFUSED;
	}
	lp_session_refuse_send(session, refusal);
	if (refusal->out_of_place ||
	    refusal->code == LP__PB__REJECTED__CODE__FENCED)
		lp_session_close(session);
}

void
lp_session_refuse_send(
    struct lp_session *session, const struct lp_refusal *refusal)
{
	lp_log_warn("controller %s: generation %" PRIu64 " refused: %s%s%s%s%s",
	    session->controller, refusal->generation, refusal->object,
	    refusal->object[0] ? ": " : "", refusal->field,
	    refusal->field[0] ? ": " : "", refusal->why);
	lp_session_sent(session,
	    lp_reply_rejected(lp_session_output(session), refusal,
		session->dataplane->running.epoch_seen));
}

/*
 * A lower epoch is over.  An equal one is only the same lp-controld again: a
 * new database starts with epoch 1, too, and must not replace what an older
 * one has put here.
 */
static bool
is_fenced(const struct lp_session *session, uint64_t epoch)
{
	const struct lp_running *running = &session->dataplane->running;
	uint64_t id = lp_session_refuse_id(session);

	if (epoch != running->epoch_seen)
		return epoch < running->epoch_seen;
	return running->controller_seen != 0 && id != 0 &&
	    id != running->controller_seen;
}

/* Of host name and database; 0 if it has not said who it is. */
uint64_t
lp_session_refuse_id(const struct lp_session *session)
{
	if (session->anonymous)
		return 0;
	return XXH3_64bits(session->controller, strlen(session->controller));
}

bool
lp_session_refuse_epoch(struct lp_session *session, uint64_t epoch)
{
	uint64_t seen = session->dataplane->running.epoch_seen;
	struct lp_refusal refusal = {
	    .code = LP__PB__REJECTED__CODE__FENCED,
	    .field = "",
	};

	if (!is_fenced(session, epoch))
		return false;
	if (epoch < seen)
		snprintf(refusal.why, sizeof(refusal.why),
		    "epoch %" PRIu64 " is over: %" PRIu64 " was seen", epoch,
		    seen);
	else
		snprintf(refusal.why, sizeof(refusal.why),
		    "epoch %" PRIu64 " is that of another lp-controld", epoch);
	lp_session_refuse_send(session, &refusal);
	lp_session_close(session);
	return true;
}
