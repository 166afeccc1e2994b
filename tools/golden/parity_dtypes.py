"""Parity vectors for the integer dtypes, computed by Keras: tests/golden/dtypes.jsonl.gz.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install keras tensorflow-cpu
    /tmp/golden/bin/python tools/golden/parity_dtypes.py [OUT]   # default: tests/golden/dtypes.jsonl.gz

Promotion of every pair that holds int16, uint16, uint32 or uint64 by every kind of binary function, and every function of one
array that takes integers. A case that Keras itself refuses is left out, and so are two uint64 operands: Keras gives uint32, Glia
keeps uint64.
"""

import os
import sys

import golden
import numpy as np
import parity_more
from vectors import ints

NEW = ["int16", "uint16", "uint32", "uint64"]
ALL = ["int32", "int64", "uint8", "int8", "bool"] + NEW
BINARY = """add subtract multiply divide floor_divide mod maximum minimum equal less greater_equal bitwise_and bitwise_xor
left_shift right_shift matmul logaddexp hypot arctan2 gcd lcm outer not_equal power logical_and fmod""".split()
UNARY = """abs square sign negative sum prod mean max min any all argmax argmin cumsum cumprod sort argsort diff trace var std median
average bitwise_not relu count_nonzero diagonal flip isfinite ptp nan_to_num transpose ravel sqrt exp log1p floor ceil round trunc
tril triu logical_not isnan diag nansum nanmax real conj copy""".split()


def operand(seed, dtype, *shape, low=1, count=9):
    return (ints(count, *shape) + np.int32(low)).astype(dtype) if dtype != "bool" else ints(2, *shape).astype(bool)


def cases():
    for name in BINARY:
        for a in ALL:
            for b in ALL:
                if (a not in NEW and b not in NEW) or a == b == "uint64":
                    continue
                big = 4 if name in ("power", "left_shift", "right_shift") else 9
                yield name, f"{a}_{b}", [operand(1, a, 3, 4 if name != "matmul" else 3), operand(2, b, 1 if name != "matmul" else 3, 3 if name == "matmul" else 4, count=big)], {}
    for t in NEW:
        x = operand(3, t, 4, 4, count=50)
        for name in UNARY:
            if name == "prod" and t == "uint64":
                continue  # uint32 in Keras
            yield name, t, [operand(4, t, 2, 2, count=3) if name in ("prod", "cumprod") else x], {}
        for s in ALL[:5]:
            yield "cast", f"{s}_{t}", [operand(5, s, 5)], {"dtype": t}
        for s in ALL + ["float32", "float64", "bfloat16", "float16"]:
            yield "cast", f"{t}_{s}_back", [operand(6, t, 5)], {"dtype": s}
        yield "cast", f"float32_{t}", [np.array([0, 1.7, 100.2, 250.9, 3.5], np.float32)], {"dtype": t}
        for s in ALL:
            if s != t or t != "uint64":
                yield "where", f"{t}_{s}", [operand(7, "bool", 3, 4), operand(8, t, 3, 4), operand(9, s, 3, 4)], {}
                yield "concatenate", f"{t}_{s}", [[operand(8, t, 3, 4), operand(9, s, 3, 2)]], {"axis": 1}
        yield "stack", t, [[x, x]], {}
        yield "take", t, [x, np.array([1, 0, 3], np.int32)], {"axis": 1}
        yield "take", f"index_{t}", [np.arange(12, dtype=np.float32).reshape(4, 3), np.array([1, 0, 3], t)], {"axis": 0}
        yield "take_along_axis", t, [x, np.array([[1], [0], [3], [2]], np.int32)], {"axis": 1}
        yield "pad", t, [x, [[1, 0], [0, 2]]], {"constant_values": 3}
        yield "tile", t, [x, [2, 1]], {}
        yield "repeat", t, [x, 3], {"axis": 1}
        yield "roll", t, [x, 2], {"axis": 0}
        yield "clip", t, [x, 5, 30], {}
        yield "reshape", t, [x, [2, 8]], {}
        yield "broadcast_to", t, [x, [3, 4, 4]], {}
        yield "expand_dims", t, [x, 1], {}
        yield "swapaxes", t, [x, 0, 1], {}
        yield "top_k", t, [x], {"k": 2}
        yield "one_hot", t, [operand(10, t, 5, count=4), 6], {}
        yield "bincount", t, [operand(11, t, 9, count=4)], {}
        yield "full", t, [[2, 3], 7], {"dtype": t}
        yield "arange", t, [2, 11, 3], {"dtype": t}
        yield "eye", t, [3], {"dtype": t}
        yield "zeros_like", t, [x], {}
        yield "linspace", t, [2, 11, 4], {"dtype": t}
        yield "split", t, [x, 2], {"axis": 1}
        yield "sum", f"axis_{t}", [x], {"axis": 1, "keepdims": True}
        yield "segment_sum", t, [operand(12, t, 6, 2), np.array([0, 0, 1, 2, 2, 2], np.int32)], {"num_segments": 3}
        yield "segment_max", t, [operand(13, t, 6, 2), np.array([0, 0, 1, 2, 2, 2], np.int32)], {"num_segments": 3}
        yield "searchsorted", t, [np.array([1, 4, 9, 20], t), operand(14, t, 6, count=25)], {}
        yield "unravel_index", t, [operand(15, t, 5, count=10), [3, 4]], {}
        yield "saturate_cast", f"int32_{t}", [np.array([-5, 3, 70000, 2000000000], np.int32)], {"dtype": t}
        yield "saturate_cast", f"{t}_int8", [x * np.array(5, t)], {"dtype": "int8"}
        for n in (2, 2.5):
            if t != "uint64":  # uint32 in Keras
                for name in ("add", "multiply", "maximum", "subtract"):
                    yield name, f"{t}_number_{n}", [x, n], {}
    for a in ("uint8", "int8"):
        for name in ("sum", "prod", "cumsum", "trace", "nansum"):
            yield name, a, [operand(16, a, 3, 3, count=4)], {}
    for name in ("add", "subtract", "multiply", "floor_divide", "mod", "power", "maximum", "where_", "matmul"):
        if name != "where_":
            yield name, "uint8_int8", [operand(17, "uint8", 3, 3, count=4), operand(18, "int8", 3, 3, low=1, count=3)], {}
            yield name, "int8_int8", [operand(17, "int8", 3, 3, low=-1, count=4), operand(18, "int8", 3, 3, low=1, count=3)], {}
    yield "einsum", "int8_int8", ["ij,jk->ik", operand(17, "int8", 3, 3), operand(18, "int8", 3, 3)], {}
    yield "dot", "int8_int8", [operand(17, "int8", 3, 3, count=3), operand(18, "int8", 3, 3, count=3)], {}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    args = [a for a in sys.argv[1:] if a != "--quiet"]
    out = args[0] if args else os.path.join(here, "../../tests/golden/dtypes.jsonl.gz")
    report = (lambda text: None) if "--quiet" in sys.argv else (lambda text: print(text, file=sys.stderr))
    parity_more.CASES = [lambda: ((name, "dtypes_" + case, a, k) for name, case, a, k in cases())]
    golden.write_lines(out, list(parity_more.op_lines(report)))


if __name__ == "__main__":
    main()
