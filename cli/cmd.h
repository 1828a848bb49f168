/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of the command table call; one cmd_*.c file a noun.
 */
#ifndef LP_CLI_CMD_H
#define LP_CLI_CMD_H

#include "cli/change.h"
#include "cli/command.h"
#include "cli/lpctl.h"

/* Those that change, in the terms of struct lp_command. */
#define LP_CMD_CHANGE(name)                                                    \
	int name(struct lp_change *change, const struct lp_lpctl *lpctl,       \
	    const struct lp_words *words, struct lp_error *error)
LP_CMD_CHANGE(lp_cmd_port_add);
LP_CMD_CHANGE(lp_cmd_port_set);
LP_CMD_CHANGE(lp_cmd_port_del);
LP_CMD_CHANGE(lp_cmd_cluster_add);
LP_CMD_CHANGE(lp_cmd_cluster_set);
LP_CMD_CHANGE(lp_cmd_cluster_del);
LP_CMD_CHANGE(lp_cmd_broker_add);
LP_CMD_CHANGE(lp_cmd_broker_set);
LP_CMD_CHANGE(lp_cmd_broker_del);
LP_CMD_CHANGE(lp_cmd_listener_add);
LP_CMD_CHANGE(lp_cmd_listener_set);
LP_CMD_CHANGE(lp_cmd_listener_del);
LP_CMD_CHANGE(lp_cmd_rule_add);
LP_CMD_CHANGE(lp_cmd_rule_set);
LP_CMD_CHANGE(lp_cmd_rule_del);
#undef LP_CMD_CHANGE

/* Those that ask. */
#define LP_CMD_RUN(name)                                                       \
	int name(const struct lp_lpctl *lpctl, const struct lp_words *words,   \
	    struct lp_error *error)
LP_CMD_RUN(lp_cmd_check);
LP_CMD_RUN(lp_cmd_show);
LP_CMD_RUN(lp_cmd_show_ports);
LP_CMD_RUN(lp_cmd_show_clusters);
LP_CMD_RUN(lp_cmd_show_brokers);
LP_CMD_RUN(lp_cmd_show_listeners);
LP_CMD_RUN(lp_cmd_show_rules);
LP_CMD_RUN(lp_cmd_export);
LP_CMD_RUN(lp_cmd_apply_diff);
LP_CMD_RUN(lp_cmd_apply);
LP_CMD_RUN(lp_cmd_rule_stats);
LP_CMD_RUN(lp_cmd_denials);
LP_CMD_RUN(lp_cmd_audit);
LP_CMD_RUN(lp_cmd_history);
LP_CMD_RUN(lp_cmd_rollback);
LP_CMD_RUN(lp_cmd_confirm);
LP_CMD_RUN(lp_cmd_status);
LP_CMD_RUN(lp_cmd_stats);
LP_CMD_RUN(lp_cmd_top);
LP_CMD_RUN(lp_cmd_connections);
LP_CMD_RUN(lp_cmd_kafka_stats);
LP_CMD_RUN(lp_cmd_kafka_clients);
LP_CMD_RUN(lp_cmd_kafka_topics);
LP_CMD_RUN(lp_cmd_trace);
LP_CMD_RUN(lp_cmd_capture);
LP_CMD_RUN(lp_cmd_db);
LP_CMD_RUN(lp_cmd_pki);
LP_CMD_RUN(lp_cmd_version);
LP_CMD_RUN(lp_cmd_help);
#undef LP_CMD_RUN

/* What db restore is where lp-controld runs: a copy is applied as a file is. */
int lp_cmd_apply_copy(const struct lp_lpctl *lpctl,
    const struct lp_words *words, const char *path, struct lp_error *error);

/* The number of a generation, from 1.  An exit status. */
int lp_cmd_rollback_generation(
    uint64_t *generation, const char *text, struct lp_error *error);

#endif
