"""Random losses, metrics, optimizers, schedules, regularizers, constraints, initializers, utilities, summaries and fits."""

import json
import os

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from random_draw import TOLERANCES, array, plain_json, tolerances

K, M, O = keras.losses, keras.metrics, keras.optimizers
REDUCTIONS = ["sum_over_batch_size", "sum", "none", "mean", "mean_with_sample_weight"]


def plain(value):
    """A get_config value; two of Keras 3.15's leave an argument out."""
    config = keras.saving.serialize_keras_object(value)["config"]
    if isinstance(value, K.Huber):
        config = config | {"delta": value._fn_kwargs.get("delta", 1.0)}
    if isinstance(value, K.CosineSimilarity):
        config = config | {"axis": value._fn_kwargs.get("axis", -1)}
    if isinstance(value, keras.initializers.Identity):
        config = config | {"gain": value.gain}
    return {"class_name": type(value).__name__, "config": json.loads(json.dumps(config, default=plain_json))}


def weight_list(variables):
    return [{"path": v.path, "value": array(np.array(v.value))} for v in variables]


# losses -------------------------------------------------------------------------------------------------------------
def loss_weight(d, shape):
    if d.maybe(0.4):
        return None
    # (batch,) against several axes per sample broadcasts by accident where the extents allow it; Glia refuses that
    return d.rand(*d.pick(shape[:-1] or shape[:1], (shape[0], *[1] * max(len(shape) - 2, 0))), lo=0, hi=2)


def one_hot(d, n, c):
    return np.eye(c, dtype=np.float32)[d.ints(c, *n)]


def loss_case(d, name):
    kw = d.options(0.6, reduction=REDUCTIONS)
    shape = d.dims(d.int(2, 4), hi=4)
    logits = d.maybe()
    if name in ("SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy"):
        c = d.int(2, 5)
        p = d.rand(*shape, c) if logits and name[0] == "S" else d.probabilities(*shape, c)
        y = d.ints(c, *shape, dtype=d.pick("int32", "int64", "uint8", "float32"))
        if name[0] == "S":
            kw |= {"from_logits": logits} | d.options(0.2, ignore_class=[0, 1])
            y = y[..., None] if d.maybe(0.2) else y
        else:
            p, y = d.probabilities(shape[0], c), d.ints(c, shape[0])
            kw |= d.options(0.5, q=[0.2, 0.7])
            shape = [shape[0], c]
        return getattr(K, name)(**kw), y, p, loss_weight(d, tuple(shape) + (c,))
    if name in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy"):
        c = d.int(2, 5)
        kw |= {"from_logits": logits} | d.options(0.3, label_smoothing=[0.1, 0.3])
        if "Focal" in name:
            kw |= d.options(0.4, alpha=[0.5], gamma=[1.0, 3.0])
        return getattr(K, name)(**kw), one_hot(d, shape[:-1], c), d.rand(*shape[:-1], c) if logits else d.probabilities(*shape[:-1], c), loss_weight(d, tuple(shape))
    if name in ("BinaryCrossentropy", "BinaryFocalCrossentropy"):
        kw |= {"from_logits": logits} | d.options(0.3, label_smoothing=[0.1, 0.3])
        if "Focal" in name:
            kw |= d.options(0.4, alpha=[0.5], gamma=[1.0, 3.0], apply_class_balancing=[True])
        return getattr(K, name)(**kw), d.ints(2, *shape, dtype=d.pick("float32", "int32", "bool")), d.rand(*shape) if logits else d.rand(*shape, lo=0.02, hi=0.98), loss_weight(d, tuple(shape))
    if name in ("Dice", "Tversky"):
        kw = d.options(0.5, reduction=["sum", "sum_over_batch_size"]) | d.options(0.4, axis=[[1], [1, 2], [-1]] if len(shape) > 2 else [[1]]) | (d.options(0.4, alpha=[0.3], beta=[0.7]) if name[0] == "T" else {})
        return getattr(K, name)(**kw), d.ints(2, *shape).astype(np.float32), d.rand(*shape, lo=0, hi=1), None
    if name == "CTC":
        return K.CTC(**kw), d.ints(4, 2, 3, lo=1), d.rand(2, d.int(6, 8), 5), None
    if name == "Circle":
        e = d.rand(6, 4)
        return K.Circle(**(d.options(0.5, gamma=[16.0], margin=[0.2]) | d.options(0.3, reduction=["sum"]))), d.ints(3, 6), (e / np.linalg.norm(e, axis=1, keepdims=True)).astype(np.float32), None
    if name == "Huber":
        kw |= d.options(0.5, delta=[0.3, 2.0])
    if name == "CosineSimilarity":
        kw |= d.options(0.4, axis=[-1, 1])
    positive = name in ("Poisson", "KLDivergence", "MeanSquaredLogarithmicError", "MeanAbsolutePercentageError")
    p = d.rand(*shape, lo=0.05 if positive else -2)
    y = d.ints(2, *shape).astype(np.float32) if "Hinge" in name else d.rand(*shape, lo=0.05 if positive else -2)
    if shape[-1] == 1 and d.maybe():
        y = y[..., 0]
    return getattr(K, name)(**kw), y, p, loss_weight(d, tuple(shape))


