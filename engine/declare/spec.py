"""What can be declared in campaigns.yaml, as frozen models.

Everything is parsed once into these and trusted afterwards. A model says what a
field means (its description becomes the JSON Schema and the YAML reference); what
needs more than one field of one place, such as a name that must exist elsewhere,
is checked in `check.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from engine.declare.quantities import (
    AfterSend,
    Duration,
    Earning,
    Effect,
    Headcount,
    Misfire,
    Money,
    Percentile,
    Rate,
    Sample,
    Share,
    UnitCost,
)
from engine.declare.scalars import Count, Day, Either, Flag, LocalTime, Name, Number, TimeOfDay


class Spec(BaseModel):
    """Base: frozen, and a key that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


# Which member of a union is meant is said by the value's shape, so that a mistake is reported
# once, against that member. The tags appear in pydantic's error locations; `words.py` removes
# them by their first character, which no key of the grammar has.


def _by_keys(value: Any) -> str:
    return "=keys" if isinstance(value, dict | BaseModel) else "=text"


def _by_list(value: Any) -> str:
    return "=list" if isinstance(value, list | tuple) else "=text"


TEXT, KEYS, LIST = Tag("=text"), Tag("=keys"), Tag("=list")
Localised = Annotated[Annotated[str, TEXT] | Annotated[dict[str, str], KEYS], Discriminator(_by_keys)]
"""Text, or a text for each language."""
Costs = Annotated[Annotated[UnitCost, TEXT] | Annotated[dict[str, UnitCost], KEYS], Discriminator(_by_keys)]
"""Cost of a message, or by country."""
Level = Annotated[Share | Money, Either((Share, Money))]
Age = Annotated[Duration | Literal["hold", "go"], Either((Duration,), ("hold", "go"))]


def _d(text: str, default: Any = ..., alias: str | None = None) -> Any:
    """A field with its description; the description is what a marketer reads in the reference."""
    return Field(default, description=text, alias=alias)


# --- senders, providers and the rules of sending -------------------------------------------------


class EmailSender(Spec):
    from_: str = _d("Name and address that the mail comes from", alias="from")
    reply_to: str | None = _d("Where answers go", None)
    postal_address: str | None = _d("Postal address in the footer; required by law in many countries", None)


class SmsSender(Spec):
    from_: str = _d("Number or sender id in international form", alias="from")


class Sender(Spec):
    email: EmailSender | None = _d("Sender of emails", None)
    sms: SmsSender | None = _d("Sender of SMS", None)


SenderOrName = Annotated[Annotated[Sender, KEYS] | Annotated[str, TEXT], Discriminator(_by_keys)]


class Providers(Spec):
    email: Literal["outbox", "smtp", "sendgrid", "discard"] = _d("Who carries email", "outbox")
    sms: Literal["outbox", "twilio", "discard"] = _d("Who carries SMS", "outbox")


class QuietHours(Spec):
    from_: TimeOfDay = _d("Start of the quiet hours, such as 21:00", alias="from")
    to: TimeOfDay = _d("End of the quiet hours, such as 08:00")
    clock: Literal["recipient", "campaign"] = _d("Whose clock counts", "recipient")
    then: Literal["wait", "skip"] = _d("Wait until the hours are over, or skip the message", "wait")


class FrequencyCap(Spec):
    channel: Literal["email", "sms"] | None = _d("The channel counted; all of them when absent", None)
    at_most: Count = _d("Messages allowed in the period")
    per: Duration = _d("The period, looking back from the send")


class GlobalHoldout(Spec):
    share: Share = _d("Share of all customers whom no campaign messages")
    renew: Literal["monthly", "quarterly", "yearly", "never"] = _d("When a new draw is made", "quarterly")


class Approval(Spec):
    launch: Count = _d("How many other people must approve a launch", 0)
    above: Headcount | None = _d("From this audience on, more people must approve", None)
    people: Count = _d("How many people must approve above that size", 2)


class Exchange(Spec):
    to: str = _d("Currency that amounts are converted to")
    rates: str = _d("CSV file with the columns date, currency, rate")


