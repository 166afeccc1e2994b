"""Sample parity vectors computed by Keras: tests/golden/vectors.jsonl.gz, in the format of ../shared/parity/README.md.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install keras tensorflow-cpu
    /tmp/golden/bin/python tools/golden/vectors.py        # writes tests/golden/vectors.jsonl.gz

glia-parity runs them where the shared vectors are absent, and beside them where they are present. To add a case, add a
row to a table below.
"""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from keras import ops

import golden
from golden import array

TOL = {"rtol": 1e-5, "atol": 1e-6}
GRAD_TOL = {"rtol": 1e-4, "atol": 1e-5}
SEED = [500]


def rand(*shape, lo=-2.0, hi=2.0):
    """The next array: numbers with two decimals, as the shared vectors have, so that files stay small."""
    SEED[0] += 1
    return np.round(golden.uniform(shape, SEED[0], lo, hi), 2).astype(np.float32)


def ints(count, *shape):
    SEED[0] += 1
    return golden.integers(shape, SEED[0], count)


def probabilities(*shape):
    p = np.exp(rand(*shape))
    return np.round(p / p.sum(-1, keepdims=True), 4).astype(np.float32)


def header(kind, ident, /, **more):
    return {"id": f"{kind}/{ident}", "kind": kind, "tol": TOL} | more


def plain(value):
    """A get_config value without the names of the registry."""
    config = keras.saving.serialize_keras_object(value)["config"]
    if isinstance(value, keras.losses.Huber):  # these two get_config (3.15.1) leave their argument out
        config = config | {"delta": value._fn_kwargs.get("delta", 1.0)}
    if isinstance(value, keras.initializers.Identity):
        config = config | {"gain": value.gain}
    return {"class_name": type(value).__name__, "config": config}


def is_float(t):
    return tf.as_dtype(t.dtype).is_floating


def flatten(x):
    return [y for y in tf.nest.flatten(x) if y is not None]


# activation ---------------------------------------------------------------------------------------------------------
ACTIVATIONS = [
    ("relu", {}), ("relu", {"negative_slope": 0.1}), ("relu6", {}), ("leaky_relu", {}), ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {}), ("selu", {}), ("celu", {"alpha": 0.7}), ("gelu", {}), ("gelu", {"approximate": True}), ("sigmoid", {}),
    ("hard_sigmoid", {}), ("tanh", {}), ("silu", {}), ("mish", {}), ("softplus", {}), ("softsign", {}), ("exponential", {}),
    ("linear", {}), ("softmax", {}), ("log_softmax", {}), ("softmax", {"axis": 0}), ("log_sigmoid", {}), ("hard_silu", {}),
]  # fmt: skip


def activation_lines():
    for i, (name, kwargs) in enumerate(ACTIVATIONS):
        x, c = rand(3, 5, lo=-4, hi=4), rand(3, 5, lo=-1, hi=1)
        t = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(t)
            y = getattr(keras.activations, name)(t, **kwargs)
            total = tf.reduce_sum(y * c)
        line = header("activation", f"{name}/own{i}", name=name, x=array(x), y=array(y), cotangent=array(c))
        line |= {"grad": array(tape.gradient(total, t)), "grad_tol": GRAD_TOL}
        yield line | ({"kwargs": kwargs} if kwargs else {})


def weighted_total(outputs, cotangents):
    """The sum of outputs times cotangents, those that have one; None where none has. To be called under the tape."""
    parts = [tf.cast(tf.reduce_sum(o * c), tf.float64) for o, c in zip(outputs, cotangents) if c is not None]
    return tf.add_n(parts) if parts else None


def gradient_fields(tape, total, arrays, cotangents, array=array):
    """The fields of a line that hold the gradients of `total`, as `array` writes them; none where there is no gradient."""
    if total is None or not any(is_float(v) for v in arrays):
        return {}
    try:
        grads = tape.gradient(total, arrays)
    except (LookupError, NotImplementedError):  # TensorFlow has no gradient there
        return {}
    if all(g is None for g in grads):
        return {}
    return {"cotangents": [None if c is None else array(c) for c in cotangents],
            "grad_args": [None if g is None else array(tf.convert_to_tensor(g)) for g in grads]}  # fmt: skip


