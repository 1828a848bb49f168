/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block is its type, its length, its body and its length again; all is
 * padded to four bytes and in the byte order of this machine, which the
 * section header tells.
 */
#include "cli/pcapng.h"

#include <string.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	BLOCK_OVERHEAD = 12,
	LINKTYPE_ETHERNET = 1,
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_SECTION_APPLICATION = 4,
	OPTION_INTERFACE_NAME = 2,
	OPTION_INTERFACE_DESCRIPTION = 3,
	OPTION_INTERFACE_RESOLUTION = 9,
	OPTION_PACKET_FLAGS = 2,
	RESOLUTION_NS = 9, /* 10^-9 */
	FLAG_INBOUND = 1,
	FLAG_OUTBOUND = 2,
	OPTION_HEAD = 4,
};

static uint32_t padded(size_t len);
static uint32_t option_size(const char *text);
static void put16(FILE *file, unsigned value);
static void put32(FILE *file, uint32_t value);
static void put_bytes(FILE *file, const void *bytes, size_t len);
static void put_option(
    FILE *file, unsigned code, const void *value, size_t len);
static void put_text(FILE *file, unsigned code, const char *text);
static void begin_block(FILE *file, uint32_t type, uint32_t size);

void
lp_pcapng_begin(FILE *file, const char *application)
{
	uint32_t size =
	    BLOCK_OVERHEAD + 16 + option_size(application) + OPTION_HEAD;

	begin_block(file, BLOCK_SECTION, size);
	put32(file, BYTE_ORDER_MAGIC);
	put16(file, 1);
	put16(file, 0);
	put32(file, UINT32_MAX); /* the section's length is not known */
	put32(file, UINT32_MAX);
	put_text(file, OPTION_SECTION_APPLICATION, application);
	put_option(file, OPTION_END, NULL, 0);
	put32(file, size);
}

void
lp_pcapng_interface(
    FILE *file, const char *name, const char *description, uint32_t snaplen)
{
	const uint8_t resolution = RESOLUTION_NS;
	uint32_t size = BLOCK_OVERHEAD + 8 + option_size(name) +
	    option_size(description) + OPTION_HEAD + 4 + OPTION_HEAD;

	begin_block(file, BLOCK_INTERFACE, size);
	put16(file, LINKTYPE_ETHERNET);
	put16(file, 0);
	put32(file, snaplen);
	put_text(file, OPTION_INTERFACE_NAME, name);
	put_text(file, OPTION_INTERFACE_DESCRIPTION, description);
	put_option(file, OPTION_INTERFACE_RESOLUTION, &resolution, 1);
	put_option(file, OPTION_END, NULL, 0);
	put32(file, size);
}

void
lp_pcapng_packet(FILE *file, const struct lp_pcapng_packet *packet)
{
	const uint32_t flags = packet->sent ? FLAG_OUTBOUND : FLAG_INBOUND;
	uint32_t size = BLOCK_OVERHEAD + 20 + padded(packet->len) +
	    option_size(packet->comment) + OPTION_HEAD + 4 + OPTION_HEAD;

	begin_block(file, BLOCK_PACKET, size);
	put32(file, packet->interface);
	put32(file, (uint32_t)(packet->time_ns >> 32));
	put32(file, (uint32_t)packet->time_ns);
	put32(file, packet->len);
	put32(file, packet->wire_len);
	put_bytes(file, packet->bytes, packet->len);
	put_text(file, OPTION_COMMENT, packet->comment);
	put_option(file, OPTION_PACKET_FLAGS, &flags, sizeof(flags));
	put_option(file, OPTION_END, NULL, 0);
	put32(file, size);
}

static uint32_t
padded(size_t len)
{
	return (uint32_t)(len + 3) & ~3u;
}

/* The length of an option has 16 bits: longer texts are cut. */
static size_t
text_len(const char *text)
{
	return strnlen(text, UINT16_MAX - 3);
}

static uint32_t
option_size(const char *text)
{
	return text != NULL ? OPTION_HEAD + padded(text_len(text)) : 0;
}

static void
put16(FILE *file, unsigned value)
{
	uint16_t word = (uint16_t)value;

	(void)fwrite(&word, sizeof(word), 1, file);
}

static void
put32(FILE *file, uint32_t value)
{
	(void)fwrite(&value, sizeof(value), 1, file);
}

static void
put_bytes(FILE *file, const void *bytes, size_t len)
{
	static const uint8_t zero[3];

	if (len > 0)
		(void)fwrite(bytes, 1, len, file);
	if (padded(len) > len)
		(void)fwrite(zero, 1, padded(len) - len, file);
}

static void
put_option(FILE *file, unsigned code, const void *value, size_t len)
{
	put16(file, code);
	put16(file, (unsigned)len);
	put_bytes(file, value, len);
}

static void
put_text(FILE *file, unsigned code, const char *text)
{
	if (text != NULL)
		put_option(file, code, text, text_len(text));
}

static void
begin_block(FILE *file, uint32_t type, uint32_t size)
{
	put32(file, type);
	put32(file, size);
}
