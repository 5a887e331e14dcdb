"""Centers: names are taken once, quotas are typed in GB and kept to the byte, each change is an event."""

import pytest
from sqlalchemy import select

from portal import config, db, errors
from portal.domain.accounts import centers, quotas
from portal.models import Event
from portal.queries.accounts import centers as reads
from tests.depositing import send

GB = 1000**3


def last_event() -> Event:
    return db.session.scalars(select(Event).order_by(Event.id.desc())).first()


def harbour():
    return centers.find("Harbour Lab")


def test_center_is_made_once(ruth):
    with db.transaction():
        made = centers.create("  Fjord   Station ", actor=ruth.account)
    assert made.name == "Fjord Station"
    event = last_event()
    assert (event.action, event.center_id, event.after) == ("center.create", made.id, {"name": "Fjord Station"})
    for name in ("Fjord Station", "fjord STATION", " "):
        with db.transaction(), pytest.raises(errors.Invalid):
            centers.create(name, actor=ruth.account)


def test_renamed_center_keeps_its_people_and_tells_both_names(stranger, ruth):
    with db.transaction():
        centers.rename(harbour(), "Harbour Institute", actor=ruth.account)
    assert stranger.account.center.name == "Harbour Institute"
    event = last_event()
    assert (event.before, event.after) == ({"name": "Harbour Lab"}, {"name": "Harbour Institute"})
    with db.transaction(), pytest.raises(errors.Invalid):
        centers.rename(centers.find("Harbour Institute"), "The Archive", actor=ruth.account)
    with db.transaction():
        centers.rename(centers.find("Harbour Institute"), "HARBOUR Institute", actor=ruth.account)
    assert stranger.account.center.name == "HARBOUR Institute"


def test_quota_is_set_taken_off_and_left_to_the_site(ruth):
    with db.transaction():
        centers.set_quotas(harbour(), {"open": 2 * GB, "protected": 0}, actor=ruth.account)
    assert quotas.limit(harbour(), "open") == 2 * GB
    assert quotas.limit(harbour(), "protected") is None
    assert last_event().after == {"open": 2 * GB, "protected": 0}
    with db.transaction():
        centers.set_quotas(harbour(), {"open": None, "protected": 0}, actor=ruth.account)
    assert quotas.limit(harbour(), "open") == config.settings().quota_gib << 30
    before = last_event().id
    with db.transaction():
        centers.set_quotas(harbour(), {"protected": 0}, actor=ruth.account)
    assert last_event().id == before


@pytest.mark.parametrize(
    ("typed", "size"), [("2", 2 * GB), ("1.5", 1_500_000_000), ("0", 0), (" ", None), ("3,000", 3000 * GB)]
)
def test_quota_is_typed_in_gb(typed, size):
    assert centers.typed_quotas({"open": typed, "protected": ""}) == {"open": size, "protected": None}


@pytest.mark.parametrize("size", [0, 1, 5 * GB, 3000 << 30, (1 << 50) + 7, None])
def test_quota_is_shown_as_it_is_typed_and_saved_again_to_the_byte(size):
    assert centers.typed_quotas({"open": centers.in_gb(size)})["open"] == size


@pytest.mark.parametrize("typed", ["1.5.5", "-1", "many", "٣", "9" * 40, "1e3", "."])
def test_quota_that_is_no_number_is_refused(typed):
    with pytest.raises(errors.Invalid) as refused:
        centers.typed_quotas({"open": typed})
    assert refused.value.field_messages["quota_open"].code == "not_gb"


def test_use_counts_what_lies_in_the_areas_against_the_quota(receiving, ines, ruth):
    send("a.bin", b"x" * 700)
    with db.transaction():
        home = centers.find("Northmere Institute")
        home.quota_open = 800
    row = reads.row(home)
    assert (row.people, row.uses[0].used, row.uses[0].quota) == (2, 700, 800)
    assert row.uses[0].is_short and not row.uses[1].is_short
    assert [one.center.name for one in reads.short()] == ["Northmere Institute"]
    assert [one.center.name for one in reads.page(text="north").rows] == ["Northmere Institute"]
