"""Layer cases of parity_odd.py: masks, states, wrappers, channels first, dtypes."""

import keras
import numpy as np
import parity_random
from keras import layers as L
from random_draw import Draw


def lines(report):
    d = Draw(1, "odd_layers")
    rand, ints, bools = d.rand, d.ints, d.bools
    found = []

    def layer(name, make, inputs, call=None, masks=None):
        name = str(name).replace(" ", "").replace("'", "")
        try:
            found.append(parity_random.layer_line(f"layer/odd/{name}", Draw(1, name), (make(), inputs, call or {}, masks)))
        except Exception as e:
            report(f"left out {name}: {type(e).__name__} {str(e)[:80]!r}")

    m36 = np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 1]], bool)
    x = rand(3, 6, 4)
    for c in (L.LSTM, L.GRU, L.SimpleRNN):
        n = c.__name__
        for kw in (
            {},
            {"go_backwards": True},
            {"return_sequences": True, "go_backwards": True},
            {"stateful": True, "return_state": True},
            {"unroll": True, "return_sequences": True},
            {"zero_output_for_mask": True, "return_sequences": True},
        ):
            layer(f"{n}{kw}masked", lambda: c(3, **kw), [x], {}, [m36])
            layer(f"bi{n}{kw}", lambda: L.Bidirectional(c(3, **kw)), [x], {}, [m36])
            layer(f"bi_sum{n}{kw}", lambda: L.Bidirectional(c(3, **kw), merge_mode="sum"), [x])
        layer(f"bi_none{n}", lambda: L.Bidirectional(c(3, return_sequences=True), merge_mode=None), [x], {}, [m36])
        layer(f"bi_mul{n}", lambda: L.Bidirectional(c(3, return_sequences=True), merge_mode="mul"), [x])
        layer(f"bi_ave{n}", lambda: L.Bidirectional(c(3, return_state=True), merge_mode="ave"), [x])
        layer(f"bi_back{n}", lambda: L.Bidirectional(c(3, return_sequences=True), backward_layer=c(3, go_backwards=True, return_sequences=True, activation="relu")), [x])
        layer(f"dtype64{n}", lambda: c(3, dtype="float64"), [x.astype(np.float64)], {}, [m36])
        layer(f"reg{n}", lambda: c(3, kernel_regularizer="l2", recurrent_regularizer="l1", bias_regularizer="l2", activity_regularizer="l2", kernel_constraint="max_norm"), [x])
    st = [L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(2)]), L.StackedRNNCells([L.SimpleRNNCell(3), L.SimpleRNNCell(4)]), [L.LSTMCell(2), L.LSTMCell(3)]]
    for i, c in enumerate(st):
        for kw in ({}, {"return_state": True}, {"return_sequences": True, "return_state": True}, {"go_backwards": True, "return_sequences": True}):
            layer(f"stacked{i}{kw}", lambda: L.RNN(c, **kw), [x], {}, [m36])
    layer("lstm_states", lambda: L.LSTM(3, return_state=True), [x], {"initial_state": [rand(3, 3), rand(3, 3)], "mask": m36})
    layer("td_conv", lambda: L.TimeDistributed(L.Conv2D(3, 2, padding="same", activation="relu")), [rand(2, 3, 5, 5, 2)])
    layer("td_bn", lambda: L.TimeDistributed(L.BatchNormalization()), [rand(2, 3, 5)], {"training": True})
    layer("td_dense_mask", lambda: L.TimeDistributed(L.Dense(3)), [x], {}, [m36])
    layer("td_pool", lambda: L.TimeDistributed(L.GlobalAveragePooling1D()), [rand(2, 3, 5, 4)])
    layer("td_lstm", lambda: L.TimeDistributed(L.LSTM(3)), [rand(2, 3, 5, 4)])
    layer("td_seq", lambda: L.TimeDistributed(keras.Sequential([L.Dense(3), L.Dropout(0.0), L.Dense(2)])), [rand(2, 3, 5)])
    layer("td_drop", lambda: L.TimeDistributed(L.Dropout(0.5)), [rand(2, 3, 5)], {"training": False})
    for cf in ("Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"):
        rk = int(cf[cf.index("D") - 1]) if not cf.startswith("Dep") else int(cf[13])
        sh = (2,) + (3,) + (9, 7, 8)[:rk]
        args = (6, 2 if rk == 3 else 3) if "Depthwise" not in cf else (3,)
        for kw in ({}, {"padding": "same", "strides": 2}, {"padding": "same", "dilation_rate": 2}, {"use_bias": False, "activation": "tanh"}):
            layer(f"{cf}cf{kw}", lambda: getattr(L, cf)(*args, data_format="channels_first", **({**kw, "padding": kw.get("padding", "same")})), [rand(*sh)])
    for p in ("MaxPooling", "AveragePooling", "GlobalMaxPooling", "GlobalAveragePooling"):
        for rk in (1, 2, 3):
            sh = (2,) + (3,) + (9, 7, 8)[:rk]
            layer(f"{p}{rk}cf", lambda: getattr(L, f"{p}{rk}D")(data_format="channels_first"), [rand(*sh)])
    layer("gap_mask", lambda: L.GlobalAveragePooling1D(), [x], {}, [m36])
    layer("gap_mask_keep", lambda: L.GlobalAveragePooling1D(keepdims=True), [x], {}, [m36])
    for dt in ("float64", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16"):
        layer(f"dense{dt}", lambda: L.Dense(3, activation="gelu", dtype=dt), [rand(2, 5)])
        layer(f"bn{dt}", lambda: L.BatchNormalization(dtype=dt), [rand(4, 5)], {"training": True})
        layer(f"ln{dt}", lambda: L.LayerNormalization(dtype=dt), [rand(4, 5)])
        layer(f"mha{dt}", lambda: L.MultiHeadAttention(2, 3, dtype=dt), [rand(2, 4, 5), rand(2, 3, 5)])
        layer(f"emb{dt}", lambda: L.Embedding(7, 3, dtype=dt, mask_zero=True), [ints(7, 2, 4)])
        layer(f"conv{dt}", lambda: L.Conv2D(3, 2, dtype=dt), [rand(1, 4, 4, 2)])
        layer(f"softmax{dt}", lambda: L.Softmax(dtype=dt), [rand(2, 4)], {"mask": bools(2, 4)})
        layer(f"gn{dt}", lambda: L.GroupNormalization(2, dtype=dt), [rand(2, 3, 4)])
    layer("bn_mask", lambda: L.BatchNormalization(), [x], {"training": True, "mask": m36})
    layer("bn_mask_axis1", lambda: L.BatchNormalization(axis=1), [x], {"training": True, "mask": m36})
    layer("bn_renorm_frozen", lambda: L.BatchNormalization(trainable=False), [x], {"training": True})
    layer("bn_sync", lambda: L.BatchNormalization(center=False, scale=False, momentum=0.3, epsilon=0.1), [x], {"training": True})
    layer("mha_causal", lambda: L.MultiHeadAttention(2, 3, value_dim=2, output_shape=7), [rand(2, 4, 5), rand(2, 4, 6), rand(2, 4, 3)], {"use_causal_mask": True})
    layer(
        "mha_masks",
        lambda: L.MultiHeadAttention(2, 3),
        [rand(2, 4, 5), rand(2, 3, 5)],
        {"query_mask": bools(2, 4), "value_mask": np.array([[1, 0, 1], [1, 1, 1]], bool), "attention_mask": np.ones((2, 4, 3), bool)},
    )
    layer("mha_scores", lambda: L.MultiHeadAttention(2, 3, attention_axes=(2,)), [rand(2, 3, 4, 5), rand(2, 3, 4, 5)], {"return_attention_scores": True})
    layer("mha_axes12", lambda: L.MultiHeadAttention(2, 3, attention_axes=(1, 2)), [rand(2, 2, 3, 5), rand(2, 2, 3, 5)])
    layer("gqa", lambda: L.GroupQueryAttention(3, 4, 2), [rand(2, 4, 5), rand(2, 3, 5)], {"return_attention_scores": True})
    layer("att_scale", lambda: L.Attention(use_scale=True, score_mode="concat"), [[rand(2, 4, 5), rand(2, 3, 5), rand(2, 3, 5)]], {"mask": [bools(2, 4), np.array([[1, 0, 1], [1, 1, 1]], bool)]})
    layer("add_att", lambda: L.AdditiveAttention(), [[rand(2, 4, 5), rand(2, 3, 5)]], {"return_attention_scores": True, "use_causal_mask": True})
    layer("cat_mask", lambda: L.Concatenate(axis=1), [[rand(2, 3, 4), rand(2, 2, 4)]], {}, [[bools(2, 3), bools(2, 2)]])
    layer("cat_mask_last", lambda: L.Concatenate(), [[rand(2, 3, 4), rand(2, 3, 5)]], {}, [[bools(2, 3), bools(2, 3)]])
    layer("add_mask", lambda: L.Add(), [[rand(2, 3, 4), rand(2, 3, 4)]], {}, [[bools(2, 3), bools(2, 3)]])
    layer("add_mask_none", lambda: L.Multiply(), [[rand(2, 3, 4), rand(2, 1, 4)]], {}, [[bools(2, 3), None]])
    layer("repeat", lambda: L.RepeatVector(3), [rand(2, 4)])
    layer("masking", lambda: L.Masking(-1.0), [np.where(rand(2, 3, 2) > 0, -1, rand(2, 3, 2)).astype(np.float32)])
    layer("act_reg", lambda: L.ActivityRegularization(0.1, 0.2), [rand(3, 4)])
    layer("einsum", lambda: L.EinsumDense("abc,cde->abde", output_shape=(None, 3, 2), bias_axes="de", activation="relu"), [x])
    layer("spectral", lambda: L.SpectralNormalization(L.Dense(3), power_iterations=2), [rand(2, 4)], {"training": True})
    layer("convlstm", lambda: L.ConvLSTM2D(2, 3, return_sequences=True, return_state=True, padding="same", data_format="channels_first"), [rand(2, 3, 2, 4, 4)])
    layer("convlstm_mask", lambda: L.ConvLSTM1D(2, 3, return_sequences=False), [rand(2, 3, 5, 2)], {"mask": bools(2, 3)})
    layer("convlstm3", lambda: L.ConvLSTM3D(2, 2, strides=2), [rand(1, 2, 4, 4, 4, 2)])
    layer("bi_convlstm", lambda: L.Bidirectional(L.ConvLSTM1D(2, 3, return_sequences=True)), [rand(2, 3, 5, 2)])
    layer("dot_norm", lambda: L.Dot((2, 1), normalize=True), [[rand(2, 3, 4), rand(2, 4, 5)]])
    layer("rmsnorm", lambda: L.RMSNormalization(axis=(1, 2)), [x])
    layer("ln12", lambda: L.LayerNormalization(axis=(1, 2), center=False), [x])
    layer("ln1", lambda: L.LayerNormalization(axis=1), [x])
    layer("unit", lambda: L.UnitNormalization(axis=(1, 2)), [x])
    layer("up_bi", lambda: L.UpSampling2D((3, 2), interpolation="bicubic"), [rand(1, 3, 3, 2)])
    layer("up_lz", lambda: L.UpSampling2D(2, interpolation="lanczos5", data_format="channels_first"), [rand(1, 2, 3, 3)])
    layer("resize_pad", lambda: L.Resizing(7, 5, pad_to_aspect_ratio=True, fill_value=2.0), [rand(1, 3, 4, 2)])
    layer("resize_crop", lambda: L.Resizing(3, 5, crop_to_aspect_ratio=True, interpolation="area"), [rand(1, 6, 7, 2)])
    layer("prelu", lambda: L.PReLU(shared_axes=[1]), [x])
    layer("softmax_axes", lambda: L.Softmax(axis=(1, 2)), [x])
    layer("emb_lookup_mask_int64", lambda: L.Embedding(5, 3, mask_zero=True, embeddings_constraint="unit_norm", embeddings_regularizer="l2"), [ints(5, 2, 3).astype(np.int64)])
    layer("rev_emb", lambda: L.ReversibleEmbedding(6, 4, tie_weights=False), [rand(2, 3, 4)], {"reverse": True})
    layer("flatten_cf", lambda: L.Flatten(data_format="channels_first"), [rand(2, 3, 4, 5)])
    layer("permute", lambda: L.Permute((3, 1, 2)), [rand(2, 3, 4, 5)])
    layer("reshape", lambda: L.Reshape((-1, 2)), [rand(2, 3, 4)])
    layer("zp3", lambda: L.ZeroPadding3D(((1, 0), (0, 2), (1, 1)), data_format="channels_first"), [rand(1, 2, 2, 2, 2)])
    layer("crop1", lambda: L.Cropping1D((1, 2)), [x])
    layer("disc", lambda: L.Discretization(bin_boundaries=[-1.0, 0.0, 1.0], output_mode="multi_hot"), [rand(2, 4)])
    layer("cat_count", lambda: L.CategoryEncoding(6, output_mode="count"), [ints(6, 2, 4)], {"count_weights": np.abs(rand(2, 4))})
    layer("norm_axis", lambda: L.Normalization(axis=1), [rand(3, 4, 2)], {"adapt": rand(5, 4, 2)})
    layer("norm_none", lambda: L.Normalization(axis=None, invert=True), [rand(3, 4)], {"adapt": rand(5, 4)})
    layer("hash", lambda: L.Hashing(5, output_mode="one_hot", sparse=False), [ints(50, 3, 1)])
    layer("cross", lambda: L.HashedCrossing(7, output_mode="one_hot"), [[ints(5, 3, 1), ints(5, 3, 1)]])
    layer("intlookup", lambda: L.IntegerLookup(output_mode="tf_idf", vocabulary=[1, 2, 3], idf_weights=[0.5, 0.6, 0.7]), [ints(5, 3, 4)])
    return found
