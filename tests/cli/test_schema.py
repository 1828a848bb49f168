# SPDX-License-Identifier: Apache-2.0
"""test_schema.py SOURCE LPCTL WORDS

schema/lightpath.schema.json against what lpctl says: its lists are those of
our tables, every example and every export is valid, and files that lpctl check
refuses for their shape are refused by the schema, where it can know.
"""
import copy
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

try:
    import jsonschema
    import yaml
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(77)

source, lpctl, words_program = sys.argv[1:4]
failed = []


def fail(text):
    failed.append(text)
    print(text, file=sys.stderr)


class Loader(yaml.SafeLoader):
    """YAML 1.2, as editors read it: "off" is a text, and 1:30 no number."""


Loader.yaml_implicit_resolvers = {}
for tag, regexp, first in [
        ("bool", r"^(true|false)$", "tf"),
        ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
        ("float", r"^[-+]?[0-9]+\.[0-9]+$", "-+0123456789"),
        ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""])]:
    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:" + tag, re.compile(regexp), list(first))

with open(os.path.join(source, "schema/lightpath.schema.json")) as stream:
    schema = json.load(stream)
validator = jsonschema.Draft7Validator(schema)
validator.check_schema(schema)
parts = schema["definitions"]
tables = json.loads(subprocess.run(
    [words_program], check=True, capture_output=True, text=True).stdout)


def part(path):
    """The schema of a field: "port.mtu"."""
    first, *others = path.split(".")
    found = parts[first]
    for key in others:
        found = found["properties"][key]
    return found


# What our tables know, and in the same order.
def check_lists():
    for path, key in [
            ("port.backend", "backend"), ("port.side", "side"),
            ("port.on_loss", "on_loss"), ("listener.mode", "mode"),
            ("listener.source_address", "source_address"),
            ("listener.kafka", "kafka"), ("listener.rewrite", "rewrite"),
            ("listener.unjudged", "unjudged"), ("limit.per", "per")]:
        if sorted(part(path)["enum"]) != sorted(tables[key]):
            fail("%s: %s in the schema, %s in our tables"
                 % (path, part(path)["enum"], tables[key]))
    for path, key in [("api", "apis"), ("match.from", "from"),
                      ("match.acks", "acks")]:
        known = {str(v) for v in part(path)["anyOf"][0]["enum"]}
        if known != set(tables[key]):
            fail("%s: only in one of the schema and our tables: %s"
                 % (path, sorted(known ^ set(tables[key]))))
    if set(parts["match"]["properties"]) != set(tables["fields"]):
        fail("match: other fields than rules have")
    beside = {"priority", "dscp", "mirror"}
    if set(parts["action"]["properties"]) != set(tables["verdicts"]) | beside:
        fail("action: other verdicts than rules have")
    arguments = {re.sub("_per_second$", "", key)
                 for key in parts["limit"]["properties"]}
    if arguments | beside | {"broker"} != set(tables["arguments"]):
        fail("limit: other arguments than rules have")
    units = "|".join(unit for unit in tables["sizes"] if unit)
    for path in ["limit.burst", "limit.bytes_per_second", "match.frame_size"]:
        if "(%s)?" % units not in part(path)["pattern"]:
            fail("%s: other units than %s" % (path, units))
    if ("(%s)" % "|".join(tables["durations"])
            not in part("limit.max_throttle")["pattern"]):
        fail("limit.max_throttle: other units")


def check_limits():
    for path, key, value in [
            ("rule.priority", "maximum", tables["priority_max"]),
            ("port.mtu", "minimum", tables["mtu_min"]),
            ("port.mtu", "maximum", tables["mtu_max"]),
            ("port.addresses", "maxItems", tables["addresses_max"]),
            ("match.topic", "maxItems", tables["values_max"])]:
        if part(path)[key] != value:
            fail("%s: %s is %s, and should be %s"
                 % (path, key, part(path)[key], value))
    for name, most in [("name", tables["name_max"]),
                       ("owner", tables["owner_max"])]:
        for text, right in [("x" * most, True), ("x" * (most + 1), False)]:
            if bool(re.search(parts[name]["pattern"], text)) != right:
                fail("%s: %d characters" % (name, len(text)))
    for key in [one for one in part("api")["anyOf"]
                if one.get("type") == "integer"]:
        if key["maximum"] != tables["api_last"]:
            fail("api: the last is %d" % tables["api_last"])


