#!/usr/bin/env python3
"""Writes the frozen corpus tests/compat/keras with real Keras (run with a venv that has keras and tensorflow).

Each case is a small model in a random state: NAME.keras (or .h5, .weights.h5 ...) and NAME.npz with its inputs in the order of
the model (in_00, ...) and what Keras predicts for them (out_00, ..., in the order of keras.tree.flatten).

    python tools/golden/keras_files.py tests/compat/keras [--only NAME] [--out DIR]
"""
import argparse
import os
import pathlib
import zipfile
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers, ops  # noqa: E402

L = layers
CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


def seq(*ls, shape, dtype=None, **kw):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *ls], **kw)


def ints(shape, high):
    return ("int", shape, high)


# ---- core, names, sharing ---------------------------------------------------------------------------------------------------


@case
def two_dense_named():
    return seq(L.Dense(4, activation="relu", name="shared"), L.Dense(3, name="last"), shape=(5,))


@case
def shared_layer_twice():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    d = L.Dense(3, activation="tanh")
    return keras.Model([a, b], L.Concatenate()([d(a), d(b)]))


@case
def nested_sequential_functional():
    i = keras.Input((6,))
    inner = keras.Model(i, L.Dense(6, activation="elu")(L.Dense(4)(i)), name="inner")
    s = keras.Sequential([keras.Input((6,)), L.Dense(5), inner.__class__(i, L.Dense(5)(i)) if False else L.Dense(6)])
    x = keras.Input((6,))
    return keras.Model(x, L.Add()([inner(x), s(inner(x))]))


@case
def nested_functional_outputs():
    i = keras.Input((3,))
    inner = keras.Model(i, L.Dense(3)(i), name="inner")
    s = keras.Sequential([keras.Input((3,)), L.Dense(3)], name="seq")
    a = keras.Input((3,))
    x = s(s(inner(inner(a))))
    return keras.Model(a, [L.Dense(2)(x), inner(x)])


@case
def dict_in_out():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    x = L.Concatenate()([a, b])
    return keras.Model({"b": b, "a": a}, {"z": L.Dense(2, name="zz")(x), "first": L.Dense(1, name="ff")(x)})


@case
def multi_in_out_list():
    a, b = keras.Input((4, 3)), keras.Input((4, 3))
    return keras.Model([a, b], [L.Subtract()([a, b]), L.Dot(axes=(2, 2))([a, b]), L.Average()([a, b])])


@case
def merges():
    a, b = keras.Input((4,)), keras.Input((4,))
    parts = [L.Multiply()([a, b]), L.Maximum()([a, b]), L.Minimum()([a, b]), L.Add()([a, b, a])]
    return keras.Model([a, b], L.Concatenate(axis=1)(parts))


@case
def embedding_flatten():
    return seq(L.Embedding(11, 3), L.Flatten(), L.Dense(2), shape=(5,), dtype="int32"), [ints((5,), 11)]


