"""Random calls of the less common keras.ops, and of the common ones with their less common arguments: ODD[name](draw) -> (args, kwargs)."""

import numpy as np
from random_ops import any_dtype, axis_of, entries_of, pair_shapes, positive_definite, tensor

ODD = {}
odd = entries_of(ODD)


@odd("angle", "imag", "conjugate", "copy", "bitwise_not", "bitwise_invert", "fabs", "ravel", "ndim", "size", "stop_gradient", "swish", "hard_swish", "tan", "full_like", "ones_like", "zeros_like", "nan_to_num")
def unary(d, n):
    x = d.values(d.dims(d.int(0, 4), hi=4), any_dtype(d))
    if n.startswith("bitwise"):
        return [d.ints(9, *x.shape, lo=-4, dtype=d.pick("int32", "int64", "int8"))], {}
    if n in ("tan", "swish", "hard_swish", "fabs", "imag", "conjugate", "angle"):
        x = d.rand(*x.shape, lo=-1.4, hi=1.4, dtype=d.pick("float32", "float32", "float64"))
    if n == "nan_to_num":
        x = np.where(d.bools(*x.shape, p=0.3), np.float32(d.pick(np.nan, np.inf, -np.inf)), d.rand(*x.shape)).astype(np.float32)
        return [x], d.options(0.5, nan=[0.5, -1.0], posinf=[7.0], neginf=[-3.0])
    return [x, d.pick(2, 0.5, True)] if n == "full_like" else [x], d.options(0.3, dtype=["float16", "int32", "bool", "float32"]) if n.endswith("_like") else {}


@odd("threshold")
def threshold(d):
    return [d.rand(*d.dims(2)), d.pick(0.3, -0.5), d.pick(1.0, 0, -2.5)], {}


@odd("append")
def append(d):
    s = d.dims(d.int(1, 3))
    axis = d.pick(None, *range(-len(s), len(s)))
    t = list(s)
    if axis is not None:
        t[axis] = d.int(0, 3)
    return [d.values(s, any_dtype(d)), d.values(t, any_dtype(d))], {} if axis is None else {"axis": axis}


@odd("average")
def average(d):
    s = d.dims(d.int(1, 3))
    axis = d.pick(None, *range(-len(s), len(s)))
    kw = {} if axis is None else {"axis": axis}
    if d.maybe(0.6):
        kw["weights"] = d.rand(*(s if axis is None or d.maybe() else [s[axis]]), lo=0.1)
    return [d.values(s, d.pick("float32", "int32", "float64", "float16"))], kw


@odd("bartlett", "blackman", "hamming", "hanning", "kaiser")
def windows(d, n):
    return [d.int(1, 9)] + ([d.pick(0.0, 5.0, 14)] if n == "kaiser" else []), {}


@odd("broadcast_to")
def broadcast_to(d):
    full = d.dims(d.int(1, 4))
    cut = [1 if d.maybe(0.4) else v for v in full][d.int(0, len(full) - 1) :]
    return [d.values(cut, any_dtype(d)), full], {}


@odd("corrcoef")
def corrcoef(d):
    return [d.rand(d.int(1, 4), d.int(3, 6))], {}


@odd("correlate", "vander", "diagflat", "ptp", "trapezoid", "heaviside", "ldexp", "logaddexp2", "nextafter", "fmod", "polar_skip", "geomspace", "unique_skip")
def several(d, n):
    if n == "correlate":
        return [d.rand(d.int(1, 6)), d.rand(d.int(1, 6))], d.options(0.7, mode=["valid", "same", "full"])
    if n == "vander":
        return [d.values(d.dims(1), d.pick("float32", "int32"))], d.options(0.5, N=[1, 3, 5], increasing=[True])
    if n == "diagflat":
        return [d.values(d.dims(d.int(0, 2), hi=3), any_dtype(d))], d.options(0.5, k=[-2, -1, 1])
    if n == "ptp":
        s = d.dims(d.int(1, 3))
        a = axis_of(d, len(s))
        return [d.values(s, d.pick("float32", "int32", "float16"))], ({} if a is None else {"axis": a}) | d.options(0.3, keepdims=[True])
    if n == "trapezoid":
        s = d.dims(d.int(1, 3), lo=2)
        axis = d.int(-len(s), len(s) - 1)
        return [d.rand(*s)], {"axis": axis} | d.options(0.4, dx=[0.5, 2.0]) | ({"x": np.sort(d.rand(s[axis]))} if d.maybe(0.3) else {})
    if n == "geomspace":
        return [d.num(0.5, 3), d.num(0.5, 9)], d.options(0.5, num=[1, 2, 5], endpoint=[False])
    a, b = pair_shapes(d)
    if n == "ldexp":
        return [d.rand(*a), d.ints(5, *b, lo=-4)], {}
    x, y = d.rand(*a), d.rand(*b)
    if n == "heaviside":
        return [np.round(x), y], {}
    return [x, np.where(y == 0, np.float32(1), y)], {}