# op -----------------------------------------------------------------------------------------------------------------
def op_cases():
    a, b, p = rand(2, 3, 4), rand(2, 3, 4), np.abs(rand(2, 3, 4)) + np.float32(0.1)
    row, mat = rand(4), rand(4, 5)
    for name in "exp sin cos tanh erf sigmoid relu silu softplus square negative abs sign expm1 arctan floor ceil round".split():
        yield name, "values", [a], {}
    for name in "log sqrt rsqrt log1p reciprocal log2 log10".split():
        yield name, "positive", [p], {}
    for name in "add subtract multiply maximum minimum divide arctan2 logaddexp".split():
        yield name, "same", [a, b], {}
        yield name, "row", [a, row], {}
        yield name, "column", [rand(3, 1), rand(1, 4)], {}
    for name in "equal not_equal less greater_equal".split():
        yield name, "ints", [ints(3, 4, 5), ints(3, 4, 5)], {}
    yield "power", "positive", [p, b], {}
    for name in "sum mean max min prod var std logsumexp".split():
        yield name, "all", [a], {}
        yield name, "last", [a], {"axis": -1}
        yield name, "first_keep", [a], {"axis": 0, "keepdims": True}
        yield name, "two", [a], {"axis": [0, 2]}
    for name in ("argmax", "argmin"):
        yield name, "last", [a], {"axis": -1}
    yield "cumsum", "axis", [a], {"axis": 1}
    yield "matmul", "plain", [rand(3, 4), mat], {}
    yield "matmul", "batch", [a, rand(2, 4, 5)], {}
    yield "matmul", "batch_broadcast", [a, mat], {}
    yield "matmul", "vector", [row, mat], {}
    yield "transpose", "axes", [a, [2, 0, 1]], {}
    yield "reshape", "infer", [a, [4, -1]], {}
    yield "concatenate", "middle", [[a, rand(2, 2, 4)]], {"axis": 1}
    yield "stack", "last", [[row, rand(4)]], {"axis": -1}
    yield "split", "at", [mat, [1, 3]], {"axis": 1}
    yield "take", "rows", [mat, ints(4, 2, 3)], {"axis": 0}
    yield "where", "three", [ints(2, 3, 4).astype(bool), rand(3, 4), rand(3, 4)], {}
    yield "clip", "both", [a, -1.0, 0.7], {}
    yield "pad", "constant", [mat, [[1, 0], [2, 1]]], {}
    yield "pad", "reflect", [mat, [[1, 1], [2, 2]]], {"mode": "reflect"}
    yield "softmax", "axis1", [a], {"axis": 1}
    yield "log_softmax", "last", [a], {}
    yield "one_hot", "plain", [ints(5, 2, 3), 5], {}
    yield "squeeze", "one", [rand(3, 1, 2)], {}
    yield "expand_dims", "middle", [mat, 1], {}
    yield "flip", "axis", [mat], {"axis": 1}
    yield "roll", "axis", [mat, 2], {"axis": 1}
    yield "tile", "two", [rand(2, 3), [2, 2]], {}
    yield "repeat", "axis", [rand(2, 3), 2], {"axis": 1}
    yield "einsum", "batch", ["bij,bjk->bik", a, rand(2, 4, 3)], {}
    yield "top_k", "three", [mat, 3], {}
    yield "sort", "axis0", [mat], {"axis": 0}
    yield "cast", "to_int", [a, "int32"], {}
    x = rand(2, 7, 6, 3)
    yield "conv", "same_stride", [x, rand(3, 3, 3, 4)], {"strides": 2, "padding": "same"}
    yield "conv", "dilated", [x, rand(2, 3, 3, 2)], {"strides": 1, "padding": "valid", "dilation_rate": 2}
    yield "max_pool", "same", [x, 3], {"strides": 2, "padding": "same"}
    yield "average_pool", "same", [x, 2], {"strides": 2, "padding": "same"}


