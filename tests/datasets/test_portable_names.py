"""Names that another system cannot keep apart or cannot write are told to the submitter and the curator."""

import pytest

from portal import db
from portal.domain.datasets import datasets, portable_names, prechecks
from tests.conftest import INES


def told(*names: str) -> dict[str, tuple[int, int]]:
    with db.transaction():
        dataset = datasets.create(actor=INES.account, title="T", files=[{"name": name} for name in names])
    return {message.code: (message.values["count"], n) for message, n in portable_names.faults(dataset)}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.csv", "b/a.csv"], {}),
        (["x", "K/A", "k/a", "K/a"], {"names_differ_in_case": (3, 2)}),
        (["a.csv", "b.", "c./d.csv"], {"names_end_in_dot": (2, 2)}),
        (["con", "run/AUX.txt", "lpt1/a", "com5.tar.gz", "nul.d/x"], {"names_of_devices": (5, 1)}),
        (["console.txt", "com10", "auxiliary/a", "prnt", "lpt/a"], {}),
    ],
)
def test_names(database, names, expected):
    assert told(*names) == expected


def test_both_see_it_before_approval(database):
    with db.transaction():
        dataset = datasets.create(actor=INES.account, title="T", files=[{"name": "K/A"}, {"name": "k/a"}])
    for reviewing in (False, True):
        findings = {finding.message.code: finding for finding in prechecks.of(dataset, reviewing=reviewing)}
        assert (findings["names_differ_in_case"].level, findings["names_differ_in_case"].n) == ("warning", 1)
