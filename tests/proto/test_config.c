/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <xxhash.h>

#include "objects.h"

/* The linker leads the library's calls here; true: fail them. */
static bool no_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
XXH3_state_t *__real_XXH3_createState(void);
XXH3_state_t *__wrap_XXH3_createState(void);

void *
__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return no_memory ? NULL : __real_reallocarray(old, count, size);
}

XXH3_state_t *
__wrap_XXH3_createState(void)
{
	return no_memory ? NULL : __real_XXH3_createState();
}

START_TEST(objects_are_kept_in_canonical_order)
{
	struct lp_config config;

	lp_config_init(&config);
	put(&config, make_broker(7, 1, 0, "10.0.0.1:1"));
	put(&config, make_cluster(9, "c"));
	put(&config, make_broker(3, 1, 1, "10.0.0.1:1"));
	put(&config, make_cluster(1, "a"));
	put(&config, make_endpoint(2, 1, 1, "10.0.0.1:1"));
	put(&config, make_port(8, "p", LP_SIDE_BOTH, "", NULL, NULL));
	ck_assert_uint_eq(config.count, 6);
	for (size_t i = 1; i < config.count; i++) {
		const struct lp_object *a = &config.objects[i - 1], *b = a + 1;

		ck_assert(
		    a->kind < b->kind || (a->kind == b->kind && a->id < b->id));
	}
	lp_config_fini(&config);
	ck_assert_ptr_null(config.objects);
	ck_assert_uint_eq(config.count, 0);
}
END_TEST

START_TEST(put_replaces_what_has_the_same_kind_and_id)
{
	struct lp_config config;

	lp_config_init(&config);
	put(&config, make_cluster(1, "old"));
	put(&config, make_broker(1, 1, 0, "10.0.0.1:1"));
	put(&config, make_cluster(1, "new"));
	ck_assert_uint_eq(config.count, 2);
	ck_assert_str_eq(
	    lp_config_find(&config, LP_OBJECT_CLUSTER, 1)->cluster.name, "new");
	/* Also with itself. */
	ck_assert_int_eq(lp_config_put(&config, &config.objects[0]), 0);
	ck_assert_uint_eq(config.count, 2);
	lp_config_fini(&config);
}
END_TEST

START_TEST(what_was_removed_is_gone_and_the_rest_is_there)
{
	struct lp_config config;

	make_config(&config);
	for (uint32_t id = 1; id < NEXT_ID; id++) {
		unsigned kind = config.objects[0].kind;
		uint32_t first = config.objects[0].id;

		ck_assert_int_eq(lp_config_remove(&config, kind, first), 0);
		ck_assert_ptr_null(lp_config_find(&config, kind, first));
		ck_assert_int_eq(
		    lp_config_remove(&config, kind, first), -ENOENT);
		ck_assert_uint_eq(config.count, NEXT_ID - 1 - id);
	}
	ck_assert_int_eq(lp_config_remove(&config, LP_OBJECT_PORT, 1), -ENOENT);
	lp_config_fini(&config);
}
END_TEST

/* Of 20 rules those whose bit is set; the bits are of ids from 1. */
START_TEST(what_was_removed_at_once_is_gone_and_the_rest_is_there)
{
	static const uint32_t masks[] = {
	    0, 1, 0x80000, 0xfffff, 0x55555, 0xaaaaa, 0x0ff00, 0xf000f};
	struct lp_config config;

	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		uint32_t ids[20];
		size_t count = 0;

		make_config(&config);
		for (uint32_t id = 1; id <= 20; id++) {
			put(&config, make_rule(id, "r", id, "", "observe"));
			if (masks[i] & 1u << (id - 1))
				ids[count++] = id;
		}
		lp_config_remove_all(&config, LP_OBJECT_RULE, ids, count);
		ck_assert_uint_eq(config.count, NEXT_ID - 1 + 20 - count);
		ck_assert_uint_eq(lp_config_count_plain(&config), NEXT_ID - 1);
		for (uint32_t id = 1; id <= 20; id++) {
			const struct lp_object *rule =
			    lp_config_find(&config, LP_OBJECT_RULE, id);

			ck_assert_int_eq(
			    rule == NULL, (masks[i] & 1u << (id - 1)) != 0);
			if (rule)
				ck_assert_uint_eq(rule->rule.priority, id);
		}
		lp_config_fini(&config);
	}
}
END_TEST

