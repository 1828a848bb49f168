/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * argv is cut at each "--".  Every piece is read twice by getopt_long(): global
 * options up to the first word, which is the command, then the rest with the
 * command's own options added.  Both tables for getopt are made from the
 * table of commands.
 */
#include "cli/line.h"

#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

enum {
	IS_OPERAND = 1, /* getopt's answer, with "-" */
	OPTION_BASE = 256, /* getopt's val of option 0: beyond any letter */
	SHORT_SIZE = 2 + 3 * LP_OPTIONS + 1, /* "+:" "o:" ... */
};

struct getopt_table {
	struct option longs[LP_OPTIONS + 1];
	char shorts[SHORT_SIZE];
};

static int parse_piece(struct lp_line *line, struct lp_lpctl *lpctl, int argc,
    char **argv, struct lp_error *error);
static size_t count_pieces(int argc, char **argv);
static int check_together(const struct lp_line *line, struct lp_error *error);
static int set_place(struct lp_lpctl *lpctl, struct lp_error *error);

int
lp_line_parse(struct lp_line *line, struct lp_lpctl *lpctl, int argc,
    char **argv, struct lp_error *error)
{
	size_t pieces = count_pieces(argc, argv);
	int start = 0;

	*line = (struct lp_line){0};
	if (pieces > LP_COMMANDS_MAX)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "more than the %d commands of one transaction",
		    LP_COMMANDS_MAX);
	line->commands = calloc(pieces, sizeof(*line->commands));
	if (line->commands == NULL)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	for (int i = 1; i <= argc; i++) {
		if (i < argc && strcmp(argv[i], "--") != 0)
			continue;
		if (parse_piece(line, lpctl, i - start, argv + start, error))
			return pieces == 1 ? error->status
					   : lp_error_prefix(error,
						 "command %zu", line->count);
		if (line->wish != LP_LINE_RUN)
			return LP_EXIT_OK;
		start = i;
	}
	if (check_together(line, error) != LP_EXIT_OK)
		return error->status;
	return set_place(lpctl, error);
}

void
lp_line_fini(struct lp_line *line)
{
	for (size_t i = 0; i < line->count; i++)
		free(line->commands[i].files);
	free(line->commands);
	*line = (struct lp_line){0};
}

static size_t
count_pieces(int argc, char **argv)
{
	size_t count = 1;

	for (int i = 1; i < argc; i++)
		count += strcmp(argv[i], "--") == 0;
	return count;
}

static int
check_together(const struct lp_line *line, struct lp_error *error)
{
	if (line->count == 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "no command; \"lpctl help\" lists them");
	if (line->count == 1)
		return LP_EXIT_OK;
	for (size_t i = 0; i < line->count; i++)
		if (line->commands[i].command->change == NULL)
			return lp_error_set(error, LP_EXIT_USAGE,
			    "%s: stands alone; only add-, set- and del- "
			    "commands are combined by \"--\"",
			    line->commands[i].command->name);
	return LP_EXIT_OK;
}

/* What all options together, and the environment, have said. */
static int
set_place(struct lp_lpctl *lpctl, struct lp_error *error)
{
	char why[LP_WHY_SIZE];

	if (lpctl->remote == NULL)
		return LP_EXIT_OK;
	if (lp_place_make(lpctl->place, lpctl->remote, lpctl->tls, why) != 0)
		return lp_error_set(error, LP_EXIT_USAGE, "--remote %s: %s",
		    lpctl->remote, why);
	lpctl->socket = lpctl->place;
	return LP_EXIT_OK;
}

static void
make_table(struct getopt_table *table, const char *prefix, lp_option_set mask)
{
	struct option *at = table->longs;
	char *letters = stpcpy(table->shorts, prefix);

	memset(table->longs, 0, sizeof(table->longs));
	for (int id = 0; id < LP_OPTIONS; id++) {
		const struct lp_option *option = lp_command_option(id);

		if ((mask & LP_OPTION_BIT(id)) == 0)
			continue;
		*at++ = (struct option){
		    .name = option->name,
		    .has_arg = option->argument,
		    .val = OPTION_BASE + id,
		};
		if (option->letter == 0)
			continue;
		*letters++ = option->letter;
		if (option->argument == LP_ARGUMENT_REQUIRED)
			*letters++ = ':';
	}
	*letters = '\0';
	assert(letters < table->shorts + SHORT_SIZE);
}
static_assert(LP_ARGUMENT_NONE == no_argument &&
	LP_ARGUMENT_REQUIRED == required_argument &&
	LP_ARGUMENT_OPTIONAL == optional_argument,
    "enum lp_argument is getopt's has_arg");

