"""Certificates as JSON: written so that people and other programs read them, read back without executing anything.

JSON has no infinity and no NaN. An upper limit that cannot be stated is null; so is an error or a k-hat that cannot.
"""

import json
from dataclasses import asdict
from math import inf, isfinite, nan
from typing import Any

from alfonsine.certificate.certificate import KL, Certificate, Divergence, Tolerance, Unaccounted
from alfonsine.certificate.estimates import Estimate
from alfonsine.certificate.hedge import Hedge
from alfonsine.certificate.outcome import Outcome
from alfonsine.certificate.tolerance import ToleranceStatement
from alfonsine.errors import InputError


def as_dict(certificate: Certificate) -> dict[str, Any]:
    """Plain values for certificate.json; a study adds its own keys (solver_calls, multipoles, seed, ...)."""
    stored = asdict(certificate) | {"outcome": certificate.outcome.value, "sentence": certificate.outcome.sentence}
    stored["ess"], stored["ess_error"] = certificate.ess.estimate, certificate.ess.error
    return _plain(stored)


def to_json(certificate: Certificate) -> str:
    """Strict JSON text."""
    return json.dumps(as_dict(certificate), indent=1, allow_nan=False, ensure_ascii=False)


def from_json(text: str) -> Certificate:
    """The certificate in JSON text; keys that are not its own are ignored."""
    try:
        stored = json.loads(text)
        kl = stored["kl"]
        return Certificate(
            outcome=Outcome(stored["outcome"]),
            findings=tuple(stored["findings"]),
            advice=stored["advice"],
            names=tuple(stored["names"]),
            n_judged=stored["n_judged"],
            unaccounted=Unaccounted(**stored["unaccounted"]),
            cut_off=stored.get("cut_off", 0.0),
            kl=KL(
                _number(kl["estimate"]), _number(kl["error"]), _limit(kl["upper95"]), kl["lower95"],
                _divergence(kl["forward"]), _divergence(kl["reverse"]), kl["floor"],
            ),
            shift_sigma={name: _estimate(value) for name, value in stored["shift_sigma"].items()},
            width_ratio={name: _estimate(value) for name, value in stored["width_ratio"].items()},
            total_variation=_estimate(stored["total_variation"]),
            delta_log_evidence=_estimate(stored["delta_log_evidence"]),
            ess=Estimate(_number(stored["ess"]), _number(stored["ess_error"])),
            pareto_khat=_number(stored["pareto_khat"]),
            pareto_threshold=_number(stored["pareto_threshold"]),
            tolerance=ToleranceStatement(**stored["tolerance"] | {"bound": _limit(stored["tolerance"]["bound"])}),
            allowed=Tolerance(**stored["allowed"]),
            hedge=_hedge(stored["hedge"]),
            cannot_see=stored["cannot_see"],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"expected a certificate in JSON, got {error!r}; write it again") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _number(value: float | None) -> float:
    return nan if value is None else value


def _limit(value: float | None) -> float:
    return inf if value is None else value


def _estimate(value: dict[str, Any]) -> Estimate:
    return Estimate(_number(value["estimate"]), _number(value["error"]))


def _divergence(value: dict[str, Any]) -> Divergence:
    return Divergence(_number(value["estimate"]), _number(value["error"]), _limit(value["upper95"]))


def _hedge(value: dict[str, Any] | None) -> Hedge | None:
    if value is None:
        return None
    plain = value | {name: _estimate(value[name]) for name in ("kl", "delta_log_evidence")}
    return Hedge(**plain | {"pareto_khat": _number(value["pareto_khat"])})