LOSSES = [n for n in dir(K) if isinstance(getattr(K, n), type) and issubclass(getattr(K, n), K.Loss) and n != "Loss"]


def loss_line(ident, d, name):
    loss, y, p, w = loss_case(d, name)
    pred = tf.constant(p)
    with tf.GradientTape() as tape:
        tape.watch(pred)
        value = loss(tf.constant(y), pred, sample_weight=w)
        total = tf.reduce_sum(value)
    return {"id": ident, "kind": "loss"} | tolerances() | {"loss": plain(loss), "y_true": array(y), "y_pred": array(p), "sample_weight": None if w is None else array(w), "value": array(value),
                                                          "grad_pred": array(tape.gradient(total, pred))}  # fmt: skip


# metrics ------------------------------------------------------------------------------------------------------------
METRICS = [n for n in dir(M) if isinstance(getattr(M, n), type) and issubclass(getattr(M, n), M.Metric) and n not in ("Metric", "MeanMetricWrapper")]
CONFUSION = ("AUC", "Precision", "Recall", "TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives", "PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity")


def metric_case(d, name):
    n, c = d.int(2, 7), d.int(2, 4)
    weighted = d.maybe(0.4)
    w = lambda *s: d.rand(*s, lo=0, hi=2) if weighted else None
    times = range(d.int(1, 3))
    cls = getattr(M, name)
    if name in ("Mean", "Sum"):
        return cls(), [(d.rand(*d.pick((n,), (n, c), ())), None, None) for _ in times]
    if name in ("Accuracy", "MeanIoU", "IoU"):
        kw = {"num_classes": c} if "IoU" in name else {}
        if name == "IoU":
            kw["target_class_ids"] = d.pick([0], [1], [0, 1])
        if name != "Accuracy":
            kw |= d.options(0.3, ignore_class=[0, 1])
        return cls(**kw), [(d.ints(c, n), d.ints(c, n), w(n)) for _ in times]
    if name in ("OneHotIoU", "OneHotMeanIoU"):
        kw = {"num_classes": c} | ({"target_class_ids": d.pick([0], [0, 1])} if name == "OneHotIoU" else {}) | d.options(0.3, ignore_class=[1])
        return cls(**kw), [(one_hot(d, (n,), c), d.probabilities(n, c), w(n)) for _ in times]
    if name.startswith("Sparse"):
        kw = d.options(0.6, k=[1, 2, 3]) if "TopK" in name else (d.options(0.4, ignore_class=[0]) if "Cross" in name else {})
        shape = d.pick((n,), (n, 2))
        y = lambda: (lambda v: v[..., None] if d.maybe(0.2) else v)(d.ints(c, *shape))
        return cls(**kw), [(y(), d.probabilities(*shape, c), w(n)) for _ in times]
    if name in ("CategoricalAccuracy", "TopKCategoricalAccuracy", "CategoricalCrossentropy", "F1Score", "FBetaScore"):
        kw = d.options(0.6, k=[1, 2]) if "TopK" in name else {}
        if "Score" in name:
            kw = d.options(0.6, average=["micro", "macro", "weighted", None], threshold=[0.3, 0.6]) | (d.options(0.5, beta=[0.5, 2.0]) if name[1] == "B" else {})
        if "Cross" in name:
            kw = d.options(0.4, label_smoothing=[0.2])
        return cls(**kw), [(one_hot(d, (n,), c), d.probabilities(n, c), w(n)) for _ in times]
    if name in CONFUSION or name in ("BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU"):
        shape = d.pick((n,), (n, 1), (n, c))
        kw = {}
        if name == "AUC":
            kw = d.options(0.4, num_thresholds=[5, 30], curve=["PR", "ROC"], summation_method=["interpolation", "minoring", "majoring"]) | ({"multi_label": True} if len(shape) == 2 and d.maybe(0.3) else {}) | d.options(0.15, from_logits=[True])
            if kw.get("multi_label"):
                kw["num_labels"] = shape[1]
        elif "At" in name:
            kw = {"recall" if name.endswith("Recall") else "precision" if name.endswith("Precision") else "specificity" if name.endswith("Specificity") else "sensitivity": d.pick(0.3, 0.5, 0.8)} | d.options(0.5, num_thresholds=[1, 20])
        elif name in ("Precision", "Recall"):
            kw = d.options(0.5, thresholds=[0.3, [0.2, 0.6]]) | (d.options(0.4, class_id=[0, 1]) if len(shape) == 2 and shape[1] > 1 else {})
            if len(shape) == 2 and shape[1] > 1 and d.maybe(0.3):
                kw["top_k"] = d.int(1, 2)
        elif name[:4] in ("True", "Fals"):
            kw = d.options(0.5, thresholds=[0.3, [0.2, 0.6]])
        elif name == "BinaryIoU":
            kw = d.options(0.5, target_class_ids=[[0], [1]], threshold=[0.3])
        elif name == "BinaryCrossentropy":
            kw = d.options(0.3, label_smoothing=[0.2])
        else:
            kw = d.options(0.5, threshold=[0.3, 0.7])
        return cls(**kw), [(d.ints(2, *shape).astype(np.float32), d.rand(*shape, lo=0, hi=1), w(n)) for _ in times]
    shape = d.pick((n, c), (n, c), (n, 1), (n, 2, c))
    kw = {}
    if name == "R2Score":
        shape = (n, c)
        kw = d.options(0.5, class_aggregation=["uniform_average", "variance_weighted_average", None], num_regressors=[1])
    if name == "MeanRelativeError":
        return cls(normalizer=d.rand(n, c, lo=0.5)), [(d.rand(n, c), d.rand(n, c), w(n)) for _ in times]
    if name in ("PearsonCorrelation", "ConcordanceCorrelation", "CosineSimilarity"):
        kw = d.options(0.4, axis=[-1])
    positive = name in ("Poisson", "KLDivergence", "MeanSquaredLogarithmicError")
    return cls(**kw), [(d.rand(*shape, lo=0.05 if positive else -2), d.rand(*shape, lo=0.05 if positive else -2), w(n)) for _ in times]


