/* SPDX-License-Identifier: Apache-2.0 */
/* Objects from text, for tests: what does not parse ends the program. */
#ifndef LP_TESTS_PROTO_OBJECTS_H
#define LP_TESTS_PROTO_OBJECTS_H

#include "proto/config.h"

/* addresses: "10.9.0.10/24 2001:db8::1/64"; gateways may be NULL. */
struct lp_object make_port(uint32_t id, const char *name, unsigned side,
    const char *addresses, const char *gateway_v4, const char *gateway_v6);
struct lp_object make_cluster(uint32_t id, const char *name);
struct lp_object make_broker(
    uint32_t id, uint32_t cluster_id, int32_t node_id, const char *endpoint);
struct lp_object make_listener(
    uint32_t id, uint32_t cluster_id, const char *name, const char *vip);
/* The same without a VIP, and a port that is one of a pair. */
struct lp_object make_inline(
    uint32_t id, uint32_t cluster_id, const char *name);
struct lp_object make_peer(uint32_t id, const char *name, const char *peer);
struct lp_object make_endpoint(
    uint32_t id, uint32_t listener_id, uint32_t broker_id, const char *vip);

/* Texts as they are, canonical or not. */
struct lp_object make_rule(uint32_t id, const char *name, uint32_t priority,
    const char *match, const char *action);

/* Asserts that there was room. */
void put(struct lp_config *config, struct lp_object object);

/* A right configuration with all kinds of objects, both families. */
void make_config(struct lp_config *config);

/* The check passes; or finds that of that object first: "object: field: why".
 */
void config_is_right(const struct lp_config *config);
void config_is_wrong(
    const struct lp_config *config, uint32_t id, const char *message);

/* The ids of make_config(). */
enum {
	FRONT = 1, /* port, client side, 10.9.0.10/24, 2001:db8:9::10/64 */
	BACK = 2, /* port, broker side, 10.8.0.10/24, gateway 10.8.0.1 */
	PAYMENTS = 3, /* cluster, IPv4 */
	ORDERS = 4, /* cluster, IPv6 */
	PAYMENTS_0 = 5, /* broker 10.8.0.20:9092 */
	PAYMENTS_1 = 6, /* broker 10.7.0.21:9092, beyond the gateway */
	ORDERS_1 = 7, /* broker [2001:db8:8::21]:9092 */
	PAYMENTS_PUBLIC = 8, /* listener 10.9.0.100:9092 */
	ORDERS_PUBLIC = 9, /* listener [2001:db8:9::100]:9092 */
	PAYMENTS_PUBLIC_0 = 10, /* endpoints: VIP:(9100 + node id) */
	PAYMENTS_PUBLIC_1 = 11,
	ORDERS_PUBLIC_1 = 12,
	NEXT_ID = 13,
};

#endif