class Languages(Spec):
    default: str = _d("Language used when a customer has none")
    fallback: list[str] = _d("Tried in this order when a text is missing", [])


class Keep(Spec):
    events: Duration | None = _d("How long events are kept", None)
    values: Duration | None = _d("How long the personal values of messages are kept", None)


class Overridable(Spec):
    """Settings that `defaults` gives and every campaign may override."""

    timezone: str | None = _d("IANA time zone of the campaign, such as Europe/Berlin", None)
    currency: str | None = _d("Currency of amounts, ISO 4217", None)
    exchange: Exchange | None = _d("Rates for orders in other currencies", None)
    languages: Languages | None = _d("Languages of templates and texts", None)
    sender: SenderOrName | None = _d("The sender, or the name of one of `senders`", None)
    senders: dict[Name, Sender] | None = _d("Several senders by name", None)
    providers: Providers | None = _d("Who carries the messages", None)
    costs: dict[str, Costs] | None = _d("Cost by channel, or by channel and country", None)
    quiet_hours: QuietHours | None = _d("Hours in which nobody is messaged", None)
    frequency_cap: list[FrequencyCap] | None = _d("How many messages a customer gets at most, over all campaigns", None)
    global_holdout: GlobalHoldout | None = _d("Customers whom no campaign messages", None)
    needs_data: dict[str, Age] | None = _d(
        "How old the data of an event may be; `otherwise: hold` waits, `go` does not", None
    )
    approval: Approval | None = _d("Who must approve a launch", None)
    opt_in: dict[str, Literal["single", "double"]] | None = _d("Opt-in rule by country, with `default`", None)
    keep: Keep | None = _d("How long personal data are kept", None)
    only_to: list[str] | None = _d("Address patterns; nobody else is ever messaged (for staging)", None)


class Defaults(Overridable):
    """What holds for every campaign unless it says otherwise."""


# --- metrics ---------------------------------------------------------------------------------------


class PropertyTest(Spec):
    """A test of one property; several keys must all hold."""

    is_: str | None = _d("Equal to", None, alias="is")
    is_not: str | None = _d("Not equal to", None)
    in_: list[str] | None = _d("One of", None, alias="in")
    not_in: list[str] | None = _d("None of", None)
    at_least: str | None = _d("This or more", None)
    at_most: str | None = _d("This or less", None)
    between: tuple[str, str] | None = _d("From the first to the second, both included", None)
    exists: Flag | None = _d("Present (true) or absent (false)", None)
    contains: str | None = _d("Contains the text", None)
    matches: str | None = _d("Matches the pattern; * stands for any text", None)


Where = dict[str, Annotated[Annotated[str, TEXT] | Annotated[PropertyTest, KEYS], Discriminator(_by_keys)]]
"""Property → value that it must equal, or tests."""


class EventValue(Spec):
    event: str = _d("Name of the event counted")
    value: str | None = _d("Property that is summed (amount, margin, value …); absent: occurrences are counted", None)
    where: Where | None = _d("Only events with these properties", None)


class Metric(Spec):
    kind: Literal["conversion", "mean", "ratio", "quantile"] = _d(
        "conversion: share of customers with the event; mean: average of a sum per customer; "
        "ratio: quotient of two sums; quantile: a quantile of the sum per customer"
    )
    event: str | None = _d("Event that counts", None)
    value: str | None = _d("Property that is summed", None)
    where: Where | None = _d("Only events with these properties", None)
    numerator: EventValue | None = _d("Upper part of a ratio", None)
    denominator: EventValue | None = _d("Lower part of a ratio", None)
    less: Literal["message_cost"] | None = _d("Subtracted from the sum", None)
    quantile: Number | None = _d("Which quantile, 0 to 1", None)
    within: Duration | None = _d("Window from entry on", None)
    between: tuple[Duration, Duration] | None = _d("Window between two offsets from entry", None)
    cap_at: Annotated[Percentile | Money, Either((Percentile, Money))] | None = _d(
        "Larger sums per customer count as this much", None
    )


