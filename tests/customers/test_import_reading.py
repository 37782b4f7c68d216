"""Any file, told by its content; what is wrong with a row costs that row, and never its neighbours."""

from __future__ import annotations

import gzip
import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from import_cases import written

from engine.customers import source_file
from engine.customers.chunks import EXTRA, LINE
from engine.customers.layout import CUSTOMERS, EVENTS, ORDERS, Layout
from engine.customers.reading import chunks
from engine.errors import FixYourData


def read(path: Path, layout: Layout = CUSTOMERS, **mapping: str) -> list[tuple[int, str | None, str | None]]:
    """Line, customer_id and other columns of every row."""
    frames = [chunk.frame for chunk in chunks(path, layout, mapping, Path())]
    return [row for frame in frames for row in frame.select(LINE, "customer_id", EXTRA).rows()]


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def refused(path: Path) -> list[tuple[int, str, str]]:
    every = [reject for chunk in chunks(path, CUSTOMERS, {}, Path()) for reject in chunk.rejects]
    return [(reject.line, reject.reason, reject.text) for reject in every]


PLAIN = [(2, "c1", '{"a":"x"}'), (3, "c2", '{"a":"ü"}')]


@pytest.mark.parametrize("delimiter", list(",;\t|^~"))
def test_any_delimiter_is_found(delimiter: str) -> None:
    text = "customer_id,a\nc1,x\nc2,ü\n".replace(",", delimiter)
    assert read(written(text)) == PLAIN


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("customer_id,a\nc1,x\nc2,ü\n".encode("utf-8-sig"), id="bom"),
        pytest.param("customer_id,a\r\nc1,x\r\nc2,ü\r\n".encode(), id="crlf"),
        pytest.param("customer_id,a\nc1,x\nc2,ü".encode(), id="no-last-line-end"),
        pytest.param(' customer_id ,a\n c1,"x"\nc2, ü \n'.encode(), id="spaces-and-quotes"),
        pytest.param(zipped("customer_id,a\nc1,x\nc2,ü\n".encode()), id="gzip-by-content"),
    ],
)
def test_the_same_rows_in_any_dress(data: bytes) -> None:
    path = Path("file.bin")
    path.write_bytes(data)
    assert read(path) == PLAIN


def test_a_comma_in_the_names_does_not_hide_the_delimiter() -> None:
    assert read(written('customer_id;"a, b, c, d"\nc1;x\n')) == [(2, "c1", '{"a, b, c, d":"x"}')]


def test_blank_lines_are_no_rows_but_count_as_lines() -> None:
    assert read(written("\n\ncustomer_id,a\n\nc1,x\n\n\nc2,\n")) == [(5, "c1", '{"a":"x"}'), (8, "c2", None)]


def test_quoted_fields_may_hold_delimiters_quotes_and_line_ends() -> None:
    text = 'customer_id,a\n"c,1","say ""hi"""\nc2,"two\nlines"\nc3,5" pipe\n'
    assert read(written(text)) == [
        (2, "c,1", '{"a":"say \\"hi\\""}'),
        (3, "c2", '{"a":"two\\nlines"}'),
        (5, "c3", '{"a":"5\\" pipe"}'),
    ]


def test_a_record_may_lie_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_file, "BLOCK", 40)
    monkeypatch.setattr(source_file, "_HEAD", 10)
    lines = [f'c{n},"{"x" * n}\n{n}"' for n in range(30)]
    rows = read(written("customer_id,a\n" + "\n".join(lines) + "\n"))
    assert [(line, key) for line, key, _ in rows] == [(2 + 2 * n, f"c{n}") for n in range(30)]


