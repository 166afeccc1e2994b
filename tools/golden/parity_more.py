"""More parity vectors computed by Keras, for functions that the shared files cover thinly: tests/golden/more.jsonl.gz.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install keras tensorflow-cpu
    /tmp/golden/bin/python tools/golden/parity_more.py [OUT]   # default: tests/golden/more.jsonl.gz

Every unary function sees edge values and integers, every binary one broadcasting, numbers and mixed dtypes, every reduction
all kinds of axes. A case that Keras itself refuses is left out. To add a case, add a row.
"""

import os
import sys

import vectors  # sets up Keras on TensorFlow
from vectors import GRAD_TOL, TOL, as_call, as_json, flatten, header, ints, is_float, rand

import golden
import keras
import numpy as np
import tensorflow as tf
from golden import array
from keras import layers as L
from keras import ops

EDGES = np.array([0, -0.0, 1e-8, -1e-8, 0.5, -0.5, 1.5, 2.5, -2.5, 30, -30, 100, -100, np.inf, -np.inf, np.nan], np.float32)
NAN = np.array([[1, np.nan, 3], [4, 5, -6], [np.nan, np.nan, np.nan]], np.float32)

UNARY = """abs absolute negative square sign sin cos tan tanh arctan sinh cosh arcsinh arcsin arccos arctanh arccosh exp exp2
expm1 log log2 log10 log1p sqrt rsqrt reciprocal floor ceil round trunc deg2rad rad2deg sinc fabs erf erfc erfinv relu relu6
leaky_relu elu selu celu silu swish sigmoid softplus softsign hard_sigmoid hard_silu hard_swish hard_tanh hard_shrink
soft_shrink tanh_shrink log_sigmoid squareplus sparse_plus sparse_sigmoid gelu cbrt nan_to_num isnan isinf isfinite isneginf
isposinf signbit i0 copy conj conjugate real imag isreal angle logical_not nansum nanmean nanmax nanmin nanprod""".split()
INTEGER = """abs negative square sign sin tanh exp log sqrt rsqrt reciprocal floor ceil round trunc deg2rad sinc fabs cbrt
isnan isinf isfinite isneginf isposinf signbit i0 angle conj real imag log1p expm1 arctan exp2 nan_to_num mean var std sum max
min prod any all argmax argmin median cumsum cumprod sort argsort bitwise_not trace ptp average""".split()
BINARY = """add subtract multiply divide true_divide floor_divide mod fmod power maximum minimum fmax fmin arctan2 hypot
logaddexp logaddexp2 equal not_equal less less_equal greater greater_equal isclose heaviside divide_no_nan logical_and
logical_or logical_xor""".split()
REDUCE = """sum mean max min amax amin prod std var logsumexp nansum nanmean nanmax nanmin nanprod nanstd nanvar any all ptp
median nanmedian count_nonzero""".split()


def unary_cases():
    for name in UNARY:
        yield name, "edges", [EDGES], {}
        yield name, "wide", [rand(3, 4, lo=-3, hi=3)], {}
        yield name, "unit", [rand(6, lo=-0.99, hi=0.99)], {}
    for name in INTEGER:
        yield name, "int32", [ints(7, 2, 3) - np.int32(2)], {}
        yield name, "bool", [ints(2, 2, 3).astype(bool)], {}
    for name in ("exp", "tanh", "sum", "mean", "softmax", "relu", "gelu", "var", "cumsum"):
        yield name, "float64", [rand(3, 4).astype(np.float64)], {}
    for d in (0, 1, 2, -1):
        yield "round", f"decimals{d}", [np.array([1.25, -37.5, 0.049, 155.5], np.float32)], {"decimals": d}
        yield "round", f"int{d}", [np.array([15, -27, 4], np.int32)], {"decimals": d}


def binary_cases():
    a, b, i, j, t = rand(3, 4), rand(3, 4), ints(9, 3, 4) - np.int32(3), ints(5, 3, 4) + np.int32(1), ints(2, 3, 4).astype(bool)
    for name in BINARY:
        yield name, "same", [a, b], {}
        yield name, "broadcast", [rand(2, 1, 4), rand(3, 1)], {}
        yield name, "scalar", [a, 2.0], {}
        yield name, "scalar_int", [a, 3], {}
        yield name, "number_first", [2.0, np.abs(b) + np.float32(0.2)], {}
        yield name, "int_int", [i, j], {}
        yield name, "int_scalar", [i, 2], {}
        yield name, "int_float_scalar", [i, 1.5], {}
        yield name, "int_float", [j, np.abs(b)], {}
        yield name, "bool_int", [t, j], {}
        yield name, "bool_bool", [t, ~t], {}
        yield name, "bool_float", [t, b], {}
        yield name, "uint8_int8", [np.array([3, 250], np.uint8), np.array([5, 2], np.int8)], {}
        yield name, "uint8_int32", [np.array([3, 250], np.uint8), np.array([-5, 2], np.int32)], {}
        yield name, "int8_int8", [np.array([3, -7], np.int8), np.array([5, 2], np.int8)], {}
        yield name, "int32_int64", [np.array([3, -7], np.int32), np.array([5, 2], np.int64)], {}
        yield name, "int64_float", [np.array([3, 7], np.int64), np.array([0.5, 2], np.float32)], {}
        yield name, "edges", [np.array([1, -1, 0, np.inf, np.nan, 5], np.float32), np.array([0, 0, 0, 2, 1, np.inf], np.float32)], {}
        yield name, "negative", [np.array([5, -5, 5, -5, 0], np.float32), np.array([3, 3, -3, -3, 3], np.float32)], {}
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm"):
        yield name, "int", [ints(30, 5), ints(4, 5)], {}
        yield name, "broadcast", [ints(30, 2, 1), ints(4, 3)], {}
        yield name, "scalar", [ints(30, 5), 3], {}
    yield "gcd", "negative", [np.array([12, -18, 0, 7], np.int32), np.array([-8, 27, 5, 0], np.int32)], {}
    yield "lcm", "negative", [np.array([4, -6, 0, 7], np.int32), np.array([6, 4, 5, 0], np.int32)], {}
    yield "isclose", "nan", [EDGES, EDGES], {"equal_nan": True}
    yield "isclose", "tolerances", [a, a + np.float32(0.01)], {"rtol": 0.01, "atol": 0.001}
    yield "allclose", "no", [a, b], {}
    yield "allclose", "nan", [NAN, NAN], {"equal_nan": True}
    yield "nextafter", "broadcast", [rand(2, 1), rand(3)], {}
    yield "ldexp", "int", [ints(5, 3), ints(3, 3)], {}
    yield "where", "numbers", [t, 1.0, 2.0], {}
    yield "where", "int_float", [t, i, b], {}
    yield "select", "three", [[t, ~t], [a, b]], {}
    yield "clip", "wide", [a, -0.3, 0.3], {}
    yield "clip", "arrays", [a, rand(4, lo=-1, hi=0), rand(4, lo=0.1, hi=1)], {}


