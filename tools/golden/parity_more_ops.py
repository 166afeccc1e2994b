"""The cases of parity_more.py for functions of keras.ops: (name, case, args, kwargs)."""

import golden
import numpy as np
import tensorflow as tf
import vectors
from keras import ops
from vectors import ints, rand

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
