"""Where a dataset stands, in the words of its summary: the life cycle, and what is left before Submit."""

from portal import states
from portal.config import settings
from portal.domain.datasets import datasets
from portal.domain.files import species
from portal.models import Dataset
from portal.queries.datasets.datasets import Row
from portal.web import formats

SPECIES = species.suggestions()
Step = tuple[str, str, str]


def moment(ms: int | None) -> str:
    return formats.moment(ms, zone=settings().timezone)


def steps(dataset: Dataset, row: Row) -> list[Step]:
    """Draft, Submitted, (Returned), Approved, Released, with the present one marked."""
    order = [states.DRAFT, states.SUBMITTED, states.APPROVED, states.RELEASED]
    if dataset.state == states.RETURNED:
        order.insert(2, states.RETURNED)
    if dataset.state in (states.SUPPRESSED, states.WITHDRAWN):
        order.append(dataset.state)
    present = order.index(dataset.state)
    says = _says(dataset, row)
    return [
        (
            states.SHOWN_DATASET[state].word,
            says.get(state, ""),
            "done" if n < present else "now" if n == present else "",
        )
        for n, state in enumerate(order)
    ]


def _says(dataset: Dataset, row: Row) -> dict[str, str]:
    remark = f"{row.by}, {moment(row.remark.at)}" if row.remark else ""
    version = f"version {dataset.version}, {moment(dataset.submitted_at)}" if dataset.submitted_at else ""
    approved = f"version {dataset.approved_version}" if dataset.approved_version else ""
    return {
        states.DRAFT: f"begun {moment(dataset.created_at)}",
        states.SUBMITTED: version,
        states.RETURNED: remark,
        states.APPROVED: approved,
        states.RELEASED: moment(dataset.released_at) if dataset.released_at else _plan(dataset, row),
    }


def _plan(dataset: Dataset, row: Row) -> str:
    if dataset.release_wanted_at:
        return "asked for; it opens when it is ready"
    if row.shown is states.SHOWN_DATASET["overdue"]:
        return f"was due {dataset.release_date}"
    return f"planned {dataset.release_date}" if dataset.release_date else "no date yet"


def todo(dataset: Dataset, row: Row) -> list[tuple[str, str, str, str | None]]:
    """What stands between the dataset and Submit, each with the field it is mended at; then what may wait."""
    items: list[tuple[str, str, str, str | None]] = []
    if dataset.state in (states.DRAFT, states.RETURNED):
        for field, message in datasets.missing(dataset).items():
            items.append(("warn", "error", str(message), "#files" if field == "files" else f"#f-{field}"))
    if dataset.human and not dataset.filing_number and "filing_number" not in datasets.missing(dataset):
        text = "A filing number is recommended for human genetic resources."
        items.append(("wait", "info", text, "#f-filing_number"))
    if faulty := row.counts.get("fault"):
        text = f"{formats.plural(faulty, 'file')} with a fault: see what to do"
        items.append(("bad", "mismatch", text, "?view=problems#files"))
    if waiting := row.counts.get("waiting"):
        items.append(("wait", "waiting", f"{formats.plural(waiting, 'file')} may still arrive later", None))
    items += [("warn", "overdue", str(message), None) for message in row.obstacles]
    return items
