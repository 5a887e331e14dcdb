"""What text may be: whatever is taken, XML carries; what it cannot carry is refused and named."""

import pytest
from lxml import etree

from portal import errors
from portal.domain.shared import text_rules

EVERY = [chr(point) for point in range(0x110000)]
# Noncharacters that XML forbids: no line that is typed can be kept with one.
REFUSED = ("\ufffe", "\uffff")


def is_carried(text: str) -> bool:
    try:
        element = etree.Element("T")
        element.text = text
    except ValueError:
        return False
    return etree.fromstring(etree.tostring(element)).text == (text or None)


@pytest.mark.full
def test_every_character_is_carried_by_xml_or_refused():
    taken, refused = [], []
    for char in EVERY:
        try:
            taken.append(text_rules.prose(f"a{char}b"))
        except errors.Invalid:
            refused.append(char)
    assert refused == list(REFUSED)
    assert is_carried("\n".join(taken))


def test_the_rule_is_that_of_xml_and_of_no_other():
    fit = [char for char in EVERY if not 0xD800 <= ord(char) < 0xE000 and _passes(char)]
    assert [hex(ord(char)) for char in EVERY if char.isspace() and not _passes(char)] == [
        hex(point) for point in (0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F)
    ]
    assert is_carried("".join(char for char in fit if char != "\r"))
    assert not any(is_carried(char) for char in EVERY[:0x20] if not _passes(char))


def _passes(char: str) -> bool:
    try:
        return text_rules.check_characters(char) == char
    except errors.Invalid:
        return False


@pytest.mark.parametrize("char", REFUSED)
@pytest.mark.parametrize("rule", [text_rules.line, text_rules.prose])
def test_refusal_names_the_character_and_its_place(rule, char):
    with pytest.raises(errors.Invalid) as refusal:
        rule(f"Serum{char} lipids")
    assert f"Character 6 is U+{ord(char):04X}" in refusal.value.sentence


def test_what_other_programs_say_is_carried():
    assert text_rules.carried("Ines\uffff O\x00K\ud800") == "Ines\ufffd O\ufffdK\ufffd"
    assert text_rules.carried("Zoë 😀") == "Zoë 😀"