def reduce_cases():
    x = rand(2, 3, 4)
    for name in REDUCE:
        yield name, "all", [x], {}
        yield name, "axis1", [x], {"axis": 1}
        yield name, "last_keep", [x], {"axis": -1, "keepdims": True}
        yield name, "axes", [x], {"axis": [0, 2]}
        yield name, "all_keep", [x], {"keepdims": True}
        yield name, "nan", [NAN], {"axis": 1}
        yield name, "ties", [np.array([[1, 2, 2], [0, 0, 3]], np.float32)], {"axis": 1}
        yield name, "one", [rand(4, 1)], {"axis": 1}
    for name in ("argmax", "argmin", "nanargmax", "nanargmin"):
        for case, kw in [("flat", {}), ("axis0", {"axis": 0}), ("last_keep", {"axis": -1, "keepdims": True}), ("flat_keep", {"keepdims": True})]:
            yield name, case, [x], kw
            yield name, "nan_" + case, [NAN], kw
    for name in ("max", "min"):
        yield name, "initial", [x], {"axis": 1, "initial": 0.5}
    for name in ("sum", "prod", "max", "min", "mean", "cumsum"):
        for dt in (np.uint8, np.int8, np.int64):
            yield name, np.dtype(dt).name, [np.array([[3, 5], [2, 1]], dt)], {"axis": 0}
    yield "prod", "dtype", [ints(4, 3)], {"dtype": "float32"}
    for name in ("cumsum", "cumprod", "nancumsum", "nancumprod"):
        yield name, "axis0", [x], {"axis": 0}
        yield name, "last", [x], {"axis": -1}
        yield name, "flat_nan", [NAN], {}
        yield name, "zero", [np.array([[2, 0, 3], [0, 4, 0]], np.float32)], {"axis": 1}
        yield name, "dtype", [ints(4, 3)], {"dtype": "float32"}
    for m in ("linear", "lower", "higher", "midpoint", "nearest"):
        for name in ("quantile", "nanquantile"):
            yield name, m, [rand(3, 7), np.array([0.1, 0.5, 0.83], np.float32)], {"axis": 1, "method": m}
            yield name, m + "_one", [rand(3, 6), 0.37], {"axis": 0, "method": m}
            yield name, m + "_nan", [NAN, 0.4], {"axis": 1, "method": m}
    for name, q in (("quantile", 0.6), ("percentile", 35.0), ("nanpercentile", 35.0), ("nanquantile", 0.6)):
        yield name, "flat", [x, q], {}
        yield name, "keep", [x, q], {"axis": 1, "keepdims": True}
        yield name, "axes", [x, q], {"axis": [0, 2]}
        yield name, "two_keep", [x, np.array([q, q / 2], np.float32)], {"axis": 2, "keepdims": True}
        yield name, "two_flat_keep", [x, np.array([q, q / 2], np.float32)], {"keepdims": True}
    yield "average", "axis", [x], {"axis": 1}
    yield "average", "weights_flat", [rand(3, 4)], {"weights": rand(3, 4, lo=0.1, hi=1)}
    yield "average", "weights_axis", [x], {"axis": 2, "weights": rand(4, lo=0.1, hi=1)}
    yield "moments", "keep", [x, [0, 2]], {"keepdims": True}
    for k in (0, 1, -1):
        yield "trace", f"k{k}", [rand(3, 4)], {"offset": k}
        yield "diagonal", f"k{k}", [rand(3, 4)], {"offset": k}
        yield "diag", f"k{k}", [rand(3)], {"k": k}
        yield "diag", f"matrix{k}", [rand(3, 4)], {"k": k}
        yield "diagflat", f"k{k}", [rand(2, 2)], {"k": k}
        yield "tril", f"k{k}", [rand(2, 3, 4)], {"k": k}
        yield "triu", f"k{k}", [rand(2, 3, 4)], {"k": k}
        yield "tri", f"k{k}", [3, 4], {"k": k}
        yield "eye", f"k{k}", [3, 4], {"k": k}
    yield "trace", "axes", [x], {"axis1": 1, "axis2": 2}
    yield "diagonal", "axes", [x], {"axis1": 0, "axis2": 2}
    for o in (1, -1, 2, -2, 0, 3, "inf", "-inf"):
        yield "norm", f"vector{o}", [rand(3, 4)], {"ord": o, "axis": 1}
        yield "norm", f"keep{o}", [rand(3, 4)], {"ord": o, "axis": 0, "keepdims": True}
        yield "norm", f"matrix{o}", [rand(3, 4)], {"ord": o}
        yield "norm", f"batch{o}", [x], {"ord": o, "axis": [1, 2], "keepdims": True}
    yield "norm", "nuc", [x], {"ord": "nuc", "axis": [-2, -1]}
    yield "norm", "fro", [x], {"ord": "fro", "axis": [0, 2]}
    yield "norm", "all3", [x], {}
    for o in (1, 2, 3):
        yield "normalize", f"order{o}", [x], {"axis": 1, "order": o}


def shape_cases():
    x, m = rand(2, 3, 4), rand(3, 4)
    for k in (-1, 0, 1, 2, 3, 5):
        yield "rot90", f"k{k}", [rand(3, 3)], {"k": k}
        yield "rot90", f"wide{k}", [m], {"k": k}
        yield "rot90", f"axes{k}", [x], {"k": k, "axes": [1, 2]}
    for name, a in (("hsplit", m), ("vsplit", rand(4, 3)), ("dsplit", x), ("split", rand(4, 3))):
        yield name, "two", [a, 2], {}
        yield name, "at", [a, [1, 2]], {}
    yield "hsplit", "vector", [rand(4), 2], {}
    yield "split", "axis", [x, [1, 3]], {"axis": 2}
    yield "array_split", "axis", [rand(2, 7), 4], {"axis": 1}
    for name in ("hstack", "vstack", "dstack"):
        yield name, "vectors", [[rand(3), rand(3)]], {}
        yield name, "matrices", [[rand(2, 3), rand(2, 3)]], {}
        yield name, "cubes", [[rand(2, 3, 2), rand(2, 3, 2)]], {}
        yield name, "mixed", [[rand(2, 3), ints(5, 2, 3)]], {}
    yield "concatenate", "default", [[rand(2, 3), rand(1, 3)]], {}
    yield "concatenate", "last", [[rand(2, 3), rand(2, 1)]], {"axis": -1}
    yield "concatenate", "mixed", [[rand(2, 3), ints(4, 2, 3)]], {}
    yield "stack", "last", [[m, rand(3, 4)]], {"axis": -1}
    yield "stack", "mixed", [[m, ints(4, 3, 4)]], {}
    yield "append", "axis", [rand(2, 3), rand(1, 3)], {"axis": 0}
    yield "moveaxis", "two", [x, [0, 2], [-1, 0]], {}
    yield "moveaxis", "one", [x, 2, 0], {}
    yield "expand_dims", "two", [m, [0, 3]], {}
    yield "squeeze", "axis", [rand(1, 3, 1)], {"axis": 2}
    yield "squeeze", "axes", [rand(1, 3, 1)], {"axis": [0, 2]}
    yield "repeat", "axis", [m, 2], {"axis": 0}
    yield "repeat", "list", [m, [1, 0, 2]], {"axis": 0}
    yield "tile", "one", [m, 2], {}
    yield "tile", "vector", [rand(3), [2, 2]], {}
    yield "flip", "axes", [x], {"axis": [0, 2]}
    yield "roll", "negative", [m, -1], {"axis": 0}
    yield "roll", "axes", [x, [1, -2]], {"axis": [0, 2]}
    for mode in ("constant", "reflect", "symmetric"):
        yield "pad", mode, [m, [[1, 2], [2, 0]]], {"mode": mode}
    yield "pad", "value", [m, [[1, 2], [2, 0]]], {"constant_values": 1.5}
    yield "pad", "number", [m, 1], {}
    yield "take", "axis1", [x, ints(3, 2, 2)], {"axis": 1}
    yield "take", "negative", [m, np.array([-1, 0, -3], np.int32)], {"axis": 0}
    yield "take", "scalar", [m, 2], {"axis": 1}
    yield "take_along_axis", "flat", [m, ints(12, 5)], {}
    yield "take_along_axis", "broadcast", [m, ints(4, 1, 2)], {"axis": 1}
    yield "slice", "all", [x, [0, 1, 2], [2, 2, 2]], {}
    yield "slice_update", "corner", [x, [0, 1, 2], rand(2, 2, 2)], {}
    for r in (None, "add", "max", "min", "mul"):
        kw = {} if r is None else {"reduction": r}
        yield "scatter_update", f"rows_{r}", [rand(4, 2), np.array([[1], [3]], np.int32), rand(2, 2)], kw
        yield "scatter_update", f"points_{r}", [m, np.array([[0, 1], [2, 3], [1, 1]], np.int32), rand(3)], kw
    yield "scatter", "points", [np.array([[0, 1], [2, 3], [0, 1]], np.int32), rand(3), [3, 4]], {}
    for name in ("segment_sum", "segment_max", "segment_min", "segment_prod"):
        ids = np.array([0, 0, 2, 1, 2], np.int32)
        yield name, "plain", [rand(5, 2), ids], {"num_segments": 4}
        yield name, "open", [rand(5, 2), ids], {}
        yield name, "vector", [rand(5), ids], {"num_segments": 3}
        yield name, "sorted", [rand(5, 2), np.array([0, 0, 1, 3, 3], np.int32)], {"sorted": True}
        yield name, "int", [ints(9, 5), ids], {"num_segments": 3}
        yield name, "ties", [np.array([1, 1, 0, 2, 0], np.float32), ids], {"num_segments": 3}
        yield name, "negative", [rand(4), np.array([0, -1, 1, 0], np.int32)], {"num_segments": 2}
    yield "meshgrid", "ij", [rand(3), rand(2)], {"indexing": "ij"}
    yield "meshgrid", "three", [rand(3), rand(2), rand(2)], {}
    yield "vander", "increasing", [rand(4)], {"increasing": True}
    yield "vander", "int", [ints(4, 3)], {"N": 4}
    yield "unravel_index", "cube", [ints(24, 5), [2, 3, 4]], {}
    yield "unravel_index", "matrix", [ints(12, 2, 2), [3, 4]], {}
    yield "get_item", "negative", [m, -1], {}
    yield "saturate_cast", "int8", [np.array([-200, 3.7, 300, -3.2], np.float32)], {"dtype": "int8"}
    yield "saturate_cast", "int32", [np.array([-3e10, 3.7, 4e12], np.float32)], {"dtype": "int32"}
    yield "saturate_cast", "ints", [np.array([-5, 300, 7], np.int32)], {"dtype": "uint8"}
    for p, kw in (("a b c -> c b a", {}), ("a b c -> a (b c)", {}), ("a b (c d) -> (a c) d b", {"d": 2}), ("(a e) b c -> e a b c", {"a": 2})):
        yield "rearrange", p.replace(" ", ""), [x, p], kw
    yield "linspace", "axis", [rand(2), rand(2)], {"num": 4, "axis": 1}
    yield "linspace", "open", [rand(2), rand(2)], {"num": 4, "endpoint": False}
    yield "linspace", "int", [0, 10], {"num": 4, "dtype": "int32"}
    yield "linspace", "step", [0.0, 1.0], {"num": 5, "retstep": True}
    yield "linspace", "one", [1.0, 4.0], {"num": 1}
    yield "logspace", "base", [0.0, 3.0], {"num": 4, "base": 2}
    yield "logspace", "open", [0.0, 3.0], {"num": 4, "endpoint": False}
    yield "logspace", "arrays", [rand(2), rand(2)], {"num": 3}
    yield "geomspace", "open", [1.0, 27.0], {"num": 3, "endpoint": False}
    yield "geomspace", "negative", [-1.0, -16.0], {"num": 5}
    yield "geomspace", "arrays", [np.array([1, 2], np.float32), np.array([8, 32], np.float32)], {"num": 3}
    yield "arange", "float", [0.5, 3.0, 0.5], {}
    yield "arange", "down", [5, 0, -2], {}
    yield "arange", "dtype", [4], {"dtype": "float32"}
    for name in ("bartlett", "blackman", "hamming", "hanning"):
        for n in (1, 2, 8):
            yield name, str(n), [n], {}
    for n in (1, 5, 8):
        yield "kaiser", str(n), [n, 4.0], {}
    yield "full", "array", [[2, 3], rand(3)], {}
    yield "full_like", "dtype", [m, 2], {"dtype": "int32"}
    yield "zeros_like", "dtype", [m], {"dtype": "int32"}
    yield "ones_like", "dtype", [ints(3, 2)], {"dtype": "float32"}
    yield "identity", "dtype", [3], {"dtype": "int32"}
    yield "broadcast_to", "more", [rand(1, 3), [2, 4, 3]], {}
    yield "cast", "bool", [rand(3), "bool"], {}
    yield "cast", "float", [ints(4, 3), "float32"], {}
    yield "array", "dtype", [m], {"dtype": "int32"}
    yield "convert_to_tensor", "dtype", [ints(4, 3)], {"dtype": "float32"}


