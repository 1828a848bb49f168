/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of: a command, and either the message that it becomes, written as one
 * line of text, or the status and the reason why it does not.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli/change.h"
#include "cli/line.h"
#include "proto/message.h"
#include "tests/cli/support.h"

#define LONG_63                                                                \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

struct row {
	const char *line;
	int status;
	const char *text; /* the operation, or the error */
};

static const struct row rows[] = {
    /* ports */
    {"add-port front --device eth1 --address 10.9.0.10/24", 0,
	"ADD port front: name=front device=eth1 address=10.9.0.10/24"},
    {"add-port back --device eth2 --address 10.0.2.10/24 --address "
     "fd00:2::10/64 --gateway 10.0.2.1 --gateway fd00:2::1 --side broker "
     "--backend memory --allow-default-route --may-exist",
	0,
	"ADD port back: name=back device=eth2 address=10.0.2.10/24 "
	"address=fd00:2::10/64 gateway gateway_v4=10.0.2.1 "
	"gateway_v6=fd00:2::1 side=broker backend=memory route=1 may-exist"},
    {"set-port front --allow-default-route=no", 0, "SET port front: route=0"},
    {"set-port front --allow-default-route=yes --side client", 0,
	"SET port front: side=client route=1"},
    {"set-port front --owner edge", 0, "SET port front: owner=edge"},
    {"set-port front --owner none", 0, "SET port front: owner="},
    {"add-cluster c --owner team-a", 0, "ADD cluster c: name=c owner=team-a"},
    {"set-broker c 1 --owner team-a", 0, "SET broker c/1: owner=team-a"},
    {"set-rule r --owner=", LP_EXIT_REFUSED, "set-rule r: owner: is empty"},
    {"set-listener c l --owner abcdefghijklmnopqrstuvwxyz123456",
	LP_EXIT_REFUSED, "set-listener c/l: owner: is longer than 31 bytes"},
    {"set-port front --gateway none", 0, "SET port front: gateway"},
    {"add-port f --device net_memif0,socket=/run/x.sock,role=client "
     "--address 10.9.0.10/24 --backend dpdk --mtu 9600",
	0,
	"ADD port f: name=f device=net_memif0,socket=/run/x.sock,role=client "
	"address=10.9.0.10/24 backend=dpdk mtu=9600"},
    {"set-port f --device 0000:03:00.0,key=val --mtu 1280", 0,
	"SET port f: device=0000:03:00.0,key=val mtu=1280"},
    {"set-port f --mtu none", 0, "SET port f: mtu=0"},
    {"set-port f --mtu 9000 --mtu none", 0, "SET port f: mtu=0"},
    {"set-port f --mtu 0", LP_EXIT_REFUSED,
	"set-port f: mtu: \"0\" is no MTU, which is a number from 1280 to "
	"9600, or \"none\" for the device's own"},
    {"set-port f --mtu 1279", LP_EXIT_REFUSED,
	"set-port f: mtu: \"1279\" is no MTU, which is a number from 1280 to "
	"9600, or \"none\" for the device's own"},
    {"set-port f --mtu 9601", LP_EXIT_REFUSED,
	"set-port f: mtu: \"9601\" is no MTU, which is a number from 1280 to "
	"9600, or \"none\" for the device's own"},
    {"set-port f --mtu -1", LP_EXIT_REFUSED,
	"set-port f: mtu: \"-1\" is no MTU, which is a number from 1280 to "
	"9600, or \"none\" for the device's own"},
    {"set-port f --mtu 1500x", LP_EXIT_REFUSED,
	"set-port f: mtu: \"1500x\" is no MTU, which is a number from 1280 "
	"to 9600, or \"none\" for the device's own"},
    {"set-port f --mtu ''", LP_EXIT_REFUSED,
	"set-port f: mtu: \"\" is no MTU, which is a number from 1280 to "
	"9600, or \"none\" for the device's own"},
    {"set-port front --name rear --device eth9", 0,
	"SET port front: name=rear device=eth9"},
    {"set-port front --address 10.9.0.11/24", 0,
	"SET port front: address=10.9.0.11/24"},
    {"del-port front", 0, "DEL port front:"},
    {"del-port front --if-exists", 0, "DEL port front: if-exists"},
    {"add-port front --address 10.9.0.10/24", LP_EXIT_USAGE,
	"add-port front: needs --device DEV, the interface that the port "
	"takes"},
    {"add-port front --device eth1", LP_EXIT_USAGE,
	"add-port front: needs --address IP/LEN, an address for the port "
	"itself, or --peer PORT"},
    {"add-port left --device eth1 --peer right --on-loss wire", 0,
	"ADD port left: name=left device=eth1 peer=right loss=wire"},
    {"set-port left --on-loss drop --peer new", 0,
	"SET port left: peer=new loss=drop"},
    {"set-port left --peer ''", LP_EXIT_REFUSED,
	"set-port left: peer: is empty"},
    {"set-port front", LP_EXIT_USAGE,
	"set-port front: nothing to set: give at least one option"},
    {"add-port front --device eth1 --address 10.9.0.10", LP_EXIT_REFUSED,
	"add-port front: address: \"10.9.0.10\" has no prefix length: write "
	"IP/LEN"},
    {"add-port front --device eth1 --address 10.9.0.10/33", LP_EXIT_REFUSED,
	"add-port front: address: \"10.9.0.10/33\" has a prefix length other "
	"than 0..32"},
    {"add-port front --device eth1 --address ::ffff:10.9.0.1/96",
	LP_EXIT_REFUSED,
	"add-port front: address: \"::ffff:10.9.0.1\" is an IPv4-mapped "
	"address: write it as IPv4"},
    {"add-port f --device e --address 1.1.1.1/8 --gateway 10.9.0.300",
	LP_EXIT_REFUSED,
	"add-port f: gateway: \"10.9.0.300\" is not an IPv4 or IPv6 "
	"address"},
    {"set-port f --gateway 1.1.1.1 --gateway 1.1.1.2", LP_EXIT_REFUSED,
	"set-port f: gateway: 1.1.1.2 is a second IPv4 gateway; a port has "
	"one of each family"},
    {"set-port f --gateway fd00::1 --gateway fd00::2", LP_EXIT_REFUSED,
	"set-port f: gateway: fd00::2 is a second IPv6 gateway; a port has "
	"one of each family"},
    {"add-port '' --device e --address 1.1.1.1/8", LP_EXIT_REFUSED,
	"add-port : name: is empty"},
    {"add-port a --device '' --address 1.1.1.1/8", LP_EXIT_REFUSED,
	"add-port a: device: is empty"},
    {"del-port " LONG_63 "l", LP_EXIT_REFUSED,
	"del-port " LONG_63 "l: name: is longer than 63 bytes"},
    /* clusters */
    {"add-cluster payments", 0, "ADD cluster payments: name=payments"},
    {"add-cluster " LONG_63 " --may-exist", 0,
	"ADD cluster " LONG_63 ": name=" LONG_63 " may-exist"},
    {"set-cluster payments --name pay", 0, "SET cluster payments: name=pay"},
    {"add-cluster paid --same-as payments", 0,
	"ADD cluster paid: name=paid same=payments"},
    {"set-cluster paid --same-as none --name pay", 0,
	"SET cluster paid: name=pay same="},
    {"set-cluster paid --same-as payments", 0,
	"SET cluster paid: same=payments"},
    {"set-cluster paid --same-as ''", LP_EXIT_REFUSED,
	"set-cluster paid: same_as: is empty"},
    {"add-cluster payments --discover on", 0,
	"ADD cluster payments: name=payments discover=1"},
    {"set-cluster payments --discover off", 0,
	"SET cluster payments: discover=0"},
    {"del-cluster payments --if-exists", 0, "DEL cluster payments: if-exists"},
    {"set-cluster payments", LP_EXIT_USAGE,
	"set-cluster payments: nothing to set: give at least one option"},
    {"set-cluster payments --name ''", LP_EXIT_REFUSED,
	"set-cluster payments: name: is empty"},
    /* brokers */
    {"add-broker payments 1 10.0.2.11:9092", 0,
	"ADD broker payments/1: node_id=1 host=10.0.2.11 "
	"real=10.0.2.11:9092"},
    {"add-broker payments 0 [fd00:2::11]:9092 --may-exist", 0,
	"ADD broker payments/0: node_id=0 host=fd00:2::11 "
	"real=[fd00:2::11]:9092 may-exist"},
    {"add-broker payments 2147483647 kafka.test:1", 0,
	"ADD broker payments/2147483647: node_id=2147483647 host=kafka.test "
	"real=192.0.2.7:1"},
    {"set-broker payments 1 10.0.2.21:9093", 0,
	"SET broker payments/1: host=10.0.2.21 real=10.0.2.21:9093"},
    {"set-broker payments 1 10.0.2.21:9093 --endpoint "
     "public=10.9.0.101:9092 --endpoint v6=[fd00:9::101]:9092",
	0,
	"SET broker payments/1: host=10.0.2.21 real=10.0.2.21:9093 "
	"public=10.9.0.101:9092 v6=[fd00:9::101]:9092"},
    {"add-broker payments 1 10.0.2.11:9092 --source discovered", 0,
	"ADD broker payments/1: node_id=1 host=10.0.2.11 "
	"real=10.0.2.11:9092 discovered=1"},
    {"set-broker payments 1 --source manual", 0,
	"SET broker payments/1: discovered=0"},
    {"set-broker payments 1 --endpoint public=", 0,
	"SET broker payments/1: public="},
    {"add-broker payments 70000 10.0.2.21:9093 --endpoint "
     "public=10.9.0.101:9092",
	0,
	"ADD broker payments/70000: node_id=70000 host=10.0.2.21 "
	"real=10.0.2.21:9093 public=10.9.0.101:9092"},
    {"set-broker payments 1", LP_EXIT_USAGE,
	"set-broker payments/1: nothing to set: give HOST:PORT, "
	"--endpoint or --source"},
    {"set-broker payments 1 --endpoint public", LP_EXIT_REFUSED,
	"set-broker payments/1: endpoint: \"public\" is not LISTENER=IP:PORT, "
	"or LISTENER= for where it is by default"},
    {"set-broker payments 1 --endpoint =10.9.0.101:9092", LP_EXIT_REFUSED,
	"set-broker payments/1: endpoint: \"=10.9.0.101:9092\" is not "
	"LISTENER=IP:PORT, or LISTENER= for where it is by default"},
    {"set-broker payments 1 --endpoint public=10.9.0.101", LP_EXIT_REFUSED,
	"set-broker payments/1: endpoint: \"10.9.0.101\" has no port: write "
	"HOST:PORT"},
    {"set-broker payments 1 --endpoint public=kafka.test:9092", LP_EXIT_REFUSED,
	"set-broker payments/1: endpoint: \"kafka.test\" is not an IPv4 or "
	"IPv6 address"},
    {"del-broker payments 1", 0, "DEL broker payments/1:"},
    {"del-broker payments 1 --if-exists", 0,
	"DEL broker payments/1: if-exists"},
    {"add-broker payments 2147483648 10.0.2.11:9092", LP_EXIT_REFUSED,
	"add-broker payments/2147483648: node_id: \"2147483648\" is no node "
	"id, which is a number from 0 to 2147483647"},
    {"add-broker payments one 10.0.2.11:9092", LP_EXIT_REFUSED,
	"add-broker payments/one: node_id: \"one\" is no node id, which is "
	"a number from 0 to 2147483647"},
    {"add-broker payments 1 10.0.2.11", LP_EXIT_REFUSED,
	"add-broker payments/1: endpoint: \"10.0.2.11\" has no port: write "
	"HOST:PORT"},
    {"add-broker payments 1 10.0.2.11:0", LP_EXIT_REFUSED,
	"add-broker payments/1: endpoint: \"10.0.2.11:0\" has a port other "
	"than 1..65535"},
    {"add-broker payments 1 fd00:2::11:9092", LP_EXIT_REFUSED,
	"add-broker payments/1: endpoint: \"fd00:2::11:9092\" has too many "
	"colons: write IPv6 as [ADDRESS]:PORT"},
    {"add-broker payments 1 10.0.2.300:9092", LP_EXIT_REFUSED,
	"add-broker payments/1: endpoint: \"10.0.2.300\" is not an IPv4 or "
	"IPv6 address"},
    {"add-broker payments 1 0x7f000001:9092", LP_EXIT_REFUSED,
	"add-broker payments/1: endpoint: \"0x7f000001\" is not an IPv4 or "
	"IPv6 address"},
    {"add-broker payments 1 kafka.10.test:9092", 0,
	"ADD broker payments/1: node_id=1 host=kafka.10.test "
	"real=192.0.2.7:9092"},
    {"add-broker payments 1 kafka.nowhere:9092", LP_EXIT_REFUSED,
	"add-broker payments/1: endpoint: cannot resolve "
	"\"kafka.nowhere\""},
    /* listeners */
    {"add-listener payments public 10.9.0.100:9092", 0,
	"ADD listener payments/public: name=public vip=10.9.0.100:9092 "
	"base=9093"},
    {"add-listener payments v6 [fd00:9::100]:9092 --mode vip --broker-base "
     "19092 --source-address preserve --may-exist",
	0,
	"ADD listener payments/v6: name=v6 vip=[fd00:9::100]:9092 "
	"base=19092 mode=vip source=preserve may-exist"},
    {"add-listener payments seen --mode inline", 0,
	"ADD listener payments/seen: name=seen mode=inline"},
    {"add-listener payments seen", LP_EXIT_USAGE,
	"add-listener payments/seen: needs VIP:PORT, where clients connect "
	"to, or --mode inline"},
    {"set-listener payments public 10.9.0.101:9092", 0,
	"SET listener payments/public: vip=10.9.0.101:9092"},
    {"set-listener payments public --source-address translate --name p", 0,
	"SET listener payments/public: name=p source=translate"},
    {"set-listener payments public --kafka off", 0,
	"SET listener payments/public: kafka=off"},
    {"set-listener payments public --rewrite shadow", 0,
	"SET listener payments/public: rewrite=shadow"},
    {"add-listener payments public 10.9.0.100:9092 --rewrite off "
     "--advertise kafka.example.com",
	0,
	"ADD listener payments/public: name=public vip=10.9.0.100:9092 "
	"base=9093 rewrite=off advertise=kafka.example.com"},
    {"set-listener payments public --advertise *.k.example.com", 0,
	"SET listener payments/public: advertise=*.k.example.com"},
    {"set-listener payments public --advertise none", 0,
	"SET listener payments/public: advertise="},
    {"set-listener payments public --advertise=", LP_EXIT_REFUSED,
	"set-listener payments/public: advertise: is empty"},
    {"add-listener payments seen --mode inline --kafka observe", 0,
	"ADD listener payments/seen: name=seen mode=inline kafka=observe"},
    {"set-listener payments public --broker-base 65535", 0,
	"SET listener payments/public: base=65535"},
    {"del-listener payments public --if-exists", 0,
	"DEL listener payments/public: if-exists"},
    {"set-listener payments public", LP_EXIT_USAGE,
	"set-listener payments/public: nothing to set: give at least one "
	"option"},
    {"add-listener payments public 10.9.0.300:9092", LP_EXIT_REFUSED,
	"add-listener payments/public: vip: \"10.9.0.300\" is not an IPv4 or "
	"IPv6 address"},
    {"add-listener payments public kafka.test:9092", LP_EXIT_REFUSED,
	"add-listener payments/public: vip: \"kafka.test\" is not an IPv4 or "
	"IPv6 address"},
    {"add-listener payments public 10.9.0.100:65535", LP_EXIT_REFUSED,
	"add-listener payments/public: broker_base: there is no port after "
	"65535 for the brokers; give --broker-base PORT"},
    {"add-listener payments public 10.9.0.100:65535 --broker-base 100", 0,
	"ADD listener payments/public: name=public vip=10.9.0.100:65535 "
	"base=100"},
    {"set-listener payments public --broker-base 0", LP_EXIT_REFUSED,
	"set-listener payments/public: broker_base: \"0\" is no TCP port, "
	"which is a number from 1 to 65535"},
    {"set-listener payments public --broker-base 65536", LP_EXIT_REFUSED,
	"set-listener payments/public: broker_base: \"65536\" is no TCP "
	"port, which is a number from 1 to 65535"},
};

