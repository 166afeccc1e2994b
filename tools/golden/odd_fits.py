"""Whole fits of parity_odd.py: several outputs, weights, reductions, masks through nested models, wrappers, dtypes, MultiOptimizer."""

import json

import keras
import numpy as np
from keras import Input, Model, Sequential
from keras import layers as L
from keras import losses as LO
from keras import metrics as ME
from keras import optimizers as O
from random_draw import Draw, array, plain_json
from random_rest import spec_of, weight_list


def arrays(v):
    return [array(t) for t in v] if isinstance(v, (list, tuple)) else array(v)


def fit_line(name, build, compile, x, y, fit, **more):
    keras.backend.clear_session()
    model = build()
    saved = keras.saving.serialize_keras_object(model)
    d = Draw(3, name)
    weights = [v for v in model.weights if "seed" not in v.path]
    for v in weights:
        lo = 0.3 if "variance" in v.path else -0.6
        v.assign(d.rand(*v.shape, lo=lo, hi=0.9 if lo > 0 else 0.6).astype(v.dtype))
    initial, made = weight_list(weights), compile()
    spec = {k: spec_of(v) for k, v in made.items() if v is not None}
    model.compile(**made)
    fit = {"shuffle": False} | fit
    history = model.fit(x, y, verbose=0, **fit, **more).history
    given = {"sample_weight": None, "class_weight": None}
    for k, v in more.items():
        given[k] = arrays(v) if k == "sample_weight" else {str(a): b for a, b in v.items()} if k == "class_weight" else [arrays(t) for t in v] if k == "validation_data" else v
    evaluate = model.evaluate(x, y, batch_size=fit["batch_size"], verbose=0, return_dict=True, **({"sample_weight": more["sample_weight"]} if "sample_weight" in more else {}))
    numbers = lambda v: array(v) if np.ndim(v) else float(v)
    config = json.loads(json.dumps(saved["config"], default=plain_json))
    return {"id": f"fit/odd/{name}", "kind": "fit", "tol": {"rtol": 1e-4, "atol": 2e-5}, "model": {"class_name": saved["class_name"], "config": config}, "compile": spec, "initial_weights": initial, "x": arrays(x), "y": arrays(y), **given, "fit": fit, "callbacks": [],
            "history": {k: [numbers(v) for v in vs] for k, vs in history.items()}, "final_weights": weight_list(weights), "evaluate": {k: numbers(v) for k, v in evaluate.items()}, "predict": arrays(model.predict(x, verbose=0))}  # fmt: skip


