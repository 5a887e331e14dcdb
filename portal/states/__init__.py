"""Every state of datasets, files, uploads, jobs, components, requests, webhooks, accounts and mails, and every move
between them. Five readers: the guard that moves rows (domain/shared/transitions.py), the buttons on the page,
docs/states.md, the CHECK in the database, and in tests its triggers."""

from dataclasses import dataclass

from portal.states.machine import GONE, Machine
from portal.states.machine import Move as Move  # part of what this package offers

DRAFT, SUBMITTED, RETURNED, APPROVED = "draft", "submitted", "returned", "approved"
RELEASED, SUPPRESSED, WITHDRAWN = "released", "suppressed", "withdrawn"
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
NEW, CLOSED, SENT = "new", "closed", "sent"

SUBMITTER, CURATOR, SYSTEM = "submitter", "curator", "system"
REQUESTER, DECIDER = "requester", "decider"
OWNER = "owner"
CO_SUBMITTER = "co-submitter"


# Who has no button acts for the system: a job, the arrival of bytes, the clock.
DATASET = Machine(
    "dataset",
    (DRAFT, SUBMITTED, RETURNED, APPROVED, RELEASED, SUPPRESSED, WITHDRAWN),
    (
        Move("submit", (DRAFT, RETURNED), SUBMITTED, (SUBMITTER,), "Submit"),
        Move("recall", (SUBMITTED,), RETURNED, (SUBMITTER,), "Recall"),
        Move("return", (SUBMITTED,), RETURNED, (CURATOR,), "Return", note_needed=True),
        Move("approve", (SUBMITTED,), APPROVED, (CURATOR,), "Approve"),
        Move("amend", (APPROVED,), SUBMITTED, (SUBMITTER, CO_SUBMITTER)),
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
    starts=(DRAFT,),
    restored=(SUBMITTED, RETURNED, APPROVED, RELEASED, SUPPRESSED, WITHDRAWN),
    about="What a submitter describes and hands to the curators. From its first submission on it has an accession.",
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
        Move("retry", (FAILED,), RECEIVED, (SYSTEM, CURATOR)),
        Move("replace", (RECEIVING, INCOMPLETE, RECEIVED, FAILED, ARCHIVED), OBSOLETE, (SUBMITTER,)),
        Move("remove", (INCOMPLETE, RECEIVED, FAILED), OBSOLETE, (SUBMITTER, SYSTEM), "Delete", danger=True),
        Move("lose", (RECEIVING, INCOMPLETE), OBSOLETE, (SYSTEM,)),
        Move("withdraw", (INCOMPLETE, RECEIVED, CHECKING, FAILED, ARCHIVED), OBSOLETE, (SYSTEM,)),
        Move("expire", (INCOMPLETE, RECEIVED, FAILED), EXPIRED, (SYSTEM,)),
    ),
    starts=(RECEIVING, RECEIVED),
    about=(
        "Bytes that came under a name. While it is checked or archived nobody changes them. `replace` is a newer "
        "upload of the name, `lose` one of which no byte is on the disk, `withdraw` follows the withdrawal of its "
        "dataset."
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
        Move("link", (WAITING, CHECKING, FAILED, ERROR), RECEIVED, (SYSTEM,)),
        Move("unlink", (RECEIVED, CHECKING, FAILED, ERROR), WAITING, (SYSTEM,)),
        Move("check", (WAITING, RECEIVED, FAILED, ERROR), CHECKING, (SYSTEM,)),
        Move("fail", (WAITING, RECEIVED, CHECKING, ERROR), FAILED, (SYSTEM,)),
        Move("refuse", (WAITING, RECEIVED, CHECKING, FAILED), ERROR, (SYSTEM,)),
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
        Move("discard", (WAITING, RECEIVED, FAILED, ERROR, REMOVED), GONE, (SUBMITTER,)),
    ),
    starts=(WAITING,),
    restored=(ARCHIVED, REMOVED, REPLACED),
    about=(
        "What a dataset declares. Until it is archived its state follows from its upload, its declared MD5 and its "
        "dataset, so that it may go from any of the first five states to any other: `link` when whole bytes are "
        "there, `check` when the dataset is submitted too, `fail` when the MD5 differs or we could not copy, `refuse` "
        "when the content is at fault, `unlink` when the bytes are gone or grow again. `discard` goes with the draft."
    ),
)
# A dead file keeps its number but is no longer part of its dataset.
DEAD_FILES = (REMOVED, REPLACED)
OPEN_DATASETS = (DRAFT, RETURNED, SUBMITTED, APPROVED)  # their files may still change

