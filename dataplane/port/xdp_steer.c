/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steering program of one port: loading it, and keeping its maps.
 *
 * Every port has a program and maps of its own.  Addresses and sources are
 * replaced as a whole: each member carries the number of the newest set that
 * named it, so what is left from an older set can be told and removed.
 */
#include "dataplane/port/xdp_steer.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static_assert(
    (int)LP_STEER_QUEUES_MAX == (int)LP_PORT_QUEUES_MAX, "one socket a queue");
static_assert((int)LP_STEER_EXTENSIONS_MAX == (int)LP_EXTENSIONS_MAX,
    "as far as parse.c");
static_assert(LP_STEER_SOURCES_MAX >= 2 * LP_BROKERS_MAX, "two sets fit");
static_assert(LP_STEER_ADDRESSES_MAX >=
	2 * (LP_PORT_ADDRESSES_MAX + LP_LISTENERS_MAX + LP_ENDPOINTS_MAX),
    "two sets fit");

/* steer.bpf.c, compiled and embedded by the build. */
extern const unsigned char lp_xdp_steer_object[];
extern const size_t lp_xdp_steer_object_size;

static int find_maps(struct lp_xdp_steer *steer);
static int set_clock(struct bpf_object *object);
static int on_copy(void *context, void *data, size_t size);
static int add_addresses(
    struct lp_xdp_steer *steer, const struct lp_steer *whole);
static int add_sources(
    struct lp_xdp_steer *steer, const struct lp_steer *whole);
static int remove_others(int map, uint32_t set);

int
lp_xdp_steer_open(struct lp_xdp_steer *steer, lp_xdp_steer_copy *copy,
    void *context, char why[LP_WHY_SIZE])
{
	const char *step = "open";
	int error;

	*steer = (struct lp_xdp_steer){.copy = copy, .copy_context = context};
	/* It would write to stderr; we say what went wrong in why. */
	libbpf_set_print(NULL);
	steer->object = bpf_object__open_mem(
	    lp_xdp_steer_object, lp_xdp_steer_object_size, NULL);
	if (steer->object == NULL) {
		error = -errno;
		goto fail;
	}
	step = "load";
	error = set_clock(steer->object);
	if (error == 0)
		error = bpf_object__load(steer->object);
	if (error != 0)
		goto fail;
	step = "map";
	error = find_maps(steer);
	if (error != 0)
		goto fail;
	steer->control->mode = LP_STEER_VIP;
	steer->control->timeout_ns = LP_DEAD_NS;
	return 0;
fail:
	if (error == -EPERM || error == -EACCES)
		snprintf(why, LP_WHY_SIZE,
		    "not permitted to load the steering program: give "
		    "lp-dataplane CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN "
		    "(before Linux 5.11 also a higher RLIMIT_MEMLOCK)");
	else
		snprintf(why, LP_WHY_SIZE,
		    "cannot %s the steering program (Linux 5.10 or later is "
		    "needed): %s",
		    step, strerror(-error));
	lp_xdp_steer_close(steer);
	return error;
}

void
lp_xdp_steer_close(struct lp_xdp_steer *steer)
{
	ring_buffer__free(steer->copies);
	free(steer->cpu_values);
	if (steer->control != NULL)
		munmap(steer->control, steer->control_size);
	bpf_object__close(steer->object);
	*steer = (struct lp_xdp_steer){0};
}

int
lp_xdp_steer_socket(struct lp_xdp_steer *steer, uint32_t queue, int fd)
{
	assert(queue < LP_STEER_QUEUES_MAX);
	return bpf_map_update_elem(steer->xsks, &queue, &fd, BPF_ANY);
}

void
lp_xdp_steer_mac(struct lp_xdp_steer *steer, const uint8_t mac[6])
{
	memcpy(steer->control->mac, mac, sizeof(steer->control->mac));
}

void
lp_xdp_steer_mode(struct lp_xdp_steer *steer, enum lp_steer_mode mode)
{
	steer->control->mode = mode;
}

int
lp_xdp_steer_peer(
    struct lp_xdp_steer *steer, unsigned ifindex, char why[LP_WHY_SIZE])
{
	const __u32 place = 0, device = ifindex;
	int error;

	if (ifindex != 0)
		error =
		    bpf_map_update_elem(steer->peer, &place, &device, BPF_ANY);
	else
		error = bpf_map_delete_elem(steer->peer, &place);
	if (error == 0 || (ifindex == 0 && error == -ENOENT))
		return 0;
	snprintf(why, LP_WHY_SIZE, "cannot pass frames on to its peer: %s",
	    strerror(-error));
	return error;
}

int
lp_xdp_steer_set(struct lp_xdp_steer *steer, const struct lp_steer *whole,
    char why[LP_WHY_SIZE])
{
	int error;

	steer->set++;
	error = add_addresses(steer, whole);
	if (error == 0)
		error = add_sources(steer, whole);
	if (error == 0)
		error = remove_others(steer->addresses, steer->set);
	if (error == 0)
		error = remove_others(steer->sources, steer->set);
	if (error != 0) {
		snprintf(why, LP_WHY_SIZE,
		    "cannot steer %zu addresses and %zu sources: %s",
		    whole->address_count, whole->source_count,
		    strerror(-error));
		return error;
	}
	atomic_store_explicit((_Atomic __u8 *)&steer->control->wire_on_loss,
	    whole->wire_on_loss, memory_order_relaxed);
	atomic_store_explicit((_Atomic __u64 *)&steer->control->generation,
	    whole->generation, memory_order_relaxed);
	return 0;
}

