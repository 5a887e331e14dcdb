"""What every page owes its reader, checked on each page that a test fetches: a title, one h1, labelled fields, forms
with their token, no id twice, targets that exist, nothing inline that the content policy would block."""

import re
from collections import Counter
from collections.abc import Mapping

from lxml import html

# A line break within a sentence or a tag, and what keeps its line breaks.
BREAK = re.compile(r"(?<=[^>\s])\n +(?=\S)|(?<=\S)\n +(?=[^<\s])")
TOKEN = re.compile(r'<input [^>]*name="csrf_token" [^>]*?value="([^"]*)"')
VERBATIM = re.compile(r"(<(pre|textarea|script)\b.*?</\2>)", re.DOTALL)
FIELDS = "//input[not(@type='hidden' or @type='submit' or @type='button')] | //select | //textarea"


def check(text: str) -> None:
    """Raise AssertionError naming every fault of a page or fragment."""
    whole = "<html" in text[:500].lower()
    tree = html.document_fromstring(text) if whole else html.fragment_fromstring(text, create_parent="div")
    faults = [*_ids(tree), *_fields(tree), *_forms(tree), *_inline(tree), *(_whole(tree) if whole else [])]
    assert not faults, "; ".join(faults)


def unwrap(text: str) -> str:
    """The source of a page with each sentence on one line, wherever its template breaks it."""
    parts = VERBATIM.split(text)
    return "".join(part if at % 3 == 1 else BREAK.sub(" ", part) for at, part in enumerate(parts) if at % 3 != 2)


def check_headers(mimetype: str, headers: Mapping[str, str]) -> None:
    """Whatever is no page may hold what somebody sent: a browser that opens it runs nothing of it."""
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert mimetype == "text/html" or policy == "sandbox; default-src 'none'", f"{mimetype} under {policy}"


def token(text: str) -> str | None:
    """The CSRF token of the first form of a page."""
    field = TOKEN.search(text)
    return field[1] if field else None


def _whole(tree) -> list[str]:
    faults = []
    if not (tree.findtext(".//title") or "").strip(" |"):
        faults.append("the page has no title")
    headings = tree.xpath("//h1")
    if len(headings) != 1:
        faults.append(f"the page has {len(headings)} h1")
    ids = set(tree.xpath("//@id"))
    faults += [
        f"hx-target {target} is not there"
        for target in tree.xpath("//@hx-target")
        if target.startswith("#") and target[1:] not in ids
    ]
    faults += [
        f"{name} of nothing: {value}"
        for name in ("aria-labelledby", "aria-describedby")
        for value in tree.xpath(f"//@{name}")
        if not set(value.split()) <= ids
    ]
    faults += [
        f"a link to #{anchor[1:]} leads nowhere"
        for anchor in tree.xpath("//a/@href")
        if anchor.startswith("#") and anchor[1:] not in ids
    ]
    return faults


def _ids(tree) -> list[str]:
    counted = Counter(tree.xpath("//@id"))
    return [f"id {name} is there twice" for name in sorted(name for name, count in counted.items() if count > 1)]


def _fields(tree) -> list[str]:
    labelled = set(tree.xpath("//label/@for"))
    return [
        f"field {field.get('name') or field.get('id')} has no label"
        for field in tree.xpath(FIELDS)
        if field.get("id") not in labelled
        and not field.get("aria-label")
        and not field.get("aria-labelledby")
        and not field.xpath("ancestor::label")
    ]


def _forms(tree) -> list[str]:
    posts = [form for form in tree.xpath("//form") if (form.get("method") or "get").lower() == "post"]
    bare = [form for form in posts if not form.xpath(".//input[@name='csrf_token']")]
    silent = [form for form in tree.xpath("//form") if not form.xpath(".//button | .//input[@type='submit']")]
    return [f"form {form.get('action')} has no CSRF token" for form in bare] + [
        f"form {form.get('action')} has no button" for form in silent
    ]


def _inline(tree) -> list[str]:
    faults = [f"inline style on <{node.tag}>" for node in tree.xpath("//*[@style]")]
    faults += [
        f"inline handler {value.attrname}"
        for value in tree.xpath("//@*[starts-with(name(), 'on') or starts-with(name(), 'hx-on')]")
    ]
    faults += ["inline script" for node in tree.xpath("//script[not(@src or @type='application/ld+json')]")]
    faults += [
        f"an empty {name}" for name in ("href", "action", "hx-get", "hx-post") for _ in tree.xpath(f"//*[@{name}='']")
    ]
    return faults
