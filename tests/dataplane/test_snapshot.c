/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/grace.h"
#include "dataplane/maglev.h"
#include "dataplane/port/port.h"
#include "dataplane/region.h"
#include "tests/dataplane/cold.h"

static struct lp_config config;
static struct lp_region region;
static struct lp_open_ports ports;
static struct lp_snapshot *snapshot;
static struct lp_port front = {
    .slot = 2, .mac = {2, 0, 0, 0, 0, 9}, .mtu = 1500};

static void
begin(void)
{
	cold_config(&config);
	ck_assert_int_eq(lp_region_open(&region, NULL, 64, 4096), 0);
	/* The back port is configured, but not open. */
	ports.id[2] = FRONT;
	ports.port[2] = &front;
	ports.id[5] = BACK;
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

static struct lp_endpoint
endpoint(const char *text)
{
	struct lp_endpoint parsed;

	ck_assert_int_eq(lp_endpoint_parse(&parsed, text, NULL), 0);
	return parsed;
}

static const struct lp_service *
service(const char *text)
{
	struct lp_endpoint vip = endpoint(text);

	return lp_snapshot_service(snapshot, &vip.ip, vip.port);
}

static const struct lp_own *
own(const char *text)
{
	struct lp_ip ip;

	ck_assert_int_eq(lp_ip_parse(&ip, text, NULL), 0);
	return lp_snapshot_own(snapshot, &ip);
}

START_TEST(ports_are_in_their_slots)
{
	begin();
	ck_assert_uint_eq(snapshot->ports[2].id, FRONT);
	ck_assert_ptr_eq(snapshot->ports[2].port, &front);
	ck_assert_uint_eq(snapshot->ports[2].mtu, 1500);
	ck_assert_uint_eq(snapshot->ports[2].mac[5], 9);
	ck_assert_uint_eq(snapshot->ports[2].prefix_count, 2);
	ck_assert_uint_eq(snapshot->ports[5].id, BACK);
	ck_assert_ptr_null(snapshot->ports[5].port);
	ck_assert_uint_eq(snapshot->ports[0].id, 0);
	end();
}
END_TEST

START_TEST(own_addresses_are_on_their_ports)
{
	begin();
	ck_assert_uint_eq(own("10.9.0.10")->port_mask, 1 << 2);
	ck_assert_uint_eq(own("10.9.0.10")->kind, LP_OWN_PORT);
	ck_assert_uint_eq(own("10.8.0.11")->port_mask, 1 << 5);
	ck_assert_uint_eq(own("2001:db8:8::10")->port_mask, 1 << 5);
	/* VIPs where clients are. */
	ck_assert_uint_eq(own("10.9.0.100")->port_mask, 1 << 2);
	ck_assert_uint_eq(own("10.9.0.100")->kind, LP_OWN_VIP);
	ck_assert_uint_eq(own("2001:db8:9::100")->port_mask, 1 << 2);
	ck_assert_ptr_null(own("10.9.0.11"));
	ck_assert_ptr_null(own("10.8.0.20"));
	end();
}
END_TEST

START_TEST(groups_are_those_of_ports_that_are_alone)
{
	struct lp_port back = {.slot = 5, .alone = true};
	struct lp_object twin =
	    make_listener(NEXT_ID, ORDERS, "twin", "[2001:db8:7::100]:9092");

	begin();
	ck_assert(!snapshot->ports[2].alone);
	ck_assert_uint_eq(snapshot->group_count, 0);
	lp_snapshot_free(snapshot);
	/* Another address that ends like one we have: their group is one. */
	put(&config, twin);
	front.alone = true;
	ports.port[5] = &back;
	ck_assert_int_eq(
	    lp_snapshot_build(&snapshot, &config, &ports, &region, NULL), 0);
	ck_assert(snapshot->ports[2].alone);
	ck_assert_uint_eq(snapshot->group_count, 2);
	ck_assert_uint_eq(snapshot->groups[0].low, 0x10);
	ck_assert_uint_eq(snapshot->groups[0].port_mask, 1 << 2 | 1 << 5);
	ck_assert_uint_eq(snapshot->groups[1].low, 0x100);
	ck_assert_uint_eq(snapshot->groups[1].port_mask, 1 << 2);
	end();
}
END_TEST

START_TEST(every_endpoint_is_a_service)
{
	const struct lp_target *target;
	struct lp_endpoint real = endpoint("10.7.0.21:9092");
	struct lp_ip client;

	begin();
	ck_assert_int_eq(lp_ip_parse(&client, "10.9.0.50", NULL), 0);
	ck_assert_uint_eq(
	    service("10.9.0.100:9101")->listener_id, PAYMENTS_PUBLIC);
	ck_assert_uint_eq(service("10.9.0.100:9101")->maglev, LP_INDEX_NONE);
	target = lp_snapshot_choose(
	    snapshot, service("10.9.0.100:9101"), &client, 1);
	ck_assert_uint_eq(target->broker_id, PAYMENTS_1);
	ck_assert(lp_ip_equal(&target->real.ip, &real.ip));
	ck_assert_uint_eq(target->real.port, 9092);
	ck_assert_uint_eq(target->source_address, LP_SOURCE_TRANSLATE);
	ck_assert(target->kafka);
	ck_assert_ptr_eq(
	    target, lp_snapshot_target(snapshot, PAYMENTS_PUBLIC, PAYMENTS_1));
	ck_assert_ptr_null(
	    lp_snapshot_target(snapshot, PAYMENTS_PUBLIC, ORDERS_1));
	ck_assert_ptr_null(service("10.9.0.100:9102"));
	ck_assert_ptr_null(service("10.9.0.10:9092"));
	end();
}
END_TEST

/* Topics are counted once, whatever way they are reached. */
START_TEST(clusters_that_are_the_same_have_one_id)
{
	struct lp_object same;

	begin();
	same = *lp_config_find(&config, LP_OBJECT_CLUSTER, ORDERS);
	ck_assert_uint_eq(
	    lp_snapshot_target(snapshot, ORDERS_PUBLIC, ORDERS_1)->cluster_id,
	    ORDERS);
	same.cluster.same_as = PAYMENTS;
	put(&config, same);
	lp_snapshot_free(snapshot);
	ck_assert_int_eq(
	    lp_snapshot_build(&snapshot, &config, &ports, &region, NULL), 0);
	ck_assert_uint_eq(
	    lp_snapshot_target(snapshot, ORDERS_PUBLIC, ORDERS_1)->cluster_id,
	    PAYMENTS);
	ck_assert_uint_eq(
	    lp_snapshot_target(snapshot, PAYMENTS_PUBLIC, PAYMENTS_1)
		->cluster_id,
	    PAYMENTS);
	end();
}
END_TEST

START_TEST(bootstrap_is_balanced_over_its_own_brokers)
{
	const struct lp_service *bootstrap;
	struct lp_ip client;
	unsigned hits[2] = {0, 0};

	begin();
	bootstrap = service("10.9.0.100:9092");
	ck_assert_uint_eq(bootstrap->target, LP_INDEX_NONE);
	ck_assert_int_eq(lp_ip_parse(&client, "10.9.0.50", NULL), 0);
	for (uint16_t port = 1; port < 10001; port++) {
		const struct lp_target *target =
		    lp_snapshot_choose(snapshot, bootstrap, &client, port);

		ck_assert_uint_eq(target->listener_id, PAYMENTS_PUBLIC);
		hits[target->broker_id == PAYMENTS_1]++;
	}
	ck_assert_uint_gt(hits[0], 4500);
	ck_assert_uint_gt(hits[1], 4500);
	end();
}
END_TEST

START_TEST(listener_without_brokers_has_no_target)
{
	struct lp_ip client;

	begin();
	lp_snapshot_free(snapshot);
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, ORDERS_PUBLIC_1);
	lp_config_remove(&config, LP_OBJECT_BROKER, ORDERS_1);
	ck_assert_int_eq(
	    lp_snapshot_build(&snapshot, &config, &ports, &region, NULL), 0);
	ck_assert_int_eq(lp_ip_parse(&client, "2001:db8::1", NULL), 0);
	ck_assert_ptr_null(lp_snapshot_choose(
	    snapshot, service("[2001:db8:9::100]:9092"), &client, 1));
	end();
}
END_TEST

