# SPDX-License-Identifier: Apache-2.0
"""Produce with acks=0, which has no answer to edit."""
from codec import varint
from denials_partition import ends, flipped
from raw import batch

TAG = 0x7F  # that nobody has given a meaning


def produce(world, topics, value=b"a record"):
    return {"Acks": 0, "TimeoutMs": 60000, "TopicData": [dict(
        world.cluster.naming(topic), PartitionData=[
            {"Index": p, "Records": batch(value)} for p in (0, 1)])
        for topic in topics]}


def send(world, connection, values, edit):
    """And a request behind it, in the same breath."""
    connection.send("Produce", world.version, values, edit)
    connection.send("Metadata", 12, {"Topics": []})


def closes(world, versions):
    """Flipped: the others are stored, then the broker closes, as it does
    where its own authorizer refuses."""
    for version in versions:
        world.version = version
        before = ends(world)
        closed(world, [world.denied, world.allowed], world.denied)
        closed(world, [world.denied], world.denied)
        world.expect("ends", ends(world),
                     [[end + 1 for end in before[0]], before[1]])
        if world.is_guarded:
            closed(world, [world.refused])


def closed(world, topics, *denied):
    connection = world.kafka.again()
    values = produce(world, topics)
    send(world, connection, values, flipped(world, values, *denied))
    world.expect("%s: closed unanswered" % topics, connection.is_closed(),
                 True)
    connection.close()


def empty(body, places):
    """The array of topics becomes an empty one, its bytes and the tagged
    fields behind it one unknown tagged field."""
    start = places["TopicData",]
    room = len(body) - start - 3
    width = next(n for n in range(1, 6) if room - n < 1 << 7 * n)
    size = varint(room - width)
    # Zeros ahead of a number that is shorter than its place.
    size = bytes(byte | 128 for byte in size[:-1]) + (
        size[-1:] if len(size) == width else
        bytes([size[-1] | 128]) + b"\x80" * (width - len(size) - 1) + b"\0")
    body[start:start + 3 + width] = b"\x01\x01" + bytes([TAG]) + size


def emptied(world, versions):
    for version in versions:
        world.version = version
        before, connection = ends(world), world.kafka.again()
        for value in (b"", b"x" * 50, b"x" * 113, b"x" * 300, b"x" * 20000):
            send(world, connection, produce(world, [world.denied], value),
                 empty)
            connection.answer("Metadata", 12)
        # The number of topics takes two bytes.
        send(world, connection, produce(world, [world.denied] * 127), empty)
        connection.answer("Metadata", 12)
        world.expect("ends", ends(world), before)
        connection.close()


PROOFS = {"closes": closes, "emptied": emptied}
