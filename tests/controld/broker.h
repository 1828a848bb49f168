/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Kafka broker by hand, as far as lp-controld asks one, good or bad.  Written
 * from the protocol guide; shares no code with what it tests.
 */
#ifndef LP_TESTS_CONTROLD_BROKER_H
#define LP_TESTS_CONTROLD_BROKER_H

#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "proto/object.h"

/* Responses, whole frames; return their size.  Topic n is "topic-n", of the
 * UUID whose bytes are all n + 1. */
size_t broker_versions(
    uint8_t *out, int32_t correlation_id, int16_t min, int16_t max);
size_t broker_metadata(
    uint8_t *out, int32_t correlation_id, int16_t version, unsigned topics);

enum { BROKER_ANSWER_MAX = 65536 };

enum broker_mood {
	BROKER_GOOD,
	BROKER_OLD, /* Metadata up to version 9 */
	BROKER_CLOSES, /* at the first request */
	BROKER_SASL, /* closes when asked for topics */
	BROKER_TLS, /* answers with an alert */
	BROKER_HTTP,
	BROKER_HALF, /* closes in the middle of its answer */
	BROKER_LIES, /* a size that is not true */
	BROKER_HUGE,
	BROKER_OTHER, /* another correlation id */
	BROKER_REFUSES, /* an error code */
	BROKER_SILENT,
};

struct broker {
	struct event_base *base;
	struct evconnlistener *listener;
	struct lp_endpoint endpoint;
	enum broker_mood mood;
	unsigned topics;
	int16_t max; /* version of Metadata */
	unsigned connections, questions; /* so far; of topics */
	struct bufferevent *bevs[16];
	unsigned bev_count;
};

void broker_start(struct broker *broker, struct event_base *base);
void broker_stop(struct broker *broker);

#endif
