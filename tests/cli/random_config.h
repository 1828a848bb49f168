/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations at random, made as operators make them: one transaction after
 * another, of which lp-controld would refuse some.
 */
#ifndef LP_TESTS_CLI_RANDOM_CONFIG_H
#define LP_TESTS_CLI_RANDOM_CONFIG_H

#include "proto/config.h"

/* After so many transactions; the configuration passes its check. */
void random_config(struct lp_config *config, uint64_t *random, unsigned tries);

/* What its names of hosts stand for: lp_lpctl.resolve. */
int random_config_resolve(struct lp_ip *ip, const char *host, char *why);

#endif
