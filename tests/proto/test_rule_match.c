/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rule.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text, and its canonical one. */
static const struct {
	const char *text, *canonical;
} good[] = {
    {"", ""},
    {"   ", ""},
    {"api=Produce,Fetch topic=pay* client_id=\"batch 7\"",
	"api=Produce,Fetch client_id=\"batch 7\" topic=pay*"},
    {"topic=pay* api=fetch,0", "api=Fetch,Produce topic=pay*"},
    {"topic=*", "topic=*"},
    {"client_id=\"a\\\"b\\\\c\"", "client_id=\"a\\\"b\\\\c\""},
    {"client_id=\"a\"*,\"b*\"*,\"c d\",e=f,g\\h",
	"client_id=a*,\"b*\"*,\"c d\",e=f,g\\h"},
    {"client_id=\"\"", "client_id=\"\""},
    {"client_id=\xc3\xa9t\xc3\xa9", "client_id=\xc3\xa9t\xc3\xa9"},
    {"src=10.0.0.1,10.1.0.0/16,2001:db8::1,2001:db8::/32,::/0",
	"src=10.0.0.1,10.1.0.0/16,2001:db8::1,2001:db8::/32,::/0"},
    {"src=0.0.0.0/0", "src=0.0.0.0/0"},
    {"src_port=80", "src_port=80"},
    {"src_port=1024-2047,3000-,-79", "src_port=1024-2047,3000-,-79"},
    {"src_port=1-", "src_port=1-"},
    {"src_port=-65535", "src_port=1-"},
    {"frame_size=1MB-", "frame_size=1MB-"},
    {"frame_size=1500B-2kB", "frame_size=1500-2kB"},
    {"frame_size=-1GB", "frame_size=-1GB"},
    {"frame_size=1000000-2000000", "frame_size=1MB-2MB"},
    {"version=12-", "version=12-"},
    {"broker=1,2", "broker=1,2"},
    {"from=broker", "from=broker"},
    {"acks=all,0", "acks=all,0"},
    {"acks=-1", "acks=all"},
    {"cluster=payments listener=payments/public port=eth0",
	"cluster=payments listener=payments/public port=eth0"},
    {"group=*,x*,\"y *\"", "group=*,x*,\"y *\""},
    {"broker=1-3,7-", "broker=1-3,7-"},
    {"principal=CORP\\alice", "principal=CORP\\alice"},
    {"client_id=\xf0\x9f\x98\x80*", "client_id=\xf0\x9f\x98\x80*"},
    {"src=1.2.3.4 dst=5.6.7.8/31 dst_port=9092",
	"src=1.2.3.4 dst=5.6.7.8/31 dst_port=9092"},
    {"  topic=a     group=b  ", "topic=a group=b"},
};

