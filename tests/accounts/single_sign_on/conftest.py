"""A provider on this machine that the portal is set up for, and people whom it knows."""

import pytest

from portal import clock, db
from portal.domain.accounts import identities
from portal.web.accounts.single_sign_on.provider import forget
from tests.accounts.single_sign_on.steps import NEW, sign_on
from tests.provider import CLIENT, INES, SECRET, Provider


@pytest.fixture
def provider(settings):
    clock.reset()  # the provider says by the clock of the machine when somebody signed in
    with Provider() as running:
        settings.oidc_issuer, settings.oidc_name = running.issuer, "Northmere sign-on"
        settings.oidc_client_id, settings.oidc_client_secret = CLIENT, SECRET
        forget()
        yield running


@pytest.fixture
def linked(provider, ines):
    """Ines's account opens by what the provider calls her."""
    with db.transaction():
        person = identities.Person(provider.issuer, INES["sub"], INES["email"], INES["name"])
        identities.link(ines.account, person, actor=ines.account)
    return ines


@pytest.fixture
def nils(client, provider):
    """Somebody without a password, signed on an hour after they gave it to the provider."""
    provider.person = NEW
    sign_on(client)
    client.get("/account")
    return client
