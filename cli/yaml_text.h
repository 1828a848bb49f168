/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a YAML file, before it is read: whether it is text, and where
 * in it the places are that libyaml counts in characters.
 */
#ifndef LP_CLI_YAML_TEXT_H
#define LP_CLI_YAML_TEXT_H

#include <stdbool.h>

#include "cli/report.h"

struct lp_yaml_text {
	const char *text;
	size_t len;
	uint16_t file;
	uint32_t begin; /* behind a byte order mark */
	bool ascii; /* characters are bytes */
	size_t index; /* of the character at the byte `at` */
	uint32_t at;
};

/* 0, or -EINVAL: the report says why it is no text. */
int lp_yaml_text_init(
    struct lp_yaml_text *text, struct lp_report *report, unsigned file);

/* The byte of a character; quick if it is near the one asked for before. */
uint32_t lp_yaml_text_offset(struct lp_yaml_text *text, size_t index);

/* Of the character behind the one at that byte. */
uint32_t lp_yaml_text_next(const struct lp_yaml_text *text, uint32_t at);

#endif
