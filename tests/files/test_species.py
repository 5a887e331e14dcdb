"""Species and their numbers in the NCBI Taxonomy."""

import pytest

from portal import db
from portal.domain.datasets import datasets
from portal.domain.files import species
from tests.conftest import INES


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Mus musculus", 10090),
        ("  mus  MUSCULUS ", 10090),
        (species.HUMAN, 9606),
        (species.MIXED, None),
        ("Yeti", None),
    ],
)
def test_known_names_have_their_number(name, number):
    assert species.taxon(name) == number


def test_dataset_keeps_the_number_of_its_species(database):
    with db.transaction():
        made = datasets.create(actor=INES.account, species="Danio rerio")
        assert made.taxon_id == 7955
        datasets.edit(made, {"species": species.MIXED}, actor=INES.account)
        assert made.taxon_id is None


def test_suggestions_begin_with_what_the_guide_names():
    assert [name for name, _ in species.suggestions()[:2]] == [species.HUMAN, species.MIXED]
    assert len(species.suggestions()) > 90
