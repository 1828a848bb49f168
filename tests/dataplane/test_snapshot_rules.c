/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/snapshot_rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/pipeline/rules.h"
#include "dataplane/region.h"
#include "proto/object_rule.h"
#include "tests/dataplane/cold.h"

enum { RULE = 100, RULES = 300 };

static struct lp_config config;
static struct lp_region region;
static struct lp_open_ports ports;
static struct lp_snapshot_fault fault;

static void
begin(void)
{
	cold_config(&config);
	ck_assert_int_eq(lp_region_open(&region, NULL, 64, 4096), 0);
}

static void
end(void)
{
	lp_region_close(&region);
	lp_config_fini(&config);
}

static void
put_rule(uint32_t id, const char *match, const char *action)
{
	char name[LP_NAME_SIZE], why[LP_WHY_SIZE];
	struct lp_object object;
	const char *field;

	snprintf(name, sizeof(name), "r%u", id);
	object = make_rule(id, name, id, match, action);
	ck_assert_msg(lp_object_rule_normalise(&object.rule, &field, why) == 0,
	    "%s: %s", match, why);
	put(&config, object);
}

static struct lp_snapshot *
build(void)
{
	struct lp_config_error error;
	struct lp_snapshot *snapshot;

	ck_assert_msg(lp_config_check(&config, &error) == 0, "%s: %s",
	    error.object, error.why);
	ck_assert_int_eq(
	    lp_snapshot_build(&snapshot, &config, &ports, &region, &fault), 0);
	return snapshot;
}

static uint32_t
slot_of(const struct lp_snapshot *snapshot, uint32_t id)
{
	const struct lp_rules *rules = snapshot->rules;

	for (uint32_t i = 0; i < rules->row_count; i++)
		if (rules->rows[i].id == id)
			return rules->rows[i].slot;
	ck_abort_msg("no rule %u", id);
	return 0;
}

static unsigned
slots_in_use(void)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < LP_RULE_SLOTS; i++)
		count += region.rules[i].rule_id != 0;
	return count;
}

START_TEST(without_rules_nothing_is_asked)
{
	struct lp_snapshot *snapshot;

	begin();
	snapshot = build();
	ck_assert_ptr_null(snapshot->rules);
	ck_assert_ptr_null(snapshot->request_rules);
	ck_assert_uint_eq(region.header->rule_slots, 0);
	lp_snapshot_free(snapshot);
	end();
}
END_TEST

START_TEST(requests_are_looked_at_only_where_a_rule_asks_for_them)
{
	struct lp_snapshot *snapshot;

	begin();
	put_rule(RULE, "src=10.0.0.0/8", "reset");
	put_rule(RULE + 1, "", "observe");
	snapshot = build();
	ck_assert_ptr_nonnull(snapshot->rules);
	ck_assert_ptr_null(snapshot->request_rules);
	lp_snapshot_free(snapshot);
	put_rule(RULE + 2, "api=Fetch", "observe");
	snapshot = build();
	ck_assert_ptr_eq(snapshot->request_rules, snapshot->rules);
	lp_snapshot_free(snapshot);
	end();
}
END_TEST

START_TEST(names_are_those_of_the_configuration)
{
	struct lp_snapshot *snapshot;
	struct lp_rules_found found;
	struct lp_rules_connection connection = {.cluster = ORDERS,
	    .listener = ORDERS_PUBLIC,
	    .port = FRONT,
	    .broker = 1};

	begin();
	put_rule(
	    RULE, "cluster=orders listener=orders/public port=front", "reset");
	snapshot = build();
	lp_rules_connection(snapshot->rules, &connection, &found);
	ck_assert_uint_eq(found.decides, 0);
	connection.listener = PAYMENTS_PUBLIC;
	lp_rules_connection(snapshot->rules, &connection, &found);
	ck_assert_uint_eq(found.decides, LP_RULES_NONE);
	lp_snapshot_free(snapshot);
	end();
}
END_TEST

