"""What a watcher sees: on a terminal of any width, and on a page that no record can break."""

import json
import re
import urllib.error
import urllib.request
from html.parser import HTMLParser
from io import StringIO

import pytest
import synthetic_run
import watched_run
from rich.console import Console

from alfonsine.errors import InputError
from alfonsine.report.follow import follow
from alfonsine.report.serve import serve
from alfonsine.report.watch import Watcher
from alfonsine.report.watched_page import watched_page
from alfonsine.report.watched_plot import points
from alfonsine.report.watched_screen import screen

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"


def shown(view, width, height=None, unicode=True):
    file = StringIO()
    Console(file=file, width=width, force_terminal=False, color_system=None).print(
        screen(view, width, height, unicode, "q leaves")
    )
    return file.getvalue().splitlines()


def states(folder):
    """A run in progress with much to say, a finished one, one of an older version, and one not begun."""
    long = watched_run.status(failures=({"reason": "word " * 300, "seconds": 1e5, "inputs": {}},), host="h" * 70)
    finished = synthetic_run.write(folder / "finished", n=200)
    (folder / "empty").mkdir()
    yield Watcher(watched_run.write(folder / "long", long)).look()
    yield Watcher(finished).look()
    yield Watcher(watched_run.write(folder / "old", None)).look()
    yield Watcher(folder / "empty").look()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_display_fits_the_terminal(tmp_path, width):
    for view in states(tmp_path):
        assert max(map(len, shown(view, width))) <= width


@pytest.mark.parametrize("height", [24, 40])
def test_the_plot_takes_the_lines_that_are_left(tmp_path, height):
    view = Watcher(watched_run.write(tmp_path, watched_run.status())).look()
    lines = shown(view, 80, height)
    assert len(lines) <= height and lines[-1] == "q leaves"
    assert any("KL [nats] against exact calls" in line for line in lines) == (height == 40)
    assert any("CLASS: shooting failed" in line for line in lines)


def test_everything_is_on_the_screen(tmp_path):
    view = Watcher(watched_run.write(tmp_path, watched_run.status())).look()
    text = " ".join(" ".join(shown(view, 100)).split())
    for words in (
        "Running", "exact calls of round 2, to learn: 3 of 8", "18 done, 1 failed, 2 running", "19 of 80",
        "forecast 0.050 after 16 calls", "asked for 0.0020", "at least 29 calls, 2 min 25 s",
        "fitting the emulator 3.0 s",
        "1 of 19 exact calls failed", "process",
    ):  # fmt: skip
        assert words in text, words


def test_a_terminal_without_unicode_gets_plain_marks(tmp_path):
    view = Watcher(synthetic_run.write(tmp_path, n=200)).look()
    plot = [line for line in shown(view, 80, unicode=False) if "|" in line]
    assert plot and all(line.isascii() for line in plot)


def test_the_plot_has_every_forecast_and_verdict_at_its_place(tmp_path):
    (tmp_path / "log").write_text(watched_run.LOG)
    view = Watcher(synthetic_run.write(tmp_path, n=200)).look()
    assert {(mark.calls, mark.kl) for mark in points(view) if mark.kind == "judged"} == {
        (entry["calls"], entry["kl"]) for entry in synthetic_run.HISTORY if entry["kl"]
    }
    assert [(mark.calls, mark.kl) for mark in points(view) if mark.kind == "forecast"] == [(16, 0.05)]
    rows = [line.split("┤", 1)[1] for line in shown(view, 80) if "┤" in line]
    row = {i: found.start() for i, line in enumerate(rows) for found in re.finditer("●", line)}
    assert list(row) == sorted(row) and list(row.values()) == sorted(row.values())  # more calls, smaller KL


class Tags(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self):
        super().__init__()
        self.found, self.attributes = set(), []

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes += [name for name, _ in attrs]


def test_no_record_can_write_into_the_page(tmp_path):
    failures = ({"reason": HOSTILE, "seconds": 1.0, "inputs": {HOSTILE: 1}},)
    status = watched_run.status(
        stage=HOSTILE, host=HOSTILE, doing=HOSTILE, failures=failures, seconds={HOSTILE: 1.0, "total": 2.0}
    )
    folder = watched_run.write(tmp_path / "run", status)
    history = [{**synthetic_run.HISTORY[4], "outcome": HOSTILE}]
    (folder / "history.json").write_text(json.dumps(history))
    (folder / "study.yaml").write_text(f"title: {json.dumps(HOSTILE)}\n")
    (folder / "log").write_text(f"2026 {HOSTILE}\n")
    for ended in ("", HOSTILE, "finished"):
        watched_run.write_status(folder / "status.json", watched_run.status(stage=HOSTILE, host=HOSTILE, doing=HOSTILE,
            failures=failures, seconds={HOSTILE: 1.0, "total": 2.0}, ended=ended))  # fmt: skip
        (folder / "certificate.json").write_text(json.dumps({"outcome": HOSTILE, "advice": HOSTILE}))
        page = watched_page(Watcher(folder).look())
        tags = Tags()
        tags.feed(page)
        assert "alert(1)" in page and not tags.found & {"script", "img"} and "onerror" not in tags.attributes


def test_the_page_stands_alone_and_asks_again_while_there_is_more_to_come(tmp_path):
    going = watched_page(Watcher(watched_run.write(tmp_path / "a", watched_run.status())).look())
    finished = watched_page(Watcher(synthetic_run.write(tmp_path / "b", n=200)).look())
    assert 'http-equiv="refresh"' in going and 'http-equiv="refresh"' not in finished
    for page in (going, finished):
        assert "<svg" in page and "<script" not in page and "http-equiv" not in page.split("<body>")[1]
        assert not re.search(r'(?:src|href)="(?!#)', page)


def test_only_the_page_is_written(tmp_path, capsys):
    folder = watched_run.write(tmp_path, watched_run.status())
    before = watched_run.digest(folder)
    follow(folder, once=True, page=True)
    after = watched_run.digest(folder)
    assert after.pop("watch.html")[1].startswith(b"<!DOCTYPE html>") and after == before
    assert "Running" in capsys.readouterr().out


def test_without_a_terminal_the_page_is_kept_until_the_run_is_over(tmp_path, capsys):
    folder = synthetic_run.write(tmp_path, n=200)
    follow(folder, page=True)
    assert (folder / "watch.html").read_text().count("Pass") and "watch.html" in capsys.readouterr().out


def answer(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as reply:
            return reply.status, reply.read().decode(), dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, "", {}


def test_the_server_gives_the_page_and_nothing_else(tmp_path):
    with serve(0) as served:
        served.page = "<p>one"
        url = f"http://127.0.0.1:{served.port}"
        assert answer(url + "/")[:2] == (200, "<p>one")
        served.page = "<p>two"
        code, page, headers = answer(url + "/watch.html")
        assert (code, page) == (200, "<p>two") and "default-src 'none'" in headers["Content-Security-Policy"]
        for path in ("/status.json", "/../etc/passwd", "//etc/passwd", "/watch.html/.."):
            assert answer(url + path)[0] == 404, path
        assert answer(url + "/", Host="elsewhere.example")[0] == 404
        with pytest.raises(InputError, match="expected a free port"), serve(served.port):
            pass