def metric_line(ident, d, name):
    metric, updates = metric_case(d, name)
    rows = []
    for y, p, w in updates:
        if p is None:
            metric.update_state(y, sample_weight=w)
        else:
            metric.update_state(y, p, sample_weight=w)
        rows.append({"y_true": array(y), "y_pred": None if p is None else array(p), "sample_weight": None if w is None else array(w), "result_after": array(metric.result())})
    return {"id": ident, "kind": "metric", "tol": {"rtol": 1e-5, "atol": 2e-6}, "metric": plain(metric), "updates": rows}


# optimizers and schedules -------------------------------------------------------------------------------------------
OPTIMIZERS = "SGD Adam AdamW RMSprop Adagrad Adadelta Adamax Nadam Lion Lamb Ftrl Adafactor Muon ScheduleFreeAdamW".split()


def schedule_case(d, name=None):
    s = O.schedules
    name = name or d.pick("ExponentialDecay", "InverseTimeDecay", "CosineDecay", "CosineDecayRestarts", "PolynomialDecay", "PiecewiseConstantDecay")
    lr, steps = d.pick(0.1, 0.02), d.int(2, 20)
    if name in ("ExponentialDecay", "InverseTimeDecay"):
        return getattr(s, name)(lr, steps, d.pick(0.5, 0.9, 2.0), **d.options(0.4, staircase=[True]))
    if name == "CosineDecay":
        return s.CosineDecay(lr, steps, **d.options(0.4, alpha=[0.1, 0.5]), **({"warmup_target": 0.2, "warmup_steps": d.int(1, 8)} if d.maybe(0.4) else {}))
    if name == "CosineDecayRestarts":
        return s.CosineDecayRestarts(lr, steps, **d.options(0.4, t_mul=[1.0, 1.5, 3.0], m_mul=[0.5, 1.2], alpha=[0.1]))
    if name == "PolynomialDecay":
        return s.PolynomialDecay(lr, steps, **d.options(0.4, end_learning_rate=[0.001, 0.0], power=[0.5, 2.0], cycle=[True]))
    k = d.int(1, 3)
    return s.PiecewiseConstantDecay(sorted(int(v) for v in d.r.permutation(20)[:k]), [d.num(0.01, 0.2) for _ in range(k + 1)])


