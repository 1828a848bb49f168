/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <string.h>

enum {
	OPTION_WIDTH = 30,
	COMMAND_WIDTH = 26,
	LEFT_MAX = 80,
	LINE_WIDTH = 80, /* of a terminal that nobody has made wider */
};

/* What is on the left in its column, and a text beside it in lines. */
static void
write_row(FILE *out, const char *left, int width, const char *text)
{
	const int column = width + 3;
	int at = fprintf(out, "  %-*s", width, left);

	if (at >= column) {
		(void)fputc('\n', out);
		at = 0;
	}
	for (const char *word = text; *word != '\0';) {
		int len = (int)strcspn(word, " ");

		if (word != text && at + 1 + len > LINE_WIDTH) {
			(void)fputc('\n', out);
			at = 0;
		}
		at += fprintf(
		    out, "%*s%.*s", at == 0 ? column : 1, "", len, word);
		word += len;
		word += strspn(word, " ");
	}
	(void)fputc('\n', out);
}

static void
write_operands(FILE *out, const struct lp_command *command)
{
	for (int i = 0; i < LP_OPERANDS_MAX; i++) {
		const struct lp_operand *operand = &command->operands[i];

		if (operand->name == NULL)
			break;
		(void)fprintf(out, operand->optional ? " [%s%s]" : " %s%s",
		    operand->name, lp_command_several(command, i) ? "..." : "");
	}
}

void
lp_help_usage(FILE *out, const struct lp_command *command)
{
	(void)fprintf(out, "usage: lpctl %s", command->name);
	write_operands(out, command);
	(void)fputs(" [OPTION]...\n", out);
}

static void
write_option(FILE *out, const struct lp_option *option)
{
	const char *value = option->value != NULL ? option->value : "";
	char left[LEFT_MAX];
	int len = 0;

	if (option->letter != 0)
		len = snprintf(left, sizeof(left), "-%c, ", option->letter);
	(void)snprintf(left + len, sizeof(left) - (size_t)len,
	    option->argument == LP_ARGUMENT_OPTIONAL       ? "--%s[=%s]"
		: option->argument == LP_ARGUMENT_REQUIRED ? "--%s %s"
							   : "--%s%s",
	    option->name, value);
	write_row(out, left, OPTION_WIDTH, option->text);
}

static void
write_options(FILE *out, lp_option_set mask)
{
	for (int id = 0; id < LP_OPTIONS; id++)
		if ((mask & LP_OPTION_BIT(id)) != 0)
			write_option(out, lp_command_option(id));
}

static void
write_summary(FILE *out, const struct lp_command *command)
{
	char left[LEFT_MAX];
	size_t len;

	len = (size_t)snprintf(left, sizeof(left), "%s", command->name);
	for (int i = 0; i < LP_OPERANDS_MAX; i++)
		if (command->operands[i].name != NULL && len < sizeof(left))
			len += (size_t)snprintf(left + len, sizeof(left) - len,
			    command->operands[i].optional ? " [%s%s]" : " %s%s",
			    command->operands[i].name,
			    lp_command_several(command, i) ? "..." : "");
	write_row(out, left, COMMAND_WIDTH, command->summary);
}

static void
write_command(FILE *out, const struct lp_command *command)
{
	lp_help_usage(out, command);
	(void)fprintf(out, "\n%s: %s.\n", command->name, command->summary);
	if (command->details != NULL)
		(void)fprintf(out, "%s\n", command->details);
	if (command->options != 0) {
		(void)fputs("\nOptions:\n", out);
		write_options(out, command->options);
	}
	(void)fputs("\nExamples:\n", out);
	for (const char *at = command->examples; *at != '\0';) {
		size_t len = strcspn(at, "\n");

		(void)fprintf(out, "  %.*s\n", (int)len, at);
		at += len + (at[len] == '\n');
	}
	(void)fputs("\n\"lpctl --help\" has the options of every command and "
		    "the exit statuses.\n",
	    out);
}

void
lp_help_write(FILE *out, const struct lp_command *command)
{
	const struct lp_command *row;

	if (command != NULL) {
		write_command(out, command);
		return;
	}
	(void)fputs("usage: lpctl [OPTION]... COMMAND [WORD]... "
		    "[-- COMMAND [WORD]...]...\n\n"
		    "Configures and watches Lightpath.  Several add-, set- "
		    "and del- commands\nseparated by \"--\" are one "
		    "transaction: all of them are done, or none.\n\n"
		    "Commands:\n",
	    out);
	for (size_t i = 0; (row = lp_command_at(i)) != NULL; i++)
		write_summary(out, row);
	(void)fputs("\nOptions of every command:\n", out);
	write_options(out, lp_command_global_options());
	(void)fputs(
	    "\nExit status:\n"
	    "  0  done; a change is applied by every connected dataplane\n"
	    "  1  refused: nothing was stored\n"
	    "  2  wrong usage\n"
	    "  3  lp-controld cannot be reached, or its answer not used\n"
	    "  4  not in time; a change is stored, but not applied yet\n"
	    "  5  rejected by a dataplane, and rolled back\n"
	    "  6  another change came first; nothing was stored\n"
	    "  7  diff has found something to change\n\n"
	    "Environment:\n"
	    "  LPCTL_SOCKET  control socket, if there is no --socket\n"
	    "  LPCTL_REMOTE  another machine, if there is neither --socket "
	    "nor --remote\n"
	    "  LPCTL_TLS     directory of certificates, if there is no --tls\n"
	    "  NO_COLOR      no colours on a terminal either\n\n"
	    "\"lpctl help COMMAND\" explains a command.\n",
	    out);
}
