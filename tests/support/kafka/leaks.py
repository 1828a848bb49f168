#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""leaks.py FILE ADDRESS|NAME...: searches a capture of the clients' side for
addresses and names that the clients must not see.  Says where they are, and
how much was searched; ends with 1 if there is one, or if there was nothing to
search.

An address is searched for as text (no part of a longer one) and as its bytes:
in the bytes that each side of a TCP connection received, put in order, and in
every single frame, whoever it is from.  A number in the head of TCP (time
stamp, sequence, checksum) is no address: of heads those of IP are looked at.
"""
import ipaddress
import re
import struct
import sys

import wire


def patterns(secrets):
    """(regular expression for payload, bytes of addresses)."""
    texts, raw = [], []
    for secret in secrets:
        try:
            address = ipaddress.ip_address(secret)
            raw.append(address.packed)
            texts.append(re.escape(secret.encode()) + (
                rb"(?![0-9])" if address.version == 4 else rb"(?![0-9a-f])"))
        except ValueError:
            texts.append(re.escape(secret.encode()))
    return re.compile(b"|".join(texts + [re.escape(r) for r in raw]),
                      re.IGNORECASE | re.DOTALL), raw


def parts(frame):
    """(source, destination, what is searched) of a frame."""
    kind = frame[12:14]
    if kind == b"\x08\x00":
        end = 14 + struct.unpack_from(">H", frame, 16)[0]
        at = 14 + (frame[14] & 15) * 4
        source, destination, protocol = frame[26:30], frame[30:34], frame[23]
    elif kind == b"\x86\xdd":
        end = 54 + struct.unpack_from(">H", frame, 18)[0]
        at, protocol = 54, frame[20]
        source, destination = frame[22:38], frame[38:54]
    else:
        return b"", b"", frame[14:]
    if protocol == 6:
        at += (frame[at + 12] >> 4) * 4
    return source, destination, frame[at:end]


class Search:
    def __init__(self, secrets):
        self.pattern, self.raw = patterns(secrets)
        # To look for these alone is some fifty times as fast.
        self.needles = [text.lower() for text in
                        [secret.encode() for secret in secrets] + self.raw]
        self.found, self.bytes, self.frames, self.streams = 0, 0, 0, 0

    def look(self, where, data):
        self.bytes += len(data)
        low = data.lower()
        if not any(needle in low for needle in self.needles):
            return
        for match in self.pattern.finditer(data):
            self.found += 1
            if self.found <= 20:
                begin = max(match.start() - 60, 0)
                print("%s, byte %d: %r" % (where, match.start(),
                                           data[begin:match.end() + 20]))

    def frame(self, number, frame):
        self.frames += 1
        source, destination, rest = parts(frame)
        for which, address in (("from", source), ("to", destination)):
            if address in self.raw:
                self.found += 1
                print("frame %d is %s %s" % (
                    number, which, ipaddress.ip_address(address)))
        self.look("frame %d" % number, rest)

    def stream(self, connection):
        for which, half in (("to", connection.up), ("from",
                                                    connection.down)):
            self.streams += 1
            self.look("connection %s:%d, %s port %d" % (
                ipaddress.ip_address(connection.client[0]),
                connection.client[1], which, connection.server[1]),
                      b"".join(data for _, data in half.segments()))


def main():
    search = Search(sys.argv[2:])
    for number, (_, frame) in enumerate(wire.packets(sys.argv[1]), 1):
        search.frame(number, frame)
    for connection in wire.connections(sys.argv[1]):
        search.stream(connection)
    print("%d frames, %d streams, %d bytes searched, %d found" % (
        search.frames, search.streams, search.bytes, search.found))
    sys.exit(search.found > 0 or search.streams == 0)


main()
