/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/proto/objects.h"
#include "tests/support/plane.h"

void
plane_config(struct lp_config *config)
{
	struct lp_object legacy;

	make_config(config);
	legacy = make_listener(LEGACY, PAYMENTS, "legacy", "10.9.0.101:9092");
	legacy.listener.source_address = LP_SOURCE_PRESERVE;
	put(config, legacy);
	put(config,
	    make_endpoint(LEGACY_0, LEGACY, PAYMENTS_0, "10.9.0.101:9100"));
	put(config,
	    make_endpoint(LEGACY_1, LEGACY, PAYMENTS_1, "10.9.0.101:9101"));
	legacy = make_listener(
	    ORDERS_LEGACY, ORDERS, "legacy", "[2001:db8:9::101]:9092");
	legacy.listener.source_address = LP_SOURCE_PRESERVE;
	put(config, legacy);
	put(config,
	    make_endpoint(ORDERS_LEGACY_1, ORDERS_LEGACY, ORDERS_1,
		"[2001:db8:9::101]:9101"));
	plane_config_rewrite(config, LP_REWRITING_OFF);
}

void
plane_config_rewrite(struct lp_config *config, enum lp_rewriting how)
{
	size_t first, count;

	count = lp_config_range(config, LP_OBJECT_LISTENER, &first);
	for (size_t i = first; i < first + count; i++)
		config->objects[i].listener.rewrite = (uint8_t)how;
}

void
plane_open(uint32_t connections)
{
	struct lp_config config;

	plane_config(&config);
	plane_open_with(connections, &config);
	plane_port(FRONT_SLOT, FRONT, "");
	plane_port(BACK_SLOT, BACK, "");
	plane_publish();
}
