"""Models for tools/check_keras_roundtrip.py that train: shared and nested models, every optimizer and schedule with odd options, mixed
precisions, recurrent and attention layers with odd arguments, preprocessing inside the model, regularizers, constraints and losses.

TRAIN: name -> function that gives a compiled Keras model without randomness in training.
"""
import keras
import keras_files as corpus
import numpy as np
from keras import layers as L
from keras import ops

O = keras.optimizers
S = O.schedules
seq = corpus.seq
TRAIN = {}


def t(f):
    TRAIN["odd_" + f.__name__] = f
    return f


def compiled(model, optimizer="adam", loss="mse", **kw):
    model.compile(optimizer, loss, **kw)
    return model


@t
def shared_functional():
    a, b = keras.Input((4,)), keras.Input((4,))
    i = keras.Input((4,))
    enc = keras.Model(i, L.Dense(3, activation="tanh")(L.Dense(5, activation="relu")(i)), name="enc")
    d = L.Dot(axes=-1, normalize=True)([enc(a), enc(b)])
    return compiled(keras.Model([a, b], d), O.Adam(1e-2))


@t
def loss_scale():
    return compiled(corpus.small(), O.LossScaleOptimizer(O.Adam(1e-2), initial_scale=1024.0, dynamic_growth_steps=5))


@t
def loss_scale_sgd_sched():
    return compiled(corpus.small(), O.LossScaleOptimizer(O.SGD(S.ExponentialDecay(0.1, 7, 0.5, staircase=True), momentum=0.9)))


@t
def poly():
    return compiled(corpus.small(), O.Adam(S.PolynomialDecay(1e-2, 9, 1e-4, power=2.0, cycle=True)))


@t
def piecewise():
    return compiled(corpus.small(), O.SGD(S.PiecewiseConstantDecay([5, 12], [0.1, 0.05, 0.01]), nesterov=True, momentum=0.8))


@t
def inverse():
    return compiled(corpus.small(), O.Adagrad(S.InverseTimeDecay(0.1, 5, 0.5)))


@t
def cosine_restarts():
    return compiled(corpus.small(), O.AdamW(S.CosineDecayRestarts(1e-2, 6, t_mul=1.5, m_mul=0.9, alpha=0.1), weight_decay=0.05))


@t
def cosine_warm():
    return compiled(corpus.small(), O.Nadam(S.CosineDecay(1e-4, 20, warmup_target=1e-2, warmup_steps=8)))


@t
def ema_overwrite():
    return compiled(corpus.small(), O.SGD(0.05, momentum=0.9, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=7))


@t
def clipvalue_accum():
    return compiled(corpus.small(), O.Adam(1e-2, clipvalue=0.05, gradient_accumulation_steps=3))


@t
def global_clip_wd():
    return compiled(corpus.small(), O.SGD(1e-1, global_clipnorm=0.3, weight_decay=0.01, momentum=0.9))


@t
def muon():
    return compiled(corpus.small(), O.Muon(1e-2))


@t
def adafactor():
    return compiled(corpus.small(), O.Adafactor(1e-2))


@t
def adafactor_beta():
    return compiled(seq(L.Dense(130, activation="relu"), L.Dense(129), L.Dense(2), shape=(140,)), O.Adafactor(1e-2, relative_step=False))


@t
def ftrl_l():
    return compiled(corpus.small(), O.Ftrl(1e-2, l1_regularization_strength=1e-3, l2_regularization_strength=1e-2, l2_shrinkage_regularization_strength=1e-3))


@t
def mixed_f16():
    return compiled(seq(L.Dense(8, activation="relu", dtype="float32"), L.Dense(2, dtype="float32"), shape=(4,)), O.Adam(1e-2))


@t
def policy_f64():
    return compiled(seq(L.Dense(8, activation="relu", dtype="float64"), L.Dense(2, dtype="float64"), shape=(4,), dtype="float64"), O.Adam(1e-2))


