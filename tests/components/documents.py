"""Documents made by chance: attributes, namespaces, comments, CDATA, references, mixed content, line endings."""

from random import Random

NAMES = ("A", "b-c", "d.e", "Élan", "x:f", "TITLE", "STUDY_REF")
BLANKS = (" ", "\n", "\n  ", "\t", "  \n\n  ", " " * 40, " " * 400)
WORDS = (
    "text",
    "é",
    "漢字",
    "a ] b",
    "]]",
    "x&amp;y",
    "&lt;&gt;&quot;&apos;",
    "&#233;",
    "&#x6F22;",
    "&#13;",
    "&#10;",
    "&#9;",
    "&#32;",
    "'\"",
    "\U0001f600",
    "é" * 400,
)
VALUES = ("", "1", "a\nb", "a\tb", "&quot;'", "&lt;", "&gt;>", "é", "&#10;&#9;&#13;", "  x  ", "&amp;", "漢")


class Writer:
    """One seed, one series of documents."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)

    def text(self) -> str:
        draw, chance = self.chance.random(), self.chance
        if draw < 0.35:
            return chance.choice(BLANKS)
        if draw < 0.7:
            return chance.choice(("", " ", "\n ")) + chance.choice(WORDS) + chance.choice(("", " ", "\n "))
        if draw < 0.8:
            return f"<![CDATA[{chance.choice(('', ' ', 'a<b', '&amp;', 'é'))}]]>"
        if draw < 0.9:
            return f"<!--{chance.choice(('', ' c ', 'é', '<x>', ' ]]> '))}-->"
        return f"<?pi{chance.choice(('', ' ', ' d ata', ' é>'))}?>"

    def attributes(self) -> str:
        chance, found = self.chance, []
        for name in chance.sample(("p", "q", "x:r", "xml:lang", "xml:space", "é"), chance.randint(0, 3)):
            value = chance.choice(("preserve", "default") if name == "xml:space" else VALUES)
            quote = "'" if chance.random() < 0.3 and "'" not in value else '"'
            found.append(f"{chance.choice((' ', chr(10)))}{name}{chance.choice(('', ' '))}={quote}{value}{quote}")
        if chance.random() < 0.2:
            found.append(f' xmlns:{chance.choice(("x", "y"))}="urn:{chance.randint(1, 2)}"')
        if chance.random() < 0.1:
            found.append(f' xmlns="urn:{chance.choice(("d", "e"))}"')
        chance.shuffle(found)
        return "".join(found)

    def element(self, depth: int, name: str = "", more: str = "") -> str:
        chance = self.chance
        name = name or chance.choice(NAMES)
        head = name + more + self.attributes()
        count = chance.randint(0, 5) if depth else 0
        if not count and chance.random() < 0.5:
            return f"<{head}/>"
        inside = "".join(self.element(depth - 1) if chance.random() < 0.45 else self.text() for _ in range(count))
        return f"<{head}>{inside}</{name}>"

    def document(self) -> bytes:
        """An object by itself, well-formed."""
        text = self.element(4, "SAMPLE", ' xmlns:x="urn:x" accession="OMIXS000001"').replace(
            ' accession="OMIXS000001" xmlns:x', ' accession="OMIXS000001" xmlns:y'
        )
        return text.replace("\n", self.chance.choice(("\n", "\n", "\r\n", "\r"))).encode()
