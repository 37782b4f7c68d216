"""Names must exist where they are declared."""

from __future__ import annotations

from collections.abc import Iterator

from engine.declare import resolve, walk
from engine.declare.declared import Declared
from engine.declare.finding import Finding, repeated, unknown
from engine.declare.grammar import Trail
from engine.declare.near import nearest
from engine.declare.quantities import quoted
from engine.declare.spec import Answered, Campaign, Condition, InCampaign, InSegment, Lifecycle, Lookalike, Loyalty
from engine.model import HOLDOUT, Decision, MessageState


def findings(declared: Declared) -> Iterator[Finding]:
    """Names that stand nowhere, lists that name something twice, and segments that go round in a circle."""
    if not declared.incomplete:
        yield from _references(declared)
    yield from _repetitions(declared)
    yield from _circles(declared)


def _references(declared: Declared) -> Iterator[Finding]:
    project = declared.project
    for trail, condition in walk.project_conditions(project):
        yield from _condition(declared, trail, condition)
    for name, campaign in project.campaigns.items():
        yield from _campaign(declared, name, campaign)
        yield from _senders(declared, name, campaign)
    for group, members in project.exclusive_groups.items():
        for index, member in enumerate(members):
            yield from _declared(declared, ("exclusive_groups", group, index), "campaign", member)
    if isinstance(project.defaults.sender, str):
        known = project.defaults.senders or ()
        yield from unknown(
            ("defaults", "sender"), "sender", project.defaults.sender, known, also=(("defaults", "senders"),)
        )


def _declared(declared: Declared, trail: Trail, what: str, name: str | None) -> Iterator[Finding]:
    """A name that its section has to declare: a `segment` stands under `segments`."""
    section = f"{what}s"
    if name is None or declared.written((section, name)):
        return
    yield from unknown(trail, what, name, declared.names(section), also=((section,),))


def _campaign(declared: Declared, name: str, campaign: Campaign) -> Iterator[Finding]:
    own: Trail = ("campaigns", name)
    yield from _declared(declared, (*own, "segment"), "segment", campaign.segment)
    for trail, metric in walk.metric_names(name, campaign):
        yield from _declared(declared, trail, "metric", metric)
    topics = declared.names("topics") or [campaign.purpose]
    yield from unknown((*own, "topic"), "topic", campaign.topic, topics, also=(("topics",),))
    trigger = campaign.schedule.trigger if campaign.schedule is not None else None
    if trigger is not None:
        trail = (*own, "schedule", "trigger", "enters_segment")
        yield from _declared(declared, trail, "segment", trigger.enters_segment)
    for trail, variant in walk.variants(name, campaign):
        yield from _declared(declared, (*trail, "coupon"), "coupon", variant.coupon)
        yield from _declared(declared, (*trail, "survey"), "survey", variant.survey)


def _senders(declared: Declared, name: str, campaign: Campaign) -> Iterator[Finding]:
    known = walk.with_defaults(declared.project, campaign).senders or ()
    also = (("defaults", "senders"), ("campaigns", name, "senders"))
    if isinstance(campaign.sender, str):
        yield from unknown(("campaigns", name, "sender"), "sender", campaign.sender, known, also=also)
    for trail, variant in walk.variants(name, campaign):
        yield from unknown((*trail, "sender"), "sender", variant.sender, known, also=also)


def _condition(declared: Declared, trail: Trail, condition: Condition) -> Iterator[Finding]:
    match condition:
        case InSegment():
            yield from _declared(declared, (*trail, "in_segment"), "segment", condition.in_segment)
        case Lookalike():
            yield from _declared(declared, (*trail, "lookalike"), "segment", condition.lookalike)
        case Answered():
            yield from _declared(declared, (*trail, "answered"), "survey", condition.answered)
        case Loyalty():
            yield from _tiers(declared, trail, condition)
        case Lifecycle() if declared.project.lifecycle:
            yield from _stages(trail, "lifecycle stage", condition, declared.names("lifecycle"))
        case InCampaign():
            yield from _in_campaign(declared, trail, condition)