# The keys that lpctl reads, from where it reads them.
def check_keys():
    for name in ["port", "cluster", "broker", "listener", "rule"]:
        path = os.path.join(source, "cli/declaration_load_%s.c" % name)
        with open(path) as stream:
            text = stream.read()
        keys = set(re.findall(r'\.key = "(\w+)"', text))
        if "LP_DECLARATION_OWNER" in text:
            keys.add("owner")
        if keys != set(parts[name]["properties"]):
            fail("%s: only in one of the schema and %s: %s" % (
                name, path, sorted(keys ^ set(parts[name]["properties"]))))
    path = os.path.join(source, "cli/declaration_rule_action.c")
    with open(path) as stream:
        keys = set(re.findall(r'\{"(\w+)", (?:LP_RULE_LIMIT),', stream.read()))
    if keys != set(parts["limit"]["properties"]):
        fail("limit: other keys than in " + path)


# Each key has its entry in the manual page.
def check_manual():
    path = os.path.join(source, "cli/lightpath.yaml.5")
    with open(path) as stream:
        entries = [line for line in stream if line.startswith(".It Cm ")]
    known = set()
    for line in entries:
        known |= set(re.findall(r"[a-z_]+", line.split(":")[0][7:]))
    wanted = set(schema["properties"])
    for name in ["port", "cluster", "broker", "listener", "rule"]:
        wanted |= set(parts[name]["properties"])
    if known != wanted:
        fail("only in one of the schema and %s: %s" % (
            path, sorted(known ^ wanted)))


# What a person reads in the editor, and what he is offered, is right.
def check_words(where, node):
    if isinstance(node, list):
        for index, item in enumerate(node):
            check_words("%s[%d]" % (where, index), item)
    if not isinstance(node, dict):
        return
    for key, value in node.get("properties", {}).items():
        if (node.get("additionalProperties") is False and
                "$ref" not in value and not value.get("description")):
            fail("%s.%s: has no description" % (where, key))
    for example in node.get("examples", []):
        one = jsonschema.Draft7Validator(
            dict(node, definitions=schema["definitions"]))
        for error in one.iter_errors(example):
            fail("%s: the example %s: %s" % (where, example, error.message))
    for key, value in node.items():
        if key != "examples":
            check_words("%s.%s" % (where, key), value)


def check_files():
    paths = glob.glob(
        os.path.join(source, "schema/examples/**/*.yaml"), recursive=True)
    paths += glob.glob(os.path.join(source, "tests/cli/golden/export*.yaml"))
    if len(paths) < 4:
        fail("no examples")
    for path in paths:
        with open(path) as stream:
            document = yaml.load(stream, Loader)
        for error in validator.iter_errors(document):
            fail("%s: %s: %s" % (path, error.json_path, error.message))


BASE = {
    "lightpath": 1,
    "owner": "team-a",
    "cluster": "payments",
    "ports": [{"name": "front", "device": "eth1",
               "addresses": ["10.9.0.10/24"], "gateway": "10.9.0.1",
               "side": "client"},
              {"name": "left", "device": "eth2", "peer": "right"},
              {"name": "right", "device": "eth3", "peer": "left"}],
    "clusters": [{"name": "payments", "discover": True},
                 {"name": "other", "same_as": "payments"}],
    "brokers": [{"id": 1, "endpoint": "10.9.0.11:9092",
                 "endpoints": {"public": "10.9.0.101:9092"}}],
    "listeners": [{"name": "public", "vip": "10.9.0.100", "port": 9092,
                   "unjudged": "reset"}],
    "rules": [{"name": "batch", "priority": 100,
               "match": {"client_id": "batch-*", "api": "Produce"},
               "action": {"limit": {"bytes_per_second": "50MB",
                                    "burst": "5MB", "per": "client_id"}}},
              {"name": "none", "priority": 200,
               "match": "api=DeleteTopics", "action": "deny"}],
}
GONE = object()


# Words and numbers without quotes, as people write them.
PLAIN = """
lightpath: 1
cluster: payments
ports:   # none yet
brokers:
  - id: 1
    endpoint: kafka-1.internal:9092
listeners:
  - {name: tls, vip: 10.9.0.100, port: 9093, kafka: off, rewrite: off}
  - name: six
    vip: 2001:db8::100
    port: 9092
    advertise: "*.k.example.com"
rules:
  - name: old-clients
    priority: 10
    shadow: true
    match:
      api: [Produce, 1]
      version: -7
      src: [10.0.0.0/8, 2001:db8::/32]
      topic: "*"
    action: observe
"""


def fast(**changes):
    return [dict({"name": "fast", "device": "0000:03:00.0", "backend": "dpdk",
                  "addresses": ["10.9.0.10/24"], "mtu": 9000}, **changes)]