START_TEST(a_rule_keeps_its_slot_and_its_counts)
{
	struct lp_snapshot *snapshot, *next;
	uint32_t kept;

	begin();
	for (uint32_t i = 0; i < RULES; i++)
		put_rule(RULE + i, "", "observe");
	snapshot = build();
	ck_assert_uint_eq(region.header->rule_slots, RULES);
	kept = slot_of(snapshot, RULE + 150);
	lp_count_set(&region.rules[kept].requests, 7);
	for (uint32_t i = 0; i < RULES; i++)
		if (i != 150)
			lp_config_remove(&config, LP_OBJECT_RULE, RULE + i);
	put_rule(RULE + 1000, "", "observe");
	next = build();
	ck_assert_uint_eq(slot_of(next, RULE + 150), kept);
	ck_assert_uint_eq(lp_count_get(&region.rules[kept].requests), 7);
	/* Those of the running one are not taken. */
	ck_assert_uint_eq(slot_of(next, RULE + 1000), RULES);
	lp_snapshot_free(snapshot);
	lp_snapshot_free(next);
	end();
}
END_TEST

START_TEST(slots_are_free_again_and_count_from_zero)
{
	struct lp_snapshot *snapshot;
	uint32_t slot;

	begin();
	for (uint32_t i = 0; i < RULES; i++)
		put_rule(RULE + i, "", "observe");
	snapshot = build();
	slot = slot_of(snapshot, RULE);
	lp_count_set(&region.rules[slot].connections, 9);
	lp_snapshot_free(snapshot);
	for (uint32_t i = 0; i < RULES; i++)
		lp_config_remove(&config, LP_OBJECT_RULE, RULE + i);
	snapshot = build();
	ck_assert_uint_eq(slots_in_use(), RULES);
	lp_snapshot_release_counters(snapshot, &region);
	ck_assert_uint_eq(slots_in_use(), 0);
	lp_snapshot_free(snapshot);
	put_rule(RULE + 1, "", "observe");
	snapshot = build();
	slot = slot_of(snapshot, RULE + 1);
	ck_assert_uint_eq(slot, 0);
	ck_assert_uint_eq(lp_count_get(&region.rules[slot].connections), 0);
	lp_snapshot_release_counters(snapshot, &region);
	ck_assert_uint_eq(slots_in_use(), 1);
	lp_snapshot_free(snapshot);
	end();
}
END_TEST

/* Of addresses: each pair of lengths is a tuple, and there are more than may
 * be. */
START_TEST(what_cannot_be_compiled_names_the_rule)
{
	struct lp_snapshot *snapshot, *running;
	char match[LP_RULE_MATCH_SIZE];
	unsigned made = 0;

	begin();
	put_rule(RULE, "", "observe");
	running = build();
	for (unsigned i = 1; i <= 32; i++)
		for (unsigned j = 1; j <= 32; j++, made++) {
			snprintf(match, sizeof(match),
			    "src=0.0.0.0/%u dst="
			    "0.0.0.0/%u",
			    i, j);
			put_rule(RULE + 1 + made, match, "observe");
		}
	put_rule(RULE + 1 + made, "src_port=1 src=1.2.3.4", "observe");
	ck_assert_int_eq(
	    lp_snapshot_build(&snapshot, &config, &ports, &region, &fault),
	    -ENOSPC);
	ck_assert_uint_ge(fault.object_id, RULE);
	ck_assert_str_eq(fault.field, "match");
	ck_assert_str_eq(fault.why,
	    "one more combination of fields and lengths of prefixes than 1024 "
	    "over all rules");
	lp_snapshot_release_counters(running, &region);
	ck_assert_uint_eq(slots_in_use(), 1);
	lp_snapshot_free(running);
	end();
}
END_TEST

START_TEST(a_broker_is_known_by_cluster_and_address)
{
	struct lp_snapshot *snapshot;
	struct lp_ip ip;

	begin();
	put_rule(RULE, "api=Fetch from=broker", "observe");
	snapshot = build();
	ck_assert_int_eq(lp_ip_parse(&ip, "10.8.0.20", NULL), 0);
	ck_assert(lp_snapshot_is_broker(snapshot, PAYMENTS, &ip));
	ck_assert(!lp_snapshot_is_broker(snapshot, ORDERS, &ip));
	ck_assert_int_eq(lp_ip_parse(&ip, "10.8.0.22", NULL), 0);
	ck_assert(!lp_snapshot_is_broker(snapshot, PAYMENTS, &ip));
	lp_snapshot_free(snapshot);
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {without_rules_nothing_is_asked,
	    requests_are_looked_at_only_where_a_rule_asks_for_them,
	    names_are_those_of_the_configuration,
	    a_rule_keeps_its_slot_and_its_counts,
	    slots_are_free_again_and_count_from_zero,
	    what_cannot_be_compiled_names_the_rule,
	    a_broker_is_known_by_cluster_and_address, NULL};

	return cold_run("snapshot_rules", tests);
}