def optimizer_case(d, name):
    own = {"SGD": {"momentum": [0.9, 0.5], "nesterov": [True]}, "Adam": {"amsgrad": [True], "beta_1": [0.8], "beta_2": [0.9], "epsilon": [1e-3]}, "AdamW": {"amsgrad": [True], "beta_1": [0.8], "weight_decay": [0.1]},
           "RMSprop": {"rho": [0.8], "momentum": [0.5], "centered": [True], "epsilon": [1e-3]}, "Adagrad": {"initial_accumulator_value": [0.5], "epsilon": [1e-3]}, "Adadelta": {"rho": [0.8], "epsilon": [1e-3]},
           "Adamax": {"beta_1": [0.8], "beta_2": [0.9]}, "Nadam": {"beta_1": [0.8], "beta_2": [0.9]}, "Lion": {"beta_1": [0.8], "beta_2": [0.9]}, "Lamb": {"beta_1": [0.8], "beta_2": [0.9]},
           "Ftrl": {"learning_rate_power": [-0.7], "initial_accumulator_value": [0.3], "l1_regularization_strength": [0.05], "l2_regularization_strength": [0.1], "l2_shrinkage_regularization_strength": [0.02], "beta": [0.2]},
           "Adafactor": {"beta_2_decay": [-0.6], "clip_threshold": [0.5], "relative_step": [False]}, "Muon": {"momentum": [0.8], "nesterov": [False], "ns_steps": [3], "rms_rate": [0.3]},
           "ScheduleFreeAdamW": {"beta_1": [0.8], "warmup_steps": [3]}}[name]  # fmt: skip
    kw = {"learning_rate": schedule_case(d) if d.maybe(0.2) else d.pick(0.01, 0.1)} | d.options(0.35, **own)
    kw |= d.pick({}, {}, {"clipnorm": 0.4}, {"global_clipnorm": 0.6}, {"clipvalue": 0.2})
    if name != "AdamW":
        kw |= d.options(0.2, weight_decay=[0.05])
    if d.maybe(0.25):
        kw |= {"use_ema": True} | d.options(0.6, ema_momentum=[0.7, 0.9], ema_overwrite_frequency=[1, 2])
    kw |= d.options(0.15, gradient_accumulation_steps=[2, 3])
    kw |= d.options(0.1, loss_scale_factor=[4.0])
    made = getattr(O, name)(**kw)
    if d.maybe(0.1):
        made = O.LossScaleOptimizer(made, initial_scale=d.pick(4.0, 64.0), dynamic_growth_steps=d.pick(2, 100))
    return made


def optimizer_line(ident, d, name):
    opt = optimizer_case(d, name)
    spec = plain(opt)
    shapes = [d.dims(d.int(1, 3)) for _ in range(d.int(1, 3))] + [d.dims(2, lo=2)]
    start = [d.rand(*s) for s in shapes]
    variables = [keras.Variable(v) for v in start]
    opt.build(variables)
    grads, after = [], []
    for _ in range(d.int(2, 6)):
        g = [d.rand(*s, lo=-1, hi=1) if d.maybe(0.93) else None for s in shapes]
        if all(v is None for v in g):
            g[0] = d.rand(*shapes[0])
        if isinstance(opt, O.LossScaleOptimizer):
            g = [None if v is None else v * np.float32(float(opt.dynamic_scale.numpy())) for v in g]
        opt.apply([None if v is None else tf.constant(v) for v in g], variables)
        grads.append([None if v is None else array(v) for v in g])
        after.append([array(v.numpy()) for v in variables])
    opt.finalize_variable_values(variables)
    return {"id": ident, "kind": "optimizer", "tol": {"rtol": 1e-4 if name in ("Muon",) else 1e-5, "atol": 2e-6}, "optimizer": spec, "variables": [array(v) for v in start], "grads": grads, "after": after,
            "iterations_after": int(opt.iterations), "finalized": [array(v.numpy()) for v in variables]}  # fmt: skip


def schedule_line(ident, d, name):
    s = schedule_case(d, name)
    steps = sorted({d.int(0, 60) for _ in range(12)} | {0, 1})
    return {"id": ident, "kind": "schedule", "tol": {"rtol": 1e-5, "atol": 1e-7}, "schedule": plain(s), "steps": steps, "values": array(np.array([float(s(t)) for t in steps], np.float32))}


def small_line(ident, d, kind):
    r, c, n = keras.regularizers, keras.constraints, keras.initializers
    if kind == "regularizer":
        o = d.pick(r.L1(d.num(0, 1)), r.L2(d.num(0, 1)), r.L1L2(d.num(0, 1), d.num(0, 1)), r.OrthogonalRegularizer(d.num(0, 1), d.pick("rows", "columns")))
        x = d.rand(*d.dims(2 if "Orth" in type(o).__name__ else d.int(1, 4)))
        return {"id": ident, "kind": kind, "tol": {"rtol": 1e-5, "atol": 2e-6}, kind: plain(o), "x": array(x), "value": array(o(tf.constant(x)))}
    if kind == "constraint":
        rank = d.int(2, 4)
        axis = d.pick(0, 1, [0, 1], list(range(rank - 1)))
        o = d.pick(c.MaxNorm(d.num(0.1, 3), axis=axis), c.NonNeg(), c.UnitNorm(axis=axis), c.MinMaxNorm(d.num(0, 1), d.num(1, 2), d.pick(1.0, 0.4), axis=axis))
        x = d.rand(*d.dims(rank))
        return {"id": ident, "kind": kind, "tol": {"rtol": 1e-5, "atol": 2e-6}, kind: plain(o), "x": array(x), "y": array(o(tf.constant(x)))}
    o, shape = d.pick((n.Zeros(), d.dims(3)), (n.Ones(), d.dims(2)), (n.Constant(d.num(-2, 2)), d.dims(1)), (n.Identity(d.num(-2, 2)), d.dims(2)), (n.STFT(d.pick("real", "imag"), d.pick("hann", "hamming", None), d.pick(None, "density", "spectrum"), d.maybe()), [d.int(3, 8), 1, d.int(2, 5)]))
    return {"id": ident, "kind": kind, "tol": {"rtol": 1e-5, "atol": 2e-6}, kind: plain(o), "shape": shape, "value": array(o(shape))}