START_TEST(every_kind_has_its_limit)
{
	static const size_t max[] = {LP_PORTS_MAX, LP_CLUSTERS_MAX,
	    LP_BROKERS_MAX, LP_LISTENERS_MAX, LP_ENDPOINTS_MAX, LP_RULES_MAX};
	struct lp_config config;
	struct lp_object object;

	lp_config_init(&config);
	for (unsigned kind = LP_OBJECT_PORT; kind < LP_OBJECT_KINDS; kind++) {
		lp_object_init(&object, kind);
		for (object.id = 1; object.id <= max[kind - 1]; object.id++)
			put(&config, object);
		ck_assert_int_eq(lp_config_put(&config, &object), -ENOSPC);
		/* To replace one is no growth. */
		object.id = 1;
		put(&config, object);
	}
	ck_assert_uint_eq(config.count, LP_OBJECTS_MAX);
	lp_config_fini(&config);
}
END_TEST

START_TEST(objects_are_found_by_name)
{
	const struct lp_object *found;
	struct lp_config config;

	make_config(&config);
	found = lp_config_find_name(&config, LP_OBJECT_PORT, 0, "back");
	ck_assert_uint_eq(found->id, BACK);
	found = lp_config_find_name(&config, LP_OBJECT_CLUSTER, 0, "orders");
	ck_assert_uint_eq(found->id, ORDERS);
	found =
	    lp_config_find_name(&config, LP_OBJECT_LISTENER, ORDERS, "public");
	ck_assert_uint_eq(found->id, ORDERS_PUBLIC);
	found =
	    lp_config_find_text(&config, LP_OBJECT_LISTENER, "orders/public");
	ck_assert_uint_eq(found->id, ORDERS_PUBLIC);
	found = lp_config_find_text(&config, LP_OBJECT_CLUSTER, "payments");
	ck_assert_uint_eq(found->id, PAYMENTS);
	ck_assert_ptr_null(
	    lp_config_find_text(&config, LP_OBJECT_LISTENER, "public"));
	ck_assert_ptr_null(
	    lp_config_find_text(&config, LP_OBJECT_LISTENER, "x/public"));
	put(&config, make_rule(70, "deny-x", 1, "", "observe"));
	found = lp_config_find_name(&config, LP_OBJECT_RULE, 0, "deny-x");
	ck_assert_uint_eq(found->id, 70);
	found = lp_config_find_broker(&config, PAYMENTS, 1);
	ck_assert_uint_eq(found->id, PAYMENTS_1);
	ck_assert_ptr_null(
	    lp_config_find_name(&config, LP_OBJECT_CLUSTER, 0, "back"));
	ck_assert_ptr_null(lp_config_find_name(
	    &config, LP_OBJECT_LISTENER, NEXT_ID, "public"));
	ck_assert_ptr_null(lp_config_find_broker(&config, ORDERS, 0));
	ck_assert_ptr_null(lp_config_find(&config, LP_OBJECT_PORT, PAYMENTS));
	lp_config_fini(&config);
}
END_TEST

START_TEST(ranges_are_the_objects_of_a_kind)
{
	static const size_t counts[] = {2, 2, 3, 2, 3, 0};
	struct lp_config config;
	size_t first, next = 0;

	make_config(&config);
	for (unsigned kind = LP_OBJECT_PORT; kind < LP_OBJECT_KINDS; kind++) {
		ck_assert_uint_eq(
		    lp_config_range(&config, kind, &first), counts[kind - 1]);
		ck_assert_uint_eq(first, next);
		next += counts[kind - 1];
	}
	lp_config_fini(&config);
	ck_assert_uint_eq(
	    lp_config_range(&config, LP_OBJECT_BROKER, &first), 0);
}
END_TEST

