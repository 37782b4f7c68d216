"""One campaign made complete: defaults merged in, and everything that it refers to beside it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.declare import walk
from engine.declare.near import suggestion
from engine.declare.quantities import quoted
from engine.declare.spec import (
    Campaign,
    Condition,
    InSegment,
    Lookalike,
    Metric,
    Project,
    Segment,
    Sender,
    Spec,
    Variant,
)
from engine.errors import NotFound
from engine.model import HOLDOUT, Arm, ArmRole


class Resolved(Spec):
    """What a plan seals of a declaration; its JSON gives the same object again."""

    name: str
    campaign: Campaign
    """Every overridable setting is the campaign's own, else the default's, else None."""
    metrics: dict[str, Metric]
    """Those that the campaign mentions."""
    segments: dict[str, Segment]
    """The campaign's own and all that these refer to."""
    topics: list[str]

    def arms(self) -> tuple[Arm, ...]:
        """The arms with their shares, the holdout last; the shares add up to 1."""
        held = 0.0 if self.campaign.holdout is None else self.campaign.holdout.value
        total = sum(variant.weight for variant in self.campaign.variants.values())
        arms = [
            Arm(name=name, share=(1 - held) * variant.weight / total, role=self._role(name))
            for name, variant in self.campaign.variants.items()
        ]
        if held:
            arms.append(Arm(name=HOLDOUT, share=held, role=ArmRole.HOLDOUT))
        return tuple(arms)

    def _role(self, variant: str) -> ArmRole:
        hypothesis = self.campaign.hypothesis
        compared = hypothesis is not None and hypothesis.compared_to == variant
        return ArmRole.CONTROL if compared else ArmRole.TREATMENT

    @property
    def topic(self) -> str:
        """What a recipient can unsubscribe from; the purpose where no topic is declared."""
        return self.campaign.topic or self.campaign.purpose

    def sender(self, variant: str) -> Sender | None:
        """Who a variant's messages come from."""
        return sender_of(self.campaign, self.campaign.variants[variant])


def resolve(project: Project, campaign_name: str) -> Resolved:
    """Complete one campaign of a checked project.

    Raises:
        NotFound: there is no such campaign.
    """
    if campaign_name not in project.campaigns:
        hint = suggestion(campaign_name, project.campaigns, otherwise="no campaigns are declared")
        raise NotFound(f"there is no campaign {quoted(campaign_name)}; {hint}")
    campaign = walk.with_defaults(project, project.campaigns[campaign_name])
    metrics = dict.fromkeys(metric for _, metric in walk.metric_names(campaign_name, campaign))
    return Resolved(
        name=campaign_name,
        campaign=campaign,
        metrics={metric: project.metrics[metric] for metric in metrics if metric in project.metrics},
        segments=_segments(project, campaign_name, campaign),
        topics=project.topics or [campaign.topic or campaign.purpose],
    )


def sender_of(campaign: Campaign, variant: Variant) -> Sender | None:
    """The sender of a variant in a campaign that has its defaults: the variant's own, else the campaign's."""
    sender = variant.sender or campaign.sender
    return (campaign.senders or {}).get(sender) if isinstance(sender, str) else sender


def _segments(project: Project, name: str, campaign: Campaign) -> dict[str, Segment]:
    found: dict[str, Segment] = {}
    waiting = list(_mentioned(name, campaign))
    while waiting:
        segment = waiting.pop(0)
        if segment in found or segment not in project.segments:
            continue
        found[segment] = project.segments[segment]
        waiting += referred(project.segments[segment].where)
    return found


def _mentioned(name: str, campaign: Campaign) -> Iterator[str]:
    if campaign.segment is not None:
        yield campaign.segment
    trigger = campaign.schedule.trigger if campaign.schedule is not None else None
    if trigger is not None and trigger.enters_segment is not None:
        yield trigger.enters_segment
    for _, condition in walk.campaign_conditions(name, campaign):
        yield from _segment_named(condition)


def referred(condition: Condition) -> Iterator[str]:
    """The segments that a condition names, at any depth."""
    for _, inner in walk.conditions(condition, ()):
        yield from _segment_named(inner)


def _segment_named(condition: Condition) -> Iterator[str]:
    if isinstance(condition, InSegment):
        yield condition.in_segment
    elif isinstance(condition, Lookalike):
        yield condition.lookalike
