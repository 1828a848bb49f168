/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshot file.  Each input is decoded twice: as it is, and with a right
 * size and checksum, which few mutations would hit by themselves.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "dataplane/persist.h"
#include "tests/fuzz/fuzz.h"

/* Where persist.c has them. */
enum {
	CHECKSUM_AT = 8,
	SIZE_AT = 16,
};

static void make_seed(void);

static void
decode(const uint8_t *data, size_t size)
{
	struct lp_persist state = {0};
	struct lp_config_error error;
	struct lp_config config;
	char why[LP_WHY_SIZE] = "";

	lp_config_init(&config);
	if (lp_persist_decode(data, size, &state, &config, why) == 0) {
		/* What is taken is a whole, right configuration. */
		assert(lp_config_check(&config, &error) == 0);
		assert(lp_config_digest(&config) == state.digest);
	} else {
		assert(why[0] != '\0' && strlen(why) < sizeof(why));
	}
	lp_config_fini(&config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t value = size;
	uint8_t *copy;

	decode(data, size);
	if (size < SIZE_AT + sizeof(value))
		return 0;
	copy = malloc(size);
	assert(copy);
	memcpy(copy, data, size);
	memcpy(copy + SIZE_AT, &value, sizeof(value));
	value = XXH3_64bits(copy + SIZE_AT, size - SIZE_AT);
	memcpy(copy + CHECKSUM_AT, &value, sizeof(value));
	decode(copy, size);
	free(copy);
	return 0;
}

static void
make_config(struct lp_config *config)
{
	struct lp_object object;

	lp_config_init(config);
	lp_object_init(&object, LP_OBJECT_PORT);
	object.id = 1;
	strcpy(object.port.name, "front");
	strcpy(object.port.device, "eth0");
	lp_prefix_parse(&object.port.addresses[0], "10.9.0.10/24", NULL);
	object.port.address_count = 1;
	lp_config_put(config, &object);
	lp_object_init(&object, LP_OBJECT_CLUSTER);
	object.id = 2;
	strcpy(object.cluster.name, "payments");
	lp_config_put(config, &object);
}

/* One file: a port and a cluster.  Made once: saving waits for the disk. */
static struct {
	uint8_t bytes[4096];
	size_t size; /* 0: not yet */
} file_seed;

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	if (index > 0)
		return 0;
	if (file_seed.size == 0)
		make_seed();
	assert(file_seed.size <= max);
	memcpy(data, file_seed.bytes, file_seed.size);
	return file_seed.size;
}

static void
make_seed(void)
{
	struct lp_persist state = {
	    .epoch_seen = 1, .epoch = 1, .generation = 1};
	char path[] = "/tmp/lp-fuzz-XXXXXX";
	struct lp_config config;
	FILE *file;
	int fd;

	fd = mkstemp(path);
	assert(fd >= 0);
	close(fd);
	make_config(&config);
	state.digest = lp_config_digest(&config);
	if (lp_persist_save(path, &state, &config) != 0)
		abort();
	lp_config_fini(&config);
	file = fopen(path, "rb");
	assert(file);
	file_seed.size =
	    fread(file_seed.bytes, 1, sizeof(file_seed.bytes), file);
	fclose(file);
	unlink(path);
}
