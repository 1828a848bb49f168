/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of commands: the one place that says what lpctl understands.
 *
 * The parser (line.c), --help (help.c) and the completion (complete.c) read
 * this table and nothing else; the manual page is compared with it by a test.
 * A new command is a row, here if it changes an object and else in
 * command_ask.c, and a function in a cmd_*.c file.
 */
#ifndef LP_CLI_COMMAND_H
#define LP_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/error.h"
#include "proto/limits.h"

struct lp_change;
struct lp_lpctl;

/* What a word names; the completion asks. */
enum lp_word {
	LP_WORD_ANY = 0,
	LP_WORD_PORT,
	LP_WORD_CLUSTER,
	LP_WORD_BROKER, /* a node id of the cluster before it */
	LP_WORD_LISTENER, /* of the cluster before it */
	LP_WORD_DEVICE, /* an interface of this host */
	LP_WORD_DATAPLANE,
	LP_WORD_COMMAND,
	LP_WORD_FILE,
	LP_WORD_STATS, /* what else there are counters of */
	LP_WORD_DB, /* what is done with copies of the database */
	LP_WORD_PKI, /* what is done with certificates */
	LP_WORD_RULE,
	LP_WORD_MATCH, /* of a rule: proto/rule.h */
	LP_WORD_ACTION,
	LP_WORD_REQUEST, /* described: proto/rule_explain.h */
};

enum lp_option_id {
	/* of every command */
	LP_OPTION_SOCKET,
	LP_OPTION_REMOTE,
	LP_OPTION_TLS,
	LP_OPTION_OUTPUT,
	LP_OPTION_TIMEOUT,
	LP_OPTION_NO_WAIT,
	LP_OPTION_VERBOSE,
	LP_OPTION_VERSION,
	LP_OPTION_HELP,
	/* of some */
	LP_OPTION_DEVICE,
	LP_OPTION_ADDRESS,
	LP_OPTION_GATEWAY,
	LP_OPTION_SIDE,
	LP_OPTION_BACKEND,
	LP_OPTION_MTU,
	LP_OPTION_DEFAULT_ROUTE,
	LP_OPTION_PEER,
	LP_OPTION_ON_LOSS,
	LP_OPTION_NAME,
	LP_OPTION_SAME_AS,
	LP_OPTION_DISCOVER,
	LP_OPTION_SOURCE,
	LP_OPTION_MODE,
	LP_OPTION_BROKER_BASE,
	LP_OPTION_ENDPOINT,
	LP_OPTION_SOURCE_ADDRESS,
	LP_OPTION_KAFKA,
	LP_OPTION_REWRITE,
	LP_OPTION_ADVERTISE,
	LP_OPTION_UNJUDGED,
	LP_OPTION_PRIORITY,
	LP_OPTION_MATCH,
	LP_OPTION_ACTION,
	LP_OPTION_SHADOW,
	LP_OPTION_OWNER,
	LP_OPTION_IF_EXISTS,
	LP_OPTION_MAY_EXIST,
	LP_OPTION_WATCH,
	LP_OPTION_FOLLOW,
	LP_OPTION_ALL,
	LP_OPTION_DATAPLANE,
	LP_OPTION_LIMIT,
	LP_OPTION_SORT,
	LP_OPTION_VIEW,
	LP_OPTION_FILTER,
	LP_OPTION_SINCE_START,
	LP_OPTION_DELAY,
	LP_OPTION_ROUNDS,
	LP_OPTION_BATCH,
	LP_OPTION_ONCE,
	/* of db */
	LP_OPTION_DATABASE,
	/* of what is configured, or was */
	LP_OPTION_GENERATION,
	/* of files that declare a configuration */
	LP_OPTION_FILE,
	LP_OPTION_PRUNE,
	LP_OPTION_DRY_RUN,
	LP_OPTION_WAIT,
	LP_OPTION_CONFIRM,
	/* of pki */
	LP_OPTION_AUTHORITY,
	LP_OPTION_DAYS,
	LP_OPTION_ROLE,
	LP_OPTION_HOST,
	LP_OPTION_OUT,
	/* of trace and capture */
	LP_OPTION_PORT,
	LP_OPTION_KIND,
	LP_OPTION_FROM,
	LP_OPTION_TO,
	LP_OPTION_FLAGS,
	LP_OPTION_SEQ,
	LP_OPTION_ACK,
	LP_OPTION_PAYLOAD,
	LP_OPTION_READ,
	LP_OPTION_PACKET_FILTER,
	LP_OPTION_REQUEST,
	LP_OPTION_WRITE,
	LP_OPTION_CLIENT,
	LP_OPTION_BROKER,
	LP_OPTION_LISTENER,
	LP_OPTION_SNAPLEN,
	LP_OPTION_COUNT,
	LP_OPTION_DURATION,
	LP_OPTION_SENT,
	LP_OPTIONS, /* how many there are */
};

