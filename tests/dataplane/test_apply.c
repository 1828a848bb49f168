/* SPDX-License-Identifier: Apache-2.0 */
/* Generations and ports in this process, with memory ports and a worker. */
#include "dataplane/apply.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/loss.h"
#include "dataplane/pipeline/rules.h"
#include "dataplane/port/port_memory.h"
#include "proto/object_rule.h"
#include "tests/dataplane/cold.h"

static char directory[PATH_MAX];
static char path[PATH_MAX];
static struct lp_options options = {.id = "test",
    .snapshot_path = path,
    .connections = 64,
    .buffers = 4096,
    .spin_us = 50,
    .cpu = -1};
static struct lp_dataplane dataplane;
static struct lp_config config;
static struct lp_applied applied;
static struct lp_refusal refusal;

static void
begin(void)
{
	cold_mkdir(directory);
	cold_path(path, directory, "snapshot");
	cold_config(&config);
	ck_assert_int_eq(lp_dataplane_init(&dataplane, &options, NULL), 0);
}

static void
end(void)
{
	lp_dataplane_fini(&dataplane);
	lp_config_fini(&config);
	cold_rmdir(directory);
}

static int
apply(uint64_t generation)
{
	struct lp_candidate candidate;
	int error;

	lp_candidate_init(&candidate);
	ck_assert_int_eq(lp_config_copy(&candidate.config, &config), 0);
	candidate.epoch = 1;
	candidate.generation = generation;
	candidate.digest = lp_config_digest(&config);
	error = lp_apply_candidate(&dataplane, &candidate, &applied, &refusal);
	lp_candidate_fini(&candidate);
	return error;
}

static struct lp_port_slot *
slot_of(uint32_t id)
{
	for (int i = 0; i < LP_PORTS_MAX; i++)
		if (dataplane.ports.slots[i].id == id)
			return &dataplane.ports.slots[i];
	return NULL;
}

static const struct lp_snapshot *
published(void)
{
	return lp_snapshot_get(&dataplane.cell);
}

START_TEST(worker_comes_with_the_first_port)
{
	begin();
	ck_assert_ptr_null(dataplane.worker);
	ck_assert_int_eq(apply(1), 0);
	ck_assert_ptr_nonnull(dataplane.worker);
	ck_assert_uint_eq(published()->generation, 1);
	ck_assert_uint_eq(dataplane.running.generation, 1);
	end();
}
END_TEST

START_TEST(refused_port_leaves_everything_as_it_was)
{
	struct lp_object port;
	struct lp_port *open;

	begin();
	ck_assert_int_eq(apply(1), 0);
	open = slot_of(FRONT)->port;
	/* One that opens and one that does not: neither stays. */
	port =
	    make_port(50, "third", LP_SIDE_CLIENT, "10.50.0.1/24", NULL, NULL);
	port.port.backend = LP_BACKEND_MEMORY;
	put(&config, port);
	port =
	    make_port(51, "fourth", LP_SIDE_CLIENT, "10.51.0.1/24", NULL, NULL);
	port.port.backend = LP_BACKEND_MEMORY;
	strcpy(port.port.device, "m,mtu=nonsense");
	put(&config, port);
	ck_assert_int_eq(apply(2), -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__RESOURCE);
	ck_assert_str_eq(refusal.object, "port fourth");
	ck_assert_uint_eq(refusal.generation, 2);
	ck_assert_uint_eq(published()->generation, 1);
	ck_assert_uint_eq(dataplane.running.generation, 1);
	ck_assert_ptr_eq(slot_of(FRONT)->port, open);
	for (int i = 0; i < LP_PORTS_MAX; i++)
		ck_assert(!dataplane.ports.slots[i].reclaiming &&
		    (dataplane.ports.slots[i].port == NULL ||
			dataplane.ports.slots[i].id != 0));
	/* The slots are free again. */
	lp_config_remove(&config, LP_OBJECT_PORT, 51);
	ck_assert_int_eq(apply(3), 0);
	ck_assert_ptr_nonnull(slot_of(50)->port);
	end();
}
END_TEST