@case
def einsum_dense():
    return seq(L.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d", activation="relu"), shape=(3, 5))


@case
def reshapes():
    return seq(L.Reshape((3, 4)), L.Permute((2, 1)), L.ZeroPadding1D(1), L.Cropping1D((1, 0)), L.UpSampling1D(2), L.Flatten(), L.RepeatVector(2),
               shape=(12,))


@case
def activations_layers():
    return seq(L.Dense(6), L.LeakyReLU(0.1), L.Dense(6), L.PReLU(), L.Dense(6), L.ELU(0.7), L.Dense(6), L.ReLU(max_value=2.0, negative_slope=0.1),
               L.Dense(6), L.Activation("gelu"), L.Dense(4), L.Softmax(), shape=(5,))


@case
def activation_names():
    names = ["relu6", "selu", "silu", "softplus", "softsign", "mish", "hard_sigmoid", "hard_silu", "exponential", "log_softmax", "celu", "sigmoid",
             "swish", "leaky_relu", "tanh_shrink", "squareplus", "hard_tanh"]
    x = i = keras.Input((4,))
    return keras.Model(i, L.Concatenate()([L.Activation(n)(x) for n in names]))


@case
def activation_layer_as_argument():
    return seq(L.Dense(4, activation=L.LeakyReLU(0.05)), L.Dense(3, activation=keras.activations.swish), shape=(3,))


@case
def no_bias_and_regularizers():
    return seq(L.Dense(4, use_bias=False, kernel_regularizer="l2", kernel_constraint=keras.constraints.MaxNorm(2)),
               L.Dense(2, bias_regularizer=keras.regularizers.L1L2(0.1, 0.2), activity_regularizer="l1", kernel_initializer="he_normal",
                       bias_initializer=keras.initializers.Constant(0.5)), shape=(3,))


@case
def masking_lstm():
    return seq(L.Masking(0.0), L.LSTM(3), shape=(4, 2))


@case
def many_layers():
    return seq(*[L.Dense(3, activation="tanh") for _ in range(13)], shape=(3,))


# ---- convolutions, pooling, normalisation -------------------------------------------------------------------------------------


@case
def conv2d_stack():
    return seq(L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(), L.Conv2D(3, 3, padding="same", strides=2, use_bias=False), L.BatchNormalization(),
               L.GlobalAveragePooling2D(), L.Dense(2, activation="softmax"), shape=(12, 12, 2))


@case
def conv1d_causal():
    return seq(L.Conv1D(4, 3, padding="causal", dilation_rate=2), L.AveragePooling1D(2, padding="same"), L.GlobalMaxPooling1D(), shape=(9, 2))


@case
def conv3d():
    return seq(L.Conv3D(2, 2, padding="same"), L.MaxPooling3D(2), L.GlobalAveragePooling3D(), shape=(4, 4, 4, 2))


@case
def conv_transpose():
    return seq(L.Conv2DTranspose(3, 3, strides=2, padding="same"), L.Conv2DTranspose(2, 2), shape=(4, 4, 2))


@case
def conv1d_transpose():
    return seq(L.Conv1DTranspose(3, 3, strides=2), shape=(4, 2))


@case
def depthwise_separable():
    return seq(L.DepthwiseConv2D(3, depth_multiplier=2, padding="same"), L.SeparableConv2D(3, 3), L.ReLU(6.0), shape=(7, 7, 2))


@case
def separable_1d():
    return seq(L.SeparableConv1D(3, 3, padding="same"), L.DepthwiseConv1D(2), shape=(6, 2))


@case
def grouped_dilated_conv():
    return seq(L.Conv2D(4, 3, groups=2, padding="same"), L.Conv2D(2, 3, dilation_rate=2), shape=(8, 8, 4))


@case
def image_shapes():
    return seq(L.ZeroPadding2D(((1, 0), (2, 1))), L.Cropping2D(((0, 1), (1, 1))), L.UpSampling2D((2, 2), interpolation="bilinear"), L.SpatialDropout2D(0.3),
               L.AveragePooling2D((3, 2), strides=2, padding="same"), shape=(5, 6, 2))


@case
def batchnorm_variants():
    return seq(L.BatchNormalization(center=False), L.Dense(4), L.BatchNormalization(scale=False, momentum=0.9, epsilon=1e-2), L.Dense(4),
               L.BatchNormalization(center=False, scale=False), shape=(4,))


@case
def layernorm_family():
    return seq(L.LayerNormalization(), L.Dense(4), L.LayerNormalization(center=False, scale=False), L.RMSNormalization(), L.UnitNormalization(),
               L.GroupNormalization(groups=2), shape=(3, 4))


@case
def layernorm_axes():
    return seq(L.LayerNormalization(axis=[1, 2]), L.GroupNormalization(groups=-1), shape=(3, 4))


@case
def spectral_normalization():
    return seq(L.SpectralNormalization(L.Dense(4)), L.SpectralNormalization(L.Dense(3, use_bias=False)), shape=(4,))


@case
def residual_block():
    i = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3, padding="same")(i)
    y = L.BatchNormalization()(x)
    y = L.Activation("relu")(y)
    y = L.Conv2D(4, 3, padding="same")(y)
    x = L.Add()([x, y])
    x = L.Flatten()(L.MaxPooling2D(4)(x))
    return keras.Model(i, L.Dense(2)(x))


