"""campaigns.yaml and the files it includes → one tree of nodes."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from engine.declare.near import suggestion
from engine.declare.quantities import quoted
from engine.declare.source import Node, Source, Span, compose
from engine.errors import FixYourYaml, Problem

MOST_BYTES = 1_000_000
"""Of one file; the largest that is read in a few seconds, and a hundred times a usual one."""
MOST_BYTES_TOGETHER = 5_000_000
_TOO_LARGE_TOGETHER = f"all files together are larger than {MOST_BYTES_TOGETHER // 1_000_000} MB"
_GLOB = frozenset("*?[")


@dataclass
class Reading:
    """What was read so far."""

    main: Path
    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    incomplete: bool = False
    size: int = 0
    _digest: list[bytes] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.main.parent

    def sha256(self) -> str:
        """The hash over the names and bytes of all files read."""
        return hashlib.sha256(b"".join(self._digest)).hexdigest()

    def take(self, path: Path, body: bytes) -> None:
        self.files.append(path)
        self.size += len(body)
        name = path.relative_to(self.root).as_posix().encode()
        self._digest += [name, b"\0", hashlib.sha256(body).digest()]


def read(main: Path) -> tuple[Node, Reading]:
    """Read a project's main file and all that it includes.

    Raises:
        FixYourYaml: the main file cannot be read; what is wrong with an included one is among the reading's problems.
    """
    main = Path(os.path.abspath(main))  # noqa: PTH100 - resolve() would follow a link out of the project
    reading = Reading(main)
    tree = _read_one(main, reading, (main,))
    if tree is None or tree.value is None:
        hint = "`campaign init` writes a working example"
        raise FixYourYaml([Problem(message="this file is empty", file=shown(main), hint=hint)])
    return tree, reading


def shown(path: Path) -> str:
    """A file's name as messages give it: from the current folder where it lies below that."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def _read_one(path: Path, reading: Reading, above: tuple[Path, ...]) -> Node | None:
    body = _bytes(path)
    reading.take(path, body)
    if reading.size > MOST_BYTES_TOGETHER:
        raise _refusal(path, _TOO_LARGE_TOGETHER)
    tree, problems = compose(Source(shown(path), _text(path, body)))
    reading.problems += problems
    if tree is None or tree.value is None:
        return None
    if not isinstance(tree.value, dict):
        raise FixYourYaml([*problems, tree.span.problem("expected keys here, such as version: and campaigns:")])
    _Including(tree, path, above, reading).follow()
    return tree


def _bytes(path: Path) -> bytes:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise _refusal(path, "this is a folder, not a file")
        if found.st_size > MOST_BYTES:
            hint = "split it with include: [campaigns/*.yaml]"
            raise _refusal(path, f"the file is larger than {MOST_BYTES // 1_000_000} MB", hint)
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except FileNotFoundError as error:
        hint = "`campaign init` writes a working example; --file names another"
        raise _refusal(path, "there is no such file", hint) from error
    except OSError as error:
        raise _refusal(path, f"the file cannot be read ({error.strerror or error})") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _refusal(path: Path, message: str, hint: str | None = None) -> FixYourYaml:
    return FixYourYaml([Problem(message=message, file=shown(path), hint=hint)])


def _text(path: Path, body: bytes) -> str:
    try:
        return body.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
        source = Source(shown(path), before + "\ufffd")
        span = Span(source, len(before), len(before) + 1)
        message = f"the byte 0x{body[error.start]:02x} is not UTF-8"
        raise FixYourYaml([span.problem(message, hint="save the file with the encoding UTF-8")]) from error


