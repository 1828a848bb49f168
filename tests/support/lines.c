/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/lines.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/walk.h"

bool
lines_next(struct lines *lines, FILE *file)
{
	struct facts_frame *frame = &lines->frame;
	char *line, *key, *version, *what, *hex;

	if (getline(&lines->line, &lines->size, file) <= 0) {
		free(lines->line);
		lines->line = NULL;
		return false;
	}
	line = lines->line;
	key = strsep(&line, " ");
	version = strsep(&line, " ");
	what = strsep(&line, " ");
	hex = strsep(&line, " ");
	if (line == NULL || strlen(hex) / 2 > LINES_FRAME_MAX)
		errx(1, "no line of Conform.java");
	line[strcspn(line, "\n")] = '\0';
	lines->facts = line;
	frame->key = (int16_t)atoi(key);
	frame->version = (int16_t)atoi(version);
	frame->response = strcmp(what, "response") == 0;
	frame->bytes = lines->bytes;
	frame->len = (uint32_t)strlen(hex) / 2;
	for (uint32_t i = 0; i < frame->len; i++) {
		unsigned byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			errx(1, "%s: no bytes", hex + 2 * i);
		lines->bytes[i] = (uint8_t)byte;
	}
	if (!lp_walk_knows(frame->key, frame->version))
		errx(1, "%s version %d is not in the tables", key,
		    frame->version);
	return true;
}
