#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Garbage on a unix socket of ours: garbage.py PATH COUNT

Every way to be wrong that framing allows, then random bytes.  The daemon may
answer or close, but must not keep us, and must go on accepting.
"""
import os
import random
import socket
import struct
import sys


def connect(path):
    """Waits up to a second where the daemon has as many as it takes."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                    struct.pack("ll", 1, 0))
    peer.connect(path)
    peer.settimeout(10)
    return peer


def crowd(path, count):
    """Many that say nothing at all, at once, or as many as there may be."""
    peers = []
    try:
        while len(peers) < count:
            peers.append(connect(path))
    except BlockingIOError:
        print(f"full with {len(peers)}")
    for peer in peers:
        peer.close()


def say(path, pieces):
    """Sends the pieces, hangs up, and reads until the daemon does too."""
    peer = connect(path)
    try:
        for piece in pieces:
            peer.sendall(piece)
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(65536):
            pass
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        peer.close()


def frame(payload):
    return struct.pack("!I", len(payload)) + payload


def main():
    path, count = sys.argv[1], int(sys.argv[2])
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print(f"SEED={seed}")
    dice = random.Random(seed)
    say(path, [])
    say(path, [b"\0\0"])                          # half a length
    say(path, [struct.pack("!I", 0)])             # of nothing
    say(path, [struct.pack("!I", 0xFFFFFFFF)])    # of too much
    say(path, [struct.pack("!I", 100) + b"abc"])  # cut off
    say(path, [frame(b"\xff" * 100)])             # no message
    say(path, [frame(b"\x7a\x00")])               # an unknown type
    say(path, [bytes([b]) for b in frame(b"\x7a\x00" * 50)])  # bit by bit
    for _ in range(count):
        say(path, [frame(dice.randbytes(dice.randint(1, 300)))
                   for _ in range(dice.randint(1, 4))])
        say(path, [dice.randbytes(dice.randint(1, 300))])
    crowd(path, 50)


main()