JOB = Machine(
    "job",
    (QUEUED, RUNNING, DONE, FAILED, CANCELLED),
    (
        Move("claim", (QUEUED, RUNNING), RUNNING, (SYSTEM,)),
        Move("finish", (RUNNING,), DONE, (SYSTEM,)),
        Move("repeat", (RUNNING,), QUEUED, (SYSTEM,)),
        Move("put_off", (RUNNING,), QUEUED, (SYSTEM,)),
        Move("interrupt", (RUNNING,), QUEUED, (SYSTEM,)),
        Move("fail", (RUNNING,), FAILED, (SYSTEM,)),
        Move("retry", (FAILED, CANCELLED), QUEUED, (CURATOR,), "Run again"),
        Move("cancel", (QUEUED,), CANCELLED, (SYSTEM, CURATOR), "Cancel"),
        Move("prune", (DONE, CANCELLED), GONE, (SYSTEM,)),
        Move("discard", (QUEUED, RUNNING, DONE, FAILED, CANCELLED), GONE, (SUBMITTER,)),
    ),
    starts=(QUEUED,),
    about=(
        "Work that is owed. A running one is claimed by another worker once its lease is over. `repeat` was asked "
        "while it ran, `put_off` is another attempt after a fault, `interrupt` the stop of the portal; `discard` goes "
        "with its draft."
    ),
)
COMPONENT = Machine(
    "component",
    (RECEIVED, LOADED, ERROR),
    (
        Move("receive", (RECEIVED, LOADED, ERROR), RECEIVED, (SUBMITTER,)),
        Move("load", (RECEIVED,), LOADED, (SYSTEM,)),
        Move("unload", (LOADED,), RECEIVED, (SYSTEM,)),
        Move("refuse", (RECEIVED, LOADED, ERROR), ERROR, (SUBMITTER,)),
        Move("discard", (RECEIVED, ERROR), GONE, (SUBMITTER,)),
    ),
    starts=(RECEIVED, ERROR),
    about=(
        "An object of the XML. It is loaded while all data that it leads to are archived. `receive` and `refuse` are "
        "a new version of it; a refused one stays as it is until it is sent anew."
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
        Move("discard", (DRAFT,), GONE, (REQUESTER,)),
    ),
    starts=(DRAFT,),
    about=(
        "Somebody asks for controlled data. A granted request is the grant. It opens at its first moment and closes "
        "at its last, whatever state its row still shows; `end` only records it. Asking for a renewal moves nothing: "
        "the deciders renew."
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
        Move("remove", (ACTIVE, PAUSED), GONE, (OWNER, SYSTEM)),
    ),
    starts=(ACTIVE,),
    about=(
        "Where an account wants its events sent. The system pauses a webhook whose server has not taken an event for "
        "twelve hours. See [webhooks](webhooks.md)."
    ),
)
ACCOUNT = Machine(
    "account",
    (NEW, ACTIVE, CLOSED),
    (
        Move("confirm", (NEW,), ACTIVE, (OWNER, CURATOR, SYSTEM), "Confirm"),
        Move("close", (NEW, ACTIVE), CLOSED, (OWNER, CURATOR, SYSTEM), "Close", danger=True),
        Move("reopen", (CLOSED,), ACTIVE, (CURATOR, SYSTEM), "Open again"),
        Move("reopen_unconfirmed", (CLOSED,), NEW, (CURATOR,)),
    ),
    starts=(NEW, ACTIVE),
    restored=(CLOSED,),
    about=(
        "Who registers confirms the address by a link. An account that a curator, the operator or a provider of single "
        "sign-on makes is active at once."
    ),
)
MAIL = Machine(
    "mail",
    (QUEUED, SENT, FAILED),
    (
        Move("send", (QUEUED, FAILED), SENT, (SYSTEM,)),
        Move("fail", (QUEUED,), FAILED, (SYSTEM,)),
        Move("drop", (QUEUED,), FAILED, (CURATOR, SYSTEM), "Stop"),
        Move("send_again", (SENT, FAILED), QUEUED, (CURATOR, SYSTEM), "Send again"),
    ),
    starts=(QUEUED,),
    about="A mail in the outbox. One that waits between two attempts stays queued.",
)
MACHINES = (DATASET, UPLOAD, FILE, JOB, COMPONENT, REQUEST, WEBHOOK, ACCOUNT, MAIL)

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
