"""Places, currencies, senders, caps and the like that do not exist or make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import changed, problems

MISTAKES = [
    pytest.param(
        [("  currency: EUR\n", "  currency: DEM\n")],
        """\
campaigns.yaml:4:13: there is no currency "DEM"
    currency: DEM
              ^^^
  write a code such as EUR
""",
        id="currency-of-the-past",
    ),
    pytest.param(
        [("Shop <hello@example.com>", "Shop")],
        """\
campaigns.yaml:6:19: "Shop" holds no email address
      email: {from: "Shop", postal_address: "1 Street, Berlin"}
                    ^^^^^^
  write for example "Shop <hello@example.com>"
""",
        id="sender-without-address",
    ),
    pytest.param(
        [('"+4915550000000"', '"015550000000"')],
        """\
campaigns.yaml:7:17: "015550000000" is no number in international form and no name of up to 11 letters
      sms: {from: "015550000000"}
                  ^^^^^^^^^^^^^^
  write for example "+4915550000000"
""",
        id="sms-sender-without-country",
    ),
    pytest.param(
        [("Europe/Berlin", "Europe/Berln")],
        """\
campaigns.yaml:3:13: there is no time zone "Europe/Berln"
    timezone: Europe/Berln
              ^^^^^^^^^^^^
  did you mean "Europe/Berlin"?
""",
        id="unknown-time-zone",
    ),
    pytest.param(
        [("currency: EUR", "currency: EURO")],
        """\
campaigns.yaml:4:13: there is no currency "EURO"
    currency: EURO
              ^^^^
  did you mean "EUR"?
""",
        id="unknown-currency",
    ),
    pytest.param(
        [("  currency: EUR\n", "  currency: EUR\n  languages: {default: xx}\n")],
        """\
campaigns.yaml:5:24: there is no language "xx"
    languages: {default: xx}
                         ^^
  write a code such as de, en or pt-BR
""",
        id="unknown-language",
    ),
    pytest.param(
        [("0.002 EUR per message", "0.002 USD per message")],
        """\
campaigns.yaml:8:18: 0.002 USD per message is not in the campaign's currency, EUR
    costs: {email: 0.002 USD per message}
                   ^^^^^^^^^^^^^^^^^^^^^
""",
        id="cost-in-another-currency",
    ),
    pytest.param(
        [("costs: {email: ", "costs: {emial: ")],
        """\
campaigns.yaml:8:11: there is no channel "emial"
    costs: {emial: 0.002 EUR per message}
            ^^^^^
  did you mean "email"?
""",
        id="cost-of-no-channel",
    ),
    pytest.param(
        [("0.002 EUR per message", "0.002 EUR per segment")],
        """\
campaigns.yaml:8:18: only an SMS has segments
    costs: {email: 0.002 EUR per segment}
                   ^^^^^^^^^^^^^^^^^^^^^
  write "0.002 EUR per message"
""",
        id="segments-of-an-email",
    ),
    pytest.param(
        [("  currency: EUR\n", "  currency: EUR\n  opt_in: {UK: double}\n")],
        """\
campaigns.yaml:5:12: there is no country "UK"
    opt_in: {UK: double}
             ^^
  did you mean "GB"?
""",
        id="unknown-country",
    ),
    pytest.param(
        [("  currency: EUR\n", "  currency: EUR\n  frequency_cap: [{at_most: 0, per: 7 days}]\n")],
        """\
campaigns.yaml:5:29: a cap of 0 would stop every message
    frequency_cap: [{at_most: 0, per: 7 days}]
                              ^
  write 1 or more, or pause the campaigns
""",
        id="cap-of-zero",
    ),
    pytest.param(
        [("  currency: EUR\n", '  currency: EUR\n  quiet_hours: {from: "08:00", to: "08:00"}\n')],
        """\
campaigns.yaml:5:36: quiet hours that end when they begin are no hours
    quiet_hours: {from: "08:00", to: "08:00"}
                                     ^^^^^^^
""",
        id="quiet-hours-of-no-length",
    ),
    pytest.param(
        [("  currency: EUR\n", "  currency: EUR\n  global_holdout: {share: 60 %}\n")],
        """\
