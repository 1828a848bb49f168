/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a connection or request, in words: rule_explain.h,
 * lightpath-rules(7).
 */
#include <stdio.h>
#include <string.h>

#include "proto/apis.h"
#include "proto/rule_explain.h"

enum { CREATES_SAID_FROM = 4 }; /* versions of Metadata */

enum {
	METADATA = 3,
	JOIN_GROUP = 11,
	HEARTBEAT = 12,
	INIT_PRODUCER_ID = 22,
	GROUP_DENIED = 30,
	TRANSACTION_DENIED = 53,
};

static void sending(char *text, const struct lp_rule_action *action);
static void deny(char *text, const struct lp_rule_match *match,
    const struct lp_rule_subject *subject);
static void told(char *text, int16_t code, int64_t api);
static const char *edit_of(int64_t api);
static const char *number_of(int64_t api);
static bool is_of_version(const struct lp_rule_subject *subject);
static bool has(const struct lp_rule_subject *subject, unsigned field);
static const char *why_not(const struct lp_rule_subject *subject);
static void limit(char *text, const struct lp_rule_match *match,
    const struct lp_rule_subject *subject);
static void no_create(char *text, const struct lp_rule_subject *subject);

char *
lp_rule_effect(char text[LP_RULE_REASON_SIZE],
    const struct lp_rule_match *match, const struct lp_rule_action *action,
    const struct lp_rule_subject *subject)
{
	text[0] = '\0';
	if (!subject->is_request)
		sending(text, action);
	if (!subject->is_request || !(subject->has >> LP_RULE_API & 1))
		return text;
	if (action->verdict == LP_RULE_DENY)
		deny(text, match, subject);
	else if (action->verdict == LP_RULE_NO_CREATE)
		no_create(text, subject);
	else if (action->verdict == LP_RULE_LIMIT)
		limit(text, match, subject);
	else if (action->verdict == LP_RULE_RESET)
		snprintf(text, LP_RULE_REASON_SIZE,
		    "RST to both ends of its connection");
	return text;
}

/* Of a connection. */
static void
sending(char *text, const struct lp_rule_action *action)
{
	size_t len = 0;

	if (action->verdict == LP_RULE_ROUTE)
		len = (size_t)snprintf(text, LP_RULE_REASON_SIZE,
		    "at the bootstrap endpoint it goes to broker %d",
		    action->broker);
	if (action->has & LP_RULE_HAS_PRIORITY)
		snprintf(text + len, LP_RULE_REASON_SIZE - len,
		    "%sits packets have priority %u at a port that is full, "
		    "both ways",
		    len > 0 ? "; " : "", action->priority);
	len = strlen(text);
	if (action->has & LP_RULE_HAS_DSCP)
		snprintf(text + len, LP_RULE_REASON_SIZE - len,
		    "%sits packets have DSCP %u, both ways",
		    len > 0 ? "; " : "", action->dscp);
	len = strlen(text);
	if (action->has & LP_RULE_HAS_MIRROR)
		snprintf(text + len, LP_RULE_REASON_SIZE - len,
		    "%scopies of its packets leave by port %s",
		    len > 0 ? "; " : "", action->mirror);
}

const char *
lp_rule_undenied(
    const struct lp_rule_match *match, const struct lp_rule_subject *subject)
{
	int64_t api = subject->numbers[LP_RULE_API];
	const char *why = why_not(subject);

	if (why)
		return why;
	if (!is_of_version(subject))
		return "versions like this one are not";
	if (match && match->fields >> LP_RULE_TOPIC & 1 &&
	    lp_rule_deny_is_whole(api))
		return "its topics come behind what would be edited";
	return NULL;
}

static bool
has(const struct lp_rule_subject *subject, unsigned field)
{
	return subject->has >> field & 1;
}

static void
deny(char *text, const struct lp_rule_match *match,
    const struct lp_rule_subject *subject)
{
	int64_t api = subject->numbers[LP_RULE_API];
	const char *why = why_not(subject);

	if (why)
		snprintf(text, LP_RULE_REASON_SIZE, "none: %s", why);
	else if (!is_of_version(subject))
		snprintf(text, LP_RULE_REASON_SIZE,
		    "none: it is not denied in version %lld",
		    (long long)subject->numbers[LP_RULE_VERSION]);
	else
		told(text, lp_rule_deny_code(api, match->fields), api);
}

