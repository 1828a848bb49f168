#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ethernet frames that no kernel would send, for the end-to-end tests.

    frames.py syn DEVICE MAC IP PORT COUNT      SYNs from COUNT sources
    frames.py bad DEVICE MAC IP PORT            one frame of each bad kind
    frames.py random DEVICE MAC IP PORT COUNT   mutated frames; prints the seed
    frames.py foreign DEVICE MAC IP PORT        what a bump has to pass
    frames.py mark DEVICE MAC IP PORT           where captures are to begin

MAC and IP are the destination's.  Sources are made up, in the destination's
/24 network.
"""
import errno
import os
import random
import socket
import struct
import sys
import time

QUEUE_FULL_S = 10


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def tcp(source, to, sport, dport, flags=0x02, payload=b"", bad_sum=False,
        offset=5):
    head = struct.pack("!HHIIBBHHH", sport, dport, 1000, 0, offset << 4, flags,
                       65535, 0, 0)
    segment = head + payload
    pseudo = source + to + struct.pack("!BBH", 0, 6, len(segment))
    value = checksum(pseudo + segment) ^ (0x5555 if bad_sum else 0)
    return segment[:16] + struct.pack("!H", value) + segment[18:]


def ipv4(source, to, payload, protocol=6, ttl=64, fragment=0, options=b"",
         bad_sum=False, length=None, version=4):
    words = 5 + len(options) // 4
    total = words * 4 + len(payload) if length is None else length
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | words, 0, total, 1,
                       fragment, ttl, protocol, 0, source, to) + options
    value = checksum(head) ^ (0x5555 if bad_sum else 0)
    return head[:10] + struct.pack("!H", value) + head[12:] + payload


class Sender:
    def __init__(self, device, mac, ip, port):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((device, 0))
        self.to_mac = bytes.fromhex(mac.replace(":", ""))
        self.mac = self.socket.getsockname()[4]
        self.to = socket.inet_aton(ip)
        self.port = int(port)

    def source(self, number):
        return self.to[:3] + bytes([130 + number % 100])

    def send(self, packet, ethertype=0x0800):
        """Send a frame.  The kernel says ENOBUFS where the queue of the
        device's peer is full; what it refused has not gone, so it goes
        again: a test counts frames that were sent."""
        frame = self.to_mac + self.mac + struct.pack("!H", ethertype) + packet
        end = time.monotonic() + QUEUE_FULL_S
        while True:
            try:
                self.socket.send(frame)
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS or time.monotonic() > end:
                    raise
            os.sched_yield()


def syn(sender, count):
    for i in range(int(count)):
        source = sender.source(i)
        sender.send(ipv4(source, sender.to, tcp(
            source, sender.to, 1024 + i % 60000, sender.port)))


def bad_packets(sender):
    """(ethertype, packet) of each kind, in the order of reasons.h."""
    a, b, port = sender.source(0), sender.to, sender.port
    good = tcp(a, b, 2000, port)
    return [
        (0x0800, ipv4(a, b, good)[:30]),                      # cut off
        (0x8100, struct.pack("!HH", 7, 0x0800) + ipv4(a, b, good)),
        (0x0800, ipv4(a, b, good, version=5)),
        (0x0800, ipv4(a, b, good, length=9)),
        (0x0800, ipv4(a, b, good, length=1400)),
        (0x0800, ipv4(a, b, good, bad_sum=True)),
        (0x0800, ipv4(a, b, good, fragment=0x2000)),
        (0x0800, ipv4(a, b, good, fragment=0x0010)),
        (0x0800, ipv4(a, b, good, options=b"\x01\x01\x01\x00")),
        (0x0800, ipv4(a, b, good, protocol=17)),
        (0x0800, ipv4(bytes([224, 0, 0, 1]), b,
                      tcp(bytes([224, 0, 0, 1]), b, 2000, port))),
        (0x0800, ipv4(bytes([127, 0, 0, 1]), b,
                      tcp(bytes([127, 0, 0, 1]), b, 2000, port))),
        (0x0800, ipv4(b, b, tcp(b, b, 2000, port))),
        (0x0800, ipv4(a, b, good, ttl=0)),
        (0x0800, ipv4(a, b, tcp(a, b, 2000, port, offset=4))),
        (0x0800, ipv4(a, b, tcp(a, b, 2000, port, offset=15))),
        (0x0800, ipv4(a, b, tcp(a, b, 2000, port, flags=0x03))),
        (0x0800, ipv4(a, b, tcp(a, b, 2000, port, bad_sum=True))),
        (0x0800, ipv4(a, b, b"\x03\x01\x00\x00", protocol=1)),
        (0x0806, b"\x00\x01\x08\x00\x06\x04\x00\x01" + b"\xff" * 20),
        (0x0806, b"\x00\x01"),
        (0x86DD, b"\x60" + b"\0" * 10),
    ]


def bad(sender):
    for ethertype, packet in bad_packets(sender):
        sender.send(packet, ethertype)


def foreign(sender):
    """Of nobody in particular, none a fragment; each as it is."""
    a, b = sender.source(0), sender.to
    inner = struct.pack("!H", 0x0800) + ipv4(a, b, tcp(a, b, 1, sender.port))
    group = ipv4(a, socket.inet_aton("239.1.2.3"), b"\0" * 100, protocol=17)
    for mac, ethertype, packet in [
            ("0180c200000e", 0x88CC, bytes(range(60))),
            ("01005e010203", 0x0800, group),
            ("333300000001", 0x86DD, b"\x60" + b"\0" * 60),
            ("ffffffffffff", 0x0806, b"\xff" * 28 + b"padding"),
            ("0200deadbeef", 0x88B5, b"x" * 1500),
            ("0200deadbeef", 0x0800, ipv4(a, b, b"y" * 1480, protocol=47)),
            ("0200deadbeef", 0x8100, struct.pack("!H", 5) + inner),
            ("0200deadbeef", 0x8100, struct.pack("!H", 0xE005) + inner),
            ("0200deadbeef", 0x0800, ipv4(a, b, tcp(
                a, b, 1, sender.port, bad_sum=True), ttl=1)),
            ("0200deadbeef", 0x0800, ipv4(a, b, tcp(
                a, b, 2, sender.port, payload=b"z" * 1460), ttl=1)),
            ("0200deadbeef", 0x0800, ipv4(a, b, tcp(
                a, b, 3, sender.port, flags=0x10)) + b"padding")]:
        sender.socket.send(bytes.fromhex(mac) + bytes.fromhex("020000000099") +
                           struct.pack("!H", ethertype) + packet)


def mark(sender):
    sender.send(b"\0" * 46, 0x88B6)


def mutate(dice, packet):
    packet = bytearray(packet)
    for _ in range(dice.randint(1, 4)):
        packet[dice.randrange(len(packet))] = dice.randrange(256)
    return packet[:dice.randint(1, len(packet))]


def repair(packet, deep):
    """Length and checksums made right, so that deeper parsers are reached."""
    start = (packet[0] & 15) * 4 if packet else 0
    if not 20 <= start <= len(packet):
        return
    packet[0] = 0x40 | packet[0] & 15
    packet[2:4] = struct.pack("!H", len(packet))
    packet[10:12] = b"\0\0"
    packet[10:12] = struct.pack("!H", checksum(bytes(packet[:start])))
    if deep and packet[9] == 6 and len(packet) >= start + 20:
        packet[start + 16:start + 18] = b"\0\0"
        pseudo = packet[12:20] + struct.pack("!BBH", 0, 6,
                                             len(packet) - start)
        packet[start + 16:start + 18] = struct.pack(
            "!H", checksum(bytes(pseudo + packet[start:])))


def random_frames(sender, count):
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print(f"SEED={seed}")
    dice = random.Random(seed)
    kinds = bad_packets(sender)
    for _ in range(int(count)):
        ethertype, packet = dice.choice(kinds)
        packet = mutate(dice, packet)
        if ethertype == 0x0800:
            # The destination stays, or it would not be steered to us.
            packet[16:20] = sender.to
            if dice.random() < 0.7:
                repair(packet, dice.random() < 0.7)
        sender.send(bytes(packet), ethertype)


def main():
    commands = {"syn": syn, "bad": bad, "random": random_frames,
                "foreign": foreign, "mark": mark}
    if len(sys.argv) < 6 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](Sender(*sys.argv[2:6]), *sys.argv[6:])


main()
