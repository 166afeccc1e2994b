"""Models that tf_keras (Keras 2) trained and saved as .keras: tests/compat/keras/tf_keras_*, read by test_compat.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install tensorflow-cpu tf_keras
    /tmp/v/bin/python tools/golden/tf_keras_files.py
"""

import pathlib

import numpy as np
import tf_keras as keras

L = keras.layers
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "compat" / "keras"


def rnn():
    return keras.Sequential([L.Embedding(20, 8, input_length=7), L.Bidirectional(L.LSTM(6, return_sequences=True)), L.GRU(5),
                             L.Dense(3)])


def attention():
    a = L.Input((6, 8))
    x = L.LayerNormalization()(L.Add()([a, L.MultiHeadAttention(2, 4)(a, a)]))
    y = L.GlobalAveragePooling1D()(x)
    return keras.Model(a, [L.Dense(2, name="u")(y), L.Dense(1, name="v")(y)])


def nested():
    i = L.Input((10,))
    inner = keras.Sequential([L.Dense(4, activation="tanh"), L.Dense(4)], name="inner")
    return keras.Model(i, L.Dense(2)(inner(i)))


def main():
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    inputs = {rnn: rng.integers(0, 20, (4, 7)).astype("int32"), attention: rng.random((4, 6, 8), dtype="float32"),
              nested: rng.random((4, 10), dtype="float32")}
    for make, x in inputs.items():
        model = make()
        model.compile("adam", "mse")
        model.fit(x, model.predict(x, verbose=0), epochs=2, verbose=0)
        y = model.predict(x, verbose=0)
        name = FOLDER / f"tf_keras_{make.__name__}"
        model.save(f"{name}.keras")
        y = y if isinstance(y, list) else [y]
        np.savez(f"{name}.npz", in_00=x, **{f"out_{k:02}": v for k, v in enumerate(y)})


if __name__ == "__main__":
    main()