def _tiers(declared: Declared, trail: Trail, condition: Loyalty) -> Iterator[Finding]:
    programme = declared.project.loyalty
    if programme is None:
        message, hint = "there is no loyalty programme", "declare loyalty: with points: and tiers:"
        yield Finding(trail=(*trail, "loyalty"), message=message, hint=hint, also=(("loyalty",),))
    elif condition.loyalty == "tier":
        yield from _stages(trail, "loyalty tier", condition, list(programme.tiers))


def _stages(trail: Trail, what: str, condition: Loyalty | Lifecycle, known: list[str]) -> Iterator[Finding]:
    yield from unknown((*trail, "is"), what, condition.is_, known)
    for index, name in enumerate(condition.in_ or ()):
        yield from unknown((*trail, "in", index), what, name, known)


def _in_campaign(declared: Declared, trail: Trail, condition: InCampaign) -> Iterator[Finding]:
    """One that ran and left the file may be named; what is nearly the name of another is perhaps mistyped."""
    name, known = condition.in_campaign, declared.names("campaigns")
    yield from unknown((*trail, "verdict"), "verdict", condition.verdict, list(Decision))
    yield from unknown((*trail, "state"), "message state", condition.state, list(MessageState))
    campaign = declared.project.campaigns.get(name)
    if campaign is not None:
        arms = [*campaign.variants, HOLDOUT]
        yield from unknown((*trail, "arm"), "arm", condition.arm, arms, also=(("campaigns", name, "variants"),))
    elif name not in known and nearest(name, known) is not None:
        yield Finding(
            trail=(*trail, "in_campaign"),
            message=f"the campaign {quoted(name)} is not declared here, so it means one that ran before",
            hint=f'did you mean "{nearest(name, known)}"?',
            severity="warning",
            rule="past-campaign",
        )


def _repetitions(declared: Declared) -> Iterator[Finding]:
    project = declared.project
    yield from repeated(("topics",), project.topics)
    for group, members in project.exclusive_groups.items():
        yield from repeated(("exclusive_groups", group), members)
    for name, campaign in project.campaigns.items():
        yield from repeated(("campaigns", name, "secondary"), campaign.secondary)
        if isinstance(campaign.channel, list):
            yield from repeated(("campaigns", name, "channel"), campaign.channel)


def _circles(declared: Declared) -> Iterator[Finding]:
    """Each way back to a segment already on the way, reported where the circle's first segment goes into it."""
    below = {name: list(resolve.referred(segment.where)) for name, segment in declared.project.segments.items()}
    for circle in _ways_back(below):
        yield Finding(
            trail=_mention(declared, circle[0], circle[1]),
            message=f"segments refer to each other in a circle: {_arrows(circle)}",
            hint="take one of them out of the other",
        )


def _arrows(circle: list[str]) -> str:
    shown = circle if len(circle) <= 12 else [*circle[:6], "…", *circle[-3:]]
    return " → ".join(shown)


def _ways_back(below: dict[str, list[str]]) -> Iterator[list[str]]:
    """Depth first, without recursion, each name left once."""
    left: set[str] = set()
    for root, names in below.items():
        way = {root: iter(names)} if root not in left else {}
        while way:
            here = next(reversed(way))
            name = next(way[here], None)
            if name is None:
                left.add(here)
                del way[here]
            elif name in way:
                taken = list(way)
                yield [*taken[taken.index(name) :], name]
            elif name not in left and name in below:
                way[name] = iter(below[name])


def _mention(declared: Declared, name: str, other: str) -> Trail:
    for trail, condition in walk.conditions(declared.project.segments[name].where, ("segments", name, "where")):
        if isinstance(condition, InSegment | Lookalike) and other in resolve.referred(condition):
            return (*trail, "in_segment" if isinstance(condition, InSegment) else "lookalike")
    return ("segments", name)
