#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corpus.py PCAP RELEASE FOLDER: cuts small whole conversations out of a
capture of the workloads, for the fuzzers.

A file is one connection.  Its bytes are records, in the order of the wire:

  1 byte   direction: 0 from the client, 1 from the broker
  2 bytes  length of the segment's payload, big-endian
  n bytes  the payload

Of each client's connections those are taken that show a key and version which
no file has yet, the shortest first; one of TLS; and, whatever they show, those
by hand, which are cut into odd segments.  Conversations that are too long are
left out: it is what they show that counts, and others show it too.
"""
import os
import struct
import sys

import wire

LONGEST = 6000
# Of all files of a release; the walk goes on until nothing new is found.
IN_ALL = 150000


def records(connection):
    """In the order of time; what was sent again is left out."""
    segments = [(time, 0, data) for time, data in connection.up.segments()]
    segments += [(time, 1, data) for time, data in connection.down.segments()]
    return b"".join(
        struct.pack(">BH", direction, len(data)) + data
        for _, direction, data in sorted(segments, key=lambda item: item[:2]))


def shown(connection):
    """What a conversation shows: keys and versions, with or without answer."""
    try:
        return {(asked["key"], asked["version"], "answer" in asked)
                for asked in wire.requests(connection)}
    except (ValueError, struct.error):
        return set()


def name_of(connection):
    names = {asked["client"] for asked in wire.requests(connection)}
    name = names.pop() if names else None
    return "null" if name is None else name or "empty"


def main():
    path, release, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        if old.startswith(release + "-"):
            os.unlink(os.path.join(folder, old))
    candidates, tls = [], None
    for connection in wire.connections(path):
        data = records(connection)
        if not data:
            continue
        if not wire.is_kafka(connection):
            if tls is None or len(data) < len(tls):
                tls = data
        elif len(data) <= LONGEST * 4:
            candidates.append((len(data) > LONGEST, len(data), connection,
                               data))
    candidates.sort(key=lambda item: item[:2])
    seen, total, taken = set(), 0, {}
    for _, _, connection, data in candidates:
        new = shown(connection) - seen
        name = name_of(connection)
        if not new and not name.startswith(("raw", "null", "empty")):
            continue
        if total + len(data) > IN_ALL:
            continue
        seen |= new
        total += len(data)
        taken.setdefault(name, []).append(data)
    if tls is not None:
        taken["tls"] = [tls]
    for name, all_of_it in taken.items():
        for number, data in enumerate(all_of_it):
            file = "%s-%s-%d" % (release, name, number)
            with open(os.path.join(folder, file), "wb") as out:
                out.write(data)
    print("%d files, %d bytes, %d keys, versions" % (
        sum(map(len, taken.values())), total,
        len({item[:2] for item in seen})))


main()
