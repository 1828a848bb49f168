/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * Our arguments first, the operator's behind them.  Devices come from ports
 * and lcores from --cpu, so what would name them is refused; for the rest what
 * the operator says takes the place of what we would.
 *
 *	-a 0000:00:00.0			no device but what ports name
 *	--lcores 0@(CPUS)		control, where this process may run
 *	--no-telemetry			nobody was asked
 *	--in-memory			hugepages: no files, nothing to lock or
 *					to leave behind after kill -9
 *	--no-huge --no-shconf -m N	where there are not enough of them
 *
 * Synchronization: EAL pins the thread that starts it and starts one of its
 * own; the affinity is put back, and signals stay with our control thread.
 */
#include "dataplane/port/dpdk_eal.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/port/dpdk_log.h"
#include "proto/log.h"

enum {
	ARGUMENTS_MAX = 64,
	/* Beside the packet buffers: rings, devices, EAL itself. */
	OTHER_BYTES = 96 << 20,
	/* Without hugepages no buffer lies across the border of two. */
	PLAIN_PAGE = 4096,
	CPUS_TEXT_SIZE = 4096,
};

/* The EAL of this process. */
static struct {
	enum { NOT_STARTED, STARTED, FAILED } state;
	bool hugepages;
	char why[LP_WHY_SIZE];
} eal;

struct arguments {
	int count;
	char *list[ARGUMENTS_MAX + 1]; /* NULL at the end */
	char *own; /* the operator's, cut into words */
	char cpus[CPUS_TEXT_SIZE];
	char megabytes[16];
};

/* What operators may not say, and what to say instead. */
static const struct {
	const char *name;
	const char *instead;
} refused[] = {
    {"-l", "--cpu places the worker"},
    {"-c", "--cpu places the worker"},
    {"-s", "there are no service cores"},
    {"-S", "there are no service cores"},
    {"--lcores", "--cpu places the worker"},
    {"--main-lcore", "--cpu places the worker"},
    {"-a", "add-port --device names a device"},
    {"--allow", "add-port --device names a device"},
    {"-b", "no device is taken but what add-port names"},
    {"--block", "no device is taken but what add-port names"},
    {"--vdev", "add-port --device names a device"},
    {"--proc-type", "it is the primary process"},
    {"-h", "see dpdk's own guide to EAL parameters"},
    {"--help", "see dpdk's own guide to EAL parameters"},
    {"-v", "it would end the process"},
    {"--version", "it would end the process"},
    {"--", "what comes after it would not be looked at"},
};

static bool is_argument(const char *word, const char *name);
static bool has_argument(const struct arguments *arguments, const char *name);
static bool is_log_help(const char *word, const char *before);
static int fill_arguments(struct arguments *arguments, const char *own,
    size_t plain_bytes, bool hugepages);
static void add(struct arguments *arguments, const char *word);
static void put_cpus(char text[CPUS_TEXT_SIZE]);
static unsigned count_nodes(void);
static size_t free_hugepage_bytes(void);
static size_t read_number(const char *directory, const char *file);
static int init(struct arguments *arguments, char why[LP_WHY_SIZE]);

int
lp_dpdk_eal_check(const char *arguments, char why[LP_WHY_SIZE])
{
	char *copy = strdup(arguments);
	char *rest = copy;
	const char *word, *before = "";
	unsigned i, count = 0;
	int error = copy == NULL ? -ENOMEM : 0;

	if (error != 0)
		snprintf(why, LP_WHY_SIZE, "no memory");
	while (error == 0 && (word = strtok_r(rest, " \t", &rest)) != NULL) {
		/* A dozen of the places is for what we say ourselves. */
		if (++count > ARGUMENTS_MAX - 12) {
			snprintf(why, LP_WHY_SIZE, "more than %d words",
			    ARGUMENTS_MAX - 12);
			error = -EINVAL;
		}
		for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
			if (!is_argument(word, refused[i].name))
				continue;
			snprintf(why, LP_WHY_SIZE, "%.60s: %s", word,
			    refused[i].instead);
			error = -EINVAL;
		}
		if (error == 0 && is_log_help(word, before)) {
			snprintf(why, LP_WHY_SIZE,
			    "--log-level help: it would end the process");
			error = -EINVAL;
		}
		before = word;
	}
	free(copy);
	return error;
}

