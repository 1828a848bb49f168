/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a TCP connection; whatever goes wrong ends the process. */
#ifndef LP_BENCH_PEER_H
#define LP_BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

/* Nothing may take longer: a benchmark must end. */
enum { PEER_TIMEOUT_S = 10 };

/* To ADDRESS PORT, both as text; no Nagle. */
int peer_connect(const char *address, const char *port);

/* A socket that listens there, on all addresses. */
int peer_listen(const char *port);

/* The next client; no Nagle. */
int peer_accept(int listener);

/* CLOCK_MONOTONIC */
uint64_t peer_now_ns(void);

#endif
