"""Numbers and keys from outside that fit no column, and bytes that are not what was recorded."""

import pytest

from portal import config, db
from portal.web import idempotency
from tests.catalogue.test_catalogue import dataset

__all__ = ["dataset"]


@pytest.mark.parametrize("number", ["9" * 19, "9" * 30, "9" * 5000])
def test_number_that_no_row_can_have_is_not_found(client, number):
    assert client.get(f"/datasets/{number}").status_code == 404
    assert client.get(f"/api/v1/datasets/{number}").status_code == 404


def test_long_keys_are_remembered_and_told_apart(database, ines):
    one, other = "k" * 150 + "1", "k" * 150 + "2"

    with db.transaction():
        idempotency.remember(ines.account, one, "first")
        idempotency.remember(ines.account, other, "second")

    assert idempotency.answered(ines.account, one) == "first"
    assert idempotency.answered(ines.account, other) == "second"


def test_archived_file_of_another_length_is_not_served(client, dataset):
    accession = dataset()
    lying = next(path for path in config.settings().root("archive", "open").rglob("reads.bin"))
    lying.chmod(0o644)
    lying.write_bytes(b"short")

    answer = client.get(f"/datasets/{accession}/files/run1/reads.bin")

    assert answer.status_code >= 400
    assert b"short" not in answer.data
