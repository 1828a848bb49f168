/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a cluster for its brokers, as a client of Kafka that a file describes
 * (poll_file.h).
 */
#ifndef LP_CONTROLD_POLL_ASK_H
#define LP_CONTROLD_POLL_ASK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "controld/poll_file.h"

enum {
	LP_POLL_ASK_MS = 10000, /* then it has failed */
	LP_POLL_ASK_BROKERS_MAX = 4096,
};

struct lp_poll_broker {
	int32_t node_id;
	uint32_t port;
	char host[LP_HOST_SIZE];
};

struct lp_poll_answer {
	struct lp_poll_broker *brokers;
	size_t count; /* 0: there is why */
	char why[LP_POLL_WHY_SIZE];
};

/*
 * Blocks: for LP_POLL_ASK_MS, or some seconds when *over becomes true.  The
 * client lives no longer, and what it was told by the file neither: so each
 * poll reads the file as it is, knows all of its servers, and sends each a
 * wrong password once.
 */
void lp_poll_ask(
    const char *path, const atomic_bool *over, struct lp_poll_answer *answer);
void lp_poll_ask_free(struct lp_poll_answer *answer);

#endif
