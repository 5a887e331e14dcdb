"""Help: short pages filled with this site's addresses and the reader's own name."""

from flask import Blueprint, render_template

from portal import errors, states
from portal.web import addresses

bp = Blueprint("help", __name__, url_prefix="/help")
TOPICS = {
    "ftp": "Send files by FTP",
    "online": "Send files in the browser",
    "md5": "Compute an MD5",
    "names": "Names of files",
    "states": "What the states mean, and what to do",
    "review": "Review: remarks, answers and what is checked",
    "sharing": "Sharing links and publications",
    "quota": "Quota and how long uploads are kept",
    "download": "Download and check",
    "api": "For programs",
}


@bp.get("")
def contents() -> str:
    return render_template("help/contents.html", topics=TOPICS)


@bp.get("/<topic>")
def topic(topic: str) -> str:
    if topic not in TOPICS:
        raise errors.NotFound("There is no help on this; look at the list of topics.")
    return render_template(f"help/{topic}.html", topics=TOPICS, topic=topic, title=TOPICS[topic], ftp=addresses.ftp(),
                           shown=states.SHOWN_FILE)  # fmt: skip
