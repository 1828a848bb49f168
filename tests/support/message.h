/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's messages, written by hand as a text of words:
 *
 *	2:-1		a number of so many bytes
 *	'abc'		a string with an int16 length
 *	"abc"		one with a compact length
 *	*300'a		a string of so many of that letter; with " a compact one
 *	0b1f		other words are hexadecimal
 */
#ifndef LP_TESTS_SUPPORT_MESSAGE_H
#define LP_TESTS_SUPPORT_MESSAGE_H

#include <stdint.h>

/* The frame with its size in front; returns its length. */
uint32_t message_make(uint8_t *bytes, uint32_t size, const char *text);

#endif
