"""The page and the calls of webhooks: the secret once, the test with its outcome, pause, resume, delete."""

import re

import pytest

from portal import db, errors
from portal.domain.shared import outbound_hosts
from portal.domain.webhooks import deliveries, subscriptions
from portal.models import Event, Webhook
from tests.receiver import receiver

__all__ = ["receiver"]


def of(person) -> list[Webhook]:
    db.end()
    return subscriptions.of(person.account)


def test_secret_is_shown_once_and_signs_the_test(sign_in, ines, receiver, run_jobs):
    client = sign_in(ines)
    client.get("/account/webhooks")
    answer = client.send("/account/webhooks", address=receiver.url + "/a", label="LIMS <2>")
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.text).group()
    assert answer.headers["Cache-Control"] == "no-store"
    (hook,) = of(ines)
    where = f"/account/webhooks/{hook.id}"
    page = client.get(where).text
    assert "Nothing was sent yet" in page and "hx-get" not in page
    assert secret not in page + client.get("/account/webhooks").text and "LIMS &lt;2&gt;" in page

    assert client.send(where + "/test").status_code == 303
    page = client.get(where).text
    again = re.search(r'hx-get="([^"]+)"', page).group(1).replace("&amp;", "&")
    assert client.fragment(again).status_code == 204
    run_jobs()
    fragment = client.fragment(again)
    assert "webhook.test" in fragment.text and "204" in fragment.text and "hx-get" not in fragment.text
    assert receiver.received[0].is_signed_with(secret)


def test_failing_one_says_why_and_what_waits(sign_in, ines, receiver, run_jobs):
    client = sign_in(ines)
    client.get("/account/webhooks")
    client.send("/account/webhooks", address=receiver.url, label="")
    receiver.usual = 503
    client.send("/account/name", name="Ines A. Okafor")
    with db.transaction():
        deliveries.plan()
    run_jobs()
    (hook,) = of(ines)
    assert hook.label == "127.0.0.1"
    page = client.get(f"/account/webhooks/{hook.id}").text
    assert "Tried again" in page and "It answered 503" in page and "1 event" in page
    assert "next attempt" in client.get("/account/webhooks").text


def test_paused_one_says_so_and_resumes_once(sign_in, ines, receiver):
    client = sign_in(ines)
    client.get("/account/webhooks")
    client.send("/account/webhooks", address=receiver.url, label="LIMS")
    where = f"/account/webhooks/{of(ines)[0].id}"
    client.send(where + "/pause")
    assert "You paused it." in client.get(where).text
    assert client.send(where + "/pause").status_code == 409
    client.send(where + "/resume")
    assert of(ines)[0].state == "active" and client.send(where + "/resume").status_code == 409
    assert "secret" in client.get(where + "/delete").text
    client.send(where + "/delete")
    assert of(ines) == []
    told = [event.action for event in db.session.query(Event).filter(Event.action.like("webhook.%"))]
    assert told == ["webhook.add", "webhook.pause", "webhook.resume", "webhook.remove"]
    assert "whsec" not in str([event.after for event in db.session.query(Event)])


@pytest.mark.parametrize("address", ["http://lims.example.org/", "https://127.0.0.1/", "https://[::1]:8000/", "x"])
def test_refused_address_keeps_what_was_typed(sign_in, ines, address):
    client = sign_in(ines)
    client.get("/account/webhooks")
    answer = client.send("/account/webhooks", address=address, label="LIMS")
    assert answer.status_code == 422 and 'value="LIMS"' in answer.text and f'value="{address}"' in answer.text
    assert of(ines) == []


def test_number_of_webhooks_is_bounded(database, ines):
    with db.transaction():
        for n in range(subscriptions.MOST):
            subscriptions.add(ines.account, outbound_hosts.parse(f"https://8.8.8.8/{n}"), label="", actor=ines.account)
        with pytest.raises(errors.Conflict) as refused:
            subscriptions.add(ines.account, outbound_hosts.parse("https://8.8.8.8/x"), label="", actor=ines.account)
    assert refused.value.message.code == "webhooks_many" and refused.value.message.values == {"most": 10}


def test_program_does_what_the_page_does(app, client, ines, receiver, run_jobs):
    from_api = app.test_client()
    client.sign_in(ines)
    client.get("/account")
    token = re.search(r"omix_[\w-]+", client.send("/account/tokens", label="LIMS").text).group()
    head = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    made = from_api.post("/api/v1/webhooks", json={"address": receiver.url, "label": "LIMS"}, headers=head)
    assert made.status_code == 201 and made.json["secret"].startswith("whsec_")
    where = f"/api/v1/webhooks/{made.json['id']}"
    assert from_api.post(where + "/actions/test", json={}, headers=head).json["state"] == "active"
    run_jobs()
    (row,) = from_api.get(where + "/tries", headers=head).json["items"]
    assert (row["action"], row["status"], row["event"]) == ("webhook.test", 204, None)
    assert receiver.received[0].is_signed_with(made.json["secret"])
    assert from_api.post(where + "/actions/pause", json={}, headers=head).json["state"] == "paused"
    listed = from_api.get("/api/v1/webhooks", headers=head).json["items"]
    assert [one["state"] for one in listed] == ["paused"] and "secret" not in listed[0]
    assert from_api.delete(where, headers=head).status_code == 204
    assert from_api.get(where, headers=head).status_code == 404
    refused = from_api.post("/api/v1/webhooks", json={"address": "https://169.254.169.254/"}, headers=head)
    assert refused.status_code == 422 and refused.json["errors"][0]["field"] == "address"