def product_cases():
    yield "kron", "ranks", [rand(2), rand(2, 3)], {}
    yield "cross", "two", [rand(4, 2), rand(4, 2)], {}
    yield "cross", "mixed", [rand(4, 2), rand(4, 3)], {}
    yield "cross", "axis", [rand(3, 4), rand(3, 4)], {"axis": 0}
    for mode in ("valid", "same", "full"):
        yield "correlate", mode, [rand(6), rand(3)], {"mode": mode}
        yield "correlate", mode + "_even", [rand(5), rand(4)], {"mode": mode}
        yield "correlate", mode + "_int", [ints(5, 6), ints(5, 3)], {"mode": mode}
    yield "corrcoef", "more", [rand(2, 5)], {}
    yield "cdist", "batch", [rand(2, 3, 4), rand(2, 5, 4)], {}
    yield "dot", "scalar", [2.0, rand(3)], {}
    yield "dot", "mv", [rand(3, 4), rand(4)], {}
    yield "matmul", "vm", [rand(3), rand(3, 4)], {}
    yield "matmul", "vv", [rand(3), rand(3)], {}
    yield "matmul", "int", [ints(5, 2, 3), ints(5, 3, 2)], {}
    yield "matmul", "int_float", [ints(5, 2, 3), rand(3, 2)], {}
    yield "tensordot", "default", [rand(2, 3, 4), rand(3, 4, 2)], {}
    yield "tensordot", "zero", [rand(2), rand(3)], {"axes": 0}
    yield "outer", "matrix", [rand(2, 2), rand(3)], {}
    yield "inner", "vectors", [rand(3), rand(3)], {}
    yield "vdot", "vectors", [rand(3), rand(3)], {}
    for eq, shapes in (("ij->j", [(2, 3)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]), ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]), ("i,j->ij", [(2,), (3,)]),
                       ("ijk->kji", [(2, 3, 4)]), ("...i,i->...", [(2, 3, 4), (4,)]), ("ii", [(3, 3)]), ("abc,cd->abd", [(2, 3, 4), (4, 2)])):
        yield "einsum", eq, [eq, *[rand(*s) for s in shapes]], {}
    yield "diff", "two", [rand(3, 5)], {"n": 2}
    yield "diff", "axis0", [rand(3, 5)], {"axis": 0}
    yield "trapezoid", "x", [rand(3, 5), rand(3, 5)], {}
    yield "trapezoid", "vector", [rand(5), rand(5)], {}
    yield "trapezoid", "dx", [rand(3, 5)], {"dx": 0.5, "axis": 0}


def order_cases():
    for name in ("sort", "argsort"):
        for case, kw in (("axis0", {"axis": 0}), ("flat", {"axis": None}), ("last", {})):
            yield name, case, [rand(3, 4)], kw
        yield name, "int", [ints(20, 6)], {}
        yield name, "edges", [np.array([3, -1, np.inf, 0, -np.inf], np.float32)], {}
    yield "top_k", "vector", [rand(6), 3], {}
    yield "in_top_k", "ties", [np.array([1, 0, 3], np.int32), np.array([[1, 1, 0, 0], [0, 2, 2, 1], [0, 0, 0, 0]], np.float32), 1], {}
    for side in ("left", "right"):
        yield "searchsorted", side, [np.array([1, 2, 2, 4], np.float32), np.array([2, 0, 5, 4, 3], np.float32)], {"side": side}
        yield "searchsorted", side + "_int", [np.array([1, 2, 2, 4], np.int32), np.array([[2, 0], [5, 4]], np.int32)], {"side": side}
    yield "digitize", "int", [ints(9, 5), np.array([1, 4, 7], np.int32)], {}
    yield "digitize", "edges", [np.array([0, 1, 1.5, 3, 9], np.float32), np.array([1, 1.5, 3], np.float32)], {}
    yield "bincount", "weights", [ints(4, 6)], {"weights": rand(6)}
    yield "bincount", "minlength", [ints(4, 6)], {"minlength": 7}
    yield "bincount", "rows", [ints(4, 2, 5)], {"minlength": 4}
    yield "nonzero", "float", [np.array([[0, 1.5], [2, 0], [0, 0]], np.float32)], {}
    yield "nonzero", "bool", [ints(2, 3, 2).astype(bool)], {}
    u = np.array([3, 1, 3, 2, 1], np.int32)
    for case, kw in (("all", {"return_index": True, "return_inverse": True, "return_counts": True}), ("unsorted", {"sorted": False}),
                     ("size", {"size": 5, "fill_value": 9}), ("cut", {"size": 2})):
        yield "unique", case, [u], kw
    yield "unique", "rows", [np.array([[1, 2], [0, 1], [1, 2]], np.int32)], {"axis": 0, "return_counts": True}
    yield "unique", "matrix", [ints(4, 2, 3)], {"return_inverse": True}
    yield "isin", "float", [rand(2, 3), rand(4)], {}
    yield "isin", "invert", [ints(5, 6), ints(5, 2)], {"invert": True}
    yield "histogram", "plain", [rand(20)], {}
    yield "histogram", "matrix", [rand(4, 5)], {"bins": 3}
    yield "histogram", "range", [rand(30)], {"bins": 5, "range": [-1.0, 1.0]}
    for axis in (0, 1, -1):
        yield "one_hot", f"axis{axis}", [ints(4, 2, 3), 4], {"axis": axis}
    yield "one_hot", "outside", [np.array([-1, 2, 7], np.int32), 4], {}
    yield "one_hot", "dtype", [ints(3, 4), 3], {"dtype": "int32"}
    yield "one_hot", "bool", [ints(3, 4), 3], {"dtype": "bool"}
    yield "multi_hot", "vector", [ints(5, 3), 5], {}
    yield "multi_hot", "int", [ints(5, 2, 3), 5], {"dtype": "int32"}


def symmetric(n, positive=False):
    a = rand(n, n)
    return (a @ a.T + n * np.eye(n, dtype=np.float32)).astype(np.float32) if positive else ((a + a.T) / 2).astype(np.float32)


def linalg_cases():
    for n in (2, 3, 4):
        p, g = symmetric(n, True), (rand(n, n) + 3 * np.eye(n, dtype=np.float32)).astype(np.float32)
        for up in (False, True):
            yield "cholesky", f"{n}{up}", [p], {"upper": up}
            yield "cholesky_inverse", f"{n}{up}", [np.linalg.cholesky(p).T.copy() if up else np.linalg.cholesky(p)], {"upper": up}
            yield "solve_triangular", f"{n}{up}", [np.tril(g) if up else np.triu(g), rand(n, 2)], {"lower": up}
        yield "solve_triangular", f"vector{n}", [np.triu(g), rand(n)], {}
        for name in ("det", "inv", "slogdet", "lu_factor"):
            yield name, str(n), [g], {}
        yield "det", f"negative{n}", [-symmetric(n)], {}
        yield "logdet", str(n), [p], {}
        yield "solve", f"vector{n}", [g, rand(n)], {}
        yield "eigh", str(n), [symmetric(n)], {}
        yield "eigh", f"positive{n}", [p], {}
    batch = np.stack([symmetric(3, True), symmetric(3, True)])
    for name in ("cholesky", "det", "inv", "slogdet", "logdet", "eigh", "qr", "pinv", "matrix_rank", "lu_factor"):
        yield name, "batch", [batch], {}
    yield "solve", "batch", [batch, rand(2, 3, 2)], {}
    for m, n in ((4, 2), (2, 4), (3, 3)):
        for mode in ("reduced", "complete"):
            yield "qr", f"{m}{n}{mode}", [rand(m, n)], {"mode": mode}
        yield "svd", f"{m}{n}values", [rand(m, n)], {"compute_uv": False}
        yield "pinv", f"{m}{n}", [rand(m, n)], {}
        yield "lstsq", f"{m}{n}", [rand(m, n), rand(m, 2)], {}
        yield "matrix_rank", f"{m}{n}", [rand(m, n)], {}
    yield "matrix_rank", "low", [np.outer(rand(3), rand(4))], {}
    yield "pinv", "rcond", [rand(3, 2)], {"rcond": 0.3}


