/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/mutate.h"

#include <stdlib.h>
#include <string.h>

enum {
	AGAIN_MAX = 1024, /* bytes: of what is longer nothing is remembered */
};

uint64_t
fuzz_random(unsigned long long seed)
{
	/* Never 0, which would stay so. */
	return seed * 0x9e3779b97f4a7c15ull | 1;
}

/* xorshift64* */
uint32_t
fuzz_draw(uint64_t *random)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return (uint32_t)((*random * 0x2545f4914f6cdd1dull) >> 32);
}

size_t
fuzz_mutate(uint64_t *random, uint8_t *data, size_t size)
{
	static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
	size_t at = fuzz_draw(random) % size, other = fuzz_draw(random) % size;
	size_t len = size - (at > other ? at : other);

	switch (fuzz_draw(random) % 6) {
	case 0:
		data[at] ^= (uint8_t)(1u << fuzz_draw(random) % 8);
		break;
	case 1:
		data[at] = (uint8_t)fuzz_draw(random);
		break;
	case 2:
		data[at] = edges[fuzz_draw(random) % sizeof(edges)];
		break;
	case 3: /* repeat a piece elsewhere */
		memmove(data + at, data + other, len);
		break;
	case 4: /* take a byte out */
		memmove(data + at, data + at + 1, size - at - 1);
		return size > 1 ? size - 1 : size;
	case 5: /* cut the end off */
		return at + 1;
	}
	return size;
}

bool
fuzz_is_again(const uint8_t *data, size_t size, size_t head, size_t step)
{
	static uint8_t before[AGAIN_MAX];
	static size_t len;
	size_t whole = size - (size - head) % step;
	bool again = whole == len && memcmp(before, data, len) == 0;

	len = whole > sizeof(before) ? 0 : whole;
	memcpy(before, data, len);
	return again;
}

unsigned long long
fuzz_setting(const char *name, unsigned long long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}
