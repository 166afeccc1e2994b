"""Random calls of keras.ops: OPS[name](draw) -> (args, kwargs); activations as well."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from random_draw import array, tolerances
from vectors import gradient_fields, is_float, weighted_total

FLOATS = ("float32", "float32", "float32", "float64", "float16", "bfloat16")
INTS = ("int32", "int64", "uint8", "int8")
OPS = {}


def entries_of(table):
    """A decorator of draws under names: of the draw alone, or of the draw and the name."""

    def under(*names):
        def add(f):
            for n in names:
                table[n] = (lambda d, n=n: f(d, n)) if f.__code__.co_argcount == 2 else f
            return f

        return add

    return under


op = entries_of(OPS)


def shape(d, lo=0, hi=4):
    s = d.dims(d.int(lo, hi), hi=4)
    if s and d.maybe(0.04):
        s[d.int(0, len(s) - 1)] = 0
    return s


def any_dtype(d, ints=0.25, bools=0.05):
    return d.pick(*INTS) if d.maybe(ints) else ("bool" if d.maybe(bools) else d.pick(*FLOATS))


def axis_of(d, rank, none=True, several=True):
    """A random axis argument, or None for no argument."""
    choices = ([None] if none else []) + list(range(-rank, rank))
    if several and rank > 1 and d.maybe(0.3):
        n = d.int(1, rank)
        return sorted(int(v) for v in d.r.permutation(rank)[:n]) if d.maybe() else [int(v) - rank for v in d.r.permutation(rank)[:n]]
    return d.pick(*choices)


UNARY = ("abs absolute negative square sign sin cos tanh arctan sinh cosh arcsinh exp expm1 exp2 floor ceil round trunc deg2rad rad2deg sinc erf erfc relu relu6 leaky_relu elu selu celu silu sigmoid softplus "
         "softsign hard_sigmoid hard_silu hard_tanh hard_shrink soft_shrink tanh_shrink log_sigmoid squareplus sparse_plus sparse_sigmoid cbrt nan_to_num isnan isinf isfinite isposinf isneginf signbit i0 "
         "gelu logical_not ones_like zeros_like isreal real conj positive").split()  # fmt: skip
POSITIVE = "log log2 log10 log1p sqrt rsqrt reciprocal".split()
UNIT = "arcsin arccos arctanh erfinv".split()


@op(*[n for n in UNARY if hasattr(ops, n)])
def unary(d, n):
    x = d.values(shape(d), any_dtype(d))
    kw = {"approximate": d.maybe()} if n == "gelu" else {}
    if n == "leaky_relu" and d.maybe():
        kw = {"negative_slope": d.pick(0.05, 0.5)}
    if n in ("hard_shrink", "soft_shrink") and d.maybe():
        kw = {"threshold": d.pick(0.2, 1.0)}
    if n in ("elu", "celu") and d.maybe():
        kw = {"alpha": d.pick(0.5, 2.0)}
    return [x], kw


@op(*POSITIVE)
def positive(d, n):
    x = d.values(shape(d), any_dtype(d))
    if x.dtype.kind not in "bui":
        x = np.asarray(np.abs(x) + x.dtype.type(0.125)).astype(x.dtype)
    return [np.asarray(np.abs(x) + x.dtype.type(1)) if x.dtype.kind == "i" else x], {}


@op(*UNIT)
def unit(d, n):
    return [d.rand(*shape(d), lo=-0.95, hi=0.95, dtype=d.pick("float32", "float64"))], {}


@op("arccosh")
def arccosh(d):
    return [d.rand(*shape(d), lo=1.1, hi=4, dtype=d.pick("float32", "float64"))], {}


BINARY = "add subtract multiply maximum minimum divide true_divide floor_divide mod arctan2 hypot logaddexp equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor fmax fmin divide_no_nan isclose".split()


def pair_shapes(d):
    full = d.dims(d.int(0, 4), hi=4)
    cut = lambda: [1 if d.maybe(0.25) else v for v in full][d.int(0, min(2, len(full))) if d.maybe(0.3) else 0 :]
    a, b = cut(), cut()
    return (full, b) if d.maybe() else (a, full)


def bias_like(a, b):
    """What Keras on TensorFlow takes for a bias: it may add along the wrong axis."""
    squeezed = [v for v in b if v > 1]
    return len(a) > 1 and len(squeezed) == 1 and list(b)[-1:] != squeezed


@op(*BINARY)
def binary(d, n):
    while True:
        a, b = pair_shapes(d)
        if not (n == "add" and (bias_like(a, b) or bias_like(b, a))):
            break
    t1 = any_dtype(d)
    t2 = t1 if d.maybe(0.5) else any_dtype(d)
    x, y = d.values(a, t1), d.values(b, t2)
    if n in ("divide", "true_divide", "floor_divide", "mod") and y.dtype.kind in "biu":
        y = np.asarray(np.where(y == 0, y.dtype.type(1), y))
    if d.maybe(0.2):
        y = d.pick(2, 0.5, -3, 1.5)
    elif d.maybe(0.1):
        x = d.pick(2, 0.5, -3, 1.5)
    return [x, y], {}


@op("power")
def power(d):
    a, b = pair_shapes(d)
    x = d.rand(*a, lo=0.2, hi=3, dtype=d.pick("float32", "float64"))
    return [x, d.pick(2, 3, 0.5, -1, d.rand(*b, dtype=str(x.dtype)))], {}


@op("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "gcd", "lcm")
def integer_pairs(d, n):
    a, b = pair_shapes(d)
    t = d.pick("int32", "int64", "uint8", "int8")
    return [d.ints(9, *a, dtype=t), d.ints(5, *b, dtype=t)], {}


@op(*"sum mean max min prod var std any all logsumexp argmax argmin amax amin count_nonzero nansum nanmean nanmax nanmin nanprod nanvar nanstd".split())
def reduce(d, n):
    s = d.dims(d.int(1, 4), hi=4)
    x = d.values(s, any_dtype(d) if n in ("sum", "mean", "max", "min", "any", "all", "argmax", "argmin", "count_nonzero", "var") else d.pick("float32", "float32", "float64"))
    kw = {}
    if d.maybe(0.75):
        a = axis_of(d, len(s), several=n not in ("argmax", "argmin"))
        if a is not None:
            kw["axis"] = a
    if n != "count_nonzero":
        kw |= d.options(0.4, keepdims=[True])
    if n in ("std", "nanstd") and 1 in s:  # rounding decides between 0 and NaN
        return [d.rand(*[v + 1 for v in s])], kw
    return [x], kw


@op("cumsum", "cumprod")
def cumulative(d, n):
    s = d.dims(d.int(1, 3), hi=4)
    return [d.values(s, d.pick("float32", "int32", "float64", "bool"))], ({"axis": d.int(-len(s), len(s) - 1)} if d.maybe(0.8) else {})


@op("sort", "argsort")
def sorting(d, n):
    s = d.dims(d.int(1, 3), hi=6)
    return [d.values(s, d.pick("float32", "int32", "float16", "uint8"))], ({"axis": d.int(-len(s), len(s) - 1)} if d.maybe(0.8) else {})


@op("top_k")
def top_k(d):
    s = [*d.dims(d.int(0, 2), hi=3), d.int(2, 7)]
    return [d.values(s, d.pick("float32", "int32")), d.int(1, s[-1])], {}


@op("median", "quantile", "percentile")
def quantiles(d, n):
    s = d.dims(d.int(1, 3), hi=5)
    kw = {"axis": d.int(-len(s), len(s) - 1)} if d.maybe(0.7) else {}
    kw |= d.options(0.3, keepdims=[True])
    if n == "median":
        return [d.rand(*s)], kw
    q = d.pick(0.3, 0.5, np.array([0.1, 0.9], np.float32))
    kw |= d.options(0.5, method=["linear", "lower", "higher", "midpoint", "nearest"])
    return [d.rand(*s), q * 100 if n == "percentile" else q], kw


# products -----------------------------------------------------------------------------------------------------------
@op("matmul")
def matmul(d):
    b, m, k, n = d.dims(4)
    t = any_dtype(d, 0.15, 0)
    x, y = d.pick(((m, k), (k, n)), ((b, m, k), (k, n)), ((b, m, k), (b, k, n)), ((m, k), (b, k, n)), ((k,), (k, n)), ((m, k), (k,)), ((k,), (k,)), ((2, b, m, k), (b, k, n)), ((1, m, k), (b, k, n)), ((2, 1, m, k), (1, b, k, n)))
    return [d.values(x, t), d.values(y, t if d.maybe(0.8) else any_dtype(d, 0.15, 0))], {}


@op("dot")
def dot(d):
    m, k, n = d.dims(3)
    x, y = d.pick(((m, k), (k, n)), ((k,), (k,)), ((m, n, k), (k,)), ((2, m, k), (3, k, n)), ((), (m, k)))
    return [d.rand(*x), d.rand(*y)], {}


@op("tensordot")
def tensordot(d):
    a, b, c = d.dims(3)
    x, y, axes = d.pick(((a, b), (b, c), 1), ((a, b, c), (b, c, 2), 2), ((a, b), (c, a), [[0], [1]]), ((a, b, c), (c, b), [[1, 2], [1, 0]]), ((a,), (b,), 0), ((a, b), (b, a), [1, 0]))
    return [d.rand(*x), d.rand(*y)], {"axes": axes}


EQUATIONS = ("ij,jk->ik", "bij,bjk->bik", "ij->ji", "ii->i", "ii", "ij,ij->", "ij,kj->ik", "abcd,cde->abe", "bqhd,bkhd->bhqk", "i,j->ij", "ijk->k", "...ij,...jk->...ik", "ab,b->a", "abc->cb", "ij,jk,kl->il", "i,i,i->i", "bhqk,bkhd->bqhd", "ab,cd->", "ijk,ilk->ijl", "a...,a...->...")


@op("einsum")
def einsum(d):
    eq = d.pick(*EQUATIONS)
    size = {c: d.int(1, 4) for c in "abcdefghijklmnopqrst"}
    more = d.dims(d.int(0, 2), hi=3)
    return [eq, *(d.rand(*sum(([size[c]] if c != "." else [] for c in t.replace("...", "")), []) if "..." not in t else
                         (more + [size[c] for c in t[3:]] if t.startswith("...") else [size[c] for c in t[:-3]] + more)) for t in eq.split("->")[0].split(","))], {}  # fmt: skip


@op("outer", "inner", "vdot", "kron", "cross")
def more_products(d, n):
    a, b = d.dims(2)
    if n == "cross":
        return [d.rand(a, 3), d.rand(a, 3)], {}
    x, y = {"outer": ((a, 2), (b,)), "inner": ((2, a), (b, a)), "vdot": ((a, b), (a, b)), "kron": ((a, b), (b, a))}[n]
    return [d.rand(*x), d.rand(*y)], {}


# shapes -------------------------------------------------------------------------------------------------------------
def tensor(d, lo=1, hi=4, ints=0.25):
    s = d.dims(d.int(lo, hi), hi=4)
    return d.values(s, any_dtype(d, ints)), s


@op("reshape")
def reshape(d):
    a, b, c = d.dims(3)
    return [d.values([a, b, c], any_dtype(d)), d.pick([-1], [a * b, c], [c, -1], [a, 1, b * c], [1, -1, b], [c, b, a])], {}


@op("transpose")
def transpose(d):
    x, s = tensor(d)
    return [x], ({"axes": [int(v) for v in d.r.permutation(len(s))]} if d.maybe(0.7) else {})


@op("moveaxis", "swapaxes")
def move(d, n):
    x, s = tensor(d, 2)
    return [x, d.int(-len(s), len(s) - 1), d.int(-len(s), len(s) - 1)], {}


@op("expand_dims")
def expand(d):
    x, s = tensor(d, 0, 3)
    return [x, d.int(-len(s) - 1, len(s))], {}


@op("squeeze")
def squeeze(d):
    s = [1 if d.maybe() else d.int(2, 3) for _ in range(d.int(1, 4))]
    ones = [i for i, v in enumerate(s) if v == 1]
    return [d.values(s, any_dtype(d))], ({"axis": d.pick(*ones, *[i - len(s) for i in ones], ones)} if ones and d.maybe(0.7) else {})


@op("concatenate", "stack")
def join(d, n):
    s = d.dims(d.int(1, 3), hi=4)
    axis = d.int(-len(s), len(s) - 1)
    t = any_dtype(d)
    xs = []
    for _ in range(d.int(1, 4)):
        v = list(s)
        if n == "concatenate":
            v[axis] = d.int(0, 4)
        xs.append(d.values(v, t if d.maybe(0.8) else any_dtype(d)))
    return [xs], ({"axis": axis} if d.maybe(0.8) or n == "concatenate" else {})


@op("hstack", "vstack", "dstack")
def stacks(d, n):
    s = d.dims(d.int(1, 3), hi=3)
    return [[d.rand(*s) for _ in range(d.int(1, 3))]], {}


@op("split", "array_split")
def split(d, n):
    s = d.dims(d.int(1, 3), hi=3)
    axis = d.int(-len(s), len(s) - 1)
    k = d.int(1, 3)
    s[axis] = k * d.int(1, 3) + (d.int(0, 2) if n == "array_split" else 0)
    at = k if d.maybe(0.6) or n == "array_split" else sorted(d.int(0, s[axis]) for _ in range(2))
    return [d.values(s, any_dtype(d)), at], {"axis": axis}


@op("tile")
def tile(d):
    x, s = tensor(d, 1, 3)
    return [x, d.pick(2, [2], [d.int(1, 3) for _ in s], [2, *[1 for _ in s]])], {}


@op("repeat")
def repeat(d):
    x, s = tensor(d, 1, 3)
    axis = d.int(-len(s), len(s) - 1)
    return [x, d.pick(2, 3, d.ints(3, s[axis]).tolist() if s[axis] > 1 else 2)], {"axis": axis}


@op("flip", "roll", "rot90")
def turn(d, n):
    x, s = tensor(d, 2 if n == "rot90" else 1)
    if n == "rot90":
        return [x], d.options(0.7, k=[0, 1, 2, 3, -1, 5]) | d.options(0.3, axes=[[0, 1], [1, 0], [-2, -1]])
    axis = axis_of(d, len(s), several=n == "flip")
    return [x] + ([d.int(-5, 5)] if n == "roll" else []), ({} if axis is None else {"axis": axis})


@op("pad")
def pad(d):
    s = d.dims(d.int(1, 3), 2, 4)
    mode = d.pick("constant", "reflect", "symmetric")
    width = [[d.int(0, 1), d.int(0, 1)] for _ in s]
    kw = {"mode": mode} if d.maybe(0.8) else {}
    if kw.get("mode", "constant") == "constant" and d.maybe(0.4):
        kw["constant_values"] = d.pick(1.5, 0, -2)
    return [d.values(s, "float32" if kw.get("constant_values") == 1.5 else any_dtype(d)), width], kw


@op("take")
def take(d):
    s = d.dims(d.int(1, 3), hi=4)
    axis = d.int(-len(s), len(s) - 1)
    i = d.ints(s[axis], *d.dims(d.int(0, 2), hi=3), lo=-s[axis] if d.maybe(0.3) else 0)
    return [d.values(s, any_dtype(d)), i], {"axis": axis}


@op("take_along_axis")
def take_along(d):
    s = d.dims(d.int(1, 3), hi=4)
    axis = d.int(-len(s), len(s) - 1)
    t = list(s)
    t[axis] = d.int(1, 3)
    return [d.values(s, any_dtype(d)), d.ints(s[axis], *t)], {"axis": axis}


@op("where")
def where(d):
    full = d.dims(d.int(0, 3), hi=4)
    cut = lambda: [1 if d.maybe(0.3) else v for v in full]
    return [d.bools(*full), d.values(cut(), any_dtype(d)), d.values(cut(), any_dtype(d)) if d.maybe(0.8) else d.pick(0.0, 1, -2.5)], {}


@op("clip")
def clip(d):
    x, _ = tensor(d, 0)
    return [x, *d.pick((-1, 1), (0.0, 0.5), (1, 3))], {}


@op("slice")
def slices(d):
    x, s = tensor(d)
    start = [d.int(0, v - 1) for v in s]
    return [x, start, [d.int(1, v - a) for v, a in zip(s, start)]], {}


@op("slice_update")
def slice_update(d):
    s = d.dims(d.int(1, 3), 2, 4)
    size = [d.int(1, v) for v in s]
    return [d.rand(*s), [d.int(0, v - z) for v, z in zip(s, size)], d.rand(*size)], {}


@op("diag", "diagonal", "trace", "tril", "triu")
def diagonals(d, n):
    s = d.dims(d.int(1, 2) if n == "diag" else d.int(2, 3))
    return [d.values(s, any_dtype(d))], d.options(0.6, **{"k" if n in ("diag", "tril", "triu") else "offset": [-2, -1, 0, 1, 2]})


@op("diff")
def diff(d):
    s = d.dims(d.int(1, 3), 3, 5)
    return [d.rand(*s)], d.options(0.5, n=[1, 2], axis=[-1, 0])


@op("one_hot")
def one_hot(d):
    x = d.ints(6, *d.dims(d.int(0, 3), hi=3), lo=-1, dtype=d.pick("int32", "int64", "uint8"))
    return [x, d.int(1, 6)], d.options(0.4, axis=[-1, 0], dtype=["float32", "int32", "bool", "float16"])


@op("cast")
def cast(d):
    x, _ = tensor(d, 0)
    return [x, d.pick("float32", "float16", "bfloat16", "float64", "int32", "int64", "bool")], {}


@op("arange")
def arange(d):
    return d.pick([d.int(1, 6)], [d.int(-3, 1), d.int(2, 7)], [0, 5, 2], [5, 0, -1], [0.0, 2.0, 0.5], [1.5, 4.0]), d.options(0.3, dtype=["float32", "int32", "float64", "int64"])


@op("linspace", "logspace")
def spaces(d, n):
    return [d.num(-2, 2), d.num(-2, 2)], d.options(0.5, num=[1, 2, 5], endpoint=[False]) | d.options(0.2, dtype=["float32", "float64"])


@op("eye", "tri")
def eye(d, n):
    return [d.int(1, 4)] + ([d.int(1, 4)] if d.maybe() else []), d.options(0.4, k=[-1, 1, 2], dtype=["int32", "float16", "bool"])


# nn -----------------------------------------------------------------------------------------------------------------
@op("softmax", "log_softmax", "sparsemax")
def softmaxes(d, n):
    s = d.dims(d.int(1, 4))
    axis = d.int(-len(s), len(s) - 1) if n == "sparsemax" else axis_of(d, len(s))
    return [d.rand(*s, lo=-4, hi=4, dtype=d.pick("float32", "float32", "float64"))], ({} if axis is None else {"axis": axis})


@op("glu")
def glu(d):
    s = d.dims(d.int(1, 3))
    axis = d.int(-len(s), len(s) - 1)
    s[axis] = 2 * d.int(1, 3)
    return [d.rand(*s)], {"axis": axis}


def nd_options(d, n, dilation=False):
    kw = {"padding": d.pick("valid", "same")}
    if d.maybe():
        kw["strides"] = d.one_or_each(n, 1, 3)
    elif dilation and d.maybe():
        kw["dilation_rate"] = d.one_or_each(n, 1, 2)
    return kw


@op("conv")
def conv(d):
    n, g = d.int(1, 3), d.pick(1, 1, 2)
    c = g * d.int(1, 2)
    return [d.rand(d.int(1, 2), *d.dims(n, 3, 6 if n < 3 else 4), c), d.rand(*d.dims(n, 1, 3), c // g, g * d.int(1, 2))], nd_options(d, n, True)


@op("depthwise_conv")
def depthwise_conv(d):
    n = d.int(1, 2)
    c = d.int(1, 3)
    kw = nd_options(d, n)
    if isinstance(kw.get("strides"), list):
        kw["strides"] = kw["strides"][0]
    return [d.rand(d.int(1, 2), *d.dims(n, 3, 6), c), d.rand(*d.dims(n, 1, 3), c, d.int(1, 2))], kw


@op("separable_conv")
def separable_conv(d):
    c, m = d.dims(2, hi=2)
    return [d.rand(1, *d.dims(2, 3, 6), c), d.rand(*d.dims(2, 1, 3), c, m), d.rand(1, 1, c * m, d.int(1, 3))], {"padding": d.pick("valid", "same")} | d.options(0.4, strides=[1, 2])


@op("conv_transpose")
def conv_transpose(d):
    n = d.int(1, 3)
    s = d.int(1, 3)
    return [d.rand(1, *d.dims(n, 1, 4), d.int(1, 2)), None, s], {"padding": d.pick("valid", "same")} | (d.options(0.3, output_padding=[0, 1]) if s > 1 else {})


@op("max_pool", "average_pool")
def pools(d, n):
    k = d.int(1, 3)
    return [d.rand(d.int(1, 2), *d.dims(k, 3, 6 if k < 3 else 4), d.int(1, 3)), d.one_or_each(k, 1, 3)], nd_options(d, k)


@op("layer_normalization", "rms_normalization")
def norms(d, n):
    s = d.dims(d.int(1, 3), 2)
    axis = d.pick(-1, len(s) - 1)
    kw = {"axis": axis} if d.maybe(0.6) else {}
    kw |= d.options(0.4, epsilon=[0.1])
    args = [d.rand(*s)]
    if d.maybe(0.7):
        args += [d.rand(s[-1]), d.rand(s[-1])] if n[0] == "l" else [d.rand(s[-1])]
    return args, kw


@op("normalize")
def normalize(d):
    s = d.dims(d.int(1, 3))
    return [d.rand(*s)], d.options(0.6, axis=[-1, 0], order=[1, 2, 3], epsilon=[0.1])


@op("moments")
def moments(d):
    s = d.dims(d.int(1, 4))
    a = axis_of(d, len(s), none=False)
    return [d.rand(*s, dtype=d.pick("float32", "float16")), a if isinstance(a, list) else [a]], d.options(0.4, keepdims=[True])


@op("dot_product_attention")
def attention(d):
    b, t, s, h, e, v = d.int(1, 2), *d.dims(5, hi=4)
    g = h * d.pick(1, 1, 2)
    kw = d.options(0.3, scale=[0.5])
    if d.maybe(0.4):
        kw["mask"] = d.bools(*d.pick((b, g, t, s), (b, 1, t, s), (1, 1, t, s)), p=0.7)
    elif d.maybe(0.3):
        kw["is_causal"] = True
    if d.maybe(0.3):
        kw["bias"] = d.rand(*d.pick((b, g, t, s), (b, 1, t, s), (1, g, t, s)))
    return [d.rand(b, t, g, e), d.rand(b, s, h, e), d.rand(b, s, h, e)], kw


@op("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")
def crossentropies(d, n):
    s = d.dims(d.int(1, 3), 2)
    logits = d.maybe()
    if n[0] == "b":
        return [d.rand(*s, lo=0, hi=1), d.rand(*s) if logits else d.rand(*s, lo=0.02, hi=0.98)], {"from_logits": logits}
    p = d.rand(*s) if logits else d.probabilities(*s)
    return [d.probabilities(*s) if n[0] == "c" else d.ints(s[-1], *s[:-1]), p], {"from_logits": logits}


@op("segment_sum", "segment_max")
def segments(d, n):
    k = d.int(2, 6)
    return [d.rand(k, *d.dims(d.int(0, 2), hi=3)), np.sort(d.ints(4, k))], {"num_segments": d.int(4, 6), "sorted": False}


@op("scatter")
def scatter(d):
    k, n = d.int(1, 5), d.int(1, 4)
    return [d.ints(n, k, 1), d.rand(k), [n]], {}


@op("scatter_update")
def scatter_update(d):
    a, b = d.dims(2, 2, 4)
    at = d.r.permutation(a * b)[: d.int(1, 4)]
    return [d.rand(a, b), np.stack([at // b, at % b], 1).astype(np.int32), d.rand(len(at))], {}


@op("cdist")
def cdist(d):
    a, b, c = d.dims(3)
    return [d.rand(a, c), d.rand(b, c)], {}


@op("image.resize")
def resize(d):
    first = d.maybe(0.2)
    s = [d.int(2, 6), d.int(2, 6)]
    c = d.int(1, 3)
    kw = d.options(0.7, interpolation=["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]) | d.pick({}, {}, {"antialias": True}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True})
    if first:
        kw["data_format"] = "channels_first"
    return [d.rand(2, c, *s) if first else d.rand(2, *s, c), [d.int(1, 8), d.int(1, 8)]], kw


@op("image.affine_transform")
def affine(d):
    t = np.array([[1, 0, 0, 0, 1, 0, 0, 0]] * 2, np.float32) + d.rand(2, 8, lo=-0.4, hi=0.4) * np.array([1, 1, 5, 1, 1, 5, 0, 0], np.float32)
    return [d.rand(2, *d.dims(2, 2, 5), d.int(1, 3)), t.astype(np.float32)], d.options(0.6, interpolation=["nearest", "bilinear"], fill_mode=["constant", "nearest", "wrap", "reflect", "mirror"], fill_value=[0.5])


@op("image.map_coordinates")
def map_coordinates(d):
    s = d.dims(d.int(1, 3), 2, 5)
    return [d.rand(*s), d.rand(len(s), *d.dims(d.int(1, 2)), lo=-3, hi=7), d.pick(0, 1)], d.options(0.7, fill_mode=["constant", "nearest", "wrap", "mirror", "reflect"], fill_value=[0.5])


@op("image.extract_patches")
def patches(d):
    return [d.rand(2, *d.dims(2, 4, 7), d.int(1, 2)), d.one_or_each(2, 1, 3)], d.options(0.5, strides=[1, 2, [2, 1]], padding=["same", "valid"])


def positive_definite(d, n):
    a = d.rand(n, n)
    return (a @ a.T + n * np.eye(n)).astype(np.float32)


@op("inv", "det", "solve", "cholesky", "logdet", "slogdet", "matrix_rank", "pinv")
def linalg(d, n):
    k = d.int(1, 5)
    a = positive_definite(d, k)
    return ([a, d.rand(k, d.int(1, 3)) if d.maybe(0.7) else d.rand(k)] if n == "solve" else [a]), {}


@op("norm")
def norm(d):
    s = d.dims(d.int(1, 3))
    kw = {"axis": d.int(-len(s), len(s) - 1)} | d.options(0.6, ord=[1, 2, 3, "inf", "-inf", 0]) if d.maybe(0.7) else {}
    return [d.rand(*s)], kw | d.options(0.3, keepdims=[True])


@op("searchsorted", "digitize", "isin", "in_top_k", "bincount", "unravel_index")
def lookups(d, n):
    t = d.pick("float32", "int32")
    if n == "searchsorted":
        return [np.sort(d.values([d.int(1, 6)], t)), d.values(d.dims(d.int(1, 2)), t)], d.options(0.5, side=["right"])
    if n == "digitize":
        return [d.values(d.dims(d.int(1, 2)), t), np.unique(d.values([d.int(1, 5)], t))], {}
    if n == "isin":
        return [d.ints(6, *d.dims(d.int(1, 2))), d.ints(6, *d.dims(1))], d.options(0.5, invert=[True])
    if n == "in_top_k":
        b, c = d.int(1, 4), d.int(2, 5)
        return [d.ints(c, b), d.rand(b, c), d.int(1, c)], {}
    if n == "bincount":
        k = d.int(1, 7)
        return [d.ints(5, k)], d.options(0.5, minlength=[3, 8], weights=[d.rand(k)])
    return [d.ints(12, d.int(1, 4)), [3, 4]], {}


def function(name):
    f = ops
    for part in name.split("."):
        f = getattr(f, part)
    return f


def as_call(value):
    if isinstance(value, np.ndarray):
        return tf.constant(value)
    if isinstance(value, list):
        made = [as_call(v) for v in value]
        return tuple(made) if all(isinstance(v, (int, float, tuple)) for v in made) else made
    return {"inf": np.inf, "-inf": -np.inf}.get(value, value) if isinstance(value, str) else value


def as_json(value):
    if isinstance(value, np.ndarray):
        return array(value)
    return [as_json(v) for v in value] if isinstance(value, list) else value


def op_line(ident, d, name, made=None):
    args, kwargs = made or OPS[name](d)
    if name == "conv_transpose":
        n = args[0].ndim - 2
        args[1] = d.rand(*d.dims(n, 1, 3), d.int(1, 2), args[0].shape[-1])
    call, named = [as_call(a) for a in args], {k: as_call(v) for k, v in kwargs.items()}
    arrays = [v for v in tf.nest.flatten(call) if isinstance(v, tf.Tensor)]
    with tf.GradientTape() as tape:
        tape.watch([v for v in arrays if is_float(v)])
        outputs = [tf.convert_to_tensor(o) for o in tf.nest.flatten(function(name)(*call, **named)) if o is not None]
        cotangents = [d.rand(*o.shape, lo=-1, hi=1, dtype=o.dtype.name) if is_float(o) else None for o in outputs]
        total = weighted_total(outputs, cotangents)
    line = {"id": ident, "kind": "op"} | tolerances(*(o.dtype.name for o in outputs), *(a.dtype.name for a in arrays))
    line |= {"op": name, "args": [as_json(a) for a in args], "kwargs": {k: as_json(v) for k, v in kwargs.items()}, "outputs": [array(o) for o in outputs]}
    return line | gradient_fields(tape, total, arrays, cotangents, array)


ACTIVATIONS = ("relu relu6 leaky_relu elu selu gelu silu sigmoid tanh softmax log_softmax softplus softsign exponential linear hard_sigmoid hard_silu mish log_sigmoid celu glu hard_tanh hard_shrink soft_shrink "
               "tanh_shrink threshold squareplus sparsemax sparse_plus sparse_sigmoid").split()  # fmt: skip


def activation_line(ident, d, name):
    kw = {"relu": {"negative_slope": [0.1, 0.5], "max_value": [1.0, 2.5], "threshold": [0.5, 0.2]}, "leaky_relu": {"negative_slope": [0.01, 1.2]}, "elu": {"alpha": [0.5, 2.0]}, "celu": {"alpha": [0.5, 2.0]}, "gelu": {"approximate": [True]},
          "softmax": {"axis": [0, -2, 1]}, "log_softmax": {"axis": [0, -2, 1]}, "sparsemax": {"axis": [0, -1]}, "glu": {"axis": [0, 1, -1]}, "hard_shrink": {"threshold": [0.2, 1.0]}, "soft_shrink": {"threshold": [0.2, 1.0]},
          "threshold": {"threshold": [0.2], "default_value": [-1.0]}, "squareplus": {"b": [1.0, 8]}}.get(name, {})  # fmt: skip
    kwargs = {"threshold": 0.3, "default_value": 0.7} if name == "threshold" else d.options(0.5, **kw)
    x = d.rand(*[2 * v for v in d.dims(d.int(2, 3), hi=3)], lo=-4, hi=4, dtype=d.pick("float32", "float32", "float64", "float16"))
    c = d.rand(*x.shape, lo=-1, hi=1, dtype=str(x.dtype))
    t = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(t)
        y = getattr(keras.activations, name)(t, **kwargs)
        if y.shape != t.shape:
            c = d.rand(*y.shape, lo=-1, hi=1, dtype=str(x.dtype))
        total = tf.reduce_sum(y * c)
    line = {"id": ident, "kind": "activation"} | tolerances(str(x.dtype)) | {"name": name, "x": array(x), "y": array(y), "cotangent": array(c), "grad": array(tape.gradient(total, t))}
    return line | ({"kwargs": kwargs} if kwargs else {})


def makers():
    for name in OPS:
        yield f"op/{name}", lambda ident, d, name=name: op_line(ident, d, name)
    from random_odd import ODD

    for name in ODD:
        yield f"op/{name}/odd", lambda ident, d, name=name: op_line(ident, d, name, ODD[name](d))
    for name in ACTIVATIONS:
        yield f"activation/{name}", lambda ident, d, name=name: activation_line(ident, d, name)
