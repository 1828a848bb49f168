/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of lpctl and their answers: what lp-controld does, without its
 * sockets.  Owns the desired generation and the connections to dataplanes.
 */
#ifndef LP_CONTROLD_SESSION_H
#define LP_CONTROLD_SESSION_H

#include "controld/discover.h"
#include "controld/gather.h"
#include "controld/push.h"
#include "controld/serve.h"
#include "controld/store.h"
#include "controld/topic_seed.h"

struct lp_session;

struct lp_session_options {
	struct event_base *base;
	struct lp_store *store;
	const char *const *dataplanes; /* paths, and HOST:PORT of others */
	unsigned dataplane_count;
	struct lp_push_times times;
	struct lp_tls *tls; /* for dataplanes of other machines; or NULL */
	/* Of their names; NULL: lp_names_resolve. */
	void (*resolve)(const char *host, struct lp_names_answer *answer);
	unsigned query_ms; /* LP_QUERY_MS */
	/* For the names of topic ids. */
	bool ask_brokers;
	struct lp_topic_seed_times topic_times; /* lp_topic_seed_times */
	struct lp_discover_options discover; /* zero: as by default */
	struct lp_gather_limits gather; /* the same */
	unsigned backup_ms; /* LP_BACKUP_PATIENCE_MS; 0: that */
	/* Answers; may be called before a request has returned. */
	void (*reply)(
	    void *arg, uint64_t client, const Lp__Pb__ControlReply *reply);
	/* Bytes of answers that this client has not read; may be NULL. */
	size_t (*unread)(void *arg, uint64_t client);
	/* Of the control socket over TLS; NULL, or false: there is none. */
	bool (*remote)(void *arg, struct lp_serve_remote *status);
	void *arg;
};

/*
 * Takes ownership of what *current holds, and starts to connect.  -ENOMEM,
 * -ENAMETOOLONG (a path of a dataplane).
 */
int lp_session_new(struct lp_session **out,
    const struct lp_session_options *options, struct lp_generation *current);
void lp_session_free(struct lp_session *session);

/* One request of that peer; takes ownership of it. */
void lp_session_request(struct lp_session *session, uint64_t client,
    const struct lp_serve_peer *peer, Lp__Pb__ControlRequest *request);

/* Certificates were looked at: dataplanes, too, have some. */
void lp_session_recheck(struct lp_session *session);

/* This client waits for nothing any more. */
void lp_session_gone(struct lp_session *session, uint64_t client);

#endif