START_TEST(empty_configuration_has_an_empty_snapshot)
{
	struct lp_snapshot *empty;
	struct lp_config none;
	struct lp_endpoint any = endpoint("10.9.0.100:9092");

	begin();
	lp_config_init(&none);
	ck_assert_int_eq(
	    lp_snapshot_build(&empty, &none, &ports, &region, NULL), 0);
	ck_assert_ptr_null(lp_snapshot_own(empty, &any.ip));
	ck_assert_ptr_null(lp_snapshot_service(empty, &any.ip, any.port));
	ck_assert_ptr_null(lp_snapshot_target(empty, 1, 1));
	lp_snapshot_free(empty);
	lp_config_fini(&none);
	end();
}
END_TEST

START_TEST(counters_keep_their_places)
{
	struct lp_snapshot *next;
	const struct lp_target *before;
	const struct lp_target *after;

	begin();
	before = lp_snapshot_target(snapshot, ORDERS_PUBLIC, ORDERS_1);
	lp_count_add(&region.endpoints[before->counters].opened, 7);
	/* Those in front of it go. */
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_0);
	lp_config_remove(&config, LP_OBJECT_BROKER, PAYMENTS_0);
	ck_assert_int_eq(
	    lp_snapshot_build(&next, &config, &ports, &region, NULL), 0);
	after = lp_snapshot_target(next, ORDERS_PUBLIC, ORDERS_1);
	ck_assert_uint_eq(after->counters, before->counters);
	ck_assert_uint_eq(
	    lp_count_get(&region.endpoints[after->counters].opened), 7);
	lp_snapshot_free(next);
	end();
}
END_TEST