/* The option that getopt's answer means, or -1: a letter is of several. */
static int
option_of(int answer, lp_option_set mask)
{
	if (answer >= OPTION_BASE)
		return answer - OPTION_BASE;
	for (int id = 0; id < LP_OPTIONS; id++) {
		char letter = lp_command_option(id)->letter;

		if ((mask & LP_OPTION_BIT(id)) != 0 && letter != 0 &&
		    letter == answer)
			return id;
	}
	return -1;
}

static int
bad_option(int answer, char **argv, struct lp_error *error)
{
	const char *word = argv[optind - 1];

	if (answer == ':')
		return lp_error_set(
		    error, LP_EXIT_USAGE, "option \"%s\" needs a value", word);
	if (optopt >= OPTION_BASE)
		return lp_error_set(
		    error, LP_EXIT_USAGE, "option \"%s\" takes no value", word);
	if (optopt != 0)
		return lp_error_set(
		    error, LP_EXIT_USAGE, "unknown option \"-%c\"", optopt);
	return lp_error_set(
	    error, LP_EXIT_USAGE, "unknown or ambiguous option \"%s\"", word);
}

/* Whether it is one of a list, which blanks part. */
static bool
is_word(const char *words, const char *value)
{
	size_t len;

	for (; *words != '\0'; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		if (strlen(value) == len && memcmp(words, value, len) == 0)
			return true;
	}
	return false;
}

/* A value from a closed list of words must be one of them. */
static int
check_value(
    const struct lp_option *option, const char *value, struct lp_error *error)
{
	if (option->words == NULL || value == NULL ||
	    is_word(option->words, value))
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_USAGE, "--%s: \"%s\" is none of: %s",
	    option->name, value, option->words);
}

static int
set_global(struct lp_line *line, struct lp_lpctl *lpctl, enum lp_option_id id,
    const char *value, struct lp_error *error)
{
	switch (id) {
	case LP_OPTION_SOCKET:
		lpctl->socket = value;
		lpctl->remote = NULL;
		break;
	case LP_OPTION_REMOTE:
		lpctl->remote = value;
		break;
	case LP_OPTION_TLS:
		lpctl->tls = value;
		break;
	case LP_OPTION_OUTPUT:
		lpctl->output = strcmp(value, "json") == 0 ? &lp_output_json
							   : &lp_output_text;
		break;
	case LP_OPTION_TIMEOUT:
		if (lp_command_number(
			&lpctl->timeout_s, value, 0, LP_TIMEOUT_MAX_S) != 0)
			return lp_error_set(error, LP_EXIT_USAGE,
			    "--timeout: \"%s\" is no number of seconds from "
			    "0 to %d",
			    value, LP_TIMEOUT_MAX_S);
		break;
	case LP_OPTION_NO_WAIT:
		lpctl->timeout_s = 0;
		break;
	case LP_OPTION_VERBOSE:
		lpctl->print.verbose = true;
		break;
	case LP_OPTION_VERSION:
		line->wish = LP_LINE_VERSION;
		break;
	case LP_OPTION_HELP:
		line->wish = LP_LINE_HELP;
		break;
	default:
		/* The table has no other global option. */
		assert(false);
	}
	return LP_EXIT_OK;
}

/*
 * "--watch 5" is meant as "--watch=5", and "--shadow on" as "--shadow=on",
 * which getopt alone would not see.
 */
static const char *
loose_value(const struct lp_option *option, int argc, char **argv)
{
	if (optarg != NULL || option->argument != LP_ARGUMENT_OPTIONAL ||
	    optind >= argc)
		return optarg;
	if (option->words != NULL ? !is_word(option->words, argv[optind])
				  : strspn(argv[optind], "0123456789") == 0)
		return optarg;
	return argv[optind++];
}

/* words is NULL before the command is known. */
static int
take_option(struct lp_line *line, struct lp_lpctl *lpctl,
    struct lp_words *words, enum lp_option_id id, const char *value,
    struct lp_error *error)
{
	if (check_value(lp_command_option(id), value, error))
		return error->status;
	if ((lp_command_global_options() & LP_OPTION_BIT(id)) != 0)
		return set_global(line, lpctl, id, value, error);
	assert(words != NULL);
	if (id == LP_OPTION_FILE) {
		words->files[words->file_count++] = value;
		return LP_EXIT_OK;
	}
	if (words->option_count == LP_OPTIONS_GIVEN_MAX)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "more than %d options", LP_OPTIONS_GIVEN_MAX);
	words->options[words->option_count].id = (uint8_t)id;
	words->options[words->option_count++].value = value;
	return LP_EXIT_OK;
}

