"""Settings of sending: where, in what money, to whom at most, from whom, and the other declarations' own values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parseaddr

from engine.declare import places, walk
from engine.declare.contents import localised
from engine.declare.declared import Declared
from engine.declare.finding import Finding, unknown
from engine.declare.grammar import Trail
from engine.declare.quantities import Duration, Money, Share, UnitCost, quoted
from engine.declare.spec import Coupon, GlobalHoldout, Overridable, Sender

_CHANNELS = ("email", "sms", "export", "onsite")
_PHONE = r"\+[1-9][0-9]{6,14}"
_SENDER_ID = r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}"


def findings(declared: Declared) -> Iterator[Finding]:
    """What is wrong with the defaults, each campaign's own settings, coupons, surveys and loyalty."""
    project = declared.project
    yield from _settings(("defaults",), project.defaults, project.defaults)
    for name, campaign in project.campaigns.items():
        yield from _settings(("campaigns", name), campaign, walk.with_defaults(project, campaign))
    for name, coupon in project.coupons.items():
        yield from _coupon(("coupons", name), coupon)
    for name, survey in project.surveys.items():
        if isinstance(survey.question, dict):
            yield from localised(("surveys", name, "question"), survey.question, project.defaults.languages)
    for group, members in project.exclusive_groups.items():
        if len(members) < 2:
            yield Finding(trail=("exclusive_groups", group), message="a group needs at least two campaigns")


def _settings(own: Trail, written: Overridable, effective: Overridable) -> Iterator[Finding]:
    """Checks what is written at one place; `effective` has the defaults too."""
    yield from _placed((*own, "timezone"), written.timezone, places.timezone_trouble)
    yield from _placed((*own, "currency"), written.currency, places.currency_trouble)
    yield from _languages((*own, "languages"), written)
    yield from _exchange((*own, "exchange"), written, effective)
    yield from _costs((*own, "costs"), written, effective)
    for country in written.opt_in or ():
        if country != "default":
            yield from _placed((*own, "opt_in", country), country, places.country_trouble, key=True)
    if isinstance(written.sender, Sender):
        yield from _sender((*own, "sender"), written.sender)
    for name, sender in (written.senders or {}).items():
        yield from _sender((*own, "senders", name), sender)
    yield from _limits(own, written)


def _placed(trail: Trail, code: str | None, trouble: places.Trouble, *, key: bool = False) -> Iterator[Finding]:
    found = None if code is None else trouble(code)
    if found is not None:
        yield Finding(trail=trail, message=found[0], hint=found[1], key=key)


def _languages(trail: Trail, written: Overridable) -> Iterator[Finding]:
    if written.languages is not None:
        yield from _placed((*trail, "default"), written.languages.default, places.language_trouble)
        for index, code in enumerate(written.languages.fallback):
            yield from _placed((*trail, "fallback", index), code, places.language_trouble)


def _exchange(trail: Trail, written: Overridable, effective: Overridable) -> Iterator[Finding]:
    if written.exchange is None:
        return
    yield from _placed((*trail, "to"), written.exchange.to, places.currency_trouble)
    currency = places.currency_of(effective)
    if currency is not None and written.exchange.to != currency:
        message = f"amounts are exchanged to {written.exchange.to}, but the currency is {currency}"
        also: tuple[Trail, ...] = (("defaults", "currency"), (*trail[:-1], "currency"))
        yield Finding(trail=(*trail, "to"), message=message, also=also)


def _costs(trail: Trail, written: Overridable, effective: Overridable) -> Iterator[Finding]:
    for channel, costs in (written.costs or {}).items():
        yield from unknown((*trail, channel), "channel", channel, _CHANNELS, key=True)
        if not isinstance(costs, dict):
            yield from _cost((*trail, channel), channel, costs, effective)
            continue
        for country, cost in costs.items():
            yield from _placed((*trail, channel, country), country, places.country_trouble, key=True)
            yield from _cost((*trail, channel, country), channel, cost, effective)


def _cost(trail: Trail, channel: str, cost: UnitCost, effective: Overridable) -> Iterator[Finding]:
    if cost.unit == "segment" and channel != "sms":
        yield Finding(
            trail=trail, message="only an SMS has segments", hint=f'write "{cost.amount} {cost.currency} per message"'
        )
    currency = places.currency_of(effective)
    if currency is not None and cost.currency != currency and effective.exchange is None:
        message = f"{cost} is not in the campaign's currency, {currency}"
        yield Finding(trail=trail, message=message, also=(("defaults", "currency"), (*trail[:2], "currency")))


