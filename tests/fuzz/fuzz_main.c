/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzzer without libFuzzer.
 *
 * With file names: those inputs.  Without: every seed of the fuzzer, cut off
 * at every byte, and then random and mutated ones.  Everything follows from
 * one number, which is printed: FUZZ_SEED repeats a run, FUZZ_RUNS lengthens
 * it.  Inputs end at a page that is not there, so that to read beyond one is
 * a fault.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

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

/* xorshift64* */
static uint32_t
draw(struct fuzz *fuzz)
{
	fuzz->random ^= fuzz->random >> 12;
	fuzz->random ^= fuzz->random << 25;
	fuzz->random ^= fuzz->random >> 27;
	return (uint32_t)((fuzz->random * 0x2545f4914f6cdd1dull) >> 32);
}

static void
run(struct fuzz *fuzz, const uint8_t *data, size_t size)
{
	uint8_t *input = fuzz->end - size;

	memcpy(input, data, size);
	LLVMFuzzerTestOneInput(input, size);
}

static size_t
mutate(struct fuzz *fuzz, uint8_t *data, size_t size)
{
	static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
	size_t at = draw(fuzz) % size, other = draw(fuzz) % size;
	size_t len = size - (at > other ? at : other);

	switch (draw(fuzz) % 6) {
	case 0:
		data[at] ^= (uint8_t)(1u << draw(fuzz) % 8);
		break;
	case 1:
		data[at] = (uint8_t)draw(fuzz);
		break;
	case 2:
		data[at] = edges[draw(fuzz) % sizeof(edges)];
		break;
	case 3: /* repeat a piece elsewhere */
		memmove(data + at, data + other, len);
		break;
	case 4: /* take a byte out */
		memmove(data + at, data + at + 1, size - at - 1);
		return size > 1 ? size - 1 : size;
	case 5: /* cut the end off */
		return at + 1;
	}
	return size;
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
	unsigned seeds = 0;

	while (fuzz_seed(seeds, fuzz->seed, sizeof(fuzz->seed)) > 0)
		seeds++;
	for (unsigned i = 0; i < runs; i++) {
		unsigned which = draw(fuzz) % (seeds + 1);
		size_t size = 0;

		if (which < seeds) {
			size = fuzz_seed(which, fuzz->seed, sizeof(fuzz->seed));
			for (unsigned j = draw(fuzz) % MUTATIONS_MAX; j-- > 0;)
				size = mutate(fuzz, fuzz->seed, size);
		} else {
			size = draw(fuzz) % RANDOM_MAX;
			for (size_t j = 0; j < size; j++)
				fuzz->seed[j] = (uint8_t)draw(fuzz);
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

static unsigned long long
setting(const char *name, unsigned long long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

int
main(int argc, char **argv)
{
	static struct fuzz fuzz;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, INPUT_MAX + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long long seed =
	    setting("FUZZ_SEED", (unsigned long long)time(NULL));
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
	printf("FUZZ_SEED=%llu\n", seed);
	fflush(stdout);
	/* Never 0, which would stay so. */
	fuzz.random = seed * 0x9e3779b97f4a7c15ull | 1;
	run_seeds(&fuzz);
	run_random(&fuzz, (unsigned)setting("FUZZ_RUNS", RUNS));
	return EXIT_SUCCESS;
}