# What is changed in the file above: fields and their values.
REFUSED = [
    ("lightpath", GONE), ("lightpath", 2), ("lightpath", "1"),
    ("owner", "none"), ("owner", "a b"), ("owner", "x" * 32), ("owner", None),
    ("cluster", GONE), ("cluster", []), ("cluster", "-x"),
    ("port", []), ("ports", {}), ("ports", "front"), ("ports.0", "front"),
    ("ports.0.name", GONE), ("ports.0.name", ""), ("ports.0.name", "x" * 64),
    ("ports.0.nmae", "x"), ("ports.0.device", GONE), ("ports.0.device", None),
    ("ports.0.device", "a-name-too-long-"), ("ports.0.device", "a/b"),
    ("ports.0.addresses", GONE), ("ports.0.addresses", []),
    ("ports.0.addresses", "10.9.0.10/24"), ("ports.0.addresses.0", "10.9.0.1"),
    ("ports.0.addresses.0", None), ("ports.0.gateway", "10.9.0.1/24"),
    ("ports.0.gateway", ["10.9.0.1", "10.9.0.2", "10.9.0.3"]),
    ("ports.0.side", "both ways"), ("ports.0.side", True),
    ("ports.0.backend", "xdp"), ("ports.0.mtu", 9000), ("ports", fast(mtu=1000)),
    ("ports", fast(mtu="9000")), ("ports", fast(on_loss="wire")), ("ports.0.on_loss", "wire"),
    ("ports.1.addresses", ["10.9.0.10/24"]), ("ports.1.gateway", "10.9.0.1"),
    ("ports.1.side", "client"), ("ports.1.on_loss", "pass"),
    ("ports.0.allow_default_route", "yes"),
    ("ports.0.allow_default_route", "true"),
    ("clusters.0.name", GONE), ("clusters.0.discover", "on"),
    ("clusters.0.discover", 1), ("clusters.1.same_as", ""),
    ("brokers.0.id", GONE), ("brokers.0.id", -1), ("brokers.0.id", "1"),
    ("brokers.0.id", 2147483648), ("brokers.0.endpoint", GONE),
    ("brokers.0.endpoint", "10.9.0.11"), ("brokers.0.endpoint", "a b:9092"),
    ("brokers.0.endpoint", "::1:9092"), ("brokers.0.endpoints", []),
    ("brokers.0.endpoints.public", "kafka:9092"),
    ("brokers.0.endpoints.public", 9092), ("brokers.0.host", "x"),
    ("listeners.0.name", GONE), ("listeners.0.vip", GONE),
    ("listeners.0.vip", "kafka"), ("listeners.0.vip", "10.9.0.100:9092"),
    ("listeners.0.port", GONE), ("listeners.0.port", 0),
    ("listeners.0.port", 65536), ("listeners.0.port", "9092"),
    ("listeners.0.mode", "inline"), ("listeners.0.mode", "tap"),
    ("listeners.0.broker_base", 70000), ("listeners.0.kafka", True),
    ("listeners.0.rewrite", False), ("listeners.0.rewrite", "of"),
    ("listeners.0.source_address", "keep"), ("listeners.0.unjudged", "drop"),
    ("listeners.0.advertise", "*x.example.com"), ("listeners.0.advertise", ""),
    ("rules.0.name", GONE), ("rules.0.priority", GONE),
    ("rules.0.priority", 65536), ("rules.0.priority", 1.5),
    ("rules.0.shadow", "on"), ("rules.0.match", GONE), ("rules.0.match", None),
    ("rules.0.match", []), ("rules.0.match.topik", "a"),
    ("rules.0.match.client_id", []), ("rules.0.match.client_id", {}),
    ("rules.0.match.client_id", ["a", "a"]), ("rules.0.match.client_id", None),
    ("rules.0.match.client_id", [["a"]]), ("rules.0.match.topic", "a b"),
    ("rules.0.match.topic", "*a"), ("rules.0.match.api", "Prodcue"),
    ("rules.0.match.api", 1000), ("rules.0.match.api", "Produce,Fetch"),
    ("rules.0.match.version", "one"), ("rules.0.match.version", "3-2-1"),
    ("rules.0.match.version", 40000), ("rules.0.match.acks", "none"),
    ("rules.0.match.acks", 2), ("rules.0.match.from", "me"),
    ("rules.0.match.src", "kafka"), ("rules.0.match.src_port", 70000),
    ("rules.0.match.frame_size", "1MiB"), ("rules.0.match.frame_size", "-"),
    ("rules.0.match.listener", "public"), ("rules.0.match.cluster", "a/b"),
    ("rules.0.action", GONE), ("rules.0.action", None), ("rules.0.action", []),
    ("rules.0.action", {}), ("rules.0.action", "drop"),
    ("rules.0.action", "limit"), ("rules.0.action", "route"),
    ("rules.0.action", {"limit": {}}), ("rules.0.action", {"limit": "50MB"}),
    ("rules.0.action", {"deny": {"why": 1}}), ("rules.0.action", {"deny": 1}),
    ("rules.0.action", {"allow": {}, "deny": {}}),
    ("rules.0.action", {"deny": {}, "priority": 1}),
    ("rules.0.action", {"allow": {}, "priority": 8}),
    ("rules.0.action", {"dscp": 64}), ("rules.0.action", {"mirror": "-"}),
    ("rules.0.action", {"route": {}}), ("rules.0.action", {"route": 1}),
    ("rules.0.action", {"route": {"broker": "one"}}),
    ("rules.0.action.limit.per", "topic"),
    ("rules.0.action.limit.bytes_per_second", "50MiB"),
    ("rules.0.action.limit.bytes_per_second", "50MB/s"),
    ("rules.0.action.limit.bytes_per_second", GONE),
    ("rules.0.action.limit.bytes", "50MB/s"),
    ("rules.0.action.limit.requests", 5),
    ("rules.0.action.limit.requests_per_second", 0),
    ("rules.0.action.limit.max_throttle", 5),
    ("rules.0.action.limit.max_throttle", "5m"),
    ("rules.0.action.limit.priority", 5),
]

