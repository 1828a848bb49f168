/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be changed of the brokers, by what their clusters say of them.
 *
 *	discover on	unknown brokers are added; discovered ones are moved
 *			where the cluster says they are, and retired when no
 *			list has named them for a while, but for the last one
 *			and for those that the operator gave an endpoint
 *	all clusters	a broker whose host is a name moves to the address
 *			that the name has now
 *
 * The operator's brokers are moved with their name only.
 *
 * Pure but for the look-up of names, which is given.
 */
#ifndef LP_CONTROLD_DISCOVER_PLAN_H
#define LP_CONTROLD_DISCOVER_PLAN_H

#include "controld/discover_table.h"
#include "controld/names.h"

/* Of one change; more are left to the next. */
enum { LP_DISCOVER_PLAN_MAX = 256 };

enum lp_discover_verb {
	LP_DISCOVER_ADD,
	LP_DISCOVER_MOVE, /* a discovered one */
	LP_DISCOVER_FOLLOW, /* the name of its host */
	LP_DISCOVER_RETIRE,
};

struct lp_discover_step {
	enum lp_discover_verb verb;
	uint32_t cluster_id;
	int32_t node_id;
	bool discovered; /* stays as it is */
	char host[LP_HOST_SIZE];
	struct lp_endpoint real; /* not of RETIRE */
};

struct lp_discover_plan {
	struct lp_discover_table *table;
	const struct lp_config *config;
	uint64_t now_ms;
	uint64_t absent_ms; /* not listed for so long: retired */
	uint64_t again_ms; /* a name that has no address is tried again */
	const struct lp_names_answer *(*look_up)(void *arg, const char *host);
	void *arg;
};

/*
 * An address that the dataplane answers for: a broker that is said to be there
 * advertises Lightpath by its own configuration.
 */
bool lp_discover_plan_is_ours(
    const struct lp_config *config, const struct lp_ip *ip);

/* Returns how many steps there are: at most LP_DISCOVER_PLAN_MAX. */
size_t lp_discover_plan_make(
    const struct lp_discover_plan *plan, struct lp_discover_step *steps);

#endif
