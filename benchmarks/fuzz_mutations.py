"""Random damage to files: bytes, lines, words, places in YAML and JSON, and what stands in the place of a file."""

import io
import json
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

Random = np.random.Generator
Change = Callable[[bytes, Random], bytes]
TRIES = 20  # at a change that leaves a file as it is

WORDS = (
    "nan", "inf", "-inf", "NaN", ".nan", ".inf", "-.inf", "1e400", "-1e400", "1e308", "1e-400", "0", "-0.0", "-1", "1", "2",
    "0.5", "1e5", "9999999999999999999999", "9223372036854775808", "4294967296", "0x1F", "0o17", "1_000", "12:30:45", "1,5", "1.5.2",
    "--3", "1e", "+", "-", "~", "null", "true", "no", "''", "\"\"", "[]", "{}", "[1, 2]", "{a: 1}", "[[[[[[1]]]]]]", "!", "&a", "*a",
    "*b", "<<", "%", "@", "`", "|", ">", "? x", ": ", "#", "---", "...", "2026-01-31", "word", "é", "数", "🂡", "\u202e", "\u2028",
    "\u0085", "\xa0", "\x00", "\x07", "\x1b[31m", "\ufeff", "\ud7ff", "\\", "\\n", "'", "\"", "lambda", "lambda x: x", "lambda: 1",
    "lambda x: __import__('os')", "'lambda x: 1/0'", "'lambda x, x: x'", "'lambda x: x**x**x**9999'", "../../etc/passwd", "/", ".", "..", "~/x",
    "/dev/null", "x" * 5000, "9" * 5000, "[" * 300, "{" * 300, "(" * 300, "a." * 400, "!!python/object/apply:os.system ['true']",
    "!!python/object:builtins.object {}", "!!binary aGk=", "!!set {a}", "!!timestamp 2026-01-31", "!!float x", "!!int x", "!!str 5",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, -0.5, 1e308, 1e-308, float("nan"), float("inf"), 10**30, -(10**30), "", " ", "x", "é数", "a\nb",
    "a\tb", "\x1b[2J", "x" * 3000, "1", "nan", [], {}, [None], [1], [1, 2], [1, 2, 3], [[1]], [[1, 2], [3]], {"a": 1}, {"min": 1}, {"": ""},
    {"min": 0, "max": 1}, {"file": "x"}, {"run": "x"}, {"run": "."}, [{"run": "."}], "lambda x: x", "lambda y: y", "lambda: 0", "lambda x: z",
    "os:system", "module:function", ".", "..", "/", "/dev/null", "/dev/zero", "x.txt", "x.npz", [float("nan")], ["a", "b"], [True], [[]], [{}], 10**6, 10**9,
)  # fmt: skip


def pick(rng: Random, choices: Any) -> Any:
    """One of the choices."""
    return choices[int(rng.integers(len(choices)))]


# ---- bytes


def flipped(raw: bytes, rng: Random) -> bytes:
    """Some bits flipped."""
    found = bytearray(raw)
    for _ in range(int(rng.integers(1, 9))):
        found[int(rng.integers(len(found)))] ^= 1 << int(rng.integers(8))
    return bytes(found)


def cut(raw: bytes, rng: Random) -> bytes:
    """The end missing."""
    return raw[: int(rng.integers(len(raw)))]


def headless(raw: bytes, rng: Random) -> bytes:
    """The beginning missing."""
    return raw[int(rng.integers(1, min(len(raw), 400) + 1)) :]


def hole(raw: bytes, rng: Random) -> bytes:
    """A stretch missing from the middle."""
    first = int(rng.integers(len(raw)))
    return raw[:first] + raw[first + int(rng.integers(1, 200)) :]


def garbage(raw: bytes, rng: Random) -> bytes:
    """Random bytes in the middle."""
    first = int(rng.integers(len(raw) + 1))
    return raw[:first] + rng.bytes(int(rng.integers(1, 64))) + raw[first:]


def appended(raw: bytes, rng: Random) -> bytes:
    """More at the end: itself, zeros, or random bytes."""
    return raw + pick(rng, (raw[:100_000], bytes(512), rng.bytes(300), b"\n\n\n", b"\x1a"))


def replaced(raw: bytes, rng: Random) -> bytes:
    """Another file altogether."""
    return pick(rng, (b"", b"\n", b" ", b"\x00" * 100, rng.bytes(500), b"PK\x03\x04" + rng.bytes(60), b"\x89HDF\r\n\x1a\n",
                      b"SQLite format 3\x00", b"<html><body>404 not found</body></html>\n", b"{}", b"[]", b"null", b"\xff\xfe",
                      b"version https://git-lfs.github.com/spec/v1\n", struct.pack("<Q", 2**62), struct.pack("<Q", 2) + b"{}"))  # fmt: skip


