/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzzer without libFuzzer.
 *
 * With file names: those inputs.  Without: every seed of the fuzzer, cut off
 * at every byte, and then random and mutated ones.  Everything follows from
 * one number, which is printed: FUZZ_SEED repeats a run, FUZZ_RUNS lengthens
 * it.  Inputs end at a page that is not there, so that to read beyond one is
 * a fault.  With FUZZ_SEEDS, a directory, the seeds are only written there, for
 * libFuzzer to start from.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

enum {
	INPUT_MAX = 1 << 17, /* bytes; above any frame */
	RANDOM_MAX = 512, /* bytes of an input of noise only */
	RUNS = 20000,
	MUTATIONS_MAX = 8,
};

struct fuzz {
	uint8_t *end; /* of the mapped memory: inputs end here */
	uint64_t random;
	uint8_t seed[INPUT_MAX];
};

static void
run(struct fuzz *fuzz, const uint8_t *data, size_t size)
{
	uint8_t *input = fuzz->end - size;

	memcpy(input, data, size);
	LLVMFuzzerTestOneInput(input, size);
}

static void
run_seeds(struct fuzz *fuzz)
{
	size_t size;

	for (unsigned i = 0;
	     (size = fuzz_seed(i, fuzz->seed, sizeof(fuzz->seed))) > 0; i++)
		for (size_t len = 0; len <= size; len++)
			run(fuzz, fuzz->seed, len);
}

static void
run_random(struct fuzz *fuzz, unsigned runs)
{
	uint64_t *random = &fuzz->random;
	unsigned seeds = 0;

	while (fuzz_seed(seeds, fuzz->seed, sizeof(fuzz->seed)) > 0)
		seeds++;
	for (unsigned i = 0; i < runs; i++) {
		unsigned which = fuzz_draw(random) % (seeds + 1);
		unsigned changes;
		size_t size = 0;

		if (which < seeds) {
			size = fuzz_seed(which, fuzz->seed, sizeof(fuzz->seed));
			changes = fuzz_draw(random) % MUTATIONS_MAX;
			while (changes-- > 0)
				size = fuzz_mutate(random, fuzz->seed, size);
		} else {
			size = fuzz_draw(random) % RANDOM_MAX;
			for (size_t j = 0; j < size; j++)
				fuzz->seed[j] = (uint8_t)fuzz_draw(random);
		}
		run(fuzz, fuzz->seed, size);
	}
}

static bool
run_file(struct fuzz *fuzz, const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return false;
	}
	size = fread(fuzz->seed, 1, sizeof(fuzz->seed), file);
	fclose(file);
	run(fuzz, fuzz->seed, size);
	return true;
}

static bool
write_seeds(struct fuzz *fuzz, const char *directory)
{
	char path[PATH_MAX];
	size_t size;

	for (unsigned i = 0;
	     (size = fuzz_seed(i, fuzz->seed, sizeof(fuzz->seed))) > 0; i++) {
		FILE *file;
		bool right;

		snprintf(path, sizeof(path), "%s/seed-%u", directory, i);
		file = fopen(path, "wb");
		right = file && fwrite(fuzz->seed, 1, size, file) == size;
		if (file && fclose(file) != 0)
			right = false;
		if (!right) {
			perror(path);
			return false;
		}
	}
	return true;
}

int
main(int argc, char **argv)
{
	static struct fuzz fuzz;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, INPUT_MAX + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long long seed =
	    fuzz_setting("FUZZ_SEED", (unsigned long long)time(NULL));
	const char *seeds = getenv("FUZZ_SEEDS");
	bool right = true;

	if (map == MAP_FAILED || mprotect(map + INPUT_MAX, page, PROT_NONE)) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	fuzz.end = map + INPUT_MAX;
	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			right = run_file(&fuzz, argv[i]) && right;
		return right ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (seeds)
		return write_seeds(&fuzz, seeds) ? EXIT_SUCCESS : EXIT_FAILURE;
	printf("FUZZ_SEED=%llu\n", seed);
	fflush(stdout);
	fuzz.random = fuzz_random(seed);
	run_seeds(&fuzz);
	run_random(&fuzz, (unsigned)fuzz_setting("FUZZ_RUNS", RUNS));
	return EXIT_SUCCESS;
}
