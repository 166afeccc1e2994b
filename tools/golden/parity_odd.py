"""Parity vectors of unusual combinations, written by hand and computed by Keras: tests/golden/odd.jsonl.gz.

    /tmp/golden/bin/python tools/golden/parity_odd.py [OUT]      # Keras 3.15 on TensorFlow, see parity_more.py

Layers with masks, states, wrappers, channels first and dtypes (odd_layers.py); whole fits with several outputs, weights, reductions, masks
through nested models, MultiOptimizer (odd_fits.py); summaries of all shapes; numbers beside arrays of every dtype. A case that Keras
itself refuses is reported and left out. To add a case, add a row.
"""

import json
import os
import sys

import parity_more  # sets up Keras on TensorFlow
from random_draw import plain_json

import golden
import keras
import numpy as np
import odd_fits
import odd_layers
from keras import Input, Model, Sequential
from keras import layers as L
from keras import ops

# op: numbers beside arrays ---------------------------------------------------------------------------------------------------
BINARY = """add subtract multiply divide true_divide floor_divide mod fmod power maximum minimum fmax fmin arctan2 hypot logaddexp
logaddexp2 equal less heaviside divide_no_nan logical_and logical_xor left_shift right_shift bitwise_and gcd lcm nextafter ldexp""".split()


def op_lines(report):
    for name in BINARY:
        for dtype in ("float64", "uint8", "int8", "uint16", "int64", "bool"):
            for number in (2, 0.5, -3, True):
                for case, args in ((f"{dtype}_{number}", [np.array([3, 1, 2], dtype), number]), (f"{number}_{dtype}", [number, np.array([3, 1, 2], dtype)])):
                    try:
                        line = parity_more.op_line(f"{name}/odd_{case}", name, args, {})
                    except Exception as e:
                        report(f"left out {name}/{case}: {type(e).__name__}")
                        continue
                    yield line
    ties = np.array([1, 2, -0.5, np.nan, 0], np.float32)
    for name in ("logaddexp", "logaddexp2", "hypot", "maximum", "minimum", "fmax"):
        yield parity_more.op_line(f"{name}/odd_ties", name, [ties, np.array([1, 2, -0.5, 1, -0.0], np.float32)], {})
    yield parity_more.op_line("cbrt/odd_int64", "cbrt", [np.array([-8, 3, 27], np.int64)], {})


# summary ---------------------------------------------------------------------------------------------------------------------
def nested(name):
    i = Input((4,), name=name + "_in")
    x = ops.relu(L.Dense(3, name=name + "_1")(i))
    return Model(i, L.Dense(4, name=name + "_2")(x) + i, name=name)


def models():
    i = Input((8,), name="a")
    h = L.Dense(4, name="h")(i)
    yield "chain_two_out", Model(i, [h, L.Dense(2, name="o")(h)], name="m1")
    i = Input((8,), name="a")
    h = L.Dense(8, name="h")(i)
    yield "residual", Model(i, L.Dense(2)(h + i), name="m2")
    i = Input((8,))
    yield "ops_chain", Model(i, L.Dense(3)(ops.tanh(i * 2.0 + 1.0)), name="m3")
    i, d = Input((8,)), L.Dense(8, name="shared")
    yield "shared", Model(i, d(d(i)), name="m4")
    i = Input((5,), dtype="int32")
    yield "mask", Model(i, L.Dense(1)(L.LSTM(4)(L.Embedding(10, 3, mask_zero=True)(i))), name="m5")
    i = Input((5,), dtype="int32")
    yield "mask_states", Model(i, L.LSTM(4, return_state=True, return_sequences=True)(L.Embedding(10, 3, mask_zero=True)(i)), name="m6")
    i = Input((4,), name="outer")
    yield "nested_ops", Model(i, L.Dense(2)(nested("nest")(i)), name="m7")
    i, nest = Input((4,), name="outer"), nested("twice")
    yield "nested_twice", Model(i, nest(nest(i)), name="m8")
    yield "seq_nested", Sequential([Input((6,)), L.Dense(5), Sequential([L.Dense(4, name="q"), Sequential([L.Dense(3)], name="deep")], name="mid"), L.Dropout(0.5)], name="outer_seq")
    yield "td", Sequential([Input((3, 6)), L.TimeDistributed(Sequential([L.Dense(4)], name="in_td")), L.Bidirectional(L.GRU(3))], name="td")
    long = "a_rather_long_model_name_of_more_than_eighty_characters_so_that_the_first_line_has_to_be_folded"
    yield "frozen", Sequential([Input((6,)), L.Dense(5, trainable=False, name="frozen_layer_with_a_very_long_name_indeed"), L.BatchNormalization(), L.Dense(200000)], name=long)
    i = Input((3, 4))
    yield "attention", Model(i, L.MultiHeadAttention(2, 3)(L.Dense(4)(i), i, i), name="attention")
    i, s, c = Input((3, 4)), Input((5,)), Input((5,))
    yield "states", Model([i, s, c], L.LSTM(5)(i, initial_state=[s, c]), name="st")
    i = Input((6, 4))
    yield "split", Model(i, ops.concatenate(ops.split(i, 2, axis=1), axis=-1), name="sp")
    i = Input((6,))
    yield "two_heads", Model(i, {"p": L.Dense(3, name="x1")(i), "q": L.Dense(3, name="x2")(i)}, name="dict")
    i = Input((6,))
    yield "dtypes", Model(i, L.Dense(3, name="x2", dtype="mixed_float16")(L.Dense(3, name="x1", dtype="float64")(i)), name="dt")
    i = Input(shape=(), name="scalar")
    yield "scalar", Model(i, ops.expand_dims(i, -1), name="sc")


SUMMARY_ARGS = [
    (80, {}), (120, {}), (200, {"show_trainable": True}), (100, {"expand_nested": True}), (100, {"expand_nested": True, "show_trainable": True}), (40, {}), (30, {}),
    (90, {"line_length": 150}), (200, {"line_length": 60, "show_trainable": True}), (100, {"positions": [0.3, 0.6, 0.9, 1.0]}), (100, {"positions": [0.3, 0.4, 0.5, 0.6]}), (200, {"layer_range": True}),
]  # fmt: skip


def summary_lines():
    for name, model in models():
        names = [o.name for o in getattr(model, "_operations", model.layers)]
        config = json.loads(json.dumps(model.get_config(), default=plain_json))
        for k, (width, args) in enumerate(SUMMARY_ARGS):
            if "layer_range" in args:
                args = {"layer_range": [names[min(1, len(names) - 1)], names[-1][:2] + ".*"]}
            os.environ["COLUMNS"] = str(width)
            rows = []
            model.summary(print_fn=lambda text, **_: rows.append(text), **args)
            yield {
                "id": f"summary/odd/{name}/{k}",
                "kind": "summary",
                "tol": {"rtol": 0.0, "atol": 0.0},
                "model": {"class_name": type(model).__name__, "config": config},
                "width": width,
                "args": args,
                "text": "".join(rows),
            }


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/golden/odd.jsonl.gz")
    report = lambda text: print(text, file=sys.stderr)
    keras.backend.clear_session()
    lines = [*summary_lines(), *op_lines(lambda _: None), *odd_layers.lines(report), *odd_fits.lines(report)]
    golden.write_lines(out, [json.loads(json.dumps(line, default=plain_json)) for line in lines if line])


if __name__ == "__main__":
    main()