# utilities ----------------------------------------------------------------------------------------------------------
def util_line(ident, d, fn):
    u = keras.utils
    if fn == "to_categorical":
        x = d.ints(5, *d.dims(d.int(1, 2)), dtype=d.pick("int32", "int64", "float32"))
        args, kwargs = [x], d.options(0.6, num_classes=[5, 7])
    elif fn == "pad_sequences":
        args = [[[d.int(0, 9) for _ in range(d.int(0, 5))] for _ in range(d.int(1, 4))]]
        kwargs = d.options(0.5, maxlen=[1, 3, 7], padding=["post"], truncating=["post"], value=[-1, 2.0], dtype=["float32", "int64"])
    elif fn == "normalize":
        args, kwargs = [d.rand(*d.dims(d.int(1, 3)))], d.options(0.6, axis=[-1, 0], order=[1, 2, 3])
    elif fn == "timeseries_dataset_from_array":
        n = d.int(8, 16)
        args = [d.rand(*d.pick((n,), (n, 2))), d.pick(None, d.rand(n))]
        kwargs = {"sequence_length": d.int(2, 4)} | d.options(0.5, sequence_stride=[2, 3], sampling_rate=[2], batch_size=[1, 3, None], start_index=[1, 2], end_index=[n - 2])
    elif fn == "split_dataset":
        args, kwargs = [d.rand(d.int(4, 11), *d.dims(d.int(0, 1)))], d.pick({"left_size": d.pick(0.3, 0.5, 2)}, {"right_size": d.pick(0.3, 3)}, {"left_size": 2, "right_size": 2})
        left, right = u.split_dataset(*args, **kwargs)
        result = [array(np.stack([np.array(v) for v in part])) for part in (left, right)]
        return {"id": ident, "kind": "util", "tol": {"rtol": 1e-5, "atol": 1e-6}, "fn": fn, "args": [array(a) for a in args], "kwargs": kwargs, "result": result}
    result = getattr(u, fn)(*args, **kwargs)
    if fn.startswith("timeseries"):
        result = [[array(np.array(v)) for v in (b if isinstance(b, tuple) else (b,))] for b in result]
    else:
        result = array(result)
    return {"id": ident, "kind": "util", "tol": {"rtol": 1e-5, "atol": 1e-6}, "fn": fn, "args": [array(a) if isinstance(a, np.ndarray) else a for a in args], "kwargs": kwargs, "result": result}


# models -------------------------------------------------------------------------------------------------------------
NAMES = ("a", "hidden", "a_rather_long_layer_name", "block_1_convolution", "x", "out_of_the_ordinary_and_quite_long_indeed")
ACT = ("relu", "tanh", "sigmoid", "elu", "gelu", "selu", "softsign")


def name(d):
    return {"name": f"{d.pick(*NAMES)}_{d.int(0, 999)}"} if d.maybe(0.5) else {}


def dense_block(d, x, deep=2):
    for _ in range(d.int(1, 3)):
        kind = d.pick("dense", "dense", "bn", "ln", "drop", "reg", "res", "nested")
        if kind == "dense":
            x = L.Dense(d.pick(3, 7, 16), activation=d.pick(*ACT), **d.options(0.2, use_bias=[False], kernel_constraint=["non_neg"]), **name(d))(x)
        elif kind == "bn":
            x = L.BatchNormalization(**name(d))(x)
        elif kind == "ln":
            x = L.LayerNormalization(**name(d))(x)
        elif kind == "drop":
            x = L.Dropout(0.0, **name(d))(x)
        elif kind == "reg":
            x = L.Dense(5, kernel_regularizer=d.pick("l1", "l2"), bias_regularizer="l2", activity_regularizer=d.pick(None, "l2"), **name(d))(x)
        elif kind == "res":
            y = L.Dense(x.shape[-1], activation=d.pick(*ACT), **name(d))(x)
            x = d.pick(lambda: L.Add(**name(d))([x, y]), lambda: x + y, lambda: L.Concatenate(**name(d))([x, y]), lambda: L.Multiply()([x, y]))()
        elif deep:
            i = L.Input(x.shape[1:])
            x = (keras.Model(i, dense_block(d, i, deep - 1), **name(d)) if d.maybe() else keras.Sequential([L.Input(x.shape[1:]), L.Dense(4, activation=d.pick(*ACT)), L.Dense(3)], **name(d)))(x)
    return x


