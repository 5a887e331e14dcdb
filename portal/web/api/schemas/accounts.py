"""Quotas and centers."""

from portal.domain.accounts.centers import REALMS
from portal.web.api.schemas.kinds import MAYBE_WHOLE, TEXT, WHOLE, YES, Schema, maybe, takes, thing

QUOTA = {
    **{realm: thing({"used": WHOLE, "quota": MAYBE_WHOLE, "own": YES}) for realm in REALMS},
    "asked": maybe(thing({"at": TEXT, "note": TEXT})),
}
SCHEMAS: dict[str, Schema] = {
    "QuotaFields": takes({"note": TEXT}, "note"),
    "CenterFields": takes({"name": TEXT, "quota_gib": takes(dict.fromkeys(REALMS, WHOLE))}),
    "Quota": thing(QUOTA),
    "Center": thing({"id": WHOLE, "name": TEXT, "people": WHOLE, "datasets": WHOLE, **QUOTA}),
    "Usage": thing(
        {
            realm: thing({"used": WHOLE, "quota": MAYBE_WHOLE, "center_used": WHOLE, "center_quota": MAYBE_WHOLE})
            for realm in REALMS
        }
    ),
}