START_TEST(places_are_released_when_nothing_counts_there)
{
	struct lp_snapshot *next;
	const struct lp_target *gone;
	struct lp_endpoint_stats *stats;

	begin();
	gone = lp_snapshot_target(snapshot, PAYMENTS_PUBLIC, PAYMENTS_0);
	stats = &region.endpoints[gone->counters];
	lp_count_set(&stats->open, 1);
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_0);
	ck_assert_int_eq(
	    lp_snapshot_build(&next, &config, &ports, &region, NULL), 0);
	lp_snapshot_release_counters(next, &region);
	ck_assert_uint_eq(stats->listener_id, PAYMENTS_PUBLIC);
	lp_count_set(&stats->open, 0);
	lp_snapshot_release_counters(next, &region);
	ck_assert_uint_eq(stats->listener_id, 0);
	lp_snapshot_free(next);
	end();
}
END_TEST

START_TEST(full_table_of_counters_is_an_error)
{
	struct lp_snapshot *next;

	begin();
	for (unsigned i = 0; i < LP_ENDPOINTS_MAX; i++)
		region.endpoints[i].listener_id = 1000 + i;
	ck_assert_int_eq(
	    lp_snapshot_build(&next, &config, &ports, &region, NULL), -ENOSPC);
	end();
}
END_TEST

/* ---- Maglev ----------------------------------------------------------- */

enum { TARGETS = 100 };

static void
make_targets(struct lp_maglev_target targets[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint8_t v4[4] = {10, 8, (uint8_t)(i >> 8), (uint8_t)i};

		targets[i] = (struct lp_maglev_target){
		    .node_id = (int32_t)i, .value = (uint16_t)i};
		lp_ip_from_v4(&targets[i].real.ip, v4);
		targets[i].real.port = 9092;
	}
}

START_TEST(shares_are_equal_within_two_percent)
{
	static const size_t counts[] = {1, 2, 3, 5, 16, TARGETS};
	struct lp_maglev_target targets[TARGETS];
	uint16_t table[LP_MAGLEV_SIZE];

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned hits[TARGETS] = {0};
		double fair = (double)LP_MAGLEV_SIZE / (double)counts[i];

		make_targets(targets, counts[i]);
		ck_assert_int_eq(lp_maglev_fill(table, targets, counts[i]), 0);
		for (int place = 0; place < LP_MAGLEV_SIZE; place++)
			hits[table[place]]++;
		for (size_t j = 0; j < counts[i]; j++) {
			ck_assert(hits[j] > fair * 0.98 - 1);
			ck_assert(hits[j] < fair * 1.02 + 1);
		}
	}
}
END_TEST

START_TEST(few_move_when_one_goes)
{
	struct lp_maglev_target targets[TARGETS];
	uint16_t before[LP_MAGLEV_SIZE];
	uint16_t after[LP_MAGLEV_SIZE];
	unsigned moved = 0;

	make_targets(targets, 10);
	ck_assert_int_eq(lp_maglev_fill(before, targets, 10), 0);
	/* Number 4 goes. */
	make_targets(targets, 10);
	memmove(targets + 4, targets + 5, 5 * sizeof(*targets));
	ck_assert_int_eq(lp_maglev_fill(after, targets, 9), 0);
	for (int place = 0; place < LP_MAGLEV_SIZE; place++)
		if (before[place] != 4 && before[place] != after[place])
			moved++;
	ck_assert_uint_lt(moved, LP_MAGLEV_SIZE / 20);
}
END_TEST

