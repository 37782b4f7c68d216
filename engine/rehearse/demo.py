"""The whole cycle on a generated shop: the engine's own code, in pretended time, with the truth known."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from engine.cycle.engine import Engine
from engine.cycle.launch import launch
from engine.cycle.plan import Draft, plan
from engine.cycle.validate import checked
from engine.declare.declared import Declared
from engine.declare.resolve import resolve
from engine.errors import Refused
from engine.model import AsOf
from engine.rehearse.outcomes import Truth, plant
from engine.rehearse.population import generate
from engine.rehearse.stage import Stage, Tell, freezes, midnight, take_in
from engine.rehearse.starter import YAML, copy_project, shipped
from engine.report import html
from engine.report.report import Report, build
from engine.schedule.scheduler import slots
from engine.schedule.worker import wall
from engine.settings import Settings
from engine.store import migrations
from engine.store.database import open_database

_MARK = Path(".campaign") / "demo"
_LAUNCH_AFTER = timedelta(hours=9)


@dataclass(frozen=True, kw_only=True)
class Played:
    """A round that was played to its end."""

    draft: Draft
    """The plan as it was shown before the launch."""
    report: Report
    truth: Truth
    page: Path
    """The HTML report."""
    outbox: Path

    def notes(self) -> list[str]:
        """The truth, for beside the verdict."""
        return notes(self.truth)


def play(
    folder: Path, *, file: Path, settings: Settings, customers: int, seed: int, now: datetime, tell: Tell
) -> Played:
    """Play one round of the first campaign with a claim, from import to verdict.

    Args:
        folder: made anew; only a folder that an earlier demo made is replaced.
        file: the declared campaigns; where it does not exist, the shipped ones.
        now: the round is played on the first send after it.

    Raises:
        Refused: the folder holds something else, or nobody of the generated customers would be messaged.
    """
    declared = _prepare(folder, file)
    name = _campaign(declared)
    begins = midnight(next(freezes(resolve(declared.project, name).campaign, now), now))
    engine = _engine(folder, settings)
    files = generate(folder / "data", customers=customers, seed=seed, at=begins)
    tell(begins, f"made {customers:,} customers with orders and visits")
    for kind in ("customers", "orders", "events"):
        taken = take_in(engine, kind, getattr(files, kind), begins)
        tell(begins, f"imported {taken:,} rows of {kind}")
    at = begins + _LAUNCH_AFTER
    draft = plan(engine, declared, name, at)
    stage = _launch(engine, draft, at=at, seed=seed, tell=tell)
    stage.run(imported_to=begins)
    played = _finish(stage, draft)
    engine.database.close()
    return played


def notes(truth: Truth) -> list[str]:
    """The planted truth in words."""
    planted = ", ".join(f"{arm} {100 * rate:g} %" for arm, rate in truth.purchase_rate.items())
    return [f"This is a rehearsal with invented customers. Planted chance of a purchase within 7 days: {planted}."]


def _prepare(folder: Path, file: Path) -> Declared:
    """The folder with nothing but what is declared."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise Refused(f"{folder} is not empty and no demo made it; nothing was changed. Call the demo elsewhere")
    declared = checked(file) if file.exists() else None
    shutil.rmtree(folder, ignore_errors=True)
    if declared is None:
        copy_project(shipped(), folder, [Path(YAML)])
    else:
        copy_project(declared.root, folder, [path.relative_to(declared.root) for path in declared.files])
        (folder / file.name).rename(folder / YAML)
    (folder / _MARK).touch()
    return checked(folder / YAML)


def _campaign(declared: Declared) -> str:
    """The first campaign with a claim, or else the first."""
    campaigns = declared.project.campaigns
    if not campaigns:
        raise Refused("no campaign is declared; the demo plays one")
    return next((name for name, campaign in campaigns.items() if campaign.hypothesis), next(iter(campaigns)))


def _engine(folder: Path, settings: Settings) -> Engine:
    """A fresh store in the folder, whatever the environment names."""
    url = f"sqlite:///{(folder / 'campaign.db').resolve()}"
    own = settings.model_copy(update={"database_url": url, "outbox": Path("outbox")})
    database = open_database(url)
    migrations.prepare(database)
    file = (folder / YAML).resolve()
    return Engine(database=database, settings=own, calendar=slots, file=file, pretended=True, real_now=wall())


def _launch(engine: Engine, draft: Draft, *, at: datetime, seed: int, tell: Tell) -> Stage:
    if not draft.funnel.left:
        raise Refused(
            f"none of the demo's customers would enter {draft.campaign}: they are those of the shipped example. "
            "Call the demo in a folder without a campaigns.yaml"
        )
    launched = launch(engine, draft, actor="demo", now=at)
    tell(at, f"launched round {launched.number} of {draft.campaign}, sealed as {launched.sha256[:12]}…")
    # The arms are drawn anew at each launch. With the same luck for everybody each time, the estimates of all
    # demos would lie around what this luck happened to give and not around the truth.
    luck = f"{seed}/{launched.sha256}"
    return Stage(engine=engine, round_id=launched.round_id, truth=plant(draft.arms), seed=luck, now=at, tell=tell)


def _finish(stage: Stage, draft: Draft) -> Played:
    """The report of the round as it ended."""
    with stage.engine.database.read() as connection:
        report = build(connection, campaign=draft.campaign, number=draft.round, as_of=AsOf.live(stage.now))
    root = stage.engine.root
    page = root / "reports" / f"{draft.campaign}-{draft.round}.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(html.render(report, notes=notes(stage.truth)), encoding="utf-8")
    return Played(draft=draft, report=report, truth=stage.truth, page=page, outbox=root / stage.engine.settings.outbox)
