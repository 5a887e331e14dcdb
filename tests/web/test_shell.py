"""What stands around every page: headers, cookies, errors as page, fragment and problem document, the theme."""

import json

import pytest
from flask import abort

from portal import create_app, errors
from portal.messages import say


@pytest.fixture
def faulty(new_app):
    """The app with addresses that fail."""

    def fail(kind):
        def view():
            raise kind

        return view

    faults = {
        "conflict": errors.Conflict(say("slower", "Somebody was faster.")),
        "busy": errors.Busy(),
        "crash": RuntimeError("secret words"),
        "fields": errors.Invalid(fields={"title": say("title_missing", "Give a title.")}),
        "throttled": errors.Throttled(say("wait", "Wait."), retry_after=42),
    }
    for name, fault in faults.items():
        new_app.add_url_rule(f"/{name}", name, fail(fault))
        new_app.add_url_rule(f"/api/{name}", f"api_{name}", fail(fault))
    new_app.add_url_rule("/teapot", "teapot", lambda: abort(418))
    return new_app.test_client()


def test_pages_carry_a_policy_that_allows_nothing_inline(client):
    headers = client.get("/login").headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';") and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and headers["X-Content-Type-Options"] == "nosniff"
    assert "Cookie" in headers["Vary"]


def test_pages_of_signed_in_people_are_kept_by_no_cache(sign_in, ines):
    assert sign_in(ines).get("/account").headers["Cache-Control"] == "no-store"


def test_session_cookie_is_closed_to_scripts_and_plain_lines(settings, database):
    settings.public_url = "https://data.example.org"
    answer = create_app(settings).test_client().get("/login", base_url="https://data.example.org")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-omix=") and all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax"))


def test_unchanged_session_sets_no_cookie(sign_in, ines):
    client = sign_in(ines)
    client.get("/account")
    assert "Set-Cookie" not in client.get("/account").headers


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("conflict", 409, "Somebody was faster."),
        ("busy", 503, "busy"),
        ("fields", 422, "Give a title."),
        ("crash", 500, "The fault is ours"),
        ("nowhere", 404, "nothing at this address"),
        ("teapot", 418, ""),
    ],
)
def test_fault_is_a_page_and_a_fragment(faulty, address, status, said):
    page = faulty.get(f"/{address}")
    assert page.status_code == status and said in page.text and "<h1>" in page.text
    fragment = faulty.fragment(f"/{address}")
    assert fragment.status_code == status and said in fragment.text
    assert 'id="problem"' in fragment.text and "<html" not in fragment.text


def test_crash_shows_a_reference_and_nothing_else(faulty, caplog):
    text = faulty.get("/crash").text
    assert "secret words" not in text and "Traceback" not in text
    reference = caplog.messages[-1].split()[1]
    assert reference in text and "secret words" in caplog.text


def test_fault_under_api_is_a_problem_document(faulty):
    answer = faulty.get("/api/fields")
    assert answer.mimetype == "application/problem+json"
    assert json.loads(answer.text) == {
        "type": "http://localhost/help/errors#invalid",
        "help": "http://localhost/help/errors",
        "title": "Some of this needs mending",
        "status": 422,
        "code": "invalid",
        "detail": "Some of this needs mending",
        "errors": [{"field": "title", "detail": "Give a title."}],
    }
    assert faulty.get("/api/throttled").headers["Retry-After"] == "42"
    assert faulty.get("/busy").headers["Retry-After"] == "5"


def test_old_page_gives_the_typed_words_back(client):
    typed = {"title": "Livers <b>", "was.title": "Old", "new_password": "secret"}
    answer = client.post("/deposit/1", data=typed)
    assert answer.status_code == 400 and "Nothing you typed is lost" in answer.text
    assert "Livers &lt;b&gt;</textarea>" in answer.text
    assert "Old" not in answer.text.partition("Nothing you typed")[2] and "secret" not in answer.text


def test_other_site_does_not_write_into_our_page(client):
    answer = client.post("/deposit/1", data={"title": "Call this number"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 400 and "Call this number" not in answer.text


def test_session_that_ran_out_gives_the_typed_words_back(client, database):
    answer = client.send("/deposit/1", title="Livers under stress", description="")
    assert answer.status_code == 401 and "Livers under stress</textarea>" in answer.text
    assert 'href="/login"' in answer.text


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example.org"}, {"Sec-Fetch-Site": "cross-site"}])
def test_request_of_another_site_is_refused_even_with_the_token(sign_in, ines, headers):
    client = sign_in(ines)
    client.get("/account")
    answer = client.post("/account/name", data={"csrf_token": client.token, "name": "Forged"}, headers=headers)
    assert answer.status_code == 400 and ines.account.name == ines.name


def test_guest_is_sent_to_sign_in_and_back_and_a_program_gets_401(client, ines):
    answer = client.get("/account?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/account?x%3D1")
    polled = client.get("/account", headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/tracking"})
    assert polled.headers["HX-Redirect"] == "/login?next=/tracking"
    assert client.get("/account", headers={"Accept": "*/*"}).status_code == 401


def test_theme_is_kept_in_a_cookie_and_written_by_the_server(client):
    answer = client.send("/account/theme", theme="dark", next="/reset")
    assert answer.headers["Location"] == "/reset"
    assert 'data-bs-theme="dark"' in client.get("/reset").text
    client.send("/account/theme", theme='"><script>', next="//evil.example.org")
    assert 'data-bs-theme="dark"' in client.get("/reset").text


def test_secret_key_is_made_once_and_private(settings, database):
    first = create_app(settings).config["SECRET_KEY"]
    assert create_app(settings).config["SECRET_KEY"] == first and len(first) >= 43
    assert (settings.keys / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.keys.iterdir()] == ["secret"]


def test_large_form_is_refused(client):
    client.get("/reset")
    answer = client.post("/reset", data={"csrf_token": client.token, "email": "x" * (5 << 20)})
    assert answer.status_code == 413