static void
write_ip(FILE *out, const char *name, const ProtobufCBinaryData *bytes)
{
	char buf[LP_IP_TEXT_SIZE];
	struct lp_ip ip;

	ck_assert_uint_eq(bytes->len, sizeof(ip.bytes));
	memcpy(ip.bytes, bytes->data, sizeof(ip.bytes));
	(void)fprintf(out, " %s=%s", name, lp_ip_format(buf, &ip));
}

static void
write_endpoint(FILE *out, const char *name, const Lp__Pb__Endpoint *message)
{
	char buf[LP_ENDPOINT_TEXT_SIZE];
	struct lp_endpoint endpoint;

	if (message == NULL)
		return;
	ck_assert_int_eq(lp_message_to_endpoint(&endpoint, message), 0);
	(void)fprintf(out, " %s=%s", name, lp_endpoint_format(buf, &endpoint));
}

static void
write_string(FILE *out, const char *name, const char *text)
{
	if (text != NULL)
		(void)fprintf(out, " %s=%s", name, text);
}

static void
write_choice(FILE *out, const Lp__Pb__EndpointChoice *choice)
{
	if (choice->vip == NULL)
		write_string(out, choice->listener, "");
	else
		write_endpoint(out, choice->listener, choice->vip);
}

static void
write_port(FILE *out, const Lp__Pb__Operation *op)
{
	const Lp__Pb__Port *port = op->object->port;
	char buf[LP_PREFIX_TEXT_SIZE];

	write_string(out, "name", port->name);
	write_string(out, "device", port->device);
	ck_assert_int_eq(op->replace_addresses, port->n_addresses > 0);
	for (size_t i = 0; i < port->n_addresses; i++) {
		struct lp_prefix prefix = {
		    .len = (uint8_t)port->addresses[i]->len};

		memcpy(prefix.ip.bytes, port->addresses[i]->ip.data, 16);
		(void)fprintf(
		    out, " address=%s", lp_prefix_format(buf, &prefix));
	}
	if (op->replace_gateway)
		(void)fputs(" gateway", out);
	if (port->has_gateway_v4)
		write_ip(out, "gateway_v4", &port->gateway_v4);
	if (port->has_gateway_v6)
		write_ip(out, "gateway_v6", &port->gateway_v6);
	if (port->has_side)
		write_string(out, "side", lp_side_name(port->side));
	if (port->has_backend)
		write_string(out, "backend", lp_backend_name(port->backend));
	if (port->peer != NULL)
		write_string(out, "peer", port->peer);
	if (port->has_on_loss)
		write_string(out, "loss", lp_on_loss_name(port->on_loss));
	if (port->has_mtu)
		(void)fprintf(out, " mtu=%u", port->mtu);
	if (port->has_allow_default_route)
		(void)fprintf(out, " route=%d", port->allow_default_route);
}

