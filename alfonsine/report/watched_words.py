"""A run that is watched, in words: is it well, what is it at, how far from the accuracy asked for, how long yet."""

from alfonsine.report.parse import measured, number, text
from alfonsine.report.pulse import Life, moment
from alfonsine.report.remaining import Remaining
from alfonsine.report.rounding import duration, short
from alfonsine.report.watch import View
from alfonsine.report.watched_files import plain
from alfonsine.report.words import Verdict, verdict_of
from alfonsine.study.clock import DOING
from alfonsine.study.status import INTERRUPTED

RESUME = "The same command goes on from there; finished calls are kept."
CLOCKS_DIFFER = 5.0  # seconds by which a sign of life may come from the future
LONGEST = 200  # characters of a reason
LAST = 3  # failures told one by one


def state(view: View) -> Verdict:
    """How the run is, in a word, with a mark that does not rely on colour."""
    status, silence = view.status, duration(view.silence)
    if view.life is Life.FINISHED:
        if view.certificate:
            return verdict_of(view.certificate)
        what = {"train": "The emulator is written; nothing was certified.", "certify": "It has judged again."}
        said = what.get(status.command if status else "", "It has written no certificate.")
        return Verdict("pass", "✓", "Finished", said)
    if view.life is Life.RUNNING:
        return Verdict("unfinished", "…", "Running", "")
    if view.life is Life.SILENT:
        return Verdict("inconclusive", "?", "Silent", f"No sign of life for {silence}. Its machine may be overloaded.")
    if view.life is Life.DEAD and status is not None:
        who = plain(f"process {status.process} on {status.host}")
        return Verdict("fail", "✕", "Dead", f"No sign of life of {who} for {silence}. {RESUME}")
    if view.life is Life.STOPPED and status is not None:
        if status.ended == INTERRUPTED:
            return Verdict("fail", "✕", "Interrupted", RESUME)
        return Verdict("fail", "✕", "Stopped", f"{plain(status.ended)}.".replace("..", "."))
    if view.life is Life.NOT_BEGUN:
        return Verdict("unfinished", "…", "Not begun", "There is no exact call and no sign of life yet.")
    return Verdict(
        "inconclusive", "?", "Unfinished", "It was begun by an older version: whether it still goes on is not known."
    )


def stage(view: View) -> str:
    """What the run is at; of a run that is dead, what it was at."""
    doing, of = DOING.get(view.doing, ""), ""
    if view.step is not None and view.total_steps:
        of = f": {view.step} of {view.total_steps}"
    if view.round is not None:
        number_, purpose = view.round
        return f"exact calls of round {number_}, to {purpose}{of}"
    if view.stage:
        return f"{view.stage}{of}" + (f": {doing}" if doing and not of else "")
    return doing


def calls(view: View) -> str:
    """Exact calls by what became of them."""
    if view.done is None:
        return "not known"
    parts = [f"{view.done} done", f"{view.failed or 0} failed"]
    if view.running:
        parts.append(f"{view.running} running")
    return ", ".join(parts)


def budget(view: View) -> str:
    """Exact calls allowed, and how many of them are spent."""
    if view.budget is None:
        return "none"
    spent = (view.done or 0) + (view.failed or 0)
    return f"{spent} of {view.budget} exact calls are spent"


def accuracy(view: View) -> str:
    """The last forecast and the last verdict beside the limit."""
    parts = []
    if view.forecasts:
        last = view.forecasts[-1]
        forecast = "no forecast yet" if last.kl is None else f"forecast {short(last.kl)}"
        parts.append(f"{forecast} after {last.calls} calls (leave-one-out error {short(last.error)})")
    judged = [each for each in view.history if each.kl_upper95 is not None]
    if judged:
        last = judged[-1]
        parts.append(f"judged {short(last.kl)}, 95 % sure below {short(last.kl_upper95)}, by {last.judged} calls")
    if view.limit is not None:
        parts.append(f"asked for {short(view.limit)}")
    return "; ".join(parts)


def remaining(view: View) -> str:
    """Calls left and the time that they take, with what that rests on."""
    left = view.remaining
    if left is None:
        return ""
    told = _left(left.least, left.least_seconds, left.workers)
    if left.most > left.least:
        told = f"at least {told}; at most {_left(left.most, left.most_seconds, left.workers)}"
    return f"{told} ({basis(left)})"


def _left(number_: int, seconds: float | None, workers: int) -> str:
    return f"{number_} calls" + ("" if seconds is None else f", {duration(seconds)}")


def basis(left: Remaining) -> str:
    """What the remaining time rests on."""
    if left.seconds_per_call is None:
        return "their time is known after the first"
    return f"{duration(left.seconds_per_call)} a call on average, {left.workers} at once; fits and sampling on top"


def outcome(view: View) -> list[str]:
    """What a finished run has found, and its advice."""
    found = measured(view.certificate.get("kl"))
    words = []
    if found is not None:
        below = "" if found.upper95 is None else f", 95 % sure below {short(found.upper95)}"
        words.append(f"KL to the exact posterior {short(found.estimate)} nats{below}.")
    if advice := text(view.certificate.get("advice")):
        words.append(plain(advice))
    return words


def wrong(view: View) -> list[str]:
    """What is not as it should be, the gravest first; how the run itself is, is told by `state`."""
    found = list(view.notes)
    failed = view.failed or 0
    if failed:
        made = failed + (view.done or 0)
        found.append(f"{failed} of {made} exact calls failed; such points teach nothing.")
        found += [f"failed after {duration(each.seconds)}: {reason(each.reason)}" for each in view.failures[-LAST:]]
    if view.status is not None and not view.over:
        alive = moment(view.status.alive)
        ahead = 0.0 if alive is None else (alive - view.at).total_seconds()
        if ahead > CLOCKS_DIFFER:
            found.append(f"The clock of {plain(view.status.host)} is {duration(ahead)} ahead of this machine's.")
    return found


def reason(words: str) -> str:
    """Why a call failed, on one line that is not too long."""
    line = plain(" ".join(words.split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def worker(view: View) -> str:
    """Who works on it, and when that was last seen."""
    status = view.status
    if status is None or status.ended:
        return ""
    said = "just now" if (view.silence or 0.0) < 10 else f"{duration(view.silence)} ago"
    return plain(f"process {status.process} on {status.host}, last sign of life {said}")


def seconds(view: View) -> list[tuple[str, float]]:
    """Seconds by stage, the longest first, and what no stage claims."""
    rows = sorted(view.seconds.items(), key=lambda row: -row[1])
    rest = (number(view.total) or 0.0) - sum(view.seconds.values())
    return [*rows, ("everything else", rest)] if rows and rest > 0.01 * (view.total or 0.0) else rows
