#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""by_id.py HOST PORT TOPIC_ID PARTITIONS: fetches a topic by its id alone, as a
client does that has known the id for long: one Fetch of version 13, no
Metadata.  TOPIC_ID is as Kafka writes it, in base64.  Prints the bytes of
records in the answer.

Source: https://kafka.apache.org/protocol; KIP-516.
"""
import base64
import socket
import struct
import sys

FETCH, VERSION, ID = 1, 13, 7


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, layout):
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def tags(self):
        for _ in range(self.varint()):
            self.varint()
            self.take(self.varint())


def request(topic, partitions):
    parts = b"".join(
        struct.pack(">iiqiqi", index, -1, 0, -1, -1, 1 << 20) + b"\0"
        for index in range(partitions))
    body = struct.pack(">hhih", FETCH, VERSION, ID, 5) + b"by-id" + b"\0"
    body += struct.pack(">iiiibii", -1, 1000, 1, 1 << 24, 0, 0, -1)
    body += b"\2" + topic + bytes([partitions + 1]) + parts + b"\0"
    body += b"\1" + b"\1" + b"\0"  # none forgotten, no rack, no tags
    return struct.pack(">i", len(body)) + body


def records(answer):
    answer.number(">i")  # correlation id
    answer.tags()
    answer.number(">i")  # throttle time
    if answer.number(">h"):
        sys.exit("the whole answer is an error")
    answer.number(">i")  # session
    total = 0
    for _ in range(answer.varint() - 1):
        answer.take(16)
        for _ in range(answer.varint() - 1):
            answer.number(">i")
            error = answer.number(">h")
            if error:
                sys.exit("error %d of a partition" % error)
            answer.take(3 * 8)
            for _ in range(answer.varint() - 1):  # aborted transactions
                answer.take(16)
                answer.tags()
            answer.number(">i")  # preferred replica
            size = answer.varint() - 1
            answer.take(max(size, 0))
            total += max(size, 0)
            answer.tags()
        answer.tags()
    return total


def main():
    host, port, topic, partitions = sys.argv[1:]
    topic = base64.urlsafe_b64decode(topic + "==")
    with socket.create_connection((host, int(port)), timeout=20) as peer:
        peer.sendall(request(topic, int(partitions)))
        stream = peer.makefile("rb")
        size, = struct.unpack(">i", stream.read(4))
        print(records(Reader(stream.read(size))))


main()