# --- conditions and segments -------------------------------------------------------------------------


class Attribute(PropertyTest):
    attribute: str = _d("Customer column or attribute")


class Did(Spec):
    did: str = _d("Name of the event")
    at_least: Count | None = _d("At least so many times (default 1)", None)
    at_most: Count | None = _d("At most so many times", None)
    within: Duration | None = _d("Looking back so far; absent: ever", None)
    where: Where | None = _d("Only events with these properties", None)
    not_followed_by: str | None = _d("No such event after it, inside `within` of it where given", None)
    followed_by: str | None = _d("Such an event after it", None)
    after_gap: Duration | None = _d("The event before it lies at least so long back", None)


class DidNot(Spec):
    did_not: str = _d("Name of the event that did not happen")
    within: Duration | None = _d("Looking back so far; absent: ever", None)
    where: Where | None = _d("Only events with these properties", None)


class Rfm(Spec):
    rfm: Literal["recency", "frequency", "monetary", "score", "recency_score", "frequency_score", "monetary_score"] = (
        _d(
            "recency: time since the last purchase; frequency: purchases; monetary: their amount; "
            "*_score: 1 to 5 by quintile; score: the three scores added up"
        )
    )
    at_least: str | None = _d("This or more", None)
    at_most: str | None = _d("This or less", None)
    between: tuple[str, str] | None = _d("From the first to the second, both included", None)
    within: Duration | None = _d("Looking back so far; absent: ever", None)


class Threshold(Spec):
    """Bounds on a number or a choice of names."""

    is_: str | None = _d("Equal to", None, alias="is")
    in_: list[str] | None = _d("One of", None, alias="in")
    at_least: str | None = _d("This or more", None)
    at_most: str | None = _d("This or less", None)
    between: tuple[str, str] | None = _d("From the first to the second, both included", None)
    within: Duration | None = _d("Looking back so far", None)


class Decile(Threshold):
    decile: str = _d("What customers are ranked by, such as monetary; 1 is the best tenth")


class Lifecycle(Threshold):
    lifecycle: Literal["stage"] = _d("The customer's lifecycle stage")


class Clv(Threshold):
    clv: Literal["historical", "predicted", "alive"] = _d("Lifetime value, or the chance of being alive")


class Engagement(Threshold):
    engagement: str = _d("Engagement score over all channels (`score`) or of one")


class Affinity(Threshold):
    affinity: Literal["category", "brand", "taste"] = _d("What the customer prefers")


class Loyalty(Threshold):
    loyalty: Literal["tier", "points"] = _d("Loyalty tier or points")


class Answered(Threshold):
    answered: str = _d("Name of the survey")


class InSegment(Spec):
    in_segment: str = _d("Name of another segment")


class InCampaign(Spec):
    in_campaign: str = _d("Name of a campaign that the customer entered")
    arm: str | None = _d("Only this arm", None)
    verdict: str | None = _d("Only rounds judged so", None)
    state: str | None = _d("Only with the message in this state", None)
    within: Duration | None = _d("Entered at most so long ago", None)


class Lookalike(Spec):
    lookalike: str = _d("Segment whose likes are sought")
    top: Share | None = _d("The most alike share of the others", None)


class SampleOf(Spec):
    sample: Share = _d("A stable random share of customers")


class Group(Spec):
    """Conditions combined; several keys must all hold."""

    all: list[Condition] | None = _d("All of these hold", None)
    any: list[Condition] | None = _d("At least one of these holds", None)
    none: list[Condition] | None = _d("None of these holds", None)


CONDITION_KEYS = (
    "attribute", "did", "did_not", "rfm", "decile", "lifecycle", "clv", "engagement", "affinity", "loyalty",
    "answered", "in_segment", "in_campaign", "lookalike", "sample",
)  # fmt: skip


def _first_key(value: Any, keys: Iterable[str], otherwise: str) -> str:
    present = value if isinstance(value, dict) else getattr(type(value), "model_fields", {})
    return "=" + next((key for key in keys if key in present), otherwise)