START_TEST(labels_name_the_object_and_what_it_is_of)
{
	static const char *const labels[] = {"port front", "port back",
	    "cluster payments", "cluster orders", "broker payments/0",
	    "broker payments/1", "broker orders/1", "listener payments/public",
	    "listener orders/public", "endpoint payments/public/0",
	    "endpoint payments/public/1", "endpoint orders/public/1"};
	char buf[LP_OBJECT_LABEL_SIZE];
	struct lp_config config;
	struct lp_object lost = make_broker(50, 51, 52, "10.0.0.1:1");

	make_config(&config);
	for (size_t i = 0; i < config.count; i++)
		ck_assert_str_eq(
		    lp_config_label(&config, &config.objects[i], buf),
		    labels[i]);
	ck_assert_str_eq(lp_config_label(&config, &lost, buf), "broker 51/52");
	lost = make_endpoint(50, 51, 52, "10.0.0.1:1");
	ck_assert_str_eq(lp_config_label(&config, &lost, buf), "endpoint 50");
	lost = make_rule(50, "deny-x", 1, "", "observe");
	ck_assert_str_eq(lp_config_label(&config, &lost, buf), "rule deny-x");
	lp_config_fini(&config);
}
END_TEST

START_TEST(the_longest_label_fits)
{
	char buf[LP_OBJECT_LABEL_SIZE], name[LP_NAME_SIZE] = "";
	struct lp_config config;

	memset(name, 'x', LP_NAME_SIZE - 1);
	lp_config_init(&config);
	put(&config, make_cluster(1, name));
	put(&config, make_broker(2, 1, INT32_MAX, "10.0.0.1:1"));
	put(&config, make_listener(3, 1, name, "10.0.0.1:1"));
	put(&config, make_endpoint(4, 3, 2, "10.0.0.1:1"));
	lp_config_label(&config, &config.objects[3], buf);
	ck_assert_uint_eq(strlen(buf), strlen("endpoint //2147483647") + 126);
	ck_assert_str_eq(strrchr(buf, '/'), "/2147483647");
	lp_config_fini(&config);
}
END_TEST

START_TEST(a_copy_is_equal_and_its_own)
{
	struct lp_config config, copy;

	make_config(&config);
	make_config(&copy);
	put(&copy, make_cluster(99, "old"));
	ck_assert_int_eq(lp_config_copy(&copy, &config), 0);
	ck_assert_uint_eq(copy.count, config.count);
	ck_assert_uint_eq(lp_config_digest(&copy), lp_config_digest(&config));
	put(&copy, make_cluster(PAYMENTS, "other"));
	put(&copy, make_cluster(99, "new"));
	ck_assert_str_eq(
	    lp_config_find(&config, LP_OBJECT_CLUSTER, PAYMENTS)->cluster.name,
	    "payments");
	ck_assert_ptr_null(lp_config_find(&config, LP_OBJECT_CLUSTER, 99));
	lp_config_fini(&config);
	ck_assert_int_eq(lp_config_copy(&copy, &config), 0);
	ck_assert_uint_eq(copy.count, 0);
	lp_config_fini(&copy);
}
END_TEST