def signal_cases():
    for n in (1, 5, 7, 8, 12):
        pair = [rand(2, n), rand(2, n)]
        yield "fft", str(n), [pair], {}
        yield "rfft", str(n), [rand(2, n)], {}
        yield "rfft", f"cut{n}", [rand(2, n)], {"fft_length": 6}
    for n in (3, 5):
        for k in (None, 4, 5, 9):
            yield "irfft", f"{n}_{k}", [[rand(2, n), rand(2, n)]], {} if k is None else {"fft_length": k}
    yield "fft2", "batch", [[rand(2, 3, 5), rand(2, 3, 5)]], {}
    yield "ifft2", "batch", [[rand(2, 3, 5), rand(2, 3, 5)]], {}
    for length, stride, size in ((8, 4, 8), (6, 3, 8), (5, 2, 9), (7, 7, 7)):
        for w in ("hann", "hamming", None):
            for center in (True, False):
                case = f"{length}_{stride}_{size}_{w}_{center}"
                kw = {"window": w, "center": center}
                yield "stft", case, [rand(2, 30), length, stride, size], kw
                yield "istft", case, [[rand(2, 6, size // 2 + 1), rand(2, 6, size // 2 + 1)], length, stride, size], kw
    yield "istft", "length", [[rand(1, 6, 5), rand(1, 6, 5)], 8, 4, 8], {"length": 20}
    yield "extract_sequences", "batch", [rand(2, 3, 11), 4, 3], {}


def nn_cases():
    x = rand(2, 3, 4)
    for axis in (-1, 1, [1, 2]):
        shape = tuple(x.shape[a] for a in (axis if isinstance(axis, list) else [axis]))
        yield "layer_normalization", f"axis{axis}", [x, rand(*shape), rand(*shape)], {"axis": axis}
        yield "rms_normalization", f"axis{axis}", [x], {"axis": axis, "epsilon": 1e-3}
    for name in ("softmax", "log_softmax"):
        for axis in (None, 0, 1, -1):
            yield name, f"axis{axis}", [x], {"axis": axis}
        yield name, "edges", [np.array([[0, 1000, -1000], [-np.inf, 0, 1]], np.float32)], {}
    yield "sparsemax", "axis0", [rand(4, 3)], {"axis": 0}
    yield "glu", "axis0", [rand(4, 3)], {"axis": 0}
    yield "squareplus", "b", [rand(5)], {"b": 2.0}
    yield "leaky_relu", "slope", [rand(5)], {"negative_slope": 0.1}
    yield "elu", "alpha", [rand(5)], {"alpha": 0.7}
    yield "soft_shrink", "threshold", [rand(6)], {"threshold": 0.9}
    yield "logsumexp", "inf", [np.array([[-np.inf, -np.inf], [np.inf, 1]], np.float32)], {"axis": 1}
    for logits in (False, True):
        yield "binary_crossentropy", f"{logits}", [np.round(golden.uniform((3, 2), 5, 0, 1), 1).astype(np.float32), rand(3, 2) if logits else np.abs(rand(3, 2, lo=0.05, hi=0.95))], {"from_logits": logits}
        yield "categorical_crossentropy", f"{logits}", [vectors.probabilities(3, 4), rand(3, 4) if logits else vectors.probabilities(3, 4)], {"from_logits": logits}
        yield "categorical_crossentropy", f"axis{logits}", [vectors.probabilities(4, 3).T.copy(), rand(3, 4) if logits else vectors.probabilities(4, 3).T.copy()], {"from_logits": logits, "axis": 0}
        yield "sparse_categorical_crossentropy", f"{logits}", [ints(4, 2, 3), rand(2, 3, 4) if logits else vectors.probabilities(2, 3, 4)], {"from_logits": logits}
    q, k, v = rand(2, 4, 2, 3), rand(2, 5, 2, 3), rand(2, 5, 2, 3)
    yield "dot_product_attention", "causal", [q, rand(2, 4, 2, 3), rand(2, 4, 2, 3)], {"is_causal": True}
    yield "dot_product_attention", "mask", [q, k, v], {"mask": ints(2, 2, 1, 4, 5).astype(bool) | (np.arange(5) == 0)}
    yield "dot_product_attention", "grouped", [rand(1, 3, 4, 2), rand(1, 3, 2, 2), rand(1, 3, 2, 2)], {}
    yield "ctc_loss", "blank", [ints(3, 2, 3) + np.int32(1), rand(2, 8, 5), np.array([2, 3], np.int32), np.array([8, 6], np.int32)], {}
    yield "ctc_loss", "last", [ints(4, 2, 3), rand(2, 8, 5), np.array([1, 3], np.int32), np.array([8, 7], np.int32)], {"mask_index": 4}
    for m in (True, False):
        yield "ctc_decode", f"greedy{m}", [rand(2, 7, 4), np.array([7, 5], np.int32)], {"merge_repeated": m}
    yield "ctc_decode", "mask", [rand(2, 7, 4), np.array([7, 5], np.int32)], {"mask_index": 3}
    yield "ctc_decode", "beam", [rand(2, 6, 4), np.array([6, 4], np.int32)], {"strategy": "beam_search", "beam_width": 20, "top_paths": 2}
    yield "ctc_decode", "beam_mask", [rand(2, 6, 4), np.array([6, 4], np.int32)], {"strategy": "beam_search", "beam_width": 30, "mask_index": 2}
    yield "psnr", "same", [x, x + np.float32(0.5)], {"max_val": 2.0}
    for f in ("channels_last", "channels_first"):
        yield "depth_to_space", f, [rand(1, 2, 3, 8) if f[9] == "l" else rand(1, 8, 2, 3), 2], {"data_format": f}
        yield "space_to_depth", f, [rand(1, 4, 6, 2) if f[9] == "l" else rand(1, 2, 4, 6), 2], {"data_format": f}
    for kw in ({}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": [2, 1], "padding": [1, 0]}):
        yield "unfold", str(kw), [rand(2, 2, 6, 5), 2], kw
        n = ops.unfold(tf.zeros((1, 2, 6, 5)), 2, **{a: tuple(b) if isinstance(b, list) else b for a, b in kw.items()}).shape[2]
        yield "fold", str(kw), [rand(2, 8, n), [6, 5], 2], kw
    for f in ("channels_last",):
        for pad in ("valid", "same"):
            yield "average_pool", pad, [rand(1, 7, 5, 2), 3], {"strides": 2, "padding": pad}
            yield "max_pool", "3d" + pad, [rand(1, 5, 5, 4, 2), 3], {"strides": 2, "padding": pad}
            yield "conv", "3d" + pad, [rand(1, 5, 4, 4, 2), rand(2, 3, 2, 2, 3)], {"padding": pad}
            yield "conv_transpose", "2d" + pad, [rand(1, 4, 3, 2), rand(3, 3, 4, 2), 2], {"padding": pad}
            yield "conv_transpose", "1d" + pad, [rand(1, 5, 2), rand(3, 4, 2), 2], {"padding": pad}
            yield "depthwise_conv", pad, [rand(1, 6, 5, 2), rand(3, 3, 2, 2)], {"strides": 2, "padding": pad}
            yield "separable_conv", pad, [rand(1, 6, 5, 2), rand(3, 3, 2, 2), rand(1, 1, 4, 3)], {"padding": pad}
    for size in ([2, 3], [3, 2]):  # 1 reads foreign memory in Keras 3.15
        yield "adaptive_average_pool", str(size), [rand(2, 7, 5, 2), size], {}
        yield "adaptive_max_pool", str(size), [rand(2, 7, 5, 2), size], {}
    yield "batch_normalization", "axis1", [rand(2, 3, 4), rand(3), np.abs(rand(3)) + np.float32(0.1), 1], {}


def image_cases():
    x = np.abs(rand(2, 5, 6, 3)) / np.float32(2)
    first = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    for i in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"):
        for size in ([7, 4], [3, 9], [5, 6]):
            yield "image.resize", f"{i}{size}", [x, size], {"interpolation": i}
        if i != "area":
            yield "image.resize", f"{i}anti", [x, [3, 4]], {"interpolation": i, "antialias": True}
    yield "image.resize", "crop", [x, [4, 4]], {"crop_to_aspect_ratio": True}
    yield "image.resize", "pad", [x, [4, 4]], {"pad_to_aspect_ratio": True, "fill_value": 0.3}
    yield "image.resize", "first", [first, [4, 8]], {"data_format": "channels_first"}
    yield "image.resize", "single", [x[0], [4, 8]], {}
    for name in ("rgb_to_grayscale", "rgb_to_hsv", "hsv_to_rgb", "sobel_edges"):
        yield "image." + name, "batch", [x], {}
        yield "image." + name, "first", [first], {"data_format": "channels_first"}
        yield "image." + name, "single", [x[0]], {}
    yield "image.rgb_to_grayscale", "one", [x[..., :1]], {}
    yield "image.rgb_to_hsv", "grey", [np.array([[[[0.5, 0.5, 0.5], [0, 0, 0], [1, 0.2, 0.2], [0.2, 1, 0.2], [0.2, 0.2, 1], [0.7, 0.7, 0.1]]]], np.float32)], {}
    for size, kw in ((2, {}), ([2, 3], {"strides": 1}), (3, {"padding": "same"}), (2, {"dilation_rate": 2, "strides": 1}), ([3, 2], {"strides": [2, 1], "padding": "same"})):
        yield "image.extract_patches", f"{size}{kw}", [x, size], kw
    yield "image.extract_patches", "first", [first, 2], {"data_format": "channels_first"}
    yield "image.extract_patches_3d", "plain", [rand(1, 4, 4, 4, 2), 2], {}
    yield "image.extract_patches_3d", "strides", [rand(1, 4, 5, 4, 1), [2, 3, 2]], {"strides": 1, "padding": "same"}
    yield "image.pad_images", "sides", [x, 1, 2, 0, 3], {}
    yield "image.pad_images", "target", [x], {"bottom_padding": 1, "right_padding": 1, "target_height": 8, "target_width": 9}
    yield "image.crop_images", "sides", [x, 1, 2, 1, 0], {}
    yield "image.crop_images", "single", [x[0], 1, 1], {"target_height": 3, "target_width": 4}
    turn = np.array([[0.8, -0.5, 1.2, 0.5, 0.8, -0.7, 0.01, -0.02], [1, 0.1, -0.4, 0, 1.2, 0.3, 0, 0]], np.float32)
    for mode in ("constant", "nearest", "wrap", "reflect"):
        for i in ("bilinear", "nearest"):
            yield "image.affine_transform", f"{mode}{i}", [x, turn], {"fill_mode": mode, "interpolation": i}
            yield "image.affine_transform", f"single{mode}{i}", [x[0], turn[1]], {"fill_mode": mode, "interpolation": i, "fill_value": 0.4}
    yield "image.affine_transform", "first", [first, turn], {"data_format": "channels_first"}
    start = np.array([[[0, 0], [5, 0], [0, 4], [5, 4]]] * 2, np.float32)
    end = (start + rand(2, 4, 2, lo=-0.8, hi=0.8)).astype(np.float32)
    for i in ("bilinear", "nearest"):
        yield "image.perspective_transform", i, [x, start, end], {"interpolation": i}
    yield "image.perspective_transform", "single", [x[0], start[0], end[0]], {"fill_value": 0.2}
    for order in (0, 1):
        for mode in ("constant", "nearest", "wrap", "mirror", "reflect"):
            yield "image.map_coordinates", f"{order}{mode}", [rand(5, 6), rand(2, 7, lo=-3.4, hi=7.2), order], {"fill_mode": mode}
        yield "image.map_coordinates", f"grid{order}", [rand(4, 5), rand(2, 3, 2, lo=0, hi=3.4), order], {}
        yield "image.map_coordinates", f"cube{order}", [rand(3, 4, 2), rand(3, 5, lo=0, hi=1.9), order], {"fill_value": 0.5}
    for size, sigma in (([3, 3], [1.0, 1.0]), ([5, 3], [0.7, 1.4]), ([3, 5], [2.0, 0.5])):
        yield "image.gaussian_blur", f"{size}", [x], {"kernel_size": size, "sigma": sigma}
    yield "image.gaussian_blur", "default", [x[0]], {}
    for m in ("linear", "cubic", "lanczos3", "lanczos5", "bilinear", "bicubic"):
        for anti in (True, False):
            yield "image.scale_and_translate", f"{m}{anti}", [x, [2, 4, 7, 3], np.array([0.8, 1.3], np.float32), np.array([0.2, -0.4], np.float32), [1, 2], m], {"antialias": anti}
    yield "image.ssim", "plain", [np.abs(rand(2, 12, 13, 2)) / 2, np.abs(rand(2, 12, 13, 2)) / 2], {}
    yield "image.ssim", "small", [x, x[::-1].copy()], {"filter_size": 3, "max_val": 2.0}


CASES = (unary_cases, binary_cases, reduce_cases, shape_cases, product_cases, order_cases, linalg_cases, signal_cases, nn_cases, image_cases)


def special(value):
    """As in the shared files: "inf" and "-inf" for floats."""
    return {"inf": np.inf, "-inf": -np.inf}.get(value, value) if isinstance(value, str) else value


def function(name):
    f = ops
    for part in name.split("."):
        f = getattr(f, part)
    return f


def op_line(ident, name, args, kwargs):
    call = [as_call(a) for a in args]
    named = {k: as_call(special(v)) for k, v in kwargs.items()}
    arrays = [v for v in tf.nest.flatten(call) if isinstance(v, tf.Tensor)]
    with tf.GradientTape() as tape:
        tape.watch([v for v in arrays if is_float(v)])
        outputs = [tf.convert_to_tensor(o) for o in flatten(function(name)(*call, **named))]
        if any(o.dtype.is_complex for o in outputs):
            return None
        cotangents = [rand(*o.shape, lo=-1, hi=1).astype(o.dtype.as_numpy_dtype) if is_float(o) else None for o in outputs]
        parts = [tf.cast(tf.reduce_sum(o * c), tf.float64) for o, c in zip(outputs, cotangents) if c is not None]
        total = tf.add_n(parts) if parts else None
    line = header("op", ident, op=name, args=[as_json(a) for a in args])
    line |= {"kwargs": {k: as_json(v) for k, v in kwargs.items()}, "outputs": [array(o) for o in outputs]}
    if total is not None and any(is_float(v) for v in arrays):
        try:
            grads = tape.gradient(total, arrays)
        except (LookupError, NotImplementedError):  # TensorFlow has no gradient there
            grads = [None]
        if any(g is not None for g in grads):
            line["cotangents"] = [None if c is None else array(c) for c in cotangents]
            line["grad_args"] = [None if g is None else array(tf.convert_to_tensor(g)) for g in grads]
            line["grad_tol"] = GRAD_TOL
    return line


def op_lines(report):
    seen = {}
    for cases in CASES:
        for name, case, args, kwargs in cases():
            ident = f"{name}/{case}".replace(" ", "").replace("'", "")
            seen[ident] = seen.get(ident, 0) + 1
            if seen[ident] > 1:
                ident += f"_{seen[ident]}"
            try:
                line = op_line(ident, name, args, kwargs)
            except Exception as e:  # Keras refuses the case
                report(f"left out {ident}: {type(e).__name__} {str(e)[:80]!r}")
                continue
            if line:
                yield line


# layers ---------------------------------------------------------------------------------------------------------------
def layer_cases():
    image = np.round(golden.uniform((2, 9, 7, 3), 77, 0, 255)).astype(np.float32)
    unit = np.round(golden.uniform((2, 8, 8, 3), 78, 0, 1), 2).astype(np.float32)
    for kw in ({}, {"bins": 16}):
        yield "Equalization", str(kw), L.Equalization((0, 255), **kw), [image], {"training": True}
    yield "Equalization", "unit", L.Equalization((0, 1)), [unit], {"training": True}
    yield "Equalization", "flat", L.Equalization((0, 255)), [np.full((1, 4, 4, 1), 7, np.float32)], {"training": True}
    for kw in ({}, {"tile_grid_size": (2, 3)}, {"clip_limit": 1.5, "tile_grid_size": (3, 3)}, {"clip_limit": 0, "tile_grid_size": (1, 1)}):
        yield "CLAHE", str(kw), L.ContrastLimitedAdaptiveHistogramEqualization((0, 255), **kw), [image], {}
    yield "CLAHE", "unit", L.ContrastLimitedAdaptiveHistogramEqualization((0, 1), tile_grid_size=(2, 2)), [unit], {}
    for cls, a in (("RandomHue", 0.2), ("RandomSaturation", 0.3), ("RandomErasing", 0.5), ("RandomPerspective", 0.5), ("RandomElasticTransform", 0.5),
                   ("RandomGaussianBlur", 0.5), ("CutMix", 0.5), ("MixUp", 0.4), ("MaxNumBoundingBoxes", 3)):
        yield cls, "config", getattr(L, cls)(a), [image], {"training": False}
    yield "RandomGaussianBlur", "sizes", L.RandomGaussianBlur(0.5, kernel_size=(3, 5), sigma=(0.1, 0.9)), [image], {"training": False}
    yield "RandomErasing", "fill", L.RandomErasing(0.5, fill_value=(1, 2, 3)), [image], {"training": False}
    yield "RandomErasing", "fill_one", L.RandomErasing(0.5, fill_value=4), [image], {"training": False}
    yield "RandomColorJitter", "all", L.RandomColorJitter((0, 255), 0.1, (0.2, 0.3), 0.4, 0.1), [image], {"training": False}
    yield "RandAugment", "config", L.RandAugment(num_ops=3, factor=(0.1, 0.4)), [image], {"training": False}
    yield "AugMix", "config", L.AugMix(num_chains=2, all_ops=False), [image], {"training": False}
    x = rand(4, 5)
    for rank, alpha in ((1, None), (3, 6)):
        for kw in ({}, {"activation": "tanh", "use_bias": False}, {"kernel_regularizer": "l2"}):
            yield "Dense", f"lora{rank}{kw}", L.Dense(3, lora_rank=rank, lora_alpha=alpha, **kw), [x], {}
        yield "Embedding", f"lora{rank}", L.Embedding(7, 4, lora_rank=rank, lora_alpha=alpha), [ints(7, 2, 3)], {}
        yield "EinsumDense", f"lora{rank}", L.EinsumDense("abc,cd->abd", (None, 6), bias_axes="d", lora_rank=rank, lora_alpha=alpha), [rand(2, 3, 4)], {}
        yield "Conv2D", f"lora{rank}", L.Conv2D(3, 3, lora_rank=rank, lora_alpha=alpha), [rand(1, 5, 5, 2)], {}
        yield "Conv1D", f"lora{rank}", L.Conv1D(3, 2, lora_rank=rank, lora_alpha=alpha), [rand(1, 5, 2)], {}
    ties = np.array([0, 1, 1, 0, 2, 2, 1, 2], np.float32)
    for pad in ("valid", "same"):
        t3, t2, t1 = (ties[ints(8, *s)] for s in ((1, 4, 5, 3, 2), (1, 5, 6, 2), (1, 7, 2)))
        for s in (1, 2):
            yield "MaxPooling3D", f"ties{pad}{s}", L.MaxPooling3D(2, s, pad), [t3], {}
            yield "MaxPooling2D", f"ties{pad}{s}", L.MaxPooling2D(2, s, pad), [t2], {}
            yield "MaxPooling1D", f"ties{pad}{s}", L.MaxPooling1D(2, s, pad), [t1], {}
    for size in (2, 3):
        yield "AdaptiveMaxPooling3D", f"ties{size}", L.AdaptiveMaxPooling3D(size), [t3], {}
        yield "AdaptiveMaxPooling2D", f"ties{size}", L.AdaptiveMaxPooling2D(size), [t2], {}
        yield "AdaptiveMaxPooling1D", f"ties{size}", L.AdaptiveMaxPooling1D(size), [t1], {}
        yield "AdaptiveAveragePooling2D", str(size), L.AdaptiveAveragePooling2D(size), [t2], {}
    for cls, t in (("GlobalMaxPooling1D", t1), ("GlobalMaxPooling2D", t2), ("GlobalMaxPooling3D", t3)):
        yield cls, "ties", getattr(L, cls)(), [t], {}
        yield cls, "keep", getattr(L, cls)(keepdims=True), [t], {}


def more_layer_cases():
    i1, i2, i3 = rand(2, 9, 4), rand(2, 8, 7, 4), rand(1, 5, 6, 4, 2)
    for kw in ({"strides": 2}, {"dilation_rate": 2}, {"padding": "same", "strides": 2}, {"groups": 2}, {"activation": "gelu", "use_bias": False}):
        yield "Conv1D", str(kw), L.Conv1D(4, 3, **kw), [i1], {}
        yield "Conv2D", str(kw), L.Conv2D(4, 3, **kw), [i2], {}
        if "groups" not in kw:
            yield "Conv3D", str(kw), L.Conv3D(2, 2, **kw), [i3], {}
    yield "Conv1D", "causal", L.Conv1D(3, 3, padding="causal", dilation_rate=2), [i1], {}
    yield "Conv2D", "first", L.Conv2D(3, (3, 2), data_format="channels_first"), [rand(2, 4, 7, 6)], {}
    yield "Conv2D", "regularized", L.Conv2D(3, 2, kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2), bias_regularizer="l2", activity_regularizer="l1"), [i2], {}
    for kw in ({"strides": 2}, {"padding": "same", "strides": 2}, {"strides": 3, "output_padding": 1}, {"dilation_rate": 2}, {"padding": "same"}):
        yield "Conv1DTranspose", str(kw), L.Conv1DTranspose(3, 3, **kw), [i1], {}
        yield "Conv2DTranspose", str(kw), L.Conv2DTranspose(3, 3, **kw), [i2], {}
        yield "Conv3DTranspose", str(kw), L.Conv3DTranspose(2, 3, **{k: v for k, v in kw.items() if k != "dilation_rate"}), [i3], {}
    for kw in ({"depth_multiplier": 2}, {"padding": "same", "strides": 2}, {"use_bias": False, "activation": "relu"}):
        yield "DepthwiseConv1D", str(kw), L.DepthwiseConv1D(3, **kw), [i1], {}
        yield "DepthwiseConv2D", str(kw), L.DepthwiseConv2D(3, **kw), [i2], {}
        yield "SeparableConv1D", str(kw), L.SeparableConv1D(3, 3, **kw), [i1], {}
        yield "SeparableConv2D", str(kw), L.SeparableConv2D(3, 3, **kw), [i2], {}
    for cls in ("MaxPooling", "AveragePooling"):
        for kw in ({"strides": 1}, {"padding": "same"}, {"pool_size": 3, "strides": 2, "padding": "same"}):
            for n, x in ((1, i1), (2, i2), (3, i3)):
                yield f"{cls}{n}D", str(kw), getattr(L, f"{cls}{n}D")(**({"pool_size": 2} | kw)), [x], {}
        yield cls + "2D", "first", getattr(L, cls + "2D")(2, data_format="channels_first"), [rand(1, 3, 6, 4)], {}
    for n, x in ((1, i1), (2, i2), (3, i3)):
        for kw in ({}, {"keepdims": True}):
            yield f"GlobalAveragePooling{n}D", str(kw), getattr(L, f"GlobalAveragePooling{n}D")(**kw), [x], {}
    for training in (True, False):
        for kw in ({}, {"axis": 1}, {"center": False}, {"scale": False, "momentum": 0.7}, {"epsilon": 0.1}):
            yield "BatchNormalization", f"{kw}{training}", L.BatchNormalization(**kw), [rand(4, 3, 5)], {"training": training}
    for kw in ({"axis": 1}, {"axis": [1, 2]}, {"center": False}, {"scale": False}, {"epsilon": 0.1}):
        yield "LayerNormalization", str(kw), L.LayerNormalization(**kw), [rand(2, 3, 4)], {}
    for kw in ({"groups": 2}, {"groups": -1}, {"groups": 4, "center": False}, {"groups": 1, "axis": 1}):
        yield "GroupNormalization", str(kw), L.GroupNormalization(**kw), [rand(2, 4, 3, 4)], {}
    yield "RMSNormalization", "eps", L.RMSNormalization(epsilon=0.1), [rand(2, 5)], {}
    yield "UnitNormalization", "axis", L.UnitNormalization(axis=1), [rand(2, 3, 4)], {}
    for cls in (L.SimpleRNN, L.LSTM, L.GRU):
        for kw in ({"return_sequences": True}, {"return_state": True}, {"go_backwards": True, "return_sequences": True}, {"use_bias": False}, {"activation": "relu"},
                   {"unroll": True}, {"kernel_regularizer": "l2", "recurrent_regularizer": "l1"}):
            yield cls.__name__, str(kw), cls(3, **kw), [rand(2, 4, 3)], {}
    yield "LSTM", "forget", L.LSTM(3, unit_forget_bias=False, recurrent_activation="hard_sigmoid"), [rand(2, 4, 3)], {}
    yield "GRU", "before", L.GRU(3, reset_after=False, recurrent_activation="tanh"), [rand(2, 4, 3)], {}
    for mode in ("concat", "sum", "mul", "ave"):
        yield "Bidirectional", mode, L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode=mode), [rand(2, 4, 3)], {}
    yield "Bidirectional", "last", L.Bidirectional(L.LSTM(2)), [rand(2, 4, 3)], {}
    yield "TimeDistributed", "conv", L.TimeDistributed(L.Conv1D(2, 2)), [rand(2, 3, 4, 2)], {}
    yield "RNN", "stacked", L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True), [rand(2, 4, 3)], {}
    for n, shape in ((1, (2, 3, 5, 2)), (2, (1, 3, 4, 5, 2)), (3, (1, 2, 3, 4, 3, 1))):
        for kw in ({"padding": "same", "return_sequences": True}, {"strides": 1, "use_bias": False}):
            yield f"ConvLSTM{n}D", str(kw), getattr(L, f"ConvLSTM{n}D")(2, 2, **kw), [rand(*shape)], {}
    q, v = rand(2, 4, 6), rand(2, 5, 6)
    for kw in ({}, {"use_scale": True}, {"score_mode": "concat"}):
        yield "Attention", str(kw), L.Attention(**kw), [[q, v]], {}
        yield "Attention", "three" + str(kw), L.Attention(**kw), [[q, v, rand(2, 5, 6)]], {}
    yield "Attention", "causal", L.Attention(), [[q, rand(2, 4, 6)]], {"use_causal_mask": True}
    yield "AdditiveAttention", "plain", L.AdditiveAttention(use_scale=False), [[q, v]], {}
    for kw in ({"value_dim": 3}, {"output_shape": 5}, {"use_bias": False}, {"num_heads": 1}):
        yield "MultiHeadAttention", str(kw), L.MultiHeadAttention(**({"num_heads": 2, "key_dim": 3} | kw)), [q, v], {}
    yield "MultiHeadAttention", "causal", L.MultiHeadAttention(2, 3), [q, q], {"use_causal_mask": True}
    yield "GroupQueryAttention", "plain", L.GroupQueryAttention(3, 4, 2), [q, v], {}
    yield "GroupQueryAttention", "bias", L.GroupQueryAttention(3, 4, 1, use_bias=False), [q, v], {}
    a, b = rand(2, 3, 4), rand(2, 3, 4)
    for cls in (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum):
        yield cls.__name__, "two", cls(), [[a, b]], {}
        yield cls.__name__, "broadcast", cls(), [[a, rand(2, 1, 4)]], {}
    yield "Concatenate", "axis", L.Concatenate(axis=1), [[a, rand(2, 2, 4)]], {}
    for axes, kw in ((1, {}), (2, {"normalize": True}), ((1, 1), {})):
        yield "Dot", f"{axes}{kw}", L.Dot(axes, **kw), [[a, b]], {}
    for eq, shape, bias, x in (("ab,bc->ac", 5, "c", rand(3, 4)), ("...x,xy->...y", 3, "y", rand(2, 3, 4)), ("abcd,cdef->abef", (None, 2, 3), "ef", rand(2, 3, 2, 4)),
                               ("abc,cde->abde", (None, 2, 5), "de", rand(2, 3, 4))):
        yield "EinsumDense", eq, L.EinsumDense(eq, shape, bias_axes=bias, activation="tanh"), [x], {}
    for kw in ({"negative_slope": 0.2}, {"max_value": 1.0}, {"threshold": 0.5}, {"max_value": 1.5, "negative_slope": 0.1, "threshold": 0.2}):
        yield "ReLU", str(kw), L.ReLU(**kw), [a], {}
    yield "PReLU", "shared", L.PReLU(shared_axes=[1]), [a], {}
    yield "Softmax", "axis", L.Softmax(axis=1), [a], {}
    for name in ("elu", "selu", "mish", "glu", "celu", "hard_silu", "log_softmax", "squareplus", "sparsemax", "tanh_shrink", "softsign", "exponential"):
        yield "Activation", name, L.Activation(name), [a], {}
    yield "UpSampling2D", "bilinear", L.UpSampling2D((2, 3), interpolation="bilinear"), [i2], {}
    yield "UpSampling2D", "bicubic", L.UpSampling2D(2, interpolation="bicubic"), [i2], {}
    yield "UpSampling3D", "plain", L.UpSampling3D((1, 2, 1)), [i3], {}
    for i in ("bilinear", "nearest", "bicubic", "area", "lanczos3"):
        yield "Resizing", i, L.Resizing(5, 9, interpolation=i), [i2], {}
    yield "Resizing", "crop", L.Resizing(4, 4, crop_to_aspect_ratio=True), [i2], {}
    yield "Resizing", "pad", L.Resizing(4, 6, pad_to_aspect_ratio=True, fill_value=0.5), [i2], {}
    yield "CenterCrop", "small", L.CenterCrop(4, 3), [i2], {}
    yield "CenterCrop", "grow", L.CenterCrop(10, 9), [i2], {}
    yield "ZeroPadding2D", "sides", L.ZeroPadding2D(((1, 0), (2, 1))), [i2], {}
    yield "Cropping2D", "sides", L.Cropping2D(((1, 0), (2, 1))), [i2], {}
    yield "ZeroPadding3D", "plain", L.ZeroPadding3D((1, 0, 2)), [i3], {}
    yield "Cropping3D", "plain", L.Cropping3D((1, 2, 0)), [i3], {}
    yield "Permute", "three", L.Permute((3, 1, 2)), [i2], {}
    yield "Flatten", "first", L.Flatten(data_format="channels_first"), [i2], {}
    yield "Normalization", "given", L.Normalization(axis=-1, mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0]), [i1], {}
    yield "Normalization", "invert", L.Normalization(axis=None, mean=0.5, variance=2.0, invert=True), [i1], {}
    yield "Rescaling", "list", L.Rescaling([1.0, 2.0, 3.0, 4.0], 0.5), [i1], {}
    for mode in ("multi_hot", "one_hot", "count"):
        yield "CategoryEncoding", mode, L.CategoryEncoding(6, output_mode=mode), [ints(6, 3, 1) if mode == "one_hot" else ints(6, 3, 4)], {}
        yield "Discretization", mode, L.Discretization([-0.5, 0.3, 1.0], output_mode=mode), [rand(3, 1) if mode == "one_hot" else rand(3, 4)], {}
    yield "MelSpectrogram", "plain", L.MelSpectrogram(fft_length=64, sequence_stride=16, sampling_rate=800, num_mel_bins=6, min_freq=10), [rand(2, 200)], {}
    yield "ActivityRegularization", "both", L.ActivityRegularization(0.1, 0.2), [a], {}
    for cls in (L.RandomBrightness(0.2), L.RandomContrast(0.2), L.RandomZoom(0.2), L.RandomRotation(0.1), L.RandomTranslation(0.1, 0.2), L.RandomCrop(3, 4), L.RandomSharpness(0.3)):
        yield type(cls).__name__, "inference", cls, [i2[..., :3].copy()], {"training": False}


