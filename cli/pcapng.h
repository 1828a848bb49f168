/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing pcapng (draft-ietf-opsawg-pcapng): one section, an interface for
 * each port, nanoseconds, and a comment for each packet.
 *
 * A failed write is remembered by the FILE: ferror() tells.
 */
#ifndef LP_CLI_PCAPNG_H
#define LP_CLI_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct lp_pcapng_packet {
	uint32_t interface; /* in the order of lp_pcapng_interface() */
	uint64_t time_ns; /* CLOCK_REALTIME */
	const uint8_t *bytes;
	uint32_t len; /* of bytes */
	uint32_t wire_len;
	bool sent; /* outbound, else inbound */
	const char *comment; /* UTF-8; NULL: none */
};

/* First of all.  application: "lpctl 0.1.0". */
void lp_pcapng_begin(FILE *file, const char *application);

/* snaplen: 0 for whole packets; description: NULL for none. */
void lp_pcapng_interface(
    FILE *file, const char *name, const char *description, uint32_t snaplen);

void lp_pcapng_packet(FILE *file, const struct lp_pcapng_packet *packet);

#endif