@case
def squeeze_excite():
    i = keras.Input((6, 6, 4))
    s = L.GlobalAveragePooling2D(keepdims=True)(i)
    s = L.Conv2D(2, 1, activation="swish")(s)
    s = L.Conv2D(4, 1, activation="sigmoid")(s)
    return keras.Model(i, L.Multiply()([i, s]))


@case
def dropouts():
    return seq(L.GaussianNoise(0.1), L.Dense(4), L.GaussianDropout(0.2), L.AlphaDropout(0.1), L.Dropout(0.5, noise_shape=(None, 4)),
               L.ActivityRegularization(l1=0.1), L.Dense(2), shape=(4,))


@case
def preprocessing_numeric():
    n = L.Normalization()
    n.adapt(np.arange(24, dtype="float32").reshape(6, 4) ** 1.5)
    return seq(n, L.Rescaling(2.0, offset=-1.0), L.Discretization(bin_boundaries=[-1.0, 0.0, 1.0]), shape=(4,))


@case
def preprocessing_image():
    return seq(L.Rescaling(1 / 255.0), L.Resizing(6, 5), L.CenterCrop(4, 4), L.RandomFlip("horizontal"), L.RandomRotation(0.1), L.RandomZoom(0.1),
               L.RandomContrast(0.1), L.Conv2D(2, 3), shape=(8, 8, 3))


@case
def category_encoding():
    return seq(L.CategoryEncoding(num_tokens=7, output_mode="multi_hot"), L.Dense(2), shape=(3,), dtype="int32"), [ints((3,), 7)]


@case
def integer_lookup():
    return seq(L.IntegerLookup(vocabulary=[3, 5, 9, 12], output_mode="multi_hot"), L.Dense(2), shape=(3,), dtype="int64"), [ints((3,), 14)]


@case
def integer_lookup_embedding():
    lookup = L.IntegerLookup()
    lookup.adapt(np.array([[4], [4], [4], [7], [7], [2]]))
    return seq(lookup, L.Embedding(lookup.vocabulary_size(), 3), L.Flatten(), shape=(2,), dtype="int64"), [ints((2,), 9)]


# ---- recurrent ------------------------------------------------------------------------------------------------------------------


@case
def rnn_kinds():
    return seq(L.SimpleRNN(3, return_sequences=True), L.GRU(3, return_sequences=True), L.LSTM(3, return_sequences=True),
               L.GRU(2, reset_after=False, go_backwards=True), shape=(5, 2))


@case
def bidirectional_lstm():
    return seq(L.Bidirectional(L.LSTM(3, return_sequences=True)), L.Bidirectional(L.GRU(2), merge_mode="sum"), shape=(5, 2))


@case
def bidirectional_custom_backward():
    return seq(L.Bidirectional(L.LSTM(3, return_sequences=True), backward_layer=L.GRU(2, return_sequences=True, go_backwards=True)), shape=(4, 2))


@case
def stacked_cells():
    return seq(L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True), L.RNN(L.SimpleRNNCell(2)), shape=(4, 2))


@case
def time_distributed():
    return seq(L.TimeDistributed(L.Dense(3, activation="relu")), L.TimeDistributed(keras.Sequential([keras.Input((3,)), L.Dense(2), L.BatchNormalization()])),
               shape=(4, 2))


@case
def time_distributed_cnn():
    cnn = keras.Sequential([keras.Input((6, 6, 1)), L.Conv2D(2, 3, activation="relu"), L.Flatten()])
    return seq(L.TimeDistributed(cnn), L.LSTM(2), shape=(3, 6, 6, 1))


@case
def lstm_states_encoder_decoder():
    e, d = keras.Input((4, 3)), keras.Input((5, 3))
    _, h, c = L.LSTM(4, return_state=True)(e)
    y = L.LSTM(4, return_sequences=True)(d, initial_state=[h, c])
    return keras.Model([e, d], L.Dense(2)(y))


@case
def conv_lstm():
    return seq(L.ConvLSTM2D(2, 3, padding="same", return_sequences=True), L.ConvLSTM2D(2, 2), shape=(3, 5, 5, 1))


