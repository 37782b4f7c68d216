"""Plan: what a launch would do, worked out before any data and without sending anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from engine.cycle.engine import Engine
from engine.cycle.holdout import GlobalHoldout
from engine.cycle.rule import Rule, rule_for
from engine.cycle.sample import Sizing, sizing
from engine.cycle.sending import content_of, names_of
from engine.cycle.timing import Timetable, freeze_at, slot_name, zone
from engine.declare.load import Declared
from engine.declare.resolve import Resolved, resolve
from engine.declare.support import unsupported
from engine.errors import NotSupportedYet
from engine.facts.profile import profiles
from engine.messages.check import unsupported_in_templates
from engine.messages.compose import Composer, Rendered, RenderingFailed, expand
from engine.messages.links import Links
from engine.messages.sms import segments
from engine.messages.templates import read_sources, with_included
from engine.model import Arm, AsOf, Reason
from engine.segments.audience import Audience, audience, channel_of
from engine.store import audit
from engine.store.tables import draft as drafts
from engine.store.tables import round_

_CHUNK = 10_000
_NEXT_SENDS = 3
_HORIZON = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """How a segment becomes an audience."""

    matched: int
    excluded: tuple[tuple[Reason, int], ...]
    """In the order in which the exclusions are applied."""
    left: int
    """Customers who would be assigned."""

    def rows(self) -> tuple[tuple[str, int], ...]:
        """Matched, then each exclusion, by name."""
        return (("matched", self.matched), *((reason.value, count) for reason, count in self.excluded))


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A plan as it is shown; a launch seals it."""

    campaign: str
    round: int
    resolved: Resolved
    arms: tuple[Arm, ...]
    rule: Rule | None
    sizing: Sizing | None
    caps: Mapping[str, float]
    funnel: Funnel
    templates: Mapping[str, str]
    next_sends: tuple[datetime, ...]
    """In the campaign's zone."""
    ends_about: datetime | None
    """When a verdict can be expected if the first wave suffices."""
    previews: Mapping[str, Rendered | str]
    """By variant: one rendered message, or why it could not be rendered."""
    cost: Decimal | None
    changes: tuple[str, ...] | None
    """Against the last plan; None where there was none."""
    warnings: tuple[str, ...]
    yaml_sha256: str

    def per_arm(self) -> dict[str, int]:
        """Expected customers by arm."""
        return {arm.name: round(arm.share * self.funnel.left) for arm in self.arms}


def plan(engine: Engine, declared: Declared, name: str, now: datetime) -> Draft:
    """Work out a campaign's next round as of a time, and remember it for "changes since the last plan".

    Raises:
        NotFound: there is no such campaign.
        NotSupportedYet: it declares what this release cannot do.
        FixYourYaml: its templates are wrong.
    """
    resolved = resolve(declared.project, name)
    _refuse_unsupported(declared, name)
    as_of = engine.as_of(now)
    templates = _templates(declared.root, resolved)
    arms = resolved.arms()
    rule = rule_for(resolved.campaign, arms=arms, metrics=resolved.metrics)
    sends = _next_sends(engine, resolved, now)
    with engine.database.read() as connection:
        number = next_number(connection, name)
    with audience(engine.database, resolved, as_of) as matched:
        funnel, sample = _funnel(matched, resolved, sends[0] if sends else now)
    with engine.database.read() as connection:
        planned, caps = sizing(connection, resolved, rule, funnel.left, as_of)
        previews = _previews(engine, connection, resolved, templates, sample, as_of)
    return Draft(
        campaign=name,
        round=number,
        resolved=resolved,
        arms=arms,
        rule=rule,
        sizing=planned,
        caps=caps,
        funnel=funnel,
        templates=templates,
        next_sends=sends,
        ends_about=_ends_about(resolved, rule, sends),
        previews=previews,
        cost=_cost(resolved, arms, funnel.left, previews),
        changes=_changes(engine, name, resolved, templates, now),
        warnings=_warnings(resolved, planned, funnel, sends),
        yaml_sha256=declared.sha256,
    )