@t
def policy_map():
    i = keras.Input((4,))
    x = L.Dense(6, dtype=keras.DTypePolicy("float64"), activation="tanh")(i)
    x = L.Dense(3, dtype="float32")(x)
    return compiled(keras.Model(i, x), O.Adam(1e-2))


@t
def bidi_all():
    i = keras.Input((6, 3))
    x = L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode="sum")(i)
    x = L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="mul")(x)
    x = L.Bidirectional(L.SimpleRNN(2, return_sequences=True), merge_mode="ave")(x)
    a, b = L.Bidirectional(L.LSTM(2), merge_mode=None)(x)
    return compiled(keras.Model(i, L.Concatenate()([a, b])), O.Adam(1e-2))


@t
def bidi_states_in():
    i = keras.Input((6, 3))
    y, fh, fc, bh, bc = L.Bidirectional(L.LSTM(4, return_sequences=True, return_state=True))(i)
    z = L.Bidirectional(L.LSTM(4))(y, initial_state=[fh, fc, bh, bc])
    return compiled(keras.Model(i, L.Dense(2)(z)), O.Adam(1e-2))


@t
def mha_cross():
    q, v = keras.Input((4, 6)), keras.Input((7, 5))
    x, s = L.MultiHeadAttention(3, 4, value_dim=5, output_shape=6, use_bias=False)(q, v, return_attention_scores=True)
    x = L.LayerNormalization(epsilon=1e-6)(q + x)
    return compiled(keras.Model([q, v], [L.Dense(2)(L.GlobalAveragePooling1D()(x)), L.GlobalMaxPooling2D(data_format="channels_first")(s)]), O.Adam(1e-2))


@t
def gqa_causal():
    q = keras.Input((5, 8))
    x = L.GroupQueryAttention(4, 4, 2)(q, q, use_causal_mask=True)
    return compiled(keras.Model(q, L.Dense(2)(x)), O.AdamW(1e-2))


@t
def embedding_mask_lstm():
    i = keras.Input((6,), dtype="int32")
    x = L.Embedding(10, 4, mask_zero=True)(i)
    x = L.LSTM(5, return_sequences=True)(x)
    x = L.GRU(3)(x)
    return compiled(keras.Model(i, L.Dense(2)(x)), O.Adam(1e-2))


@t
def tied_weights():
    i = keras.Input((5,), dtype="int32")
    e = L.ReversibleEmbedding(12, 4)
    x = L.Dense(4)(e(i))
    return compiled(keras.Model(i, e(x, reverse=True)), O.Adam(1e-2))


@t
def prep_norm():
    n = L.Normalization()
    n.adapt(np.random.default_rng(1).normal(3, 2, (50, 4)).astype("float32"))
    return compiled(seq(n, L.Discretization([-0.5, 0.0, 0.5], output_mode="int"), L.Embedding(4, 3), L.Flatten(), L.Dense(2), shape=(4,)), O.Adam(1e-2))


@t
def prep_hash():
    i = keras.Input((3,), dtype="int64")
    h = L.Hashing(7)(i)
    c = L.CategoryEncoding(7, output_mode="multi_hot")(h)
    l = L.IntegerLookup(vocabulary=[1, 3, 5], output_mode="count")(i)
    return compiled(keras.Model(i, L.Dense(2)(L.Concatenate()([c, ops.cast(l, "float32")]))), O.Adam(1e-2))


@t
def hashed_crossing():
    a, b = keras.Input((1,), dtype="int64"), keras.Input((1,), dtype="int64")
    x = L.HashedCrossing(9, output_mode="one_hot")((a, b))
    return compiled(keras.Model([a, b], L.Dense(2)(x)), O.Adam(1e-2))


@t
def rescale_resize():
    return compiled(seq(L.Rescaling(1 / 255.0, offset=-0.5), L.Resizing(6, 6), L.Conv2D(3, 3, padding="same", activation="relu"), L.CenterCrop(4, 4), L.GlobalMaxPooling2D(), L.Dense(2), shape=(8, 8, 3)), O.Adam(1e-2))


