"""What a refused form held is shown again, to be copied; secrets are not."""

from tests.conftest import INES


def test_words_of_a_form_that_is_too_old_are_shown_and_no_secret(app, sign_in):
    browser = sign_in(INES)
    browser.token = "an old one"
    words = {
        "purpose": "To count livers",
        "institution": "Northmere",
        "answer_2": "For two years",
        "questions": "Which samples?",
        "value": "Livers <b>",
    }
    answer = browser.send("/deposit/new", password="correct horse", ftp_password="horse", once="k", **words)

    assert answer.status_code == 400
    for word in ("To count livers", "Northmere", "For two years", "Which samples?", "Livers &lt;b&gt;"):
        assert word in answer.text, word
    assert "horse" not in answer.text and "an old one" not in answer.text


def test_words_that_another_site_sent_are_not_shown(app, sign_in):
    browser = sign_in(INES)
    answer = browser.post("/deposit/new", data={"purpose": "Their words"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 400 and "Their words" not in answer.text
