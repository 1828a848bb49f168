/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	header | (length, packed object) ...
 *
 * The checksum covers everything behind itself, so that a damaged epoch is
 * found, too; the digest is the one that the controller knows.
 */
#include "dataplane/persist.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "dataplane/replace.h"
#include "proto/message.h"

enum {
	MAGIC = 0x4c505350, /* "LPSP" */
	VERSION = 1,
};

struct header {
	uint32_t magic;
	uint32_t version;
	uint64_t checksum; /* of all that follows it */
	uint64_t size_bytes; /* of the file */
	struct lp_persist state;
	uint32_t object_count;
	uint32_t spare;
};

enum {
	RECORD_SIZE_MAX = sizeof(uint32_t) + LP_OBJECT_PACKED_MAX,
	FILE_SIZE_MAX =
	    sizeof(struct header) + LP_OBJECTS_MAX * RECORD_SIZE_MAX,
	CHECKSUM_FROM = offsetof(struct header, checksum) + sizeof(uint64_t),
};

static int encode(uint8_t **data, size_t *len, const struct lp_persist *state,
    const struct lp_config *config);
static int read_file(const char *path, uint8_t **data, size_t *len);
static int read_all(int fd, size_t size, uint8_t **data, size_t *len);
static int decode_objects(const uint8_t *data, size_t len, uint32_t count,
    struct lp_config *config, char *why);
static int decode_object(
    const uint8_t *data, size_t len, struct lp_config *config, char *why);
static int bad(char *why, const char *what);

int
lp_persist_save(const char *path, const struct lp_persist *state,
    const struct lp_config *config)
{
	uint8_t *data;
	size_t len;
	int error = encode(&data, &len, state, config);

	if (error)
		return error;
	error = lp_replace_file(path, data, len);
	free(data);
	return error;
}

int
lp_persist_load(const char *path, struct lp_persist *state,
    struct lp_config *config, char why[LP_WHY_SIZE])
{
	uint8_t *data = NULL;
	size_t len = 0;
	int error = read_file(path, &data, &len);

	if (error == -EFBIG)
		return bad(why, "larger than any configuration");
	if (error) {
		snprintf(why, LP_WHY_SIZE, "%s", strerror(-error));
		return error;
	}
	error = lp_persist_decode(data, len, state, config, why);
	free(data);
	return error;
}

int
lp_persist_decode(const uint8_t *data, size_t len, struct lp_persist *state,
    struct lp_config *config, char why[LP_WHY_SIZE])
{
	struct header header;
	struct lp_config_error refusal;
	int error;

	if (len < sizeof(header))
		return bad(why, "shorter than its header");
	memcpy(&header, data, sizeof(header));
	if (header.magic != MAGIC)
		return bad(why, "not a snapshot file");
	if (header.version != VERSION)
		return bad(why, "written by another version of lp-dataplane");
	if (header.size_bytes != len)
		return bad(why, "not as long as it was written");
	if (header.checksum !=
	    XXH3_64bits(data + CHECKSUM_FROM, len - CHECKSUM_FROM))
		return bad(why, "wrong checksum");
	error = decode_objects(data + sizeof(header), len - sizeof(header),
	    header.object_count, config, why);
	if (error)
		return error;
	if (lp_config_check(config, &refusal) != 0) {
		snprintf(why, LP_WHY_SIZE, "%.64s: %.32s: %.150s",
		    refusal.object, refusal.field, refusal.why);
		return -EBADMSG;
	}
	if (lp_config_digest(config) != header.state.digest)
		return bad(why, "wrong digest");
	*state = header.state;
	return 0;
}

int
lp_persist_set_aside(const char *path)
{
	char aside[PATH_MAX];

	if ((size_t)snprintf(aside, sizeof(aside), "%s.bad", path) >=
	    sizeof(aside))
		return -ENAMETOOLONG;
	return rename(path, aside) == 0 ? 0 : -errno;
}

static int
encode(uint8_t **data, size_t *len, const struct lp_persist *state,
    const struct lp_config *config)
{
	struct header header = {
	    .magic = MAGIC,
	    .version = VERSION,
	    .state = *state,
	    .object_count = (uint32_t)config->count,
	};
	size_t end = sizeof(header);
	size_t file_size = end;
	uint8_t *file;

	for (size_t i = 0; i < config->count; i++)
		file_size += sizeof(uint32_t) +
		    lp_message_object_size(&config->objects[i]);
	file = malloc(file_size);
	if (!file)
		return -ENOMEM;
	for (size_t i = 0; i < config->count; i++) {
		uint32_t size =
		    (uint32_t)lp_message_pack_object(file + end + sizeof(size),
			file_size - end - sizeof(size), &config->objects[i]);

		memcpy(file + end, &size, sizeof(size));
		end += sizeof(size) + size;
	}
	header.size_bytes = end;
	memcpy(file, &header, sizeof(header));
	header.checksum =
	    XXH3_64bits(file + CHECKSUM_FROM, end - CHECKSUM_FROM);
	memcpy(file, &header, sizeof(header));
	*data = file;
	*len = end;
	return 0;
}

static int
read_file(const char *path, uint8_t **data, size_t *len)
{
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat) != 0)
		error = -errno;
	else if (!S_ISREG(stat.st_mode))
		error = -EINVAL;
	else if (stat.st_size > FILE_SIZE_MAX)
		error = -EFBIG;
	else
		error = read_all(fd, (size_t)stat.st_size, data, len);
	close(fd);
	return error;
}

static int
read_all(int fd, size_t size, uint8_t **data, size_t *len)
{
	size_t end = 0;
	ssize_t got;

	/* One more: malloc(0) may be NULL. */
	*data = malloc(size + 1);
	if (!*data)
		return -ENOMEM;
	do {
		got = read(fd, *data + end, size - end);
		if (got < 0) {
			int error = -errno;

			free(*data);
			return error;
		}
		end += (size_t)got;
	} while (got > 0);
	*len = end;
	return 0;
}

static int
decode_objects(const uint8_t *data, size_t len, uint32_t count,
    struct lp_config *config, char *why)
{
	uint32_t size;
	int error;

	for (uint32_t i = 0; i < count; i++) {
		if (len < sizeof(size))
			return bad(why, "ends inside an object");
		memcpy(&size, data, sizeof(size));
		data += sizeof(size);
		len -= sizeof(size);
		if (size > len || size > LP_OBJECT_PACKED_MAX)
			return bad(why, "ends inside an object");
		error = decode_object(data, size, config, why);
		if (error)
			return error;
		data += size;
		len -= size;
	}
	return len == 0 ? 0 : bad(why, "longer than its objects");
}

static int
decode_object(
    const uint8_t *data, size_t len, struct lp_config *config, char *why)
{
	Lp__Pb__Object *message = lp__pb__object__unpack(NULL, len, data);
	struct lp_object object;
	const char *field;
	int error;

	if (!message)
		return bad(why, "an object that cannot be read");
	error = lp_message_to_object(&object, message, &field, why);
	lp__pb__object__free_unpacked(message, NULL);
	if (error)
		return -EBADMSG;
	error = lp_config_put(config, &object);
	if (error == -ENOMEM)
		return error;
	return error ? bad(why, "more objects than there may be") : 0;
}

static int
bad(char *why, const char *what)
{
	snprintf(why, LP_WHY_SIZE, "%s", what);
	return -EBADMSG;
}