@case
def stateful_rnn():
    i = keras.Input(batch_shape=(2, 3, 2))
    return keras.Model(i, L.GRU(3, stateful=True)(i)), None, 2


@case
def embedding_mask_rnn():
    i = keras.Input((6,), dtype="int32")
    x = L.Embedding(9, 4, mask_zero=True)(i)
    x = L.Bidirectional(L.LSTM(3, return_sequences=True))(x)
    return keras.Model(i, L.GlobalAveragePooling1D()(x)), [ints((6,), 3)]


@case
def mask_through_layers():
    i = keras.Input((5, 2))
    x = L.Masking(0.0)(i)
    y = L.Concatenate()([L.Dense(2)(x), L.Dropout(0.1)(x)])
    return keras.Model(i, L.GRU(3)(y))


# ---- attention ------------------------------------------------------------------------------------------------------------------


@case
def multi_head_attention():
    q, v = keras.Input((4, 6)), keras.Input((5, 6))
    return keras.Model([q, v], L.MultiHeadAttention(2, 3, value_dim=4, output_shape=5)(q, v))


@case
def mha_self_masked():
    i = keras.Input((5,), dtype="int32")
    x = L.Embedding(8, 6, mask_zero=True)(i)
    x = L.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
    return keras.Model(i, L.GlobalAveragePooling1D()(x)), [ints((5,), 4)]


@case
def mha_scores_and_mask():
    q, m = keras.Input((4, 6)), keras.Input((4, 4), dtype="bool")
    y, s = L.MultiHeadAttention(2, 3, use_bias=False)(q, q, attention_mask=m, return_attention_scores=True)
    return keras.Model([q, m], [y, s])


@case
def group_query_attention():
    q, v = keras.Input((4, 8)), keras.Input((5, 8))
    return keras.Model([q, v], L.GroupQueryAttention(4, 4, 2)(q, v))


@case
def attention_layers():
    q, v = keras.Input((4, 6)), keras.Input((5, 6))
    return keras.Model([q, v], [L.Attention(use_scale=True)([q, v]), L.AdditiveAttention()([q, v, v]), L.Attention(score_mode="concat")([q, v])])


@case
def transformer_block():
    i = keras.Input((6,), dtype="int32")
    x = L.Embedding(12, 8)(i)
    p = L.Embedding(6, 8)(ops.arange(6))
    x = x + p
    a = L.MultiHeadAttention(2, 4, dropout=0.1)(x, x)
    x = L.LayerNormalization(epsilon=1e-6)(x + L.Dropout(0.1)(a))
    f = L.Dense(8)(L.Dense(16, activation="gelu")(x))
    x = L.LayerNormalization(epsilon=1e-6)(x + f)
    return keras.Model(i, L.Dense(12)(x)), [ints((6,), 12)]


# ---- ops as nodes -----------------------------------------------------------------------------------------------------------------


