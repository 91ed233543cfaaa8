"""Random damage to bytes, to lines and words of text, and to tables of numbers."""

import re
import struct
from collections.abc import Callable

from fuzz_words import WORDS, Random, pick

Change = Callable[[bytes, Random], bytes]

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
    return pick(
        rng,
        (
            b"",
            b"\n",
            b" ",
            b"\x00" * 100,
            rng.bytes(500),
            b"PK\x03\x04" + rng.bytes(60),
            b"\x89HDF\r\n\x1a\n",
            b"SQLite format 3\x00",
            b"<html><body>404 not found</body></html>\n",
            b"{}",
            b"[]",
            b"null",
            b"\xff\xfe",
            b"version https://git-lfs.github.com/spec/v1\n",
            struct.pack("<Q", 2**62),
            struct.pack("<Q", 2) + b"{}",
        ),
    )


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
    map(
        _by_lines,
        (
            line_lost,
            line_twice,
            lines_swapped,
            line_indented,
            line_outdented,
            line_broken,
            line_wrapped,
            line_foreign,
            word_replaced,
            word_replaced,
            word_replaced,
            word_lost,
            word_misspelt,
            sign_changed,
        ),
    )
)


def recoded(raw: bytes, rng: Random) -> bytes:
    """The same text with other line ends or in another encoding."""
    text = raw.decode("utf-8", "replace")
    return pick(
        rng,
        (
            lambda: text.replace("\n", "\r\n").encode(),
            lambda: text.replace("\n", "\r").encode(),
            lambda: b"\xef\xbb\xbf" + raw,
            lambda: text.encode("utf-16"),
            lambda: text.encode("utf-16-le"),
            lambda: text.encode("utf-32"),
            lambda: ("# é\n" + text).encode("latin-1", "replace"),
            lambda: raw.replace(b"\n", b"\x00\n", 1),
        ),
    )()


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
