"""`python -m portal.cli` is the omix command too."""

import sys

from portal.cli.main import main

sys.exit(main())