@t
def sep_conv_bn():
    return compiled(seq(L.SeparableConv2D(4, 3, padding="same", depth_multiplier=2, activation="relu"), L.BatchNormalization(momentum=0.9), L.DepthwiseConv2D(3, strides=2, padding="same"), L.ReLU(max_value=6.0, negative_slope=0.1), L.GlobalAveragePooling2D(keepdims=True), L.Conv2D(2, 1), L.Flatten(), shape=(8, 8, 2)), O.SGD(0.05, momentum=0.9))


@t
def conv_t_group():
    return compiled(seq(L.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1), L.GroupNormalization(2), L.Activation("swish"), L.UpSampling2D(2, interpolation="bilinear"), L.Cropping2D(((1, 0), (2, 1))), L.ZeroPadding2D(1), L.AveragePooling2D(3), L.Flatten(), L.Dense(2), shape=(4, 4, 3)), O.Adam(1e-2))


@t
def conv3d_lstm2d():
    return compiled(seq(L.ConvLSTM2D(3, 2, return_sequences=True, recurrent_activation="hard_sigmoid"), L.Conv3D(2, 2), L.GlobalAveragePooling3D(), shape=(3, 5, 5, 2)), O.Adam(1e-2))


@t
def regs_constraints():
    return compiled(seq(L.Dense(6, kernel_regularizer=keras.regularizers.L1L2(1e-3, 1e-2), bias_regularizer="l2", activity_regularizer=keras.regularizers.L2(1e-2), kernel_constraint=keras.constraints.MaxNorm(0.5)), L.Dense(4, kernel_constraint="unit_norm", kernel_regularizer=keras.regularizers.OrthogonalRegularizer(0.02)), L.Dense(2, kernel_constraint=keras.constraints.MinMaxNorm(0.1, 0.6, 0.7), bias_constraint="non_neg"), shape=(5,)), O.SGD(0.05))


@t
def multi_out_dict():
    i = keras.Input((4,), name="x")
    h = L.Dense(5, activation="relu")(i)
    m = keras.Model({"x": i}, {"b": L.Dense(1, name="b")(h), "a": L.Dense(3, activation="softmax", name="a")(h)})
    return compiled(m, O.Adam(1e-2), {"a": "kld", "b": keras.losses.Huber(delta=0.5)}, loss_weights={"a": 2.0, "b": 0.1}, metrics={"b": ["mae", "mse"]})


@t
def partly_frozen_nested():
    i = keras.Input((4,))
    base = keras.Model(i, L.BatchNormalization()(L.Dense(4, activation="relu")(i)), name="base")
    base.trainable = False
    j = keras.Input((4,))
    return compiled(keras.Model(j, L.Dense(2)(base(j, training=False))), O.Adam(1e-2))


@t
def unit_norm_spectral():
    return compiled(seq(L.SpectralNormalization(L.Dense(5), power_iterations=2), L.UnitNormalization(), L.PReLU(shared_axes=None), L.Dense(2), shape=(4,)), O.Adam(1e-2))


@t
def weightnorm_rms():
    return compiled(seq(L.Dense(6), L.RMSNormalization(), L.ELU(0.5), L.Dense(3), L.LayerNormalization(center=False, scale=False), shape=(4,)), O.Lion(1e-3))


@t
def rnn_cells():
    c = L.RNN([L.LSTMCell(4), L.GRUCell(3), L.SimpleRNNCell(2)], return_sequences=True, go_backwards=True)
    return compiled(seq(c, L.Flatten(), L.Dense(2), shape=(4, 3)), O.Adam(1e-2))


@t
def lstm_odd():
    return compiled(seq(L.LSTM(4, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False, unit_forget_bias=False, return_sequences=True, go_backwards=True), L.LSTM(3, kernel_regularizer="l2"), L.Dense(2), shape=(5, 3)), O.Adam(1e-2))


@t
def ops_mix():
    i = keras.Input((4, 6))
    x = ops.einsum("bij,bkj->bik", i, i)
    x = ops.softmax(x / 3.0, axis=-1) @ i
    x = ops.concatenate([x, ops.roll(x, 1, axis=1)], axis=-1)
    x = ops.where(x > 0, x, 0.1 * x)
    x = ops.split(x, 2, axis=-1)[1]
    x = ops.mean(ops.square(x), axis=1)
    return compiled(keras.Model(i, L.Dense(2)(x)), O.Adam(1e-2))


