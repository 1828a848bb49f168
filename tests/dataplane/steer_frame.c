/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/steer_frame.h"

#include <bpf/bpf.h>
#include <check.h>
#include <string.h>

struct lp_ip
steer_ip(const char *text)
{
	struct lp_ip ip;

	ck_assert_int_eq(lp_ip_parse(&ip, text, NULL), 0);
	return ip;
}

struct lp_steer
steer_whole(uint64_t generation, const struct lp_ip *addresses, size_t count,
    const struct lp_endpoint *sources, size_t source_count)
{
	return (struct lp_steer){.generation = generation,
	    .addresses = addresses,
	    .address_count = count,
	    .sources = sources,
	    .source_count = source_count};
}

static uint8_t *
put(uint8_t *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

static uint8_t *
put_mac(uint8_t *at, const char *to)
{
	static const struct {
		const char *name;
		uint8_t mac[6];
	} macs[] = {{"us", {2, 0, 0, 0, 0, 1}}, {"other", {2, 0, 0, 0, 0, 2}},
	    {"all", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
	    {"group", {0x33, 0x33, 0xff, 0, 0, 0xa}}};
	unsigned i;

	for (i = 0; strcmp(macs[i].name, to) != 0; i++)
		;
	return put(put(at, macs[i].mac, 6), "\2\0\0\0\0\3", 6);
}

static uint8_t *
put_type(uint8_t *at, const struct steer_row *row, uint16_t type)
{
	if (row->type != 0)
		type = row->type;
	*at++ = (uint8_t)(type >> 8);
	*at++ = (uint8_t)type;
	return at;
}

static uint8_t *
put_arp(uint8_t *at, const struct steer_row *row)
{
	const struct lp_ip target = steer_ip(row->target);

	at = put_type(at, row, 0x0806);
	at = put(at, "\0\1\10\0\6\4\0\1\2\0\0\0\0\3\12\0\0\1", 18);
	at = put(at, "\0\0\0\0\0\0", 6);
	return put(at, lp_ip_v4(&target), 4);
}

static uint8_t *
put_v4(uint8_t *at, const struct steer_row *row)
{
	const struct lp_ip from = steer_ip(row->source);
	const struct lp_ip to = steer_ip(row->destination);
	uint8_t head[20] = {(uint8_t)(0x45 + row->options), [8] = 64};

	at = put_type(at, row, 0x0800);
	head[6] = row->more ? 0x20 : 0;
	head[7] = row->fragment;
	head[9] = row->quoted ? 1 : row->protocol ? row->protocol : 17;
	memcpy(head + 12, lp_ip_v4(&from), 4);
	memcpy(head + 16, lp_ip_v4(&to), 4);
	at = put(at, head, sizeof(head));
	memset(at, 1, row->options * 4);
	return at + row->options * 4;
}

static uint8_t *
put_v6(uint8_t *at, const struct steer_row *row)
{
	const struct lp_ip from =
	    steer_ip(row->source ? row->source : "fe80::1");
	const struct lp_ip to = steer_ip(row->destination);
	uint8_t last = row->nd ? 58 : row->protocol ? row->protocol : 17;
	uint8_t head[8] = {0x60, [7] = 255};
	/* Destination options: padding. */
	uint8_t option[8] = {60, 0, 1, 4};
	unsigned i;

	at = put_type(at, row, 0x86dd);
	head[6] = row->options > 0 ? option[0] : last;
	at = put(put(at, head, sizeof(head)), from.bytes, 16);
	at = put(at, to.bytes, 16);
	for (i = 1; i <= row->options; i++) {
		if (i == row->options)
			option[0] = last;
		at = put(at, option, sizeof(option));
	}
	return at;
}

static uint8_t *
put_nd(uint8_t *at, const struct steer_row *row)
{
	const struct lp_ip target = steer_ip(row->target);
	const uint8_t head[8] = {row->nd};

	return put(put(at, head, sizeof(head)), target.bytes, 16);
}

static uint8_t *
put_tcp(uint8_t *at, const struct steer_row *row)
{
	uint8_t head[20] = {(uint8_t)(row->source_port >> 8),
	    (uint8_t)row->source_port, (uint8_t)(row->destination_port >> 8),
	    (uint8_t)row->destination_port, [12] = 0x50};

	return put(at, head, sizeof(head));
}

/* Up to the ports of what it quotes. */
static uint8_t *
put_error(uint8_t *at, const struct steer_row *row)
{
	const struct lp_ip to = steer_ip(row->quoted);
	const uint8_t protocol = row->protocol ? row->protocol : 17;
	const uint8_t icmp[8] = {row->nd};
	uint8_t v4[20] = {0x45, [9] = protocol},
		v6[40] = {0x60, [6] = protocol};
	const uint8_t ports[4] = {
	    0, 7, (uint8_t)(row->source_port >> 8), (uint8_t)row->source_port};

	at = put(at, icmp, sizeof(icmp));
	if (lp_ip_is_v4(&to)) {
		memcpy(v4 + 16, lp_ip_v4(&to), 4);
		at = put(at, v4, sizeof(v4));
	} else {
		memcpy(v6 + 24, to.bytes, 16);
		at = put(at, v6, sizeof(v6));
	}
	return put(at, ports, sizeof(ports));
}

size_t
steer_frame(uint8_t *frame, const struct steer_row *row)
{
	uint8_t *at = put_mac(frame, row->to);

	if (row->quoted)
		at = put_error(strchr(row->destination, ':') ? put_v6(at, row)
							     : put_v4(at, row),
		    row);
	else if (row->nd)
		at = put_nd(put_v6(at, row), row);
	else if (row->target)
		at = put_arp(at, row);
	else if (strchr(row->destination, ':'))
		at = put_tcp(put_v6(at, row), row);
	else
		at = put_tcp(put_v4(at, row), row);
	return (size_t)(at - frame) - row->cut;
}

uint32_t
steer_run(const struct lp_xdp_steer *steer, const uint8_t *frame, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
	    .data_size_in = (uint32_t)len, .repeat = 1);

	ck_assert_int_eq(bpf_prog_test_run_opts(steer->program, &options), 0);
	return options.retval;
}