@pytest.mark.parametrize("size", [7, 16, 33, 64])
def test_blocks_of_any_size_give_the_same_rows(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'customer_id,a\nc1,1\nc2\n"c3","3\n3"\nc4,"4\nc5,5\nc6,"6"\nc7,7,7\nc8,8\n'
    path = written(text)
    whole = read(path), refused(path)
    monkeypatch.setattr(source_file, "_HEAD", 5)
    with_short_lines = max(len(line) for line in text.split("\n")) + 1
    monkeypatch.setattr(source_file, "BLOCK", max(size, with_short_lines))
    assert (read(path), refused(path)) == whole


def test_a_stray_quotation_mark_costs_its_own_line_only() -> None:
    path = written('customer_id,a\nc1,"x\nc2,y\nc3,"z"\nc4,w\n')
    assert [key for _, key, _ in read(path)] == ["c2", "c3", "c4"]
    assert refused(path) == [(2, "the row's quotation marks do not match", 'c1,"x')]


def test_a_quotation_mark_that_is_never_closed_costs_its_own_line_only() -> None:
    path = written('customer_id,a\nc1,x\nc2,"y\nc3,z\n')
    assert [key for _, key, _ in read(path)] == ["c1", "c3"]
    assert refused(path) == [(3, "the row's quotation marks do not match", 'c2,"y')]


@pytest.mark.parametrize(
    ("row", "reason", "shown"),
    [
        (b"c1,\xe4", "the row is not UTF-8; save the file as UTF-8", "c1,\\xe4"),
        (b"c1,a\0b", "the row has a NUL byte in it", "c1,a\\x00b"),
        (b"c1", "the row has 1 fields where the header has 2", "c1"),
        (b"c1,a,b", "the row has 3 fields where the header has 2", "c1,a,b"),
        (b'"c1",a,b', "the row has 3 fields where the header has 2", '"c1",a,b'),
        (b'c1,"a"b', "the row's quotation marks do not match", 'c1,"a"b'),
        (b'"c\r1",a\rb', "the row has a bare carriage return in it", '"c\r1",a\rb'),
        (b'c1,"' + b"x" * 200_000 + b'"', "a field is longer than 100,000 characters", 'c1,"' + "x" * 996),
        (b"c1," + b"x" * 10_000_000, "the row is longer than 4 MB", "c1," + "x" * 997 + "…"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_broken_row_costs_itself_only(row: bytes, reason: str, shown: str) -> None:
    path = Path("file.csv")
    path.write_bytes(b"customer_id,a\ngood,1\n" + row + b"\nalso,2\n")
    assert [key for _, key, _ in read(path)] == ["good", "also"]
    assert refused(path) == [(3, reason, shown)]


def test_what_is_broken_inside_a_record_breaks_the_record() -> None:
    path = Path("file.csv")
    path.write_bytes(b'customer_id,a\nc1,"x\n\xe4\ny"\nc2,z\n')
    assert [key for _, key, _ in read(path)] == ["c2"]
    assert [line for line, _, _ in sorted(refused(path))] == [2, 3]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "the row is no JSON object"),
        ("{", "the row is no JSON"),
        ('{"customer_id": {"a": 1}}', "customer_id must be a text or a number"),
        ('{"customer_id": "c", "a": NaN}', "the row has NaN in it, which is no number"),
        ('{"customer_id": "c", "a": 1e400}', "the row has a number that is not finite"),
        ('{"customer_id": 1e400}', "the row has a number that is not finite"),
        ('{"customer_id": "c", "a": "x\\u0000y"}', "the row has a NUL character in it"),
        ('{"customer_id": "c", "a": "\\ud800"}', "the row has half a character in it"),
        ('{"customer_id": "\\ud800"}', "the row has half a character in it"),
        ('{"customer_id": "c", "a": ' + "[" * 100_000 + "}", "the row is nested too deeply"),
        ('{"customer_id": "c", "a": ' + "9" * 5000 + "}", "the row has a number of too many digits"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_broken_json_line_costs_itself_only(line: str, reason: str) -> None:
    path = written('{"customer_id": "good"}\n' + line + '\n\n{"customer_id": "also", "t": "\\\\u0000"}\n', "f.jsonl")
    assert [key for _, key, _ in read(path)] == ["good", "also"]
    assert [(number, why) for number, why, _ in refused(path)] == [(2, reason)]


def test_json_lines_take_the_mapped_names() -> None:
    path = written('{"id": 7, "x": 1}\n', "f.jsonl")
    assert read(path, customer_id="id", y="x") == [(1, "7", '{"y":1}')]


def test_parquet_has_typed_columns() -> None:
    frame = pl.DataFrame(
        {
            "customer_id": [1, 2],
            "signed_up_at": [datetime(2025, 1, 2, 3, 4, 5, 678, tzinfo=UTC), None],
            "birth_date": [date(1980, 5, 17), None],
            "email_consent": [True, None],
            "spent": [Decimal("12.50"), None],
            "score": [float("nan"), 1.5],
            "tags": [["a"], []],
            "empty": pl.Series([None, None], dtype=pl.Null),
            "kind": pl.Series(["x", "y"], dtype=pl.Categorical),
        }
    )
    frame.write_parquet("file.parquet")
    (chunk,) = chunks(Path("file.parquet"), CUSTOMERS, {}, Path())
    assert chunk.frame.select(LINE, "customer_id", "signed_up_at", "birth_date", "email_consent", EXTRA).rows() == [
        (1, "1", "2025-01-02T03:04:05.000678Z", "1980-05-17", "true", '{"kind":"x","spent":12.5,"tags":["a"]}'),
        (2, "2", None, None, None, '{"kind":"y","score":1.5,"tags":[]}'),
    ]


def test_parquet_may_be_gzipped() -> None:
    frame = pl.DataFrame({"customer_id": ["c1"]})
    frame.write_parquet("plain.parquet")
    Path("file.gz").write_bytes(gzip.compress(Path("plain.parquet").read_bytes()))
    assert read(Path("file.gz")) == [(1, "c1", None)]
    assert sorted(path.name for path in Path().iterdir()) == ["file.gz", "plain.parquet"]


def test_parquet_is_read_in_parts() -> None:
    pl.DataFrame({"customer_id": range(120_000)}).write_parquet("file.parquet")
    parts = list(chunks(Path("file.parquet"), CUSTOMERS, {}, Path()))
    assert max(len(part.frame) for part in parts) <= 25_000
    rows = itertools.chain.from_iterable(part.frame.select(LINE, "customer_id").rows() for part in parts)
    assert list(rows) == [(n + 1, str(n)) for n in range(120_000)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty; the first line must name the columns"),
        (b"\n \n", "the file is empty; the first line must name the columns"),
        (b"a,b\n1,2\n", "customers need the column 'customer_id'; write --map customer_id=THEIRS .* It has: a, b"),
        (b"Customer_ID,b\n1,2\n", "Did you mean 'Customer_ID'"),
        (b"customer_id,a,a\n", r"the column 'a' stands twice in the header \(columns 2 and 3\)"),
        (b'[{"customer_id": 1}]', "the file is a JSON array; write one object a line"),
        (b"PK\x03\x04....", "the file is a spreadsheet or a zip archive; save it as CSV"),
        ("customer_id\nc1\n".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        (b"customer_id,a\rc1,2\r", "the file's lines end with a bare CR"),
        (b"PAR1 is not enough", "this Parquet file cannot be read"),
        (b"\x1f\x8bnonsense", "the gzip file is damaged"),
        (zipped(b"customer_id\n" + b"c1\n" * 999)[:-9], "the gzip file is damaged"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(data: bytes, message: str) -> None:
    path = Path("file.bin")
    path.write_bytes(data)
    with pytest.raises(FixYourData, match=message):
        read(path)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"email": "mial"}, r"--map email=mial: the file has no column 'mial'. Did you mean 'mail'\? It has: .*mail"),
        ({"city": "mail"}, "the columns 'mail' and 'city' would both be 'city'; .* --map other_city=city"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(mapping: dict[str, str], message: str) -> None:
    with pytest.raises(FixYourData, match=message):
        read(written("customer_id,mail,city\nc1,a,b\n"), CUSTOMERS, **mapping)


def test_one_column_may_serve_twice() -> None:
    (chunk,) = chunks(written("id,x\nc1,1\n"), EVENTS, {"customer_id": "id", "name": "id", "occurred_at": "x"}, Path())
    assert chunk.frame.select("customer_id", "name", "occurred_at").rows() == [("c1", "c1", "1")]


def test_a_column_without_a_name_is_left_out() -> None:
    assert read(written(",customer_id,a\n0,c1,x\n1,c2,\n")) == [(2, "c1", '{"a":"x"}'), (3, "c2", None)]


def test_columns_that_orders_do_not_know_are_named() -> None:
    file = written("order_id,customer_id,ordered_at,amount,x\nA,c,2025-01-01,1,2\n")
    (chunk,) = chunks(file, ORDERS, {}, Path())
    assert chunk.dropped == ("x",)


def test_what_cannot_be_opened_is_said_plainly() -> None:
    with pytest.raises(FixYourData, match="it cannot be read: No such file"):
        read(Path("missing.csv"))
