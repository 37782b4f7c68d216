"""Each variant has what its channel needs, and each template file is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from engine.declare import walk
from engine.declare.declared import Declared
from engine.declare.finding import Finding
from engine.declare.grammar import Trail
from engine.declare.near import listing, nearest
from engine.declare.places import language_trouble
from engine.declare.quantities import quoted
from engine.declare.resolve import sender_of
from engine.declare.spec import Campaign, Languages, Variant

TEMPLATES = "templates"
_NEEDED = {"email": ("subject", "template"), "sms": ("text",), "export": ("columns",), "onsite": ("content",)}
_ALLOWED = {"email": ("preheader",), "sms": (), "export": (), "onsite": ()}
_EXAMPLES = {
    "subject": 'subject: "We miss you"',
    "template": "template: winback/plain.mjml",
    "text": 'text: "Back in stock {{ track(url) }}"',
    "columns": "columns: [customer_id, phone]",
    "content": "content: banners/a.json",
}
_NAMES = {"email": "an email", "sms": "an SMS", "export": "an export", "onsite": "an on-site variant"}
_TEXTS = ("subject", "preheader", "text")


def findings(declared: Declared) -> Iterator[Finding]:
    """What is missing or useless in each variant, and templates that are not there."""
    for name, own in declared.project.campaigns.items():
        campaign = walk.with_defaults(declared.project, own)
        for trail, variant in walk.variants(name, own):
            yield from _parts(trail, variant, _channels(campaign), ("campaigns", name, "channel"))
            yield from _texts(trail, variant, campaign.languages)
            yield from _template(declared, trail, variant, campaign.languages)
        yield from _senders(declared, name, campaign)


def _channels(campaign: Campaign) -> list[str]:
    return list(campaign.channel) if isinstance(campaign.channel, list) else [campaign.channel]


def _parts(trail: Trail, variant: Variant, channels: list[str], channel: Trail) -> Iterator[Finding]:
    for name in channels:
        for part in _NEEDED[name]:
            if getattr(variant, part) is None:
                message, hint = f"{_NAMES[name]} needs {part}:", f"add for example {_EXAMPLES[part]}"
                yield Finding(trail=(*trail, part), message=message, hint=hint, also=(channel,))
    useful = {part for name in channels for part in _NEEDED[name] + _ALLOWED[name]}
    for part in (*_EXAMPLES, "preheader"):
        if getattr(variant, part) is not None and part not in useful and channels:
            message = f"{part}: does not go with the channel {listing(channels)}"
            yield Finding(trail=(*trail, part), message=message, hint="remove it", key=True, also=(channel,))


def _texts(trail: Trail, variant: Variant, languages: Languages | None) -> Iterator[Finding]:
    for part in _TEXTS:
        text = getattr(variant, part)
        if isinstance(text, str) and not text.strip():
            yield Finding(trail=(*trail, part), message=f"the {part} is empty")
        if isinstance(text, dict):
            yield from localised((*trail, part), text, languages)


def localised(trail: Trail, texts: dict[str, str], languages: Languages | None) -> Iterator[Finding]:
    """What is wrong with a text that is given by language."""
    for code in texts:
        trouble = language_trouble(code)
        if trouble:
            yield Finding(trail=(*trail, code), message=trouble[0], hint=trouble[1], key=True)
    also: tuple[Trail, ...] = (("defaults", "languages"), (*trail[:2], "languages"))
    if languages is None:
        message, hint = "texts by language need languages:", "add to defaults for example languages: {default: en}"
        yield Finding(trail=trail, message=message, hint=hint, also=also)
    elif not set(texts) & {languages.default, *languages.fallback}:
        wanted = listing([languages.default, *languages.fallback], "or")
        message = f"a customer whose language is not among these gets no text; add one in {wanted}"
        yield Finding(trail=trail, message=message, also=also)


# --- templates -------------------------------------------------------------------------------------------


def _template(declared: Declared, trail: Trail, variant: Variant, languages: Languages | None) -> Iterator[Finding]:
    name, place = variant.template, (*trail, "template")
    if name is None:
        return
    folder = declared.root / TEMPLATES
    if not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
        hint = f"write the file's path below {TEMPLATES}/"
        yield Finding(trail=place, message=f"{quoted(name)} does not lie below {TEMPLATES}/", hint=hint)
    elif not any(_is_file(folder / file) for file in _by_language(name, languages)):
        near = nearest(name, _files(folder))
        meant = f'did you mean "{near}"?' if near else None
        if not folder.is_dir():
            meant = f"there is no folder {TEMPLATES}/ beside {declared.files[0].name}"
        yield Finding(trail=place, message=f"there is no template {quoted(f'{TEMPLATES}/{name}')}", hint=meant)


def _by_language(name: str, languages: Languages | None) -> list[str]:
    """The files that a template's name means, by language, first the default."""
    codes = [] if languages is None else [languages.default, *languages.fallback]
    return [name.replace("{language}", code) for code in codes] if "{language}" in name and codes else [name]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _files(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


# --- senders ---------------------------------------------------------------------------------------------


def _senders(declared: Declared, name: str, campaign: Campaign) -> Iterator[Finding]:
    where = declared.origin(name, "sender")
    also: tuple[Trail, ...] = (("defaults", "senders"), ("campaigns", name, "senders"), ("campaigns", name, "channel"))
    for channel in _channels(campaign):
        for trail, variant in walk.variants(name, campaign):
            place = (*trail, "sender") if variant.sender is not None else where
            sender = sender_of(campaign, variant)
            if (
                channel in ("email", "sms")
                and sender is None
                and not isinstance(variant.sender or campaign.sender, str)
            ):
                message = f"the campaign sends {channel}, but no sender is declared"
                yield Finding(
                    trail=("campaigns", name, "sender"), message=message, hint=_sender_hint(channel), also=also
                )
                break
            if channel in ("email", "sms") and sender is not None and getattr(sender, channel) is None:
                message = f"the campaign sends {channel}, but its sender has none"
                yield Finding(trail=(*place, channel), message=message, hint=_sender_hint(channel), also=also)
                break
        else:
            if channel == "email" and campaign.purpose == "marketing":
                yield from _postal(where, name, campaign)


def _sender_hint(channel: str) -> str:
    example = '{email: {from: "Shop <hello@example.com>"}}' if channel == "email" else '{sms: {from: "+4915550000000"}}'
    return f"add to defaults for example sender: {example}"


def _postal(where: Trail, name: str, campaign: Campaign) -> Iterator[Finding]:
    for _, variant in walk.variants(name, campaign):
        sender = sender_of(campaign, variant)
        if sender is not None and sender.email is not None and sender.email.postal_address is None:
            yield Finding(
                trail=(*where, "email"),
                message="marketing emails have to show a postal address in many countries",
                hint='add postal_address: "Example Shop, 1 Street, Berlin" to the sender',
                severity="warning",
                rule="postal-address",
            )
            return
