/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings the desired generation to every dataplane, and keeps it there.
 *
 * One connection and one state machine (peer.c) for each path.  A dataplane
 * may come and go at any time; whoever comes is brought to what is desired
 * then.  Never blocks.
 */
#ifndef LP_CONTROLD_PUSH_H
#define LP_CONTROLD_PUSH_H

#include <event2/event.h>

#include "controld/generation.h"
#include "controld/names.h"
#include "proto/message.h"
#include "proto/tls.h"

enum {
	LP_PUSH_DATAPLANES_MAX = 16,
	LP_PUSH_ID_SIZE = 256, /* of a dataplane: default its host name */
	LP_PUSH_TEXT_SIZE = 512,
	LP_PUSH_BACKENDS_MAX = 8, /* that are shown */
};

enum lp_push_state {
	LP_PUSH_CONNECTING,
	LP_PUSH_SYNCHRONISING,
	LP_PUSH_APPLIED,
	LP_PUSH_REJECTED,
	LP_PUSH_FENCED,
	LP_PUSH_INCOMPATIBLE,
};

/* All of a time in milliseconds; lp_push_times has the real ones. */
struct lp_push_times {
	unsigned backoff_min, backoff_max; /* between two attempts */
	unsigned slow; /* of one that is fenced, incompatible, or rejects */
	unsigned hello; /* to say HELLO */
	unsigned answer; /* APPLIED or REJECTED after END */
	unsigned beat; /* between two of ours */
	unsigned silence; /* without a frame, when none is due */
};
extern const struct lp_push_times lp_push_times;

/* What is known of one dataplane. */
struct lp_push_dataplane {
	const char *path; /* of a socket; or HOST:PORT */
	char peer[LP_TLS_NAME_SIZE]; /* of its certificate; "": none */
	char id[LP_PUSH_ID_SIZE]; /* "" until it has said HELLO once */
	bool connected; /* it was welcomed, and the connection lives */
	bool expected; /* the connection lives, and HELLO is due */
	enum lp_push_state state;
	uint64_t since_ns; /* CLOCK_REALTIME */
	uint64_t generation; /* that it runs; 0: none, or not known */
	uint64_t digest;
	uint64_t rejected; /* the generation that it rejected last; or 0 */
	char object[LP_OBJECT_LABEL_SIZE]; /* of that rejection */
	char field[LP_NAME_SIZE];
	char text[LP_WHY_SIZE];
	char why[LP_PUSH_TEXT_SIZE]; /* last error, or "" */
	char version[LP_NAME_SIZE];
	char backends[LP_PUSH_BACKENDS_MAX][LP_NAME_SIZE]; /* "af_xdp" */
	unsigned backend_count;
	bool kafka_stats; /* LP_CAPABILITY_KAFKA_STATS */
	bool rule_stats; /* LP_CAPABILITY_RULE_STATS */
	bool denials; /* LP_CAPABILITY_DENIALS */
	bool topic_ids; /* LP_CAPABILITY_TOPIC_IDS */
	/* It has said so in HELLO. */
	bool can_trace, can_capture, can_inline, can_rewrite, can_rules;
	uint64_t boot_id;
	uint64_t build_ns, swap_ns; /* of the last APPLIED */
	char on_loss[LP_NAME_SIZE]; /* of lp-controld; "": it does not say */
	/* CLOCK_REALTIME: without any from then on, until we came, and closed
	 * from then on; 0: it was not. */
	uint64_t alone_ns, joined_ns, closed_ns;
};

struct lp_push_options {
	struct event_base *base;
	const char *const *paths; /* as lp_target_parse() takes them */
	unsigned path_count;
	uint64_t epoch;
	const char *controller; /* who we are, for WELCOME */
	struct lp_push_times times;
	struct lp_tls *tls; /* for other machines; NULL: there are none */
	/* lp_names_resolve; NULL: that */
	void (*resolve)(const char *host, struct lp_names_answer *answer);
	/* A dataplane has applied, rejected, come or gone. */
	void (*changed)(void *arg);
	/* An answer, of whatever was asked, of dataplane `index`; or what it
	 * has seen. */
	void (*answered)(
	    void *arg, unsigned index, const Lp__Pb__DataplaneMessage *message);
	void *arg;
};

struct lp_push;

/*
 * Starts to connect.  *desired is borrowed for ever: it is what every
 * dataplane shall run.  -ENOMEM, -ENAMETOOLONG, -EINVAL (no target).
 */
int lp_push_new(struct lp_push **out, const struct lp_push_options *options,
    const struct lp_generation *desired);

/* NULL is accepted.  No callback comes from it. */
void lp_push_free(struct lp_push *push);

/* Certificates were looked at: leaves those that are not good any more. */
void lp_push_recheck(struct lp_push *push);

/*
 * *desired is now another generation, after `from`: tells every dataplane,
 * and may call changed() before it returns.
 */
void lp_push_start(struct lp_push *push, const struct lp_generation *from);

unsigned lp_push_count(const struct lp_push *push);
const struct lp_push_dataplane *lp_push_dataplane(
    const struct lp_push *push, unsigned index);

/* "applied" */
const char *lp_push_state_name(enum lp_push_state state);

/* 0, or -ENOTCONN. */
int lp_push_ask_stats(struct lp_push *push, unsigned index, uint64_t cookie);
int lp_push_ask_connections(
    struct lp_push *push, unsigned index, uint64_t cookie, uint32_t limit);
/* The lists as in the request, which is borrowed for the call. */
int lp_push_ask_kafka(struct lp_push *push, unsigned index, uint64_t cookie,
    const Lp__Pb__KafkaCountersRequest *wanted);
int lp_push_ask_rules(struct lp_push *push, unsigned index,
    const Lp__Pb__RuleStatsRequest *request);
/* Anything else that it can do. */
int lp_push_ask(struct lp_push *push, unsigned index,
    const Lp__Pb__DataplaneMessage *message);

#endif
