"""Terms of use: numbered apart for each dataset and for the site's default, bounded, written down when they change."""

import pytest
from sqlalchemy import select

from portal import db, errors
from portal.domain.access_requests import terms
from portal.models import Event
from tests.access_requests.support import COLLEAGUE, INES, RUTH, dataset


def write(accession: str | None, **fields) -> terms.Terms:
    person = INES if accession else RUTH
    with db.transaction():
        return terms.write(dataset(accession) if accession else None, fields, actor=person.account)


def numbered(accession: str | None) -> list[tuple[int, str]]:
    """Version and text of the terms of a dataset, or of the default, that were written here."""
    listed = terms.versions(dataset(accession) if accession else None, limit=9)
    return [(row.version, row.agreement) for row in listed if row.agreement.startswith(("Own", "Default"))]


def test_versions_of_the_default_and_of_a_dataset_are_counted_apart(livers):
    first = terms.default().version
    for n in (1, 2, 3):
        write(None, agreement=f"Default {n}.")
    write(livers, agreement="Own 1.")
    write(None, agreement="Default 4.")

    assert numbered(None) == [(first + n, f"Default {n}.") for n in (4, 3, 2, 1)]
    assert numbered(livers) == [(1, "Own 1.")]
    assert (terms.default().agreement, terms.of(dataset(livers)).agreement) == ("Default 4.", "Own 1.")


def test_question_is_to_be_answered_unless_it_says_otherwise(livers):
    write(livers, questions=[{"text": "Why?"}, {"text": "Who pays?", "needed": False}, {"text": " "}])
    assert terms.of(dataset(livers)).questions == [
        {"text": "Why?", "needed": True},
        {"text": "Who pays?", "needed": False},
    ]


def test_terms_have_only_so_many_questions(livers):
    questions = [f"Question {n}?" for n in range(terms.MOST_QUESTIONS)]
    assert len(write(livers, questions=questions).questions) == terms.MOST_QUESTIONS
    with pytest.raises(errors.Invalid) as refused:
        write(livers, questions=[*questions, "One more?"])
    assert refused.value.field_messages["questions"].code == "terms_questions_many"


def test_committee_named_again_by_the_same_name_is_no_change(livers):
    with db.transaction():
        terms.add_decider(dataset(livers), COLLEAGUE.email, actor=INES.account)
        for name in ("Access Committee", " Access Committee ", "Ethics Board", ""):
            terms.set_committee(dataset(livers), name, actor=INES.account)

    changes = db.session.scalars(select(Event).where(Event.action == "terms.committee").order_by(Event.id))
    assert [(event.before["committee"], event.after["committee"]) for event in changes] == [
        ("", "Access Committee"),
        ("Access Committee", "Ethics Board"),
        ("Ethics Board", ""),
    ]
