/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lp-controld is started with.
 */
#ifndef LP_CONTROLD_OPTIONS_H
#define LP_CONTROLD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "controld/push.h"
#include "proto/address.h"

/* Strings are of argv, borrowed for ever. */
struct lp_options {
	const char *database;
	const char *socket;
	const char *group;
	const char *dataplanes[LP_PUSH_DATAPLANES_MAX];
	unsigned dataplane_count;
	bool far; /* one of them is on another machine */
	struct lp_endpoint metrics;
	bool metrics_off, metrics_given;
	struct lp_endpoint listen; /* port 0: nowhere */
	const char *tls;
	const char *roles; /* NULL: as the certificates say */
	uint64_t epoch;
	bool ask_brokers;
	const char *clients;
	bool clients_given;
	unsigned poll_s;
	bool check;
	bool verbose;
};

/* Exits by itself, with EX_USAGE, if the command line is wrong. */
void lp_options_parse(struct lp_options *options, int argc, char **argv);

#endif
