/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a configuration is to somebody who reads the manual: a few arrays, and
 * what each command does to them.  Knows nothing of how lp-controld does it.
 */
#ifndef LP_TESTS_CONTROLD_CRASH_MODEL_H
#define LP_TESTS_CONTROLD_CRASH_MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum {
	MODEL_CLUSTERS = 3,
	MODEL_BROKERS = 4, /* of each cluster: node ids from 1 */
	MODEL_RULES = 5,
	MODEL_COMMANDS_MAX = 4, /* of a transaction */
};

struct model {
	bool port;
	bool clusters[MODEL_CLUSTERS];
	uint8_t brokers[MODEL_CLUSTERS][MODEL_BROKERS]; /* address; 0: none */
	uint8_t listeners[MODEL_CLUSTERS]; /* one each; of its VIP, or 0 */
	uint8_t rules[MODEL_RULES]; /* priority; 0: none */
};

/*
 * One transaction, drawn by *random: what make_transaction() takes is written
 * to text, and what it makes of *model to *next.  False: it is to be refused.
 */
bool model_draw(struct model *next, const struct model *model, uint64_t *random,
    char text[1024]);

/* The lines of daemon_show(); the caller's to free. */
char *model_show(const struct model *model);

#endif