static void
write_object(FILE *out, const Lp__Pb__Operation *op)
{
	const Lp__Pb__Object *object = op->object;

	switch (object->body_case) {
	case LP__PB__OBJECT__BODY_PORT:
		write_port(out, op);
		break;
	case LP__PB__OBJECT__BODY_CLUSTER:
		write_string(out, "name", object->cluster->name);
		write_string(out, "same", op->same_as);
		if (object->cluster->has_discover)
			(void)fprintf(
			    out, " discover=%d", object->cluster->discover);
		break;
	case LP__PB__OBJECT__BODY_BROKER:
		if (object->broker->has_node_id)
			(void)fprintf(
			    out, " node_id=%" PRId32, object->broker->node_id);
		write_string(out, "host", object->broker->host);
		write_endpoint(out, "real", object->broker->real);
		for (size_t i = 0; i < op->n_endpoints; i++)
			write_choice(out, op->endpoints[i]);
		if (object->broker->has_discovered)
			(void)fprintf(
			    out, " discovered=%d", object->broker->discovered);
		break;
	case LP__PB__OBJECT__BODY_LISTENER:
		write_string(out, "name", object->listener->name);
		write_endpoint(out, "vip", object->listener->vip);
		if (object->listener->has_broker_base)
			(void)fprintf(
			    out, " base=%u", object->listener->broker_base);
		if (object->listener->has_mode)
			write_string(
			    out, "mode", lp_mode_name(object->listener->mode));
		if (object->listener->has_source_address)
			write_string(out, "source",
			    lp_source_address_name(
				object->listener->source_address));
		if (object->listener->has_kafka)
			write_string(out, "kafka",
			    lp_look_name(object->listener->kafka));
		if (object->listener->has_rewrite)
			write_string(out, "rewrite",
			    lp_rewriting_name(object->listener->rewrite));
		write_string(out, "advertise", object->listener->advertise);
		break;
	default:
		ck_abort_msg("an object of no kind");
	}
}

