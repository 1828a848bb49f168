/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/sasl.h"

#include <string.h>

#include "dataplane/kafka/account.h"

static void claim_plain(struct lp_kafka_conn *, const struct lp_fact *);
static void claim_scram(struct lp_kafka_conn *, const struct lp_fact *);
static const uint8_t *find(const uint8_t *, const uint8_t *, const char *);
static void claim(struct lp_kafka_conn *, const uint8_t *, const uint8_t *);
static void unescape(struct lp_kafka_conn *);
static bool is(const struct lp_fact *, const char *);

void
lp_sasl_mechanism(struct lp_kafka_at *at, const struct lp_fact *fact)
{
	uint8_t flags = at->conn->flags;

	lp_telemetry_count(&at->kafka->telemetry, sasl_handshakes, 1);
	flags &= (uint8_t) ~(LP_KAFKA_PLAIN | LP_KAFKA_SCRAM |
	    LP_KAFKA_CLAIMED | LP_KAFKA_FINAL);
	if (is(fact, "PLAIN"))
		flags |= LP_KAFKA_PLAIN;
	else if (is(fact, "SCRAM-SHA-256") || is(fact, "SCRAM-SHA-512"))
		flags |= LP_KAFKA_SCRAM;
	at->conn->flags = flags;
}

void
lp_sasl_token(struct lp_kafka_at *at, const struct lp_fact *fact)
{
	/* A new token, also on a connection that authenticates again. */
	if (at->conn->flags & LP_KAFKA_PLAIN)
		claim_plain(at->conn, fact);
	else if (at->conn->flags & LP_KAFKA_SCRAM)
		claim_scram(at->conn, fact);
}

void
lp_sasl_answered(
    struct lp_kafka_at *at, const struct lp_message *message, int16_t key)
{
	uint8_t flags = at->conn->flags;

	if (key != LP_KEY_SASL_AUTHENTICATE)
		return;
	if (message != NULL && message->errors > 0)
		lp_telemetry_count(&at->kafka->telemetry, sasl_failures, 1);
	if (!(flags & LP_KAFKA_FINAL))
		return;
	flags &= (uint8_t)~LP_KAFKA_FINAL;
	if (message != NULL && !message->bad && message->errors == 0 &&
	    (flags & LP_KAFKA_CLAIMED))
		flags |= LP_KAFKA_NAMED;
	flags &= (uint8_t)~LP_KAFKA_CLAIMED;
	at->conn->flags = flags;
}

/* [authzid] NUL authcid NUL passwd; the principal is authcid. */
static void
claim_plain(struct lp_kafka_conn *conn, const struct lp_fact *fact)
{
	const uint8_t *end = fact->bytes + fact->len;
	const uint8_t *from = memchr(fact->bytes, 0, fact->len);
	const uint8_t *to;

	conn->flags |= LP_KAFKA_FINAL;
	if (from == NULL)
		return;
	from++;
	to = memchr(from, 0, (size_t)(end - from));
	if (to != NULL)
		claim(conn, from, to);
}

/* "n,,n=user,r=nonce" first, "c=biws,r=...,p=proof" last. */
static void
claim_scram(struct lp_kafka_conn *conn, const struct lp_fact *fact)
{
	const uint8_t *end = fact->bytes + fact->len;
	const uint8_t *from;
	const uint8_t *to;

	if (fact->len >= 2 && memcmp(fact->bytes, "c=", 2) == 0) {
		conn->flags |= LP_KAFKA_FINAL;
		return;
	}
	/* The name of a delegation token is its id, not a user. */
	if (find(fact->bytes, end, ",tokenauth=true") != NULL)
		return;
	from = find(fact->bytes, end, ",n=");
	if (from == NULL)
		return;
	from += 3;
	to = memchr(from, ',', (size_t)(end - from));
	if (to == NULL)
		return;
	claim(conn, from, to);
	unescape(conn);
}

static const uint8_t *
find(const uint8_t *from, const uint8_t *end, const char *text)
{
	size_t len = strlen(text);

	for (; (size_t)(end - from) >= len; from++)
		if (memcmp(from, text, len) == 0)
			return from;
	return NULL;
}

static void
claim(struct lp_kafka_conn *conn, const uint8_t *from, const uint8_t *to)
{
	size_t len = (size_t)(to - from);

	if (len > LP_KAFKA_NAME_MAX)
		len = LP_KAFKA_NAME_MAX;
	memcpy(conn->name, from, len);
	conn->name_len = (uint8_t)len;
	conn->flags &= (uint8_t)~LP_KAFKA_NAMED;
	conn->flags |= LP_KAFKA_CLAIMED;
}

/* RFC 5802, 5.1: a comma is =2C, an equals sign =3D. */
static void
unescape(struct lp_kafka_conn *conn)
{
	uint8_t out = 0;

	for (uint8_t i = 0; i < conn->name_len; i++) {
		const char *at = conn->name + i;
		char c = *at;

		if (conn->name_len - i >= 3 && memcmp(at, "=2C", 3) == 0) {
			c = ',';
			i = (uint8_t)(i + 2);
		} else if (conn->name_len - i >= 3 &&
		    memcmp(at, "=3D", 3) == 0) {
			c = '=';
			i = (uint8_t)(i + 2);
		}
		conn->name[out++] = c;
	}
	conn->name_len = out;
}

static bool
is(const struct lp_fact *fact, const char *text)
{
	return fact->full_len == strlen(text) &&
	    memcmp(fact->bytes, text, fact->len) == 0;
}
