"""What opens tonight is a curators' page."""

from tests.web.matrix.rows import Row, curators

ROWS = [Row("upcoming_releases.listing", "GET", "/review/opening", curators(200, anonymous=303))]
