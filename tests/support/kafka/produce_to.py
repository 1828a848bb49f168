#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""produce_to.py HOST:PORT TOPIC...: one record to partition 0 of each topic, in
one request; prints the name and error code of each, as they are answered.
"""
import socket
import struct
import sys

from raw import array, batch, blob, string


def frame(topics):
    head = struct.pack(">hhi", 0, 3, 7) + string("produce-to")
    data = array([string(topic) + array([struct.pack(">i", 0) +
                                         blob(batch(b"one"))])
                  for topic in topics])
    return blob(head + string(None) + struct.pack(">hi", -1, 30000) + data)


def read(stream, form):
    return struct.unpack(form, stream.read(struct.calcsize(form)))


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    address = (host.strip("[]"), int(port))
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(frame(sys.argv[2:]))
        stream = connection.makefile("rb")
        _, _, topics = read(stream, ">iii")
        for _ in range(topics):
            (size,) = read(stream, ">h")
            name = stream.read(size).decode()
            (partitions,) = read(stream, ">i")
            for _ in range(partitions):
                _, error, _, _ = read(stream, ">ihqq")
                print(name, error)


main()
