"""More room: asked for by a submitter, seen by curators, answered by another quota."""

from sqlalchemy import select

from portal import db
from portal.domain.accounts import centers
from portal.models import Event, Mail


def mails_to(person) -> list[Mail]:
    return list(db.session.scalars(select(Mail).where(Mail.to == person.email)))


def test_asking_reaches_the_curators_and_the_answer_the_asker(sign_in, ines, ruth):
    hers, curator = sign_in(ines), sign_in(ruth)
    hers.get("/area/quota")
    assert hers.send("/area/quota", note="2 TB more, for <40> libraries.").status_code == 303
    (mail,) = mails_to(ruth)
    home = centers.find("Northmere Institute").id
    assert "2 TB more, for <40> libraries." in mail.body and f"/admin/centers/{home}" in mail.body
    assert "No answer yet." in hers.get("/area/quota").text
    assert "Northmere Institute asks for more room" in curator.get("/admin").text
    page = curator.get(f"/admin/centers/{home}").text
    assert "Ines Okafor asked for more room" in page and "&lt;40&gt;" in page
    curator.send(f"/admin/centers/{home}", center="Northmere Institute", quota_open="", quota_protected="")
    assert mails_to(ines) == []
    curator.send(f"/admin/centers/{home}", center="Northmere Institute", quota_open="3000", quota_protected="")
    (told,) = mails_to(ines)
    assert "open realm: 3.00 TB" in told.body and "protected realm: 1.10 TB" in told.body
    assert "asks for more room" not in curator.get("/admin").text
    assert "No answer yet." not in hers.get("/area/quota").text


def test_asking_for_nothing_or_all_the_time_is_refused(sign_in, ines, ruth):
    client = sign_in(ines)
    client.get("/area/quota")
    empty = client.send("/area/quota", note="  ")
    assert empty.status_code == 422 and "Say how much more room you need" in empty.text
    for n in range(3):
        client.send("/area/quota", note=f"More, {n}.")
    again = client.send("/area/quota", note="Even more.")
    assert again.status_code == 429 and "Even more." in again.text
    assert len(mails_to(ruth)) == 3
    asked = db.session.scalars(select(Event).where(Event.action == "center.ask")).all()
    assert [event.note for event in asked] == [f"More, {n}." for n in range(3)]
