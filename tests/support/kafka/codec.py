# SPDX-License-Identifier: Apache-2.0
"""Any message of any version, by the definitions that Kafka ships: written
from a dict and read into one, both with the place of every field.

A place is found by its path, such as ("Topics", 0, "Partitions", 1,
"PartitionIndex"), and is an offset in the body.  Fields that a version lacks
are left out of what is written; those that nobody gave get their default.
Tagged fields are neither written nor told.

Source: https://kafka.apache.org/protocol
"""
import struct

NUMBERS = {"bool": "b", "int8": "b", "int16": "h", "uint16": "H",
           "int32": "i", "uint32": "I", "int64": "q", "float64": "d"}
TEXTS = ("string", "bytes", "records")


def varint(number):
    """Unsigned."""
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def default(field):
    if field.default == "null":
        return None
    if field.array:
        return []
    if field.fields:
        return {}
    if field.element in TEXTS:
        return (field.default or "").encode()
    if field.element == "uuid":
        return bytes(16)
    if field.element == "bool":
        return field.default in (True, "true")
    return int(str(field.default or 0), 0)


class Writer:
    def __init__(self, message, version):
        self.version = version
        self.is_flexible = version in message.flexible
        self.data, self.places = bytearray(), {}

    def size(self, size, form):
        """Of a text or an array; None is null."""
        if self.is_flexible:
            self.data += varint(0 if size is None else size + 1)
        else:
            self.data += struct.pack(">" + form, -1 if size is None else size)

    def fields(self, fields, values, path):
        for field in fields:
            if (self.version in field.versions and
                    self.version not in field.tagged):
                value = values.get(field.name, default(field))
                self.field(field, value, path + (field.name,))
        if self.is_flexible:
            self.data += b"\0"

    def field(self, field, value, path):
        if not field.array:
            self.one(field, value, path)
            return
        self.places[path] = len(self.data)
        self.size(None if value is None else len(value), "i")
        for number, element in enumerate(value or []):
            self.one(field, element, path + (number,))

    def one(self, field, value, path):
        if field.fields:
            if self.version in field.nullable and not field.array:
                self.data += b"\xff" if value is None else b"\x01"
                if value is None:
                    return
            self.fields(field.fields, value, path)
            return
        kind = field.element
        if kind in TEXTS:
            if isinstance(value, str):
                value = value.encode()
            self.size(None if value is None else len(value),
                      "h" if kind == "string" else "i")
        self.places[path] = len(self.data)
        if kind in NUMBERS:
            value = struct.pack(">" + NUMBERS[kind], value)
        self.data += value or b""


class Reader:
    def __init__(self, message, version, data):
        self.version, self.data, self.at = version, data, 0
        self.is_flexible = version in message.flexible
        self.places = {}

    def take(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def varint(self):
        number = shift = 0
        while True:
            byte = self.take("B")
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def size(self, form):
        return self.varint() - 1 if self.is_flexible else self.take(form)

    def tags(self):
        if self.is_flexible:
            for _ in range(self.varint()):
                self.varint()
                size = self.varint()
                self.at += size

    def fields(self, fields, path):
        values = {}
        for field in fields:
            if (self.version in field.versions and
                    self.version not in field.tagged):
                values[field.name] = self.field(field, path + (field.name,))
        self.tags()
        return values

    def field(self, field, path):
        if not field.array:
            return self.one(field, path)
        size = self.size("i")
        return None if size < 0 else [
            self.one(field, path + (number,)) for number in range(size)]

    def one(self, field, path):
        if field.fields:
            if self.version in field.nullable and not field.array:
                if self.take("b") < 0:
                    return None
            return self.fields(field.fields, path)
        kind = field.element
        size = 16
        if kind in TEXTS:
            size = self.size("h" if kind == "string" else "i")
        self.places[path] = self.at
        if kind in NUMBERS:
            return self.take(NUMBERS[kind])
        if size < 0:
            return None
        value = self.data[self.at:self.at + size]
        if len(value) < size:
            raise ValueError("%s ends outside" % (path,))
        self.at += size
        return value.decode("latin-1") if kind == "string" else value


def write(message, version, values):
    """(body, {path: offset in it})"""
    writer = Writer(message, version)
    writer.fields(message.fields, values, ())
    return writer.data, writer.places


def read(message, version, data):
    """(dict, {path: offset}); all of the bytes must belong to it."""
    reader = Reader(message, version, data)
    values = reader.fields(message.fields, ())
    if reader.at != len(data):
        raise ValueError("%s v%d: %d of %d bytes" % (
            message.name, version, reader.at, len(data)))
    return values, reader.places
