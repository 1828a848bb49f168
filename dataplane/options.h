/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lp-dataplane is started with.
 */
#ifndef LP_DATAPLANE_OPTIONS_H
#define LP_DATAPLANE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/address.h"
#include "proto/limits.h"

enum {
	LP_OPTIONS_NO_CPU = -1, /* the worker runs where the kernel likes */
	LP_OPTIONS_NO_KEEPER = -1, /* this process is the keeper */
	LP_OPTIONS_SPIN_US_DEFAULT = 50,
	LP_OPTIONS_SPIN_US_MAX = 1000000,
};

struct lp_options {
	char id[LP_NAME_SIZE];
	/* Strings of argv, borrowed for ever. */
	const char *socket_path;
	const char *snapshot_path;
	struct lp_endpoint listen; /* for other machines; port 0: not */
	const char *tls; /* where the certificates for that are */
	const char *group; /* NULL: the socket stays the owner's group's */
	uint32_t alone_limit_s; /* without any lp-controld; 0: for ever */
	uint32_t connections;
	uint32_t buffers;
	uint16_t mtu; /* that packet buffers of DPDK hold; 0: the default */
	const char *dpdk; /* arguments of EAL; NULL: none */
	bool dpdk_privileged; /* keep what some of its devices need */
	uint32_t spin_us; /* without a packet, before it sleeps */
	bool spin; /* never sleep */
	bool verbose;
	int cpu;
	int keeper_fd; /* of the packet process: its way to the keeper */
};

/* Exits by itself, with EX_USAGE, if the command line is wrong. */
void lp_options_parse(struct lp_options *options, int argc, char **argv);

#endif