/* Too long alone, and then not any more: the same generation. */
START_TEST(closed_is_what_the_snapshot_says)
{
	begin();
	ck_assert_int_eq(apply(1), 0);
	ck_assert(!published()->closed);
	dataplane.alone.limit_ms = 1;
	dataplane.alone.before_ms = 1;
	lp_loss_turn(&dataplane, false);
	ck_assert(published()->closed);
	ck_assert_uint_eq(published()->generation, 1);
	lp_loss_turn(&dataplane, true);
	ck_assert(!published()->closed);
	ck_assert_uint_eq(published()->generation, 1);
	ck_assert_uint_eq(dataplane.running.generation, 1);
	end();
}
END_TEST

/* Of a rule each pair of lengths is a table: there may be 1,024. */
static void
put_rules(void)
{
	struct lp_object rule;
	char match[LP_RULE_MATCH_SIZE], name[LP_NAME_SIZE];
	char why[LP_WHY_SIZE];
	const char *field;

	put(&config, make_rule(70, "kept", 1, "", "observe"));
	for (unsigned i = 0; i < 32 * 32; i++) {
		snprintf(match, sizeof(match), "src=0.0.0.0/%u dst=0.0.0.0/%u",
		    i / 32 + 1, i % 32 + 1);
		snprintf(name, sizeof(name), "r%u", i);
		rule = make_rule(100 + i, name, 1, match, "observe");
		ck_assert_int_eq(
		    lp_object_rule_normalise(&rule.rule, &field, why), 0);
		put(&config, rule);
	}
}

START_TEST(rule_that_cannot_be_compiled_is_named)
{
	struct lp_region *region = &dataplane.region;

	begin();
	put(&config, make_rule(70, "kept", 1, "", "observe"));
	ck_assert_int_eq(apply(1), 0);
	put_rules();
	ck_assert_int_eq(apply(2), -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__RESOURCE);
	ck_assert_uint_eq(refusal.object_id, 100 + 32 * 32 - 1);
	ck_assert_str_eq(refusal.object, "rule r1023");
	ck_assert_str_eq(refusal.field, "match");
	ck_assert_str_eq(refusal.why,
	    "one more combination of fields and lengths of prefixes than 1024 "
	    "over all rules");
	ck_assert_uint_eq(published()->generation, 1);
	ck_assert_uint_eq(published()->rules->row_count, 1);
	ck_assert_uint_eq(
	    region->rules[published()->rules->rows[0].slot].rule_id, 70);
	for (uint32_t i = 1; i < region->header->rule_slots; i++)
		ck_assert_uint_eq(region->rules[i].rule_id, 0);
	end();
}
END_TEST

/* What it took of the region is free again, although nothing runs. */
START_TEST(first_refusal_keeps_no_counters)
{
	struct lp_region *region = &dataplane.region;

	begin();
	put_rules();
	ck_assert_int_eq(apply(1), -EINVAL);
	ck_assert_str_eq(refusal.object, "rule r1023");
	ck_assert_ptr_null(published());
	ck_assert_uint_gt(region->header->rule_slots, 0);
	for (uint32_t i = 0; i < region->header->rule_slots; i++)
		ck_assert_uint_eq(region->rules[i].rule_id, 0);
	for (unsigned i = 0; i < LP_ENDPOINTS_MAX; i++)
		ck_assert_uint_eq(region->endpoints[i].listener_id, 0);
	end();
}
END_TEST

START_TEST(first_refusal_decides_no_backend)
{
	struct lp_object port;

	begin();
	port = *lp_config_find(&config, LP_OBJECT_PORT, FRONT);
	strcpy(port.port.device, "m,mtu=nonsense");
	put(&config, port);
	ck_assert_int_eq(apply(1), -EINVAL);
	ck_assert_ptr_null(dataplane.ports.ops);
	ck_assert_ptr_null(dataplane.ports.pool);
	ck_assert_ptr_null(published());
	end();
}
END_TEST