@odd("depth_to_space", "space_to_depth")
def depth_space(d, n):
    k = d.pick(1, 2, 3)
    h, w, c = d.dims(3, hi=3)
    first = d.maybe(0.3)
    s = (c * k * k, h, w) if n[0] == "d" and first else (h, w, c * k * k) if n[0] == "d" else (c, h * k, w * k) if first else (h * k, w * k, c)
    return [d.rand(d.int(1, 2), *s), k], {"data_format": "channels_first"} if first else {}


@odd("adaptive_average_pool", "adaptive_max_pool")
def adaptive(d, n):
    k = d.int(1, 3)
    first = d.maybe(0.3)
    sp = d.dims(k, 3, 6)
    return [d.rand(d.int(1, 2), *(([2] + sp) if first else (sp + [2]))), d.one_or_each(k, 2, 3)], {"data_format": "channels_first"} if first else {}


@odd("batch_normalization")
def batch_normalization(d):
    s = d.dims(d.int(2, 4))
    axis = d.int(-len(s), len(s) - 1)
    c = s[axis]
    kw = {"axis": axis} | d.options(0.4, epsilon=[0.1]) | ({"offset": d.rand(c)} if d.maybe() else {}) | ({"scale": d.rand(c)} if d.maybe() else {})
    return [d.rand(*s), d.rand(c), d.rand(c, lo=0.2)], kw


@odd("dsplit", "hsplit", "vsplit")
def splits(d, n):
    rank = {"dsplit": 3, "hsplit": d.int(1, 3), "vsplit": d.int(2, 3)}[n]
    s = d.dims(rank, hi=3)
    axis = {"dsplit": 2, "hsplit": 1 if rank > 1 else 0, "vsplit": 0}[n]
    k = d.int(1, 3)
    s[axis] = k * d.int(1, 2)
    return [d.values(s, any_dtype(d)), k if d.maybe(0.7) else [1]], {}


@odd("cholesky_inverse", "eigh", "qr", "svd", "lu_factor", "lstsq", "solve_triangular")
def linalg(d, n):
    k, m = d.int(1, 4), d.int(1, 3)
    if n == "cholesky_inverse":
        return [np.linalg.cholesky(positive_definite(d, k)).astype(np.float32)], d.options(0.3, upper=[False])
    if n == "solve_triangular":
        a = np.tril(d.rand(k, k)) + 3 * np.eye(k, dtype=np.float32)
        lower = d.maybe()
        return [np.ascontiguousarray(a if lower else a.T).astype(np.float32), d.rand(k, m)], {"lower": lower}
    if n == "lstsq":
        return [d.rand(k + 3, k), d.rand(k + 3, m) if d.maybe() else d.rand(k + 3)], {}
    if n == "svd":
        return [positive_definite(d, k)], {"compute_uv": False}
    if n == "eigh":
        return [np.diag(np.arange(1, k + 1)).astype(np.float32)], {}
    if n == "qr":
        return [np.diag(np.arange(1, k + 1)).astype(np.float32)], d.options(0.5, mode=["complete"])
    return [positive_definite(d, k)], {}


@odd("extract_sequences", "rfft", "irfft", "stft", "fft", "fft2", "ifft2")
def spectra(d, n):
    if n == "extract_sequences":
        return [d.rand(*d.dims(d.int(0, 2)), d.int(6, 12)), d.int(2, 5), d.int(1, 4)], {}
    if n == "rfft":
        return [d.rand(*d.dims(d.int(0, 2)), d.int(4, 9))], d.options(0.5, fft_length=[4, 12])
    if n == "stft":
        return [d.rand(*d.dims(d.int(0, 1)), d.int(20, 30)), 6, d.int(2, 4), 8], d.options(0.4, window=["hann", "hamming", None], center=[False])
    x = d.dims(d.int(0, 1)) + ([d.int(2, 5), d.int(2, 5)] if n.endswith("2") else [d.int(3, 6)])
    return [[d.rand(*x), d.rand(*x)]], d.options(0.4, fft_length=[6]) if n == "irfft" else {}


