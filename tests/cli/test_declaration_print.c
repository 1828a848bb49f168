/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is exported of a configuration: its form, that no id shows in it, and
 * that texts are quoted where YAML would take them for something else.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/declaration.h"
#include "cli/yaml_print.h"
#include "tests/cli/support.h"
#include "tests/proto/objects.h"

/* In an order that is not the one of the file. */
static void
make_all(struct lp_config *config)
{
	struct lp_object object;

	make_config(config);
	object = make_rule(90, "yes", 100,
	    "api=Produce client_id=7,\"batch *\"*,\"\"",
	    "limit bytes=50MB/s burst=6MB per=client_id");
	strcpy(object.owner, "team-a");
	put(config, object);
	put(config,
	    make_rule(91, "nobody-deletes", 200,
		"api=DeleteTopics,DeleteRecords", "deny"));
	object = make_rule(30, "older", 100, "", "allow dscp=46 mirror=tap");
	object.rule.shadow = true;
	put(config, object);
	put(config,
	    make_rule(31, "long", 7,
		"client_id=\"#\",\"a b\",\"\xc3\xa9\xe2\x80\xa8\",-,~,a:,a#,"
		"\"a\\\"\\\\b\" "
		"topic=abcdefghijklmnopqrstuvwxyz,abcdefghijklmnopqrstuvwxy,"
		"abcdefghijklmnopqrstuvwx,abcdefghijklmnopqrstuvw,a",
		"observe"));
	object = make_cluster(20, "aside");
	object.cluster.same_as = PAYMENTS;
	strcpy(object.owner, "team-b");
	put(config, object);
	object = make_cluster(21, "seen");
	object.cluster.discover = true;
	put(config, object);
	object = make_broker(22, 21, 5, "10.8.0.25:9092");
	object.broker.discovered = true;
	put(config, object);
	object = make_broker(23, 21, 70000, "10.8.0.26:9092");
	strcpy(object.broker.host, "kafka-6.internal");
	put(config, object);
	put(config, make_listener(25, 21, "b", "10.9.0.102:9092"));
	object = make_listener(24, 21, "1", "10.9.0.101:9092");
	object.listener.broker_base = 9093;
	object.listener.source_address = LP_SOURCE_PRESERVE;
	object.listener.kafka = LP_LOOK_OFF;
	object.listener.rewrite = LP_REWRITING_OFF;
	object.listener.unjudged = LP_UNJUDGED_RESET;
	strcpy(object.listener.advertise, "*.k.example.com");
	put(config, object);
	for (uint32_t id = 26; id < 28; id++) {
		object = make_endpoint(id, id - 2, 23,
		    id == 26 ? "10.9.0.106:9092" : "10.9.0.107:9092");
		object.endpoint.chosen = true;
		put(config, object);
	}
	object = make_inline(28, ORDERS, "wire");
	strcpy(object.owner, "team-b");
	put(config, object);
	object = make_peer(29, "left", "right");
	object.port.on_loss = LP_ON_LOSS_WIRE;
	put(config, object);
	object = make_port(19, "wide", LP_SIDE_BOTH,
	    "10.1.0.1/24 10.2.0.1/24 10.3.0.1/24 fd00::1/64 fd00:1::1/64 "
	    "fd00:2::1/64",
	    "10.1.0.2", "fd00::2");
	object.port.backend = LP_BACKEND_DPDK;
	object.port.mtu = 9000;
	object.port.allow_default_route = true;
	strcpy(object.port.device, "net_af_packet0,iface=eth1");
	put(config, object);
}

static char *
print(const struct lp_config *config, const char *owner, bool json)
{
	struct lp_declaration declaration;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(lp_declaration_from_config(&declaration, config), 0);
	ck_assert_int_eq(json
		? lp_declaration_print_json(out, &declaration, owner)
		: lp_declaration_print(out, &declaration, owner),
	    0);
	fclose(out);
	lp_declaration_fini(&declaration);
	return text;
}

static void
compare(const struct lp_config *config, const char *owner, const char *name)
{
	for (int json = 0; json < 2; json++) {
		char *text = print(config, owner, json);

		support_golden(name, json ? "json" : "yaml", text);
		free(text);
	}
}

START_TEST(all_that_there_is)
{
	struct lp_config config;

	make_all(&config);
	compare(&config, NULL, "export");
	lp_config_fini(&config);
}
END_TEST

START_TEST(what_one_owner_has)
{
	struct lp_config config;

	make_all(&config);
	compare(&config, "team-a", "export_rules");
	compare(&config, "team-b", "export_owner");
	lp_config_fini(&config);
}
END_TEST

