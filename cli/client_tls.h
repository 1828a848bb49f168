/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lp-controld on another machine.  For client_stream.c, whose functions of the
 * same names say what these do.
 */
#ifndef LP_CLI_CLIENT_TLS_H
#define LP_CLI_CLIENT_TLS_H

#include "cli/client_stream.h"

struct lp_client_tls;

int lp_client_tls_open(struct lp_client_stream *stream,
    const struct lp_client_stream_waiter *waiter, struct lp_error *error);
/* NULL is accepted. */
void lp_client_tls_free(struct lp_client_tls *tls);

int lp_client_tls_send(struct lp_client_stream *stream, const uint8_t *data,
    size_t len, size_t *done, short *events, struct lp_error *error);
int lp_client_tls_receive(struct lp_client_stream *stream, uint8_t *data,
    size_t size, size_t *done, short *events, struct lp_error *error);
bool lp_client_tls_pending(const struct lp_client_stream *stream);

#endif