def lines(report):
    d = Draw(7, "odd_fits")
    rand, ints = d.rand, d.ints
    found = []

    def fit(name, *args, **more):
        try:
            found.append(fit_line(name, *args, **more))
        except Exception as e:
            report(f"left out {name}: {type(e).__name__} {str(e)[:200]!r}")

    def mlp(out=1, act=None):
        return lambda: Sequential([Input((4,)), L.Dense(5, activation="tanh"), L.Dense(out, activation=act)])

    def two():
        i = Input((4,), name="i")
        h = L.Dense(5, activation="tanh")(i)
        return Model(i, [L.Dense(1, name="a")(h), L.Dense(3, activation="softmax", name="b")(h)])

    x = rand(19, 4)
    y = rand(19, 1)
    yc = ints(3, 19, 1)
    y3 = np.eye(3, dtype=np.float32)[yc[:, 0]]
    yb = ints(2, 19, 1)
    f2 = dict(epochs=2, batch_size=8)
    for red in ("sum", "mean", "none", "mean_with_sample_weight", "sum_over_batch_size"):
        fit(f"red_{red}", mlp(), lambda: dict(optimizer="sgd", loss=LO.MeanSquaredError(reduction=red), metrics=["mae"]), x, y, f2)
        fit(f"red_sw_{red}", mlp(), lambda: dict(optimizer="sgd", loss=LO.MeanAbsoluteError(reduction=red), metrics=["mae"], weighted_metrics=["mse"]), x, y, f2, sample_weight=np.abs(rand(19)))
    fit(
        "two_sw",
        two,
        lambda: dict(
            optimizer="adam", loss=["mse", "sparse_categorical_crossentropy"], metrics=[["mae"], ["accuracy"]], weighted_metrics=[["mse"], ["sparse_categorical_accuracy"]], loss_weights=[0.3, 2.0]
        ),
        x,
        [y, yc],
        f2,
        sample_weight=[np.abs(rand(19)), np.abs(rand(19))],
    )
    fit("two_dict", two, lambda: dict(optimizer="adam", loss={"a": "mse", "b": "sparse_categorical_crossentropy"}, metrics={"b": ["accuracy"]}, loss_weights={"a": 0.5, "b": 1.0}), x, [y, yc], f2)
    fit("two_none", two, lambda: dict(optimizer="adam", loss=["mse", None]), x, [y, yc], f2)
    fit(
        "cw",
        mlp(3, "softmax"),
        lambda: dict(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy", "sparse_top_k_categorical_accuracy"], weighted_metrics=["accuracy"]),
        x,
        yc,
        f2,
        class_weight={0: 0.5, 1: 2.0, 2: 1.0},
    )
    fit(
        "cw_onehot",
        mlp(3, "softmax"),
        lambda: dict(optimizer="sgd", loss="categorical_crossentropy", metrics=["accuracy", ME.TopKCategoricalAccuracy(2), "AUC"]),
        x,
        np.eye(3, dtype=np.float32)[yc[:, 0]],
        f2,
        class_weight={0: 0.5, 1: 2.0, 2: 1.0},
    )
    fit(
        "cw_binary",
        mlp(1, "sigmoid"),
        lambda: dict(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy", "AUC", "Precision", "Recall"], weighted_metrics=["AUC"]),
        x,
        yb,
        f2,
        class_weight={0: 0.5, 1: 2.0},
    )
    fit("vfreq_list", mlp(), lambda: dict(optimizer="sgd", loss="mse", metrics=["mae"]), x, y, dict(epochs=5, batch_size=8, validation_freq=[1, 4]), validation_data=(rand(6, 4), rand(6, 1)))
    fit("vfreq_tuple2", mlp(), lambda: dict(optimizer="sgd", loss="mse", metrics=["mae"]), x, y, dict(epochs=5, batch_size=8, validation_freq=[2, 3, 5], initial_epoch=1), validation_split=0.3)
    fit("vsw", mlp(), lambda: dict(optimizer="sgd", loss="mse", weighted_metrics=["mae"]), x, y, f2, validation_data=(rand(6, 4), rand(6, 1), np.abs(rand(6))))

    def mo():
        return O.MultiOptimizer(O.OptimizerMap(O.SGD(0.05, momentum=0.9), {".*dense/.*": O.Adam(0.01)}))

    fit("multi", mlp(), lambda: dict(optimizer=mo(), loss="mse"), x, y, dict(epochs=3, batch_size=8))
    fit(
        "multi_scale",
        mlp(),
        lambda: dict(
            optimizer=O.MultiOptimizer(O.OptimizerMap(O.SGD(0.05, use_ema=True, ema_momentum=0.5), {".*bias": O.RMSprop(0.01, gradient_accumulation_steps=2)}), loss_scale_factor=4.0), loss="mse"
        ),
        x,
        y,
        dict(epochs=3, batch_size=8),
    )

    def emb():
        i = Input((6,), dtype="int32")
        h = L.Embedding(9, 4, mask_zero=True)(i)
        h = L.Bidirectional(L.LSTM(3, return_sequences=True))(h)
        h = L.TimeDistributed(L.Dense(2))(h)
        return Model(i, h)

    ids = ints(9, 11, 6)
    ids[:, 4:] = 0
    fit("masked_loss", emb, lambda: dict(optimizer="adam", loss="mse", metrics=["mae"]), ids, rand(11, 6, 2), f2)
    fit("masked_sw", emb, lambda: dict(optimizer="adam", loss="mse", metrics=["mae"], weighted_metrics=["mae"]), ids, rand(11, 6, 2), f2, sample_weight=np.abs(rand(11, 6)))

    def nested():
        j = Input((6,), dtype="int32")
        e = Model(j, L.Embedding(9, 4, mask_zero=True)(j), name="enc")
        i = Input((6,), dtype="int32")
        return Model(i, L.Dense(1)(L.GRU(3)(L.LayerNormalization()(e(i)))))

    fit("nested_mask", nested, lambda: dict(optimizer="adam", loss="mse"), ids, rand(11, 1), f2)

    def shared():
        a = Input((4,))
        b = Input((4,))
        d = Sequential([L.Dense(3, activation="relu"), L.BatchNormalization()], name="tower")
        return Model([a, b], L.Dot(1, normalize=True)([d(a), d(b)]))

    fit("shared_bn", shared, lambda: dict(optimizer="sgd", loss="mse"), [x, rand(19, 4)], y, f2)

    def frozen():
        m = Sequential(
            [
                Input((4,)),
                L.Dense(4, trainable=False),
                L.BatchNormalization(trainable=False),
                L.BatchNormalization(),
                L.Dense(1, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2", kernel_constraint="unit_norm"),
            ]
        )
        return m

    fit("frozen", frozen, lambda: dict(optimizer="nadam", loss="huber"), x, y, f2)

    def td():
        return Sequential(
            [
                Input((3, 6, 6, 2)),
                L.TimeDistributed(L.Conv2D(3, 3)),
                L.TimeDistributed(L.BatchNormalization()),
                L.TimeDistributed(L.MaxPooling2D(2)),
                L.TimeDistributed(L.Flatten()),
                L.GRU(4),
                L.Dense(1),
            ]
        )

    fit("td_train", td, lambda: dict(optimizer="adam", loss="mse"), rand(7, 3, 6, 6, 2), rand(7, 1), dict(epochs=2, batch_size=4))

    def cf():
        return Sequential(
            [
                Input((2, 8, 8)),
                L.Conv2D(4, 3, data_format="channels_first", activation="relu"),
                L.BatchNormalization(axis=1),
                L.MaxPooling2D(2, data_format="channels_first"),
                L.DepthwiseConv2D(2, data_format="channels_first"),
                L.GlobalAveragePooling2D(data_format="channels_first"),
                L.Dense(1),
            ]
        )

    fit("channels_first", cf, lambda: dict(optimizer="adam", loss="mse"), rand(7, 2, 8, 8), rand(7, 1), dict(epochs=2, batch_size=4))

    def st():
        return Sequential([Input((4, 3)), L.RNN(L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(2), L.SimpleRNNCell(2)]), return_sequences=True), L.RNN([L.LSTMCell(2, dropout=0.0)]), L.Dense(1)])

    fit("stacked", st, lambda: dict(optimizer="rmsprop", loss="mse"), rand(9, 4, 3), rand(9, 1), f2)

    def f64():
        return Sequential([Input((4,), dtype="float64"), L.Dense(5, activation="gelu", dtype="float64"), L.Dense(1, dtype="float64")])

    fit("float64", f64, lambda: dict(optimizer="adamw", loss="mse", metrics=["mae"]), x.astype("float64"), y.astype("float64"), f2)

    def encdec():
        a = Input((5, 3))
        b = Input((4, 3))
        o, h, c = L.LSTM(4, return_state=True)(a)
        d = L.LSTM(4, return_sequences=True)(b, initial_state=[h, c])
        at = L.MultiHeadAttention(2, 2)(d, d, use_causal_mask=True)
        return Model([a, b], L.Dense(2)(L.LayerNormalization()(d + at)))

    fit("encdec", encdec, lambda: dict(optimizer=O.SGD(0.1), loss="log_cosh"), [rand(9, 5, 3), rand(9, 4, 3)], rand(9, 4, 2), f2)
    for l in (
        "binary_focal_crossentropy",
        "hinge",
        "squared_hinge",
        "kl_divergence",
        "poisson",
        "cosine_similarity",
        "dice",
        "tversky",
        "mean_squared_logarithmic_error",
        "categorical_hinge",
        "categorical_focal_crossentropy",
    ):
        fit(
            f"loss_{l}",
            mlp(3, "softmax"),
            lambda: dict(optimizer="sgd", loss=l, metrics=["mae"] if "focal" in l or l in ("dice", "tversky") else [l]),
            x,
            np.eye(3, dtype=np.float32)[yc[:, 0]],
            f2,
            sample_weight=np.abs(rand(19)),
        )
    for m in ("F1Score", "FBetaScore", "MeanIoU", "OneHotMeanIoU", "IoU"):
        mk = {
            "F1Score": lambda: ME.F1Score(average="weighted"),
            "FBetaScore": lambda: ME.FBetaScore(average="micro", beta=2.0, threshold=0.4),
            "MeanIoU": lambda: ME.OneHotIoU(3, [0, 2]),
            "OneHotMeanIoU": lambda: ME.OneHotMeanIoU(3),
            "IoU": lambda: ME.R2Score(class_aggregation="variance_weighted_average"),
        }[m]
        fit(
            f"metric_{m}",
            mlp(3, "softmax"),
            lambda: dict(optimizer="sgd", loss="categorical_crossentropy", metrics=[mk()], weighted_metrics=[mk()]),
            x,
            np.eye(3, dtype=np.float32)[yc[:, 0]],
            f2,
            sample_weight=np.abs(rand(19)),
        )
    fit(
        "auc_multi",
        mlp(3, "sigmoid"),
        lambda: dict(
            optimizer="sgd",
            loss="binary_crossentropy",
            metrics=[
                ME.AUC(multi_label=True, num_labels=3, label_weights=[0.2, 0.5, 0.3]),
                ME.AUC(curve="PR", name="pr"),
                ME.Precision(top_k=2),
                ME.Recall(class_id=1),
                ME.SensitivityAtSpecificity(0.5),
            ],
        ),
        x,
        np.eye(3, dtype=np.float32)[yc[:, 0]],
        f2,
    )
    fit("no_loss_metric_names", mlp(), lambda: dict(optimizer="sgd", loss="mse", metrics=["mse", "mae", ME.MeanAbsoluteError(), "mean_absolute_error"]), x, y, f2)
    for act in ("softmax", "sigmoid"):
        for loss, labels in (("binary_crossentropy", y3), ("categorical_crossentropy", y3), ("sparse_categorical_crossentropy", yc), ("binary_focal_crossentropy", y3)):
            fit(f"{act}_{loss}", mlp(3, act), lambda: dict(optimizer="sgd", loss=loss, metrics=["accuracy"] if "focal" in loss else [loss]), x, labels, f2)
    return found