START_TEST(devices_keep_their_slots)
{
	struct lp_object front;
	struct lp_object back;
	struct lp_port *front_port;

	begin();
	ck_assert_int_eq(apply(1), 0);
	front_port = slot_of(FRONT)->port;
	/* The two objects change their devices. */
	front = *lp_config_find(&config, LP_OBJECT_PORT, FRONT);
	back = *lp_config_find(&config, LP_OBJECT_PORT, BACK);
	strcpy(front.port.device, "m-back");
	strcpy(back.port.device, "m-front");
	put(&config, front);
	put(&config, back);
	ck_assert_int_eq(apply(2), 0);
	ck_assert_ptr_eq(slot_of(BACK)->port, front_port);
	for (int i = 0; i < LP_PORTS_MAX; i++)
		if (published()->ports[i].port == front_port)
			ck_assert_uint_eq(published()->ports[i].id, BACK);
	end();
}
END_TEST

START_TEST(steering_follows_the_generation)
{
	uint64_t generation;

	begin();
	ck_assert_int_eq(apply(1), 0);
	ck_assert_uint_eq(
	    lp_port_memory_steered(slot_of(FRONT)->port, &generation), 4);
	ck_assert_uint_eq(generation, 1);
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, ORDERS_PUBLIC_1);
	lp_config_remove(&config, LP_OBJECT_LISTENER, ORDERS_PUBLIC);
	ck_assert_int_eq(apply(2), 0);
	ck_assert_uint_eq(
	    lp_port_memory_steered(slot_of(FRONT)->port, &generation), 3);
	ck_assert_uint_eq(generation, 2);
	end();
}
END_TEST

START_TEST(device_that_vanished_is_opened_again)
{
	struct lp_port_slot *slot;
	unsigned index;

	begin();
	ck_assert_int_eq(apply(1), 0);
	slot = slot_of(FRONT);
	index = (unsigned)(slot - dataplane.ports.slots);
	lp_port_memory_link(slot->port, false, false);
	lp_apply_watch(&dataplane);
	ck_assert_ptr_null(slot->port);
	ck_assert_uint_eq(published()->ports[index].id, FRONT);
	ck_assert_ptr_null(published()->ports[index].port);
	ck_assert_uint_eq(published()->generation, 1);
	/* Other changes go on meanwhile. */
	put(&config, make_cluster(60, "another"));
	ck_assert_int_eq(apply(2), 0);
	/* The device is back in the next second. */
	lp_apply_watch(&dataplane);
	ck_assert_ptr_nonnull(slot->port);
	ck_assert_ptr_eq(published()->ports[index].port, slot->port);
	ck_assert_uint_eq(published()->generation, 2);
	end();
}
END_TEST

START_TEST(port_that_came_back_is_not_forgotten)
{
	struct lp_port_slot *slot;
	unsigned index;

	begin();
	ck_assert_int_eq(apply(1), 0);
	slot = slot_of(FRONT);
	index = (unsigned)(slot - dataplane.ports.slots);
	lp_port_memory_link(slot->port, false, false);
	lp_apply_watch(&dataplane);
	ck_assert_ptr_null(slot->port);
	/* It is back, but a worker cannot run: no such processor. */
	lp_worker_free(dataplane.worker);
	dataplane.worker = NULL;
	options.cpu = CPU_SETSIZE - 1;
	lp_apply_watch(&dataplane);
	ck_assert_ptr_nonnull(slot->port);
	ck_assert_ptr_null(published()->ports[index].port);
	options.cpu = -1;
	lp_apply_watch(&dataplane);
	ck_assert_ptr_nonnull(dataplane.worker);
	ck_assert_ptr_eq(published()->ports[index].port, slot->port);
	end();
}
END_TEST

START_TEST(failed_save_is_tried_again)
{
	struct stat status;

	begin();
	/* A directory in its place. */
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(apply(1), 0);
	ck_assert(dataplane.unsaved);
	lp_apply_watch(&dataplane);
	ck_assert(dataplane.unsaved);
	ck_assert_int_eq(rmdir(path), 0);
	lp_apply_watch(&dataplane);
	ck_assert(!dataplane.unsaved);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert(S_ISREG(status.st_mode));
	end();
}
END_TEST

