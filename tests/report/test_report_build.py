"""A report says what the last look sealed, and what a round without a look has come to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jsonschema
import pytest
import report_cases as cases
from sqlalchemy import insert

from engine.errors import NotFound
from engine.model import AsOf
from engine.report.report import Report, build, dump, latest_campaign
from engine.store import audit, tables
from engine.store.database import Database, insert_many
from engine.store.tables import to_micros

NUMBER = {"type": ["number", "null"]}
TEXT = {"type": ["string", "null"]}
COUNT = {"type": "integer", "minimum": 0}


def closed(**properties: object) -> dict[str, Any]:
    """An object with all of these keys and no others."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


INTERVAL = closed(estimate=NUMBER, low=NUMBER, high=NUMBER)
INTERVAL["properties"]["unbounded"] = {"const": True}
INTERVAL = {"anyOf": [{"type": "null"}, INTERVAL]}
SCHEMA = closed(
    schema_version={"const": 1},
    campaign={"type": "string"},
    round={"type": "integer"},
    state={"enum": ["draft", "awaiting_approval", "open", "settling", "decided", "stopped"]},
    as_of={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
    health={
        "type": "array",
        "items": closed(
            check={"type": "string"}, status={"enum": ["ok", "warn", "fail"]}, p_value=NUMBER, detail={"type": "string"}
        ),
    },
    arms={
        "type": "array",
        "minItems": 1,
        "items": closed(
            name={"type": "string"},
            role={"enum": ["control", "treatment", "holdout"]},
            share=NUMBER,
            assigned=COUNT,
            accepted=COUNT,
            delivered=COUNT,
            uncertain=COUNT,
        ),
    },
    results={
        "type": "array",
        "items": closed(
            metric={"type": "string"},
            role={"enum": ["primary", "secondary", "guardrail", "diagnostic", "described"]},
            kind={"enum": ["conversion", "mean", "ratio", "quantile"]},
            treatment={"type": "string"},
            control=TEXT,
            treatment_n={"type": ["integer", "null"]},
            control_n={"type": ["integer", "null"]},
            treatment_value=NUMBER,
            control_value=NUMBER,
            difference=INTERVAL,
            lift=INTERVAL,
            p_value=NUMBER,
            adjusted_p_value=NUMBER,
            method=TEXT,
            chance_to_beat=NUMBER,
            expected_loss=NUMBER,
        ),
    },
    segments={
        "type": "array",
        "items": closed(
            by={"type": "string"},
            metric={"type": "string"},
            treatment={"type": "string"},
            heterogeneity_p_value=NUMBER,
            rows={"type": "array", "items": closed(value={"type": "string"}, difference=INTERVAL)},
        ),
    },
    verdict=closed(
        decision={"enum": ["ship", "keep_control", "inconclusive", "harmful", "invalid", "keep_running", None]},
        winner=TEXT,
        because={"type": "array", "items": {"type": "string"}},
        estimate_note=TEXT,
    ),
    next=closed(proposal=TEXT),
)
LIVE = AsOf.live(cases.DECIDED + timedelta(days=1))


def reported(database: Database, case: cases.Case, **options: Any) -> Report:
    with database.write() as connection:
        cases.store(connection, case)
    with database.read() as connection:
        return build(connection, campaign=case.campaign, **({"as_of": LIVE} | options))


@pytest.mark.parametrize("make", [pytest.param(make, id=make.__name__) for make in cases.ALL])
def test_the_json_is_the_object_that_tools_rely_on(database: Database, make: Any) -> None:
    jsonschema.validate(reported(database, make()).to_json(), SCHEMA)


def test_the_numbers_of_the_last_look_come_through_unrounded(database: Database) -> None:
    case = cases.ship()
    document = reported(database, case).to_json()
    assert document["results"][0] == case.primary
    assert document["results"][0]["difference"]["high"] == 0.01724
    assert document["verdict"]["decision"] == "ship"
    assert document["as_of"] == "2026-12-09T10:00:00Z"
    assert document["next"] == {"proposal": cases.PROPOSAL}


def test_only_an_infinite_interval_says_that_it_is_unbounded(database: Database) -> None:
    result = reported(database, cases.unbounded()).to_json()["results"][0]
    assert result["lift"] == {"estimate": 0.31, "low": -0.12, "high": None, "unbounded": True}
    assert "unbounded" not in result["difference"]


def test_what_a_look_seals_beyond_the_contract_stays_out_of_the_json(database: Database) -> None:
    case = cases.ship()
    case.primary["unjudged"] = "nobody finished"
    case.primary["uncapped"] = {"treatment_value": 1.0, "control_value": 2.0}
    assert case.judged is not None
    case.judged["verdict"]["treatments"] = {"deadline": "ship"}
    report = reported(database, case)
    jsonschema.validate(report.to_json(), SCHEMA)
    assert report.judged.results[0].unjudged == "nobody finished"


def test_the_last_look_counts_and_later_ones_are_not_seen(database: Database) -> None:
    case = cases.ship()
    with database.write() as connection:
        round_id = cases.store(connection, case)
        later = cases.inconclusive().judged
        connection.execute(
            insert(tables.look).values(
                round_id=round_id, number=2, at=cases.DECIDED + timedelta(days=2), final=True,
                evidence=audit.seal(connection, {"n": 2}), verdict=audit.seal(connection, later),
            )
        )  # fmt: skip
    with database.read() as connection:
        before = build(connection, campaign=case.campaign, as_of=LIVE)
        after = build(connection, campaign=case.campaign, as_of=AsOf.live(cases.DECIDED + timedelta(days=3)))
    assert [one.look.number for one in (before, after) if one.look] == [1, 2]
    assert [one.to_json()["verdict"]["decision"] for one in (before, after)] == ["ship", "inconclusive"]


def test_without_a_look_the_arms_are_counted_as_they_stand(database: Database) -> None:
    case = cases.keep_running()
    with database.write() as connection:
        round_id = cases.store(connection, case)
        wave = insert(tables.wave).values(
            round_id=round_id, slot="2026-12-01T10:00:00", channel="email", due_at=cases.DUE, state="done"
        )
        wave_id = connection.execute(wave).inserted_primary_key[0]  # type: ignore[index]
        due = to_micros(cases.DUE)
        people = [("control", 1), ("control", 2), ("deadline", 3), ("deadline", 4), ("deadline", 5), ("holdout", 6)]
        insert_many(
            connection,
            tables.entry,
            ("round_id", "customer_id", "wave_id", "arm", "position", "entered_at"),
            [(round_id, person, wave_id, arm, person, due) for arm, person in people],
        )
        states = [
            (1, "accepted", None, "delivered"), (2, "uncertain", None, None), (3, "accepted", None, "complained"),
            (4, "accepted", None, "bounced"), (5, "skipped", "frequency_cap", None),
        ]  # fmt: skip
        insert_many(
            connection,
            tables.message,
            ("wave_id", "customer_id", "state", "reason", "fate", "attempt", "due_at", "not_before"),
            [(wave_id, person, state, reason, fate, 0, due, due) for person, state, reason, fate in states],
        )
    with database.read() as connection:
        report = build(connection, campaign=case.campaign, as_of=LIVE)
    arms = [(arm["name"], arm["assigned"], arm["accepted"], arm["delivered"], arm["uncertain"])
            for arm in report.to_json()["arms"]]  # fmt: skip
    assert arms == [("control", 2, 1, 1, 1), ("deadline", 3, 2, 1, 0), ("holdout", 1, 0, 0, 0)]
    assert report.to_json()["verdict"]["decision"] == "keep_running"
    (only,) = report.waves
    assert only.entered == 6
    assert only.messages == {"accepted": 3, "uncertain": 1, "skipped": 1}
    assert only.unsent == {"frequency_cap": 1}


@pytest.mark.parametrize("make", [cases.described, cases.draft], ids=["no-hypothesis", "not-approved"])
def test_what_cannot_be_judged_has_no_decision(database: Database, make: Any) -> None:
    assert reported(database, make()).to_json()["verdict"]["decision"] is None


def test_a_past_round_is_found_by_its_number(database: Database) -> None:
    first = cases.inconclusive()
    second = cases.ship()
    second.number, second.launched_at = 2, cases.LAUNCHED + timedelta(days=30)
    with database.write() as connection:
        cases.store(connection, first)
        cases.store(connection, second)
    with database.read() as connection:
        assert build(connection, campaign="winback", as_of=LIVE).number == 2
        assert build(connection, campaign="winback", number=1, as_of=LIVE).to_json()["round"] == 1
        assert latest_campaign(connection) == "winback"


@pytest.mark.parametrize(
    ("campaign", "number", "said"),
    [
        pytest.param("winbakc", None, 'no round of "winbakc"; did you mean "winback"?', id="near-name"),
        pytest.param("spring", None, 'no round of "spring"; known here: winback', id="other-name"),
        pytest.param("winback", 7, "winback has no round 7; it has 1", id="other-round"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    database: Database, campaign: str, number: int | None, said: str
) -> None:
    with database.write() as connection:
        cases.store(connection, cases.ship())
    with database.read() as connection, pytest.raises(NotFound) as error:
        build(connection, campaign=campaign, number=number, as_of=LIVE)
    assert str(error.value) == said


def test_an_empty_store_says_how_to_begin(database: Database) -> None:
    with database.read() as connection:
        with pytest.raises(NotFound, match="campaign launch winback"):
            build(connection, campaign="winback", as_of=LIVE)
        with pytest.raises(NotFound, match="nothing was launched yet"):
            latest_campaign(connection)


def test_a_plan_whose_funnel_is_of_pairs_opens_too(database: Database) -> None:
    case = cases.ship()
    case.plan["funnel"] = [["matched", 10], ["no_consent", 2]]
    del case.plan["rule"]
    assert [(step.reason, step.customers) for step in reported(database, case).plan.funnel] == [
        ("matched", 10), ("no_consent", 2),
    ]  # fmt: skip


def test_json_text_keeps_letters_of_every_language() -> None:
    assert dump({"campaign": "冬の招待"}) == '{\n  "campaign": "冬の招待"\n}\n'
