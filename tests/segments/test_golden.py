"""The SQL of every kind of condition, as files to read: a change of it is seen and meant.

`CAMPAIGN_WRITE_GOLDEN=1 pytest tests/segments/test_golden.py` writes them anew.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

from engine.declare.spec import Segment
from engine.model import AsOf
from engine.segments.compile import segment_query

GOLDEN = Path(__file__).parent / "golden"
AS_OF = AsOf(at=datetime(2026, 6, 15, tzinfo=UTC), known_at=datetime(2026, 6, 16, tzinfo=UTC))
DIALECTS: dict[str, Dialect] = {"sqlite": sqlite.dialect(paramstyle="named"), "postgresql": psycopg.dialect()}

CONDITIONS: dict[str, Any] = {
    "attribute_column": {"attribute": "country", "in": ["DE", "AT"]},
    "attribute_key": {"attribute": 'a.b"]', "is": "'; drop table customer; --"},
    "attribute_key_order": {"attribute": "points", "at_least": "500"},
    "attribute_missing": {"attribute": "tier", "exists": "false"},
    "attribute_text": {"attribute": "first_name", "matches": "A*", "contains": "n", "is_not": "Anna"},
    "attribute_instant": {"attribute": "signed_up_at", "between": ["30 days", "2 years"]},
    "attribute_date": {"attribute": "birth_date", "at_least": "18 years"},
    "attribute_domain": {"attribute": "email_domain", "is": "example.com"},
    "did": {"did": "viewed_product", "within": "30 days", "where": {"category": "shoes", "amount": {"at_least": "50"}}},
    "did_times": {"did": "purchase", "at_least": "3", "at_most": "5"},
    "did_not": {"did_not": "purchase", "within": "7 days"},
    "did_not_followed_by": {"did": "ticket_opened", "not_followed_by": "ticket_closed", "within": "14 days"},
    "did_after_gap": {"did": "purchase", "within": "30 days", "after_gap": "365 days"},
    "rfm_recency": {"rfm": "recency", "between": ["60 days", "180 days"]},
    "rfm_frequency": {"rfm": "frequency", "at_least": "3", "within": "365 days"},
    "rfm_monetary": {"rfm": "monetary", "at_least": "100 EUR"},
    "rfm_monetary_score": {"rfm": "monetary_score", "at_least": "4"},
    "rfm_score": {"rfm": "score", "at_least": "12", "within": "365 days"},
    "in_segment": {"in_segment": "other"},
    "in_campaign": {"in_campaign": "spring", "arm": "a", "verdict": "ship", "state": "accepted", "within": "14 days"},
    "group": {
        "all": [{"attribute": "country", "is": "DE"}],
        "any": [{"did": "purchase"}, {"did": "viewed_product"}],
        "none": [{"did": "complained"}, {"rfm": "recency", "at_most": "7 days"}],
    },
}
OTHER = Segment.model_validate({"where": {"attribute": "country", "is": "FR"}})


def _sql(condition: Any, dialect: str) -> str:
    segments = {"it": Segment.model_validate({"where": condition}), "other": OTHER}
    compiled = segment_query("it", segments, AS_OF, dialect).compile(dialect=DIALECTS[dialect])
    parameters = "".join(f"-- {name} = {value!r}\n" for name, value in compiled.params.items())
    return "\n".join(line.rstrip() for line in f"{compiled}\n{parameters}".split("\n"))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", CONDITIONS)
def test_the_sql_is_as_it_was(name: str, dialect: str) -> None:
    """A condition of this kind compiles to the statement in its file, with all literals as parameters."""
    path, sql = GOLDEN / f"{name}.{dialect}.sql", _sql(CONDITIONS[name], dialect)
    if os.environ.get("CAMPAIGN_WRITE_GOLDEN"):
        path.write_text(sql, encoding="utf-8")
    # Lines are broken differently by different releases of SQLAlchemy.
    assert path.read_text(encoding="utf-8").split() == sql.split()


def test_every_file_has_its_condition() -> None:
    """No file is left of a condition that is gone."""
    assert {path.name.split(".")[0] for path in GOLDEN.glob("*.sql")} == set(CONDITIONS)
