"""A claim needs something to be compared with, an effect of the metric's kind, and odds that mean something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.declare import walk
from engine.declare.declared import Declared
from engine.declare.finding import Finding
from engine.declare.grammar import Trail
from engine.declare.near import listing, nearest
from engine.declare.places import currency_of
from engine.declare.quantities import Effect, Money, Share, quoted
from engine.declare.spec import Campaign, Guardrail, Hypothesis, Metric, Variant
from engine.model import HOLDOUT

_SHARES = ("conversion", "ratio")
_DIAGNOSTIC = ("opened",)
_BOUNDS = ("must_not_exceed", "must_not_fall_below", "must_not_fall_by", "must_not_rise_by")


def findings(declared: Declared) -> Iterator[Finding]:
    """What is wrong with each campaign's arms, hypothesis and guardrails."""
    for name, campaign in declared.project.campaigns.items():
        yield from _arms(("campaigns", name), campaign)
        for trail, variant in walk.variants(name, campaign):
            yield from _variant(trail, variant)
        for trail, hypothesis, variants in walk.claims(name, campaign):
            yield from _comparison(trail, hypothesis, variants, campaign)
            yield from _effects(
                declared, trail, hypothesis, currency_of(walk.with_defaults(declared.project, campaign))
            )
            yield from _odds(trail, hypothesis)
        for index, guardrail in enumerate(campaign.guardrails):
            trail = ("campaigns", name, "guardrails", index)
            yield from _guardrail(
                declared, trail, guardrail, currency_of(walk.with_defaults(declared.project, campaign))
            )


# --- arms ------------------------------------------------------------------------------------------------


def _arms(own: Trail, campaign: Campaign) -> Iterator[Finding]:
    if not campaign.variants and not campaign.steps:
        hint = "add for example variants: {control: {…}, other: {…}}"
        yield Finding(
            trail=(*own, "variants"), message="the campaign has no variants, so there is nothing to send", hint=hint
        )
    if campaign.variants and campaign.steps:
        message, hint = "a campaign has either variants: or steps:, not both", "put the variants into a split: step"
        yield Finding(trail=(*own, "steps"), message=message, hint=hint, key=True)
    if campaign.hypothesis is None and len(campaign.variants) > 1:
        message = f"{len(campaign.variants)} variants, but no hypothesis to judge them by"
        hint = "add hypothesis:, or keep one variant"
        yield Finding(trail=(*own, "hypothesis"), message=message, hint=hint)
    if campaign.holdout is not None and not 0 < campaign.holdout.value < 1:
        message = f"a holdout of {campaign.holdout} leaves nothing to compare"
        yield Finding(trail=(*own, "holdout"), message=message, hint="write for example 10 %")
    if campaign.test is not None and not 0 < campaign.test.on.value < 1:
        message = "the test needs a part of the audience and has to leave a rest"
        yield Finding(trail=(*own, "test", "on"), message=message, hint="write for example 30 %")
    if campaign.improve.max_rounds < 1:
        yield Finding(trail=(*own, "improve", "max_rounds"), message="a campaign has at least one round")


def _variant(trail: Trail, variant: Variant) -> Iterator[Finding]:
    if trail[-1] == HOLDOUT:
        message = '"holdout" is the name of those who are messaged nothing; a variant cannot have it'
        yield Finding(trail=trail, message=message, hint="rename the variant, or write holdout: 10 %", key=True)
    if variant.weight <= 0:
        message, hint = "a weight has to be above zero", "remove the variant to send it to nobody"
        yield Finding(trail=(*trail, "weight"), message=message, hint=hint)


def _comparison(trail: Trail, hypothesis: Hypothesis, variants: Iterable[str], campaign: Campaign) -> Iterator[Finding]:
    place, names, compared = (*trail, "compared_to"), list(variants), hypothesis.compared_to
    also = ((*trail[:-1], "holdout"), (*trail[:-1], "variants"))
    if compared == HOLDOUT:
        if campaign.holdout is None:
            message = "the comparison is the holdout, but the campaign holds nobody out"
            yield Finding(trail=place, message=message, hint="add holdout: 10 % to the campaign", also=also)
    elif compared not in names and (names or campaign.steps):
        near = nearest(compared, [*names, HOLDOUT])
        known = f"the arms are {listing([*names, HOLDOUT])}" if names else "write holdout"
        hint = f'did you mean "{near}"?' if near else known
        yield Finding(trail=place, message=f"{quoted(compared)} is no arm of this campaign", hint=hint, also=also)
    elif names == [compared]:
        message = f"{quoted(compared)} is the only variant, so there is nothing to compare it with"
        hint = "add a variant, or write holdout: 10 % and compared_to: holdout"
        yield Finding(trail=place, message=message, hint=hint, also=also)


# --- effects ---------------------------------------------------------------------------------------------


