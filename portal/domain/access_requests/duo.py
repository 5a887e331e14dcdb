"""Conditions of use as codes of the Data Use Ontology (GA4GH DUO), with the words that people read."""

from portal import errors
from portal.messages import say

PERMISSIONS = {
    "DUO:0000042": "General research use",
    "DUO:0000006": "Health, medical or biomedical research",
    "DUO:0000007": "Research on the named disease only",
    "DUO:0000011": "Population origins or ancestry research only",
    "DUO:0000004": "No restriction",
}
MODIFIERS = {
    "DUO:0000043": "Clinical care use",
    "DUO:0000012": "Research of the named kind only",
    "DUO:0000015": "No general methods research",
    "DUO:0000016": "Genetic studies only",
    "DUO:0000018": "Not for profit, non-commercial use only",
    "DUO:0000045": "Not-for-profit organisations only",
    "DUO:0000046": "Non-commercial use only",
    "DUO:0000019": "Results must be published",
    "DUO:0000020": "Collaboration with the submitter is required",
    "DUO:0000021": "Ethics approval is required",
    "DUO:0000022": "Only in the named countries or regions",
    "DUO:0000024": "No publication before a named date",
    "DUO:0000025": "Only for a limited time",
    "DUO:0000026": "Only for the named people",
    "DUO:0000027": "Only for the named project",
    "DUO:0000028": "Only at the named institutions",
    "DUO:0000029": "Derived data are returned to the archive",
    "DUO:0000044": "No research on populations, origins or ancestry",
}
CODES = PERMISSIONS | MODIFIERS


def clean(codes: object) -> list[str]:
    """Known codes in their order here, each once. Raises Invalid."""
    given = [str(code).strip().upper() for code in codes] if isinstance(codes, list | tuple | set) else []
    unknown = sorted(set(given) - set(CODES))
    if unknown:
        raise errors.Invalid(
            say("duo_unknown", "{condition} is no condition that is known here.", condition=unknown[0])
        )
    return [code for code in CODES if code in given]
