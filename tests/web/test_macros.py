"""The widgets: roles and labels in the markup, values kept and escaped, forms that carry their token."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask, render_template_string
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined

from portal.web import formats

ROOT = Path(__file__).resolve().parents[2]
NOON = 1_795_173_720_000  # 20 Nov 2026 11:22 UTC


@pytest.fixture
def draw():
    """Render a line of template that imports the named macros."""
    app = Flask("widgets", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.update(SECRET_KEY="only for tests", SETTINGS=SimpleNamespace(timezone="Europe/Vienna"))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    CSRFProtect(app)
    formats.init_app(app)

    def render(source: str, **values) -> str:
        with app.test_request_context("/tracking"):
            return render_template_string(source, **values)

    return render


def use(file: str, *names: str) -> str:
    return f'{{% from "macros/{file}.html" import {", ".join(names)} %}}'


def test_state_gives_tone_icon_and_word(draw):
    html = draw(use("marks", "state") + "{{ state('MD5 Checked Failed') }}{{ state('Checked') }}")
    assert "pill t-bad" in html and "icons.svg#mismatch" in html and "MD5 Checked Failed" in html
    assert "pill t-ok outline" in html


def test_state_in_work_shows_its_percent_and_moves(draw):
    html = draw(use("marks", "state") + "{{ state('Checking', 63) }}")
    assert "Checking 63 %" in html and "icon spin" in html


def test_state_of_an_unknown_word_is_grey_and_escaped(draw):
    html = draw(use("marks", "state") + "{{ state(word) }}", word="<b>odd")
    assert "t-wait" in html and "&lt;b&gt;odd" in html


@pytest.mark.parametrize("name", ["waiting", "checking", "mismatch", "archived", "overdue", "copy", "theme", "person"])
def test_icon_is_in_the_sprite(draw, name):
    assert f"icons.svg#{name}" in draw(use("marks", "icon") + "{{ icon(name) }}", name=name)
    assert f'<symbol id="{name}"' in (ROOT / "static/icons.svg").read_text()


def test_size_carries_the_exact_bytes(draw):
    assert 'title="9,030,118,410 bytes">9.03 GB<' in draw(use("marks", "size") + "{{ size(9030118410) }}")


def test_moment_is_in_the_zone_of_the_site(draw):
    html = draw(use("marks", "moment") + "{{ moment(at) }}", at=NOON)
    assert "11:22" not in html.replace("T11:22", "") and "12:22" in html and "+01:00" in html


def test_filename_shows_folder_and_breaks_but_never_cuts(draw):
    html = draw(use("marks", "filename") + "{{ filename('batch/a_b.tar.gz') }}")
    assert '<span class="dir">batch/</span>a_<wbr>b.<wbr>tar.<wbr>gz' in html


def test_digest_is_whole_and_can_be_copied(draw):
    html = draw(use("marks", "digest") + "{{ digest('0123456789abcdef' * 2, of='x.bam') }}")
    assert "0123456789abcdef<wbr>0123456789abcdef" in html
    assert f'data-copy="{"0123456789abcdef" * 2}"' in html and 'aria-label="Copy MD5 of x.bam"' in html


def test_tally_says_what_it_draws(draw):
    html = draw(use("marks", "tally") + "{{ tally({'archived': 2, 'fault': 1, 'aside': 3}) }}")
    assert html.count("2 archived, 1 with a fault, 3 set aside") == 2
    assert html.count("<rect") == 3


def test_run_shows_done_rate_and_time_left(draw):
    html = draw(use("marks", "run") + "{{ run(3 * 1000**3, 4 * 1000**3, rate=412 * 1000**2, left=84, label='x.bam') }}")
    assert 'value="75"' in html and "3.00 of 4.00 GB" in html and "412 MB/s" in html and "1 min 24 s left" in html


def test_table_names_every_role(draw):
    html = draw(
        use("tables", "table", "row", "cell") + "{% call table('Files', ['Name', size]) %}"
        "{% call row(need=true, id='r1') %}{{ cell('Name', 'name', '<x>') }}{% endcall %}{% endcall %}",
        size={"label": "Size", "kind": "num", "sort": "?sort=size", "sorted": "ascending"},
    )
    for role in ("table", "rowgroup", "row", "columnheader", "cell"):
        assert f'role="{role}"' in html
    assert 'aria-sort="ascending"' in html and '<a href="?sort=size">' in html
    assert 'class="needs-action" id="r1"' in html and 'data-label="Name">&lt;x&gt;</td>' in html


def test_row_escapes_attributes_that_are_plain_text(draw):
    html = draw(use("tables", "row") + "{% call row(attrs=evil) %}{% endcall %}", evil='"><script>')
    assert "<script>" not in html


def test_row_takes_a_poll(draw):
    html = draw(use("tables", "row") + use("forms", "poll") + "{% call row(attrs=poll('/x?rev=1')) %}{% endcall %}")
    assert 'hx-get="/x?rev=1" hx-trigger="every 2s, refresh"' in html


def test_form_action_works_with_and_without_scripts(draw):
    html = draw(
        use("forms", "form_action")
        + "{{ form_action('/deposit/4/discard', 'Discard', 'delete', 'row', object='OMIX000412',"
        " fields={'version': 2}, target='#d4') }}"
    )
    assert '<form method="post" action="/deposit/4/discard"' in html and 'hx-post="/deposit/4/discard"' in html
    assert 'name="csrf_token" value="' in html and 'name="version" value="2"' in html
    assert '<span class="visually-hidden"> OMIX000412</span>' in html


def test_form_action_without_target_leaves_htmx_out(draw):
    assert "hx-" not in draw(use("forms", "form_action") + "{{ form_action('/x', 'Go') }}")


def test_text_keeps_the_value_and_ties_hint_and_fault_to_it(draw):
    html = draw(
        use("forms", "text") + "{{ text('title', 'Name', values, errors, hint='As a figure title.') }}",
        values={"title": '"quoted" <b>'},
        errors={"title": ["Say what it is."]},
    )
    assert 'value="&#34;quoted&#34; &lt;b&gt;"' in html
    assert 'aria-invalid="true" aria-describedby="f-title-h f-title-e"' in html
    assert '<label class="form-label" for="f-title">' in html and "Say what it is." in html


def test_text_never_sends_a_password_back(draw):
    html = draw(use("forms", "text") + "{{ text('pw', 'Password', {'pw': 'secret'}, type='password') }}")
    assert "secret" not in html


def test_area_keeps_a_leading_empty_line(draw):
    html = draw(use("forms", "area") + "{{ area('note', 'Remark', {'note': '\\nsecond'}) }}")
    assert ">\n\nsecond</textarea>" in html


def test_select_radios_and_check_keep_the_choice(draw):
    html = draw(
        use("forms", "select", "radios", "check") + "{{ select('kind', 'Type', ['Genomics', ('7', 'Other')], v) }}"
        "{{ radios('access', 'Access', [('open', 'Open', ''), ('controlled', 'Controlled', '')], v) }}"
        "{{ check('hgr', 'Human', v) }}",
        v={"kind": 7, "access": "controlled", "hgr": True},
    )
    assert '<option value="7" selected>' in html
    assert 'value="controlled" checked' in html and 'value="open" checked' not in html
    assert 'id="f-hgr" value="1" checked' in html


def test_error_list_links_each_fault_to_its_field(draw):
    html = draw(use("forms", "error_list") + "{{ error_list({'doi': 'Remove the full stop.', '': ['Too late.']}) }}")
    assert '<a href="#f-doi">Remove the full stop.</a>' in html and "<span>Too late.</span>" in html
    assert draw(use("forms", "error_list") + "{{ error_list({}) }}") == ""


def test_fault_puts_declared_over_received(draw):
    html = draw(use("messages", "fault") + "{{ fault('Differs.', 'md5_mismatch', 'Send it again.', 'aa', 'bb') }}")
    assert html.index("Differs.") < html.index("aa") < html.index("bb") < html.index("Send it again.")
    assert '<a class="word" href="/help/problems#md5-failed">md5_mismatch</a>' in html


def test_paging_offers_only_what_there_is(draw):
    html = draw(use("tables", "paging") + "{{ paging('1 to 9 of 9') }}")
    assert "<a" not in html
    assert 'rel="next" href="?before=9"' in draw(use("tables", "paging") + "{{ paging('1 to 9', older='?before=9') }}")


def test_facts_leave_out_what_is_not_known(draw):
    html = draw(use("flow", "facts") + "{{ facts([('Species', 'Human'), ('Filing number', none)]) }}")
    assert "Human" in html and "Filing number" not in html


def test_templates_hold_no_inline_script_or_style():
    for path in (ROOT / "templates").rglob("*.html"):
        if "email" in path.parts:
            continue
        text = path.read_text()
        assert " style=" not in text and "<style" not in text, path
        assert " onclick=" not in text and "hx-on" not in text and "js:" not in text, path