/* Named at the top if there is no more to be said of it. */
START_TEST(one_cluster)
{
	struct lp_config config;
	struct lp_object object;
	char *text;

	lp_config_init(&config);
	compare(&config, NULL, "export_nothing");
	put(&config, make_cluster(1, "payments"));
	put(&config, make_broker(2, 1, 1, "10.0.2.11:9092"));
	put(&config, make_listener(3, 1, "public", "10.9.0.100:9092"));
	compare(&config, NULL, "export_cluster");

	object = make_cluster(1, "payments");
	strcpy(object.owner, "team-a");
	put(&config, object);
	text = print(&config, NULL, false);
	ck_assert_ptr_nonnull(strstr(text,
	    "clusters:\n  - {name: payments, owner: team-a}\n"
	    "brokers:\n  - {id: 1, cluster: payments, "));
	free(text);
	text = print(&config, "team-a", false);
	ck_assert_str_eq(
	    text, "lightpath: 1\nowner: team-a\ncluster: payments\n");
	free(text);
	lp_config_fini(&config);
}
END_TEST

/* As if it had been made in another order; only rules have an age. */
START_TEST(no_id_shows)
{
	struct lp_config config, other;
	char *before, *after;

	make_all(&config);
	lp_config_init(&other);
	for (size_t i = 0; i < config.count; i++) {
		struct lp_object object = config.objects[i];
		bool rule = object.kind == LP_OBJECT_RULE;

		object.id = rule ? object.id + 1000 : 1000 - object.id;
		if (object.kind == LP_OBJECT_BROKER)
			object.broker.cluster_id =
			    1000 - object.broker.cluster_id;
		else if (object.kind == LP_OBJECT_LISTENER)
			object.listener.cluster_id =
			    1000 - object.listener.cluster_id;
		else if (object.kind == LP_OBJECT_CLUSTER &&
		    object.cluster.same_as != 0)
			object.cluster.same_as = 1000 - object.cluster.same_as;
		if (object.kind == LP_OBJECT_ENDPOINT) {
			object.endpoint.broker_id =
			    1000 - object.endpoint.broker_id;
			object.endpoint.listener_id =
			    1000 - object.endpoint.listener_id;
		}
		put(&other, object);
	}
	before = print(&config, NULL, false);
	after = print(&other, NULL, false);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	lp_config_fini(&config);
	lp_config_fini(&other);
}
END_TEST

static unsigned allocations, failing;

static void *
allocate(size_t size)
{
	return ++allocations == failing ? NULL : malloc(size);
}

/*
 * Whichever allocation fails, it is told, or does not matter; and nothing is
 * left behind.
 */
START_TEST(no_memory)
{
	struct lp_config config;
	struct lp_declaration declaration;
	unsigned told = 0;

	make_all(&config);
	ck_assert_int_eq(lp_declaration_from_config(&declaration, &config), 0);
	for (int json = 0; json < 2; json++) {
		char *wanted = print(&config, NULL, json);

		json_set_alloc_funcs(allocate, free);
		failing = 0;
		do {
			char *text;
			size_t size;
			FILE *out = open_memstream(&text, &size);
			int err;

			failing++;
			allocations = 0;
			err = json
			    ? lp_declaration_print_json(out, &declaration, NULL)
			    : lp_declaration_print(out, &declaration, NULL);
			fclose(out);
			ck_assert(err == -ENOMEM ||
			    (err == 0 && strcmp(text, wanted) == 0));
			told += err != 0;
			free(text);
		} while (failing <= allocations);
		json_set_alloc_funcs(malloc, free);
		free(wanted);
	}
	ck_assert_uint_gt(told, 500);
	lp_declaration_fini(&declaration);
	lp_config_fini(&config);
}
END_TEST

static const char *const plain[] = {"a", "batch-*", "10.9.0.1", "10.9.0.0/24",
    "10.0.2.11:9092", "kafka-3.internal:9092", "50MB", "100ms", "3-7", "3-",
    "eth1", "/dev/x", "payments/public", "a@b", "null0", "0000.a.b"};
static const char *const quoted[] = {"", "7", "-7", "007", "0x1F", "0o7", "0b1",
    "1_000", "_1", "1.5", ".5", "1e3", "1E-3", ".inf", ".NaN", "~", "null",
    "Null", "true", "FALSE", "yes", "No", "on", "OFF", "y", "N", "2001-01-02",
    "12:30", "1:2:3", "12:30.5", "fd00::1", "a:", "a: b", "a #b", "#a", "*",
    "*a", "&a", "!a", "%a", "@a", "`a", "- a", "-", "?", ":", "|", ">", "[a]",
    "{a}", "a,b", "'a'", "\"", "a b", " a", "a ", "=", "<<", "\xc3\xa9"};

START_TEST(texts_are_quoted_where_they_must_be)
{
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		ck_assert_msg(lp_yaml_print_is_plain(plain[i]), "%s", plain[i]);
	for (size_t i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++)
		ck_assert_msg(
		    !lp_yaml_print_is_plain(quoted[i]), "%s", quoted[i]);
}
END_TEST

static Suite *
declaration_print_suite(void)
{
	Suite *suite = suite_create("declaration_print");
	TCase *tcase = tcase_create("core");

	tcase_add_test(tcase, all_that_there_is);
	tcase_add_test(tcase, what_one_owner_has);
	tcase_add_test(tcase, one_cluster);
	tcase_add_test(tcase, no_id_shows);
	tcase_add_test(tcase, no_memory);
	tcase_add_test(tcase, texts_are_quoted_where_they_must_be);
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(declaration_print_suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
