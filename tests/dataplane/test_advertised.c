/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the clients of a listener are told of its brokers.
 */
#include "dataplane/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "dataplane/region.h"
#include "tests/dataplane/cold.h"

static struct lp_config config;
static struct lp_region region;
static struct lp_open_ports ports;
static struct lp_snapshot *snapshot;

static void
begin(void)
{
	snapshot = NULL;
	cold_config(&config);
	ck_assert_int_eq(lp_region_open(&region, NULL, 64, 4096), 0);
	ports.id[0] = FRONT;
	ports.id[1] = BACK;
}

static void
build(void)
{
	lp_snapshot_free(snapshot);
	ck_assert_int_eq(
	    lp_snapshot_build(&snapshot, &config, &ports, &region, NULL), 0);
}

static void
end(void)
{
	lp_snapshot_free(snapshot);
	lp_region_close(&region);
	lp_config_fini(&config);
}

static struct lp_object
get(enum lp_object_kind kind, uint32_t id)
{
	return *lp_config_find(&config, kind, id);
}

static void
tells(uint32_t listener_id, int32_t node_id, const char *host, unsigned port,
    bool known)
{
	struct lp_advertised told;

	ck_assert(
	    lp_snapshot_advertised(snapshot, listener_id, node_id, &told));
	ck_assert_uint_eq(told.host_len, strlen(host));
	ck_assert_mem_eq(told.host, host, told.host_len);
	ck_assert_uint_eq(told.port, port);
	ck_assert(told.known == known);
}

START_TEST(brokers_are_at_their_endpoints)
{
	begin();
	build();
	tells(PAYMENTS_PUBLIC, 0, "10.9.0.100", 9100, true);
	tells(PAYMENTS_PUBLIC, 1, "10.9.0.100", 9101, true);
	/* A host in a message has no brackets. */
	tells(ORDERS_PUBLIC, 1, "2001:db8:9::100", 9101, true);
	ck_assert_uint_eq(
	    lp_snapshot_rewriting(snapshot, PAYMENTS_PUBLIC), LP_REWRITING_ON);
	end();
}
END_TEST

/* It is there as soon as the broker has been added. */
START_TEST(who_is_not_known_is_told_where_he_will_be)
{
	struct lp_object endpoint =
	    make_endpoint(NEXT_ID, ORDERS_PUBLIC, NEXT_ID + 1, "[::1]:1");

	begin();
	build();
	tells(PAYMENTS_PUBLIC, 2, "10.9.0.100", 9102, false);
	tells(PAYMENTS_PUBLIC, UINT16_MAX - 9100, "10.9.0.100", 65535, false);
	/* Of another cluster it is not known. */
	tells(ORDERS_PUBLIC, 0, "2001:db8:9::100", 9100, false);
	endpoint.endpoint.vip =
	    get(LP_OBJECT_LISTENER, ORDERS_PUBLIC).listener.vip;
	endpoint.endpoint.vip.port = 9100;
	put(&config,
	    make_broker(NEXT_ID + 1, ORDERS, 0, "[2001:db8:8::20]:9092"));
	put(&config, endpoint);
	build();
	tells(ORDERS_PUBLIC, 0, "2001:db8:9::100", 9100, true);
	end();
}
END_TEST

START_TEST(beyond_the_last_port_all_are_at_one_that_is_closed)
{
	begin();
	build();
	tells(PAYMENTS_PUBLIC, UINT16_MAX - 9099, "10.9.0.100", 1, false);
	tells(PAYMENTS_PUBLIC, INT32_MAX, "10.9.0.100", 1, false);
	/* A negative one is none: not even then is it somebody's port. */
	tells(PAYMENTS_PUBLIC, -9101, "10.9.0.100", 1, false);
	/* The lowest one that nothing has: of that VIP, not of any. */
	put(&config, make_listener(NEXT_ID, PAYMENTS, "one", "10.9.0.100:1"));
	put(&config,
	    make_listener(NEXT_ID + 1, PAYMENTS, "two", "10.9.0.101:2"));
	build();
	tells(PAYMENTS_PUBLIC, INT32_MAX, "10.9.0.100", 2, false);
	tells(NEXT_ID, INT32_MAX, "10.9.0.100", 2, false);
	tells(NEXT_ID + 1, INT32_MAX, "10.9.0.101", 1, false);
	end();
}
END_TEST

