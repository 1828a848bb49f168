#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""agree.py WHAT STATS TRUTH [rewritten]: does what Lightpath counted (the
answers of `lpctl -o json stats kafka`, `clients` and `topics`, made one) agree
with what the clients say (truth.py)?  Says where not, and ends with 1.

  clients   requests, answers and bytes of each client id: exactly, where the
            client knows exactly; what it did not read may be more; where
            addresses were rewritten, answers have other sizes for clients
            than brokers gave them, which is what Lightpath counts
  apis      requests and answers of each API of each listener: likewise
  kinds     requests of Produce by their acks: exactly
  topics    bytes of records that were produced and fetched: exactly
  errors    by their names, in the APIs and the clients where they came
  latency   as many were measured as there were answers, of Fetch those that
            came at once; neither the slowest nor the mean is slower on the
            wire than for the client that waits at its end, for that time
            contains the wire's; a fetch without data takes its max_wait
  throttle  whose quota was used up, and for how long, at least
"""
import json
import sys

wrong = 0
ANSWERS = ("responses",) if sys.argv[4:] == ["rewritten"] else (
    "responses", "response_bytes")


def complain(text):
    global wrong
    wrong += 1
    print(text)


def some(row):
    """Whether anything was counted in it."""
    return any(isinstance(value, int) and value for name, value in row.items()
               if name != "other")


def expect(what, want, got, exact=True):
    if want is None:
        return
    if got is None or got < want or (exact and got != want):
        complain("%s: Lightpath has %s, the clients %s%s" %
                 (what, got, "" if exact else "at least ", want))


class Stats:
    def __init__(self, path):
        with open(path) as file:
            whole = json.load(file)
        plane = whole.get("dataplanes", [whole])[0]
        self.apis = [row for row in plane.get("apis", [])
                     if not row["other"]]
        self.topics = {}
        for row in plane.get("topics", []):
            if not row.get("other"):
                self.topics.setdefault(row["topic"], []).append(row)
        self.clients = {row.get("client_id"): row for row in plane.get(
            "clients", []) if not row.get("other")}
        self.others = [row for name in ("topics", "apis", "clients")
                       for row in plane.get(name, []) if row["other"]]

    def client(self, client):
        """The row of a client that the truth tells of; {}: none."""
        return self.clients.get(client["client"], {})

    def rows(self, listener, api):
        """The lab names its listener in clear "public"."""
        name = {"lab": "public"}.get(listener, listener)
        return [row for row in self.apis if row["listener"] == name and
                row["api"] == api]

    def total(self, listener, api, field):
        return sum(row.get(field, 0) for row in self.rows(listener, api))


class Truth:
    def __init__(self, path):
        with open(path) as file:
            whole = json.load(file)
        self.hidden = [client for client in whole["clients"]
                       if client["listener"] == "tls"]
        self.clients = [client for client in whole["clients"]
                        if client["listener"] != "tls"]
        self.topics = whole["topics"]

    def kinds(self):
        sums = {}
        for client in self.clients:
            if client["listener"] == "lab":
                for kind, count in client["kinds"].items():
                    sums[kind] = sums.get(kind, 0) + count
        return sums

    def apis(self):
        """(listener, api): requests, responses, all of them known."""
        sums = {}
        for client in self.clients:
            for api, row in client["apis"].items():
                old = sums.get((client["listener"], api), (0, 0, True))
                sums[client["listener"], api] = (
                    old[0] + row["requests"], old[1] + row["responses"],
                    old[2] and client["whole"])
        return sums


def clients(stats, truth):
    for client in truth.clients:
        name, row = client["client"], stats.client(client)
        if not row:
            complain("client %s: Lightpath does not know it" % name)
            continue
        for field in ("requests", "request_bytes"):
            expect("client %s, %s" % (name, field), client[field],
                   row.get(field, 0))
        for field in ANSWERS:
            expect("client %s, %s" % (name, field), client[field],
                   row.get(field, 0), client["whole"])
        if client["whole"] and row.get("in_flight", 0) != 0:
            complain("client %s: %d in flight" % (name, row["in_flight"]))
    known = {client["client"] for client in truth.clients}
    for name in stats.clients:
        if name not in known:
            complain("client %s: none of the clients is called so" % name)


def apis(stats, truth):
    known = truth.apis()
    for (listener, api), (asked, answered, whole) in known.items():
        expect("%s %s, requests" % (listener, api), asked,
               stats.total(listener, api, "requests"))
        expect("%s %s, responses" % (listener, api), answered,
               stats.total(listener, api, "responses"), whole)
    names = {({"lab": "public"}.get(listener, listener), api)
             for listener, api in known}
    for row in stats.apis:
        if (row["listener"], row["api"]) not in names:
            complain("%s %s: no client asked that" % (row["listener"],
                                                      row["api"]))
        if row.get("origin", "client") != "client":
            complain("%s %s: from a broker?" % (row["listener"], row["api"]))
    for row in filter(some, stats.others):
        complain("summed as others: %s" % row)


def kinds(stats, truth):
    for kind, count in truth.kinds().items():
        expect("lab Produce, " + kind, count, sum(
            row["requests"] for row in stats.rows("lab", "Produce")
            if row["kind"] == kind))


def topics(stats, truth):
    if not truth.topics:
        complain("the clients tell of no topic")
    for topic, row in truth.topics.items():
        # In all clusters.
        for field, size in row.items():
            expect("topic %s, %s" % (topic, field), size,
                   sum(got[field] for got in stats.topics.get(topic, [])))


def errors(stats, truth):
    sums = {}
    for client in truth.clients:
        if client["errors"] is None:
            continue
        for name, count in client["errors"].items():
            sums[client["listener"], name] = count + sums.get(
                (client["listener"], name), 0)
        row = stats.client(client)
        expect("client %s, errors" % client["client"],
               sum(client["errors"].values()), row.get("errors", 0))
    for (listener, name), count in sums.items():
        wanted = {"lab": "public"}.get(listener, listener)
        got = sum(row["errors"].get(name, 0) for row in stats.apis
                  if row["listener"] == wanted)
        # Some clients do not say which errors they were told.
        expect("%s, error %s" % (listener, name), count, got, False)


def slowest(row, name):
    return (row.get(name) or {}).get("max_ns", 0)


def measured(row, name):
    return (row.get(name) or {}).get("count", 0)


def latency(stats, truth):
    compared = 0
    for client in truth.clients:
        name, row = client["client"], stats.client(client)
        limits = dict(client["slowest_us"])
        fields = {"produce": limits.pop("Produce", None),
                  "fetch": limits.pop("Fetch", None)}
        if limits and not client["apis"].keys() - client["slowest_us"].keys():
            fields["rest"] = max(limits.values())
        for field, us in fields.items():
            wire = slowest(row, field)
            compared += us is not None and wire > 0
            if us is not None and wire > us * 1000:
                complain("client %s, %s: %d us on the wire, %d for it" % (
                    name, field, wire / 1000, us))
        # Answers with a throttle time are measured elsewhere.
        if client["whole"] and not row.get("throttled", 0):
            answered(client, row)
    if compared < 20:
        complain("only %d latencies could be compared" % compared)
    waited = [slowest(row, "latency") for row in stats.rows("lab", "Fetch")
              if row["kind"] == "max_wait"]
    # Readers wait 500 ms, some 100; the broker's timer ticks once a ms.
    if not waited or max(waited) < 490e6:
        complain("fetches without data waited at most %s ns" % waited)


def answered(client, row):
    produced = client["apis"].get("Produce", {"responses": 0})["responses"]
    expect("client %s, latencies of Produce" % client["client"], produced,
           measured(row, "produce"))
    expect("client %s, latencies of Fetch" % client["client"],
           client["fetched"], measured(row, "fetch"))
    mean = client["mean_us"].get("Produce")
    if mean and measured(row, "produce") and (row["produce"]["mean_ns"] >
                                              mean * 1000):
        complain("client %s, mean of Produce: %d us on the wire, %d for it" %
                 (client["client"], row["produce"]["mean_ns"] / 1000, mean))


def throttle(stats, truth):
    for client in truth.clients:
        if client.get("throttle_ms", 0) == 0:
            continue
        row = stats.client(client)
        expect("client %s, throttled" % client["client"], 1,
               row.get("throttled", 0), False)
        expect("Produce, throttle_ms", client["throttle_ms"],
               stats.total("lab", "Produce", "throttle_ms"), False)
        return
    complain("no client was throttled")


def main():
    checks = {"clients": clients, "apis": apis, "kinds": kinds,
              "topics": topics, "errors": errors, "latency": latency,
              "throttle": throttle}
    checks[sys.argv[1]](Stats(sys.argv[2]), Truth(sys.argv[3]))
    sys.exit(wrong > 0)


main()
