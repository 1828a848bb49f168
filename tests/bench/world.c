/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "dataplane/clock.h"
#include "dataplane/region.h"
#include "dataplane/rules.h"
#include "dataplane/snapshot.h"
#include "traffic.h"

enum {
	CLUSTER = 3,
	LISTENER,
	FIRST_BROKER, /* and its endpoint behind each */
	BROKER_BASE = 9200,
	TURN_NS = 1000,
	SETTLE_TURNS = 16, /* until all addresses are announced */
	RULES = 100,
};

#ifdef __x86_64__
const char world_unit[] = "cycles";
#else
const char world_unit[] = "ns";
#endif

static uint32_t no_name(
    void *context, unsigned field, const char *name, uint16_t len);
static void add_rule(struct world *world, struct lp_rules_builder *builder,
    unsigned i, enum world_rules which);
static void open_port(struct world *world, uint8_t slot);
static void make_config(struct lp_config *config, unsigned brokers);
static void put_broker(struct lp_config *config, unsigned node_id);
static void put_port(struct lp_config *config, uint32_t id, const char *name,
    uint8_t side, const char *address, const char *second);
static void put(struct lp_config *config, const struct lp_object *object);

void
world_open(struct world *world, uint32_t connections)
{
	world_open_cluster(world, connections, 1);
}

void
world_open_cluster(struct world *world, uint32_t connections, unsigned brokers)
{
	const struct lp_backend_ops *ops = &lp_port_memory_ops;
	struct lp_open_ports ports = {.id = {[FRONT] = 1, [BACK] = 2}};
	struct lp_pool_config pool = {.buffer_count = LP_BUFFERS_DEFAULT};
	struct lp_pipeline_config pipeline = {.cell = &world->cell,
	    .region = &world->region,
	    .backend = ops,
	    .hash_seed = 1};
	struct lp_snapshot *snapshot;
	struct lp_config config;
	char why[LP_WHY_SIZE];

	memset(world, 0, sizeof(*world));
	world->now_ns = 1000ul * 1000 * 1000 * 1000;
	if (lp_region_open(
		&world->region, NULL, connections, LP_BUFFERS_DEFAULT) != 0)
		errx(1, "no memory for the state region");
	pool.ledger = world->region.ledger;
	if (ops->pool_open(&world->pool, &pool, why) != 0)
		errx(1, "%s", why);
	open_port(world, FRONT);
	open_port(world, BACK);
	memcpy(ports.port, world->port, sizeof(ports.port));
	make_config(&config, brokers);
	if (lp_snapshot_build(
		&snapshot, &config, &ports, &world->region, NULL) != 0)
		errx(1, "no memory for a snapshot");
	lp_config_fini(&config);
	lp_snapshot_publish(&world->cell, snapshot);
	pipeline.pool = world->pool;
	pipeline.now_ns = world->now_ns;
	if (lp_pipeline_new(&world->pipeline, &pipeline) != 0)
		errx(1, "no memory for the packet path");
	world_settle(world);
}

void
world_settle(struct world *world)
{
	world_inject_neighbors(world);
	for (unsigned i = 0; i < SETTLE_TURNS; i++)
		world_turn(world, NULL);
	world_drain(world);
}

void
world_close(struct world *world)
{
	lp_pipeline_free(world->pipeline);
	lp_snapshot_publish(&world->cell, NULL);
	world->port[FRONT]->ops->close(world->port[FRONT]);
	world->port[BACK]->ops->close(world->port[BACK]);
	lp_port_memory_ops.pool_close(world->pool);
	lp_region_close(&world->region);
}

void
world_blind(struct world *world)
{
	struct lp_snapshot *snapshot = world->cell.current;

	for (unsigned i = 0; i < snapshot->target_count; i++)
		snapshot->targets[i].kafka = false;
}

void
world_pass_addresses(struct world *world)
{
	struct lp_snapshot *snapshot = world->cell.current;

	for (unsigned i = 0; i < snapshot->facade_count; i++)
		snapshot->facades[i].rewriting = LP_REWRITING_OFF;
}

void
world_judge(struct world *world, enum world_rules which)
{
	const struct lp_rules_names names = {.find = no_name};
	struct lp_snapshot *snapshot = world->cell.current;
	unsigned count = which == WORLD_DENY_ALL ? 1 : RULES;
	struct lp_rules_builder *builder;
	char why[LP_WHY_SIZE];

	if (lp_rules_new(&builder, 1, &names) != 0)
		errx(1, "no memory for rules");
	for (unsigned i = 0; i < count; i++)
		add_rule(world, builder, i, which);
	if (lp_rules_build(&snapshot->rules, builder, why) != 0)
		errx(1, "%s", why);
	lp_rules_discard(builder);
	snapshot->request_rules = snapshot->rules;
	for (unsigned i = 0; i < snapshot->facade_count; i++)
		snapshot->facades[i].unjudged = LP_UNJUDGED_PASS;
}

static uint32_t
no_name(void *context, unsigned field, const char *name, uint16_t len)
{
	(void)context, (void)field, (void)name, (void)len;
	return 0;
}

static void
add_rule(struct world *world, struct lp_rules_builder *builder, unsigned i,
    enum world_rules which)
{
	static struct lp_rule_match match;
	struct lp_rule_action action;
	struct lp_rule_error error;
	struct lp_rules_rule rule = {.id = i + 1,
	    .slot = i,
	    .priority = 1,
	    .match = &match,
	    .action = &action};
	char text[LP_RULE_MATCH_SIZE], why[LP_WHY_SIZE];

