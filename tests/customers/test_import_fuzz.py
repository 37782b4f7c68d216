"""Whatever bytes a file holds: it is imported, or refused in plain words; nothing else comes out."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from import_cases import NOW, contents

from engine.customers.importing import import_file
from engine.customers.layout import LAYOUTS
from engine.errors import FixYourData, Refused
from engine.store.database import Database, open_database

VALUES = st.one_of(
    st.sampled_from(
        [
            "", "c1", "c2", "purchase", "unsubscribed", "2025-06-01T10:00:00Z", "2025-06-01", "2025-06-01 10:00",
            "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1", "-1", "0", "NaN", "1e400", "true", "EUR",
            "a@example.com", "+4915550000000", '"', '""', "\r", "\0", "\ud7ff", "Ünï", "'; DROP TABLE customer; --",
            "{}", "[1]", "null", "\\", "-0", "+12026-01-01T00:00:00Z", "2025-06-01T10:00:60Z",
        ]
    ),
    st.text(max_size=20),
)  # fmt: skip


@pytest.fixture(scope="module")
def store(sqlite_template: Path) -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "campaign.db"
        path.write_bytes(sqlite_template.read_bytes())
        database = open_database(f"sqlite:///{path}")
        yield database
        database.close()


def take(store: Database, kind: str, data: bytes) -> None:
    """Import the bytes, twice; both times the outcome is one of those that are meant."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        options: dict[str, Any] = {
            "mapping": {}, "source": None, "through": None, "max_rejects": 1.0, "rejects": Path(folder) / "rejects.csv",
            "now": NOW,
        }  # fmt: skip
        try:
            report = import_file(store, kind, path, **options)
        except (FixYourData, Refused):
            return
        assert report.rows == report.accepted + report.duplicates + report.rejected
        before = contents(store)
        assert import_file(store, kind, path, **options).repeated
        assert contents(store) == before


LIMITS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@given(kind=st.sampled_from(sorted(LAYOUTS)), data=st.binary(max_size=300), zipped=st.booleans())
@LIMITS
def test_any_bytes(store: Database, kind: str, data: bytes, zipped: bool) -> None:
    take(store, kind, gzip.compress(data) if zipped else data)


@given(data=st.data(), kind=st.sampled_from(sorted(LAYOUTS)), junk=st.binary(max_size=12), at=st.integers(0, 400))
@LIMITS
def test_tables_of_odd_values_with_some_bytes_changed(
    store: Database, data: st.DataObject, kind: str, junk: bytes, at: int
) -> None:
    fields = LAYOUTS[kind].fields
    header = data.draw(st.permutations([*fields, "other"]))
    rows = data.draw(st.lists(st.lists(VALUES, min_size=len(header), max_size=len(header)), max_size=8))
    table = "\n".join(",".join(row) for row in (header, *rows)).encode("utf-8", "surrogatepass")
    place = min(at, len(table))
    take(store, kind, table[:place] + junk + table[place:])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data(), kind=st.sampled_from(sorted(LAYOUTS)))
@LIMITS
def test_json_lines_of_odd_values(store: Database, data: st.DataObject, kind: str) -> None:
    keys = st.sampled_from([*LAYOUTS[kind].fields, "other"])
    rows = data.draw(st.lists(st.dictionaries(keys, JSON, max_size=8), min_size=1, max_size=6))
    take(store, kind, "".join(json.dumps(row) + "\n" for row in rows).encode("utf-8", "surrogatepass"))


@given(junk=st.binary(min_size=1, max_size=8), at=st.integers(0, 2_000))
@LIMITS
@example(junk=b"\x00", at=4)
def test_damaged_parquet(store: Database, junk: bytes, at: int) -> None:
    import polars as pl

    with tempfile.NamedTemporaryFile() as file:
        frame = pl.DataFrame({"customer_id": ["a", "b"], "birth_date": ["1980-01-01", None], "x": [1.5, 2.5]})
        frame.write_parquet(file.name)
        whole = Path(file.name).read_bytes()
    place = min(at, len(whole))
    take(store, "customers", whole[:place] + junk + whole[place + len(junk) :])