BYTES: tuple[Change, ...] = (flipped, cut, headless, hole, garbage, appended, replaced)

# ---- text


def _by_lines(change: Callable[[list[str], Random], None]) -> Change:
    def of(raw: bytes, rng: Random) -> bytes:
        lines = raw.decode("utf-8", "surrogateescape").split("\n")
        change(lines, rng)
        return "\n".join(lines).encode("utf-8", "surrogateescape")

    of.__name__ = change.__name__
    return of


def _line(lines: list[str], rng: Random) -> int:
    filled = [i for i, line in enumerate(lines) if line.strip()] or [0]
    return int(pick(rng, filled))


def line_lost(lines: list[str], rng: Random) -> None:
    """A line missing."""
    del lines[_line(lines, rng)]


def line_twice(lines: list[str], rng: Random) -> None:
    """A line twice."""
    at = _line(lines, rng)
    lines.insert(at, lines[at])


def lines_swapped(lines: list[str], rng: Random) -> None:
    """Two lines exchanged."""
    a, b = _line(lines, rng), _line(lines, rng)
    lines[a], lines[b] = lines[b], lines[a]


def line_indented(lines: list[str], rng: Random) -> None:
    """A line moved right, little or very much."""
    at = _line(lines, rng)
    lines[at] = pick(rng, (" ", "   ", "\t", " " * 3000)) + lines[at]


def line_outdented(lines: list[str], rng: Random) -> None:
    """A line moved to the left edge."""
    at = _line(lines, rng)
    lines[at] = lines[at].lstrip()


def line_broken(lines: list[str], rng: Random) -> None:
    """A line broken in two."""
    at = _line(lines, rng)
    column = int(rng.integers(len(lines[at]) + 1))
    lines[at : at + 1] = [lines[at][:column], lines[at][column:]]


def line_wrapped(lines: list[str], rng: Random) -> None:
    """An anchor, a tag, a quote or a comment in front of the value of a line."""
    at = _line(lines, rng)
    head, colon, rest = lines[at].partition(":")
    mark = pick(
        rng,
        (
            "&a ",
            "*a",
            "!!python/object/apply:os.system ",
            "!x ",
            "'",
            '"',
            "# ",
            "- ",
            "? ",
            "| ",
            "[",
            "{",
            "<<: *a",
            "!!omap ",
        ),
    )
    lines[at] = f"{head}{colon} {mark}{rest}"


def line_foreign(lines: list[str], rng: Random) -> None:
    """A line of something else."""
    lines.insert(_line(lines, rng), pick(rng, WORDS))


def word_replaced(lines: list[str], rng: Random) -> None:
    """A word replaced: nan, infinity, huge, negative, empty, of other alphabets, very long, nested."""
    at = _line(lines, rng)
    words = list(re.finditer(r"[^\s,:{}\[\]]+", lines[at]))
    if words:
        word = pick(rng, words)
        lines[at] = lines[at][: word.start()] + pick(rng, WORDS) + lines[at][word.end() :]


def word_lost(lines: list[str], rng: Random) -> None:
    """A word missing."""
    at = _line(lines, rng)
    words = list(re.finditer(r"\S+", lines[at]))
    if words:
        word = pick(rng, words)
        lines[at] = lines[at][: word.start()] + lines[at][word.end() :]


def word_misspelt(lines: list[str], rng: Random) -> None:
    """A letter of a word lost, doubled, exchanged, or in the other case."""
    at = _line(lines, rng)
    words = list(re.finditer(r"[A-Za-z_]{3,}", lines[at]))
    if words:
        word, text = pick(rng, words), ""
        text = word[0]
        i = int(rng.integers(len(text) - 1))
        text = pick(
            rng,
            (
                text[:i] + text[i + 1 :],
                text[:i] + text[i] + text[i:],
                text[:i] + text[i + 1] + text[i] + text[i + 2 :],
                text.swapcase(),
            ),
        )
        lines[at] = lines[at][: word.start()] + text + lines[at][word.end() :]


def sign_changed(lines: list[str], rng: Random) -> None:
    """One sign of punctuation replaced by another, or lost."""
    at = _line(lines, rng)
    signs = list(re.finditer(r"[^\w\s]", lines[at]))
    if signs:
        sign = pick(rng, signs)
        lines[at] = (
            lines[at][: sign.start()]
            + pick(rng, ("", ",", ";", ":", "-", "{", "}", "[", "]", "'", "\t", "="))
            + lines[at][sign.end() :]
        )