@case
def ops_arithmetic():
    a, b = keras.Input((4,)), keras.Input((4,))
    x = (a + 1.0) * b - 2.0 / (ops.abs(b) + 1.0)
    y = ops.maximum(x, -a) ** 2.0
    return keras.Model([a, b], [x, ops.sqrt(y + 0.5), 3 - x, -x, x // 2.0, ops.where(x > 0.5, x, 0.0)])


@case
def ops_shapes():
    i = keras.Input((4, 6))
    x = i[:, 1:3]
    y = ops.reshape(ops.transpose(i, (0, 2, 1)), (-1, 24))
    z = ops.expand_dims(i[..., 0], -1)
    w = i[:, -1, ::2]
    s = ops.split(i, 3, axis=-1)
    return keras.Model(i, [x, y, z, w, s[1], ops.concatenate([x, x], axis=1), ops.stack([w, w], axis=1), ops.pad(x, [[0, 0], [1, 0], [0, 2]]),
                           ops.squeeze(z, -1), ops.flip(w, 1), ops.tile(w, [1, 2]), ops.repeat(w, 2, axis=1)])


@case
def ops_reductions():
    i = keras.Input((4, 6))
    return keras.Model(i, [ops.mean(i, axis=1), ops.sum(i, axis=[1, 2]), ops.max(i, axis=-1, keepdims=True), ops.min(i, axis=1), ops.argmax(i, axis=-1),
                           ops.std(i, axis=1), ops.var(i, axis=-1), ops.prod(i, axis=1), ops.cumsum(i, axis=1), ops.any(i > 1.0, axis=1),
                           ops.all(i > -1.0, axis=1), ops.logsumexp(i, axis=-1)])


@case
def ops_nn():
    i = keras.Input((4, 6))
    return keras.Model(i, [ops.softmax(i), ops.relu(i), ops.sigmoid(i), ops.gelu(i), ops.silu(i), ops.softplus(i), ops.tanh(i), ops.leaky_relu(i, 0.1),
                           ops.elu(i), ops.relu6(i), ops.log_softmax(i), ops.one_hot(ops.argmax(i, axis=-1), 6),
                           ops.matmul(i, ops.transpose(i, (0, 2, 1))), ops.einsum("bij,bkj->bik", i, i), ops.clip(i, -0.5, 0.5), ops.cast(i, "int32"),
                           ops.take(i, np.array([0, 2]), axis=1), ops.erf(i), ops.exp(-ops.square(i))])


@case
def ops_constants():
    i = keras.Input((3,))
    w = np.linspace(-1, 1, 6).astype("float32").reshape(3, 2)
    return keras.Model(i, ops.matmul(i, w) + np.array([1.0, 2.0], "float32"))


@case
def positional_ops_only():
    i = keras.Input((5,))
    return keras.Model(i, [i * 2.0, i])


# ---- training state ----------------------------------------------------------------------------------------------------------------


def trained(model, loss="mse", optimizer="adam", metrics=None, steps=3, **kw):
    model.compile(optimizer, loss, metrics=metrics, **kw)
    rng = np.random.default_rng(1)
    x = [rng.standard_normal((8,) + tuple(i.shape[1:])).astype("float32") for i in model.inputs]
    y = [rng.standard_normal((8,) + tuple(o.shape[1:])).astype("float32") for o in model.outputs]
    for _ in range(steps):
        model.train_on_batch(x if len(x) > 1 else x[0], y if len(y) > 1 else y[0])
    return model


def small():
    return seq(L.Dense(3, activation="tanh"), L.Dense(2), shape=(4,))


@case
def optimizer_adam():
    return trained(small(), metrics=["mae"])


@case
def optimizer_sgd_schedule():
    return trained(small(), optimizer=keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9), momentum=0.9, nesterov=True))


@case
def optimizer_adamw_ema():
    return trained(small(), optimizer=keras.optimizers.AdamW(1e-3, use_ema=True, global_clipnorm=1.0), loss=keras.losses.Huber(delta=0.5))


@case
def optimizer_rmsprop_centered():
    return trained(small(), optimizer=keras.optimizers.RMSprop(1e-3, momentum=0.9, centered=True))


@case
def optimizer_nadam():
    return trained(small(), optimizer="nadam")


@case
def optimizer_adam_amsgrad_accumulate():
    return trained(small(), optimizer=keras.optimizers.Adam(1e-3, amsgrad=True, gradient_accumulation_steps=2))


@case
def optimizer_loss_scale():
    return trained(small(), optimizer=keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1, momentum=0.5)))


@case
def optimizer_not_built():
    m = small()
    m.compile(keras.optimizers.Adam(1e-4), keras.losses.MeanSquaredError(), metrics=[keras.metrics.MeanAbsoluteError(name="err")])
    return m


@case
def frozen_layers():
    m = seq(L.Dense(3, activation="tanh"), L.BatchNormalization(), L.Dense(2), shape=(4,))
    m.layers[0].trainable = False
    return trained(m)


@case
def compiled_multi_output():
    a = keras.Input((3,))
    x = L.Dense(4)(a)
    m = keras.Model(a, {"p": L.Dense(1, name="p")(x), "q": L.Dense(2, name="q")(x)})
    m.compile("sgd", loss={"p": "mse", "q": "mae"}, loss_weights={"p": 1.0, "q": 0.5}, metrics={"p": ["mae"]})
    return m


