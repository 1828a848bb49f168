/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/tls.h"

#include <string.h>

enum {
	/* Record and handshake header, version, random. */
	FIXED_LEN = 5 + 4 + 2 + 32,
	/* Longer hellos are not read to their end. */
	HELLO_MAX = 16384,
	EXTENSION_HEAD = 4,
	EXTENSION_SERVER_NAME = 0,
	/* Length of the list and type of its first name. */
	NAME_LIST_HEAD = 3,
};

/* What the next number is; its width in bytes. */
enum state {
	SESSION_LEN = 0,
	CIPHERS_LEN,
	METHODS_LEN,
	EXTENSIONS_LEN,
	EXTENSION_TYPE,
	EXTENSION_LEN,
	NAME_EXTENSION_LEN,
	NAME_LEN,
	NAME, /* no number: the bytes of the name */
};
static const uint8_t width[] = {1, 2, 1, 2, 2, 2, 2, 2};

static void read_byte(struct lp_kafka_conn *, uint8_t);
static void number(struct lp_kafka_conn *, uint16_t);
static void finish(struct lp_kafka_conn *);

void
lp_tls_begin(struct lp_kafka_at *at, const struct lp_cursor *in)
{
	struct lp_kafka_conn *conn = at->conn;
	const struct lp_kafka_side *side = &conn->sides[LP_TO_BROKER];

	conn->mode = LP_KAFKA_TLS;
	conn->hello = (struct lp_tls_hello){.left = FIXED_LEN};
	lp_stream_close(
	    &conn->sides[LP_TO_CLIENT].stream, &at->kafka->held, LP_STREAM_OFF);
	lp_tls_feed(at, side->head, side->head_len);
	if (conn->mode == LP_KAFKA_TLS)
		lp_tls_feed(at, in->at, (uint32_t)(in->end - in->at));
}

void
lp_tls_feed(struct lp_kafka_at *at, const uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len && !at->conn->hello.done; i++)
		read_byte(at->conn, bytes[i]);
	if (at->conn->hello.done)
		lp_kafka_ignore(at);
}

static void
read_byte(struct lp_kafka_conn *conn, uint8_t byte)
{
	struct lp_tls_hello *hello = &conn->hello;
	uint16_t value;

	if (++hello->total == HELLO_MAX) {
		finish(conn);
		return;
	}
	if (hello->left > 0) {
		hello->left--;
		if (hello->state != NAME)
			return;
		if (conn->name_len < LP_KAFKA_NAME_MAX)
			conn->name[conn->name_len++] = (char)byte;
		if (hello->left == 0) {
			conn->flags |= LP_KAFKA_SNI;
			finish(conn);
		}
		return;
	}
	hello->value = (uint16_t)(hello->value << 8 | byte);
	if (++hello->got < width[hello->state])
		return;
	value = hello->value;
	hello->got = 0;
	hello->value = 0;
	number(conn, value);
}

static void
number(struct lp_kafka_conn *conn, uint16_t value)
{
	struct lp_tls_hello *hello = &conn->hello;

	switch ((enum state)hello->state) {
	case SESSION_LEN:
	case CIPHERS_LEN:
	case METHODS_LEN:
		hello->left = value;
		hello->state++;
		return;
	case EXTENSIONS_LEN:
		hello->extensions = value;
		hello->state = EXTENSION_TYPE;
		break;
	case EXTENSION_TYPE:
		hello->state = value == EXTENSION_SERVER_NAME
		    ? NAME_EXTENSION_LEN
		    : EXTENSION_LEN;
		return;
	case EXTENSION_LEN:
		hello->left = value;
		hello->extensions = hello->extensions > value + EXTENSION_HEAD
		    ? (uint16_t)(hello->extensions - value - EXTENSION_HEAD)
		    : 0;
		hello->state = EXTENSION_TYPE;
		break;
	case NAME_EXTENSION_LEN:
		hello->left = NAME_LIST_HEAD;
		hello->state = NAME_LEN;
		return;
	case NAME_LEN:
		hello->left = value;
		hello->state = NAME;
		if (value == 0)
			finish(conn);
		return;
	case NAME:
		return;
	}
	if (hello->extensions == 0)
		finish(conn);
}

/* The rest is encrypted, or of no interest. */
static void
finish(struct lp_kafka_conn *conn)
{
	conn->hello.done = true;
}
