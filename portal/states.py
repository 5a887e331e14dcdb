"""Every state of datasets, files, uploads and jobs, and every move between them. Four readers: the guard that moves
a row (domain/transitions.py), the buttons on the page, the table in the docs, and the CHECK in the database."""

from dataclasses import dataclass

DRAFT, SUBMITTED, RETURNED, APPROVED = "draft", "submitted", "returned", "approved"
RELEASED, SUPPRESSED, WITHDRAWN, GONE = "released", "suppressed", "withdrawn", "gone"
RECEIVING, INCOMPLETE, RECEIVED, CHECKING = "receiving", "incomplete", "received", "checking"
FAILED, ARCHIVED, OBSOLETE, EXPIRED = "failed", "archived", "obsolete", "expired"
WAITING, ERROR, REMOVED, REPLACED = "waiting", "error", "removed", "replaced"
LOADED = "loaded"
QUEUED, RUNNING, DONE, CANCELLED = "queued", "running", "done", "cancelled"
# How far the inspection of an upload is, beside its state: nothing yet (None), then one of these.
OWED, INSPECTED, UNCHECKED = "owed", "inspected", "unchecked"
ASKED, ASKED_BACK, GRANTED, DENIED = "asked", "asked_back", "granted", "denied"
REVOKED, ENDED = "revoked", "ended"
ACTIVE, PAUSED = "active", "paused"

SUBMITTER, CURATOR, SYSTEM = "submitter", "curator", "system"
REQUESTER, DECIDER = "requester", "decider"
OWNER = "owner"


@dataclass(frozen=True)
class Move:
    """One row of a table: what is done, from where, to where, by whom, and the word on its button."""

    action: str
    sources: tuple[str, ...]
    target: str
    by: tuple[str, ...]
    word: str = ""
    note_needed: bool = False
    danger: bool = False


@dataclass(frozen=True)
class Machine:
    """The states of one thing and the moves between them."""

    name: str
    states: tuple[str, ...]
    moves: tuple[Move, ...]

    def find(self, action: str) -> Move | None:
        return next((move for move in self.moves if move.action == action), None)

    def available(self, state: str, roles: set[str]) -> list[Move]:
        """What somebody with these roles may do to a thing in this state."""
        return [move for move in self.moves if state in move.sources and roles & set(move.by)]

    def check(self, column: str = "state") -> str:
        """The CHECK constraint of the column that holds the state."""
        return f"{column} IN ({', '.join(repr(state) for state in self.states)})"

    def as_markdown(self) -> str:
        rows = ["| action | from | to | by |", "|---|---|---|---|"]
        for move in self.moves:
            rows.append(f"| {move.action} | {', '.join(move.sources)} | {move.target} | {', '.join(move.by)} |")
        return "\n".join(rows)


DATASET = Machine(
    "dataset",
    (DRAFT, SUBMITTED, RETURNED, APPROVED, RELEASED, SUPPRESSED, WITHDRAWN),
    (
        Move("submit", (DRAFT, RETURNED), SUBMITTED, (SUBMITTER,), "Submit"),
        Move("recall", (SUBMITTED,), RETURNED, (SUBMITTER,), "Recall"),
        Move("return", (SUBMITTED,), RETURNED, (CURATOR,), "Return", note_needed=True),
        Move("approve", (SUBMITTED,), APPROVED, (CURATOR,), "Approve"),
        Move("amend", (APPROVED,), SUBMITTED, (SUBMITTER,)),
        Move("release", (APPROVED,), RELEASED, (SUBMITTER, CURATOR, SYSTEM), "Release"),
        Move("unpublish", (RELEASED,), APPROVED, (CURATOR,), "Unpublish", note_needed=True, danger=True),
        Move("suppress", (RELEASED,), SUPPRESSED, (CURATOR,), "Suppress", danger=True),
        Move("reinstate", (SUPPRESSED,), RELEASED, (CURATOR,), "Reinstate"),
        Move(
            "withdraw",
            (RETURNED, APPROVED, RELEASED, SUPPRESSED),
            WITHDRAWN,
            (CURATOR, SUBMITTER),
            "Withdraw",
            note_needed=True,
            danger=True,
        ),
        Move("discard", (DRAFT,), GONE, (SUBMITTER,), "Discard", danger=True),
    ),
)

