#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# handshake.py IP PORT: a pcap file on standard output, of what a client at
# 10.9.1.1:52000 sends there: SYN, ACK, and a segment of four bytes.
import socket
import struct
import sys


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(to, port, flags, seq, payload):
    src, dst = socket.inet_aton("10.9.1.1"), socket.inet_aton(to)
    tcp = struct.pack("!HHIIBBHHH", 52000, port, seq, 0 if flags == 2 else 1,
                      5 << 4, flags, 64240, 0, 0) + payload
    pseudo = src + dst + struct.pack("!BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6,
                     0) + src + dst
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return bytes(6) + b"\2\0\0\0\0\1" + struct.pack("!H", 0x0800) + ip + tcp


def main():
    out = sys.stdout.buffer
    frames = [frame(sys.argv[1], int(sys.argv[2]), *what)
              for what in ((2, 1, b""), (16, 2, b""), (24, 2, b"abcd"))]
    out.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for number, data in enumerate(frames):
        out.write(struct.pack("=IIII", 1000, number * 1000, len(data),
                              len(data)) + data)


main()