int
lp_dpdk_eal_start(const char *own, size_t buffer_count, size_t buffer_size,
    char why[LP_WHY_SIZE])
{
	size_t huge = count_nodes() * buffer_count * buffer_size + OTHER_BYTES;
	size_t plain =
	    buffer_count * ((buffer_size + PLAIN_PAGE - 1) & -PLAIN_PAGE) +
	    OTHER_BYTES;
	struct arguments *arguments;
	int error;

	if (eal.state == STARTED)
		return 0;
	if (eal.state == FAILED) {
		snprintf(why, LP_WHY_SIZE, "%s", eal.why);
		return -ENODEV;
	}
	arguments = calloc(1, sizeof(*arguments));
	error = arguments == NULL ? -ENOMEM : lp_dpdk_log_open();
	if (error == 0)
		error = fill_arguments(
		    arguments, own, plain, free_hugepage_bytes() >= huge);
	if (error != 0)
		snprintf(why, LP_WHY_SIZE, "DPDK: %s", strerror(-error));
	else
		error = init(arguments, why);
	if (arguments != NULL)
		free(arguments->own);
	/* EAL keeps no pointer into them: it copies what it needs. */
	free(arguments);
	return error;
}

const char *
lp_dpdk_eal_cost(void)
{
	if (eal.state != STARTED || eal.hugepages)
		return "";
	return "no hugepages (--no-huge): buffers lie in pages of 4 KiB, and "
	       "look-ups of addresses cost more; see lp-dataplane(8)";
}

/*
 * "-m512" and "-m" are the short option; "--file-prefix=x", "--file-prefix"
 * and, since getopt_long() takes beginnings, "--file-p" the long one.
 */
static bool
is_argument(const char *word, const char *name)
{
	size_t len = strcspn(word, "=");

	if (strcmp(name, "--") == 0)
		return strcmp(word, name) == 0;
	if (name[1] != '-')
		return strncmp(word, name, strlen(name)) == 0;
	return len > strlen("--") && len <= strlen(name) &&
	    strncmp(word, name, len) == 0;
}

static bool
has_argument(const struct arguments *arguments, const char *name)
{
	for (int i = 0; i < arguments->count; i++)
		if (is_argument(arguments->list[i], name))
			return true;
	return false;
}

/* Which prints what there is to say, and ends the process. */
static bool
is_log_help(const char *word, const char *before)
{
	const char *value = strchr(word, '=');

	if (is_argument(word, "--log-level"))
		return value != NULL && strcmp(value + 1, "help") == 0;
	return is_argument(before, "--log-level") &&
	    strchr(before, '=') == NULL && strcmp(word, "help") == 0;
}

/* In the order of main()'s; EAL takes a later one for an earlier one. */
static int
fill_arguments(struct arguments *arguments, const char *own, size_t plain_bytes,
    bool hugepages)
{
	/* EAL refuses these beside --in-memory. */
	static const char *const on_disk[] = {
	    "--file-prefix", "--huge-dir", "--huge-unlink", "--legacy-mem"};
	struct arguments theirs = {0};
	char *rest;
	const char *word;
	bool files = false;
	unsigned i;

	arguments->own = strdup(own != NULL ? own : "");
	if (arguments->own == NULL)
		return -ENOMEM;
	rest = arguments->own;
	while ((word = strtok_r(rest, " \t", &rest)) != NULL)
		add(&theirs, word);
	for (i = 0; i < sizeof(on_disk) / sizeof(on_disk[0]); i++)
		files = files || has_argument(&theirs, on_disk[i]);
	if (has_argument(&theirs, "--no-huge"))
		hugepages = false;
	else if (has_argument(&theirs, "-m") ||
	    has_argument(&theirs, "--socket-mem") || files ||
	    has_argument(&theirs, "--in-memory"))
		hugepages = true;

	put_cpus(arguments->cpus);
	add(arguments, "lp-dataplane");
	add(arguments, "-a");
	add(arguments, "0000:00:00.0");
	add(arguments, "--lcores");
	add(arguments, arguments->cpus);
	if (!has_argument(&theirs, "--telemetry"))
		add(arguments, "--no-telemetry");
	if (hugepages && !files)
		add(arguments, "--in-memory");
	if (!hugepages) {
		if (!has_argument(&theirs, "--no-huge"))
			add(arguments, "--no-huge");
		if (!files)
			add(arguments, "--no-shconf");
		if (!has_argument(&theirs, "-m") &&
		    !has_argument(&theirs, "--socket-mem")) {
			snprintf(arguments->megabytes,
			    sizeof(arguments->megabytes), "%zu",
			    plain_bytes >> 20);
			add(arguments, "-m");
			add(arguments, arguments->megabytes);
		}
	}
	for (int n = 0; n < theirs.count; n++)
		add(arguments, theirs.list[n]);
	eal.hugepages = hugepages;
	return 0;
}

