#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The same with the last release that has every old version of every message.
LAB_KAFKA=3.9 exec "$(dirname "$0")/rewrite.sh"
