/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets from text and back, so that tests are tables of lines:
 *
 *	tcp 10.9.0.50:40000 > 10.9.0.100:9092 S seq=1000 mss=1460 ws=7
 *	tcp [2001:db8::1]:4000 > [2001:db8::2]:9092 A seq=1 ack=1 len=100
 *	arp-request 10.9.0.50 > 10.9.0.10	arp-reply ...	ns, na ...
 *	echo 10.9.0.50 > 10.9.0.10 id=1 len=56	echo-reply ...
 *	unreach 10.8.0.1 > 10.8.0.10 code=4 mtu=1400 / tcp 10.8.0.10:1 > ...
 *	too-big, exceeded, param; icmp type=13
 *	mld-query fe80::1 > ff02::1 delay=1000 group=ff02::1:ff00:10 v=1
 *
 * TCP flags: S A F R P U, or "-".  Keys when building (numbers as in C):
 *
 *	seq ack win len mss ws nop opts(hex) urg	TCP; nop: before the MSS
 *	ttl id frag tos ipopt(words) proto total	IPv4
 *	ttl tos ext(hop, alert, dst, frag, route) proto total
 *							IPv6; ext=hop,dst
 *	smac dmac svlan(802.1ad) vlan type pad cut	the frame
 *	target mac nf(S O R)				ns, na; mac=none
 *	type code mtu id seq len quote			ICMP
 *	delay group v(1 or 2) len			mld-query; ext=none
 *	badsum badip					wrong checksums
 *	@OFF=VALUE					a byte, after the sums
 *
 * Described only: mld-report, n= records, rec= the type of all of them, g0=
 * and so on the first groups; mld-report1, MLDv1, group=.
 *
 * The builder and the reader share no code with what they test.
 */
#ifndef LP_TESTS_SUPPORT_PACKET_H
#define LP_TESTS_SUPPORT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PACKET_MAX = 2048,
	PACKET_TEXT_SIZE = 1024,
};

struct packet {
	uint8_t bytes[PACKET_MAX];
	size_t len;
};

/*
 * Ends the program with a message if the text is wrong.  Without smac= the
 * source MAC ends in the last byte of the source address.
 */
void packet_build(struct packet *packet, const char *text);

/* What a frame is, with all keys that the builder knows; wrong sums too. */
void packet_describe(
    char text[PACKET_TEXT_SIZE], const uint8_t *bytes, size_t len);

/*
 * Everything that expected says is so, and no checksum is wrong that it does
 * not call wrong.  A word "*" is any, and so is a port "*".
 */
bool packet_matches(const char *actual, const char *expected);

/* The sum of RFC 1071, written out plainly. */
uint16_t packet_sum(uint32_t sum, const uint8_t *bytes, size_t len);

/* The number of that key before any " / ", or otherwise. */
unsigned long packet_number(
    const char *text, const char *key, unsigned long otherwise);

/* The word of that key, or false; at most size - 1 bytes. */
bool packet_word(const char *text, const char *key, char *word, size_t size);

#endif
