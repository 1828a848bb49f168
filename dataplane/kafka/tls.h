/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS inside a connection: recognised, and passed as opaque.  All that is read
 * of it is the server name in the client's hello (RFC 8446, 4.1.2; RFC 6066,
 * 3), byte by byte, however it is cut.  Internal to the Kafka stage.
 */
#ifndef LP_KAFKA_TLS_H
#define LP_KAFKA_TLS_H

#include "dataplane/kafka/frame.h"

/* The first bytes of a handshake record: no request of Kafka has this size. */
static inline bool
lp_tls_is_hello(const uint8_t *bytes)
{
	return bytes[0] == 0x16 && bytes[1] == 3 && bytes[2] <= 4;
}

/* An alert or a handshake record, where a response should begin. */
static inline bool
lp_tls_is_record(const uint8_t *bytes)
{
	return (bytes[0] == 0x15 || bytes[0] == 0x16) && bytes[1] == 3 &&
	    bytes[2] <= 4;
}

/* The head of the first frame was one; the cursor is behind it. */
void lp_tls_begin(struct lp_kafka_at *at, const struct lp_cursor *in);

/*
 * More bytes of the client's, in mode LP_KAFKA_TLS.  At the end of what is of
 * interest the connection becomes opaque.
 */
void lp_tls_feed(struct lp_kafka_at *at, const uint8_t *bytes, uint32_t len);

#endif
