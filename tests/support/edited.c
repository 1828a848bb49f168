/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/edited.h"

#include <check.h>
#include <ctype.h>
#include <string.h>

#include "dataplane/pipeline/wire.h"
#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"

enum { ETHERNET = 14 };

struct kafka_frame edited_sent, edited_wanted;
uint8_t edited_left[KAFKA_FRAME_MAX];
size_t edited_left_len;

/* Listeners say what becomes of what cannot be judged. */
void
edited_publish(uint8_t unjudged)
{
	size_t first,
	    count = lp_config_range(&plane.config, LP_OBJECT_LISTENER, &first);

	for (size_t i = first; i < first + count; i++) {
		struct lp_object listener = plane.config.objects[i];

		listener.listener.unjudged = unjudged;
		put(&plane.config, listener);
	}
	plane_publish();
	/* Those that are open follow. */
	plane_wait_ms(1000);
	plane_forget();
}

static void
collect(enum lp_direction dir, uint32_t base)
{
	while (plane_take(kafka_slot(!dir))) {
		const uint8_t *ip = plane.frame.bytes + ETHERNET;
		size_t head = (size_t)(ip[0] & 15) * 4;
		const uint8_t *tcp = ip + head;
		size_t off = (size_t)(tcp[12] >> 4) * 4;
		size_t len = lp_get16(ip + 2) - head - off;
		uint32_t at = lp_get32(tcp + 4) - base;

		if (len == 0)
			continue;
		ensure(at + len <= sizeof(edited_left), "far away");
		memcpy(edited_left + at, tcp + off, len);
		if (at + len > edited_left_len)
			edited_left_len = at + len;
	}
}

/* Bytes of what is sent, from that place on. */
void
edited_send_part(enum lp_direction dir, size_t at, size_t len)
{
	kafka_queue(dir, (int32_t)at, edited_sent.bytes + at, len);
	plane_run();
	collect(dir, kafka_talk.next[dir]);
}

void
edited_has_left(void)
{
	ck_assert_uint_eq(edited_left_len, edited_wanted.len);
	for (size_t i = 0; i < edited_wanted.len; i++)
		ensure(edited_left[i] == edited_wanted.bytes[i],
		    "byte %zu: %02x, not %02x", i, edited_left[i],
		    edited_wanted.bytes[i]);
}

/* The frame in two segments, the receiver acknowledges both. */
void
edited_pass_cut(enum lp_direction dir, size_t cut)
{
	edited_left_len = 0;
	if (cut > 0)
		edited_send_part(dir, 0, cut);
	edited_send_part(dir, cut, edited_sent.len - cut);
	edited_has_left();
	kafka_talk.next[dir] += (uint32_t)edited_sent.len;
	kafka_acknowledge(!dir);
	plane_forget();
}

void
edited_pass(enum lp_direction dir)
{
	edited_pass_cut(dir, 0);
}

void
edited_int16(int64_t as_sent, int64_t as_left)
{
	size_t at = edited_sent.len;

	kafka_int16(&edited_sent, as_sent);
	edited_wanted.len = at;
	kafka_int16(&edited_wanted, as_left);
}

void
edited_int32(int64_t as_sent, int64_t as_left)
{
	edited_wanted.len = edited_sent.len;
	kafka_int32(&edited_wanted, as_left);
	kafka_int32(&edited_sent, as_sent);
}

/* What both have: wanted follows where it was not written. */
void
edited_end(void)
{
	kafka_end(&edited_sent);
	kafka_end(&edited_wanted);
	ck_assert_uint_eq(edited_sent.len, edited_wanted.len);
}

/* All that was appended to what is sent is as it is. */
void
edited_same(void)
{
	kafka_bytes(&edited_wanted, edited_sent.bytes + edited_wanted.len,
	    edited_sent.len - edited_wanted.len);
}

void
edited_index(int32_t index, bool denied)
{
	edited_same();
	edited_int32(index, denied ? index | 1 << 30 : index);
}

void
edited_text(bool flexible, const char *text)
{
	if (flexible)
		kafka_compact(&edited_sent, text);
	else
		kafka_string(&edited_sent, text);
}

void
edited_count(bool flexible, unsigned count)
{
	if (flexible)
		kafka_int8(&edited_sent, count + 1);
	else
		kafka_int32(&edited_sent, count);
}

void
edited_tags(bool flexible)
{
	if (flexible)
		kafka_int8(&edited_sent, 0);
}

/* From 0x7f on down, by its place; of all others that names may have, one. */
uint8_t
edited_fake(char last)
{
	static const char order[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *at = strchr(order, last);
	unsigned nth = at != NULL ? (unsigned)(at - order) : 62;

	for (int byte = 127;; byte--)
		if (!isalnum(byte) && byte != '.' && byte != '_' &&
		    byte != '-' && nth-- == 0)
			return (uint8_t)byte;
}

void
edited_again(enum lp_direction dir, unsigned times)
{
	static uint64_t random = 77;

	while (times-- > 0) {
		uint32_t len = (uint32_t)edited_sent.len;
		uint32_t at = random_between(&random, 0, len - 1);
		uint32_t some = random_between(&random, 1, len - at);

		memset(edited_left, 0xee, sizeof(edited_left));
		edited_send_part(dir, at, some);
		ck_assert_mem_eq(
		    edited_left + at, edited_wanted.bytes + at, some);
	}
}