# ---- dtypes ------------------------------------------------------------------------------------------------------------------------


@case
def policy_mixed_bfloat16():
    return seq(L.Dense(4, dtype="mixed_bfloat16"), L.Dense(2, dtype="float32"), shape=(3,))


@case
def policy_float64():
    return seq(L.Dense(4, dtype="float64"), L.Dense(2, dtype="float64"), shape=(3,), dtype="float64")


@case
def policy_bfloat16_variables():
    return seq(L.Dense(4, dtype="bfloat16"), L.Activation("linear", dtype="float32"), shape=(3,))


@case
def policy_float16_variables():
    return seq(L.Dense(4, dtype="float16"), L.Activation("linear", dtype="float32"), shape=(3,))


# ---- other file forms ----------------------------------------------------------------------------------------------------------------


@case
def legacy_h5_cnn():
    return trained(seq(L.Conv2D(2, 3), L.BatchNormalization(), L.ReLU(), L.Flatten(), L.Dense(2), shape=(5, 5, 1)),
                   loss=keras.losses.MeanSquaredError())


@case
def legacy_h5_functional():
    a, b = keras.Input((3,)), keras.Input((3,))
    s = keras.Sequential([keras.Input((3,)), L.Dense(3), L.BatchNormalization(), L.Dense(3)])
    d = L.Dense(2)
    return keras.Model([a, b], L.Concatenate()([d(s(a)), d(s(b))]))


@case
def legacy_h5_rnn():
    i = keras.Input((5,), dtype="int32")
    x = L.Embedding(7, 3)(i)
    return keras.Model(i, L.Bidirectional(L.GRU(2))(x)), [ints((5,), 4)]


@case
def empty_sequential_inside():
    i = keras.Input((3,))
    inner = keras.Sequential([keras.Input((3,)), L.Activation("linear")])
    return keras.Model(i, L.Dense(2)(inner(i)))


@case
def unused_and_identity_outputs():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    x = L.Dense(2)(a)
    return keras.Model([a, b], [x, b, L.Identity()(x)])


@case
def nested_dict_model():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    inner = keras.Model({"a": a, "b": b}, {"u": L.Dense(2)(a), "v": L.Dense(3)(b)}, name="inner")
    x, y = keras.Input((3,)), keras.Input((2,))
    o = inner({"a": x, "b": y})
    return keras.Model([x, y], [o["u"], L.Dense(1)(o["v"])])


@case
def lambda_by_name():
    return seq(L.Lambda(keras.activations.relu), L.Dense(2), shape=(3,))


@case
def lstm_states_by_position():
    x, h, c = keras.Input((4, 3)), keras.Input((2,)), keras.Input((2,))
    return keras.Model([x, h, c], L.LSTM(2)(x, [h, c]))


@case
def reversible_embedding():
    i = keras.Input((4,), dtype="int32")
    e = L.ReversibleEmbedding(9, 5)
    return keras.Model(i, e(L.Dense(5)(e(i)), reverse=True)), [ints((4,), 9)]


@case
def adaptive_pooling():
    return seq(L.AdaptiveAveragePooling2D(2), L.Flatten(), shape=(5, 6, 2))


@case
def channels_first():
    return seq(L.Conv2D(3, 3, data_format="channels_first", padding="same"), L.MaxPooling2D(data_format="channels_first"),
               L.BatchNormalization(axis=1), L.GlobalMaxPooling2D(data_format="channels_first"), shape=(2, 6, 6))


@case
def pipeline_layer():
    return seq(L.Pipeline([L.Rescaling(0.5), L.Resizing(4, 4)]), L.Conv2D(2, 3), shape=(6, 6, 1))


@case
def gated_attention_dropout_free():
    i = keras.Input((4, 6))
    x = L.MultiHeadAttention(2, 3, attention_axes=(1,))(i, i, i)
    return keras.Model(i, L.TimeDistributed(L.Dense(2))(x))


# ---- the corpus ------------------------------------------------------------------------------------------------------------------------