LINES: tuple[Change, ...] = tuple(
    map(_by_lines, (line_lost, line_twice, lines_swapped, line_indented, line_outdented, line_broken, line_wrapped,
                    line_foreign, word_replaced, word_replaced, word_replaced, word_lost, word_misspelt, sign_changed))
)  # fmt: skip


def recoded(raw: bytes, rng: Random) -> bytes:
    """The same text with other line ends or in another encoding."""
    text = raw.decode("utf-8", "replace")
    return pick(rng, (lambda: text.replace("\n", "\r\n").encode(), lambda: text.replace("\n", "\r").encode(), lambda: b"\xef\xbb\xbf" + raw,
                      lambda: text.encode("utf-16"), lambda: text.encode("utf-16-le"), lambda: text.encode("utf-32"),
                      lambda: ("# é\n" + text).encode("latin-1", "replace"), lambda: raw.replace(b"\n", b"\x00\n", 1)))()  # fmt: skip


# ---- tables of numbers


def column_lost(raw: bytes, rng: Random) -> bytes:
    """A column missing everywhere."""
    rows = [line.split() for line in raw.decode("utf-8", "replace").split("\n")]
    at = int(rng.integers(max(map(len, rows))))
    return "\n".join(" ".join(w for i, w in enumerate(row) if i != at) for row in rows).encode()


def column_set(raw: bytes, rng: Random) -> bytes:
    """A column that is the same word everywhere."""
    rows = [line.split() for line in raw.decode("utf-8", "replace").split("\n")]
    at, word = (
        int(rng.integers(max(map(len, rows)))),
        pick(rng, ("0", "-1", "nan", "1e308", "1", "1e-300", "inf", "1e200")),
    )
    return "\n".join(
        " ".join(word if i == at and not row[0].startswith("#") else w for i, w in enumerate(row)) for row in rows
    ).encode()


TABLES: tuple[Change, ...] = (column_lost, column_set)

# ---- trees: YAML and JSON


def places(tree: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All paths into a tree of mappings and lists, the root left out."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [found for key, value in inner for found in ((*above, key), *places(value, (*above, key)))]


def tree_changed(tree: Any, rng: Random) -> Any:
    """Something of a wrong type at a random place; a key misspelt, removed, moved or added."""
    known = places(tree)
    if not known:
        return pick(rng, VALUES)
    path = pick(rng, known)
    owner = tree
    for part in path[:-1]:
        owner = owner[part]
    key, deed = path[-1], int(rng.integers(8))
    if deed == 0:
        del owner[key]
    elif deed == 1 and isinstance(key, str):
        i = int(rng.integers(len(key) + 1))
        owner[pick(rng, (key[:i] + key[i + 1 :], key[:i] + "x" + key[i:], key.upper(), key + " ", "", key + "\n"))] = (
            owner.pop(key)
        )
    elif deed == 2 and isinstance(owner, dict):
        owner[pick(rng, ("x", "min", "prior", "value", "file", "array", "name", "", "é", "run"))] = pick(rng, VALUES)
    elif deed == 3:
        other = tree
        for part in pick(rng, known):
            other = other[part]
        owner[key] = json.loads(json.dumps(other))
    elif deed == 4 and isinstance(owner[key], int | float) and not isinstance(owner[key], bool):
        owner[key] = pick(
            rng, (-owner[key], owner[key] * 1e6, owner[key] * 1e-6, owner[key] + 1, str(owner[key]), [owner[key]], 0)
        )
    else:
        owner[key] = pick(rng, VALUES)
    return tree


def yaml_changed(raw: bytes, rng: Random) -> bytes:
    """YAML with its tree changed, and written again in block or flow style."""
    tree = tree_changed(yaml.safe_load(raw), rng)
    return yaml.safe_dump(
        tree, sort_keys=False, allow_unicode=True, default_flow_style=bool(rng.integers(4) == 0)
    ).encode()


def json_changed(raw: bytes, rng: Random) -> bytes:
    """JSON with its tree changed."""
    return json.dumps(tree_changed(json.loads(raw), rng)).encode()


def yaml_bomb(raw: bytes, rng: Random) -> bytes:
    """Anchors that refer to anchors: a thousand million values in nine lines, or one inside itself."""
    nested = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)
    )
    return pick(rng, (nested.encode() + raw, raw + b"\n" + nested.encode(), raw + b"\nx: &x {y: *x}\n", raw + b"\n<<: [1]\n",
                      b"[" * 20_000, raw + b"\n" + b"".join(b" " * i + b"a:\n" for i in range(1500)), b"x: " + b"{a: " * 3000))  # fmt: skip


