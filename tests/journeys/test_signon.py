"""Single sign-on in a real browser, against a real provider: somebody without an account signs on, sends a file with an
FTP password and sets a password; an account that exists is linked; the provider goes away."""

import ftplib
import io
import re

import pytest

from tests.chromium import chromium, expect, look
from tests.live import Live
from tests.plugins.clients import needs
from tests.provider import CLIENT, INES, SECRET, Provider

pytestmark = [needs("chromium"), pytest.mark.full]
RUTH, PASSWORD = "ruth.adeyemi@example.org", "correct horse"
BUTTON = "Sign in with Northmere sign-on"


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        running.person = None
        yield running


@pytest.fixture(scope="module")
def live(tmp_path_factory, provider):
    settings = {"ISSUER": provider.issuer, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET, "NAME": "Northmere sign-on"}
    extra = {f"OMIX_OIDC_{name}": value for name, value in settings.items()}
    with Live(tmp_path_factory.mktemp("signon") / "instance", **extra) as started:
        started.add(RUTH, role="curator", password=PASSWORD)
        yield started


@pytest.fixture
def browser(live):
    with chromium(live.web) as found:
        yield found


def sign_on(page) -> None:
    """By the page of the provider, which has a button for Ines."""
    page.goto("/login")
    look(page)
    page.get_by_role("button", name=BUTTON).click()
    page.get_by_role("button", name="I am Ines").click()
    page.wait_for_url(re.compile("/deposit$"))


def send_by_ftp(live, page) -> None:
    page.goto("/account")
    look(page)
    page.get_by_role("button", name="Make one").click()
    secret = page.locator(".copy-field code").inner_text()
    look(page)
    with ftplib.FTP() as client:
        client.connect(live.ftp.hostname, live.ftp.port)
        client.login(INES["email"], secret)
        assert client.storbinary("STOR /OMIX/counts.tsv", io.BytesIO(b"gene\tcount\n")).startswith("226")
    page.goto("/area")
    expect(page.get_by_text("counts.tsv").first).to_be_visible()


def set_password(page) -> None:
    """There is none to type: the provider asks for its own once more."""
    page.goto("/account")
    page.get_by_role("button", name=f"{BUTTON} again").click()
    page.get_by_role("button", name="I am Ines").click()
    page.wait_for_url(re.compile("/account#pw"))
    look(page)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("The password is changed")).to_be_visible()


def test_person_without_an_account_signs_on_and_sends_by_ftp(live, browser):
    page = browser.page()
    sign_on(page)
    send_by_ftp(live, page)
    set_password(page)
    page.get_by_role("link", name=f"Unlink {INES['email']}").click()
    look(page)
    page.locator("#menu-account summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(re.compile("/signon/left"))
    look(page)
    page.context.close()
    browser.sign_in(INES["email"], PASSWORD).context.close()


def test_account_that_exists_is_linked_after_its_password(live, browser, provider):
    provider.person = {"sub": "9", "email": RUTH, "email_verified": True, "name": "Ruth Adeyemi"}
    page = browser.page()
    page.goto("/review")
    page.get_by_role("button", name=BUTTON).click()
    page.wait_for_url(re.compile("/signon/link"))
    look(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in and link").click()
    page.wait_for_url(re.compile("/review"))
    page.context.close()
    plain = browser.page(java_script_enabled=False)
    plain.goto("/login")
    plain.get_by_role("button", name=BUTTON).click()
    plain.wait_for_url(re.compile("/review"))
    plain.context.close()


def test_provider_that_is_gone_leaves_the_password(live, browser, provider):
    provider.silent = True
    page = browser.page()
    page.goto("/login")
    page.get_by_role("button", name=BUTTON).click()
    expect(page.get_by_role("heading", name="Single sign-on does not answer")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Sign in with e-mail and password").click()
    page.get_by_label("E-mail").fill(RUTH)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile("/review"))
    page.context.close()
