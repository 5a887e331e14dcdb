"""The check of single sign-on: the provider that was set answers under its own name."""

from portal.maintenance.self_check import BAD, OK, WARN, single_sign_on
from tests.provider import Provider


def levels() -> list[str]:
    return [finding.level for finding in single_sign_on.check()]


def test_no_provider_is_nothing_to_mend(settings):
    assert levels() == [OK]


def test_provider_that_answers_is_fine_and_the_address_to_register_is_named(settings):
    with Provider() as provider:
        settings.oidc_issuer, settings.public_url = provider.issuer + "/", "https://data.example.org"
        (found,) = single_sign_on.check()
        assert found.level == OK and "https://data.example.org/signon/back" in found.says
        settings.public_url = ""
        assert levels() == [OK, WARN]


def test_provider_of_another_name_or_none_is_bad(settings):
    settings.public_url = "https://data.example.org"
    with Provider() as provider:
        settings.oidc_issuer = provider.issuer
        provider.described = {"issuer": "https://elsewhere.example.org"}
        assert levels() == [BAD]
    settings.oidc_issuer = "http://127.0.0.1:9"
    assert levels() == [BAD]
