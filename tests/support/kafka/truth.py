#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""truth.py DIR: what the clients of the workloads say of themselves, made one:
from java.json, java.requests, kcat.requests, js.json and raw.json in DIR.

Prints JSON: {"clients": [...], "topics": {...}}.  A client:

  client          its id; null if it has none
  listener        through which it went: lab, sasl, tls
  requests        that it sent; responses that it read
  request_bytes   whole frames with their sizes, or null if it does not know
  response_bytes  the same of what it read
  whole           true if it left no answer behind, so that all is exact
  apis            {"Produce": {"requests": 5, "responses": 5}, ...}
  errors          {"NOT_COORDINATOR": 2, ...} in its answers; null: not known
  slowest_us      by API, from before a request was sent until its answer came
  mean_us         by API, the same: the mean of them all
  kinds           {"acks=all": 5}: its Produce requests
  fetched         answers to its Fetch that came at once: they had records, or
                  their session ended; null: not known

A topic: produce_bytes, and, where only Kafka's own clients read, fetch_bytes.
"""
import json
import re
import sys

import names

JAVA = re.compile(r"(Sending|Received) [A-Z_]+ (?:request|response).*?"
                  r"RequestHeader\(apiKey=([A-Z_]+), apiVersion=\d+, "
                  r"clientId=([^,]*), .*?\)(.*)")
JAVA_ERROR = re.compile(r"[eE]rrorCode=(-?\d+)")
JAVA_ACKS = re.compile(r"\{acks=(-?\d)")
JAVA_TOPIC = re.compile(r"TopicResult\(name='([^']*)', topicId=([^,]*), "
                        r"errorCode=0")
JAVA_FETCHED = re.compile(r"TopicResponse\(topic='', topicId=([^,]*)|"
                          r"records=MemoryRecords\(size=(\d+)")
KCAT = re.compile(r"\|(?:SEND|RECV)\|([^|]+)#\w+-\d+\|.*: (Sent|Received) "
                  r"(\w+?)(?:Request|Response) \(v\d+, (\d+) bytes")
KINDS = {0: "acks=0", 1: "acks=1", -1: "acks=all"}
# Others read these too.
SHARED = ("kcat", "js", "raw", "secure", "share")

# Names that clients have for APIs which are called otherwise: librdkafka, and
# Kafka 3.9.
OTHER_NAMES = {"ApiVersion": "ApiVersions",
               "ListClientMetricsResources": "ListConfigResources"}


class Client:
    def __init__(self, name, listener="lab"):
        self.line = {"client": name, "listener": listener, "requests": 0,
                     "responses": 0, "request_bytes": 0, "response_bytes": 0,
                     "whole": True, "apis": {}, "errors": None,
                     "slowest_us": {}, "mean_us": {}, "kinds": {},
                     "fetched": None}

    def count(self, api, which, size):
        row = self.line["apis"].setdefault(api, {"requests": 0,
                                                 "responses": 0})
        row[which + "s"] += 1
        self.line[which + "s"] += 1
        self.line[which + "_bytes"] += size

    def error(self, code):
        if self.line["errors"] is None:
            self.line["errors"] = {}
        if code != 0:
            name = names.error(code)
            self.line["errors"][name] = self.line["errors"].get(name, 0) + 1

    def kind(self, acks):
        kinds = self.line["kinds"]
        kinds[KINDS[acks]] = kinds.get(KINDS[acks], 0) + 1

    def fetched(self, at_once):
        self.line["fetched"] = (self.line["fetched"] or 0) + at_once

    def slow(self, api, us):
        self.line["slowest_us"][api] = max(
            us, self.line["slowest_us"].get(api, 0))


def lines(path):
    with open(path) as file:
        for line in file:
            yield json.loads(line)


def java(folder, topics):
    """Its metrics count exactly; its log has the APIs and the errors.  Both
    must say the same, or neither is a truth."""
    clients, ids, read = {}, {}, {}
    with open(folder + "/java.requests") as file:
        for match in filter(None, map(JAVA.search, file)):
            which, key, name, rest = match.groups()
            client = clients.setdefault(name, Client(name))
            api = "".join(word.capitalize() for word in key.split("_"))
            api = OTHER_NAMES.get(api, api)
            client.error(0)
            if which == "Sending":
                client.count(api, "request", 0)
                if api == "Fetch":
                    client.fetched("sessionEpoch=-1" in rest)
                for acks in JAVA_ACKS.findall(rest[:80]):
                    client.kind(int(acks))
                continue
            client.count(api, "response", 0)
            for code in JAVA_ERROR.findall(rest):
                client.error(int(code))
            if api == "CreateTopics":
                ids.update((number, topic)
                           for topic, number in JAVA_TOPIC.findall(rest))
            if api == "Fetch":
                client.fetched(java_fetched(rest, read) > 0)
    for number, size in read.items():
        if ids[number] not in SHARED:
            topics[ids[number]] = {"produce_bytes": 0, "fetch_bytes": size}
    for said in lines(folder + "/java.json"):
        if "client" in said:
            client = clients.setdefault(said["client"],
                                        Client(said["client"]))
            java_metrics(client.line, said)
            # What TLS hides nobody can count.
            if client.line["listener"] == "tls":
                continue
            for topic, row in said["topics"].items():
                sent = topics.setdefault(topic, {"produce_bytes": 0})
                sent["produce_bytes"] += row.get("byte-total", 0)
    return clients.values()


def java_fetched(rest, read):
    """Bytes of records, and by topic id into `read`."""
    total, number = 0, None
    for topic, size in JAVA_FETCHED.findall(rest):
        if topic:
            number = topic
        else:
            total += int(size)
            read[number] = read.get(number, 0) + int(size)
    return total


def java_metrics(line, said):
    name = line["client"]
    if (line["requests"], line["responses"]) != (said["request-total"],
                                                 said["response-total"]):
        sys.exit("%s: %d requests and %d responses in its log, %d and %d in "
                 "its metrics" % (name, line["requests"], line["responses"],
                                  said["request-total"],
                                  said["response-total"]))
    line["request_bytes"] = said["outgoing-byte-total"]
    line["response_bytes"] = said["incoming-byte-total"]
    line["throttle_ms"] = said.get("produce-throttle-time-max", 0)
    # In whole ms, of two readings of a clock.
    for api, metric in (("Produce", "request"), ("Fetch", "fetch")):
        if metric + "-latency-max" in said:
            line["slowest_us"][api] = (said[metric + "-latency-max"] + 1) * 1e3
            line["mean_us"][api] = (said[metric + "-latency-avg"] + 1) * 1e3
    if name.startswith("tls"):
        line["listener"] = "tls"
    if name.startswith("sasl"):
        sasl(line, said["connection-creation-total"])


def sasl(line, connections):
    """What comes before the first request, and is in neither count."""
    more = {"ApiVersions": 1, "SaslHandshake": 1,
            "SaslAuthenticate": 1 if "plain" in line["client"] else 2}
    line["listener"] = "sasl"
    line["request_bytes"] = line["response_bytes"] = None
    for api, each in more.items():
        row = line["apis"].setdefault(api, {"requests": 0, "responses": 0})
        for which in ("requests", "responses"):
            row[which] += each * connections
            line[which] += each * connections
    if line["client"].endswith("-wrong"):
        line["errors"] = {"SASL_AUTHENTICATION_FAILED": 1}


def kcat(folder):
    """What it is told when it ends, it does not read."""
    clients = {}
    with open(folder + "/kcat.requests") as file:
        for line in file:
            match = KCAT.search(line)
            if not match:
                continue
            name, which, api, size = match.groups()
            client = clients.setdefault(name, Client(name))
            api = OTHER_NAMES.get(api, api)
            if which == "Sent":
                client.count(api, "request", int(size))
                if api == "Produce":
                    client.kind(-1)
            else:
                # Without the frame's size and the correlation id.
                client.count(api, "response", int(size) + 8)
    for client in clients.values():
        client.line["whole"] = (client.line["requests"] ==
                                client.line["responses"])
    return clients.values()


def js(folder):
    """It tells of answers, with their sizes; 0: there is none."""
    clients = {}
    for said in lines(folder + "/js.json"):
        if "client" not in said:
            continue
        client = clients.setdefault(said["client"], Client(said["client"]))
        # Its names are not always Kafka's.
        api = names.api(said["key"])
        client.count(api, "request", 0)
        if api == "Produce":
            acks = re.match(r"js-p-(-?\d)", said["client"])
            client.kind(int(acks[1]) if acks else -1)
        if said["size"] > 0:
            client.count(api, "response", said["size"] + 4)
    for client in clients.values():
        client.line["request_bytes"] = None
    return clients.values()


def raw(folder):
    clients = {}
    for said in lines(folder + "/raw.json"):
        name, api = said["client"], names.api(said["key"])
        client = clients.setdefault(name, Client(name))
        client.count(api, "request", said["request_bytes"])
        if api == "Produce":
            client.kind(said["acks"])
        client.error(0)
        if said["response_bytes"] == 0:
            continue
        client.count(api, "response", said["response_bytes"])
        client.slow(api, said["us"])
        for code in said["errors"]:
            client.error(code)
    return clients.values()


def main():
    folder, topics = sys.argv[1], {}
    clients = [*java(folder, topics), *kcat(folder), *js(folder),
               *raw(folder)]
    json.dump({"clients": [client.line for client in clients],
               "topics": topics}, sys.stdout, indent=1)


main()