def _condition_kind(value: Any) -> str:
    return _first_key(value, CONDITION_KEYS, "group")


Condition = Annotated[
    Annotated[Attribute, Tag("=attribute")]
    | Annotated[Did, Tag("=did")]
    | Annotated[DidNot, Tag("=did_not")]
    | Annotated[Rfm, Tag("=rfm")]
    | Annotated[Decile, Tag("=decile")]
    | Annotated[Lifecycle, Tag("=lifecycle")]
    | Annotated[Clv, Tag("=clv")]
    | Annotated[Engagement, Tag("=engagement")]
    | Annotated[Affinity, Tag("=affinity")]
    | Annotated[Loyalty, Tag("=loyalty")]
    | Annotated[Answered, Tag("=answered")]
    | Annotated[InSegment, Tag("=in_segment")]
    | Annotated[InCampaign, Tag("=in_campaign")]
    | Annotated[Lookalike, Tag("=lookalike")]
    | Annotated[SampleOf, Tag("=sample")]
    | Annotated[Group, Tag("=group")],
    Discriminator(_condition_kind),
]


class Segment(Spec):
    description: str | None = _d("What the segment is, in plain words", None)
    where: Condition = _d("The rule")


# --- campaigns -----------------------------------------------------------------------------------------


class Hypothesis(Spec):
    because: str = _d("The observation that the claim rests on")
    we_believe: str | None = _d("What is expected to work; may be said per variant instead", None)
    will: Literal["increase", "decrease"] = _d("The direction that is hoped for")
    metric: str = _d("The primary metric")
    compared_to: str = _d("A variant's name, or holdout")
    minimum_effect: Effect = _d("The smallest effect worth having: 1.0 pp, 20 EUR (absolute) or 10 % (relative)")
    expected_effect: Effect | None = _d("The effect expected, for planning; default the minimum effect", None)
    baseline: Annotated[Share | Money | Literal["measured"], Either((Share, Money), ("measured",))] = _d(
        "The metric without treatment, or `measured` from the segment's own history", "measured"
    )
    confidence: Share = _d("1 − alpha", Share("95 %", 0.95))
    power: Share = _d("Chance to find the expected effect", Share("80 %", 0.80))


class Guardrail(Spec):
    metric: str = _d("Metric that must not suffer")
    must_not_exceed: Level | None = _d("A level", None)
    must_not_fall_below: Level | None = _d("A level", None)
    must_not_fall_by: Effect | None = _d("A comparison with the control", None)
    must_not_rise_by: Effect | None = _d("A comparison with the control", None)
    on_breach: Literal["stop", "pause"] = _d("What happens then", "stop")


class Variant(Spec):
    we_believe: str | None = _d("Why this variant should work", None)
    weight: Number = _d("Relative weight among the variants", 1.0)
    subject: Localised | None = _d("Subject line of the email", None)
    preheader: Localised | None = _d("Preview text of the email", None)
    template: str | None = _d("Template file below templates/", None)
    text: Localised | None = _d("Text of the SMS", None)
    coupon: str | None = _d("Coupon of this variant", None)
    survey: str | None = _d("Survey of this variant", None)
    sender: str | None = _d("Name of the sender", None)
    columns: list[str] | None = _d("Columns of an export", None)
    content: str | None = _d("Content file of an on-site variant", None)


class Ramp(Spec):
    steps: list[Share] = _d("Cumulative shares of the audience")
    hold: Duration = _d("Time between steps")


class Trigger(Spec):
    event: str | None = _d("Event that triggers", None)
    where: Where | None = _d("Only events with these properties", None)
    quiet_for: Duration | None = _d("No further such event for so long", None)
    after: Duration | None = _d("Wait after the event", None)
    anniversary: str | None = _d("Date attribute whose day recurs", None)
    before: Duration | None = _d("So long before the day", None)
    at: TimeOfDay | None = _d("Time of day", None)
    leap_day: str | None = _d("Day used for 29 February", None)
    enters_segment: str | None = _d("Segment that the customer enters", None)


