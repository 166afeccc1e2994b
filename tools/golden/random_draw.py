"""What the random parity generators share: a seeded source of choices, the array form for every dtype, tolerances.

    d = Draw(7, "Dense", 3)             # the same three give the same choices
    d.pick(1, 2, 3); d.maybe(0.3); d.rand(2, 4); d.options(0.3, use_bias=[False], units=[1, 5])
"""

import os
import zlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import ml_dtypes
import numpy as np

TOLERANCES = {  # of values and of gradients
    "float32": ({"rtol": 1e-5, "atol": 2e-6}, {"rtol": 1e-4, "atol": 2e-5}),
    "float64": ({"rtol": 1e-5, "atol": 2e-6}, {"rtol": 1e-4, "atol": 2e-5}),
    "float16": ({"rtol": 4e-3, "atol": 4e-3}, {"rtol": 1.6e-2, "atol": 1.6e-2}),
    "bfloat16": ({"rtol": 3e-2, "atol": 3e-2}, {"rtol": 0.12, "atol": 0.12}),
}
HALF = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


def numpy_dtype(name):
    return np.dtype(HALF.get(name, name))


class Draw:
    def __init__(self, *key):
        self.r = np.random.default_rng([zlib.crc32(str(k).encode()) for k in key])

    def pick(self, *options):
        return options[self.r.integers(len(options))]

    def maybe(self, p=0.5):
        return self.r.random() < p

    def int(self, lo, hi):
        """From lo to hi, both included."""
        return int(self.r.integers(lo, hi + 1))

    def num(self, lo, hi, digits=2):
        return round(float(self.r.uniform(lo, hi)), digits)

    def options(self, p, /, **candidates):
        """Each keyword with probability p, one of its candidates."""
        return {k: self.pick(*v) for k, v in candidates.items() if self.maybe(p)}

    def rand(self, *shape, lo=-2.0, hi=2.0, dtype="float32"):
        return np.asarray(np.round(self.r.uniform(lo, hi, shape), 2)).astype(numpy_dtype(dtype))

    def ints(self, count, *shape, lo=0, dtype="int32"):
        return np.asarray(self.r.integers(lo, count, shape)).astype(dtype)

    def bools(self, *shape, p=0.5):
        return np.asarray(self.r.random(shape) < p)

    def probabilities(self, *shape):
        p = np.exp(self.rand(*shape))
        return np.round(p / p.sum(-1, keepdims=True), 4).astype(np.float32)

    def dims(self, rank, lo=1, hi=5):
        return [self.int(lo, hi) for _ in range(rank)]

    def batch(self):
        return self.pick(1, 2, 2, 3, 4)

    def one_or_each(self, n, lo, hi):
        """A number for all axes, or one per axis."""
        return self.int(lo, hi) if self.maybe() else [self.int(lo, hi) for _ in range(n)]

    def values(self, shape, dtype):
        """Numbers that suit a dtype by its name."""
        if dtype == "bool":
            return self.bools(*shape)
        if dtype.startswith("u"):
            return self.ints(12, *shape, dtype=dtype)
        if dtype.startswith("int"):
            return self.ints(9, *shape, lo=-8, dtype=dtype)
        return self.rand(*shape, dtype=dtype)


def array(a):
    """The array form of the parity files: floats in the shortest decimals that are exact for their dtype."""
    a = np.asarray(a)
    name = str(a.dtype)
    if a.dtype.kind in "OUS":
        text = [v.decode() if isinstance(v, bytes) else str(v) for v in a.ravel().tolist()]
        return {"dtype": "string", "shape": list(a.shape), "v": text}
    if a.dtype.kind == "f" or name == "bfloat16":
        special = lambda v: "nan" if np.isnan(v) else ("inf" if v > 0 else "-inf")
        wide = a.ravel().astype(np.float64) if name == "bfloat16" else a.ravel()
        return {"dtype": name, "shape": list(a.shape), "v": [float(str(v)) if np.isfinite(v) else special(v) for v in wide]}
    return {"dtype": name, "shape": list(a.shape), "v": a.ravel().tolist()}


def plain_json(value):
    """For json.dumps(default=): numbers and arrays of NumPy."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value)} is not JSON")


def tolerances(*dtypes):
    """The widest that any of the dtypes asks for."""
    widest = max((d for d in dtypes if d in TOLERANCES), key=list(TOLERANCES).index, default="float32")
    return {"tol": TOLERANCES[widest][0], "grad_tol": TOLERANCES[widest][1]}