UPLOAD = Machine(
    "upload",
    (RECEIVING, INCOMPLETE, RECEIVED, CHECKING, FAILED, ARCHIVED, OBSOLETE, EXPIRED),
    (
        Move("cut", (RECEIVING,), INCOMPLETE, (SYSTEM,)),
        Move("resume", (RECEIVING, INCOMPLETE, RECEIVED, FAILED), RECEIVING, (SUBMITTER,)),
        Move("receive", (RECEIVING,), RECEIVED, (SUBMITTER,)),
        Move("check", (RECEIVED,), CHECKING, (SYSTEM,)),
        Move("put_back", (CHECKING,), RECEIVED, (SYSTEM,)),
        Move("archive", (CHECKING,), ARCHIVED, (SYSTEM,)),
        Move("fail", (RECEIVED, CHECKING), FAILED, (SYSTEM,)),
        Move("replace", (RECEIVING, INCOMPLETE, RECEIVED, FAILED, ARCHIVED), OBSOLETE, (SUBMITTER,)),
        Move("remove", (INCOMPLETE, RECEIVED, FAILED), OBSOLETE, (SUBMITTER,), "Delete", danger=True),
        Move("expire", (INCOMPLETE, RECEIVED, FAILED), EXPIRED, (SYSTEM,)),
    ),
)
# The name of an upload is taken while it lives; frozen bytes are held by a job or by the archive.
LIVE = (RECEIVING, INCOMPLETE, RECEIVED, CHECKING, FAILED)
NAMED = (RECEIVED, CHECKING, FAILED)
LISTED = (INCOMPLETE, RECEIVED, CHECKING, FAILED)
FROZEN = (CHECKING, ARCHIVED)

FILE = Machine(
    "file",
    (WAITING, RECEIVED, CHECKING, FAILED, ERROR, ARCHIVED, REMOVED, REPLACED),
    (
        Move("link", (WAITING, FAILED, ERROR, RECEIVED), RECEIVED, (SYSTEM,)),
        Move("unlink", (RECEIVED, FAILED, ERROR), WAITING, (SYSTEM,)),
        Move("check", (RECEIVED, FAILED, ERROR), CHECKING, (SYSTEM,)),
        Move("mismatch", (RECEIVED, CHECKING, WAITING), FAILED, (SYSTEM,)),
        Move("refuse", (RECEIVED, CHECKING), ERROR, (SYSTEM,)),
        Move("archive", (CHECKING,), ARCHIVED, (SYSTEM,)),
        Move(
            "remove",
            (WAITING, RECEIVED, CHECKING, FAILED, ERROR, ARCHIVED),
            REMOVED,
            (SUBMITTER,),
            "Delete",
            danger=True,
        ),
        Move("replace", (ARCHIVED,), REPLACED, (SUBMITTER,), "Replace"),
    ),
)
# A dead file keeps its number but is no longer part of its dataset.
DEAD_FILES = (REMOVED, REPLACED)

JOB = Machine(
    "job",
    (QUEUED, RUNNING, DONE, FAILED, CANCELLED),
    (
        Move("claim", (QUEUED, RUNNING), RUNNING, (SYSTEM,)),
        Move("finish", (RUNNING,), DONE, (SYSTEM,)),
        Move("put_off", (RUNNING,), QUEUED, (SYSTEM,)),
        Move("fail", (RUNNING,), FAILED, (SYSTEM,)),
        Move("retry", (FAILED, CANCELLED), QUEUED, (CURATOR,), "Run again"),
        Move("cancel", (QUEUED,), CANCELLED, (SYSTEM, CURATOR), "Cancel"),
    ),
)
COMPONENT = Machine(
    "component",
    (RECEIVED, LOADED, ERROR),
    (
        Move("load", (RECEIVED, ERROR), LOADED, (SYSTEM,)),
        Move("unload", (LOADED, ERROR), RECEIVED, (SYSTEM,)),
        Move("refuse", (RECEIVED, LOADED), ERROR, (SYSTEM,)),
    ),
)
REQUEST = Machine(
    "request",
    (DRAFT, ASKED, ASKED_BACK, GRANTED, DENIED, WITHDRAWN, REVOKED, ENDED),
    (
        Move("submit", (DRAFT,), ASKED, (REQUESTER,)),
        Move("amend", (ASKED, ASKED_BACK), ASKED, (REQUESTER,)),
        Move("answer", (ASKED_BACK,), ASKED, (REQUESTER,), "Answer", note_needed=True),
        Move("withdraw", (ASKED, ASKED_BACK), WITHDRAWN, (REQUESTER,), "Withdraw", danger=True),
        Move("approve", (ASKED, ASKED_BACK), GRANTED, (DECIDER,), "Approve"),
        Move("deny", (ASKED, ASKED_BACK), DENIED, (DECIDER,), "Deny", note_needed=True),
        Move("ask", (ASKED,), ASKED_BACK, (DECIDER,), "Ask back", note_needed=True),
        Move("renew", (GRANTED,), GRANTED, (DECIDER,), "Renew"),
        Move("revoke", (GRANTED,), REVOKED, (DECIDER,), "Revoke", note_needed=True, danger=True),
        Move("end", (GRANTED,), ENDED, (SYSTEM,)),
    ),
)
# A person has one open request for a dataset; the others are its history.
OPEN_REQUESTS = (DRAFT, ASKED, ASKED_BACK, GRANTED)
UNDECIDED = (ASKED, ASKED_BACK)
WEBHOOK = Machine(
    "webhook",
    (ACTIVE, PAUSED),
    (
        Move("pause", (ACTIVE,), PAUSED, (OWNER, SYSTEM), "Pause"),
        Move("resume", (PAUSED,), ACTIVE, (OWNER,), "Resume"),
    ),
)
MACHINES = (DATASET, UPLOAD, FILE, JOB, COMPONENT, REQUEST, WEBHOOK)