@odd("fold", "unfold")
def folds(d, n):
    k, s = d.int(1, 3), d.int(1, 2)
    kw = d.options(0.4, padding=[1], dilation=[1]) | {"stride": s}
    if n == "unfold":
        return [d.rand(d.int(1, 2), d.int(1, 2), d.int(4, 6), d.int(4, 6)), k], kw
    p = kw.get("padding", 0)
    h = 6
    cols = ((h + 2 * p - k) // s + 1) ** 2
    return [d.rand(1, 2 * k * k, cols), [h, h], k], kw


@odd("full", "ones", "zeros", "identity")
def made(d, n):
    kw = d.options(0.5, dtype=["float32", "int32", "bool", "float16", "int64"])
    return ([d.int(1, 4)] if n == "identity" else [d.dims(d.int(0, 3))] + ([d.pick(2, 0.5)] if n == "full" else [])), kw


@odd("get_item", "select", "unstack", "meshgrid", "rearrange", "fliplr", "flipud", "multi_hot", "nonzero", "histogram", "shape")
def structure(d, n):
    x, s = tensor(d, 2, 3)
    if n == "get_item":
        return [x, d.pick(0, -1, [0, -1], s[0] - 1)], {}
    if n == "select":
        return [[d.bools(*s), d.bools(*s)], [d.rand(*s), d.rand(*s)]], d.options(0.5, default=[0.5])
    if n == "unstack":
        axis = d.int(-len(s), len(s) - 1)
        return [x], {"axis": axis}
    if n == "meshgrid":
        return [d.rand(d.int(1, 3)) for _ in range(d.int(1, 3))], d.options(0.5, indexing=["ij", "xy"])
    if n == "rearrange":
        a, b, c = d.dims(3, hi=3)
        return [d.rand(2 * a, b, c), d.pick("(x a) b c -> a b (c x)", "(x a) b c -> x a (b c)", "(x a) b c -> c b a x")], {"x": 2}
    if n == "multi_hot":
        return [d.ints(5, *d.dims(d.int(1, 2)), lo=-1)], {"num_classes": 5} | d.options(0.4, dtype=["int32", "float16"])
    if n == "histogram":
        return [d.rand(*d.dims(d.int(1, 2)))], d.options(0.6, bins=[3, 7], range=[[-1, 1]])
    return [x], {}


@odd("nanargmax", "nanargmin", "nancumsum", "nancumprod", "nanmedian", "nanpercentile", "nanquantile")
def nans(d, n):
    s = d.dims(d.int(1, 3), lo=2)
    x = d.rand(*s)
    x.ravel()[d.int(0, x.size - 1)] = np.nan
    kw = {"axis": d.int(-len(s), len(s) - 1)} if d.maybe(0.7) else {}
    if n in ("nanmedian", "nanpercentile", "nanquantile"):
        kw |= d.options(0.3, keepdims=[True])
    if n[3:] in ("percentile", "quantile"):
        q = d.pick(0.3, 0.5)
        return [x, q * 100 if n == "nanpercentile" else q], kw
    return [x], kw


@odd("psnr")
def psnr(d):
    s = d.dims(3)
    return [d.rand(*s, lo=0, hi=1), d.rand(*s, lo=0, hi=1), d.pick(1.0, 255)], {}


@odd("segment_min", "segment_prod")
def segments(d, n):
    k = d.int(2, 6)
    return [d.rand(k, *d.dims(d.int(0, 2), hi=3)), np.sort(d.ints(4, k))], {"num_segments": d.int(4, 6)}


@odd("bitwise_left_shift", "bitwise_right_shift")
def shifts(d, n):
    a, b = pair_shapes(d)
    t = d.pick("int32", "int64", "uint8", "int8")
    return [d.ints(9, *a, dtype=t), d.ints(3, *b, dtype=t)], {}


@odd("sum", "mean", "max", "min", "prod", "var", "std", "logsumexp", "all", "any")
def reductions(d, n):
    s = d.dims(d.int(1, 4), lo=1)
    kw = d.options(0.6, axis=[[], list(range(len(s))), [-1], [0, -1] if len(s) > 1 else [0]], keepdims=[True, False])
    if n in ("max", "min") and d.maybe(0.3):
        kw["initial"] = d.pick(0.5, -1.0)
    return [d.bools(*s) if n in ("all", "any") else d.values(s, d.pick("float32", "float16", "bfloat16", "float64", "int32" if n not in ("std", "logsumexp") else "float32"))], kw


@odd("argmax", "argmin", "sort", "argsort", "cumsum", "cumprod", "softmax", "log_softmax", "flip", "roll", "median", "diff", "count_nonzero")
def ties(d, n):
    s = d.dims(d.int(1, 3), lo=1)
    x = np.round(d.rand(*s)).astype(d.pick("float32", "float32", "int32") if "soft" not in n and n not in ("median",) else "float32")
    kw = {"axis": d.pick(-1, 0, -len(s))} if d.maybe() else {}
    if n in ("cumsum", "cumprod"):
        kw |= d.options(0.4, dtype=["float32", "int64", "float16"])
    if n == "roll":
        return [x, d.pick([1, 2], [-1, 3])], {"axis": [0, len(s) - 1]} if len(s) > 1 else {"axis": [0, 0]}
    if n == "diff":
        return [d.rand(*[v + 3 for v in s])], kw | {"n": d.int(0, 3)}
    if n == "median" and d.maybe(0.4):
        kw["axis"] = list(range(len(s)))
    if n == "count_nonzero" and d.maybe(0.4):
        kw["axis"] = list(range(len(s)))
    return [x], kw


@odd("take", "repeat", "tile", "one_hot", "clip", "pad", "linspace", "isclose", "allclose", "where", "einsum", "top_k", "tri", "normalize", "squeeze", "split")
def arguments(d, n):
    x, s = tensor(d, 1, 3)
    if n == "take":
        return [x, d.ints(int(np.prod(s)), *d.dims(d.int(0, 2)))], {}
    if n == "repeat":
        return [x, d.pick(0, 1, 3)], {}
    if n == "tile":
        return [x, [d.int(1, 2) for _ in range(d.int(1, len(s) + 1))]], {}
    if n == "one_hot":
        return [d.ints(4, *d.dims(d.int(1, 2))).astype("float32") if False else d.ints(4, *d.dims(d.int(1, 2))), 4], {"axis": d.pick(-1, 0, 1), "dtype": d.pick("float32", "int32", "bool", "bfloat16")}
    if n == "clip":
        return [d.values(s, any_dtype(d)), d.rand(*s, lo=-1, hi=0) if d.maybe(0.3) else -0.5, d.rand(*s, lo=0, hi=1) if d.maybe(0.3) else 0.5], {}
    if n == "pad":
        return [d.values([v + 1 for v in s], any_dtype(d)), d.pick(1, [1], [0, 1], [[1, 0]])], d.options(0.4, mode=["reflect", "symmetric"])
    if n == "linspace":
        return [d.rand(2), d.rand(2)], {"num": d.int(2, 4)} | d.options(0.5, axis=[0, -1, 1], endpoint=[False])
    if n in ("isclose", "allclose"):
        y = d.rand(*s)
        return [y, (y + d.pick(0, 1e-6, 1e-3, np.nan)).astype("float32")], d.options(0.5, rtol=[1e-2], atol=[1e-2], equal_nan=[True])
    if n == "where":
        return [np.round(d.rand(*s)).astype("float32"), d.rand(*s), d.rand(1)], {}
    if n == "einsum":
        eq, a, b = d.pick(("ij,jk", (2, 3), (3, 4)), ("ab,cb->ca", (2, 3), (4, 3)), ("bij,bjk->bki", (2, 3, 2), (2, 2, 4)), ("...i,i->...", (2, 3, 2), (2,)), ("ij,ij->j", (3, 2), (3, 2)), ("abc,cd->abd", (2, 3, 2), (2, 4)))
        t = d.pick("float32", "float16", "int32", "int8", "bfloat16")
        return [eq, d.values(a, t), d.values(b, t)], {}
    if n == "top_k":
        v = np.round(d.rand(*s)).astype("float32")
        return [v, d.int(1, s[-1])], d.options(0.5, sorted=[False] if False else [True])
    if n == "tri":
        return [d.int(1, 4)], {"M": d.int(1, 4), "k": d.int(-2, 2), "dtype": d.pick("int32", "float16", "bool")}
    if n == "normalize":
        return [d.rand(*s)], {"axis": d.pick(-1, 0, None, list(range(len(s)))), "order": d.pick(1, 2, "inf")}
    if n == "squeeze":
        return [d.rand(1, *s, 1)], {"axis": d.pick([0, -1], 0, -1, None)}
    return [d.values([6, *s], any_dtype(d)), d.pick(3, [1, 4], [2], [0, 6])], {}


@odd("conv", "conv_transpose_first", "depthwise_conv", "separable_conv", "max_pool", "average_pool")
def channels_first(d, n):
    k = d.int(1, 2)
    c = d.int(1, 3)
    x = d.rand(2, c, *d.dims(k, 6, 9))
    kw = {"data_format": "channels_first", "padding": d.pick("valid", "same")} | d.options(0.5, strides=[1, 2])
    if "pool" in n:
        return [x, d.one_or_each(k, 1, 3)], kw
    if n == "conv":
        return [x, d.rand(*d.dims(k, 1, 3), c, d.int(1, 3))], kw
    if n == "depthwise_conv":
        return [x, d.rand(*d.dims(k, 1, 3), c, d.int(1, 2))], kw
    m = d.int(1, 2)
    return [x, d.rand(*d.dims(k, 1, 3), c, m), d.rand(*[1] * k, c * m, d.int(1, 3))], kw


for unreal in [n for n in ODD if "_skip" in n or n.endswith("_first")]:
    del ODD[unreal]