/* A host around the memory ports: the addresses that it has. */
static struct {
	struct lp_ip addresses[4];
	size_t count;
	unsigned checks;
} host;

static int
host_addresses(lp_port_host_address *each, void *arg)
{
	for (size_t i = 0; i < host.count; i++)
		each(arg, &host.addresses[i], "eth1");
	return 0;
}

static int
host_check(const struct lp_port *port, const struct lp_port_object *object,
    char why[LP_WHY_SIZE])
{
	(void)port;
	ck_assert(!object->allow_default_route);
	host.checks++;
	snprintf(why, LP_WHY_SIZE, "the default route");
	return -EPERM;
}

static void
host_gets(const char *address)
{
	ck_assert_int_eq(
	    lp_ip_parse(&host.addresses[host.count++], address, NULL), 0);
}

static void
begin_with_host(void)
{
	static struct lp_backend_ops ops;

	begin();
	ck_assert_int_eq(apply(1), 0);
	host.count = host.checks = 0;
	ops = lp_port_memory_ops;
	ops.host_addresses = host_addresses;
	ops.check_route = host_check;
	dataplane.ports.ops = &ops;
}

static void
expect_refused(uint64_t generation, const char *object, const char *field)
{
	ck_assert_int_eq(apply(generation), -EINVAL);
	ck_assert_int_eq(refusal.code, LP__PB__REJECTED__CODE__RESOURCE);
	ck_assert_str_eq(refusal.object, object);
	ck_assert_str_eq(refusal.field, field);
	ck_assert_uint_eq(refusal.generation, generation);
	ck_assert_uint_eq(dataplane.running.generation, 1);
}

START_TEST(new_address_that_the_host_has_is_refused)
{
	struct lp_object port, endpoint;

	begin_with_host();
	host_gets("192.0.2.1");
	host_gets("10.9.0.5");
	put(&config, make_listener(70, PAYMENTS, "new", "10.9.0.5:9092"));
	expect_refused(2, "listener payments/new", "vip");
	ck_assert_str_eq(refusal.why,
	    "the kernel holds 10.9.0.5 on eth1: remove it there (ip addr "
	    "del), or choose another");
	lp_config_remove(&config, LP_OBJECT_LISTENER, 70);
	port = *lp_config_find(&config, LP_OBJECT_PORT, FRONT);
	ck_assert_int_eq(
	    lp_prefix_parse(&port.port.addresses[0], "10.9.0.5/24", NULL), 0);
	put(&config, port);
	expect_refused(2, "port front", "address");
	ck_assert_int_eq(
	    lp_prefix_parse(&port.port.addresses[0], "10.9.0.10/24", NULL), 0);
	put(&config, port);
	endpoint =
	    *lp_config_find(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_1);
	ck_assert_int_eq(
	    lp_endpoint_parse(&endpoint.endpoint.vip, "10.9.0.5:1", NULL), 0);
	endpoint.endpoint.chosen = true;
	put(&config, endpoint);
	expect_refused(2, "endpoint payments/public/1", "vip");
	/* The host gives it away. */
	host.count = 1;
	ck_assert_int_eq(apply(2), 0);
	end();
}
END_TEST

START_TEST(running_address_that_the_host_gets_stops_no_other_change)
{
	const struct lp_object *front;

	begin_with_host();
	front = lp_config_find(&config, LP_OBJECT_PORT, FRONT);
	host.addresses[host.count++] = front->port.addresses[0].ip;
	host_gets("10.9.0.100");
	put(&config, make_cluster(60, "another"));
	ck_assert_int_eq(apply(2), 0);
	ck_assert_ptr_nonnull(strstr(dataplane.ports.held, "10.9.0.100 on "));
	host.count = 0;
	ck_assert_int_eq(apply(3), 0);
	ck_assert_str_eq(dataplane.ports.held, "");
	end();
}
END_TEST