def layer_line(ident, layer, inputs, call):
    made = [[tf.constant(j) for j in i] if isinstance(i, list) else tf.constant(i) for i in inputs]
    layer(*made, **call)  # builds it
    for w in layer.weights:
        if is_float(w):
            w.assign(rand(*w.shape, lo=0.1, hi=1) if "variance" in w.path else rand(*w.shape, lo=-1, hi=1))
    weights = [{"path": w.path, "value": array(w.value)} for w in layer.weights]
    with tf.GradientTape() as tape:
        flat = tf.nest.flatten(made)
        tape.watch([i for i in flat if is_float(i)])
        outputs = flatten(layer(*made, **call))
        cotangents = [rand(*o.shape, lo=-1, hi=1) if is_float(o) else None for o in outputs]
        total = sum(tf.reduce_sum(o * c) for o, c in zip(outputs, cotangents) if c is not None)
    trainable = [w.value for w in layer.trainable_weights]
    grads = tape.gradient(total, [flat, trainable])
    config = {"class_name": type(layer).__name__, "config": layer.get_config()}
    line = header("layer", ident, layer=config, inputs=[[array(j) for j in i] if isinstance(i, list) else array(i) for i in made], call=call, weights=weights)
    line |= {"outputs": [array(o) for o in outputs], "cotangents": [None if c is None else array(c) for c in cotangents]}
    after = [array(w.value) for w in layer.weights]
    if after != [w["value"] for w in weights]:
        line["weights_after"] = [{"path": w.path, "value": v} for w, v in zip(layer.weights, after)]
    line["grad_inputs"] = [None if g is None else array(tf.convert_to_tensor(g)) for g in grads[0]]
    line["grad_weights"] = [None if g is None else array(tf.convert_to_tensor(g)) for g in grads[1]]
    if layer.losses:
        line["added_loss"] = array(np.float32(sum(layer.losses)))
    return line | {"grad_tol": GRAD_TOL, "tol": {"rtol": 1e-5, "atol": 5e-6}}  # sums of a hundred products