/* A text, what of it is underlined, and why. */
static const struct {
	const char *text;
	unsigned column, len;
	const char *why;
} bad[] = {
    {"topic=a*b", 8, 1,
	"a * stands at the end of a value only: write \"...\" around one that "
	"has a * of its own"},
    {"topic=", 7, 1, "topic has no value: write topic=VALUE, without blanks"},
    {"topic=,a", 7, 1, "a value is missing before the comma"},
    {"topic=a,", 9, 1, "a value is missing behind the comma"},
    {"topic=a,,b", 9, 1, "a value is missing before the comma"},
    {"topic = a", 1, 5,
	"topic has no value: write topic=VALUE, without blanks"},
    {"topic=a, b", 9, 1, "a value is missing behind the comma"},
    {"topik=a", 1, 5, "\"topik\" is no field: did you mean topic?"},
    {"whatever=a", 1, 8,
	"\"whatever\" is no field: there are cluster, listener, broker, port, "
	"src, src_port, dst, dst_port, from, api, version, client_id, "
	"principal, topic, group, transactional_id, acks, frame_size"},
    {"=a", 1, 1,
	"a field is missing: there are cluster, listener, broker, port, src, "
	"src_port, dst, dst_port, from, api, version, client_id, principal, "
	"topic, group, transactional_id, acks, frame_size"},
    {"topic", 1, 5, "topic has no value: write topic=VALUE, without blanks"},
    {"topic=a topic=b", 9, 5,
	"topic is there twice: write one set of values, topic=A,B"},
    {"topic=a,b,a", 11, 1, "\"a\" is there twice"},
    {"api=Fetch,1", 11, 1, "\"1\" is there twice"},
    {"api=Fecth", 5, 5, "\"Fecth\" is no API of Kafka: did you mean Fetch?"},
    {"api=Nothing", 5, 7, "\"Nothing\" is no API of Kafka"},
    {"api=200", 5, 3,
	"no API that is known has the key 200: the last one is 94"},
    {"api=12x", 5, 3, "\"12x\" is no number"},
    {"api=99999999999999999999999", 5, 23,
	"\"99999999999999999999999\" is too large"},
    {"api=Create*", 5, 7,
	"api takes no prefix: client_id, principal, topic, group and "
	"transactional_id do"},
    {"client_id=\"batch", 11, 6, "the quote does not end: a \" is missing"},
    {"client_id=\"a\"b", 14, 1, "behind a value comes a comma or a blank"},
    {"client_id=a\"b", 12, 1,
	"a quote inside of a value: write \"...\" around the whole, and \\\" "
	"for one in it"},
    {"client_id=\"a\\nb\"", 13, 1,
	"a \\ stands before \" or \\ only: write \\\\"},
    {"client_id=\x07", 11, 1, "the control character 0x07 is not for rules"},
    {"client_id=a\xff"
     "b",
	12, 1, "the byte 0xff is not UTF-8"},
    {"client_id=\xc2\x9b"
     "31m",
	11, 2, "the control character 0x9b is not for rules"},
    {"topic=\xc3\xa9", 7, 2,
	"no topic has such a name: 1 to 249 letters, digits, '.', '_' and '-'"},
    {"topic=\"two words\"", 7, 11,
	"no topic has such a name: 1 to 249 letters, digits, '.', '_' and '-'"},
    {"src=10.9.0.10/24", 5, 12,
	"the address has bits behind its prefix: write 10.9.0.0/24, or the "
	"address without a length"},
    {"src=::ffff:10.0.0.1", 5, 15,
	"\"::ffff:10.0.0.1\" is an IPv4-mapped address: write it as IPv4"},
    {"src=10.0.0.300", 5, 10, "\"10.0.0.300\" is not an IPv4 or IPv6 address"},
    {"src=::", 5, 2, "\"::\" is the unspecified address"},
    {"src=::/128", 5, 6, "a prefix of :: has a length of 0 to 127"},
    {"src=::/200", 5, 6, "a prefix of :: has a length of 0 to 127"},
    {"src=10.0.0.0/33", 5, 11,
	"\"10.0.0.0/33\" has a prefix length other than 0..32"},
    {"src=2001:db8::1/32", 5, 14,
	"the address has bits behind its prefix: write 2001:db8::/32, or the "
	"address without a length"},
    {"src=10.0.0.1/32,10.0.0.1", 17, 8, "\"10.0.0.1\" is there twice"},
    {"src=10.0*", 5, 5,
	"src takes no prefix: client_id, principal, topic, group and "
	"transactional_id do"},
    {"src_port=0", 10, 1, "src_port is from 1 to 65535"},
    {"src_port=70000", 10, 5, "src_port is from 1 to 65535"},
    {"src_port=80-70000", 10, 8, "src_port is from 1 to 65535"},
    {"src_port=90-80", 10, 5, "the range ends before it begins: write 80-90"},
    {"src_port=-", 10, 1,
	"a number is missing: write N, LOW-HIGH, LOW- or -HIGH"},
    {"src_port=1-2-3", 10, 5, "\"2-3\" is no number"},
    {"src_port=080", 10, 3, "\"080\" begins with 0"},
    {"src_port=8o", 10, 2, "\"8o\" is no number"},
    {"src_port=18446744073709551616", 10, 20,
	"\"18446744073709551616\" is too large"},
    {"frame_size=1.5MB", 12, 5, "\"1.5MB\" is not whole: take a smaller unit"},
    {"frame_size=1MiB", 12, 4,
	"\"1MiB\" has no unit that is known: they are B, kB, MB and GB, powers "
	"of ten"},
    {"frame_size=3GB", 12, 3, "frame_size is from 0 to 2147483651"},
    {"version=40000", 9, 5, "version is from 0 to 32767"},
    {"from=client,broker", 13, 6,
	"from takes one value: for both write from=any"},
    {"from=brokr", 6, 5, "\"brokr\" is no value of from: did you mean broker?"},
    {"from=clients-only", 6, 12,
	"\"clients-only\" is no value of from: there are client, broker, any"},
    {"acks=2", 6, 1, "\"2\" is no value of acks: there are 0, 1, all, -1"},
    {"listener=public", 10, 6,
	"\"public\" names no cluster: write CLUSTER/NAME"},
    {"listener=payments/", 10, 9, "\"\" is empty"},
    {"listener=/public", 10, 7, "the cluster of \"/public\" is empty"},
    {"cluster=-x", 9, 2, "\"-x\" starts with '-' or '.', as no name does"},
    {"cluster=a/b", 9, 3,
	"\"a/b\" is no name: it has letters, digits, '.', '_' and '-' only"},
    {"cluster=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	9, 64,
	"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" "
	"is longer than 63 characters"},
    {"cluster=\"pay ments\"", 9, 11,
	"\"pay ments\" is no name: it has letters, digits, '.', '_' and '-' "
	"only"},
    {"cluster=pay*", 9, 4,
	"cluster takes no prefix: client_id, principal, topic, group and "
	"transactional_id do"},
    {"client_id=\"a b\",\"a b\"", 17, 5, "\"a b\" is there twice"},
    {"client_id=\"a b\"*,\"a b\"*", 18, 6, "\"a b\"* is there twice"},
    {"api=\"\"", 5, 2, "\"\" is no API of Kafka"},
    {"src=\"\"", 5, 2, "\"\" is not an IPv4 or IPv6 address"},
    {"from=client,client", 13, 6,
	"from takes one value: for both write from=any"},
    {"client_id=\xed\xa0\x80", 11, 1, "the byte 0xed is not UTF-8"},
    {"client_id=\xc3", 11, 1, "the byte 0xc3 is not UTF-8"},
    {"client_id=\xe2\x82", 11, 1, "the byte 0xe2 is not UTF-8"},
    {"client_id=\xc0\xaf", 11, 1, "the byte 0xc0 is not UTF-8"},
    {"client_id=\x7f", 11, 1, "the control character 0x7f is not for rules"},
    {"TOPIC=a", 1, 5, "\"TOPIC\" is no field: did you mean topic?"},
};

