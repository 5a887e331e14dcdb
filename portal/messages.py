"""Sentences for people as data. The domain says which sentence and with what values; an edge renders it, so that tests
and programs compare codes and values, and a second language is a catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Message:
    """A sentence before it is rendered.

    `code` names the sentence within the code base; `text` has {names} for `values`, of which some may be messages
    themselves. `plural` is the text for a `count` other than 1.
    """

    code: str
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    plural: str = ""

    def __str__(self) -> str:
        text = self.plural if self.plural and self.values.get("count") != 1 else self.text
        return text.format_map(self.values) if self.values else text


def joined(code: str, messages: Sequence[Message]) -> Message:
    """Several messages as one, with a space between them, for a place that takes one."""
    text = " ".join("{" + f"m{n}" + "}" for n in range(len(messages)))
    return Message(code, text, {f"m{n}": message for n, message in enumerate(messages)})


def say(code: str, text: str, *, plural: str = "", **values: object) -> Message:
    """say("file_missing", "{count} file is missing.", plural="{count} files are missing.", count=3)"""
    return Message(code, text, values, plural)
