"""What opens tonight and in the days to come, and what stands in the way: for curators."""

from flask import Blueprint, render_template

from portal.domain.datasets import releases
from portal.web import permissions

bp = Blueprint("upcoming_releases", __name__)
DAYS = 30
MOST = 500


@bp.get("/review/opening")
@permissions.curator_only
def listing() -> str:
    rows = [
        (dataset, releases.cause(dataset), releases.obstacles(dataset)) for dataset in releases.due(MOST, ahead=DAYS)
    ]
    return render_template("review/upcoming_releases.html", rows=rows, days=DAYS, tomorrow=releases.day(1))