def next_number(connection: Connection, campaign: str) -> int:
    """The number that the campaign's next round gets."""
    last = connection.execute(select(func.max(round_.c.number)).where(round_.c.campaign == campaign)).scalar()
    return (last or 0) + 1


def _refuse_unsupported(declared: Declared, name: str) -> None:
    problems = unsupported(declared, name) + unsupported_in_templates(declared, name)
    if problems:
        raise NotSupportedYet(problems)


def _templates(root: Path, resolved: Resolved) -> dict[str, str]:
    """The templates that the variants use, with all they include.

    Raises:
        FixYourYaml: one of them is missing or wrong.
    """
    used = [variant.template for variant in resolved.campaign.variants.values() if variant.template]
    sources = read_sources(root / "templates")
    sealed = with_included(used, sources)
    for variant in resolved.campaign.variants:
        Composer(content_of(resolved, variant), sealed, "check")
    return sealed


# --- the funnel ------------------------------------------------------------------------------------------


def _funnel(matched: Audience, resolved: Resolved, first_send: datetime) -> tuple[Funnel, list[int]]:
    """The funnel, and the ids of a few customers to preview."""
    counts = matched.funnel()
    held, sample = _held_out(matched, resolved, first_send)
    excluded = {reason: count for reason, count in counts.items() if reason is not None}
    if held:
        excluded[Reason.GLOBAL_HOLDOUT] = held
    ordered = tuple((reason, excluded[reason]) for reason in Reason if reason in excluded)
    left = counts.get(None, 0) - held
    return Funnel(matched=sum(counts.values()), excluded=ordered, left=left), sample


def _held_out(matched: Audience, resolved: Resolved, first_send: datetime) -> tuple[int, list[int]]:
    holdout = GlobalHoldout.of(resolved, first_send)
    if holdout is None:
        first = next(iter(matched.left(_SAMPLE)), [])
        return 0, [id_ for id_, _ in first]
    held, sample = 0, list[int]()
    for rows in matched.left(_CHUNK):
        with matched.connection.begin():
            members = holdout.among(matched.connection, rows)
        held += len(members)
        sample = sample or [id_ for id_, _ in rows if id_ not in members][:_SAMPLE]
    return held, sample


_SAMPLE = 20
"""Customers tried until one can be previewed."""


# --- when ------------------------------------------------------------------------------------------------


def _next_sends(engine: Engine, resolved: Resolved, now: datetime) -> tuple[datetime, ...]:
    campaign = resolved.campaign
    local = engine.calendar(campaign.schedule, zone(None, campaign.timezone or "UTC"), after=now, before=now + _HORIZON)
    return tuple(local[:_NEXT_SENDS])


def _ends_about(resolved: Resolved, rule: Rule | None, sends: Sequence[datetime]) -> datetime | None:
    """The first wave's last message, the primary metric's window, and a day for late data."""
    if rule is None or not sends:
        return None
    metric = resolved.metrics[rule.metric]
    window = metric.between[1].delta if metric.between else metric.within.delta if metric.within else timedelta(0)
    timetable = Timetable(resolved.campaign, slot_name(sends[0]), resolved.campaign.timezone or "UTC")
    last = timetable.due(None, timetable.step((1 << 63) - 1))
    return last + window + timedelta(days=1)


# --- one message per arm, and what they cost ---------------------------------------------------------------


def _previews(
    engine: Engine,
    connection: Connection,
    resolved: Resolved,
    templates: Mapping[str, str],
    sample: Sequence[int],
    as_of: AsOf,
) -> dict[str, Rendered | str]:
    links = Links(engine.settings.public_url, engine.settings.signing_keys(engine.root)).for_message(0)
    previews: dict[str, Rendered | str] = {}
    for variant in resolved.campaign.variants:
        composer = Composer(content_of(resolved, variant), templates, "preview")
        people = profiles(connection, sample, as_of, composer.needs)
        previews[variant] = "nobody is in the audience"
        for person in people.values():
            try:
                composed = composer.compose(names_of(resolved, variant) | {"customer": person})
            except RenderingFailed as error:
                previews[variant] = str(error)
                continue
            previews[variant] = expand(composed.skeleton, composed.values, links)
            break
    return previews