def layer_lines(report):
    seen = set()
    for cls, case, layer, inputs, call in [*layer_cases(), *more_layer_cases()]:
        ident = f"{cls}/more_{case}".replace(" ", "").replace("'", "")
        assert ident not in seen, ident
        seen.add(ident)
        try:
            yield layer_line(ident, layer, inputs, call)
        except Exception as e:
            report(f"left out layer {ident}: {type(e).__name__} {str(e)[:120]!r}")


# losses, metrics, optimizers: the makers of vectors.py with more cases -----------------------------------------------------
def loss_cases():
    k, p = keras.losses, vectors.probabilities
    unit = lambda *shape: np.round(golden.uniform(shape, vectors.SEED.__setitem__(0, vectors.SEED[0] + 1) or vectors.SEED[0], 0.05, 0.95), 2).astype(np.float32)
    hot = lambda n, c: np.eye(c, dtype=np.float32)[ints(c, n)]
    for r in ("sum_over_batch_size", "sum", "none", "mean_with_sample_weight"):
        for w in (None, np.round(golden.uniform((4,), 9, 0, 1), 2).astype(np.float32)):
            for cls in (k.MeanSquaredError, k.MeanAbsoluteError, k.MeanAbsolutePercentageError, k.MeanSquaredLogarithmicError, k.Huber, k.LogCosh, k.Poisson, k.KLDivergence,
                        k.CosineSimilarity, k.Hinge, k.SquaredHinge, k.CategoricalHinge):
                yield cls(reduction=r), unit(4, 3), unit(4, 3), w
            yield k.BinaryCrossentropy(reduction=r), ints(2, 4, 3).astype(np.float32), unit(4, 3), w
            yield k.BinaryFocalCrossentropy(reduction=r, apply_class_balancing=True), ints(2, 4, 3).astype(np.float32), unit(4, 3), w
            yield k.CategoricalCrossentropy(reduction=r), hot(4, 5), p(4, 5), w
            yield k.CategoricalFocalCrossentropy(reduction=r), hot(4, 5), p(4, 5), w
            yield k.SparseCategoricalCrossentropy(reduction=r), ints(5, 4), p(4, 5), w
            yield k.Dice(reduction=r), unit(4, 3, 2), unit(4, 3, 2), None
            yield k.Tversky(reduction=r, alpha=0.3, beta=0.6), unit(4, 3, 2), unit(4, 3, 2), None
    for kw in ({"from_logits": True}, {"label_smoothing": 0.1}, {"from_logits": True, "label_smoothing": 0.2}):
        x = (lambda *s: rand(*s)) if kw.get("from_logits") else unit
        yield k.BinaryCrossentropy(**kw), ints(2, 4, 3).astype(np.float32), x(4, 3), None
        yield k.BinaryFocalCrossentropy(gamma=1.5, alpha=0.4, **kw), ints(2, 4, 3).astype(np.float32), x(4, 3), None
        yield k.CategoricalCrossentropy(**kw), hot(4, 5), rand(4, 5) if kw.get("from_logits") else p(4, 5), None
        yield k.CategoricalFocalCrossentropy(gamma=1.5, alpha=0.4, **kw), hot(4, 5), rand(4, 5) if kw.get("from_logits") else p(4, 5), None
    yield k.CategoricalCrossentropy(axis=1), np.moveaxis(np.eye(3, dtype=np.float32)[ints(3, 2, 4)], -1, 1).copy(), np.moveaxis(p(2, 4, 3), -1, 1).copy(), None
    yield k.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2), ints(4, 2, 3), rand(2, 3, 4), None
    yield k.Huber(delta=0.2), unit(4, 3), unit(4, 3), None
    yield k.Dice(axis=(1, 2)), unit(3, 4, 2), unit(3, 4, 2), None
    yield k.Circle(gamma=16.0, margin=0.3), ints(3, 6), (lambda e: e / np.linalg.norm(e, axis=1, keepdims=True))(rand(6, 4)).astype(np.float32), None
    yield k.CategoricalGeneralizedCrossEntropy(q=0.4), ints(5, 4), p(4, 5), None
    yield k.CTC(), np.array([[1, 2, 0], [3, 1, 2]], np.int32), rand(2, 7, 4), None
    for cls in (k.MeanSquaredError, k.MeanAbsoluteError):  # targets of one axis less
        yield cls(), rand(4), rand(4, 1), None


