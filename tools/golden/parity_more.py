"""More parity vectors computed by Keras, for functions that the shared files cover thinly: tests/golden/more.jsonl.gz.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install keras tensorflow-cpu
    /tmp/golden/bin/python tools/golden/parity_more.py [OUT]   # default: tests/golden/more.jsonl.gz

Every unary function sees edge values and integers, every binary one broadcasting, numbers and mixed dtypes, every reduction
all kinds of axes. A case that Keras itself refuses is left out. To add a case, add a row.
"""

import itertools
import os
import sys

import vectors  # sets up Keras on TensorFlow
from vectors import GRAD_TOL, TOL, as_call, as_json, flatten, gradient_fields, header, ints, is_float, rand, weighted_total

import golden
import keras
import numpy as np
import tensorflow as tf
from golden import array
from parity_more_ops import CASES
from keras import layers as L
from keras import ops

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
        total = weighted_total(outputs, cotangents)
    line = header("op", ident, op=name, args=[as_json(a) for a in args])
    line |= {"kwargs": {k: as_json(v) for k, v in kwargs.items()}, "outputs": [array(o) for o in outputs]}
    gradients = gradient_fields(tape, total, arrays, cotangents)
    return line | gradients | ({"grad_tol": GRAD_TOL} if gradients else {})


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


def fit_lines(report):
    """Callbacks and averages that the shared files do not have."""
    for i, (ema, config) in enumerate((({"ema_momentum": 0.8}, {"swap_on_epoch": False}), ({"ema_momentum": 0.6}, {"swap_on_epoch": True}))):
        model = keras.Sequential([L.Input((5,)), L.Dense(6, activation="tanh"), L.BatchNormalization(), L.Dense(3, activation="softmax")], name=f"averaged{i}")
        saved = keras.saving.serialize_keras_object(model)
        for v in model.weights:
            v.assign(rand(*v.shape, lo=0.3, hi=0.9))
        initial = vectors.weight_list(model.weights, [np.array(v) for v in model.weights])
        x, y, vx, vy = rand(20, 5), ints(3, 20), rand(7, 5), ints(3, 7)
        model.compile(keras.optimizers.Adam(0.02, use_ema=True, **ema), "sparse_categorical_crossentropy", metrics=["accuracy"])
        callback = keras.callbacks.SwapEMAWeights(**config)
        line = trained(f"swap_ema{i}", model, saved, initial, x, y, (vx, vy), [callback])
        yield line | {"callbacks": [{"class_name": "SwapEMAWeights", "config": config}]}
    yield from clipped_rows()


def trained(name, model, saved, initial, x, y, validation, callbacks):
    """Fits the compiled model and describes it."""
    optimizer = vectors.plain(model.optimizer)
    fit = {"epochs": 3, "batch_size": 8, "shuffle": False}
    history = model.fit(x, y, validation_data=validation, callbacks=callbacks, verbose=0, **fit).history
    return header("fit", f"more/{name}", model={"class_name": saved["class_name"], "config": saved["config"]}) | {
        "tol": {"rtol": 1e-4, "atol": 1e-5},
        "compile": {"optimizer": optimizer, "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
        "initial_weights": initial,
        "x": array(x),
        "y": array(y),
        "sample_weight": None,
        "class_weight": None,
        "validation_data": [array(v) for v in validation],
        "fit": fit,
        "callbacks": [],
        "history": {name: [float(v) for v in values] for name, values in history.items()},
        "final_weights": vectors.weight_list(model.weights, [np.array(v) for v in model.weights]),
        "evaluate": model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True),
        "predict": array(model.predict(x, verbose=0)),
    }


def clipped_rows():
    """Clipping where rows of an embedding are looked up several times in a batch, by two inputs. Numbers of its own stream."""
    clips = ({"clipvalue": 0.004}, {"clipnorm": 0.02}, {"global_clipnorm": 0.03})
    optimizers = {"sgd": keras.optimizers.SGD(0.5), "rmsprop": keras.optimizers.RMSprop(0.02), "adam": keras.optimizers.Adam(0.02)}
    for (name, maker), clip in itertools.product(optimizers.items(), clips):
        rng = np.random.RandomState(len(name) * 7 + len(next(iter(clip))))
        rows = L.Embedding(4, 3, name="rows")
        a = L.Input((5,), dtype="int32", name="a")
        h = L.Flatten()(L.Add()([rows(a), rows((a + 1) % 4)]))
        model = keras.Model(a, L.Dense(3, activation="softmax", name="out")(h), name=f"clipped_{name}")
        saved = keras.saving.serialize_keras_object(model)
        for v in model.weights:
            v.assign(rng.uniform(-1, 1, v.shape).astype("float32"))
        initial = vectors.weight_list(model.weights, [np.array(v) for v in model.weights])
        x, y = rng.randint(0, 4, (16, 5)).astype("int32"), rng.randint(0, 3, 16).astype("int32")
        model.compile(type(maker).from_config(maker.get_config() | clip), "sparse_categorical_crossentropy", metrics=["accuracy"])
        yield trained(f"clipped_{name}_{next(iter(clip))}", model, saved, initial, x, y, (x[:4], y[:4]), [])


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
    makers["fit"] = fit_lines
    which = os.environ.get("ONLY", " ".join(makers)).split()
    golden.write_lines(out, [line for kind in which for line in makers[kind](report)])


if __name__ == "__main__":
    main()