def as_json(value):
    if isinstance(value, np.ndarray):
        return array(value)
    return [as_json(v) for v in value] if isinstance(value, list) else value


def as_call(value):
    """Lists of plain integers are tuples to Keras; arrays become tensors."""
    if isinstance(value, np.ndarray):
        return tf.constant(value)
    if isinstance(value, list):
        made = [as_call(v) for v in value]
        return tuple(made) if all(isinstance(v, (int, tuple)) for v in made) else made
    return value


def op_lines():
    for name, case, args, kwargs in op_cases():
        call = [as_call(a) for a in args]
        arrays = [v for v in tf.nest.flatten(call) if isinstance(v, tf.Tensor)]
        named = {k: as_call(v) for k, v in kwargs.items()}
        with tf.GradientTape() as tape:
            tape.watch([v for v in arrays if is_float(v)])
            outputs = flatten(getattr(ops, name)(*call, **named))
            cotangents = [rand(*o.shape, lo=-1, hi=1) if is_float(o) else None for o in outputs]
            total = sum(tf.reduce_sum(o * c) for o, c in zip(outputs, cotangents) if c is not None)
        line = header("op", f"{name}/own_{case}", op=name, args=[as_json(a) for a in args])
        line |= {"kwargs": {k: as_json(v) for k, v in kwargs.items()}, "outputs": [array(o) for o in outputs]}
        if any(c is not None for c in cotangents) and any(is_float(v) for v in arrays):
            grads = tape.gradient(total, arrays)
            if any(g is not None for g in grads):
                line["cotangents"] = [None if c is None else array(c) for c in cotangents]
                line["grad_args"] = [None if g is None else array(tf.convert_to_tensor(g)) for g in grads]
                line["grad_tol"] = GRAD_TOL
        yield line


# loss ---------------------------------------------------------------------------------------------------------------
def loss_cases():
    k = keras.losses
    for cls in (k.MeanSquaredError, k.MeanAbsoluteError, k.Huber, k.LogCosh, k.MeanSquaredLogarithmicError):
        yield cls(), rand(4, 3, lo=0, hi=2), rand(4, 3, lo=0, hi=2), None
        yield cls(reduction="sum"), rand(4, 3, lo=0, hi=2), rand(4, 3, lo=0, hi=2), rand(4, lo=0, hi=1)
    yield k.Huber(delta=0.4), rand(5, 2), rand(5, 2), None
    yield k.MeanSquaredError(reduction="none"), rand(2, 3, 4), rand(2, 3, 4), rand(2, 3, lo=0, hi=1)
    yield k.MeanSquaredError(reduction="mean_with_sample_weight"), rand(4, 3), rand(4, 3), rand(4, lo=0, hi=1)
    yield k.SparseCategoricalCrossentropy(), ints(5, 6), probabilities(6, 5), rand(6, lo=0, hi=1)
    yield k.SparseCategoricalCrossentropy(from_logits=True), ints(5, 2, 3), rand(2, 3, 5), None
    yield k.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0), ints(4, 6), rand(6, 4), None
    yield k.CategoricalCrossentropy(), probabilities(4, 5), probabilities(4, 5), None
    yield k.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), probabilities(4, 5), rand(4, 5), rand(4, lo=0, hi=1)
    yield k.BinaryCrossentropy(), ints(2, 4, 3).astype("float32"), np.abs(rand(4, 3, lo=0.01, hi=0.99)), None
    yield k.BinaryCrossentropy(from_logits=True, label_smoothing=0.2), ints(2, 4, 1).astype("float32"), rand(4, 1), None
    yield k.KLDivergence(), probabilities(4, 5), probabilities(4, 5), None
    yield k.Hinge(), ints(2, 4, 3).astype("float32"), rand(4, 3), None
    yield k.CosineSimilarity(), rand(4, 3), rand(4, 3), None
    yield k.Poisson(), rand(4, 3, lo=0, hi=3), rand(4, 3, lo=0.1, hi=3), None