def header_changed(raw: bytes, rng: Random) -> bytes:
    """A safetensors file with its header changed: the lengths, the table of arrays, or what is said of an emulator."""
    size = struct.unpack("<Q", raw[:8])[0]
    header, rest, deed = json.loads(raw[8 : 8 + size]), raw[8 + size :], int(rng.integers(4))
    if deed == 0:
        return (
            struct.pack("<Q", int(pick(rng, (0, 1, size - 1, size + 1, size + 8, len(raw), 2**31, 2**63, 2**64 - 1))))
            + raw[8:]
        )
    if deed == 1:
        header = tree_changed(header, rng)
    else:
        ours = header["__metadata__"]
        inner = tree_changed(json.loads(ours["alfonsine"]), rng)
        ours["alfonsine"] = json.dumps(inner, sort_keys=True)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


def header_believed(raw: bytes, rng: Random) -> bytes:
    """The same with a digest that fits, so that what comes after the digest is reached."""
    from safetensors.numpy import load, save

    from alfonsine.emulator.stored.file import digest

    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["alfonsine"])
    arrays = load(raw)
    if rng.integers(2):
        header = tree_changed(header, rng)
    else:
        name = pick(rng, sorted(arrays))
        values = arrays[name]
        arrays[name] = pick(rng, (lambda: values * np.nan, lambda: -values, lambda: values[..., None], lambda: values.ravel()[:0],
                                  lambda: values.astype(np.float16), lambda: values * 1e300, lambda: values.T.copy(), lambda: values[:-1] if values.ndim else values))()  # fmt: skip
        if rng.integers(4) == 0:
            del arrays[name]
    if isinstance(header, dict):
        header["digest"] = digest(header, arrays)
    return save(arrays, metadata={"alfonsine": json.dumps(header, sort_keys=True)})


def npz_changed(raw: bytes, rng: Random) -> bytes:
    """An archive of arrays with one of them changed in shape, type or values, or pickled."""
    with np.load(io.BytesIO(raw)) as stored:
        arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
    name = pick(rng, sorted(arrays))
    values = arrays[name]
    arrays[name] = pick(rng, (lambda: values[..., None], lambda: values.ravel()[:-1], lambda: np.full_like(values, np.nan), lambda: -values,
                              lambda: values.astype(str), lambda: values.astype(complex), lambda: np.array({"a": 1}, dtype=object),
                              lambda: values.astype("f2"), lambda: np.zeros_like(values), lambda: np.array(1.0)))()  # fmt: skip
    out = io.BytesIO()
    np.savez(out, **{pick(rng, (k, k, k, k + "x")): v for k, v in arrays.items()})
    return out.getvalue()


OF_KIND: dict[str, tuple[Change, ...]] = {
    ".yaml": (*BYTES[:3], *LINES, recoded, yaml_bomb, *(yaml_changed,) * 14),
    ".json": (*BYTES, *LINES[:3], *(json_changed,) * 6),
    ".safetensors": (*BYTES, *(header_changed,) * 4, *(header_believed,) * 7),
    ".npz": (*BYTES, *(npz_changed,) * 6),
    ".nc": BYTES,
    ".sqlite": BYTES,
    ".py": (*BYTES, *LINES, recoded),
    "": (*BYTES, *LINES, recoded, *TABLES * 2),
}

# ---- what stands in the place of a file


def _gone(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _sealed(path: Path) -> None:
    path.chmod(0)


PLACES: tuple[Callable[[Path], None], ...] = (_gone, _folder, _loop, _dangling, _sealed)


def damage(path: Path, rng: Random) -> str:
    """Damage the file; what was done, in words. A sealed file is no obstacle to root, and another damage is taken."""
    if rng.random() < 0.04:
        known = [place for place in PLACES if place is not _sealed or os.geteuid() != 0]
        place = pick(rng, known)
        place(path)
        return place.__name__.strip("_")
    raw, done = path.read_bytes(), []
    changes = OF_KIND.get(path.suffix, OF_KIND[""])
    found = raw
    for _ in range(int(pick(rng, (1, 1, 1, 2, 3)))):
        for _ in range(TRIES):
            change = pick(rng, changes)
            try:
                new = change(found, rng)
            except Exception:  # the change before left nothing that this one could read
                continue
            if new != found:
                found = new
                done.append(change.__name__)
                break
    if found == raw:
        found, done = b"", ["emptied"]
    path.write_bytes(found)
    return " and ".join(done)
