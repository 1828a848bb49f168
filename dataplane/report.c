/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/report.h"

#include <assert.h>

void
lp_report_begin(
    struct lp_report_cursor *cursor, const Lp__Pb__DataplaneMessage *question)
{
	switch (question->body_case) {
	case LP__PB__DATAPLANE_MESSAGE__BODY_CONNECTIONS_REQUEST:
		lp_report_connections_begin(cursor,
		    question->connections_request->cookie,
		    question->connections_request->limit);
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_KAFKA_STATS_REQUEST:
		lp_report_kafka_begin(cursor, question->kafka_stats_request);
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_DENIALS_REQUEST:
		lp_report_denials_begin(cursor, question->denials_request);
		break;
	default:
		assert(question->body_case ==
		    LP__PB__DATAPLANE_MESSAGE__BODY_RULE_STATS_REQUEST);
		lp_report_rules_begin(cursor, question->rule_stats_request);
	}
}

int
lp_report_next(struct evbuffer *out, const struct lp_dataplane *dataplane,
    struct lp_report_cursor *cursor, bool *more)
{
	if (cursor->list == LP_REPORT_CONNECTIONS)
		return lp_report_connections(out, dataplane, cursor, more);
	if (cursor->list == LP_REPORT_RULES)
		return lp_report_rules(out, dataplane, cursor, more);
	if (cursor->list == LP_REPORT_DENIALS)
		return lp_report_denials(out, dataplane, cursor, more);
	return lp_report_kafka(out, dataplane, cursor, more);
}
