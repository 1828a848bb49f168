/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/wire.h"

#include <stdio.h>
#include <string.h>

#include "dataplane/port/port_memory.h"
#include "tests/support/ensure.h"

static const struct lp_backend_ops *const ops = &lp_port_memory_ops;
static struct lp_port *ports[LP_PORTS_MAX];

static bool
wire_enter(const struct lp_backend_ops *backend)
{
	memset(ports, 0, sizeof(ports));
	return backend == ops;
}

static struct lp_port *
wire_open(uint8_t slot, struct lp_pool *pool, const char *options)
{
	struct lp_port_config config = {.slot = slot, .pool = pool};
	char why[LP_WHY_SIZE] = "";

	/* It takes every frame anyway. */
	if (strcmp(options, "inline") == 0)
		options = "";
	snprintf(config.object.device, sizeof(config.object.device),
	    "memory%s%s", *options ? "," : "", options);
	ensure(ops->open(&ports[slot], &config, why) == 0, "%s", why);
	return ports[slot];
}

static void
wire_close(uint8_t slot)
{
	ops->close(ports[slot]);
	ports[slot] = NULL;
}

static void
wire_steer(uint8_t slot, const struct lp_steer *steer)
{
	char why[LP_WHY_SIZE] = "";

	ensure(ops->steer(ports[slot], steer, why) == 0, "%s", why);
}

static bool
wire_inject(uint8_t slot, const void *bytes, size_t len)
{
	return lp_port_memory_inject(ports[slot], bytes, len);
}

static size_t
wire_take(uint8_t slot, void *buf, size_t max)
{
	return lp_port_memory_take(ports[slot], buf, max);
}

static uint64_t
wire_received(uint8_t slot)
{
	return wire_counter(ports[slot], "rx_packets");
}

const struct wire_ops wire_memory = {
    .enter = wire_enter,
    .open = wire_open,
    .close = wire_close,
    .steer = wire_steer,
    .inject = wire_inject,
    .take = wire_take,
    .received = wire_received,
};
