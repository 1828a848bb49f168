# SPDX-License-Identifier: Apache-2.0
"""Compiles a version of a message to the bytecode of walk.c.

A body is a byte string: the fields of a message, or of the element of an
array, one after another, up to OP_END.  Bodies that are the same are kept
once, whatever message and version they come from.  tables.h describes each
operation.
"""
import definitions
import facts

OPS = ["END", "SKIP", "NUMBER1", "NUMBER2", "NUMBER2U", "NUMBER4", "NUMBER8",
       "UUID", "STRING", "COMPACT", "BYTES", "RECORDS", "COMPACT_RECORDS",
       "ARRAY", "COMPACT_ARRAY", "NULLABLE", "FIXED_ARRAY",
       "COMPACT_FIXED_ARRAY", "TAGS", "TAGS_END", "MARK", "ERROR_OR_OLD",
       "STRING_LENGTH", "PEEK"]
OP = {name: code for code, name in enumerate(OPS)}

NUMBERS = {"bool": "NUMBER1", "int8": "NUMBER1", "int16": "NUMBER2",
           "uint16": "NUMBER2U", "int32": "NUMBER4", "int64": "NUMBER8"}
SKIP_MAX = 255
TOPICS = ("TOPIC_NAME", "TOPIC_ID")
# Texts of which only the length is told.
LENGTHS = ("CONFIG_VALUE", "ERROR_MESSAGE")
API_VERSIONS = 18


class Code:
    """All bodies; where one begins is its number.  0 is no body."""

    def __init__(self, kinds):
        self.kinds = kinds  # numbers of enum lp_fact_kind, by name
        self.bytes = bytearray([OP["END"]])
        self.bodies = {}
        self.depths = {}  # levels of the walker's stack that a body needs

    def add(self, body):
        """The number of a Body."""
        if body.untagged and body.code[-2:] == bytes([OP["TAGS"], 0]):
            del body.code[-2:]
            body.op("TAGS_END")
        else:
            body.op("END")
        code = bytes(body.code)
        if code not in self.bodies:
            self.bodies[code] = len(self.bytes)
            self.depths[len(self.bytes)] = body.depth
            self.bytes += code
            if len(self.bytes) > 0xffff:
                raise ValueError("bodies are numbered by two bytes")
        return self.bodies[code]


