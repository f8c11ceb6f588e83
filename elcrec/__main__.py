"""`python -m elcrec` is the `elcrec` command."""

import sys

from elcrec.cli.main import main

sys.exit(main())
