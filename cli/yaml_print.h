/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as YAML, in one spelling, that every reader of YAML 1.1 and 1.2
 * takes for what they are.
 *
 *	- {name: front, addresses: [10.9.0.10/24], mtu: 9000}
 *	- name: "yes"
 *	  match: {client_id: "a # b", api: [Produce, Fetch]}
 *
 * What fits is on one line.  A text that could be read as something else, or
 * has bytes that YAML gives a meaning to, is in double quotes.
 */
#ifndef LP_CLI_YAML_PRINT_H
#define LP_CLI_YAML_PRINT_H

#include "cli/json.h"

/* Columns of a line, as far as what is on it can be parted. */
enum { LP_YAML_PRINT_WIDTH = 100 };

/*
 * One item of a list, on one line if it fits; block: a map has its keys on
 * lines of their own all the same.
 */
void lp_yaml_print_item(FILE *out, json_t *item, unsigned indent, bool block);

/* Whether a text needs no quotes. */
bool lp_yaml_print_is_plain(const char *text);

#endif
