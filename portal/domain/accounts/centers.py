"""Centers: the groups and institutes that accounts belong to, and how much each may keep in its areas."""

import re
from decimal import Decimal

from sqlalchemy import func, select, update

from portal import clock, db, errors
from portal.domain.shared import history, sizes, text_rules
from portal.messages import say
from portal.models import Account, Center, Dataset

REALMS = ("open", "protected")
MOST_GIB = 1 << 30
NOT_GIB = say("not_gib", "Write whole GiB, such as 500; 0 for no bound, nothing for the default.")
NOT_GB = say("not_gb", "Write a number of GB, such as 500; 0 for no bound, nothing for the default.")
_GB = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


def clean_name(name: str) -> str:
    """The name of a center on one line with single spaces. Raises Invalid when empty."""
    cleaned = " ".join(text_rules.line(name, longest=200).split())
    if not cleaned:
        raise errors.Invalid(fields={"center": say("center_name_needed", "Give the group or institute a name.")})
    return cleaned


def find(name: str) -> Center | None:
    """The center of exactly this name."""
    return db.session.scalar(select(Center).where(Center.name == name))


def own(title: str, name: str) -> Center:
    """A new center of somebody's own, called `title` or nearly so. One of that name is never joined: its data belongs
    to others."""
    chosen, n = title, 1
    while find(chosen) is not None:
        chosen, n = (f"{title} ({name})" if n == 1 and title != name else f"{title} {n + 1}"), n + 1
    return _make(chosen)


def ensure(name: str) -> Center:
    """The center of a name, made where there is none; an operator's word puts somebody into it."""
    cleaned = clean_name(name)
    return find(cleaned) or _make(cleaned)


def _make(name: str) -> Center:
    center = Center(name=name, created_at=clock.now())
    db.session.add(center)
    db.session.flush()
    return center


def create(name: str, *, actor: Account | None) -> Center:
    """A new center by a curator's hand."""
    cleaned = clean_name(name)
    _refuse_taken(cleaned)
    center = _make(cleaned)
    history.record("center.create", actor=actor, center_id=center.id, after={"name": cleaned})
    return center


def rename(center: Center, name: str, *, actor: Account | None) -> None:
    """Another name, also in the search text of its datasets. Raises Invalid where another center has it."""
    before, cleaned = center.name, clean_name(name)
    if cleaned == before:
        return
    _refuse_taken(cleaned, but=center.id)
    center.name = cleaned
    _reindex(center, before)
    history.record("center.rename", actor=actor, center_id=center.id, before={"name": before}, after={"name": cleaned})


def _reindex(center: Center, before: str) -> None:
    """The search text of a dataset ends with the name of its center. One statement, whatever their number."""
    text = Dataset.search_text
    kept = func.substr(text, 1, func.length(text) - len(before.lower()))
    theirs = update(Dataset).where(Dataset.center_id == center.id, text.endswith(before.lower(), autoescape=True))
    db.change(theirs.values(search_text=kept + center.name.lower()))


def _refuse_taken(name: str, but: int = 0) -> None:
    """Two names that differ by capitals alone would be taken for one another."""
    alike = select(Center.id).where(func.lower(Center.name) == func.lower(name), Center.id != but)
    if find(name) is not None or db.session.scalar(alike.limit(1)) is not None:
        raise errors.Invalid(
            fields={"center": say("center_taken", "There is a center called {name} already.", name=name)}
        )


def set_quotas(center: Center, quotas: dict[str, int | None], *, actor: Account | None) -> None:
    """Quotas by realm in bytes: None means the site's own, 0 none. A realm that is not named is the site's own."""
    before = {realm: getattr(center, f"quota_{realm}") for realm in REALMS}
    after = {realm: quotas.get(realm) for realm in REALMS}
    if before == after:
        return
    center.quota_open, center.quota_protected = after["open"], after["protected"]
    history.record("center.quota", actor=actor, center_id=center.id, before=before, after=after)


def typed_quotas(typed: dict[str, str]) -> dict[str, int | None]:
    """Quotas by realm in bytes, of what is typed in GB. Raises Invalid for each that is no number."""
    quotas: dict[str, int | None] = {}
    wrong = {}
    for realm in REALMS:
        text = typed.get(realm, "").strip().replace(",", "")
        if text and not _GB.fullmatch(text):
            wrong[f"quota_{realm}"] = NOT_GB
        else:
            quotas[realm] = int(Decimal(text) * sizes.GB) if text else None
    if wrong:
        raise errors.Invalid(fields=wrong)
    return quotas


def in_gb(size: int | None) -> str:
    """A quota as it is typed: to the byte, and a whole number where it is one."""
    return "" if size is None else f"{(Decimal(size) / sizes.GB).normalize():f}"


def of_gib(gib: object, *, field: str) -> int | None:
    """A quota in bytes of a whole number of GiB, or none. Raises Invalid."""
    if gib is None:
        return None
    if not isinstance(gib, int) or isinstance(gib, bool) or not 0 <= gib <= MOST_GIB:
        raise errors.Invalid(fields={field: NOT_GIB})
    return gib << 30