class Schedule(Spec):
    at: LocalTime | None = _d("One send at this local time, such as 2026-12-01 10:00", None)
    cron: str | None = _d("Cron expression with five fields; weekdays 0-7 or names", None)
    every: Duration | None = _d("Repeat after this time", None)
    trigger: Trigger | None = _d("Sent to each customer when something happens", None)
    starts: Day | None = _d("First day of the campaign", None)
    ends: Day | None = _d("Day on which nothing is sent any more (exclusive)", None)
    clock: Literal["recipient", "campaign"] = _d("Whose local time counts", "campaign")
    if_missed: Misfire | None = _d("What happens to a moment that passed while nothing ran", None)
    ramp: Ramp | None = _d("Send to a growing share", None)
    max_rate: Rate | None = _d("Send no faster", None)
    expires: Duration | None = _d("An unsent message is skipped after this", None)
    unless: Condition | None = _d("Checked again when the message is claimed", None)
    again_after: Duration | None = _d("A customer may be triggered again after this", None)


class Test(Spec):
    """Test on a part, then the winner to the rest."""

    on: Share = _d("Share of the audience that is tested")
    decide_after: Duration = _d("When the winner is chosen")
    rest: Literal["winner"] = _d("What the rest gets", "winner")


class RoundLimit(Spec):
    until: Sample | None = _d("Planned sample; default: computed from the hypothesis", None)
    at_most: Duration | None = _d("Longest duration of a round", None)


class Decide(Spec):
    method: Literal["group_sequential", "fixed", "always_valid", "bandit"] = _d("The decision rule", "group_sequential")
    looks: Literal["daily", "weekly", "each_wave"] = _d("How often the data are looked at", "daily")
    ship_if: Literal["significant", "at_least_minimum_effect"] = _d("What it takes to ship", "significant")
    undecided_guardrail: Literal["block", "warn"] = _d("What an undecided guardrail does", "block")


class Improve(Spec):
    on_ship: Literal["promote", "keep_control", "retire"] = _d("What follows a ship", "promote")
    otherwise: Literal["keep_control", "retire"] = _d("What follows anything else", "keep_control")
    approval: Literal["required", "automatic"] = _d("Whether a person accepts the next round", "required")
    max_rounds: Count = _d("How many rounds the campaign has at most", 3)
    programme_confidence: Share | None = _d("Confidence over all rounds together", None)


class ReportTo(Spec):
    to: list[str] = _d("slack:#channel or email addresses")
    when: list[Literal["verdict", "guardrail_breach", "weekly"]] = _d("Occasions", ["verdict"])


class SendStep(Spec):
    send: Variant = _d("A message")


class WaitFor(Spec):
    for_: str = _d("Event waited for", alias="for")
    at_most: Duration = _d("Longest wait")


class WaitStep(Spec):
    wait: Annotated[Annotated[Duration, TEXT] | Annotated[WaitFor, KEYS], Discriminator(_by_keys)] = _d(
        "A time, or an event with a longest wait"
    )


class NotifyStep(Spec):
    notify: str = _d("Who is told, such as slack:#care")


class Split(Spec):
    name: str = _d("Name of the experiment")
    hypothesis: Hypothesis | None = _d("Its claim", None)
    variants: dict[Name, Variant] = _d("What differs")


class SplitStep(Spec):
    split: Split = _d("An experiment inside the steps")


class WhenStep(Spec):
    when: Condition = _d("Only customers who match")
    do: list[Step] = _d("What happens to them")


STEP_KEYS = ("send", "wait", "when", "notify", "split")


def _step_kind(value: Any) -> str:
    return "=exit" if isinstance(value, str) else _first_key(value, STEP_KEYS, "send")


Step = Annotated[
    Annotated[Literal["exit"], Tag("=exit")]
    | Annotated[SendStep, Tag("=send")]
    | Annotated[WaitStep, Tag("=wait")]
    | Annotated[WhenStep, Tag("=when")]
    | Annotated[NotifyStep, Tag("=notify")]
    | Annotated[SplitStep, Tag("=split")],
    Discriminator(_step_kind),
]

