"""Sharing links: who makes, lists and revokes them, and what they show, by the state of a dataset."""

from portal import db
from portal.domain.accounts import accounts
from portal.domain.datasets import publications, share_links
from portal.domain.permissions import access
from tests.web.matrix import catalogue
from tests.web.matrix.rows import Row, everyone, owner

# State of the dataset, and what happened to its link.
LIVE = "approved"


def stage(state: str) -> dict[str, object]:
    """A dataset with one archived file and a link made while it was approved; "approved revoked" ..."""
    name, _, link_is = (state or LIVE).partition(" ")
    found = catalogue.stage("approved")
    with db.transaction():
        dataset = access.load(str(found["ref"]), actor=accounts.by_email("ruth.adeyemi@example.org"))
        link, found["token"] = share_links.make(dataset, actor=dataset.account)
        found["paper"] = publications.record(dataset, "10.1234/a", actor=None, source="list").id
        if link_is == "revoked":
            share_links.revoke(dataset, link.n, actor=dataset.account)
        if link_is == "expired":
            link.expires_at = 1
        dataset.state = name
        if name == "released":
            dataset.released_at = 1
            share_links.end_all(dataset)
    return found


NOT_OTHERS = owner(200, anonymous=303, ruth=200)
SENT = owner(303, anonymous=303, ruth=303)
BEARER = owner(200, anonymous=401, ruth=200)

ROWS = [
    Row("share_page.show", "GET", "/share/{token}", everyone(200)),
    Row("share_page.show", "GET", "/share/{token}", everyone(200), state="submitted"),
    Row("share_page.show", "GET", "/share/{token}", everyone(404), state="approved revoked"),
    Row("share_page.show", "GET", "/share/{token}", everyone(404), state="approved expired"),
    Row("share_page.show", "GET", "/share/{token}", everyone(404), state="withdrawn"),
    Row("share_page.show", "GET", "/share/{token}", everyone(410), state="released"),
    Row("share_page.show", "GET", "/share/nobody-made-this", everyone(404)),
    Row("share_page.no_bytes", "GET", "/share/{token}/files/a.txt", everyone(403)),
    Row("share_page.no_bytes", "GET", "/share/{token}/files/a.txt", everyone(404), state="approved revoked"),
    Row("share_page.no_bytes", "GET", "/share/{token}/files/a.txt", everyone(410), state="released"),
    Row("datasets.links_page", "GET", "/deposit/{ref}/links", NOT_OTHERS),
    Row("datasets.link_page", "GET", "/deposit/{ref}/links/1", NOT_OTHERS),
    Row(
        "datasets.make_link",
        "POST",
        "/deposit/{ref}/links",
        NOT_OTHERS | {"anonymous": 401},
        data={"label": "A journal"},
    ),
    Row(
        "datasets.make_link",
        "POST",
        "/deposit/{ref}/links",
        owner(409, anonymous=303, others=403, ruth=409),
        state="released",
    ),
    Row("datasets.revoke_link", "POST", "/deposit/{ref}/links/1/revoke", SENT),
    Row("datasets.add_publication", "POST", "/deposit/{ref}/publications", SENT, data={"publication": "10.1234/b"}),
    Row("datasets.remove_publication", "POST", "/deposit/{ref}/publications/{paper}/remove", SENT),
    Row(
        "api.make_link",
        "POST",
        "/api/v1/datasets/{ref}/links",
        owner(201, anonymous=404, ruth=201),
        json={},
        bearer=True,
    ),
    Row("api.list_links", "GET", "/api/v1/datasets/{ref}/links", owner(200, anonymous=404, ruth=200), bearer=True),
    Row(
        "api.list_links",
        "GET",
        "/api/v1/datasets/{ref}/links",
        owner(200, anonymous=401, others=403, ruth=200),
        bearer=True,
        state="released",
    ),
    Row(
        "api.revoke_link", "DELETE", "/api/v1/datasets/{ref}/links/1", owner(204, anonymous=404, ruth=204), bearer=True
    ),
    Row(
        "api.add_publication",
        "POST",
        "/api/v1/datasets/{ref}/publications",
        owner(201, anonymous=404, ruth=201),
        json={"publication": "pmid:39000001"},
        bearer=True,
    ),
    Row(
        "api.list_publications",
        "GET",
        "/api/v1/datasets/{ref}/publications",
        owner(200, anonymous=404, ruth=200),
        bearer=True,
    ),
    Row(
        "api.remove_publication",
        "DELETE",
        "/api/v1/datasets/{ref}/publications/{paper}",
        owner(204, anonymous=404, ruth=204),
        bearer=True,
    ),
]