def metric_cases():
    k, p = keras.metrics, vectors.probabilities
    w = lambda n: rand(n, lo=0, hi=1)
    binary = lambda q: (ints(2, 8).astype(np.float32), rand(8, lo=0, hi=1), w(8) if q else None)
    real = lambda q: (rand(5, 3, lo=0.1, hi=2), rand(5, 3, lo=0.1, hi=2), w(5) if q else None)
    sparse = lambda q: (ints(4, 7), p(7, 4), w(7) if q else None)
    hot = lambda q: (np.eye(4, dtype=np.float32)[ints(4, 7)], p(7, 4), w(7) if q else None)
    labels = lambda q: (ints(3, 9), ints(3, 9), w(9) if q else None)
    for q in (False, True):
        for m in (k.MeanSquaredError, k.MeanAbsoluteError, k.MeanAbsolutePercentageError, k.MeanSquaredLogarithmicError, k.RootMeanSquaredError, k.LogCoshError, k.Poisson,
                  k.KLDivergence, k.CosineSimilarity, k.Hinge, k.SquaredHinge, k.CategoricalHinge):
            yield m(), [real(q) for _ in range(3)]
        for m in (k.BinaryAccuracy(threshold=0.4), k.AUC(num_thresholds=15), k.AUC(num_thresholds=15, curve="PR", summation_method="minoring"),
                  k.AUC(num_thresholds=10, summation_method="majoring"), k.Precision(), k.Recall([0.3, 0.7]), k.TruePositives([0.2, 0.8]), k.TrueNegatives(), k.FalsePositives(0.6),
                  k.FalseNegatives(), k.PrecisionAtRecall(0.5, num_thresholds=30), k.RecallAtPrecision(0.6, num_thresholds=30),
                  k.SensitivityAtSpecificity(0.4, num_thresholds=30), k.SpecificityAtSensitivity(0.4, num_thresholds=30), k.BinaryCrossentropy(), k.BinaryIoU([0, 1], 0.4)):
            yield m, [binary(q) for _ in range(3)]
        for m in (k.SparseCategoricalAccuracy(), k.SparseTopKCategoricalAccuracy(2), k.SparseCategoricalCrossentropy()):
            yield m, [sparse(q) for _ in range(3)]
        for m in (k.CategoricalAccuracy(), k.TopKCategoricalAccuracy(3), k.CategoricalCrossentropy(label_smoothing=0.1), k.F1Score("macro"), k.FBetaScore("weighted", 2.0, 0.3),
                  k.F1Score("micro"), k.OneHotIoU(4, [0, 2]), k.OneHotMeanIoU(4), k.Precision(top_k=2), k.Recall(class_id=1)):
            yield m, [hot(q) for _ in range(3)]
        for m in (k.IoU(3, [0, 2]), k.MeanIoU(3), k.MeanIoU(3, ignore_class=1), k.Accuracy()):
            yield m, [labels(q) for _ in range(3)]
    for m in (k.PearsonCorrelation(), k.ConcordanceCorrelation(), k.R2Score("variance_weighted_average"), k.R2Score(num_regressors=2), k.R2Score()):
        yield m, [real(False) for _ in range(3)]