START_TEST(leave_for_the_default_route_is_asked_for_when_taken_back)
{
	struct lp_object port;

	begin_with_host();
	port = *lp_config_find(&config, LP_OBJECT_PORT, FRONT);
	port.port.allow_default_route = true;
	put(&config, port);
	ck_assert_int_eq(apply(1), 0);
	ck_assert_uint_eq(host.checks, 0);
	port.port.allow_default_route = false;
	put(&config, port);
	expect_refused(2, "port front", "allow_default_route");
	ck_assert_uint_eq(host.checks, 1);
	end();
}
END_TEST

START_TEST(forwarding_begins_from_the_last_good_configuration)
{
	unsigned slot;

	begin();
	ck_assert_int_eq(apply(1), 0);
	/* Only the second slot is left in use. */
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, ORDERS_PUBLIC_1);
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_0);
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_1);
	lp_config_remove(&config, LP_OBJECT_LISTENER, ORDERS_PUBLIC);
	lp_config_remove(&config, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	slot = (unsigned)(slot_of(BACK) - dataplane.ports.slots);
	ck_assert_uint_ne(slot, 0);
	lp_config_remove(&config, LP_OBJECT_PORT, FRONT);
	ck_assert_int_eq(apply(2), 0);
	lp_dataplane_fini(&dataplane);
	ck_assert_int_eq(lp_dataplane_init(&dataplane, &options, NULL), 0);
	ck_assert_ptr_nonnull(dataplane.worker);
	ck_assert_uint_eq(published()->generation, 2);
	ck_assert_uint_eq(dataplane.running.epoch, 1);
	ck_assert_uint_eq(dataplane.running.digest, lp_config_digest(&config));
	/* In the same slot: connections refer to it. */
	ck_assert_uint_eq(
	    (unsigned)(slot_of(BACK) - dataplane.ports.slots), slot);
	ck_assert_ptr_nonnull(slot_of(BACK)->port);
	end();
}
END_TEST

START_TEST(epoch_survives_without_a_generation)
{
	begin();
	lp_apply_epoch(&dataplane, 33, 7);
	lp_dataplane_fini(&dataplane);
	ck_assert_int_eq(lp_dataplane_init(&dataplane, &options, NULL), 0);
	ck_assert_uint_eq(dataplane.running.epoch_seen, 33);
	ck_assert_uint_eq(dataplane.running.generation, 0);
	ck_assert_ptr_null(published());
	end();
}
END_TEST

START_TEST(all_slots_can_be_used)
{
	begin();
	for (uint32_t i = 2; i < LP_PORTS_MAX; i++) {
		char name[16];
		char address[24];
		struct lp_object port;

		snprintf(name, sizeof(name), "port%u", i);
		snprintf(address, sizeof(address), "10.%u.0.1/24", 100 + i);
		port = make_port(
		    100 + i, name, LP_SIDE_CLIENT, address, NULL, NULL);
		port.port.backend = LP_BACKEND_MEMORY;
		put(&config, port);
	}
	ck_assert_int_eq(apply(1), 0);
	for (int i = 0; i < LP_PORTS_MAX; i++)
		ck_assert_ptr_nonnull(published()->ports[i].port);
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    worker_comes_with_the_first_port,
	    closed_is_what_the_snapshot_says,
	    refused_port_leaves_everything_as_it_was,
	    rule_that_cannot_be_compiled_is_named,
	    first_refusal_keeps_no_counters,
	    first_refusal_decides_no_backend,
	    devices_keep_their_slots,
	    steering_follows_the_generation,
	    device_that_vanished_is_opened_again,
	    port_that_came_back_is_not_forgotten,
	    failed_save_is_tried_again,
	    new_address_that_the_host_has_is_refused,
	    running_address_that_the_host_gets_stops_no_other_change,
	    leave_for_the_default_route_is_asked_for_when_taken_back,
	    forwarding_begins_from_the_last_good_configuration,
	    epoch_survives_without_a_generation,
	    all_slots_can_be_used,
	    NULL,
	};

	return cold_run("apply", tests);
}
