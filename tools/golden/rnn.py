"""Recurrent layers computed by Keras, with gradients: tests/golden/rnn.json, read by src/ops/rnn_test.cpp.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install keras tensorflow-cpu
    /tmp/golden/bin/python tools/golden/rnn.py

Every case is one layer called on x (and a mask) from given initial states; the loss is the sum of every result times a
given array of its shape. Kept are the arguments, the results and the gradients of all float arguments.
"""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import tensorflow as tf
from keras import layers

import golden

SEED = [700]


def rand(*shape):
    SEED[0] += 1
    return golden.uniform(shape, SEED[0]).round(2)


def case(name, layer_class, masked, **options):
    batch, steps, features, units = 3, 4, 3, 5
    layer = layer_class(units, return_sequences=True, return_state=True, **options)
    layer.build((batch, steps, features))
    weights = [rand(*w.shape) for w in layer.weights]
    layer.set_weights(weights)
    states = [rand(batch, units) for _ in range(2 if layer_class is layers.LSTM else 1)]
    x = rand(batch, steps, features)
    mask = golden.integers((batch, steps), 77, 3) > 0 if masked else None
    arguments = [tf.constant(x)] + [tf.constant(s) for s in states]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        results = layer(arguments[0], initial_state=arguments[1:], mask=None if mask is None else tf.constant(mask))
        factors = [rand(*r.shape) for r in results]
        loss = sum(tf.reduce_sum(r * f) for r, f in zip(results, factors))
    variables = [w.value for w in layer.weights]
    grads = tape.gradient(loss, arguments + variables)
    n = len(arguments)
    number = lambda a: {"shape": list(a.shape), "v": [float(str(v)) for v in a.ravel()]}
    listed = lambda arrays: [number(tf.convert_to_tensor(a).numpy()) for a in arrays]
    return {
        "name": name,
        "op": {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "simple_rnn"}[layer_class.__name__],
        "options": options,
        "mask": None if mask is None else mask.astype(int).ravel().tolist(),
        "x": listed([x])[0],
        "states": listed(states),
        "weights": listed(weights),
        "factors": listed(factors),
        "results": listed(results),
        "dx": listed(grads[:1])[0],
        "dstates": listed(grads[1:n]),
        "dweights": listed(grads[n:]),
    }


def main():
    cases = [
        case("lstm", layers.LSTM, False),
        case("lstm masked backwards", layers.LSTM, True, go_backwards=True),
        case("gru", layers.GRU, False),
        case("gru masked", layers.GRU, True, zero_output_for_mask=True),
        case("gru reset before", layers.GRU, False, reset_after=False),
        case("simple_rnn masked", layers.SimpleRNN, True),
    ]
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "..", "..", "tests", "golden", "rnn.json")
    head = {"generator": "tools/golden/rnn.py", "keras": keras.__version__, "tensorflow": tf.__version__}
    with open(path, "w") as out:
        out.write(json.dumps(head)[:-1] + ', "cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
    print(path, os.path.getsize(path), "bytes")


if __name__ == "__main__":
    sys.exit(main())
