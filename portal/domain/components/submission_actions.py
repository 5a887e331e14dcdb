"""What a SUBMISSION asks for: its actions, in the dialect of ENA's drop-box."""

from dataclasses import dataclass, field

from lxml import etree

from portal import clock, errors
from portal.config import settings
from portal.domain.datasets import datasets
from portal.messages import say

LOADING = ("ADD", "MODIFY")
TARGETED = ("HOLD", "RELEASE", "CANCEL", "SUPPRESS")
KNOWN = (*LOADING, "VALIDATE", *TARGETED, "PROTECT")


@dataclass(frozen=True)
class Action:
    """An action on what is here already: an accession, and a day where one is told."""

    word: str
    target: str
    until: str | None


@dataclass
class Actions:
    """What to do with the objects of a delivery, and with others by accession."""

    action: str = "ADD"
    by_type: dict[str, str] = field(default_factory=dict)
    validate: bool = False
    hold: str | None = None
    protect: bool = False
    targets: list[Action] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def of(self, kind: str) -> str:
        """ADD or MODIFY for objects of a type."""
        return self.by_type.get(kind, self.action)


def read(submission: etree._Element | None) -> Actions:
    """The actions of a SUBMISSION element. Raises Invalid for what is not understood."""
    actions = Actions()
    for action in submission.iterfind("ACTIONS/ACTION") if submission is not None else ():
        for child in action.iterchildren("*"):
            _take(actions, str(child.tag), dict(child.attrib))
    return actions


def plain(action: str, hold: str = "") -> Actions:
    """The same without a SUBMISSION: one word, such as ADD, and a day."""
    actions = Actions()
    if action:
        _take(actions, action.strip().upper(), {})
    if hold:
        _take(actions, "HOLD", {"HoldUntilDate": hold})
    return actions


def _take(actions: Actions, word: str, given: dict[str, str]) -> None:
    if word not in KNOWN:
        raise errors.Invalid(
            say(
                "submission_action_unknown",
                "There is no action {word}. Known are {words}.",
                word=word[:40],
                words=", ".join(KNOWN),
            )
        )
    actions.words.append(word)
    target, until = given.get("target", "").strip().upper(), day(given.get("HoldUntilDate", ""))
    if word in LOADING:
        kind = given.get("schema", "").strip().upper()
        if kind:
            actions.by_type[kind] = word
        else:
            actions.action = word
    elif word == "VALIDATE":
        actions.validate = True
    elif word == "PROTECT":
        actions.protect = True
    elif target:
        actions.targets.append(Action(word, target, until))
    elif word == "HOLD":
        actions.hold = until or _far()
    elif word == "RELEASE":
        actions.hold = clock.today(settings().timezone).isoformat()
    else:
        raise errors.Invalid(
            say("action_without_target", "{word} names no target. Give the accession: <{word} target=…/>.", word=word)
        )


def day(text: str) -> str | None:
    """HoldUntilDate: a day, or a moment whose day counts."""
    return datasets.release_date(text.strip().partition("T")[0].removesuffix("Z")[:10]) if text.strip() else None


def _far() -> str:
    """HOLD without a day: two years, as ENA has it."""
    today = clock.today(settings().timezone)
    return f"{today.year + 2}-{today.month:02d}-{min(today.day, 28):02d}"