def _effects(declared: Declared, trail: Trail, hypothesis: Hypothesis, currency: str | None) -> Iterator[Finding]:
    metric = declared.project.metrics.get(hypothesis.metric)
    if metric is None:
        return
    also = _from_metric(hypothesis.metric)
    if metric.event in _DIAGNOSTIC:
        yield Finding(
            trail=(*trail, "metric"),
            message=f"{metric.event} mail is no sign of a reader: mail programs open it on their own",
            hint="choose a metric of what people do, such as clicked or purchase",
            severity="warning",
            rule="opens-are-diagnostic",
        )
    for key in ("minimum_effect", "expected_effect"):
        effect = getattr(hypothesis, key)
        if effect is not None:
            yield from _fits((*trail, key), effect, metric, currency, also=also)
    minimum, expected = hypothesis.minimum_effect, hypothesis.expected_effect
    if expected is not None and expected.kind == minimum.kind and expected.value < minimum.value:
        message = f"less than the minimum effect of {minimum} is expected, so it would not be worth having"
        yield Finding(trail=(*trail, "expected_effect"), message=message, also=((*trail, "minimum_effect"),))
    yield from _baseline((*trail, "baseline"), hypothesis, metric, currency, also=also)


def _from_metric(name: str) -> tuple[Trail, ...]:
    return (("metrics", name, "kind"),)


def _fits(
    trail: Trail, level: Effect | Share | Money, metric: Metric, currency: str | None, *, also: tuple[Trail, ...]
) -> Iterator[Finding]:
    """Points and shares go with conversions and ratios, money with sums; per cent of an effect with all."""
    money = isinstance(level, Money) or (isinstance(level, Effect) and level.kind == "money")
    points = isinstance(level, Share) or (isinstance(level, Effect) and level.kind == "points")
    unit = "%" if isinstance(level, Share) else "pp"
    if points and metric.kind not in _SHARES:
        example = "20 EUR" if currency is None else f"20 {currency}"
        better = example if isinstance(level, Share) else f"{example} or 5 %"
        message = f"{unit} does not go with a metric of kind {metric.kind}, which is an amount"
        yield Finding(trail=trail, message=message, hint=f"write for example {better}", also=also)
    elif money and metric.kind in _SHARES:
        message = f"an amount does not go with a metric of kind {metric.kind}, which is a share"
        better = "4.0 %" if isinstance(level, Money) else "1.0 pp or 10 %"
        yield Finding(trail=trail, message=message, hint=f"write for example {better}", also=also)
    elif money and currency is not None and getattr(level, "currency", None) != currency:
        message = f"{level} is not in the campaign's currency, {currency}"
        yield Finding(trail=trail, message=message, also=(*also, ("defaults", "currency"), (*trail[:2], "currency")))


def _baseline(
    trail: Trail, hypothesis: Hypothesis, metric: Metric, currency: str | None, *, also: tuple[Trail, ...]
) -> Iterator[Finding]:
    baseline, effect = hypothesis.baseline, hypothesis.minimum_effect
    if isinstance(baseline, str):
        return
    unfit = list(_fits(trail, baseline, metric, currency, also=also))
    yield from unfit
    if unfit or not isinstance(baseline, Share) or effect.kind == "money":
        return
    change = effect.value if effect.kind == "points" else baseline.value * effect.value
    reached = baseline.value + (change if hypothesis.will == "increase" else -change)
    if not 0 <= reached <= 1:
        bound = "above 100 %" if reached > 1 else "below 0 %"
        message = f"from {baseline} an {hypothesis.will} of {effect} leads {bound}"
        if hypothesis.will == "decrease":
            message = message.replace(" an ", " a ")
        also = (*also, (*trail[:-1], "minimum_effect"), (*trail[:-1], "will"))
        yield Finding(trail=trail, message=message, also=also)


def _odds(trail: Trail, hypothesis: Hypothesis) -> Iterator[Finding]:
    confidence, power = hypothesis.confidence.value, hypothesis.power.value
    if not 0.8 <= confidence < 1:
        hint = f"write for example {_mirror(confidence)}"
        message = f"a confidence of {hypothesis.confidence} cannot be used; it lies from 80 % to below 100 %"
        yield Finding(trail=(*trail, "confidence"), message=message, hint=hint)
    if not 0.5 <= power < 1:
        message = f"a power of {hypothesis.power} cannot be used; it lies from 50 % to below 100 %"
        yield Finding(trail=(*trail, "power"), message=message, hint="write for example 80 %")


def _mirror(confidence: float) -> str:
    """Who writes 5 % means alpha, and so 95 %."""
    return f"{100 * (1 - confidence):.4g} %" if 0 < confidence <= 0.2 else "95 %"


# --- guardrails ------------------------------------------------------------------------------------------


def _guardrail(declared: Declared, trail: Trail, guardrail: Guardrail, currency: str | None) -> Iterator[Finding]:
    given = [key for key in _BOUNDS if getattr(guardrail, key) is not None]
    if len(given) != 1:
        message = f"the guardrail has {listing(given)} at once" if given else "the guardrail has no bound"
        hint = "write a guardrail for each" if given else f"write one of {listing(_BOUNDS, 'or')}"
        yield Finding(trail=trail, message=message, hint=hint, key=True)
    metric = declared.project.metrics.get(guardrail.metric)
    for key in given if metric is not None else ():
        assert metric is not None
        yield from _fits((*trail, key), getattr(guardrail, key), metric, currency, also=_from_metric(guardrail.metric))