def body(d):
    """A random input and the features made of it: (input, features, x maker)."""
    kind = d.pick("dense", "dense", "cnn", "rnn", "embed", "attention")
    if kind == "dense":
        n = d.int(2, 6)
        i = L.Input((n,), **name(d))
        return i, dense_block(d, i), lambda m: d.rand(m, n)
    if kind == "cnn":
        s, c = d.int(5, 8), d.int(1, 2)
        i = L.Input((s, s, c), **name(d))
        x = d.pick(L.Conv2D(3, 3, activation="relu", padding="same"), L.SeparableConv2D(4, 3), L.DepthwiseConv2D(3, strides=2, activation="elu"), L.Conv2D(4, 2, strides=2, use_bias=False), L.Conv2DTranspose(2, 3))(i)
        x = d.pick(L.MaxPooling2D(2), L.AveragePooling2D(2), L.BatchNormalization(), L.UpSampling2D(2), L.ZeroPadding2D(1), L.GroupNormalization(1))(x)
        return i, d.pick(L.Flatten(), L.GlobalAveragePooling2D(), L.GlobalMaxPooling2D())(x), lambda m: d.rand(m, s, s, c)
    t, n = d.int(3, 6), d.int(2, 4)
    if kind == "rnn":
        i = L.Input((t, n), **name(d))
        x = d.pick(L.LSTM(4), L.GRU(3), L.SimpleRNN(4), L.Bidirectional(L.LSTM(3)), L.Bidirectional(L.GRU(2), merge_mode="sum"), L.RNN([L.GRUCell(3), L.LSTMCell(2)]))(i)
        return i, x, lambda m: d.rand(m, t, n)
    if kind == "embed":
        i = L.Input((t,), dtype="int32", **name(d))
        x = L.Embedding(9, n, mask_zero=d.maybe())(i)
        x = d.pick(L.LSTM(4), L.GlobalAveragePooling1D(), L.GRU(3, go_backwards=True), L.Bidirectional(L.SimpleRNN(3)))(x)
        return i, x, lambda m: d.ints(9, m, t)
    i = L.Input((t, n), **name(d))
    x = L.MultiHeadAttention(2, 3)(i, i) if d.maybe() else L.Attention(use_scale=True)([i, L.Dense(n)(i)])
    x = L.LayerNormalization()(x + i)
    return i, L.Flatten()(x), lambda m: d.rand(m, t, n)


def remade(pair):
    name, config = pair[1]["class_name"], pair[1]["config"]
    return keras.callbacks.LearningRateScheduler(lambda epoch, lr: config["table"][epoch]) if "table" in config else getattr(keras.callbacks, name)(**config)


HEADS = ("regress", "sparse", "categorical", "binary")


def head(d, x, kind, more):
    c = {"regress": d.int(1, 3), "sparse": d.int(2, 4), "categorical": d.int(2, 4), "binary": 1}[kind]
    act = {"regress": "linear", "binary": "sigmoid"}.get(kind, "softmax")
    out = L.Dense(c, activation=act, **more)(x)
    make = {"regress": lambda m: d.rand(m, c), "sparse": lambda m: d.ints(c, m), "categorical": lambda m: np.eye(c, dtype=np.float32)[d.ints(c, m)], "binary": lambda m: d.ints(2, m, 1).astype(np.float32)}[kind]
    loss = {"regress": d.pick("mse", "mae", "huber", K.Huber(delta=0.5), "log_cosh"), "sparse": "sparse_categorical_crossentropy", "categorical": d.pick("categorical_crossentropy", K.CategoricalCrossentropy(label_smoothing=0.1), "kl_divergence"), "binary": d.pick("binary_crossentropy", "bce", "hinge")}[kind]
    metrics = {"regress": ["mae", "mse", "root_mean_squared_error" if False else "mape", M.RootMeanSquaredError(), M.R2Score()] , "sparse": ["accuracy", "acc", "sparse_categorical_accuracy", M.SparseTopKCategoricalAccuracy(2)], "categorical": ["accuracy", M.Precision(), M.AUC(num_thresholds=20), "categorical_crossentropy", M.F1Score(average=None), M.Recall(thresholds=[0.2, 0.5])],
               "binary": ["accuracy", M.AUC(num_thresholds=30), M.Recall(), "binary_accuracy"]}[kind]  # fmt: skip
    return out, make, loss, metrics


def model_of(d):
    """A random model: (model, x maker, per output (y maker, loss, metrics))."""
    inputs, features, makers = [], [], []
    for _ in range(d.pick(1, 1, 1, 2)):
        i, x, make = body(d)
        inputs.append(i)
        features.append(L.Flatten()(x) if len(x.shape) > 2 else x)
        makers.append(make)
    x = L.Concatenate()(features) if len(features) > 1 else features[0]
    x = dense_block(d, x) if d.maybe(0.5) else x
    outs, heads = [], []
    for k in range(d.pick(1, 1, 1, 2)):
        out, *rest = head(d, x, d.pick(*HEADS), {"name": f"out{k}"} if d.maybe() else {})
        outs.append(out)
        heads.append(rest)
    model = keras.Model(inputs[0] if len(inputs) == 1 else inputs, outs[0] if len(outs) == 1 else outs, **name(d))
    if d.maybe(0.15):
        d.pick(*model.layers).trainable = False
    return model, makers, heads


def spec_of(value):
    if isinstance(value, list):
        return [spec_of(v) for v in value]
    if isinstance(value, dict):
        return {k: spec_of(v) for k, v in value.items()}
    return value if value is None or isinstance(value, (str, int, float)) else plain(value)


