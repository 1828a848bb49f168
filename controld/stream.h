/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames over libevent's buffers, for both sockets.
 */
#ifndef LP_CONTROLD_STREAM_H
#define LP_CONTROLD_STREAM_H

#include <event2/bufferevent.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "proto/frame.h"
#include "proto/message.h"

/*
 * The first frame of the input.  LP_OK: *payload and *len are the message,
 * valid until lp_stream_drop().  LP_MORE: come back with more bytes.  LP_BAD:
 * close the connection.
 */
enum lp_parse_result lp_stream_next(
    struct evbuffer *input, const uint8_t **payload, size_t *len);

/* Removes the frame that lp_stream_next() found, of payload length len. */
void lp_stream_drop(struct evbuffer *input, size_t len);

/* Frames and queues the message.  0, -ENOMEM or -EMSGSIZE. */
int lp_stream_add(struct evbuffer *output, const ProtobufCMessage *message);

/* 0, or -ENAMETOOLONG: a socket's path has at most 107 bytes. */
int lp_stream_address(struct sockaddr_un *address, const char *path);

#endif
