/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing of both sockets: a 4-byte length in network order, then that many
 * bytes of one protobuf message.  The length counts the message only and is
 * 1..LP_FRAME_SIZE_MAX - 4.
 *
 * Pure: works on bytes that the caller holds, whatever brought them.
 */
#ifndef LP_PROTO_FRAME_H
#define LP_PROTO_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

enum { LP_FRAME_HEADER_SIZE = 4 };

/* What a parser answers. */
enum lp_parse_result {
	LP_OK = 0,
	LP_MORE = 1, /* not yet complete: come back with more bytes */
	LP_BAD = -1, /* can never become right */
};

/*
 * Looks at the first frame of data[0..len).  LP_OK: *payload and
 * *payload_len are the message, inside data.  LP_MORE: *payload_len is how
 * many bytes in all are needed to go on (4, or the whole frame).  LP_BAD: a
 * length of zero or beyond the limit; close the connection.
 */
enum lp_parse_result lp_frame_next(const uint8_t *data, size_t len,
    const uint8_t **payload, size_t *payload_len);

/* Writes the header of a message of payload_len bytes, which must fit. */
void lp_frame_header(uint8_t header[LP_FRAME_HEADER_SIZE], size_t payload_len);

#endif
