/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces and veth pairs for tests of ports on real devices: a
 * port opens near<i>, the test is at far<i> with a socket for raw frames.
 * What goes wrong ends the program.
 */
#ifndef LP_TESTS_SUPPORT_VETH_H
#define LP_TESTS_SUPPORT_VETH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VETH_SKIPPED = 77, /* what CTest takes for skipped */
	VETH_WAIT_MS = 60000, /* for what comes at once when all is well */
};

/* The process moves to a new network namespace; false: not permitted. */
bool veth_enter(void);

/* Runs a command line, which must succeed. */
void veth_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "net/ipv4/..." of /proc/sys, in the namespace that the process is in. */
void veth_sysctl(const char *value, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets a device up; that of a pair has a carrier when both are. */
void veth_up(const char *device);

/* A socket for raw frames on a device. */
int veth_socket(const char *device);

/* The kernel notices a carrier a little after the command has returned. */
void veth_await_up(const char *device);

/* CLOCK_MONOTONIC */
uint64_t veth_now_ns(void);

/* Descriptors that this process has open, and a constant few. */
unsigned veth_descriptors(void);

#endif