static void
write_operation(FILE *out, const Lp__Pb__Operation *op)
{
	static const char *const verbs[] = {"?", "ADD", "SET", "DEL"};

	(void)fprintf(
	    out, "%s %s ", verbs[op->verb], lp_object_kind_name(op->kind));
	if (op->cluster != NULL)
		(void)fprintf(out, "%s/", op->cluster);
	if (op->has_node_id)
		(void)fprintf(out, "%" PRId32, op->node_id);
	else
		(void)fputs(op->name, out);
	(void)fputc(':', out);
	ck_assert_int_eq(
	    op->object == NULL, op->verb == LP__PB__OPERATION__VERB__DEL);
	if (op->object != NULL)
		write_object(out, op);
	if (op->object != NULL && op->object->owner != NULL)
		(void)fprintf(out, " owner=%s", op->object->owner);
	(void)fputs(op->if_exists ? " if-exists" : "", out);
	(void)fputs(op->may_exist ? " may-exist" : "", out);
}

START_TEST(command_becomes_an_operation_or_a_reason)
{
	const struct row *row = &rows[_i];
	struct support_output out, err;
	struct support_argv words;
	struct lp_change change;
	struct lp_error error = {0};
	struct lp_lpctl lpctl;
	struct lp_line line;
	int status;

	support_output_open(&out);
	support_output_open(&err);
	support_lpctl(&lpctl, "/nowhere", &out, &err);
	support_argv(&words, row->line);
	ck_assert_int_eq(
	    lp_line_parse(&line, &lpctl, words.argc, words.argv, &error),
	    LP_EXIT_OK);
	status = lp_change_init(&change, &lpctl, &line.commands[0], 3, &error);
	ck_assert_int_eq(status, row->status);
	if (status == LP_EXIT_OK) {
		write_operation(out.file, &change.operation);
		ck_assert_str_eq(support_output_text(&out), row->text);
		ck_assert_uint_eq(change.operation.place, 3);
		/* What cannot be packed would never arrive. */
		ck_assert_uint_gt(
		    protobuf_c_message_get_packed_size(&change.operation.base),
		    0);
	} else {
		ck_assert_str_eq(error.text, row->text);
	}
	lp_line_fini(&line);
	support_output_close(&out);
	support_output_close(&err);
}
END_TEST