def _sender(trail: Trail, sender: Sender) -> Iterator[Finding]:
    if sender.email is not None:
        for key, text in (("from", sender.email.from_), ("reply_to", sender.email.reply_to)):
            if text is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", parseaddr(text)[1]):
                message, hint = f"{quoted(text)} holds no email address", 'write for example "Shop <hello@example.com>"'
                yield Finding(trail=(*trail, "email", key), message=message, hint=hint)
    if sender.sms is not None and not re.fullmatch(f"{_PHONE}|{_SENDER_ID}", sender.sms.from_):
        message = f"{quoted(sender.sms.from_)} is no number in international form and no name of up to 11 letters"
        yield Finding(trail=(*trail, "sms", "from"), message=message, hint='write for example "+4915550000000"')


# --- limits ----------------------------------------------------------------------------------------------


def _limits(own: Trail, written: Overridable) -> Iterator[Finding]:
    quiet = written.quiet_hours
    if quiet is not None and quiet.from_ == quiet.to:
        message = "quiet hours that end when they begin are no hours"
        yield Finding(trail=(*own, "quiet_hours", "to"), message=message)
    for index, cap in enumerate(written.frequency_cap or ()):
        trail = (*own, "frequency_cap", index)
        if cap.at_most < 1:
            message, hint = "a cap of 0 would stop every message", "write 1 or more, or pause the campaigns"
            yield Finding(trail=(*trail, "at_most"), message=message, hint=hint)
        yield from _lasting((*trail, "per"), cap.per)
    if written.global_holdout is not None:
        yield from _holdout((*own, "global_holdout", "share"), written.global_holdout)
    yield from _freshness((*own, "needs_data"), written)
    if written.keep is not None:
        yield from _lasting((*own, "keep", "events"), written.keep.events)
        yield from _lasting((*own, "keep", "values"), written.keep.values)
    for index, pattern in enumerate(written.only_to or ()):
        if not re.search(r"[@+*]", pattern):
            message, hint = f"{quoted(pattern)} matches no address", 'write for example "*@example.com"'
            yield Finding(trail=(*own, "only_to", index), message=message, hint=hint)


def _lasting(trail: Trail, length: Duration | None) -> Iterator[Finding]:
    if length is not None and not length.delta:
        yield Finding(trail=trail, message="a time of no length cannot be meant here", hint="write for example 7 days")


def _holdout(trail: Trail, holdout: GlobalHoldout) -> Iterator[Finding]:
    if not 0 < holdout.share.value <= 0.5:
        message = f"a global holdout of {holdout.share} is not one; it lies above 0 % and up to 50 %"
        yield Finding(trail=trail, message=message, hint="write for example 2 %")


def _freshness(trail: Trail, written: Overridable) -> Iterator[Finding]:
    for event, age in (written.needs_data or {}).items():
        if event == "otherwise" and isinstance(age, Duration):
            yield Finding(trail=(*trail, event), message="otherwise: takes hold or go")
        elif event != "otherwise" and not isinstance(age, Duration):
            message = f"{event}: takes the age that its data may have"
            yield Finding(trail=(*trail, event), message=message, hint='write for example "24 hours"')


def _coupon(trail: Trail, coupon: Coupon) -> Iterator[Finding]:
    if (coupon.codes is None) == (coupon.generate is None):
        said = "both codes: and generate:" if coupon.codes is not None else "neither codes: nor generate:"
        yield Finding(trail=trail, message=f"the coupon has {said}", hint="write one of them", key=True)
    if coupon.generate is not None and coupon.generate.count("#") < 4:
        message, hint = (
            "too few characters are random, so that codes could be guessed",
            'write for example "BD-########"',
        )
        yield Finding(trail=(*trail, "generate"), message=message, hint=hint)
    if not any(re.fullmatch(kind.pattern, coupon.benefit.strip()) for kind in (Share, Money)):
        message = f'{quoted(coupon.benefit)} is not understood here; write for example "10 %" or "20 EUR"'
        yield Finding(trail=(*trail, "benefit"), message=message)