/* Cut anywhere, and joined again. */
START_TEST(parts_join_to_the_whole)
{
	struct lp_config whole, first, last;
	struct lp_object more = make_cluster(9, "z");

	lp_config_init(&whole);
	lp_config_init(&first);
	lp_config_init(&last);
	for (uint32_t id = 1; id <= 3; id++)
		put(&whole, make_cluster(id, "c"));
	ck_assert_int_eq(lp_config_copy_part(&first, &whole, 0, (size_t)_i), 0);
	ck_assert_int_eq(
	    lp_config_copy_part(&last, &whole, (size_t)_i, 3 - (size_t)_i), 0);
	no_memory = true;
	ck_assert_int_eq(lp_config_join(&first, &last), _i == 3 ? 0 : -ENOMEM);
	ck_assert_uint_eq(last.count, 3 - (size_t)_i);
	no_memory = false;
	ck_assert_int_eq(lp_config_join(&first, &last), 0);
	ck_assert_ptr_null(last.objects);
	ck_assert_uint_eq(lp_config_digest(&first), lp_config_digest(&whole));
	put(&whole, more);
	ck_assert_int_eq(lp_config_append(&first, &more), 0);
	ck_assert_uint_eq(lp_config_digest(&first), lp_config_digest(&whole));
	lp_config_fini(&first);
	lp_config_fini(&last);
	lp_config_fini(&whole);
}
END_TEST

START_TEST(no_memory_leaves_everything_as_it_was)
{
	struct lp_config config, copy, empty;
	struct lp_object object = make_cluster(99, "new");
	uint64_t digest;

	make_config(&config);
	make_config(&copy);
	lp_config_init(&empty);
	while (copy.count < copy.size) {
		object.id++;
		put(&copy, object);
	}
	digest = lp_config_digest(&copy);
	no_memory = true;
	object.id++;
	ck_assert_int_eq(lp_config_put(&empty, &object), -ENOMEM);
	ck_assert_int_eq(lp_config_put(&copy, &object), -ENOMEM);
	ck_assert_int_eq(lp_config_copy(&copy, &config), -ENOMEM);
	ck_assert_uint_eq(lp_config_digest(&copy), 0);
	no_memory = false;
	ck_assert_uint_eq(empty.count, 0);
	ck_assert_uint_eq(lp_config_digest(&copy), digest);
	lp_config_fini(&copy);
	lp_config_fini(&config);
}
END_TEST

START_TEST(the_digest_does_not_depend_on_the_way_there)
{
	struct lp_config config, other;
	uint64_t digest;

	make_config(&config);
	digest = lp_config_digest(&config);
	lp_config_init(&other);
	put(&other, make_cluster(500, "passing"));
	for (size_t i = config.count; i-- > 0;) {
		struct lp_object object;

		/* Whatever lies between the members is not content. */
		memset(&object, 0xa5, sizeof(object));
		object = config.objects[i];
		put(&other, object);
	}
	ck_assert_uint_ne(lp_config_digest(&other), digest);
	ck_assert_int_eq(lp_config_remove(&other, LP_OBJECT_CLUSTER, 500), 0);
	ck_assert_uint_eq(lp_config_digest(&other), digest);
	lp_config_fini(&other);
	lp_config_fini(&config);
}
END_TEST

/* Both sides of an upgrade must agree: another value is another protocol. */
START_TEST(the_digest_is_the_same_for_ever)
{
	struct lp_config config;

	lp_config_init(&config);
	ck_assert_uint_eq(lp_config_digest(&config), 0x2d06800538d394c2ull);
	make_config(&config);
	ck_assert_uint_eq(lp_config_digest(&config), 0x8f1a6cbf692c6c8cull);
	lp_config_fini(&config);
}
END_TEST