	snprintf(text, sizeof(text), "api=Produce,Fetch topic=nothing-%u", i);
	if (lp_rule_match_parse(&match,
		which == WORLD_DENY_ALL ? "api=Produce,Fetch" : text,
		&error) != 0 ||
	    lp_rule_action_parse(&action,
		which == WORLD_OBSERVE ? "observe" : "deny", &error) != 0)
		errx(1, "%s", error.why);
	if (lp_rules_add(builder, &rule, why) != 0)
		errx(1, "%s", why);
	atomic_store(&world->region.rules[i].rule_id, i + 1);
}

void
world_inject_neighbors(struct world *world)
{
	uint8_t frame[ARP_LEN];

	traffic_arp(frame, FRONT);
	lp_port_memory_inject(world->port[FRONT], frame, sizeof(frame));
	traffic_arp(frame, BACK);
	lp_port_memory_inject(world->port[BACK], frame, sizeof(frame));
}

uint64_t
world_turn(struct world *world, unsigned *packets)
{
	uint64_t begin = world_cycles();
	unsigned count = lp_pipeline_run(world->pipeline, world->now_ns);
	uint64_t end = world_cycles();

	if (packets != NULL)
		*packets = count;
	world->now_ns += TURN_NS;
	return end - begin;
}

void
world_drain(struct world *world)
{
	while (lp_port_memory_take(world->port[FRONT], NULL, 0) > 0)
		continue;
	while (lp_port_memory_take(world->port[BACK], NULL, 0) > 0)
		continue;
}

uint64_t
world_cycles(void)
{
#ifdef __x86_64__
	uint64_t now;

	_mm_lfence();
	now = __rdtsc();
	_mm_lfence();
	return now;
#else
	return lp_clock_ns();
#endif
}

static void
open_port(struct world *world, uint8_t slot)
{
	struct lp_port_config config = {.slot = slot, .pool = world->pool};
	char why[LP_WHY_SIZE];

	if (lp_port_memory_ops.open(&world->port[slot], &config, why) != 0)
		errx(1, "%s", why);
}

static void
make_config(struct lp_config *config, unsigned brokers)
{
	struct lp_config_error error;
	struct lp_object object;
	char why[LP_WHY_SIZE];

	lp_config_init(config);
	put_port(config, 1, "front", LP_SIDE_CLIENT, FRONT_IP "/24", NULL);
	put_port(config, 2, "back", LP_SIDE_BROKER, BACK_IP "/24",
	    SECOND_BACK_IP "/24");
	lp_object_init(&object, LP_OBJECT_CLUSTER);
	object.id = CLUSTER;
	strcpy(object.cluster.name, "bench");
	put(config, &object);
	lp_object_init(&object, LP_OBJECT_LISTENER);
	object.id = LISTENER;
	object.listener.cluster_id = CLUSTER;
	object.listener.broker_base = BROKER_BASE;
	strcpy(object.listener.name, "public");
	if (lp_endpoint_parse(&object.listener.vip, VIP_IP ":9092", why) != 0)
		errx(1, "%s", why);
	put(config, &object);
	for (unsigned i = 0; i < brokers; i++)
		put_broker(config, i);
	if (lp_config_check(config, &error) != 0)
		errx(1, "%s: %s: %s", error.object, error.field, error.why);
}

/* One host: the others are at other ports of it. */
static void
put_broker(struct lp_config *config, unsigned node_id)
{
	struct lp_endpoint vip, real;
	struct lp_object object;
	char why[LP_WHY_SIZE];

	if (lp_endpoint_parse(&vip, VIP_IP ":9092", why) != 0 ||
	    lp_endpoint_parse(&real, BROKER_IP ":9092", why) != 0)
		errx(1, "%s", why);
	real.port = (uint16_t)(real.port + node_id);
	lp_object_init(&object, LP_OBJECT_BROKER);
	object.id = FIRST_BROKER + 2 * node_id;
	object.broker.cluster_id = CLUSTER;
	object.broker.node_id = (int32_t)node_id;
	strcpy(object.broker.host, BROKER_IP);
	object.broker.real = real;
	put(config, &object);
	lp_object_init(&object, LP_OBJECT_ENDPOINT);
	object.id = FIRST_BROKER + 2 * node_id + 1;
	object.endpoint.listener_id = LISTENER;
	object.endpoint.broker_id = FIRST_BROKER + 2 * node_id;
	vip.port = (uint16_t)(BROKER_BASE + node_id);
	object.endpoint.vip = vip;
	put(config, &object);
}

static void
put_port(struct lp_config *config, uint32_t id, const char *name, uint8_t side,
    const char *address, const char *second)
{
	struct lp_object object;
	char why[LP_WHY_SIZE] = "";

	lp_object_init(&object, LP_OBJECT_PORT);
	object.id = id;
	object.port.side = side;
	object.port.backend = LP_BACKEND_MEMORY;
	strcpy(object.port.name, name);
	strcpy(object.port.device, name);
	object.port.address_count = second == NULL ? 1 : 2;
	if (lp_prefix_parse(&object.port.addresses[0], address, why) != 0 ||
	    (second != NULL &&
		lp_prefix_parse(&object.port.addresses[1], second, why) != 0))
		errx(1, "%s", why);
	if (side == LP_SIDE_CLIENT &&
	    lp_ip_parse(&object.port.gateway_v4, GATEWAY_IP, why) != 0)
		errx(1, "%s", why);
	put(config, &object);
}

static void
put(struct lp_config *config, const struct lp_object *object)
{
	if (lp_config_put(config, object) != 0)
		errx(1, "no memory for the configuration");
}