# What the telemetry says of a dataset and its components (SRA handbook, Accessions report).
STATUS = {
    DRAFT: "unpublished",
    SUBMITTED: "unpublished",
    RETURNED: "unpublished",
    APPROVED: "unpublished",
    RELEASED: "live",
    SUPPRESSED: "suppressed",
    WITHDRAWN: "withdrawn",
}


@dataclass(frozen=True)
class Shown:
    """How a state looks: its word, tone (CSS class t-*), icon and the colour outside programs read."""

    word: str
    tone: str
    icon: str
    color: str
    hollow: bool = False
    spin: bool = False


SHOWN_FILE = {
    WAITING: Shown("Waiting for file", "wait", "waiting", "grey"),
    RECEIVED: Shown("Received", "wait", "received", "grey"),
    CHECKING: Shown("Checking", "wait", "checking", "grey", spin=True),
    "md5_mismatch": Shown("MD5 Checked Failed", "bad", "mismatch", "red"),
    ERROR: Shown("Error", "bad", "error", "red"),
    FAILED: Shown("Failed", "bad", "failed", "red"),
    ARCHIVED: Shown("Archived", "ok", "archived", "green"),
    REPLACED: Shown("Replaced", "mute", "replaced", "grey"),
    REMOVED: Shown("Obsolete", "mute", "obsolete", "grey"),
}
SHOWN_UPLOAD = {
    RECEIVING: Shown("Receiving", "wait", "received", "grey", spin=True),
    INCOMPLETE: Shown("Incomplete", "warn", "error", "grey"),
    RECEIVED: Shown("Received", "wait", "received", "grey"),
    CHECKING: Shown("Checking", "wait", "checking", "grey", spin=True),
    FAILED: Shown("Failed", "bad", "failed", "red"),
    ARCHIVED: Shown("Archived", "ok", "archived", "green"),
    OBSOLETE: Shown("Obsolete", "mute", "obsolete", "grey"),
    EXPIRED: Shown("Obsolete", "mute", "obsolete", "grey"),
}
SHOWN_DATASET = {
    DRAFT: Shown("Draft", "wait", "draft", "grey"),
    SUBMITTED: Shown("Submitted", "wait", "submitted", "grey"),
    RETURNED: Shown("Returned", "warn", "returned", "grey"),
    APPROVED: Shown("Approved", "ok", "approved", "green", hollow=True),
    "overdue": Shown("Overdue", "warn", "overdue", "grey"),
    RELEASED: Shown("Released", "ok", "released", "green"),
    SUPPRESSED: Shown("Suppressed", "mute", "suppressed", "grey"),
    WITHDRAWN: Shown("Withdrawn", "mute", "withdrawn", "grey"),
}
SHOWN_COMPONENT = {
    RECEIVED: Shown("Received, not linked", "wait", "received", "grey"),
    LOADED: Shown("Loaded", "ok", "archived", "green"),
    ERROR: Shown("Error", "bad", "error", "red"),
}

SHOWN_REQUEST = {
    DRAFT: Shown("Draft", "wait", "draft", "grey"),
    ASKED: Shown("Asked", "wait", "submitted", "grey"),
    ASKED_BACK: Shown("Asked back", "warn", "returned", "grey"),
    GRANTED: Shown("Granted", "ok", "approved", "green"),
    DENIED: Shown("Denied", "mute", "withdrawn", "grey"),
    WITHDRAWN: Shown("Withdrawn", "mute", "withdrawn", "grey"),
    REVOKED: Shown("Revoked", "mute", "withdrawn", "grey"),
    ENDED: Shown("Ended", "mute", "overdue", "grey"),
}

SHOWN_WEBHOOK = {
    ACTIVE: Shown("Active", "ok", "approved", "green", hollow=True),
    "failing": Shown("Tried again", "warn", "overdue", "grey"),
    PAUSED: Shown("Paused", "mute", "withdrawn", "grey"),
}


def shown_file(state: str, error: str | None = None) -> Shown:
    """The pill of a file: a failed file is told apart by whose fault it is."""
    if state == FAILED and error == "md5_mismatch":
        return SHOWN_FILE["md5_mismatch"]
    return SHOWN_FILE[state]