def callbacks_of(d, fit, names):
    C = keras.callbacks
    made = []
    if d.maybe(0.25):
        config = {"monitor": d.pick(*names), "mode": d.pick("auto", "min", "max"), "patience": d.int(0, 2)} | d.options(0.4, min_delta=[0.01], restore_best_weights=[True], start_from_epoch=[1])
        made.append((C.EarlyStopping(**config), {"class_name": "EarlyStopping", "config": config}))
    if d.maybe(0.25):
        config = {"monitor": d.pick(*names), "factor": 0.5, "patience": d.int(0, 1)} | d.options(0.4, min_delta=[0.01], cooldown=[1], min_lr=[0.02], mode=["min", "max"])
        made.append((C.ReduceLROnPlateau(**config), {"class_name": "ReduceLROnPlateau", "config": config}))
    if d.maybe(0.15):
        table = [d.num(0.005, 0.05, 4) for _ in range(fit["epochs"])]
        made.append((C.LearningRateScheduler(lambda epoch, lr: table[epoch]), {"class_name": "LearningRateScheduler", "config": {"table": table}}))
    if d.maybe(0.1):
        made.append((C.TerminateOnNaN(), {"class_name": "TerminateOnNaN", "config": {}}))
    return made


def in_double(saved, weights, compile, x, y, fit, more, callbacks):
    """The weights after the same fit in float64."""
    double = lambda v: json.loads(json.dumps(v, default=plain_json).replace('"float32"', '"float64"'))
    wide = lambda v: v.astype(np.float64) if isinstance(v, np.ndarray) and v.dtype == np.float32 else type(v)(map(wide, v)) if isinstance(v, (list, tuple)) else v
    remake = lambda v: [remake(x) for x in v] if isinstance(v, list) else v if v is None or isinstance(v, (str, int, float)) else type(v).from_config(double(v.get_config()))
    keras.config.set_floatx("float64")
    try:
        model = keras.saving.deserialize_keras_object(double(saved))
        for v, w in zip([v for v in model.weights if "seed" not in v.path], weights):
            v.assign(w)
        model.compile(**{k: remake(v) for k, v in compile.items() if "metrics" not in k}, jit_compile=False)
        model.fit(wide(x), wide(y), verbose=0, callbacks=callbacks, **fit, **{k: wide(v) for k, v in more.items()})
        return [np.array(v.value) for v in model.weights if "seed" not in v.path]
    finally:
        keras.config.set_floatx("float32")


def close(got, want):
    return all(np.all(np.abs(g - w) <= 1e-5 + 5e-5 * np.abs(w)) for g, w in zip(got, want))


