"""What a provider says of itself, and how much of it is believed: its own name, addresses that are safe, signatures
that nobody else can make."""

import logging
from typing import Any

from portal import config
from portal.web.accounts.single_sign_on.faults import Broken

log = logging.getLogger(__name__)
# What the portal takes: signatures by a key that only the provider holds. Never "none", never a shared secret.
SIGNATURES = frozenset(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)) | {"EdDSA"}
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OPTIONAL_ENDPOINTS = ("userinfo_endpoint", "end_session_endpoint")


def checked(said: dict[str, Any], issuer: str) -> dict[str, Any]:
    """What is believed of what a provider says of itself."""
    if str(said.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise _broken(issuer, f"it calls itself {said.get('issuer')!r}")
    kept = {"issuer": said["issuer"], "_loaded_at": said.get("_loaded_at", 0)}
    kept |= {name: str(said[name]) for name in (*ENDPOINTS, *OPTIONAL_ENDPOINTS) if said.get(name)}
    unsafe = [name for name in ENDPOINTS if not config.is_safe_address(kept.get(name, ""))]
    unsafe += [name for name in OPTIONAL_ENDPOINTS if name in kept and not config.is_safe_address(kept[name])]
    if unsafe:
        raise _broken(issuer, f"no safe address for {', '.join(unsafe)}")
    signatures = SIGNATURES & set(words(said, "id_token_signing_alg_values_supported", "RS256"))
    if not signatures:
        raise _broken(issuer, "it signs in no way that is taken here")
    named = said.get("authorization_response_iss_parameter_supported") is True
    return kept | {
        "id_token_signing_alg_values_supported": sorted(signatures),
        "authorization_response_iss_parameter_supported": named,
    }


def words(said: dict[str, Any], name: str, default: str) -> list[str]:
    """A list of words; where none is given, the protocol's default."""
    found = said.get(name)
    return [str(word) for word in found] if isinstance(found, list) and found else [default]


def _broken(issuer: str, why: str) -> Broken:
    log.error("the provider at %s cannot be used: %s", issuer, why)
    return Broken(f"{config.settings().oidc_name} describes itself in a way that this site does not believe.")
