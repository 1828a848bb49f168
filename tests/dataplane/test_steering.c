/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/steering.h"

#include "tests/dataplane/cold.h"

static struct lp_config config;

static bool
has(const struct lp_steering *steering, const char *text)
{
	struct lp_ip ip;

	ck_assert_int_eq(lp_ip_parse(&ip, text, NULL), 0);
	for (size_t i = 0; i < steering->address_count; i++)
		if (lp_ip_equal(&steering->addresses[i], &ip))
			return true;
	return false;
}

static void
steer(struct lp_steering *steering, uint32_t port_id)
{
	const struct lp_config *const configs[] = {&config};
	const struct lp_port_object *const ports[] = {
	    &lp_config_find(&config, LP_OBJECT_PORT, port_id)->port};

	ck_assert_int_eq(lp_steering_init(steering, configs, ports, 1), 0);
}

START_TEST(client_side_has_the_vips_once)
{
	struct lp_steering steering;

	cold_config(&config);
	steer(&steering, FRONT);
	ck_assert_uint_eq(steering.address_count, 4);
	ck_assert(has(&steering, "10.9.0.10"));
	ck_assert(has(&steering, "2001:db8:9::10"));
	ck_assert(has(&steering, "10.9.0.100"));
	ck_assert(has(&steering, "2001:db8:9::100"));
	ck_assert_uint_eq(steering.source_count, 0);
	lp_steering_fini(&steering);
	lp_config_fini(&config);
}
END_TEST

START_TEST(broker_side_has_its_own_addresses)
{
	struct lp_steering steering;

	cold_config(&config);
	steer(&steering, BACK);
	ck_assert_uint_eq(steering.address_count, 3);
	ck_assert(!has(&steering, "10.9.0.100"));
	ck_assert_uint_eq(steering.source_count, 0);
	lp_steering_fini(&steering);
	lp_config_fini(&config);
}
END_TEST

START_TEST(brokers_are_sources_where_sources_are_preserved)
{
	struct lp_steering steering;
	struct lp_object listener;

	cold_config(&config);
	listener =
	    *lp_config_find(&config, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	listener.listener.source_address = LP_SOURCE_PRESERVE;
	put(&config, listener);
	steer(&steering, BACK);
	ck_assert_uint_eq(steering.source_count, 2);
	ck_assert_uint_eq(steering.sources[0].port, 9092);
	lp_steering_fini(&steering);
	steer(&steering, FRONT);
	ck_assert_uint_eq(steering.source_count, 0);
	lp_steering_fini(&steering);
	lp_config_fini(&config);
}
END_TEST

START_TEST(union_has_what_either_needs)
{
	struct lp_steering steering;
	struct lp_config next;
	struct lp_object port;
	const struct lp_config *const configs[] = {&config, &next};
	const struct lp_port_object *ports[2];

	cold_config(&config);
	lp_config_init(&next);
	port = make_port(
	    FRONT, "front", LP_SIDE_CLIENT, "10.9.0.77/24", NULL, NULL);
	put(&next, port);
	ports[0] = &lp_config_find(&config, LP_OBJECT_PORT, FRONT)->port;
	ports[1] = &lp_config_find(&next, LP_OBJECT_PORT, FRONT)->port;
	ck_assert_int_eq(lp_steering_init(&steering, configs, ports, 2), 0);
	ck_assert_uint_eq(steering.address_count, 5);
	ck_assert(has(&steering, "10.9.0.77"));
	ck_assert(has(&steering, "10.9.0.100"));
	lp_steering_fini(&steering);
	/* A port that one of them does not have. */
	ports[0] = NULL;
	ck_assert_int_eq(lp_steering_init(&steering, configs, ports, 2), 0);
	ck_assert_uint_eq(steering.address_count, 1);
	lp_steering_fini(&steering);
	lp_config_fini(&next);
	lp_config_fini(&config);
}
END_TEST

START_TEST(brokers_may_have_vips_of_their_own)
{
	struct lp_steering steering;
	struct lp_object endpoint;

	cold_config(&config);
	endpoint =
	    *lp_config_find(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_1);
	ck_assert_int_eq(
	    lp_endpoint_parse(&endpoint.endpoint.vip, "10.9.0.111:9092", NULL),
	    0);
	put(&config, endpoint);
	steer(&steering, FRONT);
	ck_assert_uint_eq(steering.address_count, 5);
	ck_assert(has(&steering, "10.9.0.100"));
	ck_assert(has(&steering, "10.9.0.111"));
	lp_steering_fini(&steering);
	steer(&steering, BACK);
	ck_assert_uint_eq(steering.address_count, 3);
	lp_steering_fini(&steering);
	lp_config_fini(&config);
}
END_TEST

START_TEST(an_inline_port_has_the_brokers_and_no_address)
{
	enum { LEFT = 50, RIGHT, SEEN, SEEN_1 };
	struct lp_object left = make_peer(LEFT, "left", "right");
	struct lp_steering steering;

	cold_config(&config);
	left.port.on_loss = LP_ON_LOSS_WIRE;
	put(&config, left);
	put(&config, make_peer(RIGHT, "right", "left"));
	put(&config, make_inline(SEEN, ORDERS, "seen"));
	put(&config,
	    make_endpoint(SEEN_1, SEEN, ORDERS_1, "[2001:db8:8::21]:9092"));
	steer(&steering, LEFT);
	ck_assert(steering.is_inline && steering.wire_on_loss);
	ck_assert_uint_eq(steering.address_count, 0);
	ck_assert_uint_eq(steering.source_count, 1);
	ck_assert_uint_eq(steering.sources[0].port, 9092);
	lp_steering_fini(&steering);
	/* It is no affair of the others, which preserve nothing. */
	steer(&steering, BACK);
	ck_assert(!steering.is_inline);
	ck_assert_uint_eq(steering.source_count, 0);
	ck_assert_uint_eq(steering.address_count, 3);
	lp_steering_fini(&steering);
	steer(&steering, FRONT);
	ck_assert_uint_eq(steering.address_count, 4);
	lp_steering_fini(&steering);
	lp_config_fini(&config);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    client_side_has_the_vips_once,
	    broker_side_has_its_own_addresses,
	    brokers_are_sources_where_sources_are_preserved,
	    union_has_what_either_needs,
	    brokers_may_have_vips_of_their_own,
	    an_inline_port_has_the_brokers_and_no_address,
	    NULL,
	};

	return cold_run("steering", tests);
}