def loss_lines():
    for i, (loss, y_true, y_pred, weight) in enumerate(loss_cases()):
        pred = tf.constant(y_pred)
        with tf.GradientTape() as tape:
            tape.watch(pred)
            value = loss(tf.constant(y_true), pred, sample_weight=weight)
            total = tf.reduce_sum(value)
        spec = plain(loss)
        yield header("loss", f"{spec['class_name']}/own{i}", loss=spec, y_true=array(y_true), y_pred=array(y_pred)) | {
            "sample_weight": None if weight is None else array(weight),
            "value": array(value),
            "grad_pred": array(tape.gradient(total, pred)),
            "grad_tol": GRAD_TOL,
        }


# metric -------------------------------------------------------------------------------------------------------------
def metric_cases():
    k = keras.metrics
    binary = lambda: (ints(2, 6, 1).astype("float32"), rand(6, 1, lo=0, hi=1), None)
    binary_w = lambda: (ints(2, 6, 1).astype("float32"), rand(6, 1, lo=0, hi=1), rand(6, lo=0, hi=1))
    real = lambda: (rand(5, 3), rand(5, 3), None)
    real_w = lambda: (rand(5, 3), rand(5, 3), rand(5, lo=0, hi=1))
    sparse = lambda: (ints(4, 7), probabilities(7, 4), None)
    onehot = lambda: (np.eye(4, dtype="float32")[ints(4, 7)], probabilities(7, 4), rand(7, lo=0, hi=1))
    for m, make in [
        (k.MeanSquaredError(), real), (k.MeanSquaredError(), real_w), (k.MeanAbsoluteError(), real_w),
        (k.RootMeanSquaredError(), real_w), (k.BinaryAccuracy(), binary_w), (k.BinaryAccuracy(threshold=0.7), binary),
        (k.SparseCategoricalAccuracy(), sparse), (k.CategoricalAccuracy(), onehot), (k.AUC(), binary), (k.AUC(), binary_w),
        (k.AUC(num_thresholds=20, curve="PR"), binary_w), (k.Precision(), binary), (k.Precision(thresholds=0.3), binary_w),
        (k.Recall(), binary_w), (k.TruePositives(), binary), (k.FalseNegatives(), binary_w),
        (k.TopKCategoricalAccuracy(k=2), onehot), (k.SparseTopKCategoricalAccuracy(k=2), sparse),
        (k.SparseCategoricalCrossentropy(), sparse), (k.CategoricalCrossentropy(), onehot), (k.BinaryCrossentropy(), binary_w),
        (k.CosineSimilarity(), real), (k.R2Score(), real), (k.F1Score(), onehot),
    ]:  # fmt: skip
        yield m, [make() for _ in range(3)]


def metric_lines():
    for i, (metric, updates) in enumerate(metric_cases()):
        spec, rows = plain(metric), []
        for y_true, y_pred, weight in updates:
            metric.update_state(y_true, y_pred, sample_weight=weight)
            row = {"y_true": array(y_true), "y_pred": array(y_pred)}
            row |= {"sample_weight": None if weight is None else array(weight), "result_after": array(metric.result())}
            rows.append(row)
        yield header("metric", f"{spec['class_name']}/own{i}", metric=spec, updates=rows)


# optimizer, schedule ------------------------------------------------------------------------------------------------
def optimizer_cases():
    o = keras.optimizers
    yield o.SGD(0.1)
    yield o.SGD(0.05, momentum=0.9)
    yield o.SGD(0.05, momentum=0.8, nesterov=True, clipvalue=0.3)
    yield o.Adam(0.01)
    yield o.Adam(0.01, amsgrad=True, clipnorm=0.5)
    yield o.Adam(o.schedules.ExponentialDecay(0.05, 2, 0.5))
    yield o.Adam(0.02, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2)
    yield o.Adam(0.02, gradient_accumulation_steps=2, global_clipnorm=0.7)
    yield o.AdamW(0.01, weight_decay=0.1)
    yield o.RMSprop(0.01)
    yield o.RMSprop(0.01, momentum=0.5, centered=True)
    yield o.Adagrad(0.1)
    yield o.Nadam(0.01)


