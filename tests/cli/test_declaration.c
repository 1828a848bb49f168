/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files become objects, and these operations.  What is said of files that are
 * wrong test_check.sh compares.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/declaration_check.h"
#include "cli/declaration_names.h"
#include "cli/declaration_operation.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

static unsigned fail_in; /* this allocation from now; 0: none */
static unsigned armed; /* where files are read from */

static bool
fails(void)
{
	if (fail_in == 0 || --fail_in > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, count, size);
}

static struct lp_declaration declaration;
static struct lp_report *report;

static int
load(const char *text)
{
	int fd = memfd_create("declaration", MFD_CLOEXEC);
	char path[64];
	const char *const paths[] = {path};
	int err;

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(lp_report_new(&report), 0);
	fail_in = armed;
	err = lp_declaration_load(&declaration, report, paths, 1);
	close(fd);
	return err;
}

/* Without an error. */
static void
load_all(const char *text)
{
	const struct lp_problem *problems;
	size_t count;

	ck_assert_int_eq(load(text), 0);
	problems = lp_report_problems(report, &count);
	ck_assert_msg(count == 0, "%s", count > 0 ? problems[0].text : "");
}

static void
teardown(void)
{
	lp_declaration_fini(&declaration);
	lp_report_free(report);
	report = NULL;
}

static const char *const whole =
    "lightpath: 1\n"
    "cluster: c\n"
    "rules:\n"
    "- {name: r, priority: 7, match: {api: [fetch]}, action: deny}\n"
    "- {name: s, priority: 7, match: '', action: observe, shadow: true}\n"
    "brokers:\n"
    "- {id: 1, endpoint: 10.0.2.11:9092, endpoints: {a: 10.9.0.1:1}}\n"
    "listeners:\n"
    "- {name: a, vip: 10.9.0.100, port: 9092, unjudged: pass}\n"
    "- {name: i, cluster: d, mode: inline}\n"
    "- {name: o, vip: 10.9.0.101, port: 9092, kafka: off}\n"
    "clusters:\n"
    "- {name: e, same_as: d, owner: x}\n"
    "- {name: d, discover: true}\n"
    "ports:\n"
    "- {name: p, device: eth1, addresses: [10.9.0.10/24, fd00::1/64],"
    "   gateway: [10.9.0.1, fe80::1]}\n";

START_TEST(objects_are_ordered_as_they_are_added)
{
	static const char *const labels[] = {"port p", "cluster d", "cluster c",
	    "cluster e", "listener c/a", "listener d/i", "listener c/o",
	    "broker c/1", "rule r", "rule s"};
	char label[LP_OBJECT_LABEL_SIZE];

	load_all(whole);
	ck_assert_uint_eq(
	    declaration.count, sizeof(labels) / sizeof(labels[0]));
	for (size_t i = 0; i < declaration.count; i++)
		ck_assert_str_eq(
		    lp_declaration_names_label(label, &declaration.list[i]),
		    labels[i]);
	ck_assert_uint_eq(declaration.owner_count, 1);
	ck_assert_str_eq(declaration.owners[0], "");
	ck_assert_str_eq(declaration.list[3].object.owner, "x");
}
END_TEST

START_TEST(what_is_left_out_is_as_by_default)
{
	const struct lp_listener_object *listener;
	const struct lp_port_object *port;

	load_all(whole);
	port = &declaration.list[0].object.port;
	ck_assert_uint_eq(port->side, LP_SIDE_BOTH);
	ck_assert_uint_eq(port->backend, LP_BACKEND_AF_XDP);
	ck_assert(lp_ip_is_v4(&port->gateway_v4));
	ck_assert(!lp_ip_is_none(&port->gateway_v6));
	listener = &declaration.list[4].object.listener;
	ck_assert_uint_eq(listener->broker_base, 9093);
	ck_assert_uint_eq(listener->rewrite, LP_REWRITING_ON);
	ck_assert_uint_eq(listener->source_address, LP_SOURCE_TRANSLATE);
	listener = &declaration.list[5].object.listener;
	ck_assert_uint_eq(listener->broker_base, 0);
	ck_assert_uint_eq(listener->rewrite, LP_REWRITING_OFF);
	ck_assert_uint_eq(listener->source_address, LP_SOURCE_PRESERVE);
	listener = &declaration.list[6].object.listener;
	ck_assert_uint_eq(listener->rewrite, LP_REWRITING_OFF);
	ck_assert_uint_eq(listener->unjudged, 0);
	ck_assert_str_eq(declaration.list[8].object.rule.match, "api=Fetch");
}
END_TEST

