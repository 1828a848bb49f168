/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What names of hosts resolve to, asked of the host's resolver by threads of
 * their own: nobody here waits.  Not by libevent's evdns, which does not read
 * nsswitch.conf and so may find other addresses than lpctl did.
 *
 * A name that is asked for is looked up again while it is, every
 * LP_NAMES_AGAIN_MS; meanwhile, and when it fails, what was known is told.
 * Bounded: the table drops the name that was not asked for the longest.
 */
#ifndef LP_CONTROLD_NAMES_H
#define LP_CONTROLD_NAMES_H

#include <event2/event.h>

#include "proto/address.h"
#include "proto/limits.h"

enum {
	LP_NAMES_MAX = 2 * LP_BROKERS_MAX,
	LP_NAMES_ADDRESSES_MAX = 8, /* of one name; others are not told */
	LP_NAMES_THREADS = 4,
	LP_NAMES_AGAIN_MS = 30000,
};

/* What one look-up has found; a name without addresses has a reason. */
struct lp_names_answer {
	struct lp_ip ips[LP_NAMES_ADDRESSES_MAX];
	unsigned count;
	char why[LP_WHY_SIZE];
};

struct lp_names_options {
	struct event_base *base;
	unsigned again_ms; /* LP_NAMES_AGAIN_MS */
	/* Blocks; called by the threads.  lp_names_resolve. */
	void (*resolve)(const char *host, struct lp_names_answer *answer);
	/* Something has another answer than before, or its first. */
	void (*changed)(void *arg);
	void *arg;
};

struct lp_names;

/* -ENOMEM, -errno.  Threads start with the first name. */
int lp_names_new(struct lp_names **out, const struct lp_names_options *options);
/* NULL is accepted.  A look-up under way is not waited for. */
void lp_names_free(struct lp_names *names);

/*
 * Asks for a name; an address stands for itself.  NULL: it is not known yet,
 * and changed() will be called.  The answer is good until the next call.
 */
const struct lp_names_answer *lp_names_get(
    struct lp_names *names, const char *host, uint64_t now_ms);

/* getaddrinfo() */
void lp_names_resolve(const char *host, struct lp_names_answer *answer);

#endif