#define CHANGE(statement)                                                      \
	do {                                                                   \
		struct lp_object object = *before;                             \
		statement;                                                     \
		put(&config, object);                                          \
		ck_assert_msg(                                                 \
		    lp_config_digest(&config) != digest, #statement);          \
		put(&config, *before);                                         \
		ck_assert_uint_eq(lp_config_digest(&config), digest);          \
	} while (0)

static void
change_every_field(struct lp_config *at, const struct lp_object *original)
{
	struct lp_object copy = *original, *before = &copy;
	uint64_t digest = lp_config_digest(at);
	struct lp_config config = *at;

	CHANGE(strcpy(object.owner, "edge"));
	switch (before->kind) {
	case LP_OBJECT_PORT:
		CHANGE(object.port.name[0] ^= 1);
		CHANGE(object.port.device[0] ^= 1);
		CHANGE(object.port.backend = LP_BACKEND_DPDK);
		CHANGE(object.port.side ^= 3);
		CHANGE(object.port.allow_default_route = true);
		CHANGE(object.port.address_count--);
		CHANGE(object.port.addresses[0].ip.bytes[15]++);
		CHANGE(object.port.addresses[0].len++);
		CHANGE(object.port.gateway_v4.bytes[15]++);
		CHANGE(object.port.gateway_v6.bytes[15]++);
		CHANGE(object.port.mtu = 9000);
		CHANGE(strcpy(object.port.peer, "p"));
		break;
	case LP_OBJECT_CLUSTER:
		CHANGE(object.cluster.name[0] ^= 1);
		break;
	case LP_OBJECT_BROKER:
		CHANGE(object.broker.cluster_id++);
		CHANGE(object.broker.node_id++);
		CHANGE(object.broker.host[0] ^= 1);
		CHANGE(object.broker.real.ip.bytes[15]++);
		CHANGE(object.broker.real.port++);
		break;
	case LP_OBJECT_LISTENER:
		CHANGE(object.listener.cluster_id++);
		CHANGE(object.listener.name[0] ^= 1);
		CHANGE(object.listener.vip.ip.bytes[15]++);
		CHANGE(object.listener.vip.port++);
		CHANGE(object.listener.broker_base++);
		CHANGE(object.listener.mode++);
		CHANGE(object.listener.source_address++);
		CHANGE(object.listener.kafka++);
		CHANGE(object.listener.unjudged++);
		break;
	case LP_OBJECT_ENDPOINT:
		CHANGE(object.endpoint.listener_id++);
		CHANGE(object.endpoint.broker_id++);
		CHANGE(object.endpoint.vip.ip.bytes[15]++);
		CHANGE(object.endpoint.vip.port++);
		break;
	case LP_OBJECT_RULE:
		CHANGE(object.rule.name[0] ^= 1);
		CHANGE(object.rule.priority++);
		CHANGE(object.rule.shadow = true);
		CHANGE(object.rule.match[0] ^= 1);
		CHANGE(object.rule.action[0] ^= 1);
		break;
	}
	*at = config;
}

START_TEST(every_field_changes_the_digest)
{
	struct lp_config config;

	make_config(&config);
	put(&config, make_rule(NEXT_ID, "r", 1, "api=Fetch", "observe"));
	for (size_t i = 0; i < config.count; i++)
		change_every_field(&config, &config.objects[i]);
	lp_config_fini(&config);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, objects_are_kept_in_canonical_order);
	tcase_add_test(tests, put_replaces_what_has_the_same_kind_and_id);
	tcase_add_test(tests, what_was_removed_is_gone_and_the_rest_is_there);
	tcase_add_test(
	    tests, what_was_removed_at_once_is_gone_and_the_rest_is_there);
	tcase_add_test(tests, every_kind_has_its_limit);
	tcase_add_test(tests, objects_are_found_by_name);
	tcase_add_test(tests, ranges_are_the_objects_of_a_kind);
	tcase_add_test(tests, labels_name_the_object_and_what_it_is_of);
	tcase_add_test(tests, the_longest_label_fits);
	tcase_add_test(tests, a_copy_is_equal_and_its_own);
	tcase_add_loop_test(tests, parts_join_to_the_whole, 0, 4);
	tcase_add_test(tests, no_memory_leaves_everything_as_it_was);
	tcase_add_test(tests, the_digest_does_not_depend_on_the_way_there);
	tcase_add_test(tests, the_digest_is_the_same_for_ever);
	tcase_add_test(tests, every_field_changes_the_digest);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