@t
def losses_focal():
    return compiled(seq(L.Dense(6, activation="relu"), L.Dense(3, activation="sigmoid"), shape=(4,)), O.Adam(1e-2), keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, gamma=1.5, label_smoothing=0.1))


@t
def losses_cosine():
    return compiled(corpus.small(), O.Adam(1e-2), keras.losses.CosineSimilarity(axis=-1))


@t
def losses_logcosh():
    return compiled(corpus.small(), O.Adam(1e-2), "log_cosh")


@t
def losses_tversky():
    return compiled(seq(L.Dense(6), L.Dense(3, activation="sigmoid"), shape=(4,)), O.Adam(1e-2), keras.losses.Tversky(alpha=0.3, beta=0.7))


@t
def dup_names_across():
    i = keras.Input((4,))
    a = keras.Sequential([L.Dense(3, name="d"), L.Dense(3, name="e")], name="s1")
    b = keras.Sequential([L.Dense(3, name="d"), L.Dense(3, name="e")], name="s2")
    return compiled(keras.Model(i, a(i) * b(i)), O.Adam(1e-2))


@t
def squeeze_excite():
    i = keras.Input((6, 6, 4))
    x = L.Conv2D(8, 3, padding="same", groups=2, use_bias=False)(i)
    x = L.BatchNormalization(scale=False)(x)
    s = L.GlobalAveragePooling2D(keepdims=True)(x)
    s = L.Conv2D(2, 1, activation="swish")(s)
    s = L.Conv2D(8, 1, activation="sigmoid")(s)
    x = L.Multiply()([x, s])
    x = L.Conv2D(4, 1, strides=2)(x)
    r = L.Conv2D(4, 1, strides=2, kernel_initializer="orthogonal")(i)
    return compiled(keras.Model(i, L.Dense(2)(L.Flatten()(L.Maximum()([x, r])))), O.Adam(1e-2))


@t
def einsum_dense_bf():
    return compiled(seq(L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de", activation="relu"), L.Reshape((-1, 6)), L.Conv1D(3, 2, dilation_rate=2, padding="causal"), L.GlobalMaxPooling1D(), L.Dense(2), shape=(5, 4)), O.Adamax(1e-2))


@t
def subnormal_zero_size_bias():
    i = keras.Input((None, 4))
    x = L.Masking(0.0)(i)
    x = L.TimeDistributed(L.Dense(3))(x)
    x = L.SimpleRNN(4, dropout=0.0)(x)
    return compiled(keras.Model(i, L.Dense(2)(x)), O.Adam(1e-2))


@t
def discret_sched_wd_exclude():
    o = O.AdamW(1e-2, weight_decay=0.1)
    m = corpus.small()
    o.exclude_from_weight_decay(var_names=["bias"])
    return compiled(m, o)


@t
def custom_dtype_mixed_bf16():
    return compiled(seq(L.Dense(8, activation="relu", dtype="mixed_bfloat16"), L.Dense(2, dtype="float32"), shape=(4,)), O.Adam(1e-2))


@t
def conv1d_pool():
    return compiled(seq(L.Conv1D(4, 3, strides=2, padding="same"), L.MaxPooling1D(2, padding="same"), L.ZeroPadding1D(1), L.Conv1DTranspose(3, 2, strides=2), L.SeparableConv1D(2, 2), L.UpSampling1D(2), L.Cropping1D(1), L.GlobalAveragePooling1D(), shape=(8, 2)), O.Adadelta(1.0))


@t
def attention_additive():
    q, v = keras.Input((4, 5)), keras.Input((6, 5))
    x = L.AdditiveAttention()([q, v])
    y = L.Attention(use_scale=True, score_mode="concat")([q, v])
    return compiled(keras.Model([q, v], L.Dense(2)(x + y)), O.Adam(1e-2))

