"""A grant as a signed statement: JSON Web Signature (RFC 7515, flattened JSON, EdDSA with Ed25519), so that an audit
can check it with any JOSE library or with openssl, without the portal."""

import json
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import OKPKey
from joserfc.jws import HeaderDict, JWSRegistry

from portal import clock, errors, keys, states
from portal.config import settings
from portal.domain.access_requests import download_log, terms
from portal.domain.files import accessions
from portal.domain.permissions import active_grants
from portal.domain.shared import notifications
from portal.messages import say
from portal.models import Request

ALGORITHM = "EdDSA"
GIVEN = (states.GRANTED, states.REVOKED, states.ENDED)


def key() -> Ed25519PrivateKey:
    """The site's key, in keys/statement.pem: made once, whichever process comes first."""
    path = settings().keys / "statement.pem"
    if not path.exists():
        _make_key(path)
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    return private


def _make_key(path: Path) -> None:
    words = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    keys.write_once(path, words)


def public_key() -> str:
    """The key to check statements with, as PEM."""
    public = key().public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def key_id() -> str:
    """A short name of the key: statements say which signed them."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public_key().encode())
    return digest.finalize().hex()[:16]


def of(request: Request) -> dict[str, object]:
    """What was granted to whom, under which terms, by whom, and how it stands now."""
    if request.state not in GIVEN:
        raise errors.Conflict(
            say("statement_not_granted", "There is a statement of what was granted; this request was not.")
        )
    dataset, agreed = request.dataset, request.terms or terms.of(request.dataset)
    files = [accessions.of_file(dataset.accession, n) for n in sorted(active_grants.numbers(request.id))]
    return {
        "statement": "grant of access to controlled data",
        "archive": settings().site_name,
        "address": notifications.site_url(f"/requests/{request.id}"),
        "request": request.id,
        "dataset": dataset.accession,
        "title": dataset.title,
        "files": files or "all",
        "granted_to": {
            "name": request.account.name,
            "email": request.account.email,
            "institution": request.institution,
        },
        "principal_investigator": request.principal_investigator,
        "purpose": request.purpose,
        "ethics": request.ethics,
        "answers": request.answers,
        "terms": {
            "version": agreed.version,
            "own": agreed.dataset_id is not None,
            "conditions": agreed.uses,
            "text": agreed.agreement,
            "agreed_as": request.agreement,
            "agreed_at": moment(request.agreed_at),
        },
        "asked_at": moment(request.asked_at),
        "decided_at": moment(request.decided_at),
        "decided_by": request.decider.name if request.decider else None,
        "committee": terms.committee(dataset) or None,
        "from": moment(request.from_at),
        "until": moment(request.until_at),
        "state": request.state,
        "ended_at": moment(request.ended_at),
        "downloads": [_line(event.at, event.after or {}) for event in download_log.of_request(request)],
        "stated_at": moment(clock.now()),
    }


def _line(at: int, after: dict[str, object]) -> dict[str, object]:
    return {"at": moment(at)} | {
        name: after.get(name) for name in ("name", "via", "address", "offset", "bytes", "whole")
    }


def moment(ms: int | None) -> str | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def signed(request: Request) -> dict[str, object]:
    """The statement with its signature. `payload` holds exactly the bytes that are signed; `statement` says the same
    to people."""
    statement = of(request)
    header: HeaderDict = {"protected": {"alg": ALGORITHM, "kid": key_id(), "typ": "JOSE+JSON"}}
    payload = json.dumps(statement, ensure_ascii=False, sort_keys=True)
    return {"statement": statement, **jws.serialize_json(header, payload, OKPKey.import_key(key()), registry=EdDSA())}


class EdDSA(JWSRegistry):
    """The algorithm of every statement since the first, and no other. RFC 9864 renames it to Ed25519, which the library
    warns of and which what auditors have at hand may not know yet."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name != ALGORITHM:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]