/* Checked by lp_dpdk_eal_check(): they fit. */
static void
add(struct arguments *arguments, const char *word)
{
	if (arguments->count < ARGUMENTS_MAX)
		arguments->list[arguments->count++] = (char *)word;
}

/* Lcore 0 is control, on every CPU that it has: "0@(0,1,5)". */
static void
put_cpus(char text[CPUS_TEXT_SIZE])
{
	cpu_set_t set;
	size_t len = (size_t)snprintf(text, CPUS_TEXT_SIZE, "0@(");
	const char *comma = "";

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		CPU_SET(0, &set);
	for (int cpu = 0; cpu < CPU_SETSIZE && len < CPUS_TEXT_SIZE - 8;
	     cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		len += (size_t)snprintf(
		    text + len, CPUS_TEXT_SIZE - len, "%s%d", comma, cpu);
		comma = ",";
	}
	snprintf(text + len, CPUS_TEXT_SIZE - len, ")");
}

/* NUMA nodes, of which EAL knows only once it has started; at least 1. */
static unsigned
count_nodes(void)
{
	const struct dirent *entry;
	DIR *directory = opendir("/sys/devices/system/node");
	unsigned node, count = 0;

	if (directory == NULL)
		return 1;
	while ((entry = readdir(directory)) != NULL)
		count += sscanf(entry->d_name, "node%u", &node) == 1;
	closedir(directory);
	return count > 0 ? count : 1;
}

/* Of all sizes: hugepages-2048kB, hugepages-1048576kB. */
static size_t
free_hugepage_bytes(void)
{
	static const char *const all = "/sys/kernel/mm/hugepages";
	const struct dirent *entry;
	DIR *directory = opendir(all);
	size_t bytes = 0;
	size_t kilobytes;

	if (directory == NULL)
		return 0;
	while ((entry = readdir(directory)) != NULL) {
		char path[sizeof("/sys/kernel/mm/hugepages/") +
		    sizeof(entry->d_name)];

		if (sscanf(entry->d_name, "hugepages-%zukB", &kilobytes) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s", all, entry->d_name);
		bytes += read_number(path, "free_hugepages") * kilobytes * 1024;
	}
	closedir(directory);
	return bytes;
}

static size_t
read_number(const char *directory, const char *name)
{
	char path[512];
	size_t number = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%zu", &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

static int
init(struct arguments *arguments, char why[LP_WHY_SIZE])
{
	cpu_set_t affinity;
	sigset_t all, before;
	bool has_affinity =
	    sched_getaffinity(0, sizeof(affinity), &affinity) == 0;
	int result;

	lp_dpdk_log_listen();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = rte_eal_init(arguments->count, arguments->list);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (has_affinity)
		(void)sched_setaffinity(0, sizeof(affinity), &affinity);
	if (result >= 0) {
		eal.state = STARTED;
		if (lp_dpdk_eal_cost()[0] != '\0')
			lp_log_warn("DPDK: %s", lp_dpdk_eal_cost());
		return 0;
	}
	/* It cannot be asked a second time in one process. */
	eal.state = FAILED;
	snprintf(eal.why, sizeof(eal.why),
	    "DPDK does not start: %.160s%s (mend it, then restart "
	    "lp-dataplane)",
	    lp_dpdk_log_complaint(rte_strerror(rte_errno)),
	    eal.hugepages && free_hugepage_bytes() == 0
		? "; no hugepages are free"
		: "");
	snprintf(why, LP_WHY_SIZE, "%s", eal.why);
	return -ENODEV;
}