START_TEST(order_and_values_do_not_matter)
{
	struct lp_maglev_target targets[TARGETS];
	struct lp_maglev_target reverse[TARGETS];
	uint16_t table[LP_MAGLEV_SIZE];
	uint16_t other[LP_MAGLEV_SIZE];

	make_targets(targets, 7);
	for (int i = 0; i < 7; i++) {
		reverse[i] = targets[6 - i];
		reverse[i].value = (uint16_t)(reverse[i].value + 100);
	}
	ck_assert_int_eq(lp_maglev_fill(table, targets, 7), 0);
	ck_assert_int_eq(lp_maglev_fill(other, reverse, 7), 0);
	for (int place = 0; place < LP_MAGLEV_SIZE; place++)
		ck_assert_uint_eq(table[place] + 100, other[place]);
}
END_TEST

/* Another host, another build: the choice must be the same for ever. */
START_TEST(table_is_the_same_everywhere)
{
	struct lp_maglev_target targets[TARGETS];
	uint16_t table[LP_MAGLEV_SIZE];
	uint32_t sum = 0;

	make_targets(targets, 3);
	ck_assert_int_eq(lp_maglev_fill(table, targets, 3), 0);
	for (int place = 0; place < LP_MAGLEV_SIZE; place++)
		sum = sum * 31 + table[place];
	ck_assert_uint_eq(sum, 1087884818);
}
END_TEST

/* ---- swap ------------------------------------------------------------- */

struct reader {
	struct lp_snapshot_cell *cell;
	atomic_bool stop;
	_Atomic uint64_t reads;
};

static void *
read_snapshots(void *arg)
{
	struct reader *reader = arg;
	struct lp_endpoint vip = endpoint("10.9.0.100:9100");
	uint64_t last = 0;

	lp_grace_register();
	while (!atomic_load(&reader->stop)) {
		const struct lp_snapshot *now = lp_snapshot_get(reader->cell);

		/* A snapshot is whole, and never an older one. */
		ck_assert_uint_ge(now->generation, last);
		last = now->generation;
		ck_assert_ptr_nonnull(
		    lp_snapshot_service(now, &vip.ip, vip.port));
		atomic_fetch_add(&reader->reads, 1);
		if (last % 3 == 0) {
			lp_grace_offline(reader->cell);
			lp_grace_online();
		} else {
			lp_grace_quiescent(reader->cell);
		}
	}
	lp_grace_unregister(reader->cell);
	return NULL;
}

START_TEST(readers_see_whole_snapshots_only)
{
	struct lp_snapshot_cell cell = {NULL};
	struct reader readers[2] = {{.cell = &cell}, {.cell = &cell}};
	pthread_t threads[2];

	begin();
	lp_snapshot_publish(&cell, snapshot);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
				     read_snapshots, &readers[i]),
		    0);
	for (uint64_t i = 1; i <= 300; i++) {
		ck_assert_int_eq(lp_snapshot_build(
				     &snapshot, &config, &ports, &region, NULL),
		    0);
		snapshot->generation = i;
		lp_snapshot_publish(&cell, snapshot);
	}
	for (int i = 0; i < 2; i++) {
		atomic_store(&readers[i].stop, true);
		pthread_join(threads[i], NULL);
		ck_assert_uint_gt(atomic_load(&readers[i].reads), 0);
	}
	lp_snapshot_publish(&cell, NULL);
	snapshot = NULL;
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    ports_are_in_their_slots,
	    own_addresses_are_on_their_ports,
	    groups_are_those_of_ports_that_are_alone,
	    every_endpoint_is_a_service,
	    clusters_that_are_the_same_have_one_id,
	    bootstrap_is_balanced_over_its_own_brokers,
	    listener_without_brokers_has_no_target,
	    empty_configuration_has_an_empty_snapshot,
	    counters_keep_their_places,
	    places_are_released_when_nothing_counts_there,
	    full_table_of_counters_is_an_error,
	    shares_are_equal_within_two_percent,
	    few_move_when_one_goes,
	    order_and_values_do_not_matter,
	    table_is_the_same_everywhere,
	    readers_see_whole_snapshots_only,
	    NULL,
	};

	return cold_run("snapshot", tests);
}
