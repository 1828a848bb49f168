#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The same with Kafka on IPv6.
exec "$(dirname "$0")/inline.sh" 6
