"""The demo plays the shipped campaigns.yaml to its verdict, touches nothing else, and tells the truth beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.errors import Refused
from engine.model import AsOf, Decision, RoundState
from engine.rehearse.demo import Played, play
from engine.rehearse.starter import YAML, copy_project, shipped
from engine.report.report import build
from engine.settings import Settings
from engine.store import audit
from engine.store.database import Database, open_database
from engine.store.tables import entry, event, message

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
CUSTOMERS = 1_500
Told = list[tuple[datetime, str]]


def _project(folder: Path) -> Path:
    """The shipped project, whose round ends with its first wave."""
    copy_project(shipped(), folder, [Path(YAML)])
    file = folder / YAML
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("at_most: 60 days", "until: 50 per arm, at_most: 60 days"), encoding="utf-8")
    return file


def _play(folder: Path, file: Path, told: Told | None = None) -> Played:
    told = [] if told is None else told
    return play(
        folder, file=file, settings=Settings(_env_file=None), customers=CUSTOMERS, seed=1, now=NOW,
        tell=lambda at, what: told.append((at, what)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that an earlier demo left."""
    folder = tmp_path_factory.mktemp("demo") / "campaign-demo"
    (folder / ".campaign").mkdir(parents=True)
    (folder / ".campaign" / "demo").touch()
    (folder / "left-over").touch()
    return folder


@pytest.fixture(scope="module")
def told() -> Told:
    return []


@pytest.fixture(scope="module")
def played(folder: Path, told: Told, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return _play(folder, _project(tmp_path_factory.mktemp("project")), told)


@pytest.fixture(scope="module")
def store(played: Played, folder: Path) -> Database:
    return open_database(f"sqlite:///{folder / 'campaign.db'}")


def test_the_round_is_decided(played: Played) -> None:
    """The demo ends with a verdict, from every customer's whole window."""
    assert played.report.state is RoundState.DECIDED
    assert played.report.judged.verdict.decision in (Decision.SHIP, Decision.INCONCLUSIVE, Decision.KEEP_CONTROL)
    entered = sum(arm.assigned for arm in played.report.judged.arms)
    assert played.report.judged.results[0].treatment_n + played.report.judged.results[0].control_n <= entered
    assert played.draft.funnel.left == pytest.approx(entered, rel=0.05)


def test_every_mail_is_in_the_outbox_and_in_the_ledger_once(played: Played, store: Database) -> None:
    """What the ledger calls accepted is what the outbox holds."""
    index = [json.loads(line) for line in (played.outbox / "index.jsonl").read_text().splitlines()]
    with store.read() as connection:
        accepted = connection.execute(select(func.count()).where(message.c.state == "accepted")).scalar_one()
    assert accepted == len(index) == len({line["message_id"] for line in index}) > 100


def test_the_holdout_is_messaged_nothing(played: Played) -> None:
    """Everybody in a messaged arm gets a mail, and nobody in the holdout."""
    arms = {arm.name: arm for arm in played.report.judged.arms}
    assert arms["holdout"].accepted == 0 < arms["holdout"].assigned
    assert arms["control"].accepted == arms["control"].assigned


def test_only_what_was_planted_happens_after_entry(played: Played, store: Database) -> None:
    """Buyers after entry are as many as the look counted, because nobody else was made to buy."""
    bought = (
        select(func.count(event.c.customer_id.distinct()))
        .select_from(event.join(entry, entry.c.customer_id == event.c.customer_id))
        .where(event.c.name == "purchase", event.c.occurred_at >= entry.c.entered_at, entry.c.arm == "control")
    )
    with store.read() as connection:
        buyers = connection.execute(bought).scalar_one()
    primary = played.report.judged.results[0]
    assert primary.control_value * primary.control_n == pytest.approx(buyers)


def test_the_planted_truth_stands_beside_the_verdict(played: Played) -> None:
    """The reader can see whether the verdict is right, on the terminal and on the page."""
    assert "control 4 %, deadline 7 %, holdout 3 %" in played.notes()[0]
    assert played.notes()[0] in played.page.read_text(encoding="utf-8")


def test_the_store_can_be_audited(played: Played, store: Database) -> None:
    """A demo's record is sealed like any other, and its stored report is the one that was shown."""
    with store.read() as connection:
        assert audit.verify(connection) is None
        again = build(connection, campaign="winback", as_of=AsOf.live(played.report.as_of))
    assert again.judged == played.report.judged


def test_pretended_time_only_moves_forward(played: Played, told: Told) -> None:
    """What is told comes in the order of pretended time, beginning on the day of the first freeze after now."""
    moments = [at for at, _ in told]
    assert moments == sorted(moments)
    assert moments[0] == datetime(2026, 11, 23, tzinfo=UTC)


def test_an_earlier_demo_is_replaced(played: Played, folder: Path) -> None:
    """Every demo begins with an empty store and an empty outbox."""
    assert not (folder / "left-over").exists()
    assert (folder / ".campaign" / "schema.json").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """What no demo made is never removed."""
    folder = tmp_path / "campaign-demo"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(Refused, match="is not empty and no demo made it"):
        _play(folder, _project(tmp_path / "mine"))
    assert (folder / "thesis.txt").read_text() == "years of work"


def test_a_campaign_for_nobody_says_so(tmp_path: Path) -> None:
    """An own segment that none of the invented customers matches is explained."""
    file = _project(tmp_path / "mine")
    file.write_text(file.read_text().replace("country, in: [DE, AT, FI, IE]", "country, in: [JP]"))
    with pytest.raises(Refused, match="none of the demo's customers would enter winback"):
        _play(tmp_path / "campaign-demo", file)
