"""What the scripts of the form do beyond it, in a real browser: human data turn controlled, odd names get the archive's
suggestion, and size advice stands beside what is chosen."""

import threading

import pytest
from werkzeug.serving import make_server

from portal import db
from portal.domain.datasets import datasets
from tests.chromium import chromium, expect, look
from tests.conftest import INES
from tests.plugins.clients import needs

pytestmark = [needs("chromium"), pytest.mark.full]


@pytest.fixture
def web(app):
    """The app of this process at a port."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


def test_human_data_turn_controlled_and_odd_names_get_the_archives_suggestion(settings, web, tmp_path):
    with db.transaction():
        made = datasets.create(actor=INES.account).id
    settings.many_files = 2
    for name in ("данные опыта.txt", "Größe.csv", "Große.csv", "._Größe.csv", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"x")
    sent = sorted(path for path in tmp_path.iterdir() if path.is_file())
    with chromium(web) as browser:
        page = browser.sign_in(INES.email, INES.password)
        page.goto(f"/deposit/{made}")
        page.get_by_label("human genetic resources").check()
        expect(page.get_by_label("Controlled access.")).to_be_checked()
        expect(page.locator("#f-access .save-status")).to_contain_text("Saved")
        page.locator("#uploader input[type=file]").first.set_input_files(sent)
        expect(page.get_by_label("Store данные опыта.txt as")).to_have_value("dannye_opyta.txt")
        both = [page.get_by_label(f"Store {name} as") for name in ("Große.csv", "Größe.csv")]
        expect(both[0]).to_have_value("Grosse.csv")
        expect(both[1]).to_have_value("Grosse_2.csv")
        expect(page.locator("#uploader .left-out")).to_contain_text("2 companion files")
        expect(page.locator("#uploader li")).to_have_count(3)
        expect(page.locator("#uploader .many")).to_be_visible()
        look(page)
        page.goto(f"/deposit/{made}")
        expect(page.get_by_label("Controlled access.")).to_be_checked()
        page.get_by_label("human genetic resources").uncheck()
        page.get_by_label("Open access.").check()
        page.get_by_label("human genetic resources").check()
        expect(page.locator(".field", has=page.locator("#f-human")).locator(".save-status")).to_contain_text("Saved")
        expect(page.get_by_label("Open access.")).to_be_checked()
