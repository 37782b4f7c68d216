"""What is declared correctly but cannot be done by this release: refused at `plan`, never ignored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.declare import resolve, walk
from engine.declare.declared import Declared
from engine.declare.grammar import Trail
from engine.declare.resolve import Resolved
from engine.declare.spec import (
    CONDITION_KEYS,
    Attribute,
    Condition,
    Did,
    DidNot,
    Group,
    InCampaign,
    InSegment,
    Rfm,
)
from engine.errors import Problem

_CONDITIONS = (Attribute, Did, DidNot, Rfm, InSegment, InCampaign, Group)
_CHANNELS = ("email", "sms")
_PROVIDERS = ("outbox", "discard")
_METRICS = ("conversion", "mean")


@dataclass(frozen=True, kw_only=True)
class _Gap:
    trail: Trail
    what: str
    hint: str | None = None
    key: bool = True


def unsupported(declared: Declared, campaign_name: str) -> list[Problem]:
    """Everything that a campaign uses and this release cannot do, each with its place.

    Raises:
        NotFound: there is no such campaign.
    """
    resolved = resolve.resolve(declared.project, campaign_name)
    gaps = dict.fromkeys(_gaps(declared, resolved))
    return [declared.problem(gap.trail, f"not supported yet: {gap.what}", hint=gap.hint, key=gap.key) for gap in gaps]


def _gaps(declared: Declared, resolved: Resolved) -> Iterator[_Gap]:
    yield from _keys(resolved)
    yield from _channel(declared, resolved)
    yield from _settings(declared, resolved)
    yield from _rule(declared, resolved)
    yield from _metrics(resolved)
    yield from _conditions(resolved)
    yield from _contents(resolved)
    yield from _groups(declared, resolved)


def _keys(resolved: Resolved) -> Iterator[_Gap]:
    """Parts of a campaign that are refused as a whole."""
    campaign, own = resolved.campaign, ("campaigns", resolved.name)
    for key in ("guardrails", "choose_by", "steps", "test", "report"):
        if getattr(campaign, key):
            yield _Gap(trail=(*own, key), what=key)
    if campaign.improve.programme_confidence is not None:
        yield _Gap(trail=(*own, "improve", "programme_confidence"), what="programme_confidence")
    for key, what in (("trigger", "triggers"), ("unless", "unless"), ("again_after", "again_after")):
        if campaign.schedule is not None and getattr(campaign.schedule, key) is not None:
            yield _Gap(trail=(*own, "schedule", key), what=what)


def _channel(declared: Declared, resolved: Resolved) -> Iterator[_Gap]:
    campaign, trail = resolved.campaign, ("campaigns", resolved.name, "channel")
    if isinstance(campaign.channel, list):
        hint = "write one channel, such as channel: email"
        yield _Gap(trail=trail, what="a list of channels", hint=hint, key=False)
        return
    if campaign.channel not in _CHANNELS:
        yield _Gap(trail=trail, what=f"the channel {campaign.channel}", hint="write email or sms", key=False)
        return
    provider = getattr(campaign.providers, campaign.channel) if campaign.providers is not None else "outbox"
    if provider not in _PROVIDERS:
        where = declared.origin(resolved.name, "providers", campaign.channel)
        yield _Gap(trail=where, what=f"the provider {provider}", hint="write outbox or discard", key=False)


def _settings(declared: Declared, resolved: Resolved) -> Iterator[_Gap]:
    campaign = resolved.campaign
    for key in ("exchange", "languages", "keep"):
        if getattr(campaign, key) is not None:
            yield _Gap(trail=declared.origin(resolved.name, key), what=key)
    for country, rule in (campaign.opt_in or {}).items():
        if rule == "double":
            yield _Gap(trail=declared.origin(resolved.name, "opt_in", country), what="opt_in: double", key=False)


def _rule(declared: Declared, resolved: Resolved) -> Iterator[_Gap]:
    method, own = resolved.campaign.decide.method, ("campaigns", resolved.name)
    trail = (*own, "decide", "method")
    if method == "fixed" or (resolved.campaign.hypothesis is None and not declared.written(trail)):
        return
    hint = "write decide: {method: fixed}"
    if declared.written(trail):
        yield _Gap(trail=trail, what=f"the method {method}", hint=hint, key=False)
    else:
        where = (*own, "decide") if declared.written((*own, "decide")) else own
        yield _Gap(trail=where, what=f"the method {method}, which is the default", hint=hint)


def _metrics(resolved: Resolved) -> Iterator[_Gap]:
    for name, metric in resolved.metrics.items():
        if metric.kind not in _METRICS:
            yield _Gap(trail=("metrics", name, "kind"), what=f"a metric of kind {metric.kind}", key=False)
        if metric.less is not None:
            yield _Gap(trail=("metrics", name, "less"), what=f"less: {metric.less} in a metric")


def _conditions(resolved: Resolved) -> Iterator[_Gap]:
    every = list(walk.campaign_conditions(resolved.name, resolved.campaign))
    for name, segment in resolved.segments.items():
        every += walk.conditions(segment.where, ("segments", name, "where"))
    for trail, condition in every:
        if not isinstance(condition, _CONDITIONS):
            word = _condition_word(condition)
            yield _Gap(trail=(*trail, word), what=f"the condition {word}")


def _condition_word(condition: Condition) -> str:
    return next(key for key in CONDITION_KEYS if hasattr(condition, key))


def _contents(resolved: Resolved) -> Iterator[_Gap]:
    for trail, variant in walk.variants(resolved.name, resolved.campaign):
        for key, what in (("coupon", "coupons"), ("survey", "surveys")):
            if getattr(variant, key) is not None:
                yield _Gap(trail=(*trail, key), what=what)
        for key in ("subject", "preheader", "text"):
            if isinstance(getattr(variant, key), dict):
                yield _Gap(trail=(*trail, key), what="texts by language", hint="write one text", key=False)
        if variant.template is not None and "{language}" in variant.template:
            yield _Gap(trail=(*trail, "template"), what="templates by language", hint="name one file", key=False)


def _groups(declared: Declared, resolved: Resolved) -> Iterator[_Gap]:
    for name, members in declared.project.exclusive_groups.items():
        if resolved.name in members:
            trail: Trail = ("exclusive_groups", name, members.index(resolved.name))
            yield _Gap(trail=trail, what="exclusive_groups", key=False)