/* The bits are those of dataplane/kafka/deny.h. */
static void
told(char *text, int16_t code, int64_t api)
{
	const char *error = "TOPIC_AUTHORIZATION_FAILED";
	int bit = 30;

	if (code == GROUP_DENIED) {
		error = "GROUP_AUTHORIZATION_FAILED";
		bit = 28;
	} else if (code == TRANSACTION_DENIED) {
		error = "TRANSACTIONAL_ID_AUTHORIZATION_FAILED";
		bit = 27;
	}
	if (lp_rule_deny_is_by_index(api))
		snprintf(text, LP_RULE_REASON_SIZE,
		    "bit %d of its partition indexes is set; answered %s (%d)",
		    bit, error, code);
	else
		snprintf(text, LP_RULE_REASON_SIZE, "%s; answered %s (%d)",
		    edit_of(api), error, code);
}

static const char *
edit_of(int64_t api)
{
	if (lp_rule_deny_is_by_name(api))
		return "the last byte of its name becomes one that no name has";
	if (lp_rule_deny_is_by_answer(api))
		return "nothing but the answer is edited";
	return number_of(api);
}

/* Of requests that are denied as a whole; dataplane/kafka/deny_whole.c. */
static const char *
number_of(int64_t api)
{
	switch (api) {
	case JOIN_GROUP:
		return "session_timeout_ms becomes 0";
	case HEARTBEAT:
		return "generation_id becomes -2";
	case INIT_PRODUCER_ID:
		return "transaction_timeout_ms becomes 2147483647";
	default:
		return "member_epoch becomes -3";
	}
}

/* That can be denied; also one that is not said. */
static bool
is_of_version(const struct lp_rule_subject *subject)
{
	uint32_t versions =
	    lp_rule_deny_versions(subject->numbers[LP_RULE_API]);
	int64_t version = subject->numbers[LP_RULE_VERSION];

	return !has(subject, LP_RULE_VERSION) ||
	    (version >= 0 && version <= 31 && (versions >> version & 1) != 0);
}

/* NULL: it can be denied, if its version is one that can. */
static const char *
why_not(const struct lp_rule_subject *subject)
{
	int64_t api = subject->numbers[LP_RULE_API];

	if (lp_rule_deny_fault(api))
		return lp_rule_deny_fault(api);
	if (subject->numbers[LP_RULE_FROM] != LP_RULE_FROM_CLIENT)
		return "what brokers ask each other is not denied";
	if (lp_rule_deny_is_by_part(api) && !has(subject, LP_RULE_TOPIC))
		return "it names no topic";
	if (api == INIT_PRODUCER_ID && !has(subject, LP_RULE_TRANSACTIONAL_ID))
		return "it has no transactional id";
	return NULL;
}

static void
limit(char *text, const struct lp_rule_match *match,
    const struct lp_rule_subject *subject)
{
	if (match->fields >> LP_RULE_TOPIC & 1 &&
	    lp_rule_limit_is_by_answer(subject->numbers[LP_RULE_API]))
		snprintf(text, LP_RULE_REASON_SIZE,
		    "charged in its answer: the bytes of records of the topic, "
		    "and once that it has any; the whole answer may be charged "
		    "to a limit without topic=, too");
}

static void
no_create(char *text, const struct lp_rule_subject *subject)
{
	if (subject->numbers[LP_RULE_API] != METADATA)
		snprintf(text, LP_RULE_REASON_SIZE, "none: it is of Metadata");
	else if (has(subject, LP_RULE_VERSION) &&
	    subject->numbers[LP_RULE_VERSION] < CREATES_SAID_FROM)
		snprintf(text, LP_RULE_REASON_SIZE,
		    "none: versions below %d do not say whether topics are "
		    "created",
		    CREATES_SAID_FROM);
	else
		snprintf(text, LP_RULE_REASON_SIZE,
		    "allow_auto_topic_creation becomes 0");
}
