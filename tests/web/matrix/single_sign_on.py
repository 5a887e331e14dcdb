"""Who gets what from single sign-on: without a provider nothing; with one that is down a page that says so; links are
ended by the account they open."""

from portal import config, db
from portal.domain.accounts import identities
from portal.domain.accounts.identities import Person
from tests.conftest import INES
from tests.web.matrix.rows import Row, everyone, owner, people


def stage(state: str) -> dict[str, object]:
    """An identity of Ines; state "down": a provider that does not answer."""
    settings = config.settings()
    settings.oidc_client_id, settings.oidc_issuer = "omix", "http://127.0.0.1:9" if state == "down" else ""
    with db.transaction():
        person = Person("http://127.0.0.1:9", "1", INES.email, INES.name)
        identity = identities.link(INES.account, person, actor=INES.account)
    return {"identity": identity.id}


PRESENT = {"present": INES.password, "proof": INES.password}

ROWS = [
    Row("single_sign_on.enter", "POST", "/signon", everyone(404)),
    Row("single_sign_on.enter", "POST", "/signon", everyone(503), state="down"),
    Row("single_sign_on.prove", "POST", "/signon/prove", people(404, anonymous=303)),
    Row("single_sign_on.prove", "POST", "/signon/prove", people(503, anonymous=303), state="down"),
    Row("single_sign_on.back", "GET", "/signon/back?state=x&code=y", everyone(403), state="down"),
    Row("single_sign_on.left", "GET", "/signon/left", everyone(200)),
    Row("single_sign_on.left", "GET", "/signon/left", everyone(200), state="down"),
    Row("single_sign_on.link_page", "GET", "/signon/link", everyone(404)),
    Row("single_sign_on.link", "POST", "/signon/link", everyone(404), data={"password": INES.password}),
    Row("single_sign_on.more", "POST", "/signon/more", people(404, anonymous=303), data=PRESENT),
    Row(
        "single_sign_on.more",
        "POST",
        "/signon/more",
        people(422, anonymous=303),
        state="down",
        data={"proof": "not this"},
    ),
    Row("single_sign_on.unlink_page", "GET", "/signon/{identity}/unlink", owner(200, anonymous=303)),
    Row("single_sign_on.unlink", "POST", "/signon/{identity}/unlink", owner(303, anonymous=303), data=PRESENT),
]
