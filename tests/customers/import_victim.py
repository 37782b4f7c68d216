"""A process that imports a file and is killed while it does so: python import_victim.py URL KIND FILE."""

from __future__ import annotations

import sys
from pathlib import Path

from import_cases import bring

from engine.customers import applying
from engine.store.database import open_database

if __name__ == "__main__":
    applying._FIRST = applying._MOST = 150  # so that there is a middle to be killed in
    database = open_database(sys.argv[1])
    bring(database, sys.argv[2], Path(sys.argv[3]), on_progress=lambda *step: print(*step, flush=True))