Channel = Literal["email", "sms", "export", "onsite"]


class Campaign(Overridable):
    owner: str = _d("Who answers for the campaign")
    purpose: Literal["marketing", "transactional"] = _d("Transactional messages need no marketing consent")
    topic: str | None = _d("What a customer can unsubscribe from; default the purpose", None)
    labels: list[str] = _d("Words to find it by", [])
    segment: str | None = _d("Who gets it; default everybody reachable", None)
    channel: Annotated[Annotated[Channel, TEXT] | Annotated[list[Channel], LIST], Discriminator(_by_list)] = _d(
        "How; of a list the first one permitted"
    )
    hypothesis: Hypothesis | None = _d("The claim; without one the campaign is described, never judged", None)
    secondary: list[str] = _d("Further metrics, reported and never deciding", [])
    guardrails: list[Guardrail] = _d("What must not suffer", [])
    choose_by: str | None = _d("Metric that picks among several winners", None)
    holdout: Share | None = _d("Share that is messaged nothing by this campaign", None)
    variants: dict[Name, Variant] = _d("What differs", {})
    steps: list[Step] = _d("Several steps instead of one message", [])
    schedule: Schedule | None = _d("When it is sent", None)
    enter: Literal["once", "each_round", "each_wave"] = _d("How often a customer may enter", "once")
    round: RoundLimit | None = _d("How long a round lasts", None)
    test: Test | None = _d("Test on a part, then the winner to the rest", None)
    decide: Decide = _d("How it is judged", Decide())
    improve: Improve = _d("What follows the verdict", Improve())
    report: ReportTo | None = _d("Who is told", None)


# --- the other declarations ------------------------------------------------------------------------------


class Kpi(Spec):
    target: str = _d("The value aimed at")
    by: Day | None = _d("Until when", None)


class Coupon(Spec):
    codes: str | None = _d("CSV file of codes", None)
    generate: str | None = _d("Pattern of generated codes; # is a random character", None)
    benefit: str = _d("What it gives: 10 % or 500 JPY")
    expires: AfterSend | None = _d("How long it is valid", None)
    when_empty: Literal["hold", "skip"] = _d("When the codes run out", "hold")


class Survey(Spec):
    kind: Literal["nps", "csat", "choice", "text"] = _d("Kind of question")
    question: Localised = _d("The question")


class PointsRule(Spec):
    for_: str = _d("Event that earns points", alias="for")
    earn: Earning = _d("Points, or points per amount")


class LoyaltyProgramme(Spec):
    points: list[PointsRule] = _d("What earns points")
    tiers: dict[Name, Count] = _d("Points needed for a tier", {})
    expires: Duration | None = _d("When points expire", None)


class Project(Spec):
    """The whole of campaigns.yaml."""

    version: Literal["1"] = _d("Version of the grammar; this release reads version 1")
    include: list[str] = _d("Further files, as patterns", [])
    defaults: Defaults = _d("What holds for every campaign unless it says otherwise", Defaults())
    topics: list[Name] = _d("What a customer can unsubscribe from", [])
    kpis: dict[Name, Kpi] = _d("Targets by KPI", {})
    lifecycle: dict[Name, Condition] = _d("Lifecycle stages; the first that matches", {})
    coupons: dict[Name, Coupon] = _d("Coupons by name", {})
    surveys: dict[Name, Survey] = _d("Surveys by name", {})
    loyalty: LoyaltyProgramme | None = _d("Points and tiers", None)
    metrics: dict[Name, Metric] = _d("Metrics by name", {})
    segments: dict[Name, Segment] = _d("Segments by name", {})
    exclusive_groups: dict[Name, list[str]] = _d("Campaigns of which a customer is in one at a time, by priority", {})
    campaigns: dict[Name, Campaign] = _d("Campaigns by name", {})


for _model in (Group, WhenStep, Segment, Schedule, Campaign, Project):
    _model.model_rebuild()
