"""A rule in words, with counts."""

from __future__ import annotations

from typing import Any

import pytest
from segment_world import AS_OF, people, store

from engine.declare.spec import Segment
from engine.segments.explain import clauses, explain, first, size
from engine.store.database import Database


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"attribute": "country", "in": ["DE", "AT"]}, "country is one of DE, AT"),
        ({"attribute": "birth_date", "at_least": "18 years"}, "birth_date is at least 18 years ago"),
        ({"attribute": "points", "between": ["1", "5"], "is_not": "3"}, "points is not 3 and is between 1 and 5"),
        ({"attribute": "tier", "exists": "false"}, "tier is missing"),
        ({"attribute": "tier"}, "tier has a value"),
        ({"attribute": "email", "matches": "*@example.com"}, "email matches *@example.com"),
        (
            {"did": "viewed_product", "within": "30 days", "where": {"category": "shoes", "price": {"at_most": "50"}}},
            "did viewed_product in the last 30 days where category is shoes and price is at most 50",
        ),
        ({"did": "purchase", "at_least": "3"}, "did purchase 3 times or more"),
        ({"did": "purchase", "at_most": "3"}, "did purchase 1 to 3 times"),
        ({"did": "purchase", "at_most": "0"}, "did not do purchase"),
        (
            {"did": "ticket_opened", "not_followed_by": "ticket_closed", "within": "14 days"},
            "did ticket_opened in the last 14 days, and no ticket_closed since",
        ),
        ({"did": "cart", "followed_by": "purchase"}, "did cart, and then purchase"),
        (
            {"did": "purchase", "within": "30 days", "after_gap": "365 days"},
            "did purchase in the last 30 days, after at least 365 days without",
        ),
        ({"did_not": "purchase", "within": "7 days"}, "did not do purchase in the last 7 days"),
        (
            {"rfm": "recency", "between": ["60 days", "180 days"]},
            "the last purchase is between 60 days and 180 days ago",
        ),
        (
            {"rfm": "frequency", "at_least": "3", "within": "365 days"},
            "the number of purchases in the last 365 days is at least 3",
        ),
        ({"rfm": "monetary_score", "at_least": "4"}, "the monetary score (1 to 5) is at least 4"),
        ({"in_segment": "employees"}, "is in the segment employees"),
        (
            {"in_campaign": "spring", "within": "14 days", "arm": "a", "verdict": "ship", "state": "accepted"},
            "entered the campaign spring in the last 14 days, arm a, in a round judged ship, with the message accepted",
        ),
        ({"lifecycle": "stage", "is": "dormant"}, "lifecycle stage, is dormant"),
    ],
    ids=str,
)
def test_a_condition_is_said_in_words(written: Any, words: str) -> None:
    """A marketer reads the condition as it is meant."""
    assert [clause.words for clause in clauses(Segment.model_validate({"where": written}).where)] == [words]


def test_a_rule_is_told_from_the_outside_in_with_counts(database: Database) -> None:
    """Each condition is counted on its own, a group as a whole, one of a later release not at all."""
    store(database, people(21, 100))
    segments = {"german": Segment.model_validate({"where": {"attribute": "country", "is": "DE"}})}
    rule = Segment.model_validate(
        {
            "where": {
                "all": [{"in_segment": "german"}, {"any": [{"did": "purchase"}, {"did": "viewed_product"}]}],
                "none": [{"sample": "10 %"}],
            }
        }
    ).where
    with database.read() as connection:
        lines = list(explain(connection, rule, segments, AS_OF))
        german = size(connection, segments["german"].where, segments, AS_OF)
        ids = first(connection, "german", segments, AS_OF, 1000)
        few = first(connection, "german", segments, AS_OF, 3)
    assert [(line.depth, line.words) for line in lines] == [
        (0, "all of these hold:"),
        (1, "is in the segment german"),
        (1, "at least one of these holds:"),
        (2, "did purchase"),
        (2, "did viewed_product"),
        (0, "none of these holds:"),
        (1, "sample 10 %"),
    ]
    counts = [line.customers for line in lines]
    assert counts[1] == german == len(ids)
    assert counts[2] is not None
    assert counts[0] is not None
    assert 0 < counts[0] < counts[1]
    assert counts[2] >= max(counts[3] or 0, counts[4] or 0)
    assert counts[5:] == [None, None]
    assert ids == sorted(ids)
    assert few == ids[:3]
