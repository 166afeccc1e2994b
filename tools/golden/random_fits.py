"""Fits of small models with the less common options of compile and fit: kind "fit/odd", drawn by parity_random.py."""

import json

import keras
import numpy as np
from keras import layers as L
from random_draw import array, plain_json
from random_rest import OPTIMIZERS, K, M, O, callbacks_of, close, in_double, one_hot, optimizer_case, remade, spec_of, weight_list

REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"]
SLOW = ("Muon", "Ftrl", "Adadelta", "ScheduleFreeAdamW")


def classes(d):
    """Logits or probabilities of c classes with sparse or one-hot labels."""
    c, logits = d.int(2, 4), d.maybe(0.4)
    i = L.Input((3,))
    x = L.Dense(5, activation=d.pick("tanh", "softplus"), **d.options(0.2, kernel_regularizer=["l2"], activity_regularizer=["l2"], kernel_constraint=["unit_norm", "max_norm"]))(i)
    out = L.Dense(c, activation=None if logits else "softmax")(x)
    kw = {"from_logits": logits} | d.options(0.5, reduction=REDUCTIONS)
    if d.maybe():
        loss = K.SparseCategoricalCrossentropy(**kw, **d.options(0.2, ignore_class=[0]))
        metrics = ["accuracy", M.SparseTopKCategoricalAccuracy(2), M.SparseCategoricalCrossentropy(from_logits=logits)]
        return i, out, lambda m: d.rand(m, 3), lambda m: d.ints(c, *((m,) if d.maybe() else (m, 1)), dtype=d.pick("int32", "int64", "float32", "uint8")), loss, metrics, c
    loss = K.CategoricalCrossentropy(**kw, **d.options(0.3, label_smoothing=[0.2]))
    metrics = ["accuracy", M.TopKCategoricalAccuracy(2), M.CategoricalAccuracy("named"), M.Precision(class_id=1, thresholds=0.4), M.Recall(top_k=1), M.F1Score(average=d.pick("micro", "macro", "weighted", None)), M.AUC(num_thresholds=10, multi_label=True, num_labels=c),
               M.OneHotMeanIoU(c), M.CosineSimilarity(), M.KLDivergence()]  # fmt: skip
    return i, out, lambda m: d.rand(m, 3), lambda m: one_hot(d, (m,), c), loss, metrics, c


def sequence(d):
    """Masked sequences, one answer per step."""
    t, n = d.int(3, 5), d.int(1, 2)
    i = L.Input((t,), dtype="int32")
    x = L.Embedding(7, 3, mask_zero=d.maybe(0.8))(i)
    x = d.pick(lambda: L.LSTM(3, return_sequences=True), lambda: L.GRU(3, return_sequences=True, go_backwards=True), lambda: L.Bidirectional(L.SimpleRNN(2, return_sequences=True)), lambda: L.Dense(3, activation="tanh"))()(x)
    out = d.pick(lambda: L.TimeDistributed(L.Dense(n)), lambda: L.Dense(n))()(x)
    loss = d.pick("mse", "mae", K.MeanSquaredError(**d.options(0.7, reduction=REDUCTIONS)), K.Huber(0.5), K.LogCosh())
    return i, out, lambda m: d.ints(7, m, t), lambda m: d.rand(m, t, n), loss, ["mae", M.RootMeanSquaredError(), M.MeanSquaredError("other")], None


def binary(d):
    n, logits = d.int(1, 3), d.maybe(0.4)
    i = L.Input((4,))
    x = L.Dense(4, activation="elu")(i)
    x = d.pick(lambda v: v, L.BatchNormalization(momentum=0.5), L.LayerNormalization(), L.UnitNormalization())(x)
    out = L.Dense(n, activation=None if logits else "sigmoid")(x)
    loss = K.BinaryCrossentropy(from_logits=logits, **d.options(0.5, reduction=REDUCTIONS, label_smoothing=[0.1])) if d.maybe(0.7) else K.BinaryFocalCrossentropy(from_logits=logits, apply_class_balancing=d.maybe())
    metrics = ["accuracy", M.BinaryAccuracy(threshold=0.3), M.AUC(num_thresholds=15, curve="PR"), M.PrecisionAtRecall(0.5, num_thresholds=12), M.TruePositives(thresholds=[0.3, 0.6]), M.FalseNegatives(), M.BinaryIoU(), M.FBetaScore(beta=2.0, threshold=0.4), M.MeanAbsoluteError()]
    return i, out, lambda m: d.rand(m, 4), lambda m: d.ints(2, m, n, dtype=d.pick("float32", "int32")), loss, metrics, None