ACCEPTED = [
    ("owner", GONE), ("ports", GONE), ("clusters", None), ("rules", []),
    ("ports", fast()), ("ports", fast(device="net_af_packet0,iface=eth1")),
    ("ports.0.addresses", ["10.9.0.10/24", "2001:db8::10/64"],
     "ports.0.gateway", ["10.9.0.1", "2001:db8::1"]),
    ("ports.1.on_loss", "wire", "ports.2.on_loss", "wire"),
    ("ports.1.side", "both"),
    ("ports.0.name", 7), ("clusters.1.discover", False),
    ("brokers.0.endpoint", "kafka-1.internal:9092"),
    ("brokers.0.endpoint", "[2001:db8::1]:9092", "listeners", []),
    ("brokers.0.endpoints", {}),
    ("brokers.0.owner", "team-a"), ("listeners.0.rewrite", "shadow"),
    ("listeners.0.advertise", "*.k.example.com"),
    ("listeners.0", {"name": "wire", "mode": "inline", "unjudged": "pass"}),
    ("rules.0.shadow", True), ("rules.0.match.client_id", ["a b", "7", "*"]),
    ("rules.0.match.client_id", 7), ("rules.0.match.version", -7),
    ("rules.0.match.version", ["0-3", "12-"]), ("rules.0.match.api", [0, "1"]),
    ("rules.0.match.src", ["::/0", "10.0.0.0/8", "10.0.0.1"]),
    ("rules.0.match.acks", [0, -1]), ("rules.0.match.topic", "*"),
    ("rules.0.match.frame_size", ["1MB-2MB", "5MB-"]),
    ("rules.0.match.frame_size", 1000), ("rules.0.match", {}),
    ("rules.0.match.broker", "1-"), ("rules.0.match.src_port", "1024-"),
    ("rules.0.action", "limit bytes=5MB/s per=principal"),
    ("rules.0.action", " observe "), ("rules.0.action", {"observe": None}),
    ("rules.0.action", {"limit": {"requests": "5/s", "max_throttle": "2s"},
                        "dscp": 46}, "rules.0.match", {"src": "10.0.0.1"}),
    ("rules.0.action.limit.bytes_per_second", 5000000),
]


def changed(case):
    document = copy.deepcopy(BASE)
    for path, value in zip(case[::2], case[1::2]):
        *others, last = path.split(".")
        place = document
        for key in others:
            place = place[int(key) if isinstance(place, list) else key]
        if value is GONE:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = value
    return document


def shown(case):
    return " ".join(word if index % 2 == 0 else
                    "is gone" if word is GONE else json.dumps(word)
                    for index, word in enumerate(case))


def lpctl_says(directory, text):
    """The text of its refusal; "": it takes the file."""
    path = os.path.join(directory, "case.yaml")
    with open(path, "w") as stream:
        stream.write(text)
    done = subprocess.run([lpctl, "check", "-f", path], capture_output=True,
                          text=True)
    if done.returncode not in (0, 1):
        fail("lpctl check: status %d: %s" % (done.returncode, done.stderr))
    return done.stderr if done.returncode else ""


def check_cases():
    with tempfile.TemporaryDirectory() as directory:
        taken = [(shown(case), json.dumps(changed(case)))
                 for case in [("lightpath", 1)] + ACCEPTED]
        for what, text in taken + [("plain words", PLAIN)]:
            said = lpctl_says(directory, text)
            if said:
                fail("%s: lpctl refuses it: %s" % (what, said))
            for error in validator.iter_errors(yaml.load(text, Loader)):
                fail("%s: the schema refuses it: %s" % (what, error.message))
        for case in REFUSED:
            document = changed(case)
            if not lpctl_says(directory, json.dumps(document)):
                fail("%s: lpctl takes it" % shown(case))
            if validator.is_valid(document):
                fail("%s: the schema takes it" % shown(case))


check_lists()
check_limits()
check_keys()
check_manual()
check_words("schema", schema)
check_files()
check_cases()
sys.exit(1 if failed else 0)
