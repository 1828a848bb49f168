/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which requests a limit leaves alone: those that others wait for, and those
 * without which nothing begins.
 */
#include "proto/rule.h"

static const char group[] = "a member that is late loses its place, and all "
			    "of its group wait";
static const char coordinator[] = "it goes where the heartbeats of its group "
				  "go, which would wait behind it";
static const char begin[] = "a connection begins with it";

const char *
lp_rule_limit_fault(int64_t api)
{
	switch (api) {
	case 11: /* JoinGroup */
	case 12: /* Heartbeat */
	case 13: /* LeaveGroup */
	case 14: /* SyncGroup */
	case 68: /* ConsumerGroupHeartbeat */
	case 76: /* ShareGroupHeartbeat */
	case 88: /* StreamsGroupHeartbeat */
		return group;
	case 8: /* OffsetCommit */
	case 9: /* OffsetFetch */
	case 10: /* FindCoordinator */
	case 28: /* TxnOffsetCommit */
		return coordinator;
	case 17: /* SaslHandshake */
	case 18: /* ApiVersions */
	case 36: /* SaslAuthenticate */
		return begin;
	default:
		return NULL;
	}
}

bool
lp_rule_limit_is_by_answer(int64_t api)
{
	return api == 1 /* Fetch */ || api == 78 /* ShareFetch */;
}