campaigns.yaml:5:27: a global holdout of 60 % is not one; it lies above 0 % and up to 50 %
    global_holdout: {share: 60 %}
                            ^^^^
  write for example 2 %
""",
        id="global-holdout-of-most",
    ),
    pytest.param(
        [("  currency: EUR\n", "  currency: EUR\n  needs_data: {otherwise: 3 days}\n")],
        """\
campaigns.yaml:5:27: otherwise: takes hold or go
    needs_data: {otherwise: 3 days}
                            ^^^^^^
""",
        id="otherwise-with-an-age",
    ),
    pytest.param(
        [("  currency: EUR\n", "  currency: EUR\n  needs_data: {purchase: hold}\n")],
        """\
campaigns.yaml:5:26: purchase: takes the age that its data may have
    needs_data: {purchase: hold}
                           ^^^^
  write for example "24 hours"
""",
        id="age-that-is-no-age",
    ),
    pytest.param(
        [("campaigns:\n", "coupons: {ten: {benefit: 10 %}}\ncampaigns:\n")],
        """\
campaigns.yaml:22:11: the coupon has neither codes: nor generate:
  coupons: {ten: {benefit: 10 %}}
            ^^^
  write one of them
""",
        id="coupon-without-codes",
    ),
    pytest.param(
        [("campaigns:\n", "coupons: {ten: {benefit: 10, codes: a.csv}}\ncampaigns:\n")],
        """\
campaigns.yaml:22:26: "10" is not understood here; write for example "10 %" or "20 EUR"
  coupons: {ten: {benefit: 10, codes: a.csv}}
                           ^^
""",
        id="benefit-without-unit",
    ),
    pytest.param(
        [("campaigns:\n", "exclusive_groups: {price: [winback]}\ncampaigns:\n")],
        """\
campaigns.yaml:22:27: a group needs at least two campaigns
  exclusive_groups: {price: [winback]}
                            ^^^^^^^^^
""",
        id="group-of-one",
    ),
    pytest.param(
        [("  currency: EUR\n", "  currency: EUR\n  exchange: {to: USD, rates: rates.csv}\n")],
        """\
campaigns.yaml:5:18: amounts are exchanged to USD, but the currency is EUR
    exchange: {to: USD, rates: rates.csv}
                   ^^^
""",
        id="exchange-to-another-currency",
    ),
    pytest.param(
        [("  currency: EUR\n", "  currency: EUR\n  only_to: [anna]\n")],
        """\
campaigns.yaml:5:13: "anna" matches no address
    only_to: [anna]
              ^^^^
  write for example "*@example.com"
""",
        id="pattern-that-matches-nobody",
    ),
    pytest.param(
        [("  currency: EUR\n", "  currency: EUR\n  keep: {events: 0 days}\n")],
        """\
campaigns.yaml:5:18: a time of no length cannot be meant here
    keep: {events: 0 days}
                   ^^^^^^
  write for example 7 days
""",
        id="retention-of-nothing",
    ),
    pytest.param(
        [("    topic: offers\n", "    topic: offers\n    timezone: Berlin\n")],
        """\
campaigns.yaml:27:15: there is no time zone "Berlin"
      timezone: Berlin
                ^^^^^^
  did you mean "Europe/Berlin"?
""",
        id="time-zone-of-a-campaign",
    ),
    pytest.param(
        [("campaigns:\n", "coupons: {ten: {generate: AB-##, benefit: 10 %}}\ncampaigns:\n")],
        """\
campaigns.yaml:22:27: too few characters are random, so that codes could be guessed
  coupons: {ten: {generate: AB-##, benefit: 10 %}}
                            ^^^^^
  write for example "BD-########"
""",
        id="codes-that-can-be-guessed",
    ),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES)
def test_a_mistake_of_settings_is_told_with_its_place(
    tmp_path: Path, changes: list[tuple[str, str]], told: str
) -> None:
    """The whole text: place, words, line, caret, hint."""
    assert problems(tmp_path, changed(*changes)) == told