START_TEST(resolved_name_is_said)
{
	struct support_output out, err;
	struct support_argv words;
	struct lp_change change;
	struct lp_error error = {0};
	struct lp_lpctl lpctl;
	struct lp_line line;

	support_output_open(&out);
	support_output_open(&err);
	support_lpctl(&lpctl, "/nowhere", &out, &err);
	support_argv(&words, "add-broker payments 1 kafka-1.test:9092");
	ck_assert_int_eq(
	    lp_line_parse(&line, &lpctl, words.argc, words.argv, &error),
	    LP_EXIT_OK);
	ck_assert_int_eq(
	    lp_change_init(&change, &lpctl, &line.commands[0], 1, &error),
	    LP_EXIT_OK);
	ck_assert_str_eq(support_output_text(&err),
	    "lpctl: add-broker payments/1: kafka-1.test resolves to "
	    "192.0.2.7\n");
	ck_assert_str_eq(change.object_label, "broker payments/1");
	lp_line_fini(&line);
	support_output_close(&out);
	support_output_close(&err);
}
END_TEST

START_TEST(addresses_of_a_port_have_a_limit)
{
	struct support_output out;
	struct support_argv words;
	struct lp_change change;
	struct lp_error error = {0};
	struct lp_lpctl lpctl;
	struct lp_line line;
	char text[2048] = "set-port p";

	for (int i = 0; i < LP_PORT_ADDRESSES_MAX + _i; i++)
		(void)sprintf(
		    text + strlen(text), " --address 10.0.0.%d/24", i + 1);
	support_output_open(&out);
	support_lpctl(&lpctl, "/nowhere", &out, NULL);
	support_argv(&words, text);
	ck_assert_int_eq(
	    lp_line_parse(&line, &lpctl, words.argc, words.argv, &error),
	    LP_EXIT_OK);
	ck_assert_int_eq(
	    lp_change_init(&change, &lpctl, &line.commands[0], 1, &error),
	    _i == 0 ? LP_EXIT_OK : LP_EXIT_REFUSED);
	if (_i != 0)
		ck_assert_str_eq(error.text,
		    "set-port p: address: more than the 16 addresses that a "
		    "port can have");
	lp_line_fini(&line);
	support_output_close(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("change");
	TCase *tcase = tcase_create("change");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, command_becomes_an_operation_or_a_reason, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, resolved_name_is_said);
	tcase_add_loop_test(tcase, addresses_of_a_port_have_a_limit, 0, 2);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