def optimizer_lines():
    for i, opt in enumerate(optimizer_cases()):
        spec = plain(opt)
        start = [rand(3, 2), rand(4)]
        variables = [keras.Variable(v) for v in start]
        grads = [[rand(3, 2, lo=-1, hi=1), rand(4, lo=-1, hi=1)] for _ in range(5)]
        after = []
        opt.build(variables)
        for g in grads:
            opt.apply(g, variables)
            after.append([array(v.numpy()) for v in variables])
        opt.finalize_variable_values(variables)
        yield header("optimizer", f"{spec['class_name']}/own{i}", optimizer=spec, variables=[array(v) for v in start]) | {
            "grads": [[array(x) for x in g] for g in grads],
            "after": after,
            "iterations_after": int(opt.iterations),
            "finalized": [array(v.numpy()) for v in variables],
        }


def schedule_lines():
    s = keras.optimizers.schedules
    steps = [0, 1, 2, 4, 7, 10, 11, 19, 20, 33, 60]
    for i, schedule in enumerate([
        s.ExponentialDecay(0.1, 10, 0.5, staircase=True), s.InverseTimeDecay(0.1, 10, 0.5), s.CosineDecay(0.1, 20, alpha=0.1),
        s.CosineDecay(0.01, 20, warmup_target=0.1, warmup_steps=5), s.CosineDecayRestarts(0.1, 8, t_mul=1.5, m_mul=0.9),
        s.PolynomialDecay(0.1, 20, 0.001, power=2.0), s.PolynomialDecay(0.1, 8, cycle=True),
        s.PiecewiseConstantDecay([5, 15], [0.1, 0.05, 0.01]),
    ]):  # fmt: skip
        spec = plain(schedule)
        values = np.array([float(schedule(t)) for t in steps], np.float32)
        line = header("schedule", f"{spec['class_name']}/own{i}", schedule=spec, steps=steps, values=array(values))
        yield line | {"tol": {"rtol": 1e-5, "atol": 1e-7}}


# regularizer, constraint, initializer -------------------------------------------------------------------------------
def small_lines():
    r, c, n = keras.regularizers, keras.constraints, keras.initializers
    for i, reg in enumerate([r.L1(0.02), r.L2(0.3), r.L1L2(0.1, 0.2)]):
        x, spec = rand(3, 4), plain(reg)
        yield header("regularizer", f"{spec['class_name']}/own{i}", regularizer=spec, x=array(x), value=array(reg(tf.constant(x))))
    for i, con in enumerate([c.MaxNorm(1.5), c.MaxNorm(1.0, axis=1), c.NonNeg(), c.UnitNorm(axis=0), c.MinMaxNorm(0.5, 1.0, 0.7)]):
        x, spec = rand(4, 3), plain(con)
        yield header("constraint", f"{spec['class_name']}/own{i}", constraint=spec, x=array(x), y=array(con(tf.constant(x))))
    for i, (init, shape) in enumerate([(n.Zeros(), (2, 3)), (n.Ones(), (4,)), (n.Constant(0.25), (2, 2)), (n.Identity(2.0), (3, 4))]):
        spec = plain(init)
        yield header("initializer", f"{spec['class_name']}/own{i}", initializer=spec, shape=list(shape), value=array(init(shape)))


