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
	flags &=
	    (uint8_t) ~(LP_KAFKA_PLAIN | LP_KAFKA_SCRAM | LP_KAFKA_CLAIMED);
	if (is(fact, "PLAIN"))
		flags |= LP_KAFKA_PLAIN;
	else if (is(fact, "SCRAM-SHA-256") || is(fact, "SCRAM-SHA-512"))
		flags |= LP_KAFKA_SCRAM;
	at->conn->flags = flags;
}

/*
 * The answer proves the token that it answers.  Whoever sends another one
 * before it came, or a new handshake, claims nothing.  One who is known stays
 * who it is: Kafka lets nobody become another (KIP-368).
 */
void
lp_sasl_token(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	struct lp_kafka_conn *conn = at->conn;

	if (conn->flags & LP_KAFKA_NAMED)
		return;
	if (conn->flags & LP_KAFKA_FINAL) {
		conn->flags &= (uint8_t)~LP_KAFKA_CLAIMED;
		return;
	}
	if (conn->flags & LP_KAFKA_PLAIN)
		claim_plain(conn, fact);
	else if (conn->flags & LP_KAFKA_SCRAM)
		claim_scram(conn, fact);
	message->proves = (conn->flags & LP_KAFKA_FINAL) != 0;
}

void
lp_sasl_answered(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_inflight *entry)
{
	uint8_t flags = at->conn->flags;
	bool refused = message != NULL && message->errors > 0;

	if (entry->key != LP_KEY_SASL_AUTHENTICATE &&
	    entry->key != LP_KEY_SASL_HANDSHAKE)
		return;
	if (refused)
		lp_telemetry_count(&at->kafka->telemetry, sasl_failures, 1);
	if (!entry->proves)
		return;
	if (message != NULL && !message->bad && !refused &&
	    (flags & LP_KAFKA_CLAIMED))
		flags |= LP_KAFKA_NAMED;
	at->conn->flags =
	    flags & (uint8_t) ~(LP_KAFKA_CLAIMED | LP_KAFKA_FINAL);
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

	/* Two that begin alike must not look like one. */
	if (len > LP_KAFKA_NAME_MAX) {
		conn->flags &= (uint8_t)~LP_KAFKA_CLAIMED;
		return;
	}
	memcpy(conn->name, from, len);
	conn->name_len = (uint8_t)len;
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