def fit_line(ident, d, _):
    model, makers, heads = model_of(d)
    saved = keras.saving.serialize_keras_object(model)
    for v in model.weights:
        if "seed" not in v.path:
            lo = 0.3 if "variance" in v.path else -0.6
            v.assign(d.rand(*v.shape, lo=lo, hi=0.9 if lo > 0 else 0.6))
    weights = [v for v in model.weights if "seed" not in v.path]
    initial = weight_list(weights)
    m = d.pick(16, 21, 8)
    one = lambda values: values[0] if len(values) == 1 else values
    x, y = one([f(m) for f in makers]), one([h[0](m) for h in heads])
    opt = d.pick("adam", "sgd", "rmsprop", optimizer_case(d, d.pick(*(n for n in OPTIMIZERS if n not in ("Muon", "Ftrl", "Adadelta", "ScheduleFreeAdamW")))))
    if not isinstance(opt, str) and isinstance(opt, O.LossScaleOptimizer):
        opt = "adam"
    scheduled = not isinstance(opt, str) and not isinstance(opt._learning_rate, keras.Variable)
    fresh = lambda v: v if isinstance(v, str) else type(v).from_config(v.get_config())
    some = lambda h: [fresh(v) for v in h[2] if d.maybe(0.5)]
    losses, metrics = [h[1] for h in heads], [some(h) for h in heads]
    compile = {"optimizer": opt, "loss": one(losses), "metrics": one(metrics)} | ({"loss_weights": [0.3, 1.5]} if len(heads) > 1 and d.maybe() else {})
    fit = {"epochs": d.int(1, 4), "batch_size": d.pick(4, 7, 8, None), "shuffle": False}
    line = {"sample_weight": None, "class_weight": None}
    more = {}
    if len(heads) == 1 and d.maybe(0.3):
        more["sample_weight"] = d.rand(m, lo=0.1, hi=2)
        compile |= {"weighted_metrics": some(heads[0]) or None}
    elif len(heads) == 1 and d.maybe(0.3) and str(heads[0][1]) in ("sparse_categorical_crossentropy",):
        more["class_weight"] = {0: 0.5, 1: 2.0}
    if d.maybe(0.4):
        vx, vy = one([f(6) for f in makers]), one([h[0](6) for h in heads])
        more["validation_data"] = (vx, vy)
        fit |= d.options(0.3, validation_freq=[2], validation_batch_size=[3])
    elif d.maybe(0.3) and len(makers) == 1 and len(heads) == 1:
        more["validation_split"] = d.pick(0.25, 0.4)
    if d.maybe(0.1):
        fit["steps_per_epoch"] = 2
    spec = {k: spec_of(v) for k, v in compile.items() if v is not None}
    start = [np.array(v.value) for v in weights]
    model.compile(**compile)
    names = ["loss"] + (["val_loss"] if "validation_data" in more or "validation_split" in more else [])
    made = [] if scheduled else callbacks_of(d, fit, names)
    # A slope that is 0 but for rounding (a bias before a normalisation, the keys' bias of attention) becomes a step of full size in
    # Adam and the like: what Keras's own rounding decides is no reference.
    double = in_double(saved, start, compile, x, y, fit, more, [remade(c) for c in made])
    history = model.fit(x, y, verbose=0, callbacks=[c for c, _ in made], **fit, **more).history
    if not close([np.array(v.value) for v in weights], double):
        return None
    arrays = lambda v: [array(t) for t in v] if isinstance(v, list) else array(v)
    line |= {k: (array(v) if k == "sample_weight" else {str(a): b for a, b in v.items()} if k == "class_weight" else [arrays(t) for t in v] if k == "validation_data" else v) for k, v in more.items()}
    config = json.loads(json.dumps(saved["config"], default=plain_json))
    evaluate = model.evaluate(x, y, batch_size=fit["batch_size"], verbose=0, return_dict=True, **({"sample_weight": more["sample_weight"]} if "sample_weight" in more else {}))
    predict = model.predict(x, verbose=0)
    numbers = lambda v: array(v) if np.ndim(v) else float(v)
    return {"id": ident, "kind": "fit", "tol": {"rtol": 1e-4, "atol": 2e-5}, "model": {"class_name": saved["class_name"], "config": config}, "compile": spec, "initial_weights": initial, "x": arrays(x), "y": arrays(y), **line, "fit": fit,
            "callbacks": [c for _, c in made], "history": {k: [[float(x) for x in v] if np.ndim(v) else float(v) for v in vs] for k, vs in history.items()}, "final_weights": weight_list(weights), "evaluate": {k: numbers(v) for k, v in evaluate.items()}, "predict": arrays(predict)}  # fmt: skip


def summary_line(ident, d, _):
    model, _, heads = model_of(d)
    if d.maybe(0.3):  # a Sequential one
        model = keras.Sequential([L.Input(d.pick((4,), (6, 3))), *(d.pick(L.Dense(d.pick(3, 1000, 20000), **name(d)), L.Dropout(0.1), L.BatchNormalization(**name(d)), keras.Sequential([L.Dense(3), L.Dense(4)], **name(d)), L.Activation("relu"))
                                  for _ in range(d.int(0, 4)))], **name(d))  # fmt: skip
        model.trainable = d.maybe(0.9)
    width = d.pick(60, 80, 100, 120, 200, 41)
    args = d.options(0.4, expand_nested=[True], show_trainable=[True]) | d.options(0.25, line_length=[50, 64, 90, 130])
    saved = keras.saving.serialize_keras_object(model)
    os.environ["COLUMNS"] = str(width)
    rows = []
    model.summary(print_fn=lambda text, line_break=False: rows.append(text), **args)
    config = json.loads(json.dumps(saved["config"], default=plain_json))
    return {"id": ident, "kind": "summary", "tol": {"rtol": 0.0, "atol": 0.0}, "model": {"class_name": saved["class_name"], "config": config}, "width": width, "args": args, "text": "\n".join(rows)}


def makers():
    for n in LOSSES:
        yield f"loss/{n}", lambda ident, d, n=n: loss_line(ident, d, n)
    for n in METRICS:
        yield f"metric/{n}", lambda ident, d, n=n: metric_line(ident, d, n)
    for n in OPTIMIZERS:
        yield f"optimizer/{n}", lambda ident, d, n=n: optimizer_line(ident, d, n)
    for n in ("ExponentialDecay", "InverseTimeDecay", "CosineDecay", "CosineDecayRestarts", "PolynomialDecay", "PiecewiseConstantDecay"):
        yield f"schedule/{n}", lambda ident, d, n=n: schedule_line(ident, d, n)
    for n in ("regularizer", "constraint", "initializer"):
        yield f"{n}/any", lambda ident, d, n=n: small_line(ident, d, n)
    for n in ("to_categorical", "pad_sequences", "normalize", "timeseries_dataset_from_array", "split_dataset"):
        yield f"util/{n}", lambda ident, d, n=n: util_line(ident, d, n)
    for k in range(6):
        yield f"summary/model{k}", lambda ident, d: summary_line(ident, d, None)
        yield f"fit/model{k}", lambda ident, d: fit_line(ident, d, None)
