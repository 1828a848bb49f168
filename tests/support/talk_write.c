/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/talk_write.h"

#include <string.h>

static void
put_big_endian(struct sim_bytes *to, uint64_t value, unsigned width)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
	sim_bytes_add(to, bytes, width);
}

void
talk_write_i8(struct sim_bytes *to, int8_t value)
{
	put_big_endian(to, (uint64_t)value, 1);
}

void
talk_write_i16(struct sim_bytes *to, int16_t value)
{
	put_big_endian(to, (uint64_t)value, 2);
}

void
talk_write_i32(struct sim_bytes *to, int32_t value)
{
	put_big_endian(to, (uint64_t)value, 4);
}

void
talk_write_i64(struct sim_bytes *to, int64_t value)
{
	put_big_endian(to, (uint64_t)value, 8);
}

static void
put_varint(struct sim_bytes *to, uint32_t value)
{
	uint8_t byte;

	for (; value >= 0x80; value >>= 7) {
		byte = (uint8_t)(value | 0x80);
		sim_bytes_add(to, &byte, 1);
	}
	byte = (uint8_t)value;
	sim_bytes_add(to, &byte, 1);
}

void
talk_write_text(
    struct sim_bytes *to, const char *text, bool null, bool flexible)
{
	size_t len = null ? 0 : strlen(text);

	if (flexible)
		put_varint(to, null ? 0 : (uint32_t)len + 1);
	else
		talk_write_i16(to, null ? -1 : (int16_t)len);
	sim_bytes_add(to, text, len);
}

void
talk_write_count(struct sim_bytes *to, uint32_t count, bool flexible)
{
	if (flexible)
		put_varint(to, count + 1);
	else
		talk_write_i32(to, (int32_t)count);
}

void
talk_write_length(struct sim_bytes *to, uint32_t len, bool flexible)
{
	talk_write_count(to, len, flexible);
}

void
talk_write_tags(struct sim_bytes *to, bool flexible)
{
	if (flexible)
		put_varint(to, 0);
}

size_t
talk_write_begin(struct sim_bytes *to)
{
	size_t begin = to->len;

	talk_write_i32(to, 0);
	return begin;
}

size_t
talk_write_end(struct sim_bytes *to, size_t begin)
{
	size_t len = to->len - begin;

	for (unsigned i = 0; i < 4; i++)
		to->bytes[begin + i] = (uint8_t)((len - 4) >> (8 * (3 - i)));
	return len;
}
