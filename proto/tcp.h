/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and options of the TCP connections that our daemons have. */
#ifndef LP_PROTO_TCP_H
#define LP_PROTO_TCP_H

#include <sys/socket.h>

#include "proto/address.h"
#include "proto/limits.h"

/* The kernel's form of an endpoint, IPv4 or IPv6; returns its length. */
socklen_t lp_tcp_address(
    struct sockaddr_storage *address, const struct lp_endpoint *endpoint);

/* The other way; of another family: no address, port 0. */
void lp_tcp_endpoint(
    struct lp_endpoint *endpoint, const struct sockaddr *address);

/*
 * Of a connection to a peer that may go without a word: the kernel notices
 * within two minutes.  And nothing waits to be sent with what comes later.
 */
void lp_tcp_keep_alive(int fd);

/* Who has one IPv6 address has all of a /64. */
bool lp_tcp_same_site(const struct lp_ip *a, const struct lp_ip *b);

/*
 * Binds and listens, not blocking.  The descriptor, or -errno and one line in
 * why that names the endpoint.
 */
int lp_tcp_listen(const struct lp_endpoint *endpoint, char why[LP_WHY_SIZE]);

#endif
