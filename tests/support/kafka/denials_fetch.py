# SPDX-License-Identifier: Apache-2.0
"""Fetches with flipped partitions: those that wait, and sessions (KIP-227),
in which the broker keeps the flipped index and repeats it."""
import time

from by_hand import FLIP
from denials_partition import BIT, ask_flipped, flipped

WAIT = 0.1
LONG = 600000


def fetch(world, topics, **more):
    """Behind the last record."""
    return dict({"ReplicaId": -1, "MaxWaitMs": 0, "MinBytes": 1,
                 "MaxBytes": 1 << 20, "SessionEpoch": -1,
                 "Topics": [dict(world.cluster.naming(topic), Partitions=[
                     {"Partition": p, "PartitionMaxBytes": 1 << 20,
                      "FetchOffset": world.cluster.offset(topic, p)}
                     for p in (0, 1)]) for topic in topics]}, **more)


def ask(world, values, *topics):
    return ask_flipped(world, "Fetch", world.version, values,
                       *topics or (world.denied, world.refused))


def codes(world, answer):
    return {(r.topic, r.index & ~BIT if r.index >= BIT else r.index,
             r.index >= BIT): r.error
            for r in answer.results(world.cluster.names)}


def wanted(world, topics, partitions=(0, 1)):
    """Codes of flipped partitions."""
    code = {world.denied: world.row["says"],
            world.refused: world.row["refused"]}
    return {(topic, p, True): code[topic]
            for topic in topics if topic != world.allowed
            for p in partitions}


def none(world):
    return {(world.allowed, p, False): 0 for p in (0, 1)}


def wait(world, versions):
    """Beside idle ones a flipped partition does not end the wait; alone it is
    answered at once."""
    for version in versions:
        world.version = version
        values = fetch(world, world.topics(), MaxWaitMs=int(WAIT * 1000))
        began = time.monotonic()
        answer = ask(world, values)
        # A broker's clock has a tick of a millisecond.
        world.expect("it waited", time.monotonic() - began > WAIT - 0.01,
                     True)
        world.expect("codes", codes(world, answer), {
            **wanted(world, world.topics()), **none(world)})
        answer = ask(world, fetch(world, [world.denied], MaxWaitMs=LONG))
        world.expect("codes, alone", codes(world, answer),
                     wanted(world, [world.denied]))
    wake(world)


def wake(world):
    """A record for an allowed partition ends the wait."""
    values = fetch(world, world.topics(), MaxWaitMs=LONG)
    waiting = world.kafka.again()
    waiting.send("Fetch", world.version, values,
                 flipped(world, values, world.denied, world.refused))
    world.cluster.put(world.allowed, 0)
    answer = waiting.answer("Fetch", world.version)
    world.expect("records", {
        (r.topic, r.index) for r in answer.results(world.cluster.names)
        if r.entry["Records"]}, {(world.allowed, 0)})
    waiting.close()


def session(world, versions):
    for version in versions:
        world.version = version
        first = ask(world, fetch(world, world.topics(), SessionEpoch=0))
        number = first.values["SessionId"]
        world.expect("a session is made", number != 0, True)
        world.expect("codes", codes(world, first), {
            **wanted(world, world.topics()), **none(world)})
        repeated(world, number)
        forgotten(world, number)


def later(world, number, epoch, **more):
    return fetch(world, [], SessionId=number, SessionEpoch=epoch, **more)


def repeated(world, number):
    """Every answer of the session has it, whoever asked for nothing."""
    answer = ask(world, later(world, number, 1))
    world.expect("codes, repeated", codes(world, answer),
                 wanted(world, world.topics()))
    began = time.monotonic()
    answer = ask(world, later(world, number, 2, MaxWaitMs=int(WAIT * 1000)))
    world.expect("the session waited",
                 time.monotonic() - began > WAIT - 0.01, True)
    world.expect("codes, waited for", codes(world, answer),
                 wanted(world, world.topics()))


def forgotten(world, number):
    """What is forgotten must be flipped too: else it stays."""
    topics = [dict(world.cluster.naming(world.denied), Partitions=[0])]
    answer = ask(world, later(world, number, 3, ForgottenTopicsData=topics),
                 "no topic")
    world.expect("codes, not forgotten", codes(world, answer),
                 wanted(world, world.topics()))
    answer = ask(world, later(world, number, 4, ForgottenTopicsData=topics))
    left = wanted(world, world.topics())
    del left[world.denied, 0, True]
    world.expect("codes, forgotten", codes(world, answer), left)


def renew(world, versions):
    """An epoch with bit 30 flipped is nobody's: the session stays as it is,
    the client begins a new one in its place."""
    def edit(body, places):
        body[places["SessionEpoch",]] ^= FLIP

    for version in versions:
        world.version = version
        full = fetch(world, [world.allowed], SessionEpoch=0)
        number = world.kafka.ask("Fetch", version, full).values["SessionId"]
        answer = world.kafka.ask("Fetch", version, later(world, number, 1),
                                 edit)
        world.expect("the epoch", answer.values["ErrorCode"],
                     world.row["says"])
        world.expect("partitions", answer.values["Responses"], [])
        answer = world.kafka.ask("Fetch", version, later(world, number, 1))
        world.expect("the session stays", answer.values["ErrorCode"], 0)
        answer = world.kafka.ask("Fetch", version, dict(
            full, SessionId=number))
        again = answer.values["SessionId"]
        world.expect("a new session", again not in (0, number), True)
        answer = world.kafka.ask("Fetch", version, later(world, number, 2))
        world.expect("the old one is gone", answer.values["ErrorCode"], 70)


PROOFS = {"wait": wait, "session": session, "renew": renew}
