#!/usr/bin/env python3
"""Keras -> Glia -> Keras with the real Keras: needs a Python with keras and tensorflow, and a built test_compat.

For every case of tools/golden/keras_files.py and for the training cases below: Keras saves; Glia loads, saves it again, trains 20
steps, saves, trains 20 more; Keras loads Glia's files, must predict the same (1e-5), and trained from the same points must show
the same losses (2e-4 relative).

    /work/venv/bin/python tools/check_keras_roundtrip.py build/release/bin/test_compat [--only NAME]
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "golden"))
import keras  # noqa: E402
import keras_files as corpus  # noqa: E402
import strings  # noqa: E402
import training_files  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers as L  # noqa: E402
from keras import ops  # noqa: E402

TRAIN = {}


def train(f):
    TRAIN[f.__name__] = f
    return f


def compiled(model, optimizer="adam", loss="mse", **kw):
    model.compile(optimizer, loss, **kw)
    return model


seq = corpus.seq
O = keras.optimizers


@train
def train_mlp_adam():
    return compiled(seq(L.Dense(8, activation="relu"), L.Dense(3), shape=(5,)), metrics=["mae"])


@train
def train_cnn_sgd():
    return compiled(seq(L.Conv2D(3, 3, activation="relu"), L.BatchNormalization(), L.MaxPooling2D(), L.Flatten(), L.Dense(2), shape=(8, 8, 1)),
                    O.SGD(0.05, momentum=0.9, nesterov=True))


@train
def train_lstm_rmsprop():
    return compiled(seq(L.LSTM(4, return_sequences=True), L.GRU(3), L.Dense(2), shape=(5, 3)), O.RMSprop(1e-2))


@train
def train_attention_adamw():
    i = keras.Input((4, 6))
    x = L.LayerNormalization()(i + L.MultiHeadAttention(2, 3)(i, i))
    return compiled(keras.Model(i, L.Dense(2)(ops.mean(x, axis=1))), O.AdamW(1e-2, weight_decay=0.01, clipnorm=1.0))


@train
def train_schedule():
    return compiled(corpus.small(), O.SGD(O.schedules.CosineDecay(0.1, 60), momentum=0.5))


@train
def train_frozen():
    m = seq(L.Dense(5, activation="tanh"), L.BatchNormalization(), L.Dense(2), shape=(4,))
    m.layers[0].trainable = False
    return compiled(m, O.Nadam(1e-2))


@train
def train_two_outputs():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    x = L.Concatenate()([a, b])
    m = keras.Model([a, b], [L.Dense(1, name="p")(x), L.Dense(2, name="q")(x)])
    return compiled(m, "sgd", ["mse", "mae"], loss_weights=[1.0, 0.5])


for _name in ("Adagrad", "Adadelta", "Adamax", "Lion", "Lamb", "Ftrl"):
    TRAIN[f"train_{_name.lower()}"] = lambda n=_name: compiled(corpus.small(), getattr(O, n)(1e-2))
TRAIN["train_amsgrad_ema_accumulate"] = lambda: compiled(corpus.small(), O.Adam(1e-2, amsgrad=True, use_ema=True, gradient_accumulation_steps=2))


TRAIN.update(training_files.TRAIN)


def steps(model, x, y, n):
    losses = []
    for _ in range(n):
        model.reset_metrics()
        r = model.train_on_batch(x, y)
        losses.append(float(np.ravel(r)[0]))
    return losses


def one(list_):
    return list_ if len(list_) > 1 else list_[0]


def close(a, b, tolerance):
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    return a.shape == b.shape and bool(np.all((np.abs(a - b) <= tolerance * np.maximum(1.0, np.abs(b))) | (np.isnan(a) & np.isnan(b))))


def named(struct, list_):
    """Arrays as the model takes or gives them: by name where it does so."""
    return dict(zip(sorted(struct), list_)) if isinstance(struct, dict) else one(list_)


def prepare(folder, name):
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(3)
    if name in TRAIN:
        m = TRAIN[name]()
        ins, outs = getattr(m, "_inputs_struct", m.inputs), getattr(m, "_outputs_struct", m.outputs)
        if isinstance(m, keras.Sequential):
            ins, outs = m.inputs, m.outputs

        def shape(t):
            return (8,) + tuple(5 if d is None else d for d in t.shape[1:])

        x = [rng.integers(0, 9, shape(t)).astype(t.dtype) if "int" in t.dtype else rng.standard_normal(shape(t)).astype(t.dtype) for t in keras.tree.flatten(ins)]
        y = [rng.random(shape(t)).astype("float32") if name.startswith("odd_") else rng.standard_normal(shape(t)).astype("float32") for t in keras.tree.flatten(outs)]
        steps(m, named(ins, x), named(outs, y), 3)  # an optimizer with a state
        m.save(folder / f"{name}.keras")
        np.savez(folder / f"{name}.npz", **{f"in_{i:02}": a for i, a in enumerate(x)}, **{f"target_{i:02}": a for i, a in enumerate(y)})
    elif name in strings.NAMES:
        strings.prepare_case(folder, name)
    else:
        corpus.write(name, folder)


def predictions(model, x):
    given = named(getattr(model, "_inputs_struct", None), x)
    return keras.tree.flatten(model.predict(given, verbose=0, batch_size=len(x[0])))


def check(folder, name):
    problems = []
    data, glia = np.load(folder / f"{name}.npz"), np.load(folder / f"glia_{name}.npz")
    x = [strings.text(data[k]) if data[k].dtype.kind in "US" else data[k] for k in sorted(data) if k.startswith("in_")]
    tolerance = 2e-2 if "float16" in name else 1e-5

    def same(model, key, what):
        for i, a in enumerate(predictions(model, x)):
            if not close(np.asarray(a, "float64"), glia[f"{key}{i}"], tolerance):
                problems.append(f"{what}: output {i} differs by {np.max(np.abs(np.asarray(a, 'float64') - glia[f'{key}{i}']))}")

    for ending in (".keras", ".h5"):
        # Keras itself reads no op nodes, no bfloat16 variables and no optimizer Lamb from .h5.
        if ending == ".h5" and (name.startswith("ops_") or name in ("policy_bfloat16_variables", "train_lamb")):
            continue
        try:
            same(keras.models.load_model(folder / f"same_{name}{ending}"), "before_", "same" + ending)
        except Exception as e:  # noqa: BLE001
            problems.append(f"same{ending}: {type(e).__name__}: {str(e)[:300]}")
    if name in TRAIN or name in strings.NAMES:
        y = [data[k] for k in sorted(data) if k.startswith("target_")]

        def losses(model):
            return steps(model, named(getattr(model, "_inputs_struct", None), x), named(getattr(model, "_outputs_struct", None), y), 20)

        want = losses(keras.models.load_model(folder / f"{name}.keras"))
        if not close(want, glia["losses"][:20], 2e-4):
            problems.append(f"losses of Glia {glia['losses'][:20]} Keras {want}")
        model = keras.models.load_model(folder / f"trained_{name}.keras")
        same(model, "middle_", "trained")
        want = losses(model)
        if not close(want, glia["losses"][20:], 2e-4):
            problems.append(f"losses after Glia's file: Glia {glia['losses'][20:]} Keras {want}")
    return problems


def main():
    p = argparse.ArgumentParser()
    p.add_argument("test_compat", type=pathlib.Path)
    p.add_argument("--only", default="")
    a = p.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="glia_roundtrip_"))
    names = [n for n in list(TRAIN) + strings.NAMES + list(corpus.CASES) if a.only in n and not n.startswith("legacy_")]
    for n in names:
        prepare(folder, n)
    env = dict(os.environ, GLIA_ROUNDTRIP_DIR=str(folder))
    r = subprocess.run([a.test_compat, "--gtest_filter=KerasRoundTrip.*"], env=env, capture_output=True, text=True)
    failures = 0
    for line in r.stdout.splitlines():
        if ": " in line and "Failure" not in line and "[" not in line[:2]:
            print(line[:400])
    for n in names:
        if not (folder / f"glia_{n}.npz").exists():
            print(f"FAILED {n}: Glia could not do its part")
            failures += 1
            continue
        problems = check(folder, n)
        for q in problems:
            print(f"FAILED {n}: {q}")
        failures += bool(problems)
    print(f"{len(names)} cases, {failures} failed, keras {keras.__version__}, files in {folder}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
