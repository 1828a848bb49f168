/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/alone_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/replace.h"

/* The version, and the three numbers. */
#define LINE "lightpath-alone 1 %" PRIu64 " %" PRIu64 " %" PRIu64 "\n"
#define LINE_SCANNED "lightpath-alone 1 %" SCNu64 " %" SCNu64 " %" SCNu64

enum { LINE_SIZE = 128 };

int
lp_alone_file_load(struct lp_alone_file *file, const char *path)
{
	char line[LINE_SIZE], again[LINE_SIZE];
	struct lp_alone_file found;
	FILE *stream = fopen(path, "re");
	size_t len;

	if (!stream)
		return -errno;
	len = fread(line, 1, sizeof(line) - 1, stream);
	line[len] = '\0';
	fclose(stream);
	/* Only what would be written just so. */
	if (sscanf(line, LINE_SCANNED, &found.passed_ms, &found.since_real_ns,
		&found.closed_real_ns) != 3)
		return -EBADMSG;
	snprintf(again, sizeof(again), LINE, found.passed_ms,
	    found.since_real_ns, found.closed_real_ns);
	if (strlen(line) != len || strcmp(line, again) != 0)
		return -EBADMSG;
	*file = found;
	return 0;
}

int
lp_alone_file_save(const char *path, const struct lp_alone_file *file)
{
	char line[LINE_SIZE];
	int len = snprintf(line, sizeof(line), LINE, file->passed_ms,
	    file->since_real_ns, file->closed_real_ns);

	return lp_replace_file(path, line, (size_t)len);
}

int
lp_alone_file_remove(const char *path)
{
	return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
}