static int
take_operand(struct lp_words *words, const char *text, struct lp_error *error)
{
	const struct lp_operand *operands = words->command->operands;
	int kind = 0; /* a row of those */

	if (words->files != NULL) {
		words->files[words->file_count++] = text;
		return LP_EXIT_OK;
	}
	for (int i = 0; i < LP_OPERANDS_GIVEN_MAX; i++) {
		if (kind == LP_OPERANDS_MAX || operands[kind].name == NULL)
			break;
		if (words->operands[i] == NULL) {
			words->operands[i] = text;
			return LP_EXIT_OK;
		}
		kind += !lp_command_several(words->command, kind);
	}
	if (kind < LP_OPERANDS_MAX && lp_command_several(words->command, kind))
		return lp_error_set(error, LP_EXIT_USAGE, "more than %d words",
		    LP_OPERANDS_GIVEN_MAX);
	return lp_error_set(
	    error, LP_EXIT_USAGE, "unexpected word \"%s\"", text);
}

/*
 * One pass of getopt.  Without words it ends at the first that is no option;
 * with them, such are operands, wherever they stand (whatever the environment
 * says of POSIX).
 */
static int
read_words(struct lp_line *line, struct lp_lpctl *lpctl, struct lp_words *words,
    int argc, char **argv, struct lp_error *error)
{
	lp_option_set mask = lp_command_global_options();
	struct getopt_table table;
	int status = LP_EXIT_OK;
	int answer;

	if (words != NULL)
		mask |= words->command->options;
	make_table(&table, words == NULL ? "+:" : "-:", mask);
	optind = 0; /* glibc: start anew */
	opterr = 0;
	while (status == LP_EXIT_OK &&
	    (answer = getopt_long(
		 argc, argv, table.shorts, table.longs, NULL)) != -1) {
		int id = option_of(answer, mask);

		if (answer == IS_OPERAND)
			status = take_operand(words, optarg, error);
		else if (id < 0)
			status = bad_option(answer, argv, error);
		else
			status = take_option(line, lpctl, words, id,
			    loose_value(lp_command_option(id), argc, argv),
			    error);
	}
	return status;
}

static int
check_operands(const struct lp_words *words, struct lp_error *error)
{
	for (int i = 0; i < LP_OPERANDS_MAX; i++) {
		const struct lp_operand *operand = &words->command->operands[i];

		if (operand->name != NULL && !operand->optional &&
		    words->operands[i] == NULL)
			return lp_error_set(error, LP_EXIT_USAGE,
			    "%s is missing", operand->name);
	}
	return LP_EXIT_OK;
}

/* Options and operands of one command; argv[0] is its name. */
static int
parse_command(struct lp_line *line, struct lp_lpctl *lpctl,
    struct lp_words *words, int argc, char **argv, struct lp_error *error)
{
	int status;

	line->about = words->command;
	if ((words->command->options & LP_OPTION_BIT(LP_OPTION_FILE)) != 0) {
		words->files = calloc((size_t)argc, sizeof(*words->files));
		if (words->files == NULL)
			return lp_error_set(
			    error, LP_EXIT_UNREACHABLE, "out of memory");
	}
	status = read_words(line, lpctl, words, argc, argv, error);
	if (status == LP_EXIT_OK && line->wish == LP_LINE_RUN)
		status = check_operands(words, error);
	if (status != LP_EXIT_OK)
		return lp_error_prefix(error, "%s", words->command->name);
	return LP_EXIT_OK;
}

/* argv[0] is "lpctl" or "--"; a piece without a command is no error here. */
static int
parse_piece(struct lp_line *line, struct lp_lpctl *lpctl, int argc, char **argv,
    struct lp_error *error)
{
	struct lp_words *words = &line->commands[line->count];

	if (read_words(line, lpctl, NULL, argc, argv, error))
		return error->status;
	if (line->wish != LP_LINE_RUN || optind == argc)
		return LP_EXIT_OK;
	line->count++;
	words->command = lp_command_find(argv[optind]);
	if (words->command == NULL)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "unknown command \"%s\"; \"lpctl help\" lists them",
		    argv[optind]);
	argc -= optind;
	argv += optind;
	return parse_command(line, lpctl, words, argc, argv, error);
}