START_TEST(a_name_has_no_address_yet)
{
	const struct lp_broker_object *broker;

	load_all("lightpath: 1\n"
		 "cluster: c\n"
		 "brokers:\n"
		 "- {id: 1, endpoint: kafka-1:9093}\n"
		 "- {id: 5, endpoint: 10.0.2.15:9092}\n");
	/* Behind their cluster. */
	broker = &declaration.list[1].object.broker;
	ck_assert_str_eq(broker->host, "kafka-1");
	ck_assert_uint_eq(broker->real.port, 9093);
	ck_assert(lp_ip_is_none(&broker->real.ip));
	ck_assert(lp_ip_is_v4(&declaration.list[2].object.broker.real.ip));
}
END_TEST

START_TEST(a_set_leaves_nothing_of_what_was)
{
	struct lp_declaration_operation operations = {0};
	struct lp_declared_choice old_choices[] = {
	    {.listener = "a"}, {.listener = "b"}};
	struct lp_declared old = {.choices = old_choices, .choice_count = 2};
	const Lp__Pb__Operation *set, *port, *cluster, *listener, *del;

	load_all(whole);
	ck_assert_int_eq(lp_declaration_operation_set(
			     &operations, &declaration.list[7], &old),
	    0);
	old = (struct lp_declared){0};
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(lp_declaration_operation_set(
				     &operations, &declaration.list[i], &old),
		    0);
	ck_assert_int_eq(
	    lp_declaration_operation_del(&operations, &declaration.list[9]), 0);
	set = operations.list[0];
	ck_assert_int_eq(set->verb, LP__PB__OPERATION__VERB__SET);
	ck_assert_uint_eq(set->place, 1);
	ck_assert_uint_eq(set->n_endpoints, 2);
	ck_assert_str_eq(set->endpoints[0]->listener, "a");
	ck_assert_ptr_nonnull(set->endpoints[0]->vip);
	/* As by default from now on. */
	ck_assert_str_eq(set->endpoints[1]->listener, "b");
	ck_assert_ptr_null(set->endpoints[1]->vip);
	ck_assert(set->object->broker->has_discovered);
	port = operations.list[1];
	ck_assert(port->replace_addresses && port->replace_gateway);
	ck_assert(port->object->port->has_mtu && port->object->port->has_side);
	ck_assert_str_eq(port->object->port->peer, "");
	ck_assert_str_eq(port->object->owner, "");
	cluster = operations.list[2];
	ck_assert_str_eq(cluster->same_as, "");
	ck_assert_str_eq(operations.list[4]->same_as, "d");
	listener = operations.list[5];
	ck_assert_str_eq(listener->object->listener->advertise, "");
	ck_assert(listener->object->listener->has_rewrite);
	del = operations.list[6];
	ck_assert_ptr_null(del->object);
	ck_assert_str_eq(del->name, "s");
	lp_declaration_operation_fini(&operations);
}
END_TEST

/* Whatever of the two is without it, nothing is lost. */
START_TEST(without_memory_there_is_an_error)
{
	bool reached = true;

	for (unsigned n = 1; reached; n++) {
		int err;

		armed = n;
		err = load(whole);
		if (err == 0)
			err = lp_declaration_check(&declaration, report);
		reached = fail_in == 0;
		fail_in = 0;
		ck_assert_msg(err == (reached ? -ENOMEM : 0),
		    "allocation %u: %d", n, err);
		teardown();
	}
	armed = 0;
}
END_TEST

/* The report takes it, also where there is no memory for it. */
START_TEST(a_text_is_taken_also_if_that_fails)
{
	static const char text[] = "lightpath: 1\n";
	char *copy = malloc(sizeof(text));

	memcpy(copy, text, sizeof(text));
	ck_assert_int_eq(lp_report_new(&report), 0);
	fail_in = 1;
	ck_assert_int_eq(lp_declaration_load_text(&declaration, report, "text",
			     copy, sizeof(text) - 1),
	    -ENOMEM);
	ck_assert_uint_eq(fail_in, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("declaration");
	TCase *tcase = tcase_create("declaration");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, objects_are_ordered_as_they_are_added);
	tcase_add_test(tcase, what_is_left_out_is_as_by_default);
	tcase_add_test(tcase, a_name_has_no_address_yet);
	tcase_add_test(tcase, a_set_leaves_nothing_of_what_was);
	tcase_add_test(tcase, without_memory_there_is_an_error);
	tcase_add_test(tcase, a_text_is_taken_also_if_that_fails);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
