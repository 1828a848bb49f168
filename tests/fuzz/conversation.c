/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/conversation.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/talk.h"

enum {
	FILES_MAX = 256,
	TALKS = 8,
	TALK_BYTES = 4000,
	HEAD = 3,
	SEGMENT = 1400,
};

static struct conversation all[FILES_MAX + TALKS];
static unsigned count;

static int
is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
read_file(const char *name)
{
	char path[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", FUZZ_CORPUS, name);
	file = fopen(path, "rb");
	ensure(file != NULL, "%s cannot be read", path);
	all[count].len = fread(all[count].bytes, 1, CONVERSATION_MAX, file);
	fclose(file);
	count++;
}

static void
put(struct conversation *to, enum sim_who who, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t here = len < SEGMENT ? len : SEGMENT;

		if (to->len + HEAD + here > CONVERSATION_MAX)
			return;
		to->bytes[to->len] = who != SIM_CLIENT;
		to->bytes[to->len + 1] = (uint8_t)(here >> 8);
		to->bytes[to->len + 2] = (uint8_t)here;
		memcpy(to->bytes + to->len + HEAD, bytes, here);
		to->len += HEAD + here;
		bytes += here;
		len -= here;
	}
}

static void
write_talk(uint64_t seed)
{
	static struct talk talk;

	/* One in two with requests of groups. */
	if (seed % 2 == 0)
		talk_open_groups(&talk, seed, TALK_BYTES, TALK_BYTES);
	else
		talk_open(&talk, seed, TALK_BYTES, TALK_BYTES);
	for (unsigned i = 0; i < talk.count; i++) {
		const struct talk_message *message = &talk.messages[i];

		put(&all[count], SIM_CLIENT,
		    talk.bytes[SIM_CLIENT].bytes + message->request_at,
		    message->request_len);
		if (message->answered)
			put(&all[count], SIM_BROKER,
			    talk.bytes[SIM_BROKER].bytes + message->response_at,
			    message->response_len);
	}
	talk_free(&talk);
	count++;
}

static void
read_all(void)
{
	struct dirent **entries = NULL;
	int files = scandir(FUZZ_CORPUS, &entries, is_file, alphasort);

	ensure(files > 0 && files <= FILES_MAX, "no corpus: %s", FUZZ_CORPUS);
	for (int i = 0; i < files; i++) {
		read_file(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	for (unsigned i = 1; i <= TALKS; i++)
		write_talk(i);
}

unsigned
conversation_count(void)
{
	if (count == 0)
		read_all();
	return count;
}

const struct conversation *
conversation_get(unsigned index)
{
	return &all[index % conversation_count()];
}