/* A set of options: 1 << enum lp_option_id. */
typedef unsigned __int128 lp_option_set;
#define LP_OPTION_BIT(id) ((lp_option_set)1 << (id))

enum lp_argument {
	LP_ARGUMENT_NONE = 0,
	LP_ARGUMENT_REQUIRED,
	LP_ARGUMENT_OPTIONAL,
};

struct lp_option {
	const char *name; /* "device" */
	const char *value; /* "DEV"; NULL: takes none */
	const char *words; /* "client broker both"; NULL: anything */
	const char *text; /* one line of help */
	uint8_t argument; /* enum lp_argument */
	uint8_t word; /* enum lp_word */
	char letter; /* 0: none */
};

struct lp_operand {
	const char *name; /* "CLUSTER" */
	uint8_t word; /* enum lp_word */
	bool optional;
};

enum {
	LP_OPERANDS_MAX = 3,
	/* As typed, with those that are several. */
	LP_OPERANDS_GIVEN_MAX = LP_RULES_ASKED_MAX,
	/* Options given to one command: every address, and some more. */
	LP_OPTIONS_GIVEN_MAX = 64,
};

/* One command as it was typed.  Borrows from argv. */
struct lp_words {
	const struct lp_command *command;
	const char *operands[LP_OPERANDS_GIVEN_MAX]; /* NULL: not given */
	struct {
		uint8_t id; /* enum lp_option_id */
		const char *value; /* NULL: none */
	} options[LP_OPTIONS_GIVEN_MAX];
	unsigned option_count;
	/* Of --file and of operands that are files, which may be very many. */
	const char **files;
	size_t file_count;
};

struct lp_command {
	const char *name;
	struct lp_operand operands[LP_OPERANDS_MAX]; /* name NULL: no more */
	bool several; /* of its last operand */
	lp_option_set options; /* of those "of some" */
	const char *summary; /* for the list of commands */
	const char *details; /* for its own help; NULL: nothing to add */
	const char *examples; /* command lines, one a line */
	/* One of the two; both return an exit status. */
	int (*change)(struct lp_change *change, const struct lp_lpctl *lpctl,
	    const struct lp_words *words, struct lp_error *error);
	int (*run)(const struct lp_lpctl *lpctl, const struct lp_words *words,
	    struct lp_error *error);
};

/* A row of the table; NULL behind the last. */
const struct lp_command *lp_command_at(size_t index);

/* NULL if there is no such command. */
const struct lp_command *lp_command_find(const char *name);

/* Whether there may be several of that operand. */
bool lp_command_several(const struct lp_command *command, int operand);

/* What is known of an option. */
const struct lp_option *lp_command_option(enum lp_option_id id);

/* The options that every command takes. */
lp_option_set lp_command_global_options(void);

/* The value of the last such option; fallback if it was not given. */
const char *lp_command_value(
    const struct lp_words *words, enum lp_option_id id, const char *fallback);

/* All values of an option, as they were given; how many. */
size_t lp_command_values(const struct lp_words *words, enum lp_option_id id,
    const char *values[LP_OPTIONS_GIVEN_MAX]);

/* True if the option was given. */
bool lp_command_given(const struct lp_words *words, enum lp_option_id id);

/* Digits only, min..max.  0, or -EINVAL; *out is then unchanged. */
int lp_command_number(
    uint32_t *out, const char *text, uint32_t min, uint32_t max);

/* --limit, from min; *out is unchanged if it is not given.  An exit status. */
int lp_command_limit(uint32_t *out, const struct lp_words *words, uint32_t min,
    struct lp_error *error);

/*
 * "60", "60s", "5m", "1h": seconds, from 1 to LP_COMMAND_DURATION_MAX_S.  0, or
 * -EINVAL; *out is then unchanged.
 */
enum { LP_COMMAND_DURATION_MAX_S = 3600 };
int lp_command_duration(uint32_t *out, const char *text);

#endif