def optimizer_cases():
    o = keras.optimizers
    s = o.schedules
    for cls in (o.SGD, o.Adam, o.AdamW, o.RMSprop, o.Adagrad, o.Adadelta, o.Adamax, o.Nadam, o.Lion, o.Lamb, o.Ftrl, o.Adafactor, o.Muon, o.ScheduleFreeAdamW):
        for kw in ({}, {"weight_decay": 0.05}, {"clipnorm": 0.4}, {"global_clipnorm": 0.6}, {"clipvalue": 0.2}, {"use_ema": True, "ema_momentum": 0.7},
                   {"gradient_accumulation_steps": 2}, {"learning_rate": s.CosineDecay(0.05, 4)}):
            yield cls(**({"learning_rate": 0.03} | kw))
    yield o.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1)
    yield o.RMSprop(0.02, rho=0.7, momentum=0.4, centered=True)
    yield o.Ftrl(0.1, l1_regularization_strength=0.05, l2_regularization_strength=0.1, l2_shrinkage_regularization_strength=0.02, beta=0.3)
    yield o.Adafactor(0.05, relative_step=False, beta_2_decay=-0.7)
    yield o.LossScaleOptimizer(o.Adam(0.02), initial_scale=8.0, dynamic_growth_steps=2)


def with_cases(name, cases, maker):
    def lines(report):
        def each():  # a case that Keras refuses is left out
            made = cases()
            while True:
                try:
                    yield next(made)
                except StopIteration:
                    return

        old, count = getattr(vectors, name), 0
        try:
            for case in each():
                setattr(vectors, name, lambda: [case])
                try:
                    for line in maker():
                        line["id"] = line["id"].rsplit("/", 1)[0] + f"/more{count}"
                        count += 1
                        yield line
                except Exception as e:
                    report(f"left out {name}: {type(e).__name__} {str(e)[:100]!r}")
        finally:
            setattr(vectors, name, old)

    return lines


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    args = [a for a in sys.argv[1:] if a != "--quiet"]
    out = args[0] if args else os.path.join(here, "../../tests/golden/more.jsonl.gz")
    report = (lambda text: None) if "--quiet" in sys.argv else (lambda text: print(text, file=sys.stderr))
    makers = {"op": op_lines, "layer": layer_lines, "loss": with_cases("loss_cases", loss_cases, vectors.loss_lines)}
    makers["metric"] = with_cases("metric_cases", metric_cases, vectors.metric_lines)
    makers["optimizer"] = with_cases("optimizer_cases", optimizer_cases, vectors.optimizer_lines)
    which = os.environ.get("ONLY", " ".join(makers)).split()
    golden.write_lines(out, [line for kind in which for line in makers[kind](report)])


if __name__ == "__main__":
    main()