START_TEST(a_text_becomes_its_canonical_one)
{
	struct lp_rule_match match, again;
	struct lp_rule_error error = {0};
	char text[LP_RULE_MATCH_SIZE], twice[LP_RULE_MATCH_SIZE];

	ck_assert_msg(lp_rule_match_parse(&match, good[_i].text, &error) == 0,
	    "%s", error.why);
	ck_assert_str_eq(lp_rule_match_print(text, &match), good[_i].canonical);
	ck_assert_int_eq(lp_rule_match_parse(&again, text, &error), 0);
	ck_assert_mem_eq(&again, &match, sizeof(match));
	ck_assert_str_eq(lp_rule_match_print(twice, &again), text);
}
END_TEST

START_TEST(what_is_wrong_is_underlined)
{
	struct lp_rule_match match;
	struct lp_rule_error error = {0};

	ck_assert_int_eq(
	    lp_rule_match_parse(&match, bad[_i].text, &error), -EINVAL);
	ck_assert_str_eq(error.why, bad[_i].why);
	ck_assert_uint_eq(error.column, bad[_i].column);
	ck_assert_uint_eq(error.len, bad[_i].len);
}
END_TEST

static struct lp_rule_match match;
static struct lp_rule_error error;
static char text[1 << 17];

/* "FIELD=" and so many values, which are numbers. */
static char *
put_numbers(char *end, const char *field, unsigned count)
{
	end += sprintf(end, "%s%s=", end == text ? "" : " ", field);
	for (unsigned i = 0; i < count; i++)
		end += sprintf(end, "%s%u", i ? "," : "", i + 1);
	return end;
}

