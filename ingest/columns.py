"""Columns of many messages, made by protobuf itself.

To protobuf, serialised messages that follow each other are one message, in which a repeated field has what
each of them says. So the bytes of 500 events, read as an event whose every field is repeated, are a list of
ids, one of texts, and so on: 0.3 µs an event, where to ask each message for its fields takes 2.

Of bytes that protobuf has written each field is there at most once a message. So a column with as many values
as there are messages has one of each, in their order; of any other only its values are known. What is zero or
empty is not written, unless the field is optional.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_KINDS: dict[int, int] = {
    FieldDescriptorProto.TYPE_MESSAGE: FieldDescriptorProto.TYPE_BYTES,
    FieldDescriptorProto.TYPE_ENUM: FieldDescriptorProto.TYPE_INT32,
}


class Columns:
    """Reads messages of one type as columns."""

    def __init__(self, message: type[Message]) -> None:
        """Takes the type; its messages within messages are bytes in their column, and enums numbers."""
        file = FileDescriptorProto(name="columns.proto", package="columns", syntax="proto3")
        columns = file.message_type.add(name=message.DESCRIPTOR.name)
        for field in message.DESCRIPTOR.fields:
            kind: Any = _KINDS.get(field.type, field.type)
            repeated = FieldDescriptorProto.LABEL_REPEATED
            columns.field.add(name=field.name, number=field.number, type=kind, label=repeated)
        pool = DescriptorPool()
        pool.Add(file)
        found = pool.FindMessageTypeByName(f"columns.{columns.name}")
        self._read = GetMessageClass(found).FromString

    def of(self, messages: Iterable[bytes]) -> Any:
        """A column by the name of each field, of serialised messages.

        Raises:
            DecodeError: one of them is not of this type.
        """
        return self._read(b"".join(messages))