/* A client would take it for the broker: at the bootstrap for ever. */
START_TEST(where_somebody_is_nobody_else_is_told_to_be)
{
	struct lp_object listener;

	begin();
	listener = get(LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	listener.listener.broker_base = 9090;
	put(&config, listener);
	build();
	tells(PAYMENTS_PUBLIC, 3, "10.9.0.100", 9093, false);
	tells(PAYMENTS_PUBLIC, 2, "10.9.0.100", 1, false); /* bootstrap */
	tells(PAYMENTS_PUBLIC, 11, "10.9.0.100", 1, false); /* broker 1 */
	tells(PAYMENTS_PUBLIC, 1, "10.9.0.100", 9101, true);
	end();
}
END_TEST

START_TEST(a_name_stands_for_the_vip)
{
	struct lp_object listener;
	char name[LP_HOST_SIZE];

	begin();
	listener = get(LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	strcpy(listener.listener.advertise, "kafka.example.com");
	put(&config, listener);
	build();
	tells(PAYMENTS_PUBLIC, 1, "kafka.example.com", 9101, true);
	tells(PAYMENTS_PUBLIC, 7, "kafka.example.com", 9107, false);
	tells(PAYMENTS_PUBLIC, INT32_MAX, "kafka.example.com", 1, false);
	memset(name, 'a', sizeof(name));
	name[LP_HOST_SIZE - 1] = '\0';
	memcpy(listener.listener.advertise, name, sizeof(name));
	put(&config, listener);
	build();
	tells(PAYMENTS_PUBLIC, 1, name, 9101, true);
	end();
}
END_TEST

/* What names end in; who has a VIP of its own has none of them. */
START_TEST(a_pattern_stands_for_the_vip)
{
	struct lp_object listener, endpoint;
	struct lp_advertised told;

	begin();
	build();
	ck_assert(!lp_snapshot_has_pattern(snapshot, PAYMENTS_PUBLIC));
	ck_assert(lp_snapshot_advertised(snapshot, PAYMENTS_PUBLIC, 1, &told));
	ck_assert(!told.is_pattern);
	listener = get(LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	strcpy(listener.listener.advertise, "*.k.example.com");
	put(&config, listener);
	endpoint = get(LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_1);
	ck_assert_int_eq(
	    lp_endpoint_parse(&endpoint.endpoint.vip, "10.9.0.111:9092", NULL),
	    0);
	put(&config, endpoint);
	build();
	ck_assert(lp_snapshot_has_pattern(snapshot, PAYMENTS_PUBLIC));
	ck_assert(!lp_snapshot_has_pattern(snapshot, ORDERS_PUBLIC));
	ck_assert(!lp_snapshot_has_pattern(snapshot, UINT32_MAX));
	tells(PAYMENTS_PUBLIC, 0, ".k.example.com", 9100, true);
	tells(PAYMENTS_PUBLIC, 7, ".k.example.com", 9107, false);
	ck_assert(lp_snapshot_advertised(snapshot, PAYMENTS_PUBLIC, 7, &told));
	ck_assert(told.is_pattern);
	tells(PAYMENTS_PUBLIC, 1, "10.9.0.111", 9092, true);
	ck_assert(lp_snapshot_advertised(snapshot, PAYMENTS_PUBLIC, 1, &told));
	ck_assert(!told.is_pattern);
	end();
}
END_TEST

/* Names resolve to the VIP: they would lead astray. */
START_TEST(a_broker_with_a_vip_of_its_own_is_told_by_that)
{
	struct lp_object listener, endpoint;
	struct lp_ip ip;

	begin();
	listener = get(LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	strcpy(listener.listener.advertise, "kafka.example.com");
	put(&config, listener);
	endpoint = get(LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_1);
	ck_assert_int_eq(
	    lp_endpoint_parse(&endpoint.endpoint.vip, "10.9.0.111:9092", NULL),
	    0);
	put(&config, endpoint);
	build();
	tells(PAYMENTS_PUBLIC, 1, "10.9.0.111", 9092, true);
	tells(PAYMENTS_PUBLIC, 0, "kafka.example.com", 9100, true);
	ck_assert_int_eq(lp_ip_parse(&ip, "10.9.0.111", NULL), 0);
	/* Neither port is open, so nobody answers for it; but it is a service.
	 */
	ck_assert_ptr_nonnull(lp_snapshot_service(snapshot, &ip, 9092));
	ck_assert_ptr_null(lp_snapshot_service(snapshot, &ip, 9101));
	ck_assert_uint_eq(lp_snapshot_own(snapshot, &ip)->kind, LP_OWN_VIP);
	end();
}
END_TEST

START_TEST(listeners_rewrite_as_they_are_told)
{
	struct lp_advertised told;
	struct lp_object listener;

	begin();
	listener = get(LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	listener.listener.rewrite = LP_REWRITING_SHADOW;
	put(&config, listener);
	listener = get(LP_OBJECT_LISTENER, ORDERS_PUBLIC);
	listener.listener.rewrite = LP_REWRITING_OFF;
	put(&config, listener);
	put(&config, make_inline(NEXT_ID, ORDERS, "seen"));
	put(&config,
	    make_endpoint(
		NEXT_ID + 1, NEXT_ID, ORDERS_1, "[2001:db8:8::21]:9092"));
	build();
	ck_assert_uint_eq(lp_snapshot_rewriting(snapshot, PAYMENTS_PUBLIC),
	    LP_REWRITING_SHADOW);
	tells(PAYMENTS_PUBLIC, 1, "10.9.0.100", 9101, true);
	ck_assert_uint_eq(
	    lp_snapshot_rewriting(snapshot, ORDERS_PUBLIC), LP_REWRITING_OFF);
	ck_assert(!lp_snapshot_advertised(snapshot, ORDERS_PUBLIC, 1, &told));
	ck_assert_uint_eq(
	    lp_snapshot_rewriting(snapshot, NEXT_ID), LP_REWRITING_OFF);
	ck_assert(!lp_snapshot_advertised(snapshot, NEXT_ID, 1, &told));
	/* There is no such listener. */
	ck_assert_uint_eq(lp_snapshot_rewriting(snapshot, PAYMENTS), 0);
	ck_assert_uint_eq(lp_snapshot_rewriting(snapshot, UINT32_MAX), 0);
	ck_assert(!lp_snapshot_advertised(snapshot, PAYMENTS, 1, &told));
	end();
}
END_TEST

/* As many as there may be: each has its own answer. */
START_TEST(every_listener_and_node_is_found)
{
	enum { LISTENERS = 16, BROKERS = 200 };
	uint32_t id = NEXT_ID;

	begin();
	for (unsigned i = 0; i < BROKERS; i++) {
		struct lp_object broker = make_broker(id + i, ORDERS,
		    100 + (int32_t)i * 7, "[2001:db8:8::77]:9092");

		broker.broker.real.port = (uint16_t)(1000 + i);
		put(&config, broker);
	}
	for (unsigned i = 0; i < LISTENERS; i++) {
		struct lp_object listener = make_listener(
		    id + 10000 + i, ORDERS, "l", "[2001:db8:9::1]:9092");

		listener.listener.vip.ip.bytes[15] = (uint8_t)(i + 1);
		put(&config, listener);
		for (unsigned j = 0; j < BROKERS; j++) {
			struct lp_object endpoint =
			    make_endpoint(id + 20000 + i * BROKERS + j,
				id + 10000 + i, id + j, "[::1]:1");

			endpoint.endpoint.vip = listener.listener.vip;
			endpoint.endpoint.vip.port =
			    (uint16_t)(9100 + 100 + j * 7);
			put(&config, endpoint);
		}
	}
	build();
	for (unsigned i = 0; i < LISTENERS; i++) {
		char host[LP_IP_TEXT_SIZE];

		snprintf(host, sizeof(host), "2001:db8:9::%x", i + 1);
		for (unsigned j = 0; j < BROKERS; j++) {
			int32_t node = 100 + (int32_t)j * 7;

			tells(id + 10000 + i, node, host, 9100 + (unsigned)node,
			    true);
			tells(id + 10000 + i, node + 1, host,
			    9100 + (unsigned)node + 1, false);
		}
	}
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    brokers_are_at_their_endpoints,
	    who_is_not_known_is_told_where_he_will_be,
	    beyond_the_last_port_all_are_at_one_that_is_closed,
	    where_somebody_is_nobody_else_is_told_to_be,
	    a_name_stands_for_the_vip,
	    a_pattern_stands_for_the_vip,
	    a_broker_with_a_vip_of_its_own_is_told_by_that,
	    listeners_rewrite_as_they_are_told,
	    every_listener_and_node_is_found,
	    NULL,
	};

	return cold_run("advertised", tests);
}