void
lp_xdp_steer_beat(struct lp_xdp_steer *steer, uint64_t now_ns)
{
	atomic_store_explicit((_Atomic __u64 *)&steer->control->heartbeat_ns,
	    now_ns, memory_order_release);
}

void
lp_xdp_steer_counters(
    const struct lp_xdp_steer *steer, uint64_t values[LP_STEER_COUNTERS])
{
	uint64_t *of_cpu = steer->cpu_values;
	uint32_t i;
	int cpu;

	memset(values, 0, sizeof(values[0]) * LP_STEER_COUNTERS);
	for (i = 0; i < LP_STEER_COUNTERS; i++) {
		if (bpf_map_lookup_elem(steer->counters, &i, of_cpu) != 0)
			continue;
		for (cpu = 0; cpu < steer->cpu_count; cpu++)
			values[i] += of_cpu[cpu];
	}
}

int
lp_xdp_steer_copies_fd(const struct lp_xdp_steer *steer)
{
	return ring_buffer__epoll_fd(steer->copies);
}

void
lp_xdp_steer_copies(struct lp_xdp_steer *steer)
{
	(void)ring_buffer__consume(steer->copies);
}

static int
map_fd(const struct bpf_object *object, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	/* The object is ours: it has them all. */
	assert(fd >= 0);
	return fd;
}

static int
find_maps(struct lp_xdp_steer *steer)
{
	struct bpf_program *program =
	    bpf_object__find_program_by_name(steer->object, "lp_steer");
	void *control;

	assert(program != NULL);
	steer->program = bpf_program__fd(program);
	steer->addresses = map_fd(steer->object, "addresses");
	steer->sources = map_fd(steer->object, "sources");
	steer->xsks = map_fd(steer->object, "xsks");
	steer->peer = map_fd(steer->object, "peer");
	steer->counters = map_fd(steer->object, "counters");
	steer->cpu_count = libbpf_num_possible_cpus();
	if (steer->cpu_count < 0)
		return steer->cpu_count;
	steer->cpu_values =
	    calloc((size_t)steer->cpu_count, sizeof(steer->cpu_values[0]));
	if (steer->cpu_values == NULL)
		return -ENOMEM;
	steer->control_size = (size_t)sysconf(_SC_PAGESIZE);
	control = mmap(NULL, steer->control_size, PROT_READ | PROT_WRITE,
	    MAP_SHARED, map_fd(steer->object, "control"), 0);
	if (control == MAP_FAILED)
		return -errno;
	steer->control = control;
	steer->copies = ring_buffer__new(
	    map_fd(steer->object, "copies"), on_copy, steer, NULL);
	return steer->copies != NULL ? 0 : -errno;
}

/* The coarse clock is cheaper; the program is told whether it exists. */
static int
set_clock(struct bpf_object *object)
{
	struct bpf_map *map =
	    bpf_object__find_map_by_name(object, ".rodata.clock");
	const __u32 has = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP,
			      BPF_FUNC_ktime_get_coarse_ns, NULL) == 1;

	assert(map != NULL && bpf_map__value_size(map) == sizeof(has));
	return bpf_map__set_initial_value(map, &has, sizeof(has));
}

static int
on_copy(void *context, void *data, size_t size)
{
	const struct lp_steer_copy *copy = data;
	struct lp_xdp_steer *steer = context;

	assert(size >= sizeof(*copy) && copy->len <= sizeof(copy->bytes));
	return steer->copy(steer->copy_context, copy->bytes, copy->len) ? 0
									: -1;
}

static int
add_addresses(struct lp_xdp_steer *steer, const struct lp_steer *whole)
{
	const struct lp_steer_member member = {steer->set};
	struct lp_steer_address key;
	size_t i;
	int error;

	for (i = 0; i < whole->address_count; i++) {
		memcpy(key.ip, whole->addresses[i].bytes, sizeof(key.ip));
		error = bpf_map_update_elem(
		    steer->addresses, &key, &member, BPF_ANY);
		if (error != 0)
			return error;
	}
	return 0;
}

static int
add_sources(struct lp_xdp_steer *steer, const struct lp_steer *whole)
{
	const struct lp_steer_member member = {steer->set};
	size_t i;
	int error;

	for (i = 0; i < whole->source_count; i++) {
		struct lp_steer_source key = {
		    .port = htons(whole->sources[i].port)};

		memcpy(key.ip, whole->sources[i].ip.bytes, sizeof(key.ip));
		error =
		    bpf_map_update_elem(steer->sources, &key, &member, BPF_ANY);
		if (error != 0)
			return error;
	}
	return 0;
}

/*
 * Removes the members of older sets.  The next key is asked for before one is
 * removed, since a removed key would start the walk again.
 */
static int
remove_others(int map, uint32_t set)
{
	union {
		struct lp_steer_address address;
		struct lp_steer_source source;
	} key, next;
	struct lp_steer_member member;
	int error = bpf_map_get_next_key(map, NULL, &next);

	while (error == 0) {
		key = next;
		error = bpf_map_get_next_key(map, &key, &next);
		if (bpf_map_lookup_elem(map, &key, &member) == 0 &&
		    member.set != set)
			(void)bpf_map_delete_elem(map, &key);
	}
	return error == -ENOENT ? 0 : error;
}