START_TEST(values_are_so_many_and_no_more)
{
	char *last;

	last = put_numbers(text, "version", LP_RULE_VALUES_MAX - 1);
	strcpy(last, " topic=a");
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), 0);
	ck_assert_uint_eq(match.count, LP_RULE_VALUES_MAX);
	strcpy(last, " topic=a,bc");
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), -EINVAL);
	ck_assert_uint_eq(error.column, strlen(text) - 1);
	ck_assert_uint_eq(error.len, 2);
	ck_assert_str_eq(error.why,
	    "this is one value more than the 64 that a rule may have");
}
END_TEST

START_TEST(combinations_are_so_many_and_no_more)
{
	char *end = text;

	end = put_numbers(end, "cluster", 2);
	end = put_numbers(end, "client_id", 16);
	end = put_numbers(end, "topic", 32);
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), 0);
	put_numbers(end, "group", 2);
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), -EINVAL);
	ck_assert_str_eq(error.why,
	    "with group there are 2048 combinations of values, more than "
	    "1024: make several rules of it");
	ck_assert_uint_eq(error.column, end + 1 - text + 1);
	ck_assert_uint_eq(error.len, 5);
	/* Numbers are not spelled out, nor are words. */
	put_numbers(end, "version", 12);
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), 0);
}
END_TEST

/* "client_id=" and a value of so many bytes. */
static void
put_long(char *end, const char *field, size_t len)
{
	end += sprintf(end, "%s=", field);
	memset(end, 'x', len);
	end[len] = '\0';
}

START_TEST(a_value_has_an_end)
{
	put_long(text, "client_id", LP_RULE_TEXT_MAX);
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), 0);
	ck_assert_uint_eq(match.values[0].len, LP_RULE_TEXT_MAX);
	put_long(text, "client_id", LP_RULE_TEXT_MAX + 1);
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), -EINVAL);
	ck_assert_str_eq(error.why, "the value is longer than 255 bytes");
	ck_assert_uint_eq(error.column, 11);
	put_long(text, "client_id", sizeof(text) - 16);
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), -EINVAL);
}
END_TEST

START_TEST(a_match_has_an_end)
{
	char canonical[LP_RULE_MATCH_SIZE];

	/* "client_id=" and "group=", a blank: 17 bytes that are no value. */
	put_long(text, "client_id", 250);
	strcat(text, " ");
	put_long(text + strlen(text), "group", 511 - 17 - 250);
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), 0);
	ck_assert_uint_eq(strlen(lp_rule_match_print(canonical, &match)), 511);
	/* A longer spelling of the same is as good. */
	memmove(text + 6, text, strlen(text) + 1);
	memcpy(text, "      ", 6);
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), 0);
	strcat(text, "x");
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), -EINVAL);
	ck_assert_str_eq(error.why,
	    "the match has 512 bytes, more than 511: make two rules of it");
	ck_assert_uint_eq(error.column, 1);
	ck_assert_uint_eq(error.len, strlen(text));
	/* Where the values alone are more, the one that is too much is told. */
	put_long(text, "client_id", 255);
	strcat(text, " ");
	put_long(text + strlen(text), "group", 255);
	strcat(text, " topic=abc");
	ck_assert_int_eq(lp_rule_match_parse(&match, text, &error), -EINVAL);
	ck_assert_str_eq(error.why,
	    "with this value the match is longer than 511 bytes: make two "
	    "rules of it");
	ck_assert_uint_eq(error.column, strlen(text) - 2);
	ck_assert_uint_eq(error.len, 3);
}
END_TEST