def _cost(
    resolved: Resolved, arms: Sequence[Arm], customers: int, previews: Mapping[str, Rendered | str]
) -> Decimal | None:
    """What the messages of one wave cost, at the length of the previews."""
    costs = (resolved.campaign.costs or {}).get(channel_of(resolved))
    if costs is None:
        return None
    # A price by country is planned with its highest, so that nobody is surprised upwards.
    unit = max(costs.values(), key=lambda cost: cost.amount) if isinstance(costs, dict) else costs
    total = Decimal(0)
    for arm in (arm for arm in arms if arm.messaged):
        preview = previews.get(arm.name)
        parts = segments(preview.text).count if isinstance(preview, Rendered) and unit.unit == "segment" else 1
        total += unit.amount * parts * round(arm.share * customers)
    return total


# --- changes since the last plan -----------------------------------------------------------------------------


def _changes(
    engine: Engine, name: str, resolved: Resolved, templates: Mapping[str, str], now: datetime
) -> tuple[str, ...] | None:
    document = comparable(resolved, templates)
    with engine.database.write() as connection:
        last = connection.execute(select(drafts.c.sha256).where(drafts.c.campaign == name)).scalar()
        before = json.loads(audit.sealed(connection, last)) if last else None
        fresh = {"sha256": audit.seal(connection, document), "planned_at": now}
        if last is None:
            connection.execute(insert(drafts).values(campaign=name, **fresh))
        else:
            connection.execute(update(drafts).where(drafts.c.campaign == name).values(**fresh))
    return None if before is None else tuple(differences(before, document))


def comparable(resolved: Resolved, templates: Mapping[str, str]) -> dict[str, Any]:
    """What two plans of a campaign are compared by."""
    return {
        "resolved": resolved.model_dump(mode="json", by_alias=True, exclude_none=True),
        "templates": dict(templates),
    }


def differences(before: Any, after: Any, place: str = "") -> list[str]:
    """What changed between two documents, one line each, in plain words."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*before, *(key for key in after if key not in before)]
        return [
            line
            for key in keys
            for line in differences(before.get(key), after.get(key), f"{place}.{key}" if place else str(key))
        ]
    if before == after:
        return []
    where = place.removeprefix("resolved.").removeprefix("campaign.")
    if place.startswith("templates."):
        return [f"{where}: {'new' if before is None else 'removed' if after is None else 'changed'}"]
    return [f"{where}: {_shown(before)} → {_shown(after)}"]


def _shown(value: Any) -> str:
    if value is None:
        return "(absent)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- warnings ---------------------------------------------------------------------------------------------------


def _warnings(resolved: Resolved, planned: Sizing | None, funnel: Funnel, sends: Sequence[datetime]) -> tuple[str, ...]:
    warnings = []
    if not sends:
        warnings.append("the schedule has no send ahead: check starts, ends and at")
    if funnel.left == 0:
        warnings.append("nobody is left in the audience: `campaign segments show` tells where they went")
    if planned is not None:
        warnings += planned.warnings()
    if _never_ends(resolved, planned):
        warnings.append(
            "nothing ends this round: it repeats, and without a planned sample it goes on until it is stopped. "
            "Write round: {until: … per arm} or {at_most: … days}, or schedule: ends"
        )
    schedule = resolved.campaign.schedule
    if sends and schedule is not None and freeze_at(resolved.campaign, sends[0]) < sends[0].astimezone(UTC):
        at = freeze_at(resolved.campaign, sends[0]).strftime("%Y-%m-%d %H:%M UTC")
        warnings.append(f"clock: recipient freezes the first audience at {at}, when its hour comes in the far east")
    return tuple(warnings)


def _never_ends(resolved: Resolved, planned: Sizing | None) -> bool:
    """Whether a judged campaign repeats without anything that would bring its verdict."""
    schedule, limit = resolved.campaign.schedule, resolved.campaign.round
    if planned is None or schedule is None or schedule.at is not None or schedule.ends is not None:
        return False
    return planned.needed_per_arm is None and (limit is None or limit.at_most is None)
