"""The verbs that run the cycle, as they are typed: what they print, and with which exit code they end."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shop import LAUNCH, YAML, Shop
from sqlalchemy import select, update

from engine.cli.main import main
from engine.store.tables import entry, message

SEND = LAUNCH + timedelta(days=1, hours=1)
SETTLED = SEND + timedelta(days=8)
REPOSITORY = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Typed:
    """What a command gave."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Typed]


@pytest.fixture
def campaign(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`campaign …` in the shop's folder."""
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("CAMPAIGN_DATABASE_URL", shop.database.url)
    monkeypatch.setenv("CAMPAIGN_SECRET_KEYS", "test-key")

    def run(*words: str, at: datetime | None = LAUNCH, actor: str = "anna@example.com") -> Typed:
        capsys.readouterr()
        before = ["--as", actor, *(["--at", at.isoformat()] if at else [])]
        monkeypatch.setattr(sys, "argv", ["campaign", *before, *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Typed(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def sent(shop: Shop, campaign: Command) -> Command:
    """A campaign whose twenty messages are sent."""
    shop.declare()
    shop.customers(20)
    assert campaign("launch", "spring", "--yes").code == 0
    assert campaign("run", "--once", at=SEND).code == 0
    return campaign


def test_a_round_is_planned_launched_run_and_reported_from_the_command_line(shop: Shop, campaign: Command) -> None:
    shop.declare()
    shop.customers(30)
    planned = campaign("plan", "spring")
    assert (planned.code, planned.err) == (0, "")
    for part in ("matched by the segment", "Next sends", "Message: control", "Warnings"):
        assert part in planned.out
    launched = campaign("launch", "spring", "--yes")
    assert launched.code == 0
    assert launched.out.startswith("launched round 1 of spring: sealed as ")
    assert "matched by the segment" in launched.err, "the plan is shown, and stdout stays data"
    assert campaign("run", "--once", at=SEND).code == 0
    shop.complete("purchase", SETTLED)
    for at in (SEND + timedelta(days=1), SETTLED):
        assert campaign("run", "--once", at=at).code == 0
    (status,) = campaign("status", "--format", "json", at=SETTLED).json()
    assert (status["state"], status["messages"]) == ("decided", {"accepted": 30})
    assert campaign("audit", "verify", at=SETTLED).code == 0
    assert "equal, byte for byte" in campaign("rejudge", "spring", at=SETTLED).out


# --- exit codes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["status"], 0, id="fine"),
        pytest.param(["plan", "sprng"], 1, id="no-such-campaign"),
        pytest.param(["pause", "spring"], 1, id="nothing-runs"),
        pytest.param(["approve", "spring"], 1, id="nothing-waits"),
        pytest.param(["rejudge", "spring"], 1, id="nothing-was-judged"),
        pytest.param(["customer", "nobody"], 1, id="no-such-customer"),
        pytest.param(["messages", "spring"], 1, id="never-launched"),
        pytest.param(["resume", "--all"], 1, id="nothing-is-halted"),
        pytest.param(["--file", "elsewhere.yaml", "plan"], 1, id="no-such-file"),
        pytest.param(["plan", "--format", "xml"], 2, id="no-such-format"),
        pytest.param(["stop"], 2, id="stop-what"),
        pytest.param(["sned"], 2, id="no-such-verb"),
        pytest.param(["--at", "tomorrow", "status"], 2, id="no-time"),
        pytest.param(["--at", "2026-03-02T10:00:00", "status"], 2, id="no-time-zone"),
        pytest.param(["run"], 2, id="a-service-in-pretended-time"),
    ],
)
def test_exit_codes_tell_whose_turn_it_is(shop: Shop, campaign: Command, words: list[str], code: int) -> None:
    shop.declare()
    done = campaign(*words)
    assert done.code == code
    assert bool(done.err) == (code != 0)


def test_mistakes_in_the_yaml_end_with_1_and_their_place(shop: Shop, campaign: Command) -> None:
    shop.declare(text=YAML.replace("channel: email", "chanel: email"))
    done = campaign("plan", "spring")
    assert done.code == 1
    assert "campaigns.yaml:" in done.err
    assert 'did you mean "channel"?' in done.err


def test_a_defect_ends_with_2_and_one_line(shop: Shop, campaign: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    shop.declare()
    monkeypatch.setattr("engine.cycle.overview.overview", broken)
    done = campaign("status")
    assert done.code == 2
    assert done.err.startswith("internal failure: ZeroDivisionError: division by zero\n")


def test_a_launch_asks_and_without_anybody_to_answer_does_nothing(
    shop: Shop, campaign: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.declare()
    shop.customers(3)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    done = campaign("launch", "spring")
    assert done.code == 1
    assert "add --yes" in done.err
    assert campaign("status", "--format", "json").json()[0]["state"] == "declared"


def test_a_broken_record_is_named_and_ends_with_1(shop: Shop, sent: Command) -> None:
    with shop.database.write() as connection:
        connection.execute(update(entry).where(entry.c.customer_id == 3).values(arm="other"))
    done = sent("audit", "verify", at=SEND)
    assert done.code == 1
    assert "the record is broken: the entries of spring round 1, wave 2026-03-03T10:00:00" in done.out


# --- time ----------------------------------------------------------------------------------------------------------


def test_pretended_time_never_goes_backwards(sent: Command) -> None:
    done = sent("run", "--once", at=SEND - timedelta(seconds=1))
    assert done.code == 1
    assert "this store has already been at 2026-03-03T09:00:00+00:00" in done.err
    assert sent("plan", "spring", at=LAUNCH).code == 0, "what only looks may look back"


def test_a_store_that_lived_in_the_future_refuses_the_real_time(sent: Command) -> None:
    future = datetime.now(SEND.tzinfo) + timedelta(days=400)
    assert sent("run", "--once", at=future).code == 0
    done = sent("run", "--once", at=None)
    assert done.code == 1
    assert "in pretended time; go on with --at" in done.err


# --- what is read --------------------------------------------------------------------------------------------------


def test_messages_come_as_text_json_and_csv(sent: Command) -> None:
    listed = sent("messages", "spring", "--format", "json", at=SEND).json()
    assert len(listed) == 20
    assert set(listed[0]) == {
        "message_id", "campaign", "round", "wave", "customer_id", "arm", "state", "reason", "sent_at", "fate",
    }  # fmt: skip
    assert listed[0]["sent_at"] == "2026-03-03T09:00:00Z"
    lines = list(csv.DictReader(io.StringIO(sent("messages", "spring", "--format", "csv", at=SEND).out)))
    assert [row["customer_id"] for row in lines] == [row["customer_id"] for row in listed]
    assert len(sent("messages", "spring", at=SEND).out.splitlines()) == 21
    assert sent("messages", "spring", "--state", "skipped", "--format", "json", at=SEND).json() == []
    assert sent("messages", "spring", "--wave", "2", at=SEND).code == 1
    assert sent("messages", "spring", "--state", "lost", at=SEND).code == 1


def test_uncertain_messages_are_listed(shop: Shop, sent: Command) -> None:
    with shop.database.write() as connection:
        connection.execute(update(message).where(message.c.id.in_([2, 5])).values(state="uncertain"))
    listed = sent("uncertain", "list", "--format", "json", at=SEND).json()
    assert [row["message_id"] for row in listed] == [2, 5]
    assert len(sent("uncertain", "list", at=SEND).out.splitlines()) == 3


def test_a_formula_in_a_customers_key_does_not_run_in_a_spreadsheet(shop: Shop, campaign: Command) -> None:
    shop.declare()
    shop.customers(1, customer_id="=1+1", email="x@example.org")
    campaign("launch", "spring", "--yes")
    campaign("run", "--once", at=SEND)
    (row,) = csv.DictReader(io.StringIO(campaign("messages", "spring", "--format", "csv", at=SEND).out))
    assert row["customer_id"] == "'=1+1"


def test_a_customers_timeline_has_every_message_and_every_reason(shop: Shop, campaign: Command) -> None:
    shop.declare(campaign="holdout: 50 %")
    shop.customers(12, email_consent=lambda number: number != 0)
    campaign("launch", "spring", "--yes")
    campaign("run", "--once", at=SEND)
    with shop.database.read() as connection:
        arms = dict(connection.execute(select(entry.c.customer_id, entry.c.arm)).all())
    held = next(id_ for id_, arm in arms.items() if arm == "holdout")
    treated = next(id_ for id_, arm in arms.items() if arm != "holdout")
    assert "no consent for the channel" in campaign("customer", "c000000", at=SEND).out
    assert "in the campaign's holdout" in campaign("customer", f"c{held - 1:06}", at=SEND).out
    (happening,) = campaign("customer", f"c{treated - 1:06}", "--format", "json", at=SEND).json()["timeline"]
    assert (happening["what"], happening["state"], happening["at"]) == ("message", "accepted", "2026-03-03T09:00:00Z")


def test_the_record_is_shown_as_a_list_and_each_entry_whole(sent: Command) -> None:
    listed = sent("audit", "show", "--format", "json", at=SEND).json()
    assert [each["kind"] for each in listed] == ["launched", "wave_frozen", "settling"]
    whole = sent("audit", "show", "1", at=SEND).json()
    (plan,) = whole["sealed"].values()
    assert plan["campaign"] == "spring"
    assert sent("audit", "show", "99", at=SEND).code == 1
    assert sent("audit", "show", "--campaign", "autumn", "--format", "json", at=SEND).json() == []


# --- operating -----------------------------------------------------------------------------------------------------


def test_pause_resume_and_stop_say_what_they_did(shop: Shop, campaign: Command) -> None:
    shop.declare(campaign="approval: {launch: 1}")
    shop.customers(3)
    assert "waits for the approval of one other person" in campaign("launch", "spring", "--yes").out
    assert campaign("approve", "spring").code == 1
    assert "it is open now" in campaign("approve", "spring", actor="bea@example.com").out
    assert campaign("pause", "spring").out == "spring is paused; `campaign resume spring` goes on\n"
    assert campaign("run", "--once", at=SEND).code == 0
    assert campaign("status", "--format", "json", at=SEND).json()[0]["messages"] == {}
    assert campaign("resume", "spring", at=SEND).out == "spring goes on\n"
    assert campaign("run", "--once", at=SEND).code == 0
    assert campaign("stop", "spring", at=SEND).out == "spring is stopped; 0 planned messages will not be sent\n"


def test_stop_all_works_with_the_store_locked_and_resume_all_takes_it_back(shop: Shop, campaign: Command) -> None:
    shop.declare()
    shop.customers(5)
    campaign("launch", "spring", "--yes")
    with shop.database.write():
        halted = campaign("stop", "--all")
    assert halted.code == 0
    assert "halted: no process claims another message" in halted.out
    done = campaign("run", "--once", at=SEND)
    assert (done.code, "halted" in done.err) == (0, True)
    assert "HALTED" in campaign("status", at=SEND).out
    assert campaign("messages", "spring", "--format", "json", at=SEND).json() == []
    assert campaign("resume", "--all", at=SEND).code == 0
    campaign("run", "--once", at=SEND)
    told = campaign("stop", "--all", at=SEND)
    assert "  accepted           5\n" in told.out


def test_status_works_without_the_files(shop: Shop, sent: Command) -> None:
    shop.file.unlink()
    done = sent("status", at=SEND)
    assert done.code == 0
    assert "settling, changed, not launched" in done.out
    assert "it runs from its sealed plan" in done.err


def test_the_command_line_is_a_program(shop: Shop) -> None:
    """The same from a real process and another folder: the store stands beside the YAML."""
    shop.declare()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CAMPAIGN_DATABASE_URL": "sqlite:///own.db"}
    command = [sys.executable, "-m", "engine.cli.main", "--file", str(shop.file), "status", "--format", "json"]
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["state"] == "declared"
    assert (shop.folder / "own.db").exists()