START_TEST(a_match_is_in_the_order_of_fields)
{
	const struct lp_rule_value *first;

	ck_assert_int_eq(
	    lp_rule_match_parse(&match,
		"acks=all topic=b*,a src=10.0.0.0/8 version=3-,1", &error),
	    0);
	ck_assert_uint_eq(match.count, 6);
	ck_assert_uint_eq(match.fields,
	    1u << LP_RULE_SRC | 1u << LP_RULE_VERSION | 1u << LP_RULE_TOPIC |
		1u << LP_RULE_ACKS);
	ck_assert_uint_eq(
	    lp_rule_match_values(&match, LP_RULE_TOPIC, &first), 2);
	ck_assert_uint_eq(first[0].kind, LP_RULE_PREFIX);
	ck_assert_uint_eq(first[0].len, 1);
	ck_assert_int_eq(match.text[first[0].text], 'b');
	ck_assert_uint_eq(first[1].kind, LP_RULE_EXACT);
	ck_assert_int_eq(match.text[first[1].text], 'a');
	ck_assert_uint_eq(
	    lp_rule_match_values(&match, LP_RULE_VERSION, &first), 2);
	ck_assert_int_eq(first[0].low, 3);
	ck_assert_int_eq(first[0].high, INT16_MAX);
	ck_assert_uint_eq(
	    lp_rule_match_values(&match, LP_RULE_ACKS, &first), 1);
	ck_assert_int_eq(first->low, -1);
	ck_assert_int_eq(first->high, -1);
	ck_assert_uint_eq(lp_rule_match_values(&match, LP_RULE_SRC, &first), 1);
	ck_assert_uint_eq(first->kind, LP_RULE_ADDRESS);
	ck_assert_uint_eq(first->prefix.len, 8);
	ck_assert_uint_eq(
	    lp_rule_match_values(&match, LP_RULE_GROUP, &first), 0);
	ck_assert_ptr_null(first);
}
END_TEST

START_TEST(fields_have_levels)
{
	ck_assert(lp_rule_field_is_connection(LP_RULE_DST_PORT));
	ck_assert(!lp_rule_field_is_connection(LP_RULE_FROM));
	ck_assert(!lp_rule_field_is_connection(LP_RULE_FIELD_COUNT));
	ck_assert_str_eq(lp_rule_field_name(LP_RULE_ACKS), "acks");
	ck_assert_ptr_null(lp_rule_field_name(LP_RULE_FIELD_COUNT));
	ck_assert_str_eq(lp_rule_verdict_name(LP_RULE_NO_CREATE), "no_create");
	ck_assert_ptr_null(lp_rule_verdict_name(0));
	ck_assert_ptr_null(lp_rule_verdict_name(LP_RULE_ROUTE + 1));
	ck_assert_int_eq(lp_rule_match_parse(&match, "src_port=1-", &error), 0);
	ck_assert(!lp_rule_match_is_request(&match));
	ck_assert_int_eq(
	    lp_rule_match_parse(&match, "port=a from=client", &error), 0);
	ck_assert(lp_rule_match_is_request(&match));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rule_match");
	TCase *tcase = tcase_create("rule_match");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, a_text_becomes_its_canonical_one, 0,
	    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tcase, what_is_wrong_is_underlined, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, values_are_so_many_and_no_more);
	tcase_add_test(tcase, combinations_are_so_many_and_no_more);
	tcase_add_test(tcase, a_value_has_an_end);
	tcase_add_test(tcase, a_match_has_an_end);
	tcase_add_test(tcase, a_match_is_in_the_order_of_fields);
	tcase_add_test(tcase, fields_have_levels);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