def randomise(model, seed):
    """Weights that no initializer gives: every array differs, variances stay positive."""
    rng = np.random.default_rng(seed)
    for v in model.weights:
        if v.dtype in ("int32", "int64"):
            continue
        value = rng.uniform(-0.6, 0.6, v.shape)
        if "variance" in v.name:
            value = np.abs(value) + 0.5
        if v.name == "gamma":
            value = value + 1.0
        v.assign(value.astype("float32"))


def make_inputs(model, spec, batch, seed):
    rng = np.random.default_rng(seed + 1)
    out = []
    for i, t in enumerate(keras.tree.flatten(model.inputs)):
        shape = (batch,) + tuple(t.shape[1:])
        if spec:
            out.append(rng.integers(0, spec[i][2], shape).astype(t.dtype))
        elif t.dtype == "bool":
            out.append(rng.random(shape) > 0.3)
        else:
            x = rng.standard_normal(shape).astype(t.dtype)
            if len(shape) == 3:
                x[0, -1] = 0.0  # a masked step for those that look
            out.append(x)
    return out


def repack(path):
    """Deflates the members, as users' tools do; Keras itself stores them. Without the date equal models give equal files."""
    with zipfile.ZipFile(path) as z:
        members = [(n, z.read(n)) for n in z.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for n, data in members:
            z.writestr(zipfile.ZipInfo(n), data, zipfile.ZIP_DEFLATED)


# ---- wholes: what larger networks are made of ---------------------------------------------------------------------------------


@case
def seq2seq_states_beside_mask():  # given states switch the attached mask off, in Keras as here
    source, target = keras.Input((6,), dtype="int32", name="source"), keras.Input((5,), dtype="int32", name="target")
    _, h, c = L.LSTM(4, return_state=True)(L.Embedding(12, 3, mask_zero=True)(source))
    y = L.LSTM(4, return_sequences=True)(L.Embedding(12, 3, mask_zero=True)(target), initial_state=[h, c])
    return keras.Model([source, target], L.Dense(3, activation="softmax")(y)), [ints((6,), 3), ints((5,), 3)]


@case
def time_distributed_model():
    step = keras.Sequential([keras.Input((6, 6, 1)), L.Conv2D(2, 3), L.BatchNormalization(), L.ReLU(), L.Flatten(), L.Dense(3)])
    i = keras.Input((4, 6, 6, 1))
    return keras.Model(i, L.GRU(3)(L.TimeDistributed(step)(i)))


@case
def low_rank_adapters():
    dense = L.Dense(6, activation="tanh")
    m = seq(dense, L.Dense(2), shape=(5,))
    dense.enable_lora(2)
    return m


@case
def application_scale_layer():
    from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

    i = keras.Input((6, 6, 3))
    return keras.Model(i, CustomScaleLayer(0.17)([i, L.Conv2D(3, 1)(i)]))


@case
def ops_order():
    i, j = keras.Input((4, 3)), keras.Input((4, 3))
    place = ops.argsort(j, axis=1)
    return keras.Model([i, j], [ops.sort(i, axis=1), place, ops.take_along_axis(i, place, axis=1), ops.top_k(i, 2)[0], ops.cumprod(i, axis=1),
                                ops.digitize(i, np.array([-0.5, 0.0, 0.7], "float32")), ops.arctan2(i, j), ops.max(i, axis=(1, 2))])


# ---- 8-bit weights: quantised after the weights are set -----------------------------------------------------------------------


@case
def quantized_int8():
    i, j = keras.Input((5,), dtype="int32", name="ids"), keras.Input((5, 1100), name="wide")
    x = L.Concatenate()([L.Embedding(9, 6)(i), L.Dense(4, activation="gelu")(j)])  # 1,100 terms: more than float32 sums exactly
    x = L.EinsumDense("abc,cde->abde", (5, 2, 4), bias_axes="de")(x)
    x = L.EinsumDense("abde,def->abf", (5, 7), bias_axes="f", activation="relu")(x)
    x = L.EinsumDense("abx,xy->aby", (5, 6))(x)
    x = L.EinsumDense("abc,bd->adc", (3, 6))(x)
    return keras.Model([i, j], [L.Dense(3, use_bias=False)(L.Flatten()(x)), x])


@case
def quantized_int8_attention():
    # Keras cannot load what it saves of this one: the attention's configuration does not say that its weights are rounded.
    i = keras.Input((4, 8))
    x = L.LayerNormalization()(L.MultiHeadAttention(2, 3)(i, i))
    return keras.Model(i, L.Dense(3, activation="softmax")(L.GlobalAveragePooling1D()(x)))


@case
def quantized_int8_weights_only():
    i = keras.Input((5,), dtype="int32")
    e = L.ReversibleEmbedding(9, 6)
    return keras.Model(i, e(L.Dense(6)(e(i)), reverse=True))


@case
def quantized_int8_mixed_bfloat16():
    return seq(L.Dense(8, activation="relu", dtype="mixed_bfloat16"), L.Dense(3, dtype="float32"), shape=(6,))


@case
def quantized_int8_reversible():
    i = keras.Input((5,), dtype="int32")
    e, f = L.ReversibleEmbedding(9, 6), L.ReversibleEmbedding(7, 6, tie_weights=False, logit_soft_cap=4.0)
    x = e(i)
    f(ops.minimum(i, 6))
    return keras.Model(i, [e(x, reverse=True), f(x, reverse=True)])


def write(name, folder):
    keras.utils.set_random_seed(zlib.crc32(name.encode()) % 1000)
    keras.utils.clear_session() if hasattr(keras.utils, "clear_session") else keras.backend.clear_session()
    made = CASES[name]()
    model, spec, batch = (made + (None,) * 3)[:3] if isinstance(made, tuple) else (made, None, None)
    seed = zlib.crc32(name.encode()) % 100000
    if not name.startswith("optimizer_") and name not in ("frozen_layers", "legacy_h5_cnn"):
        randomise(model, seed)
    if name.startswith("quantized_int8"):
        quantizers = keras.quantizers
        model.save(folder / (name + "_source.keras"))  # what Glia quantises itself
        repack(folder / (name + "_source.keras"))
        model.quantize(config=quantizers.Int8QuantizationConfig(activation_quantizer=None) if "weights_only" in name
                       else quantizers.Int8QuantizationConfig())
    x = make_inputs(model, spec, batch or 3, seed)
    flat = keras.tree.flatten(model._inputs_struct) if hasattr(model, "_inputs_struct") else model.inputs
    if isinstance(getattr(model, "_inputs_struct", None), dict):
        given = {k: x[i] for i, k in enumerate(sorted(model._inputs_struct))}
    else:
        given = x if len(x) > 1 else x[0]
    path = folder / (name + (".h5" if name.startswith("legacy_h5") else ".keras"))
    model.save(path)
    if name == "optimizer_adam":
        model.save_weights(folder / (name + ".weights.h5"))
        model.save_weights(folder / (name + ".weights.json"), max_shard_size=2e-7)  # GiB: every shard holds an array or two
    if path.suffix == ".keras" and not name.startswith("optimizer_"):
        repack(path)
    if name != "quantized_int8_attention":
        model = keras.models.load_model(path)  # Keras itself agrees with its file
    y = model.predict(given, verbose=0, batch_size=batch)
    arrays = {f"in_{i:02}": a for i, a in enumerate(x)}
    for i, a in enumerate(keras.tree.flatten(y)):
        arrays[f"out_{i:02}"] = np.asarray(a, dtype="float32") if a.dtype not in ("float64", "int32", "int64", "bool") else a
    np.savez_compressed(folder / (name + ".npz"), **arrays)
    del flat
    return path.stat().st_size


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--only", default="")
    a = p.parse_args()
    a.folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for name in CASES:
        if a.only and a.only not in name:
            continue
        try:
            total += write(name, a.folder)
        except Exception as e:  # noqa: BLE001
            print(f"FAILED {name}: {type(e).__name__}: {str(e)[:300]}")
    print(f"{len(CASES)} cases, {total} bytes, keras {keras.__version__}")


if __name__ == "__main__":
    main()
