"""A real browser that notices what a reader would not forgive: errors in its console, refused scripts, failed requests,
faults of accessibility in light and dark, and pages that scroll sideways on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.plugins.clients import program

# Playwright is loaded with the first browser: most processes only collect the tests that use one.
if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

PHONE = {"width": 380, "height": 800}
DESK = {"width": 1280, "height": 900}
# Chromium says so itself for every answer of 400 and more, also where a page expects one.
EXPECTED = ("Failed to load resource: the server responded with a status of",)


class Chromium:
    """Contexts of one browser; `faults` holds what went wrong on any of their pages."""

    def __init__(self, browser: Browser, web: str) -> None:
        self._browser, self.web = browser, web
        self.faults: list[str] = []
        self._contexts: list[BrowserContext] = []

    def page(self, **options) -> Page:
        """A page of somebody new: no cookies of others."""
        # Signs that turn while something runs would keep a processor busy drawing them.
        given = {"viewport": DESK, "accept_downloads": True, "reduced_motion": "reduce"} | options
        context = self._browser.new_context(base_url=self.web, **given)
        self._contexts.append(context)
        context.set_default_timeout(40_000)
        self._listen(context)
        return context.new_page()

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _listen(self, context: BrowserContext) -> None:
        def said(message) -> None:
            if message.type == "error" and not message.text.startswith(EXPECTED):
                self.faults.append(f"console: {message.text}")

        def failed(request) -> None:
            # A poll under way when the page is left is cut by the browser.
            if "ERR_ABORTED" not in (request.failure or ""):
                self.faults.append(f"{request.url}: {request.failure}")

        context.on("console", said)
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("requestfailed", failed)

    def sign_in(self, email: str, password: str, **options) -> Page:
        page = self.page(**options)
        page.goto("/login")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: "/login" not in url)
        return page


# Without what a browser does for itself at each start, which costs more than many a test.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
]


class Shared:
    """The one browser of this process, started when it is first asked for: that takes longer than many a page."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def browser(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            self.close()
            from playwright.sync_api import expect, sync_playwright

            expect.set_options(timeout=40_000)
            self._playwright = sync_playwright().start()
            self._browser = self._playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        return self._browser

    def close(self) -> None:
        if self._playwright is not None:
            if self._browser is not None:
                self._browser.close()
            self._playwright.stop()
        self._playwright = self._browser = None


shared = Shared()


@contextmanager
def chromium(web: str) -> Iterator[Chromium]:
    """Debian's chromium at an address; every fault it saw fails the test."""
    found = Chromium(shared.browser(), web)
    try:
        yield found
    finally:
        found.close()
    assert found.faults == []


def expect(what: Any) -> Any:
    """Playwright's assertions about a locator or page, which wait until they hold."""
    from playwright.sync_api import expect as asserting

    return asserting(what)


def look(page: Page) -> None:
    """The page as it stands: axe has nothing to say in light and dark, and nothing scrolls sideways on a phone. Nothing
    is reloaded, so what is typed stays."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state()
    # What is wrong in dark alone is a colour; the other rules need one run.
    for scheme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = Axe().run(page, options=rules)
        assert found.violations_count == 0, f"{page.url} in {scheme}: {found.generate_report()}"
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], f"{page.url} is {width} px wide on a phone"
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")


def mark(page: Page) -> None:
    """From here on the document must not be loaded again: is_same() tells."""
    page.evaluate("window.sameDocument = true")


def is_same(page: Page) -> bool:
    return bool(page.evaluate("window.sameDocument === true"))
