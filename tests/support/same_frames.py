#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether two captures hold the very same frames, each as often.

They begin with a mark (frames.py): before it one was there and the other not.

    same_frames.py ONE.pcap OTHER.pcap

Prints how many, or those that only one has; the status says the same.
"""
import collections
import struct
import sys


def frames(path):
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, found, marked = 24, collections.Counter(), False
    while at + 16 <= len(data):
        kept, whole = struct.unpack(order + "II", data[at + 8:at + 16])
        if kept != whole:
            sys.exit(f"{path}: a frame that is cut")
        if at + 16 + kept > len(data):
            break
        frame = data[at + 16:at + 16 + kept]
        # Of a tag that is cut the kernel at the receiver makes an end.
        if marked and (frame[12:14] != b"\x81\x00" or kept >= 20):
            found[frame] += 1
        marked = marked or frame[12:14] == b"\x88\xb6"
        at += 16 + kept
    return found


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    one, other = frames(sys.argv[1]), frames(sys.argv[2])
    for path, only in ((sys.argv[1], one - other), (sys.argv[2], other - one)):
        for frame in list(only)[:5]:
            print(f"only in {path}: {len(frame)} bytes {frame[:80].hex()}")
    if one != other or not one:
        sys.exit(1)
    print(f"{sum(one.values())} frames")


main()
