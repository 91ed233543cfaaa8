"""Numbers as people write them: two significant digits of the error, the mean to the same decimal place."""

import math

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def decimals(error: float, digits: int = 2) -> int:
    """Decimal places that show `digits` significant digits of `error`, after rounding (0.0996 is 0.10)."""
    return digits - 1 - int(f"{error:.{digits - 1}e}".split("e")[1])


def fixed(value: float, places: int) -> str:
    """Fixed-point text; negative places round to tens and hundreds. Never '-0'."""
    rounded = round(value, places)
    written = f"{rounded + 0.0:.{max(places, 0)}f}"
    return written.replace("-", MINUS) if rounded else written.lstrip("-")


def short(value: float | None, digits: int = 2) -> str:
    """A number to `digits` significant digits, as a power of ten where plain digits would be long."""
    if value is None or not math.isfinite(value):
        return "\N{EM DASH}"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if -4 <= int(exponent) <= 5:
        return fixed(value, digits - 1 - int(exponent))
    return f"{mantissa} {TIMES} 10{str(int(exponent)).translate(_SUPERSCRIPT)}".replace("-", MINUS)


def with_error(mean: float, plus: float, minus: float | None = None) -> str:
    """'0.02237 ± 0.00015', or '0.120 +0.002 −0.001' where the two errors differ; powers of ten taken out."""
    minus = plus if minus is None else minus
    small = min(e for e in (plus, minus, math.inf) if e > 0)
    if not math.isfinite(small) or not math.isfinite(mean):
        return short(mean, 5)
    largest = max(abs(mean), plus, minus)
    exponent = math.floor(math.log10(largest))
    power = exponent if exponent < -3 or exponent > 5 else 0
    mean, plus, minus, small = (x / 10.0**power for x in (mean, plus, minus, small))
    places = max(decimals(small), -5)
    up, down = fixed(plus, places), fixed(minus, places)
    written = f"{fixed(mean, places)} ± {up}" if up == down else f"{fixed(mean, places)} +{up} {MINUS}{down}"
    return f"({written}) {TIMES} 10{str(power).translate(_SUPERSCRIPT)}" if power else written


def duration(seconds: float | None) -> str:
    """'0.4 s', '42 s', '3 min 12 s', '1 h 05 min'."""
    if seconds is None or not math.isfinite(seconds):
        return "\N{EM DASH}"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
