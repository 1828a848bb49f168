#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""late_relay.py SOCKET REAL COMMAND...: passes connections on to REAL.

Before the second one it runs the command: what has been asked by the first
one is then of yesterday.  It ends with the second one.
"""
import os
import selectors
import socket
import subprocess
import sys


def relay(client, path):
    real = socket.socket(socket.AF_UNIX)
    real.connect(path)
    both = {client: real, real: client}
    selector = selectors.DefaultSelector()
    for end in both:
        selector.register(end, selectors.EVENT_READ)
    while selector.get_map():
        for key, _ in selector.select():
            data = key.fileobj.recv(65536)
            if data:
                both[key.fileobj].sendall(data)
                continue
            selector.unregister(key.fileobj)
            if key.fileobj is client:
                # lpctl has its answer: there is nothing more to come.
                return
            client.shutdown(socket.SHUT_WR)


def main():
    path, real, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    listener = socket.socket(socket.AF_UNIX)
    # Who sees it can connect.
    listener.bind(path + ".new")
    listener.listen(8)
    os.rename(path + ".new", path)
    for number in range(2):
        client = listener.accept()[0]
        if number == 1:
            subprocess.run(command, check=True)
        relay(client, real)
        client.close()


main()
