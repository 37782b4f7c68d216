"""The page: one file, well formed, told in words, and safe whatever names it shows."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
import report_cases as cases

from engine.report import html

VOID = {"meta", "br"}
EVERY = [pytest.param(make, id=make.__name__) for make in cases.ALL]


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in <{tag}>"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\u00a0", " ").split())


def page(case: cases.Case, *notes: str) -> Page:
    return Page(html.render(cases.report_of(case), notes=notes))


@pytest.mark.parametrize("make", EVERY)
def test_every_page_is_well_formed_with_ids_of_its_own(make: Any) -> None:
    ids = [attributes["id"] for _, attributes in page(make()).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = [attributes.get("aria-labelledby", "") or "" for _, attributes in page(make()).tags]
    assert {name for names in labelled for name in names.split()} <= set(ids)


@pytest.mark.parametrize("make", EVERY)
def test_a_page_loads_nothing_and_runs_nothing(make: Any) -> None:
    text = html.render(cases.report_of(make()))
    shown = Page(text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert not {tag for tag, _ in shown.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not [name for _, attributes in shown.tags for name in attributes if name.startswith("on") or name == "src"]
    policy = [attributes["content"] for tag, attributes in shown.tags if "http-equiv" in attributes]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


@pytest.mark.parametrize("make", EVERY)
def test_every_table_names_its_columns_and_every_drawing_its_content(make: Any) -> None:
    shown = page(make())
    for tag, attributes in shown.tags:
        assert tag != "th" or attributes.get("scope") in ("col", "row")
        assert tag != "svg" or "x" in attributes or attributes.get("role") == "img"


def test_hostile_names_are_shown_and_do_nothing() -> None:
    case = cases.hostile()
    text = html.render(cases.report_of(case), notes=[cases.HOSTILE])
    assert "<script" not in text
    assert unescape(text).count("<script>alert") > 20
    assert "{{ 7*7 }}" in Page(text).text
    assert "49" not in re.findall(r"\b49\b", Page(text).text)


@pytest.mark.parametrize(
    ("make", "label", "sentence", "advice"),
    [
        pytest.param(
            cases.ship, "Ship", "Ship “deadline”: it did better than “control”.",
            "The next round is proposed below; campaign approve winback starts it.", id="ship",
        ),
        pytest.param(
            cases.inconclusive, "Inconclusive",
            "No clear answer: the data do not settle whether “deadline” should replace “control”.",
            "Do not ship on the estimate alone, and do not call it a failure either.", id="inconclusive",
        ),
        pytest.param(
            cases.keep_control, "Keep control", "Keep “control”: “deadline” did not bring what was claimed.",
            "Try another idea or a bolder difference", id="keep-control",
        ),
        pytest.param(
            cases.harmful, "Harmful", "Do not send “deadline”: it does harm compared with “control”.",
            "Go on with “control”; “deadline” should reach nobody any more.", id="harmful",
        ),
        pytest.param(
            cases.invalid, "Invalid", "No decision: these data cannot be trusted.",
            "Do not use the numbers below, in either direction", id="invalid",
        ),
        pytest.param(
            cases.keep_running, "Keep running", "Too early to say: the round is not finished.",
            "Do not act on numbers yet", id="keep-running",
        ),
        pytest.param(
            cases.stopped, "Stopped", "Stopped before it could be judged.",
            "A new round starts afresh: campaign plan winback , then campaign launch winback", id="stopped",
        ),
        pytest.param(
            cases.described, "Described, never judged", "nothing was claimed, so nothing is judged.",
            "add a hypothesis with a comparison", id="no-hypothesis",
        ),
    ],
)  # fmt: skip
def test_every_outcome_begins_with_what_it_means_and_what_to_do(
    make: Any, label: str, sentence: str, advice: str
) -> None:
    shown = page(make())
    for words in (label, sentence, advice):
        assert words in shown.text
    order = [shown.text.index(words) for words in (sentence, advice, "Arms")]
    assert order == sorted(order)


def test_the_decision_comes_in_numbers_too() -> None:
    text = page(cases.ship()).text
    assert "5.02 % bought with “deadline”, 4.00 % with “control”: +1.02 pp (95 % interval +0.32 to +1.72 pp)." in text
    assert (
        "Among 1,000 customers that is about 10 more who bought; anything from 3 more to 17 more is plausible." in text
    )


def test_a_relative_claim_is_told_and_drawn_as_a_lift() -> None:
    shown = page(cases.unbounded())
    assert "+31 % (95 % interval −12 % or more, no upper limit)." in shown.text
    assert "worth having: +10 %" in shown.text
    assert "deadline: +31 %, interval from −12 to no limit." in shown.text


def test_less_is_better_where_less_is_hoped_for() -> None:
    shown = page(cases.decrease())
    text = shown.text
    assert "← better" in text
    assert "worse →" in text
    assert "worth having: −0.5 pp" in text
    assert "about 9 fewer who unsubscribed" in text
    lines = [(attributes.get("class"), attributes.get("x1") or "") for tag, attributes in shown.tags if tag == "line"]
    minimum, zero = (next(float(x.rstrip("%")) for name, x in lines if name == kind) for kind in ("minimum", "zero"))
    assert minimum < zero


def test_the_numbers_are_of_the_treatment_that_was_decided_on() -> None:
    case = cases.two_treatments().decided("ship", winner="picks")
    assert "4.55 % bought with “picks”" in page(case).text


def test_a_sentence_names_only_the_treatments_it_is_about() -> None:
    case = cases.two_treatments().decided("inconclusive")
    assert case.judged is not None
    case.judged["verdict"]["treatments"] = {"deadline": "harmful", "picks": "inconclusive"}
    text = page(case).text
    assert "the data do not settle whether “picks” should replace “control”." in text
    assert "4.55 % bought with “picks”" in text
    assert "deadline vs control: harmful" in text


def test_numbers_of_an_invalid_round_are_marked_wherever_they_stand() -> None:
    shown = page(cases.invalid())
    assert "Not to be used." in shown.text
    assert "6,731 and 6,214 customers were assigned where 6,480 each were expected." in shown.text
    marked = [attributes.get("class") for tag, attributes in shown.tags if tag == "section"]
    assert marked.count("untrusted") == 2


def test_the_drawn_interval_has_its_numbers_in_a_table_beside_it() -> None:
    text = page(cases.two_treatments()).text
    drawing, table = text.index("no difference"), text.index("Treatment Treated Compared")
    assert drawing < table
    assert re.search(r"deadline vs control 5\.02 % n 6,731 4\.00 % n 6,726 \+1\.02 pp \+0\.32 to \+1\.72 pp", text)
    assert re.search(r"picks vs control 4\.55 % .* \+0\.55 pp −0\.26 to \+1\.36 pp .* 0\.220 adjusted", text)


def test_a_running_round_says_what_it_waits_for() -> None:
    text = page(cases.keep_running()).text
    assert "It waits for data on “purchase” up to 8 Dec 2026, 10:00 (so far up to 3 Dec 2026, 01:00)" in text
    assert "It waits for word on 3 messages of unknown fate: campaign uncertain list" in text
    text = page(cases.open_round()).text
    assert "It waits for the wave of 1 Dec 2026, 10:00 and 1 more." in text
    assert "It waits for 6,700 customers per arm, as planned; “control” has 2,700 and “deadline” has 2,700." in text
    paused = cases.open_round()
    paused.paused = True
    assert "campaign resume winback" in page(paused).text
    assert "It waits for an approval by another person: campaign approve winback" in page(cases.draft()).text


def test_a_decided_round_waits_for_nothing() -> None:
    assert "waits for" not in page(cases.ship()).text
    assert "waits for" not in page(cases.stopped()).text


def test_health_is_told_in_words_besides_its_colour() -> None:
    text = page(cases.guarded()).text
    assert "✓ ok Sizes of the arms p 0.410" in text
    assert "! look Guardrail unsubscribe rate undecided: at most 0.62 %" in text
    assert "✕ failed Sizes of the arms p < 0.001" in page(cases.invalid()).text


def test_arms_waves_audience_and_seals_are_all_there() -> None:
    text = page(cases.ship()).text
    for words in (
        "deadline treatment 45 % 6,731 6,701 99.6 % deadline: 99.6 % of assigned accepted 3 of unknown fate",
        "holdout holdout, messaged nothing 10 % 1,490",
        "no consent for the channel 1,013",
        "1 Dec 2026, 10:00 done 14,947 13,410 32 frequency cap reached; 12 expired before it could be sent",
        "Rule: method fixed",
        "Test of revenue welch/1",
        "30 Nov 2026, 10:00 by anna@example.com",
        *("a" * 64, "c" * 64, "d" * 64, "e" * 64),
    ):
        assert words in text


def test_deliveries_that_nobody_reports_are_not_shown_as_none() -> None:
    case = cases.ship()
    assert case.judged is not None
    for arm in case.judged["arms"]:
        arm["delivered"] = 0
    text = page(case).text
    assert "not reported" in text
    assert "of assigned delivered" not in text


def test_money_is_shown_without_its_cap_where_the_cap_changed_it() -> None:
    case = cases.ship()
    assert case.judged is not None
    case.judged["results"][1]["uncapped"] = {"treatment_value": 4.11, "control_value": 3.412}
    assert "uncapped €4.11 vs €3.41" in page(case).text
    case.judged["results"][1]["uncapped"] = {"treatment_value": 3.871, "control_value": 3.412}
    assert "uncapped" not in page(case).text


def test_what_a_look_cannot_judge_says_why_instead_of_numbers() -> None:
    case = cases.inconclusive()
    case.primary.update(difference=None, lift=None, p_value=None, unjudged="nobody counts in purchase_rate")
    text = page(case).text
    assert "nobody counts in purchase_rate" in text
    assert "No test was possible." in text


def test_notes_stand_beside_the_verdict_and_code_is_only_between_backticks() -> None:
    text = page(cases.ship(), "Planted truth: “deadline” raises purchase_rate by 1.2 pp.").text
    assert text.index("starts it.") < text.index("Planted truth") < text.index("What was claimed")