# layer --------------------------------------------------------------------------------------------------------------
def layer_cases():
    x2, x3, x4 = lambda: [rand(3, 5)], lambda: [rand(2, 6, 4)], lambda: [rand(2, 7, 6, 3)]
    pair = lambda: [rand(2, 4, 6), rand(2, 5, 6)]
    no, yes = {"training": False}, {"training": True}
    yield L.Dense(4, activation="relu"), x2(), {}
    yield L.Dense(3, use_bias=False), x3(), {}
    yield L.Activation("tanh"), x2(), {}
    yield L.Softmax(), x2(), {}
    yield L.Flatten(), x4(), {}
    yield L.Reshape((3, -1)), x3(), {}
    yield L.Permute((2, 1)), x3(), {}
    yield L.Conv2D(4, 3, activation="relu"), x4(), {}
    yield L.Conv2D(4, (2, 3), strides=2, padding="same"), x4(), {}
    yield L.Conv2D(6, 3, groups=3, padding="same"), x4(), {}
    yield L.Conv1D(5, 3, padding="causal", dilation_rate=2), x3(), {}
    yield L.Conv2DTranspose(2, 3, strides=2, padding="same"), x4(), {}
    yield L.DepthwiseConv2D(3, depth_multiplier=2), x4(), {}
    yield L.SeparableConv2D(4, 3, padding="same"), x4(), {}
    yield L.MaxPooling2D(2), x4(), {}
    yield L.AveragePooling2D(3, 2, "same"), x4(), {}
    yield L.MaxPooling1D(2), x3(), {}
    yield L.GlobalAveragePooling2D(), x4(), {}
    yield L.GlobalMaxPooling1D(), x3(), {}
    yield L.BatchNormalization(), x4(), yes
    yield L.BatchNormalization(momentum=0.9, scale=False), x2(), no
    yield L.LayerNormalization(), x3(), {}
    yield L.GroupNormalization(2), x3(), {}
    yield L.Embedding(6, 3), [ints(6, 2, 5)], {}
    yield L.SimpleRNN(3), x3(), no
    yield L.LSTM(3, return_sequences=True), x3(), no
    yield L.LSTM(3, go_backwards=True, return_state=True), x3(), no
    yield L.GRU(3, return_sequences=True), x3(), no
    yield L.GRU(3, reset_after=False), x3(), no
    yield L.Bidirectional(L.LSTM(2, return_sequences=True)), x3(), no
    yield L.TimeDistributed(L.Dense(3)), x3(), {}
    yield L.Attention(), [pair()], {}
    yield L.Attention(use_scale=True, score_mode="concat"), [pair()], {}
    yield L.AdditiveAttention(), [pair()], {}
    yield L.MultiHeadAttention(2, 3), pair(), no
    yield L.MultiHeadAttention(2, 3, value_dim=4), [rand(2, 5, 4), rand(2, 5, 4)], {"use_causal_mask": True, "training": False}
    yield L.Add(), [[rand(2, 3), rand(2, 3)]], {}
    yield L.Multiply(), [[rand(2, 3), rand(2, 1)]], {}
    yield L.Concatenate(axis=1), [[rand(2, 3), rand(2, 2)]], {}
    yield L.Rescaling(0.5, offset=1.0), x2(), {}
    yield L.ZeroPadding2D((1, 2)), x4(), {}
    yield L.UpSampling2D(2), x4(), {}
    yield L.Dropout(0.5), x2(), no


def weight_list(variables, values):
    return [{"path": v.path, "value": array(tf.convert_to_tensor(x))} for v, x in zip(variables, values)]


