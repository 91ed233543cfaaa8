"""Random damage to what files say as trees: YAML, JSON, headers of safetensors; and to archives of arrays."""

import io
import json
import struct
from typing import Any

import numpy as np
import yaml
from fuzz_words import VALUES, Random, pick

MOST, DEEPEST = 100_000, 100  # places in a tree, and keys on the way to one: a tree may hold itself

# ---- trees: YAML and JSON


def places(tree: Any) -> list[tuple[Any, ...]]:
    """All paths into a tree of mappings and lists, the root left out; ValueError where anchors make it a forest."""
    found, waiting = [], [((), tree)]
    while waiting:
        above, inner = waiting.pop()
        if isinstance(inner, dict):
            pairs = list(inner.items())
        else:
            pairs = list(enumerate(inner)) if isinstance(inner, list) else []
        waiting += [((*above, key), value) for key, value in pairs]
        found += [(*above, key) for key, _ in pairs]
        if len(found) > MOST or len(above) > DEEPEST:
            raise ValueError("more places than a file of ours has")
    return found


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
    return pick(
        rng,
        (
            nested.encode() + raw,
            raw + b"\n" + nested.encode(),
            raw + b"\nx: &x {y: *x}\n",
            raw + b"\n<<: [1]\n",
            b"[" * 20_000,
            raw + b"\n" + b"".join(b" " * i + b"a:\n" for i in range(1500)),
            b"x: " + b"{a: " * 3000,
        ),
    )


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
        arrays[name] = pick(
            rng,
            (
                lambda: values * np.nan,
                lambda: -values,
                lambda: values[..., None],
                lambda: values.ravel()[:0],
                lambda: values.astype(np.float16),
                lambda: values * 1e300,
                lambda: values.T.copy(),
                lambda: values[:-1] if values.ndim else values,
            ),
        )()
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
    arrays[name] = pick(
        rng,
        (
            lambda: values[..., None],
            lambda: values.ravel()[:-1],
            lambda: np.full_like(values, np.nan),
            lambda: -values,
            lambda: values.astype(str),
            lambda: values.astype(complex),
            lambda: np.array({"a": 1}, dtype=object),
            lambda: values.astype("f2"),
            lambda: np.zeros_like(values),
            lambda: np.array(1.0),
        ),
    )()
    out = io.BytesIO()
    pick(rng, (np.savez, np.savez_compressed))(out, **{pick(rng, (k, k, k, k + "x")): v for k, v in arrays.items()})
    return out.getvalue()