class Body:
    """One body as it grows."""

    def __init__(self, code, in_topic=False):
        self.all = code
        self.in_topic = in_topic
        self.code = bytearray()
        # Where the count of bytes to skip is, if nothing followed it.
        self.skipped = None
        self.untagged = False  # the last operation is TAGS 0
        self.depth = 0
        self.least = 0  # bytes of the shortest message

    def op(self, name, *operands):
        self.skipped = None
        self.untagged = name == "TAGS" and operands == (0,)
        self.code += bytes([OP[name], *operands])

    def skip(self, count):
        """Fixed fields that nobody asks for, in one go."""
        self.least += count
        if self.skipped is not None:
            room = SKIP_MAX - self.code[self.skipped]
            part = min(room, count)
            self.code[self.skipped] += part
            count -= part
        while count > 0:
            part = min(count, SKIP_MAX)
            self.op("SKIP", part)
            self.skipped = len(self.code) - 1
            count -= part

    def kind(self, name):
        return self.all.kinds[name] if name else 0

    def call(self, name, told, body):
        """An operation on elements that are a body of their own."""
        number = self.all.add(body)
        self.depth = max(self.depth, 1 + body.depth)
        self.op(name, self.kind(told), number & 255, number >> 8)
        self.least += 1

    def plain(self, type_, kind, flexible):
        """A value that is neither array nor struct."""
        if type_ in definitions.FIXED:
            size = definitions.FIXED[type_]
            if not kind:
                self.skip(size)
                return
            self.least += size
            if type_ == "uuid":
                self.op("UUID", self.kind(kind))
                return
            self.op(NUMBERS[type_], self.kind(kind), 0)
            self.skipped = len(self.code) - 1
            return
        if type_ == "string" and kind in LENGTHS:
            self.op("COMPACT_RECORDS" if flexible else "STRING_LENGTH",
                    self.kind(kind))
        elif type_ == "records":
            self.op("COMPACT_RECORDS" if flexible else "RECORDS",
                    self.kind(kind))
        elif type_ in ("string", "bytes"):
            self.op("COMPACT" if flexible else
                    "STRING" if type_ == "string" else "BYTES",
                    self.kind(kind))
        else:
            raise ValueError(f"type {type_}")
        self.least += 1

    def field(self, field, version, flexible):
        kind = None if field.fields else facts.classify(field)
        told = ("TOPICS_NULL" if is_topics(field, version) else
                facts.classify_array(field))
        if field.array and not field.fields and not kind and \
                field.element in definitions.FIXED:
            self.op("COMPACT_FIXED_ARRAY" if flexible else "FIXED_ARRAY",
                    definitions.FIXED[field.element])
            self.least += 1
        elif field.array:
            element = Body(self.all, self.in_topic)
            if field.fields:
                element.struct(field.fields, version, flexible)
            elif kind in TOPICS:
                element.topic(lambda: element.plain(
                    field.element, kind, flexible))
            else:
                element.plain(field.element, kind, flexible)
            if element.least == 0:
                raise ValueError(f"{field.path}: elements without a byte")
            if element.is_fixed():
                self.op("COMPACT_FIXED_ARRAY" if flexible else "FIXED_ARRAY",
                        element.code[1])
                self.least += 1
            else:
                if facts.is_hidden(field) and version not in field.tagged:
                    self.op("PEEK", self.kind("HIDDEN_ARRAY"))
                self.call("COMPACT_ARRAY" if flexible else "ARRAY", told,
                          element)
        elif field.fields and version in field.nullable:
            element = Body(self.all, self.in_topic)
            element.struct(field.fields, version, flexible)
            self.call("NULLABLE", None, element)
        elif field.fields:
            self.struct(field.fields, version, flexible)
        else:
            self.plain(field.type, kind, flexible)

    def is_fixed(self):
        """A single SKIP: an array of it is skipped by arithmetic."""
        return len(self.code) == 2 and self.code[0] == OP["SKIP"]

    def topic(self, inside):
        """What speaks of one topic, in brackets."""
        if self.in_topic:
            raise ValueError("a topic inside a topic")
        self.in_topic = True
        self.op("MARK", self.kind("TOPIC_BEGIN"))
        inside()
        self.op("MARK", self.kind("TOPIC_END"))
        self.in_topic = False

    def struct(self, fields, version, flexible):
        fields = [f for f in fields if version in f.versions or
                  version in f.tagged]
        if any(not f.array and not f.fields and facts.classify(f) in TOPICS
               for f in fields):
            self.topic(lambda: self.members(fields, version, flexible))
        else:
            self.members(fields, version, flexible)

    def members(self, fields, version, flexible):
        tagged = sorted((f for f in fields if version in f.tagged),
                        key=lambda f: f.tag)
        for field in fields:
            if version not in field.tagged:
                self.field(field, version, flexible)
        if flexible:
            self.tags(tagged, version)
        elif tagged:
            raise ValueError(f"{tagged[0].path}: a tag without a buffer")

    def tags(self, tagged, version):
        """Of the known ones those that have facts; the others are skipped."""
        known = []
        for field in tagged:
            if not has_facts(field, version):
                continue
            value = Body(self.all, self.in_topic)
            value.field(field, version, True)
            self.depth = max(self.depth, 1 + value.depth)
            number = self.all.add(value)
            known += [field.tag, number & 255, number >> 8]
        self.depth = max(self.depth, 1)
        self.op("TAGS", len(known) // 3, *known)
        self.least += 1


def is_topics(field, version):
    """An array whose elements speak of one topic each."""
    if not field.array:
        return False
    if not field.fields:
        return facts.classify(field) in TOPICS
    return any(not f.array and not f.fields and facts.classify(f) in TOPICS
               for f in field.fields
               if version in f.versions or version in f.tagged)


def has_facts(field, version):
    if version not in field.versions and version not in field.tagged:
        return False
    if not field.fields:
        return facts.classify(field) is not None
    return any(has_facts(f, version) for f in field.fields)


def addresses(message, version):
    """Of each host in it: its path, and the array of endpoints around it."""
    def walk(fields, around):
        for f in fields:
            if version not in f.versions and version not in f.tagged:
                continue
            if f.fields:
                told = facts.classify_array(f) == "ENDPOINTS"
                yield from walk(f.fields, f if told else around)
            elif facts.classify(f) == "HOST":
                yield f.path, around
    return list(walk(message.fields, None))


def compile_message(code, message, version):
    """The number of its body, what follows the correlation id included."""
    body = Body(code)
    flexible = version in message.flexible
    if message.type == "request":
        # Header v0, without a client id: ControlledShutdown v0 only.
        if message.key != 7 or version > 0:
            body.plain("string", "CLIENT_ID", False)
        if flexible:
            body.tags([], version)
    elif flexible and message.key != API_VERSIONS:
        # Whoever asks for versions need not understand the newer header.
        body.tags([], version)
    fields = [f for f in message.fields if version in f.versions or
              version in f.tagged]
    if message.key == API_VERSIONS and message.type == "response" and version:
        error_or_old(body, message, fields.pop(0))
    body.members(fields, version, flexible)
    return code.add(body)


def error_or_old(body, message, error):
    """KIP-511: whoever asks for versions in a version that the broker does
    not know is answered UNSUPPORTED_VERSION in version 0."""
    if error.path != "ApiVersionsResponse.ErrorCode":
        raise ValueError(f"{error.path} is not the error code")
    old = Body(body.all)
    old.members([f for f in message.fields if 0 in f.versions and
                 f.name != error.name], 0, False)
    number = body.all.add(old)
    body.depth = max(body.depth, old.depth)
    body.op("ERROR_OR_OLD", body.kind("ERROR_CODE"), 0, number & 255,
            number >> 8)
    body.least += 2


def layout(message, version):
    """What two releases have to agree on: every field, and what we make of it."""
    def walk(fields):
        for f in fields:
            if version not in f.versions and version not in f.tagged:
                continue
            tag = f.tag if version in f.tagged else None
            kind = (facts.classify_array(f) if f.fields else
                    facts.classify(f))
            yield (f.element if not f.fields else "struct", f.array, tag,
                   version in f.nullable, kind, tuple(walk(f.fields)))
    return (version in message.flexible, tuple(walk(message.fields)))