# --- include ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Including:
    """A file whose `include` is being followed."""

    tree: Node
    path: Path
    above: tuple[Path, ...]
    """The files from the main one down to this."""
    reading: Reading

    def follow(self) -> None:
        assert isinstance(self.tree.value, dict)
        listed = self.tree.value.get("include")
        for item in listed.value if listed is not None and isinstance(listed.value, list) else ():
            if isinstance(item.value, str):
                self._pattern(item.value, item.span)

    def _pattern(self, pattern: str, span: Span) -> None:
        try:
            found = self._matches(pattern)
        except (ValueError, OSError, NotImplementedError):
            self.reading.problems.append(span.problem(f"{quoted(pattern)} is no file name or pattern here"))
            return
        if not found and not _GLOB & set(pattern):
            self.reading.problems.append(self._missing(pattern, span))
            self.reading.incomplete = True
        if (
            self.reading.size + sum(_size(file) for file in found if file not in self.reading.files)
            > MOST_BYTES_TOGETHER
        ):
            self.reading.problems.append(span.problem(_TOO_LARGE_TOGETHER))
            self.reading.incomplete = True
            return
        for file in found:
            self._file(file, span)

    def _matches(self, pattern: str) -> list[Path]:
        if _GLOB & set(pattern):
            found = (Path(os.path.normpath(file)) for file in self.path.parent.glob(pattern) if file.is_file())
            return sorted(file for file in found if file not in self.above)
        file = Path(os.path.normpath(self.path.parent / pattern))
        return [file] if file.exists() else []

    def _missing(self, pattern: str, span: Span) -> Problem:
        beside = [file.name for file in self.path.parent.glob("*.yaml") if file != self.path]
        otherwise = "a pattern such as campaigns/*.yaml may match nothing, a name may not"
        return span.problem(
            f"there is no file {quoted(pattern)}", hint=suggestion(pattern, beside, otherwise=otherwise)
        )

    def _file(self, file: Path, span: Span) -> None:
        trouble = self._trouble(file)
        if trouble:
            self.reading.problems.append(span.problem(trouble))
        elif file not in self.reading.files:
            self._merge_file(file)

    def _trouble(self, file: Path) -> str | None:
        root = self.reading.root
        if not file.is_relative_to(root) or not file.resolve().is_relative_to(root.resolve()):
            return f"{quoted(shown(file))} lies outside the folder of {self.reading.main.name}"
        if file.is_dir():
            return f"{quoted(shown(file))} is a folder; name its files, such as campaigns/*.yaml"
        if file in self.above:
            return f"files include each other in a circle: {' → '.join(shown(each) for each in (*self.above, file))}"
        return None

    def _merge_file(self, file: Path) -> None:
        try:
            part = _read_one(file, self.reading, (*self.above, file))
        except FixYourYaml as error:
            self.reading.problems += error.problems
            self.reading.incomplete = True
            return
        if part is not None:
            _merge(self.tree, part, self.reading)


def _merge(tree: Node, part: Node, reading: Reading) -> None:
    assert isinstance(tree.value, dict)
    assert isinstance(part.value, dict)
    for key, node in part.value.items():
        have = tree.value.get(key)
        if key in ("include", "version") and have is not None:
            continue
        if have is None or have.value is None:
            tree.value[key], tree.keys[key] = node, part.keys[key]
        elif isinstance(have.value, list) and isinstance(node.value, list):
            have.value += node.value
        elif key != "defaults" and isinstance(have.value, dict) and isinstance(node.value, dict):
            _merge_names(have, node, reading)
        elif node.value is not None:
            reading.problems.append(_twice(key, part.keys[key], tree.keys[key]))


def _merge_names(have: Node, more: Node, reading: Reading) -> None:
    assert isinstance(have.value, dict)
    assert isinstance(more.value, dict)
    for name, node in more.value.items():
        if name in have.value:
            reading.problems.append(_twice(name, more.keys[name], have.keys[name]))
        else:
            have.value[name], have.keys[name] = node, more.keys[name]


def _twice(name: str, here: Span, first: Span) -> Problem:
    where = first.problem("")
    message = f"{quoted(name)} is written twice, here and at {where.file}:{where.line}:{where.column}"
    return here.problem(message, hint="rename or remove one of them")
