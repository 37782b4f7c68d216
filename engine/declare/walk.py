"""Going through nested declarations: conditions, messages and claims, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.declare.grammar import Trail
from engine.declare.spec import (
    Campaign,
    Condition,
    Group,
    Hypothesis,
    Metric,
    Overridable,
    Project,
    SendStep,
    SplitStep,
    Step,
    Variant,
    WhenStep,
)


def conditions(condition: Condition, trail: Trail) -> Iterator[tuple[Trail, Condition]]:
    """A condition and all that it is made of, outer ones first."""
    yield trail, condition
    if isinstance(condition, Group):
        for key in ("all", "any", "none"):
            for index, inner in enumerate(getattr(condition, key) or ()):
                yield from conditions(inner, (*trail, key, index))


def steps(listed: Sequence[Step], trail: Trail) -> Iterator[tuple[Trail, Step]]:
    """All steps, also those inside `when: … do: …`."""
    for index, step in enumerate(listed):
        here = (*trail, index)
        yield here, step
        if isinstance(step, WhenStep):
            yield from steps(step.do, (*here, "do"))


def campaign_steps(name: str, campaign: Campaign) -> Iterator[tuple[Trail, Step]]:
    """All steps of a campaign."""
    return steps(campaign.steps, ("campaigns", name, "steps"))


def campaign_conditions(name: str, campaign: Campaign) -> Iterator[tuple[Trail, Condition]]:
    """Every condition that stands in a campaign itself."""
    if campaign.schedule is not None and campaign.schedule.unless is not None:
        yield from conditions(campaign.schedule.unless, ("campaigns", name, "schedule", "unless"))
    for trail, step in campaign_steps(name, campaign):
        if isinstance(step, WhenStep):
            yield from conditions(step.when, (*trail, "when"))


def project_conditions(project: Project) -> Iterator[tuple[Trail, Condition]]:
    """Every condition of a project."""
    for name, segment in project.segments.items():
        yield from conditions(segment.where, ("segments", name, "where"))
    for name, stage in project.lifecycle.items():
        yield from conditions(stage, ("lifecycle", name))
    for name, campaign in project.campaigns.items():
        yield from campaign_conditions(name, campaign)


def variants(name: str, campaign: Campaign) -> Iterator[tuple[Trail, Variant]]:
    """Everything that a campaign can send: its variants, and the messages of its steps."""
    for variant, content in campaign.variants.items():
        yield ("campaigns", name, "variants", variant), content
    for trail, step in campaign_steps(name, campaign):
        if isinstance(step, SendStep):
            yield (*trail, "send"), step.send
        elif isinstance(step, SplitStep):
            for variant, content in step.split.variants.items():
                yield (*trail, "split", "variants", variant), content


def claims(name: str, campaign: Campaign) -> Iterator[tuple[Trail, Hypothesis, dict[str, Variant]]]:
    """A campaign's hypothesis and those of its splits, each with the variants that it is about."""
    if campaign.hypothesis is not None:
        yield ("campaigns", name, "hypothesis"), campaign.hypothesis, campaign.variants
    for trail, step in campaign_steps(name, campaign):
        if isinstance(step, SplitStep) and step.split.hypothesis is not None:
            yield (*trail, "split", "hypothesis"), step.split.hypothesis, step.split.variants


def metric_names(name: str, campaign: Campaign) -> Iterator[tuple[Trail, str]]:
    """Every mention of a metric in a campaign."""
    own: Trail = ("campaigns", name)
    for trail, hypothesis, _ in claims(name, campaign):
        yield (*trail, "metric"), hypothesis.metric
    for index, metric in enumerate(campaign.secondary):
        yield (*own, "secondary", index), metric
    for index, guardrail in enumerate(campaign.guardrails):
        yield (*own, "guardrails", index, "metric"), guardrail.metric
    if campaign.choose_by is not None:
        yield (*own, "choose_by"), campaign.choose_by


def events(metric: Metric) -> tuple[str, ...]:
    """The events that a metric counts."""
    parts = [metric.event, *(part.event for part in (metric.numerator, metric.denominator) if part is not None)]
    return tuple(dict.fromkeys(event for event in parts if event is not None))


def with_defaults(project: Project, campaign: Campaign) -> Campaign:
    """The campaign with every setting that it leaves open taken from the defaults; `~` in it switches one off."""
    given = {
        field: getattr(project.defaults, field)
        for field in Overridable.model_fields
        if field not in campaign.model_fields_set
    }
    return campaign.model_copy(update=given)