def fit_line(ident, d):
    i, out, make_x, make_y, loss, metrics, c = d.pick(classes, classes, sequence, binary)(d)
    model = keras.Model(i, out)
    saved = keras.saving.serialize_keras_object(model)
    weights = [v for v in model.weights if "seed" not in v.path]
    for v in weights:
        lo = 0.3 if "variance" in v.path else -0.6
        v.assign(d.rand(*v.shape, lo=lo, hi=0.9 if lo > 0 else 0.6))
    start, initial = [np.array(v.value) for v in weights], weight_list(weights)
    m = d.pick(12, 19, 24)
    x, y = make_x(m), make_y(m)
    opt = d.pick("adam", "sgd", *[optimizer_case(d, d.pick(*(n for n in OPTIMIZERS if n not in SLOW))) for _ in range(3)])
    if isinstance(opt, O.LossScaleOptimizer):
        opt = O.SGD(0.05, momentum=0.9, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=d.pick(None, 2, 3), gradient_accumulation_steps=d.pick(None, 2))
    scheduled = not isinstance(opt, str) and not isinstance(opt._learning_rate, keras.Variable)
    take = lambda p: [v if isinstance(v, str) else type(v).from_config(v.get_config()) for v in metrics if d.maybe(p)]
    compile = {"optimizer": opt, "loss": loss, "metrics": take(0.3), "weighted_metrics": take(0.2) or None}
    fit = {"epochs": d.int(2, 4), "batch_size": d.pick(4, 5, 8, None), "shuffle": False} | d.options(0.2, initial_epoch=[1])
    more = {}
    if d.maybe(0.4):
        shape = y.shape[:2] if y.ndim == 3 and d.maybe() else (m,)
        more["sample_weight"] = d.rand(*shape, lo=0.0, hi=2)
    if c and d.maybe(0.35) and type(loss).__name__[:6] == "Sparse":
        more["class_weight"] = {k: d.num(0.3, 2) for k in range(c)}
    if d.maybe(0.3):
        n = d.int(3, 7)
        more["validation_data"] = (make_x(n), make_y(n)) + ((d.rand(n, lo=0.1, hi=2),) if d.maybe(0.4) else ())
        fit |= d.options(0.35, validation_freq=[2, [1, 3]], validation_batch_size=[2, 3])
    elif d.maybe(0.5):
        more["validation_split"] = d.pick(0.2, 0.33, 0.5)
    if d.maybe(0.15):
        fit["steps_per_epoch"] = 2
    spec = {k: spec_of(v) for k, v in compile.items() if v is not None}
    model.compile(**compile)
    validated = "validation_data" in more or "validation_split" in more
    made = [] if scheduled else callbacks_of(d, fit, ["loss"] + (["val_loss"] if validated else []))
    double = in_double(saved, start, compile, x, y, fit, more, [remade(v) for v in made])
    history = model.fit(x, y, verbose=0, callbacks=[v for v, _ in made], **fit, **more).history
    if not close([np.array(v.value) for v in weights], double):
        return None
    line = {"sample_weight": None, "class_weight": None}
    line |= {k: (array(v) if k == "sample_weight" else {str(a): b for a, b in v.items()} if k == "class_weight" else [array(t) for t in v] if k == "validation_data" else v) for k, v in more.items()}
    evaluate = model.evaluate(x, y, batch_size=fit["batch_size"], verbose=0, return_dict=True, **({"sample_weight": more["sample_weight"]} if "sample_weight" in more else {}))
    numbers = lambda v: [float(t) for t in v] if np.ndim(v) else float(v)
    return {"id": ident, "kind": "fit", "tol": {"rtol": 1e-4, "atol": 2e-5}, "model": {"class_name": saved["class_name"], "config": json.loads(json.dumps(saved["config"], default=plain_json))}, "compile": spec, "initial_weights": initial,
            "x": array(x), "y": array(y), **line, "fit": fit, "callbacks": [v for _, v in made], "history": {k: [numbers(v) for v in vs] for k, vs in history.items()}, "final_weights": weight_list(weights),
            "evaluate": {k: numbers(v) for k, v in evaluate.items()}, "predict": array(model.predict(x, verbose=0))}  # fmt: skip


def makers():
    for k in range(4):
        yield f"fit/odd{k}", lambda ident, d: fit_line(ident, d)
