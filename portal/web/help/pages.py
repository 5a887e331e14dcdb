"""Help: short pages filled with this site's addresses and the reader's own name."""

from flask import Blueprint, Response, render_template, request

from portal import errors, inspection, states
from portal.config import settings
from portal.messages import say
from portal.queries.accounts import ftp_faults
from portal.web import addresses, htmx, session

# Errors of these packages are read by operators in a log or terminal only.
INSIDE = ("portal.jobs", "portal.server.supervisor", "portal.migrations")
bp = Blueprint("help", __name__, url_prefix="/help")
TOPICS = {
    "problems": "Common issues and solutions",
    "ftp": "Send files by FTP",
    "doctor": "Connection doctor: what went wrong with FTP",
    "online": "Send files in the browser",
    "belonging": "What belongs to a dataset",
    "people": "Work on a dataset with others",
    "md5": "Compute an MD5",
    "names": "Names of files",
    "errors": "What a refusal means, and what to do",
    "states": "What the states mean, and what to do",
    "tracking": "Tracking, and what lies in your area",
    "inspection": "Inspection: types, faults and what to do",
    "filing": "Filing number of human genetic resources",
    "review": "Review: remarks, answers and what is checked",
    "sharing": "Sharing links and publications",
    "access": "Controlled access: ask, decide, download",
    "account": "Account, passwords and single sign-on",
    "quota": "Quota and how long uploads are kept",
    "download": "Download and check",
    "metadata": "Metadata as XML",
    "reports": "Reports for people and programs",
    "api": "For programs",
    "webhooks": "Webhooks: be told what happens",
}


@bp.get("")
def contents() -> str:
    return render_template("help/contents.html", topics=TOPICS)


@bp.get("/doctor")
def connection() -> Response:
    """The FTP faults of the reader, or of the address that they read from. The page polls for new ones."""
    me, address = session.actor(), session.client_address()
    rev = str(ftp_faults.newest(me, address))
    if htmx.is_htmx() and request.args.get("rev") == rev:
        return htmx.unchanged()
    return htmx.fragment_or_page(
        "help/_faults.html",
        "help/doctor.html",
        topics=TOPICS,
        topic="doctor",
        rev=rev,
        title="Connection doctor",
        faults=ftp_faults.summaries(me, address),
        days=ftp_faults.DAYS,
        ftp=addresses.ftp(),
        passive_ports=passive_ports(),
    )


def passive_ports() -> str:
    return settings().ftp_passive_ports if settings().passive_range else ""


@bp.get("/<topic>")
def topic(topic: str) -> str:
    if topic not in TOPICS:
        raise errors.NotFound(say("no_help_topic", "There is no help on this; look at the list of topics."))
    return render_template(
        f"help/{topic}.html",
        topics=TOPICS,
        topic=topic,
        title=TOPICS[topic],
        ftp=addresses.ftp(),
        shown=states.SHOWN_FILE,
        faults=inspection.ERRORS,
        kinds=inspection.TYPES,
        bounds=inspection.Bounds(),
        refusals=refusals() if topic == "errors" else (),
    )


def refusals() -> list[type[errors.DomainError]]:
    """Every kind of refusal that somebody outside can meet, once by its code, the general before the special."""
    kinds: dict[str, type[errors.DomainError]] = {}
    waiting: list[type[errors.DomainError]] = [errors.DomainError]
    while waiting:
        kind = waiting.pop(0)
        if not kind.__module__.startswith(INSIDE):
            kinds.setdefault(kind.code, kind)
        waiting += kind.__subclasses__()
    return sorted(kinds.values(), key=lambda kind: (kind.status, kind.code))