def layer_lines():
    for i, (layer, inputs, call) in enumerate(layer_cases()):
        tensors = [as_call(x) for x in inputs]
        layer(*tensors, **call)  # builds
        for v in layer.weights:
            lo = 0.3 if "variance" in v.path else -1.0
            v.assign(rand(*v.shape, lo=lo, hi=1.0))
        before = [np.array(v) for v in layer.weights]
        flat = flatten(tensors)
        with tf.GradientTape() as tape:
            tape.watch([t for t in flat if is_float(t)])
            outputs = flatten(layer(*tensors, **call))
            cotangents = [rand(*o.shape, lo=-1, hi=1) if is_float(o) else None for o in outputs]
            total = sum(tf.reduce_sum(o * c) for o, c in zip(outputs, cotangents) if c is not None)
        trainable = [v.value for v in layer.trainable_weights]
        grads = tape.gradient(total, flat + trainable, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        after = [np.array(v) for v in layer.weights]
        spec = plain(layer)
        spec["config"]["name"] = layer.name
        changed = any(not np.array_equal(a, b) for a, b in zip(before, after))
        yield header("layer", f"{spec['class_name']}/own{i}", layer=spec, inputs=[as_json(x) for x in inputs], call=call) | {
            "weights": weight_list(layer.weights, before),
            "cotangents": [None if c is None else array(c) for c in cotangents],
            "outputs": [array(o) for o in outputs],
            "output_mask": None,
            "added_loss": None,
            "grad_inputs": [array(tf.convert_to_tensor(g)) if is_float(t) else None for t, g in zip(flat, grads)],
            "grad_weights": weight_list(layer.trainable_weights, grads[len(flat) :]),
            "weights_after": weight_list(layer.weights, after) if changed else None,
            "grad_tol": GRAD_TOL,
        }


# summary, fit -------------------------------------------------------------------------------------------------------
def small_models():
    k = keras.Sequential
    yield k([L.Input((5,)), L.Dense(8, activation="tanh"), L.Dense(3, activation="softmax")], name="classify"), (5,), 3
    yield k([L.Input((8, 8, 1)), L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(2), L.Flatten(), L.Dense(4, activation="softmax")],
            name="pictures"), (8, 8, 1), 4  # fmt: skip
    yield k([L.Input((6, 3)), L.LSTM(5, return_sequences=True), L.LSTM(4), L.Dense(3, activation="softmax")], name="series"), (6, 3), 3


def summary_text(model, **args):
    rows = []
    model.summary(print_fn=lambda text, line_break=False: rows.append(text), **args)
    return "\n".join(rows)


def model_lines():
    os.environ["COLUMNS"] = "100"
    for model, shape, classes in small_models():
        saved = keras.saving.serialize_keras_object(model)
        spec = {"class_name": saved["class_name"], "config": saved["config"]}
        yield header("summary", f"Sequential/own_{model.name}", model=spec, width=100, args={}, text=summary_text(model)) | {
            "tol": {"rtol": 0.0, "atol": 0.0}
        }
        for v in model.weights:
            v.assign(rand(*v.shape, lo=-0.6, hi=0.6))
        initial = weight_list(model.weights, [np.array(v) for v in model.weights])
        x, y, w = rand(21, *shape), ints(classes, 21), rand(21, lo=0.2, hi=1.5)
        model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
        optimizer = plain(model.optimizer)
        fit = {"epochs": 3, "batch_size": 8, "shuffle": False}
        history = model.fit(x, y, sample_weight=w, verbose=0, **fit).history
        yield header("fit", f"own/{model.name}", model=spec) | {
            "tol": {"rtol": 1e-4, "atol": 1e-5},
            "compile": {"optimizer": optimizer, "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
            "initial_weights": initial,
            "x": array(x),
            "y": array(y),
            "sample_weight": array(w),
            "class_weight": None,
            "fit": fit,
            "callbacks": [],
            "history": {name: [float(v) for v in values] for name, values in history.items()},
            "final_weights": weight_list(model.weights, [np.array(v) for v in model.weights]),
            "evaluate": model.evaluate(x, y, sample_weight=w, batch_size=8, verbose=0, return_dict=True),
            "predict": array(model.predict(x, verbose=0)),
        }


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../../tests/golden/vectors.jsonl.gz")
    makers = [activation_lines, op_lines, loss_lines, metric_lines, optimizer_lines, schedule_lines, small_lines, layer_lines, model_lines]
    lines = [line for make in makers for line in make()]
    lines[0]["generator"] = f"tools/golden/vectors.py, Keras {keras.__version__}, TensorFlow {tf.__version__}"
    golden.write_lines(out, lines)


if __name__ == "__main__":
    main()
