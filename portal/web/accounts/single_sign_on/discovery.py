"""The provider's own description (OpenID Connect Discovery), and what of it is believed: its name, safe addresses,
signatures that nobody else can make."""

import logging
from typing import Any

from portal import config
from portal.messages import say
from portal.web.accounts.single_sign_on.faults import Broken

log = logging.getLogger(__name__)
# What the portal takes: signatures by a key that only the provider holds. Never "none", never a shared secret.
SIGNATURES = frozenset(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)) | {"EdDSA"}
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OPTIONAL_ENDPOINTS = ("userinfo_endpoint", "end_session_endpoint")


def checked(document: dict[str, Any], issuer: str) -> dict[str, Any]:
    """The trusted part of a discovery document. Raises Broken."""
    if str(document.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise _broken(issuer, f"it calls itself {document.get('issuer')!r}")
    kept = {"issuer": document["issuer"], "_loaded_at": document.get("_loaded_at", 0)}
    kept |= {name: str(document[name]) for name in (*ENDPOINTS, *OPTIONAL_ENDPOINTS) if document.get(name)}
    unsafe = [name for name in ENDPOINTS if not config.is_safe_address(kept.get(name, ""))]
    unsafe += [name for name in OPTIONAL_ENDPOINTS if name in kept and not config.is_safe_address(kept[name])]
    if unsafe:
        raise _broken(issuer, f"no safe address for {', '.join(unsafe)}")
    signatures = SIGNATURES & set(words(document, "id_token_signing_alg_values_supported", "RS256"))
    if not signatures:
        raise _broken(issuer, "it signs in no way that is taken here")
    named = document.get("authorization_response_iss_parameter_supported") is True
    return kept | {
        "id_token_signing_alg_values_supported": sorted(signatures),
        "authorization_response_iss_parameter_supported": named,
    }


def words(document: dict[str, Any], name: str, default: str) -> list[str]:
    """A list of words in a discovery document; where there is none, the protocol's default."""
    listed = document.get(name)
    return [str(word) for word in listed] if isinstance(listed, list) and listed else [default]


def _broken(issuer: str, why: str) -> Broken:
    log.error("the provider at %s cannot be used: %s", issuer, why)
    return Broken(
        say(
            "provider_not_believed",
            "{provider} describes itself in a way that this site does not believe.",
            provider=config.settings().oidc_name,
        )
    )
