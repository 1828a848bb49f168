/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions from one line of text, for tests.
 */
#ifndef LP_TESTS_CONTROLD_TRANSACTION_H
#define LP_TESTS_CONTROLD_TRANSACTION_H

#include "controld/model.h"

/* A request whose body is of that kind, with no fields; or has none. */
Lp__Pb__ControlRequest *make_request(Lp__Pb__ControlRequest__BodyCase body);

/*
 * A request with a transaction; commands are separated by ';':
 *   add port NAME device=D address=A,A gateway=G side=S backend=B mtu=N
 *            route=1 peer=P loss=W
 *   add cluster NAME [discover=1]
 *   add broker CLUSTER NODE [to=IP:PORT] [found=1]
 *   add listener CLUSTER NAME [vip=IP:PORT] [base=N] [source=W] [mode=W]
 *                [unjudged=W]
 *   add rule NAME priority=N match=TEXT action=TEXT [shadow=0|1]
 *            where + stands for a blank of the texts
 * and the same with set (name=NEW, keep=1: addresses are added to) and del;
 * "may=1" and "if=1" are may_exist and if_exists, owner=LABEL
 * is of every kind.
 */
Lp__Pb__ControlRequest *make_transaction(const char *text);

/* The model applied to a configuration, which must succeed. */
void apply(struct lp_config *config, uint32_t *next_id, const char *text);

/* The lines of a configuration: endpoints too. */
char *dump(const struct lp_config *config);

/* Commands of a working configuration: one of each kind. */
extern const char *const basic;

#endif
