"""What the golden generators share: exact pseudo-random arrays and the file format.

`uniform` gives numbers that C++ computes bit for bit as well (tests/support/golden.h), so that weights and inputs need
no room in the files: value[i] = lo + (hi - lo) * (hash(seed, i) >> 40) / 2^24, in double, then rounded to float32.
"""

import gzip
import json

import numpy as np


def hash64(seed, count):
    """The finalizer of splitmix64 over (seed << 32) + i."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint64) + np.uint64((seed << 32) & 0xFFFFFFFFFFFFFFFF)
        z += np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(shape, seed, lo=-1.0, hi=1.0):
    n = int(np.prod(shape))
    u = (hash64(seed, n) >> np.uint64(40)).astype(np.float64) / float(1 << 24)
    return (lo + (hi - lo) * u).astype(np.float32).reshape(shape)


def integers(shape, seed, count):
    """Integers in [0, count)."""
    n = int(np.prod(shape))
    return (hash64(seed, n) % np.uint64(count)).astype(np.int32).reshape(shape)


def array(a):
    """The array form of the parity files: floats in the shortest decimals that are exact for their dtype."""
    a = np.asarray(a)
    if a.dtype.kind == "f":
        special = lambda v: "nan" if np.isnan(v) else ("inf" if v > 0 else "-inf")
        flat = [float(str(v)) if np.isfinite(v) else special(v) for v in a.ravel()]
    else:
        flat = a.ravel().tolist()
    return {"dtype": str(a.dtype), "shape": list(a.shape), "v": flat}


def write_lines(path, lines):
    """One JSON object a line, gzip; no time stamp, so the same numbers give the same bytes."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as out:
        out.write(text.encode())
    print(path, len(lines), "lines")
