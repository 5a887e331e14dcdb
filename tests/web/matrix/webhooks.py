"""Who gets what from the webhooks of an account, by page and by API: they are its owner's alone."""

from portal import db
from portal.domain.accounts import accounts
from portal.domain.shared import outbound_hosts
from portal.domain.webhooks import subscriptions
from tests.web.matrix.rows import Row, owner, people


def stage(state: str) -> dict[str, object]:
    """A webhook of Ines, paused where `state` says so. Names mean a public address here; nothing is called."""
    ines = accounts.by_email("ines.okafor@example.org")
    assert ines is not None
    with db.transaction():
        hook = subscriptions.add(ines, outbound_hosts.parse("https://93.184.215.14/"), label="LIMS", actor=ines)
        if state == "paused":
            subscriptions.pause(hook, actor=ines)
    return {"hook": hook.id}


PAGE, CALL = "/account/webhooks", "/api/v1/webhooks"
MINE, SENT = owner(200, anonymous=303), owner(303, anonymous=303)
GIVEN = {"address": "https://8.8.8.8/omix", "label": "LIMS"}
INSIDE = {"address": "https://127.0.0.1/omix"}


def call(endpoint, method, path, expect, **more):
    return Row(f"api.{endpoint}", method, CALL + path, expect, bearer=True, **more)


ROWS = [
    Row("webhooks.listing", "GET", PAGE, people(200, anonymous=303)),
    Row("webhooks.add", "POST", PAGE, people(200, anonymous=401), data=GIVEN),
    Row("webhooks.add", "POST", PAGE, people(422, anonymous=303), data=INSIDE, state="inside"),
    Row("webhooks.show", "GET", PAGE + "/{hook}", MINE),
    Row("webhooks.test", "POST", PAGE + "/{hook}/test", SENT),
    Row("webhooks.pause", "POST", PAGE + "/{hook}/pause", SENT),
    Row("webhooks.pause", "POST", PAGE + "/{hook}/pause", owner(409, anonymous=303), state="paused"),
    Row("webhooks.resume", "POST", PAGE + "/{hook}/resume", owner(409, anonymous=303)),
    Row("webhooks.resume", "POST", PAGE + "/{hook}/resume", SENT, state="paused"),
    Row("webhooks.delete_page", "GET", PAGE + "/{hook}/delete", MINE),
    Row("webhooks.delete", "POST", PAGE + "/{hook}/delete", SENT),
    call("list_webhooks", "GET", "", people(200, anonymous=401)),
    call("add_webhook", "POST", "", people(201, anonymous=401), json=GIVEN),
    call("add_webhook", "POST", "", people(422, anonymous=401), json=INSIDE, state="inside"),
    call("show_webhook", "GET", "/{hook}", owner(200, anonymous=401)),
    call("remove_webhook", "DELETE", "/{hook}", owner(204, anonymous=401)),
    call("act_on_webhook", "POST", "/{hook}/actions/test", owner(200, anonymous=401), json={}),
    call("act_on_webhook", "POST", "/{hook}/actions/pause", owner(200, anonymous=401), json={}),
    call("act_on_webhook", "POST", "/{hook}/actions/resume", owner(409, anonymous=401), json={}),
    call("act_on_webhook", "POST", "/{hook}/actions/explode", people(404, anonymous=404), json={}),
    call("list_tries", "GET", "/{hook}/tries", owner(200, anonymous=401)),
]
