"""Random configurations of every deterministic Keras layer: LAYERS[name](draw) -> (layer, inputs, call, masks or None).

`inputs` are the positional arguments of the call (an entry may be a list of arrays), `call` the keyword arguments.
Dropout rates are 0 where training is true, random factors are fixed, so that the outputs are reproducible.
"""

import keras
import numpy as np
from keras import layers as L

LAYERS = {}
ACTIVATIONS = ("relu tanh sigmoid gelu silu elu selu softplus softsign hard_sigmoid exponential mish leaky_relu relu6 log_sigmoid celu softmax log_softmax hard_silu hard_tanh "
               "linear tanh_shrink soft_shrink squareplus").split()  # fmt: skip
POLICIES = ("float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def layer(f):
    LAYERS[f.__name__] = f
    return f


def policy(d, p=0.12):
    return {"dtype": d.pick(*POLICIES)} if d.maybe(p) else {}


def weights_of(d, *names, p=0.12):
    """Regularizers, constraints and initializers of the named weights."""
    r, c, i = keras.regularizers, keras.constraints, keras.initializers
    kw = {}
    for n in names:
        kw |= d.options(p, **{n + "_regularizer": ["l1", "l2", r.L1L2(0.02, 0.1), r.L2(0.3)], n + "_constraint": [c.NonNeg(), c.UnitNorm(axis=0), c.MaxNorm(1.5)]})
        kw |= d.options(p, **{n + "_initializer": ["ones", "he_normal", "random_uniform", i.RandomNormal(0.1, 0.3), i.Constant(0.2), i.VarianceScaling(2.0, "fan_avg", "uniform")]})
    return kw


def activity(d, p=0.1):
    return d.options(p, activity_regularizer=["l1", "l2", keras.regularizers.L1L2(0.01, 0.05)])


def activation(d, p=0.5, **more):
    return d.options(p, activation=ACTIVATIONS) | more


# core ---------------------------------------------------------------------------------------------------------------
@layer
def Dense(d):
    kw = activation(d) | d.options(0.2, use_bias=[False]) | weights_of(d, "kernel", "bias") | activity(d) | policy(d)
    if d.maybe(0.1):
        kw |= {"lora_rank": d.int(1, 3)}  # Keras 3.15 forgets the lora_alpha of the constructor
    return L.Dense(d.int(1, 9), **kw), [d.rand(*d.dims(d.pick(2, 2, 3, 4)))], {}, None


@layer
def EinsumDense(d):
    a, b, c, e = d.dims(4)
    eq, x, out, biases = d.pick(("ab,bc->ac", (a, b), c, "c"), ("abc,cd->abd", (a, b, c), (None, e), "bd"), ("abc,cde->abde", (a, b, c), (None, e, 3), "bde"),
                                ("...x,xy->...y", (a, b, c), e, "y"), ("abcd,cdef->abef", (a, b, c, e), (None, 2, 3), "ef"), ("abc,bd->adc", (a, b, c), (e, None), "d"),
                                ("ab...,bc->ac...", (a, b, c), (e,), "c"), ("abc,ce->aeb", (a, b, c), (e, None), "e"))  # fmt: skip
    kw = activation(d, 0.3) | weights_of(d, "kernel") | activity(d) | policy(d)
    if d.maybe(0.6):
        kw["bias_axes"] = biases if d.maybe() else biases[-1]
    return L.EinsumDense(eq, out, **kw), [d.rand(*x)], {}, None


@layer
def Embedding(d):
    n = d.int(2, 8)
    kw = d.options(0.4, mask_zero=[True]) | weights_of(d, "embeddings") | policy(d)
    x = d.ints(n, *d.dims(d.pick(1, 2, 2, 3)), dtype=d.pick("int32", "int32", "int64", "uint8", "float32"))
    return L.Embedding(n, d.int(1, 5), **kw), [x], {}, None


@layer
def ReversibleEmbedding(d):
    n, k = d.int(2, 7), d.int(1, 5)
    kw = d.options(0.3, tie_weights=[False], mask_zero=[True], logit_soft_cap=[1.5, 30.0])
    if d.maybe():
        return L.ReversibleEmbedding(n, k, **kw), [d.ints(n, *d.dims(2))], {}, None
    kw.pop("mask_zero", None)
    return L.ReversibleEmbedding(n, k, **kw), [d.rand(*d.dims(2), k)], {"reverse": True}, None


@layer
def Masking(d):
    x = np.round(d.r.integers(-1, 2, d.dims(3))).astype(np.float32)
    return L.Masking(**d.options(0.5, mask_value=[0.0, 1.0, -1, 0.5])), [x], {}, None


@layer
def Identity(d):
    return L.Identity(**policy(d)), [d.rand(*d.dims(d.int(1, 4)))], {}, None


# activations --------------------------------------------------------------------------------------------------------
@layer
def Activation(d):
    return L.Activation(d.pick(*ACTIVATIONS, "hard_shrink", "sparse_plus", "sparsemax", "glu", "threshold" if False else "elu"), **policy(d) | activity(d)), [d.rand(*d.dims(d.int(1, 3)), 4, lo=-4, hi=4)], {}, None


@layer
def ReLU(d):
    kw = d.options(0.4, max_value=[1.0, 2.5, 0.5], negative_slope=[0.1, 1.0], threshold=[0.5, 0.1, 1.0])
    return L.ReLU(**kw, **policy(d)), [d.rand(*d.dims(d.int(1, 4)))], {}, None


@layer
def LeakyReLU(d):
    return L.LeakyReLU(**d.options(0.6, negative_slope=[0.0, 0.01, 0.5, 1.5]), **policy(d)), [d.rand(*d.dims(3))], {}, None


@layer
def ELU(d):
    return L.ELU(**d.options(0.6, alpha=[0.5, 2.0, 0.0]), **policy(d)), [d.rand(*d.dims(3))], {}, None


@layer
def PReLU(d):
    rank = d.int(1, 4)
    kw = d.options(0.5, shared_axes=[[d.int(1, rank)], list(range(1, rank + 1))]) | weights_of(d, "alpha", p=0.25)
    return L.PReLU(**kw), [d.rand(*d.dims(rank + 1))], {}, None


@layer
def Softmax(d):
    shape = d.dims(d.int(2, 4))
    axes = list(range(len(shape)))
    kw = d.options(0.6, axis=[-1, 1, -2, [1, len(shape) - 1], axes[1:], [-1, -2]])
    call = {"mask": d.bools(*shape, p=0.7)} if d.maybe(0.3) else {}
    return L.Softmax(**kw, **policy(d)), [d.rand(*shape)], call, None


# convolution and pooling --------------------------------------------------------------------------------------------
def conv_shape(d, n, channels, first, lo=1, hi=8):
    spatial = [d.int(lo, hi) for _ in range(n)] if n < 3 else [d.int(lo, 5) for _ in range(n)]
    if first:  # where the last axis equals the filters, Keras on TensorFlow adds the bias along it
        spatial[-1] = d.int(10, 12)
    return [d.batch(), channels, *spatial] if first else [d.batch(), *spatial, channels]


def conv_options(d, n, groups=True, causal=False):
    first = d.maybe(0.15)
    kw = activation(d, 0.3) | d.options(0.2, use_bias=[False]) | weights_of(d, "kernel", "bias", p=0.06) | activity(d, 0.05) | policy(d, 0.08)
    kw["padding"] = d.pick("valid", "same", "causal") if causal and not first else d.pick("valid", "same")
    if d.maybe(0.4):
        kw["strides"] = d.one_or_each(n, 1, 3)
    elif d.maybe(0.4):
        kw["dilation_rate"] = d.one_or_each(n, 1, 3)
    if first:
        kw["data_format"] = "channels_first"
    g = d.pick(1, 1, 1, 2, 3) if groups and not first else 1
    if g > 1:
        kw["groups"] = g
    return kw, g, first


def conv(n):
    def make(d):
        kw, g, first = conv_options(d, n, causal=n == 1)
        return getattr(L, f"Conv{n}D")(g * d.int(1, 3), d.one_or_each(n, 1, 4), **kw), [d.rand(*conv_shape(d, n, g * d.int(1, 3), first))], {}, None

    return make


def conv_transpose(n):
    def make(d):
        kw, _, first = conv_options(d, n, groups=False)
        if "strides" in kw and d.maybe(0.4):
            s = kw["strides"] if isinstance(kw["strides"], list) else [kw["strides"]] * n
            kw["output_padding"] = [d.int(0, max(0, v - 1)) for v in s] if isinstance(kw["strides"], list) else d.int(0, max(0, s[0] - 1))
        return getattr(L, f"Conv{n}DTranspose")(d.int(1, 3), d.one_or_each(n, 1, 4), **kw), [d.rand(*conv_shape(d, n, d.int(1, 3), first, hi=5))], {}, None

    return make


def depthwise(name, n):
    def make(d):
        kw, _, first = conv_options(d, n, groups=False)
        for k in [k for k in kw if k.startswith("kernel_")]:
            kw["depthwise_" + k[7:]] = kw.pop(k)
        if isinstance(kw.get("strides"), list):
            kw["strides"] = kw["strides"][0]  # TensorFlow wants equal strides
        kw |= d.options(0.4, depth_multiplier=[1, 2, 3])
        size = d.one_or_each(n, 1, 4)
        args = (size,) if name == "DepthwiseConv" else (d.int(1, 4), size)
        return getattr(L, f"{name}{n}D")(*args, **kw), [d.rand(*conv_shape(d, n, d.int(1, 3), first))], {}, None

    return make


def pool(name, n):
    def make(d):
        kw = {"padding": d.pick("valid", "same")} | ({"strides": d.one_or_each(n, 1, 4)} if d.maybe() else {}) | policy(d, 0.08)
        first = d.maybe(0.15)
        if first:
            kw["data_format"] = "channels_first"
        x = d.rand(*conv_shape(d, n, d.int(1, 3), first, lo=2))
        return getattr(L, f"{name}{n}D")(d.one_or_each(n, 1, 3), **kw), [np.round(x) if d.maybe(0.2) else x], {}, None

    return make


def global_pool(name, n):
    def make(d):
        kw = d.options(0.4, keepdims=[True]) | policy(d, 0.08)
        first = d.maybe(0.25)
        if first:
            kw["data_format"] = "channels_first"
        x = d.rand(*conv_shape(d, n, d.int(1, 3), first))
        mask = [d.bools(*x.shape[:2], p=0.8)] if name == "GlobalAveragePooling" and n == 1 and not first and d.maybe() else None
        return getattr(L, f"{name}{n}D")(**kw), [x], {}, mask

    return make


def adaptive_pool(name, n):
    def make(d):
        first = d.maybe(0.2)
        x = d.rand(*conv_shape(d, n, d.int(1, 3), first, lo=3, hi=7))
        size = d.one_or_each(n, 2, 4)  # 1 reads foreign memory in Keras 3.15
        return getattr(L, f"{name}{n}D")(size, **({"data_format": "channels_first"} if first else {})), [x], {}, None

    return make


for n in (1, 2, 3):
    LAYERS[f"Conv{n}D"] = conv(n)
    LAYERS[f"Conv{n}DTranspose"] = conv_transpose(n)
    for name in ("MaxPooling", "AveragePooling"):
        LAYERS[f"{name}{n}D"] = pool(name, n)
        LAYERS[f"Global{name}{n}D"] = global_pool("Global" + name, n)
        LAYERS[f"Adaptive{name}{n}D"] = adaptive_pool("Adaptive" + name, n)
for n in (1, 2):
    LAYERS[f"DepthwiseConv{n}D"] = depthwise("DepthwiseConv", n)
    LAYERS[f"SeparableConv{n}D"] = depthwise("SeparableConv", n)


# normalization ------------------------------------------------------------------------------------------------------
@layer
def BatchNormalization(d):
    shape = [d.int(2, 4), *d.dims(d.int(1, 4), hi=4)]
    kw = d.options(0.3, axis=[1, -1, len(shape) - 1, -2 if len(shape) > 2 else -1], momentum=[0.5, 0.9, 0.0], epsilon=[0.1, 1e-5], center=[False], scale=[False])
    kw |= d.options(0.1, trainable=[False], renorm=[True]) | weights_of(d, "gamma", "beta", p=0.08) | policy(d)
    mask = [d.bools(*shape[:2], p=0.7)] if len(shape) == 3 and d.maybe(0.3) else None
    return L.BatchNormalization(**kw), [d.rand(*shape)], {"training": d.maybe()}, mask


@layer
def LayerNormalization(d):
    shape = d.dims(d.int(2, 4))
    n = len(shape)
    kw = d.options(0.3, axis=[-1, [1], n - 1, [-1], list(range(1, n)), [-1, -2] if n > 2 else -1], epsilon=[0.1, 1e-6], center=[False], scale=[False])
    kw |= weights_of(d, "gamma", "beta", p=0.08) | policy(d)
    return L.LayerNormalization(**kw), [d.rand(*shape)], {}, None


@layer
def GroupNormalization(d):
    g, rank = d.int(1, 4), d.int(2, 4)
    axis = d.pick(-1, -1, 1, -2 if rank > 2 else -1)
    shape = d.dims(rank)
    shape[axis] = g * d.int(1, 2)
    kw = d.options(0.3, epsilon=[0.1, 1e-5], center=[False], scale=[False]) | weights_of(d, "gamma", "beta", p=0.08) | policy(d)
    return L.GroupNormalization(groups=d.pick(g, g, g, -1, 1), axis=axis, **kw), [d.rand(*shape)], {}, None


@layer
def RMSNormalization(d):
    shape = d.dims(d.int(2, 4))
    return L.RMSNormalization(**d.options(0.5, axis=[-1, [-1], [-2, -1] if len(shape) > 2 else -1], epsilon=[0.1, 1e-3]), **policy(d)), [d.rand(*shape)], {}, None


@layer
def UnitNormalization(d):
    shape = d.dims(d.int(2, 4))
    return L.UnitNormalization(**d.options(0.6, axis=[-1, 1, [0, 1], [-1, -2], 0]), **policy(d)), [d.rand(*shape)], {}, None


@layer
def SpectralNormalization(d):
    inner, x = d.pick((L.Dense(d.int(2, 4)), d.rand(2, d.int(2, 4))), (L.Conv2D(d.int(1, 3), 2), d.rand(1, 4, 4, 2)), (L.Conv1D(3, 2, padding="same"), d.rand(2, 4, 3)))
    return L.SpectralNormalization(inner, **d.options(0.4, power_iterations=[2, 3])), [x], {"training": d.maybe()}, None


# regularization -----------------------------------------------------------------------------------------------------
def quiet(name, rank=None, **options):
    def make(d):
        shape = d.dims(rank or d.int(1, 4))
        kw = d.options(0.2, seed=[3])
        mask = [d.bools(*shape[:2])] if len(shape) > 2 and d.maybe(0.3) else None
        return getattr(L, name)(d.pick(0.0, 0.3, 0.5), **kw, **options, **(policy(d) if "Spatial" not in name else {})), [d.rand(*shape)], {"training": False}, mask

    return make


for name, rank in (("Dropout", None), ("SpatialDropout1D", 3), ("SpatialDropout2D", 4), ("SpatialDropout3D", 5), ("GaussianNoise", None), ("GaussianDropout", None), ("AlphaDropout", None)):
    LAYERS[name] = quiet(name, rank)


@layer
def ActivityRegularization(d):
    return L.ActivityRegularization(**d.options(0.7, l1=[0.1, 0.02], l2=[0.3, 0.05])), [d.rand(*d.dims(d.int(1, 3)))], {}, None


# recurrent ----------------------------------------------------------------------------------------------------------
CELL_ACTIVATIONS = ("relu", "sigmoid", "softsign", "elu", "linear", "hard_sigmoid", "gelu", "softmax")


def cell_options(d, kind):
    kw = d.options(0.2, activation=CELL_ACTIVATIONS, use_bias=[False]) | weights_of(d, "kernel", "recurrent", "bias", p=0.04)
    if kind != "SimpleRNN":
        kw |= d.options(0.2, recurrent_activation=["hard_sigmoid", "tanh", "relu", "linear"])
    if kind == "LSTM":
        kw |= d.options(0.2, unit_forget_bias=[False])
    if kind == "GRU":
        kw |= d.options(0.3, reset_after=[False])
    return kw


def sequence_options(d):
    return d.options(0.35, return_sequences=[True], return_state=[True]) | d.options(0.25, go_backwards=[True]) | d.options(0.12, unroll=[True], stateful=[True], zero_output_for_mask=[True])


def sequence_mask(d, shape):
    """A mask attached to the input or given in the call: (call, masks)."""
    if not d.maybe(0.5):
        return {}, None
    lengths = d.ints(shape[1] + 1, shape[0])
    m = d.pick(d.bools(*shape[:2], p=0.7), np.arange(shape[1]) < lengths[:, None], np.arange(shape[1]) >= lengths[:, None])
    return ({"mask": m}, None) if d.maybe(0.4) else ({}, [m])


def recurrent(kind):
    def make(d):
        units, shape = d.int(1, 5), [d.batch(), d.int(1, 6), d.int(1, 4)]
        call, masks = sequence_mask(d, shape)
        if d.maybe(0.2):
            call["initial_state"] = [d.rand(shape[0], units, lo=-1, hi=1) for _ in range(2 if kind == "LSTM" else 1)]
        return getattr(L, kind)(units, **cell_options(d, kind), **sequence_options(d), **d.options(0.04, dtype=["float64", "bfloat16"])), [d.rand(*shape)], {"training": False} | call, masks

    return make


def cell(d, kind=None):
    kind = kind or d.pick("SimpleRNN", "LSTM", "GRU")
    return getattr(L, kind + "Cell")(d.int(1, 4), **cell_options(d, kind))


def bare_cell(kind):
    def make(d):
        c = cell(d, kind)
        x = d.rand(d.batch(), d.int(1, 4))
        return c, [x, [d.rand(x.shape[0], c.units, lo=-1, hi=1) for _ in range(2 if kind == "LSTM" else 1)]], {"training": False}, None

    return make


for kind in ("SimpleRNN", "LSTM", "GRU"):
    LAYERS[kind] = recurrent(kind)
    LAYERS[kind + "Cell"] = bare_cell(kind)


@layer
def RNN(d):
    cells = [cell(d) for _ in range(d.int(1, 3))]
    shape = [d.batch(), d.int(1, 5), d.int(1, 4)]
    call, masks = sequence_mask(d, shape)
    kw = sequence_options(d)
    kw.pop("stateful", None)
    c = cells if len(cells) > 1 else cells[0]
    return L.RNN(c, **kw), [d.rand(*shape)], {"training": False} | call, masks


@layer
def StackedRNNCells(d):
    cells = [cell(d) for _ in range(d.int(1, 3))]
    n = d.batch()
    state = [[d.rand(n, c.units, lo=-1, hi=1) for _ in range(2 if isinstance(c, L.LSTMCell) else 1)] for c in cells]
    state = [s if len(s) > 1 else s[0] for s in state]
    return L.StackedRNNCells(cells), [d.rand(n, d.int(1, 4)), state], {"training": False}, None


@layer
def Bidirectional(d):
    kind = d.pick("SimpleRNN", "LSTM", "GRU")
    kw = d.options(0.5, return_sequences=[True]) | d.options(0.25, return_state=[True])
    shape = [d.batch(), d.int(1, 5), d.int(1, 4)]
    call, masks = sequence_mask(d, shape)
    units = d.int(1, 4)
    inner = getattr(L, kind)(units, **cell_options(d, kind), **kw)
    outer = {"merge_mode": d.pick("concat", "sum", "mul", "ave", None)}
    if d.maybe(0.2):
        outer["backward_layer"] = getattr(L, d.pick("SimpleRNN", "GRU", "LSTM") if not kw.get("return_state") else kind)(units, go_backwards=True, **kw)
    if d.maybe(0.15):
        per = 2 if kind == "LSTM" else 1
        if "backward_layer" not in outer:
            call["initial_state"] = [d.rand(shape[0], units, lo=-1, hi=1) for _ in range(2 * per)]
    return L.Bidirectional(inner, **outer), [d.rand(*shape)], {"training": False} | call, masks


@layer
def TimeDistributed(d):
    inner, tail = d.pick((L.Dense(d.int(1, 3), **activation(d)), d.dims(1)), (L.Conv1D(2, 2, padding="same"), d.dims(2)), (L.Flatten(), d.dims(2)), (L.LayerNormalization(), d.dims(1)),
                         (L.MaxPooling2D(2, padding="same"), d.dims(3)), (L.BatchNormalization(), d.dims(2)), (L.GRU(2), d.dims(2)), (L.Dense(2), d.dims(2)))  # fmt: skip
    shape = [d.int(2, 3), d.int(1, 4), *tail]
    mask = [d.bools(*shape[:2])] if d.maybe(0.3) else None
    return L.TimeDistributed(inner), [d.rand(*shape)], {"training": d.maybe()}, mask


def conv_lstm(n):
    def make(d):
        kw = sequence_options(d) | d.options(0.3, use_bias=[False], recurrent_activation=["hard_sigmoid"], padding=["same"], unit_forget_bias=[False])
        if d.maybe(0.3):
            kw["strides"] = d.one_or_each(n, 1, 2)
        elif d.maybe(0.3):
            kw["dilation_rate"] = d.one_or_each(n, 1, 2)
        kw.pop("stateful", None)
        kw.pop("unroll", None)
        shape = [d.int(1, 2), d.int(1, 3), *(d.int(3, 5) for _ in range(n)), d.int(1, 2)]
        mask = [d.bools(*shape[:2])] if d.maybe(0.2) else None
        return getattr(L, f"ConvLSTM{n}D")(d.int(1, 2), d.one_or_each(n, 1, 3), **kw), [d.rand(*shape)], {"training": False}, mask

    return make


for n in (1, 2, 3):
    LAYERS[f"ConvLSTM{n}D"] = conv_lstm(n)


# attention ----------------------------------------------------------------------------------------------------------
def attention(cls):
    def make(d):
        b, t, s, e = d.batch(), d.int(1, 5), d.int(1, 5), d.int(1, 5)
        call = d.options(0.3, use_causal_mask=[True], return_attention_scores=[True]) | {"training": False}
        x = [d.rand(b, t, e), d.rand(b, s, e)] + ([d.rand(b, s, e)] if d.maybe() else [])
        if cls == "Attention":
            kw = d.options(0.4, use_scale=[True], score_mode=["concat", "dot"])
        else:
            kw = d.options(0.4, use_scale=[False])
        kw |= d.options(0.2, dropout=[0.3])
        if d.maybe(0.3):
            m = [d.bools(b, t, p=0.7), d.bools(b, s, p=0.7)] + ([None] if len(x) > 2 else [])
            if d.maybe():
                call["mask"] = m[:2]
            else:
                return getattr(L, cls)(**kw), [x], call, [m]
        return getattr(L, cls)(**kw), [x], call, None

    return make


LAYERS["Attention"] = attention("Attention")
LAYERS["AdditiveAttention"] = attention("AdditiveAttention")


def call_masks(d, b, t, s, call, names):
    if d.maybe(0.25):
        call["query_mask"] = d.bools(b, t, p=0.7)
    if d.maybe(0.25):
        call["value_mask"] = d.bools(b, s, p=0.7)
    if names > 2 and d.maybe(0.2):
        call["key_mask"] = d.bools(b, s, p=0.7)


@layer
def MultiHeadAttention(d):
    b, t, s = d.batch(), d.int(1, 5), d.int(1, 5)
    kw = {"num_heads": d.int(1, 3), "key_dim": d.int(1, 4)} | d.options(0.3, value_dim=[1, 3], use_bias=[False], output_shape=[3, [5], 1], dropout=[0.2])
    kw |= weights_of(d, "kernel", "bias", p=0.05) | policy(d, 0.06) | d.options(0.1, use_gate=[True])
    x = [d.rand(b, t, d.int(1, 5)), d.rand(b, s, d.int(1, 5))] + ([d.rand(b, s, d.int(1, 5))] if d.maybe(0.4) else [])
    call = d.options(0.3, use_causal_mask=[True], return_attention_scores=[True]) | {"training": False}
    if d.maybe(0.3):
        call["attention_mask"] = d.pick(d.bools(b, t, s, p=0.7), d.bools(1, t, s, p=0.7))
    call_masks(d, b, t, s, call, len(x))
    return L.MultiHeadAttention(**kw), x, call, None


@layer
def GroupQueryAttention(d):
    b, t, s, kv = d.batch(), d.int(1, 5), d.int(1, 5), d.int(1, 2)
    kw = {"head_dim": d.int(1, 4), "num_query_heads": kv * d.int(1, 3), "num_key_value_heads": kv} | d.options(0.3, use_bias=[False], dropout=[0.2])
    e = d.int(1, 5)
    x = [d.rand(b, t, e), d.rand(b, s, e)] + ([d.rand(b, s, e)] if d.maybe(0.4) else [])
    call = d.options(0.3, use_causal_mask=[True], return_attention_scores=[True]) | {"training": False}
    if d.maybe(0.3):
        call["attention_mask"] = d.bools(b, t, s, p=0.7)
    call_masks(d, b, t, s, call, len(x))
    return L.GroupQueryAttention(**kw), x, call, None


# shapes -------------------------------------------------------------------------------------------------------------
def dtype_of(d):
    return d.pick("float32", "float32", "float32", "int32", "float16", "float64", "bool", "uint8", "bfloat16", "int64")


@layer
def Flatten(d):
    return L.Flatten(**d.options(0.3, data_format=["channels_first", "channels_last"])), [d.rand(*d.dims(d.int(1, 5)))], {}, None


@layer
def Reshape(d):
    a, b, c = d.dims(3)
    return L.Reshape(d.pick((b * c * a,), (-1,), (c, -1), (a, b * c), (1, -1, 1), (c * a, b, 1))), [d.rand(d.batch(), a, b, c)], {}, None


@layer
def Permute(d):
    rank = d.int(1, 4)
    return L.Permute([int(v) + 1 for v in d.r.permutation(rank)]), [d.rand(*d.dims(rank + 1))], {}, None


@layer
def RepeatVector(d):
    return L.RepeatVector(d.int(1, 4), **policy(d)), [d.rand(*d.dims(2))], {}, None


def sides(d, n, hi):
    kind = d.pick(0, 1, 2) if n > 1 else d.pick(0, 2)
    if kind == 0:
        return d.int(0, hi)
    if kind == 1:
        return [d.int(0, hi) for _ in range(n)]
    pairs = [[d.int(0, hi), d.int(0, hi)] for _ in range(n)]
    return pairs if n > 1 else pairs[0]


def spatial(name, n):
    def make(d):
        kw = {}
        first = n > 1 and d.maybe(0.25)
        if name == "UpSampling":
            kw["size"] = d.one_or_each(n, 1, 3) if n > 1 else d.int(1, 3)
            if n == 2 and d.maybe():
                kw["interpolation"] = d.pick("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
        else:
            kw["cropping" if name == "Cropping" else "padding"] = sides(d, n, 2)
        if first or (n == 1 and name == "ZeroPadding" and d.maybe(0.2)):
            kw["data_format"] = "channels_first"
        x = d.rand(*conv_shape(d, n, d.int(1, 3), kw.get("data_format") == "channels_first", lo=5 if name == "Cropping" else 1, hi=7))
        return getattr(L, f"{name}{n}D")(**kw), [x], {}, None

    return make


for n in (1, 2, 3):
    for name in ("ZeroPadding", "Cropping", "UpSampling"):
        LAYERS[f"{name}{n}D"] = spatial(name, n)


# merging ------------------------------------------------------------------------------------------------------------
def merge(name):
    def make(d):
        count = 2 if name == "Subtract" else d.int(2, 4)
        shape = d.dims(d.int(2, 4))
        dtype = d.pick("float32", "float32", "float32", "int32", "float16")
        arrays = []
        for i in range(count):
            s = [1 if i and j and d.maybe(0.2) else v for j, v in enumerate(shape)]
            if i and len(s) > 2 and d.maybe(0.1):
                s = [s[0], *s[2:]]
            x = d.values(s, dtype)
            arrays.append(x)
        masks = None
        if len(shape) > 2 and d.maybe(0.3) and all(a.shape == tuple(shape) for a in arrays):
            masks = [[d.bools(*shape[:2]) if d.maybe(0.7) else None for _ in range(count)]]
        return getattr(L, name)(), [arrays], {}, masks

    return make


for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
    LAYERS[name] = merge(name)


@layer
def Concatenate(d):
    shape = d.dims(d.int(2, 4))
    axis = d.pick(*range(1, len(shape)), *range(-len(shape) + 1, 0))
    arrays = []
    for _ in range(d.int(2, 4)):
        s = list(shape)
        s[axis] = d.int(1, 4)
        arrays.append(d.rand(*s))
    masks = [[d.bools(*a.shape[:2]) if d.maybe(0.8) else None for a in arrays]] if len(shape) > 2 and d.maybe(0.3) else None
    return L.Concatenate(axis=axis), [arrays], {}, masks


@layer
def Dot(d):
    b, k, m, n = d.batch(), *d.dims(3)
    axes, x, y = d.pick((1, (b, k), (b, k)), (1, (b, k, m), (b, k, n)), (2, (b, m, k), (b, n, k)), ((2, 1), (b, m, k), (b, k, n)), (-1, (b, m, k), (b, n, k)), ((1, 2), (b, k, m), (b, n, k)),
                        ((1, 1), (b, k), (b, k, n)), ((-1, 1), (b, 2, m, k), (b, k)))  # fmt: skip
    return L.Dot(axes, **d.options(0.3, normalize=[True])), [[d.rand(*x), d.rand(*y)]], {}, None


# preprocessing ------------------------------------------------------------------------------------------------------
@layer
def Rescaling(d):
    c = d.int(1, 4)
    x = d.values([*d.dims(d.int(1, 3)), c], d.pick("float32", "uint8", "int32"))
    return L.Rescaling(d.pick(1 / 255, 2.0, [0.5] * c), **d.options(0.5, offset=[0.5, -1, [0.1] * c]), **policy(d)), [x], {}, None


@layer
def Resizing(d):
    first = d.maybe(0.2)
    kw = d.options(0.6, interpolation=["bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5"]) | d.pick({}, {}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True}, {"antialias": True})
    kw |= d.options(0.2, fill_value=[0.5], fill_mode=["constant"])
    if first:
        kw["data_format"] = "channels_first"
    shape = conv_shape(d, 2, d.int(1, 3), first, lo=2, hi=9)
    x = d.rand(*(shape if d.maybe(0.8) else shape[1:]), lo=0)
    return L.Resizing(d.int(1, 9), d.int(1, 9), **kw), [x], {}, None


@layer
def CenterCrop(d):
    first = d.maybe(0.2)
    shape = conv_shape(d, 2, d.int(1, 3), first, lo=2, hi=9)
    return L.CenterCrop(d.int(1, 8), d.int(1, 8), **({"data_format": "channels_first"} if first else {})), [d.rand(*(shape if d.maybe(0.8) else shape[1:]), lo=0)], {}, None


@layer
def Normalization(d):
    shape = d.dims(d.int(2, 4))
    axis = d.pick(-1, None, 1, list(range(1, len(shape))))
    kw = {"axis": axis} | d.options(0.25, invert=[True])
    if axis == -1 and d.maybe():
        c = shape[-1]
        return L.Normalization(mean=d.pick(0.5, d.rand(c).tolist()), variance=d.pick(2.0, np.abs(d.rand(c)).tolist()), **kw), [d.rand(*shape)], {}, None
    return L.Normalization(**kw), [d.rand(*shape)], {"adapt": d.rand(d.int(2, 6), *shape[1:], lo=-3, hi=5)}, None


@layer
def Discretization(d):
    mode = d.pick("int", "int", "one_hot", "multi_hot", "count")
    shape = {"one_hot": [d.int(1, 4)] if d.maybe() else [d.int(1, 4), 1]}.get(mode, d.dims(d.int(1, 2) if mode != "int" else d.int(1, 3)))
    x = d.rand(*shape) if d.maybe(0.8) else d.ints(6, *shape, lo=-3)
    if d.maybe(0.7):
        return L.Discretization(sorted({d.num(-2, 2) for _ in range(d.int(1, 4))}), output_mode=mode), [x], {}, None
    return L.Discretization(num_bins=d.int(2, 5), epsilon=d.pick(0.01, 0.1), output_mode=mode), [x], {"adapt": d.rand(d.int(8, 40))}, None


@layer
def CategoryEncoding(d):
    n, mode = d.int(2, 7), d.pick("multi_hot", "one_hot", "count")
    shape = d.pick([d.int(1, 4)], [d.int(1, 4), 1]) if mode == "one_hot" else d.dims(d.int(1, 2))
    x = d.ints(n, *shape, dtype=d.pick("int32", "int64", "float32"))
    call = {"count_weights": d.rand(*shape, lo=0)} if mode == "count" and d.maybe(0.3) else {}
    return L.CategoryEncoding(n, output_mode=mode), [x], call, None


WORDS = ["cat", "dog", "the", "The", "fish", "a", "Hello,", "world!", "it's", "x-y", "", "über", "日本", "cat dog", "1", "22"]


def words(d, *shape):
    return np.array([d.pick(*WORDS) for _ in range(int(np.prod(shape)))], dtype=object).reshape(shape)


def lookup(cls, make, oov):
    def build(d):
        mode = d.pick("int", "int", "int", "one_hot", "multi_hot", "count", "tf_idf")
        kw = {"output_mode": mode} | d.options(0.3, num_oov_indices=[0, 2, 3] if mode == "int" else [2, 1], mask_token=[oov[0]], oov_token=[oov[1]])
        known = list(dict.fromkeys(make(d, 9).tolist()))
        known = [k for k in known if k not in (kw.get("mask_token"), kw.get("oov_token", "[UNK]" if cls == "StringLookup" else -1), "")]
        shape = d.pick([d.int(1, 4)], [d.int(1, 3), d.int(1, 4)]) if mode != "one_hot" else d.pick([d.int(1, 4)], [d.int(1, 4), 1])
        x = make(d, *shape)
        if kw.get("num_oov_indices") == 0:
            x = np.array([d.pick(*known) for _ in range(x.size)], dtype=x.dtype).reshape(shape)
        if mode in ("multi_hot", "count", "one_hot") and d.maybe(0.3):
            kw |= {"pad_to_max_tokens": True, "max_tokens": len(known) + 6}
        if d.maybe(0.3):
            return getattr(L, cls)(**kw), [x], {"adapt": make(d, 12)}, None
        if mode == "tf_idf":
            kw["idf_weights"] = [d.num(0.1, 2) for _ in known]
        return getattr(L, cls)(vocabulary=known, **kw), [x], {}, None

    return build


LAYERS["StringLookup"] = lookup("StringLookup", words, ("", "[OOV]"))
LAYERS["IntegerLookup"] = lookup("IntegerLookup", lambda d, *shape: d.ints(12, *shape, dtype="int64"), (0, -2))


@layer
def TextVectorization(d):
    mode = d.pick("int", "int", "multi_hot", "count", "tf_idf")
    text = lambda n: np.array([" ".join(d.pick(*WORDS) for _ in range(d.int(1, 6))) for _ in range(n)], dtype=object)
    kw = {"output_mode": mode} | d.options(0.3, standardize=["lower", "strip_punctuation", None], split=["character", "whitespace"], ngrams=[2, 3, [1, 3]])
    if mode == "int":
        kw |= d.options(0.4, output_sequence_length=[3, 6])
    kw |= d.options(0.3, max_tokens=[5, 8]) | (d.options(0.3, pad_to_max_tokens=[True]) if mode != "int" else {})
    if kw.get("pad_to_max_tokens"):
        kw.setdefault("max_tokens", 30)
    return L.TextVectorization(**kw), [text(d.int(1, 4))], {"adapt": text(d.int(2, 6))}, None


@layer
def Hashing(d):
    mode = d.pick("int", "int", "one_hot", "multi_hot", "count")
    shape = d.pick([d.int(1, 4)], [d.int(1, 3), d.int(1, 3)]) if mode != "one_hot" else [d.int(1, 4), 1]
    strings = d.maybe(0.6)
    kw = {"num_bins": d.int(1, 9), "output_mode": mode} | d.options(0.4, salt=[7, [3, 9], 133])
    if d.maybe(0.3):
        kw["mask_value"] = "cat" if strings else 3
    return L.Hashing(**kw), [words(d, *shape) if strings else d.ints(50, *shape, dtype=d.pick("int32", "int64"))], {}, None


@layer
def HashedCrossing(d):
    n = d.int(1, 4)
    shape = d.pick([n], [n, 1])
    side = lambda: words(d, *shape) if d.maybe() else d.ints(30, *shape, dtype="int64")
    return L.HashedCrossing(d.int(2, 9), **d.options(0.4, output_mode=["one_hot"])), [[side(), side()]], {}, None


@layer
def MelSpectrogram(d):
    kw = {"fft_length": d.pick(32, 64), "sequence_stride": d.pick(8, 16), "num_mel_bins": d.int(2, 6), "sampling_rate": d.pick(400, 800)} | d.options(
        0.3, window=["hamming"], power_to_db=[False], top_db=[20.0], mag_exp=[1.0], min_freq=[10.0], max_freq=[150.0], ref_power=[0.5], min_power=[1e-6], sequence_length=[32, 20])
    return L.MelSpectrogram(**kw), [d.rand(*d.pick([120], [2, 150]))], {}, None


@layer
def STFTSpectrogram(d):
    kw = {"frame_length": d.pick(16, 20), "frame_step": d.pick(None, 4, 8), "mode": d.pick("log", "magnitude", "psd", "real", "imag", "angle" if False else "stft")} | d.options(
        0.3, fft_length=[32, 24], window=["hamming", None], periodic=[True], scaling=["density", "spectrum", None], padding=["same"], expand_dims=[True], data_format=["channels_first"])
    return L.STFTSpectrogram(**kw), [d.rand(2, 60, d.pick(1, 1, 2))], {}, None


# augmentation with fixed factors ------------------------------------------------------------------------------------
def picture(d, top=255, channels=3, first=False):
    x = d.r.integers(0, top + 1, (d.int(1, 2), d.int(4, 7), d.int(4, 7), channels)).astype(np.float32)
    x = x if top > 1 else np.round(d.r.random(x.shape), 2).astype(np.float32)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if first else x


def fixed(name, build, channels=3, formats=True):
    def make(d):
        first = formats and d.maybe(0.2)
        top = d.pick(255, 1)
        kw = {"data_format": "channels_first"} if first else {}
        return build(d, (0, top), kw), [picture(d, top, channels, first)], {"training": True}, None

    LAYERS[name + "/fixed"] = make


def geometry(d):
    return d.options(0.5, fill_mode=["reflect", "wrap", "constant", "nearest"], interpolation=["bilinear", "nearest"], fill_value=[0.5, 2.0])


same = lambda d, lo, hi: (lambda a: (a, a))(d.num(lo, hi))
fixed("RandomRotation", lambda d, v, kw: L.RandomRotation(same(d, -0.5, 0.5), **geometry(d), **kw))
fixed("RandomZoom", lambda d, v, kw: L.RandomZoom(same(d, -0.5, 0.5), **({"width_factor": same(d, -0.5, 0.5)} if d.maybe() else {}), **geometry(d), **kw))
fixed("RandomTranslation", lambda d, v, kw: L.RandomTranslation(same(d, -0.5, 0.5), same(d, -0.5, 0.5), **geometry(d), **kw))
fixed("RandomBrightness", lambda d, v, kw: L.RandomBrightness(same(d, -0.9, 0.9), value_range=v), formats=False)
fixed("RandomContrast", lambda d, v, kw: L.RandomContrast((0.0, 0.0), value_range=v), formats=False)
fixed("RandomSharpness", lambda d, v, kw: L.RandomSharpness(same(d, 0, 1), value_range=v, **kw))
fixed("RandomColorDegeneration", lambda d, v, kw: L.RandomColorDegeneration(same(d, 0, 1), value_range=v, **kw))
fixed("RandomSaturation", lambda d, v, kw: L.RandomSaturation(same(d, 0, 1), value_range=v, **kw))
fixed("RandomPosterization", lambda d, v, kw: L.RandomPosterization((lambda a: (a, a))(d.int(1, 8)), value_range=v, **kw))
fixed("RandomInvert", lambda d, v, kw: L.RandomInvert((1.0, 1.0), value_range=v, **kw))
fixed("RandomGrayscale", lambda d, v, kw: L.RandomGrayscale(1.0, **kw))
fixed("AutoContrast", lambda d, v, kw: L.AutoContrast(value_range=v))
fixed("Equalization", lambda d, v, kw: L.Equalization(value_range=v, bins=d.pick(256, 64), **kw))
fixed("ContrastLimitedAdaptiveHistogramEqualization", lambda d, v, kw: L.ContrastLimitedAdaptiveHistogramEqualization(v, clip_limit=d.pick(4, 1.5), tile_grid_size=d.pick((2, 2), (1, 3)), **kw))


def resting(name, *args, **options):
    def make(d):
        return getattr(L, name)(*args, **options), [picture(d)], {"training": False}, None

    LAYERS[name + "/resting"] = make


for name, args in {"RandomFlip": ("vertical",), "RandomRotation": (0.2,), "RandomZoom": (0.2,), "RandomTranslation": (0.1, 0.1), "RandomContrast": (0.2,), "RandomBrightness": (0.2,), "RandomHue": (0.2,),
                   "RandomSaturation": (0.2,), "RandomSharpness": (0.2,), "RandomPosterization": (4,), "RandomInvert": (0.5,), "RandomGrayscale": (0.5,), "RandomGaussianBlur": (0.5,), "RandomErasing": (0.5,),
                   "RandomPerspective": (0.5,), "RandomElasticTransform": (0.5,), "RandomColorDegeneration": (0.5,), "RandAugment": (), "AugMix": (), "MixUp": (), "CutMix": (), "RandomCrop": (3, 2),
                   "RandomShear": (0.2, 0.1)}.items():  # fmt: skip
    resting(name, *args)
