"""All or nothing, once and only once, whatever happens in between."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from import_cases import NOW, bring, contents, customers, rejected, rows, written
from sqlalchemy import select, update

from engine.customers import applying, importing, sources
from engine.errors import FixYourData, Refused
from engine.store.database import Database
from engine.store.tables import event, import_file

AT = "2025-06-01T10:00:00Z"
TABLES = ("customer", "consent", "suppression", "event", "order_line", "source")
NOTHING: dict[str, list[object]] = {name: [] for name in TABLES}


def many(count: int) -> str:
    """An events file with so many rows, some of them without consequences."""
    names = ("visit", "viewed_product", "unsubscribed")
    lines = [f"e{n},c{n * 31 % 97},{names[n % 3]},{AT},{n % 5}" for n in range(count)]
    return "event_id,customer_id,name,occurred_at,page\n" + "\n".join(lines) + "\n"


# --- all or nothing ------------------------------------------------------------------------------------------


def test_with_too_many_bad_rows_nothing_is_imported(database: Database) -> None:
    file = "customer_id,birth_date\n" + "".join(f"c{n},x\n" for n in range(6)) + "".join(f"d{n},\n" for n in range(94))
    with pytest.raises(FixYourData) as refused:
        bring(database, "customers", file)
    assert str(refused.value) == (
        "file.csv: 6 of 100 rows (6.0%) are not usable, more than --max-rejects allows (5.0%); nothing was imported. "
        "The rows are in rejects.csv:\n"
        "         6  birth_date is no day that can be read; write for example 1980-05-17"
    )
    assert contents(database) == NOTHING
    assert len(rejected()) == 6
    assert rows(database, import_file, "sha256") == []


def test_as_many_bad_rows_as_allowed_are_left_out(database: Database) -> None:
    file = "customer_id,birth_date\n" + "".join(f"c{n},x\n" for n in range(5)) + "".join(f"d{n},\n" for n in range(95))
    report = bring(database, "customers", file)
    assert (report.rows, report.new, report.rejected) == (100, 95, 5)


def test_rows_that_only_the_whole_file_proves_bad_count_too(database: Database) -> None:
    lines = [f"e1,c{n},visit,{AT}" for n in range(10)]
    with pytest.raises(FixYourData, match=r"9 of 10 rows \(90.0%\)"):
        bring(database, "events", "event_id,customer_id,name,occurred_at\n" + "\n".join(lines) + "\n")
    assert contents(database) == NOTHING


def test_rejects_may_be_json_lines(database: Database) -> None:
    bring(database, "customers", "customer_id,x\nc1\nc2,1\n", max_rejects=0.5, rejects=Path("deep/r.jsonl"))
    assert [json.loads(line) for line in Path("deep/r.jsonl").read_text().splitlines()] == [
        {"line": 2, "reason": "the row has 1 fields where the header has 2", "row": "c1"}
    ]


def test_without_rejects_there_is_no_reject_file(database: Database) -> None:
    bring(database, "customers", "customer_id\nc1\n")
    assert not Path("rejects.csv").exists()


def test_a_reject_file_that_cannot_be_written_is_said_plainly(database: Database) -> None:
    with pytest.raises(
        FixYourData, match=r"the reject file file\.csv/r\.csv cannot be written: .*; say another --rejects"
    ):
        bring(database, "customers", "customer_id,x\nc1\n", rejects=Path("file.csv/r.csv"))


def test_the_file_itself_is_no_place_for_its_rejects(database: Database) -> None:
    file = written("customer_id,x\nc1\n")
    with pytest.raises(FixYourData, match="is the file itself, which would be lost"):
        bring(database, "customers", file, rejects=Path("../") / Path.cwd().name / "file.csv")
    assert file.read_text() == "customer_id,x\nc1\n"


def test_an_error_names_the_file(database: Database) -> None:
    with pytest.raises(FixYourData, match=r"^missing\.csv: it cannot be read"):
        bring(database, "customers", Path("missing.csv"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timezone": "Berlin"}, "--timezone 'Berlin' is no IANA time zone"),
        ({"currency": "Euro"}, "--currency 'Euro' is no code of three letters"),
        ({"through": NOW + timedelta(days=2)}, "--through 2026-01-17 12:00 lies in the future"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(database: Database, options: dict[str, object], message: str) -> None:
    with pytest.raises(FixYourData, match=message):
        bring(database, "orders", "x\n", **options)


# --- once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("customers", f"customer_id,city,size,email_consent,email_consent_at\nc1,Bonn,1,TRUE,{AT}\n"),
        ("orders", f"order_id,customer_id,ordered_at,amount,quantity\nA,c1,{AT},1,1\nA,c1,{AT},-1,-1\n"),
        ("events", many(50)),
    ],
)
def test_the_same_file_twice_changes_nothing_and_says_so(database: Database, kind: str, text: str) -> None:
    first = bring(database, kind, text)
    before = contents(database)
    second = bring(database, kind, written(text, "renamed.csv"), now=NOW + timedelta(days=1))
    assert contents(database) == before
    assert (first.repeated, second.repeated) == (False, True)
    assert (second.new, second.changed, second.unchanged) == (0, 0, first.accepted)
    assert "This file was imported before; nothing was changed." in second.to_text()


@pytest.mark.parametrize(
    ("kind", "text", "more"),
    [
        ("customers", "customer_id,city,size,sms_consent\nc1,Bonn,1,TRUE\n", "c2,,,\n"),
        ("orders", f"order_id,customer_id,ordered_at,amount,quantity\nA,c1,{AT},1,1\n", f"B,c1,{AT},2,1\n"),
        ("events", many(50), f"e50,c1,visit,{AT},x\n"),
    ],
)
def test_a_file_that_repeats_another_one_only_adds(database: Database, kind: str, text: str, more: str) -> None:
    first = bring(database, kind, text)
    report = bring(database, kind, text + more, now=NOW + timedelta(days=1))
    assert (report.new, report.changed, report.unchanged) == (1, 0, first.accepted)
    assert (report.conflicts, report.consents) == (0, 0)


def test_a_file_may_be_read_again_in_another_way(database: Database) -> None:
    file = written("id,a,b\nc1,Bonn,Berlin\n")
    bring(database, "customers", file, mapping={"customer_id": "id", "city": "a"})
    report = bring(database, "customers", file, mapping={"customer_id": "id", "city": "b"})
    assert not report.repeated
    assert customers(database)["c1"]["city"] == "Berlin"


# --- whatever happens in between -----------------------------------------------------------------------------


def _broken_off(database: Database, monkeypatch: pytest.MonkeyPatch, file: str, after: int) -> None:
    """Begin an import of events and fail in the write that follows so many others."""
    apply, done = applying._advance, []

    def advance(*arguments: object) -> None:
        if len(done) == after:
            raise KeyboardInterrupt
        done.append(apply(*arguments))  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(applying, "_FIRST", 100)
        patch.setattr(applying, "_MOST", 100)
        patch.setattr(applying, "_advance", advance)
        with pytest.raises(KeyboardInterrupt):
            bring(database, "events", file)


def _undisturbed(database: Database, file: str) -> dict[str, list[tuple[object, ...]]]:
    """What the store holds after one import; the store is then emptied."""
    bring(database, "events", file)
    found = contents(database)
    with database.write() as connection:
        for name in ("consent", "suppression", "event", "customer", "source", "import_file"):
            connection.exec_driver_sql(f"DELETE FROM {name}")
    return found


@pytest.mark.parametrize("after", [0, 1, 3])
def test_an_import_that_was_broken_off_goes_on_where_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    wanted = _undisturbed(database, many(500))
    _broken_off(database, monkeypatch, many(500), after)
    report = bring(database, "events", many(500), now=NOW + timedelta(hours=1))
    assert contents(database) == wanted
    assert (report.resumed, report.new, report.unknown_customers) == (True, 500, 97)
    assert rows(database, import_file, "state", "cursor") == [(sources.COMPLETE, 500)]


def test_a_broken_off_import_is_finished_by_the_next_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = _undisturbed(database, many(500))
    _broken_off(database, monkeypatch, many(500), 2)
    bring(database, "customers", "customer_id,city\nc0,Bonn\n")
    assert contents(database)["event"] == wanted["event"]
    assert contents(database)["source"] == wanted["source"]
    assert customers(database)["c0"]["city"] == "Bonn"


def test_without_its_staging_file_an_import_is_checked_again_and_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = _undisturbed(database, many(500))
    _broken_off(database, monkeypatch, many(500), 2)
    for path in importing._folder(database).glob("*.staged"):
        path.unlink()
    report = bring(database, "events", many(500), now=NOW + timedelta(hours=1))
    assert contents(database) == wanted
    assert (report.resumed, report.new) == (True, 500)


def test_rows_that_are_judged_otherwise_now_do_not_go_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    _broken_off(database, monkeypatch, many(500), 2)
    for path in importing._folder(database).glob("*.staged"):
        path.unlink()
    with database.write() as connection:
        connection.execute(update(import_file).values(rows=499))
    with pytest.raises(Refused, match=r"the import of file.csv was broken off and cannot go on"):
        bring(database, "events", many(500))


def test_nothing_of_an_unfinished_import_is_known(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    later = NOW + timedelta(hours=1)
    bring(database, "events", many(5), source="other", now=NOW - timedelta(days=1))
    _broken_off(database, monkeypatch, many(500), 2)
    with database.read() as connection:
        known = sources.known_at(connection, later)
        assert known == NOW - timedelta(microseconds=1)
        seen = connection.execute(select(event.c.source).where(event.c.recorded_at <= known)).scalars().all()
        assert seen == ["other"] * 5
        assert sources.unfinished(connection) == ["file.csv"]
    bring(database, "events", many(500))
    with database.read() as connection:
        assert sources.known_at(connection, later) == later
        assert sources.unfinished(connection) == []


def test_nothing_is_left_in_the_folder_of_staging_files(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = importing._folder(database)
    folder.mkdir(parents=True)
    (folder / "scrap.staged.part").touch()
    (folder / "unknown.staged").touch()
    _broken_off(database, monkeypatch, many(500), 2)
    with pytest.raises(FixYourData):
        bring(database, "customers", "customer_id,x\nc1\n")
    bring(database, "events", many(500))
    assert [path.name for path in folder.iterdir()] == ["lock"]


@pytest.mark.parametrize("kills", [5, pytest.param(60, marks=pytest.mark.long)])
def test_killed_again_and_again_the_store_ends_as_if_nothing_had_happened(
    tmp_path: Path, sqlite_template: Path, kills: int
) -> None:
    """SIGKILL at random moments of an import on SQLite, and then its end."""
    file = written(many(6_000)).resolve()
    urls = []
    for name in ("calm", "killed"):
        (tmp_path / f"{name}.db").write_bytes(sqlite_template.read_bytes())
        urls.append(f"sqlite:///{tmp_path}/{name}.db")
    assert _victim(urls[0], file).wait() == 0
    rng, cursors = random.Random(1), []
    for _ in range(kills):
        victim = _victim(urls[1], file)
        _kill_after(victim, steps=rng.choice([1, 2, 3, 5, 8, 13]), seconds=rng.uniform(0, 0.02))
        cursors.append(_cursor(urls[1]))
    assert sorted(cursors) == cursors
    assert any(0 < cursor < 6_000 for cursor in cursors), cursors
    assert _victim(urls[1], file).wait() == 0
    calm, killed = (_contents_of(url) for url in urls)
    assert killed == calm


def _victim(url: str, file: Path) -> subprocess.Popen[str]:
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{here.parent.parent}{os.pathsep}{here}"}
    command = [sys.executable, str(here / "import_victim.py"), url, "events", str(file)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def _kill_after(victim: subprocess.Popen[str], *, steps: int, seconds: float) -> None:
    """Kill it after it has reported so many steps, and a moment."""
    assert victim.stdout is not None
    for _ in range(steps):
        victim.stdout.readline()
    time.sleep(seconds)
    victim.kill()
    victim.wait()


def _cursor(url: str) -> int:
    from engine.store.database import open_database

    database = open_database(url)
    found = rows(database, import_file, "cursor")
    database.close()
    return int(found[0][0]) if found else -1


def _contents_of(url: str) -> dict[str, list[tuple[object, ...]]]:
    from engine.store.database import open_database

    database = open_database(url)
    found = contents(database)
    database.close()
    return found
