"""What an action would do to a dataset in the sight of others, in numbers: for the page that asks before it."""

from dataclasses import dataclass

from portal import states
from portal.domain.datasets import releases
from portal.messages import Message
from portal.models import Dataset
from portal.queries.files import tallies


@dataclass(frozen=True)
class Outcome:
    """`action`: one of states.DATASET, or `publication` or `date` for what opens it besides. `files` and `bytes` are
    those that it has now, `cited` is who is cited, `waits` whether a curator decides first, `obstacles` what else is in
    the way."""

    action: str
    files: int
    bytes: int
    cited: str
    waits: bool
    obstacles: list[Message]


OPENING = ("release", "publication", "date")


def of(dataset: Dataset, action: str, *, waits: bool = False) -> Outcome:
    """`waits`: a curator decides first, whatever its state is."""
    approved = dataset.state == states.APPROVED
    return Outcome(
        action=action,
        files=tallies.declared(tallies.files([dataset.id])[dataset.id]),
        bytes=tallies.bytes_of(dataset),
        cited=dataset.investigator or dataset.submitter,
        waits=waits or not approved,
        obstacles=releases.obstacles(dataset) if approved and action in OPENING else [],
    )
