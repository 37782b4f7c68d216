"""A small correct project, to which tests make one mistake at a time."""

from __future__ import annotations

import contextlib
from pathlib import Path

from engine.declare.check import check
from engine.declare.load import examine, in_order
from engine.errors import FixYourYaml

BASE = """\
version: 1
defaults:
  timezone: Europe/Berlin
  currency: EUR
  sender:
    email: {from: "Shop <hello@example.com>", postal_address: "1 Street, Berlin"}
    sms: {from: "+4915550000000"}
  costs: {email: 0.002 EUR per message}
topics: [offers, service]
metrics:
  purchase_rate: {kind: conversion, event: purchase, within: 7 days}
  revenue: {kind: mean, event: purchase, value: amount, within: 7 days}
segments:
  lapsing:
    where:
      all:
        - {rfm: recency, between: [60 days, 180 days]}
        - {attribute: country, in: [DE, AT]}
      none:
        - {in_segment: staff}
  staff: {where: {attribute: email, matches: "*@example.com"}}
campaigns:
  winback:
    owner: anna@example.com
    purpose: marketing
    topic: offers
    segment: lapsing
    channel: email
    hypothesis:
      because: They wait for a reason
      will: increase
      metric: purchase_rate
      compared_to: control
      minimum_effect: 1.0 pp
      baseline: 4.0 %
    secondary: [revenue]
    holdout: 10 %
    variants:
      control: {subject: We miss you, template: plain.mjml}
      deadline: {subject: Until Sunday, template: deadline.mjml}
    schedule:
      cron: "0 10 * * TUE"
      starts: 2026-12-01
      ends: 2027-06-01
    decide: {method: fixed}
"""


def _block(start: str, end: str) -> str:
    return BASE[BASE.index(start) : BASE.index(end)]


HYPOTHESIS = _block("    hypothesis:", "    secondary:")
VARIANTS = _block("    variants:", "    schedule:")
SCHEDULE = _block("    schedule:", "    decide:")
SENDER = _block("  sender:", "  costs:")
TEMPLATE = "<mjml><mj-body><mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section></mj-body></mjml>\n"
TEMPLATES = ("plain.mjml", "deadline.mjml")


def put(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files into a folder, with the folders they need."""
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.encode())


def changed(*changes: tuple[str, str]) -> str:
    """The example with each text replaced once; a text that is not there exactly once is the test's own mistake."""
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example"
        text = text.replace(old, new)
    return text


def prepare(folder: Path) -> Path:
    """The folder with the example's templates in it."""
    put(folder, {f"templates/{name}": TEMPLATE for name in TEMPLATES})
    return folder


def problems(folder: Path, text: str | bytes, files: dict[str, str | bytes] | None = None) -> str:
    """What is wrong with a text as campaigns.yaml (and other files beside it), as a person there reads it."""
    put(prepare(folder), {"campaigns.yaml": text, **(files or {})})
    with contextlib.chdir(folder):
        try:
            declared, found = examine(folder / "campaigns.yaml")
        except FixYourYaml as error:
            return f"{error}\n"
        return "".join(f"{problem}\n" for problem in in_order(declared, found + check(declared)))
