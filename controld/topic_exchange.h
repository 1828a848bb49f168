/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to one broker: connect, ApiVersions, Metadata, close.
 *
 * Ends in one call of done(), with what it was told, or with why not; the
 * exchange is then the caller's to free.
 */
#ifndef LP_CONTROLD_TOPIC_EXCHANGE_H
#define LP_CONTROLD_TOPIC_EXCHANGE_H

#include <event2/event.h>

#include "controld/topic_wire.h"

enum lp_topic_exchange_result {
	LP_TOPIC_EXCHANGE_DONE = 0,
	LP_TOPIC_EXCHANGE_FAILED, /* may go better the next time */
	LP_TOPIC_EXCHANGE_HOPELESS, /* TLS, SASL, too old, no Kafka */
};

struct lp_topic_exchange;

struct lp_topic_exchange_options {
	struct event_base *base;
	struct lp_endpoint broker;
	unsigned time_ms; /* for all of it */
	uint32_t size_max; /* bytes of an answer */
	/* The pairs have no cluster; LP_TOPIC_IDS_MAX of them at most. */
	void (*done)(void *arg, enum lp_topic_exchange_result result,
	    const char *why, const struct lp_topic_id_pair *pairs,
	    size_t count);
	void *arg;
};

/* Never calls back before it returns.  0 or -ENOMEM. */
int lp_topic_exchange_new(struct lp_topic_exchange **out,
    const struct lp_topic_exchange_options *options);
/* Accepts NULL.  Also before it has ended: then nobody is called. */
void lp_topic_exchange_free(struct lp_topic_exchange *exchange);

#endif
