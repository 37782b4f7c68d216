"""Memory does not grow with the file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys
from pathlib import Path
from import_cases import bring
from engine.store.database import open_database
bring(open_database(sys.argv[1]), "events", Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _peak(folder: Path, template: Path, rows: int) -> int:
    """Peak memory of importing so many events in a process of its own, in kB."""
    database, file = folder / f"{rows}.db", folder / f"{rows}.csv"
    database.write_bytes(template.read_bytes())
    with file.open("w") as events:
        events.write("event_id,customer_id,name,occurred_at,category,page\n")
        for number in range(rows):
            events.write(f"e{number},c{number * 7919 % 50_021},visit,2025-06-01T10:00:00Z,shoes,p{number % 999}\n")
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{here.parent.parent}{os.pathsep}{here}"}
    command = [sys.executable, "-c", PROGRAM, f"sqlite:///{database}", str(file)]
    done = subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.PIPE, check=True, text=True)
    return int(done.stdout)


@pytest.mark.long
def test_five_times_the_rows_take_no_more_memory(tmp_path: Path, sqlite_template: Path) -> None:
    few, many = (_peak(tmp_path, sqlite_template, rows) for rows in (400_000, 2_000_000))
    assert many < 1.25 * few
