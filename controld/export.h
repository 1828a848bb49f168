/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Prometheus endpoint: GET /metrics over HTTP.
 *
 * Whoever can reach the address may read names and counters, nothing else:
 * there is no authentication, so it is on loopback unless the operator says
 * otherwise.  No client can make the daemon wait, or hold more of it than the
 * limits below.
 */
#ifndef LP_CONTROLD_EXPORT_H
#define LP_CONTROLD_EXPORT_H

#include <event2/event.h>

#include "proto/address.h"
#include "proto/limits.h"
#include "proto/message.h"

#define LP_EXPORT_DEFAULT "127.0.0.1:9464"

enum {
	/* Further ones wait in the kernel until one of these has ended. */
	LP_EXPORT_CONNECTIONS_MAX = 32,
	/* Scrapes that wait or are read; further ones are told to come later.
	 */
	LP_EXPORT_SCRAPES_MAX = 4,
	/* Bytes of a request's head; a body is never taken. */
	LP_EXPORT_HEAD_MAX = 8192,
	/* A client that neither sends nor reads anything for so long. */
	LP_EXPORT_IDLE_S = 5,
	/* The whole life of a connection, which has one request. */
	LP_EXPORT_LIFE_MS = 30000,
	/* The client's number of requests and replies: lpctl has others. */
	LP_EXPORT_CLIENT = 0,
};

struct lp_export;

struct lp_export_options {
	struct event_base *base;
	struct lp_endpoint address; /* port 0: any that is free */
	unsigned idle_s; /* LP_EXPORT_IDLE_S */
	unsigned life_ms; /* LP_EXPORT_LIFE_MS */
	unsigned collect_ms; /* LP_EXPORT_COLLECT_MS */
	size_t size_max; /* LP_EXPORT_COLLECT_SIZE_MAX */
	/* Takes ownership; the answers go to lp_export_reply(). */
	void (*ask)(void *arg, Lp__Pb__ControlRequest *request);
	/* Those answers are not waited for any more. */
	void (*cancel)(void *arg);
	void *arg;
};

/* 0, or -errno and one line in why that names the address. */
int lp_export_open(struct lp_export **out,
    const struct lp_export_options *options, char why[LP_WHY_SIZE]);
/* NULL is accepted. */
void lp_export_close(struct lp_export *export);

/* An answer for LP_EXPORT_CLIENT. */
void lp_export_reply(
    struct lp_export *export, const Lp__Pb__ControlReply *reply);

/* Where it listens, in host order. */
uint16_t lp_export_port(const struct lp_export *export);
/* Connections that are open; for tests. */
unsigned lp_export_count(const struct lp_export *export);

#endif
