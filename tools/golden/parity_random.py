"""Parity vectors of random configurations, computed by Keras: a search for differences, not a fixed set.

    /tmp/golden/bin/python tools/golden/parity_random.py SEED COUNT OUT [FILTER]   # Keras 3.15 on TensorFlow, see parity_more.py
    build/release/bin/glia-parity OUT

Every layer, op, loss, metric, optimizer, ... gets COUNT draws (random_layers.py, random_ops.py, random_rest.py); FILTER is a part
of "kind/Name"; "/odd" are less common arguments, "/empty" empty batches, "/policy" other dtypes. The same seed gives the same lines. Draws that Keras refuses are left out. A line that once failed is kept in
tests/golden/random.jsonl.gz: `parity_random.py --keep OUT IDS... ` adds lines of OUT by id.
"""

import gzip
import json
import os
import sys
import traceback
import zlib

from random_draw import Draw, array, plain_json, tolerances

import keras
import numpy as np
import random_fits
import random_layers
import random_ops
import random_rest
import tensorflow as tf
from vectors import is_float

tf.get_logger().setLevel("ERROR")
DEBUG = os.environ.get("DEBUG")


def to_call(value):
    """Arrays become tensors, in nested lists; strings stay NumPy."""
    if isinstance(value, np.ndarray):
        return tf.constant(value.tolist() if value.dtype == object else value)
    if isinstance(value, list):
        return [to_call(v) for v in value]
    return value


def to_json(value):
    if isinstance(value, np.ndarray):
        return array(value)
    return [to_json(v) for v in value] if isinstance(value, (list, tuple)) else value


def attach(value, masks):
    if masks is None:
        return
    if isinstance(value, list):
        for v, m in zip(value, masks):
            attach(v, m)
    else:
        value._keras_mask = tf.constant(masks)


def set_weights(d, layer):
    for v in layer.weights:
        if is_float(v.value):
            positive = "variance" in v.path or "std" in v.path
            v.assign(d.rand(*v.shape, lo=0.3 if positive else -1, hi=1.3 if positive else 1).astype(np.float32))


def weight_list(variables, values):
    return [{"path": v.path, "value": array(x)} for v, x in zip(variables, values)]


def flat(x):
    return [v for v in tf.nest.flatten(x) if v is not None]


def layer_config(layer):
    config = json.loads(json.dumps(layer.get_config(), default=plain_json))
    return {"class_name": layer.__class__.__name__ if layer.__class__.__name__ != "GroupedQueryAttention" else "GroupQueryAttention", "config": config}


def layer_line(ident, d, made):
    layer, inputs, call, masks = made
    call = dict(call)
    adapt = call.pop("adapt", None)
    if adapt is not None:
        layer.adapt(adapt.tolist() if adapt.dtype == object else adapt)
    config = layer_config(layer)
    if adapt is not None:
        config = layer_config(type(layer).from_config(layer.get_config())) if not config["config"].get("vocabulary") else config
        for key in ("vocabulary", "idf_weights"):
            if key in config["config"]:
                config["config"][key] = None
    x = [to_call(i) for i in inputs]
    attach(x, masks)
    named = {k: to_call(v) for k, v in call.items()}
    layer(*x, **named)  # builds
    if getattr(layer, "stateful", False):
        layer.reset_state()
    if adapt is None:
        set_weights(d, layer)
    before = [np.array(w.value) for w in layer.weights]
    watched, of_call = flat(x), {k: flat(v) for k, v in named.items() if any(isinstance(t, tf.Tensor) for t in flat(v))}
    everything = watched + [t for v in of_call.values() for t in v]
    with tf.GradientTape() as tape:
        tape.watch([t for t in everything if isinstance(t, tf.Tensor) and is_float(t)])
        result = layer(*x, **named)
        outputs = flat(result)
        cotangents = [d.rand(*o.shape, lo=-1, hi=1) if is_float(o) else None for o in outputs]
        total = [tf.reduce_sum(tf.cast(o, tf.float64) * c) for o, c in zip(outputs, cotangents) if c is not None]
        total = tf.add_n(total) if total else None
    line = {"id": ident, "kind": "layer"} | tolerances(*(str(o.dtype.name) for o in outputs), layer.compute_dtype)
    line |= {"layer": config, "inputs": [to_json(i) for i in inputs], "call": {k: to_json(v) for k, v in call.items()}}
    if masks is not None:
        line["input_masks"] = to_json(masks)
    if adapt is not None:
        line["adapt"] = array(adapt)
        if hasattr(layer, "get_vocabulary"):
            line["vocabulary"] = json.loads(json.dumps(layer.get_vocabulary(), default=plain_json))
        if hasattr(layer, "bin_boundaries"):
            line["bin_boundaries"] = json.loads(json.dumps(list(layer.bin_boundaries), default=plain_json))
    else:
        line["weights"] = weight_list(layer.weights, before)
    line["outputs"] = [array(o) for o in outputs]
    out_masks = [None if getattr(o, "_keras_mask", None) is None else array(o._keras_mask) for o in outputs]
    line["output_mask"] = out_masks[0] if len(out_masks) == 1 else (out_masks if any(out_masks) else None)
    if layer.losses:
        line["added_loss"] = array(np.float32(sum(float(v) for v in layer.losses)))
    after = [np.array(w.value) for w in layer.weights]
    if any(not np.array_equal(a, b) for a, b in zip(after, before)):
        line["weights_after"] = weight_list(layer.weights, after)
    if total is None:
        return line
    trainable = list(layer.trainable_weights)
    of = [t for t in everything if isinstance(t, tf.Tensor) and is_float(t)]
    try:
        grads = tape.gradient(total, of + [w.value for w in trainable])
    except (LookupError, NotImplementedError):
        return line
    by = {id(t): g for t, g in zip(of, grads) if g is not None}
    one = lambda t: array(tf.convert_to_tensor(by[id(t)])) if id(t) in by else None
    line["cotangents"] = [None if c is None else array(c) for c in cotangents]
    line["grad_inputs"] = [one(t) for t in watched]
    line["grad_call"] = {k: [one(t) for t in v] for k, v in of_call.items()}
    zero = lambda g, w: tf.zeros_like(w) if g is None else tf.convert_to_tensor(g)
    line["grad_weights"] = weight_list(trainable, [zero(g, w.value) for g, w in zip(grads[len(of) :], trainable)])
    return line


def map_arrays(value, f):
    return [map_arrays(v, f) for v in value] if isinstance(value, list) else f(value) if isinstance(value, np.ndarray) and value.ndim else value


def without_rows(made):
    """The same call on an empty batch."""
    layer, inputs, call, masks = made
    cut = lambda v: map_arrays(v, lambda a: a[:0])
    return layer, cut(inputs), call if "adapt" in call else {k: cut(v) for k, v in call.items()}, cut(masks)


def in_other_dtype(d, made):
    """The same call under another policy."""
    layer, *rest = made
    config = layer.get_config() | {"dtype": d.pick(*random_layers.POLICIES)}
    return type(layer).from_config(config), *rest


def layer_makers():
    for name, make in random_layers.LAYERS.items():
        yield f"layer/{name}", lambda ident, d, make=make: layer_line(ident, d, make(d))
        yield f"layer/{name}/empty", lambda ident, d, make=make: layer_line(ident, d, without_rows(make(d)))
        yield f"layer/{name}/policy", lambda ident, d, make=make: layer_line(ident, d, in_other_dtype(d, make(d)))


def makers():
    yield from layer_makers()
    yield from random_ops.makers()
    yield from random_rest.makers()
    yield from random_fits.makers()


def has_array_of(line, limit):
    return len(json.dumps(line, default=plain_json)) < limit


def generate(seed, count, out, wanted):
    lines, refused = [], {}
    for name, make in makers():
        if wanted and wanted not in name:
            continue
        for i in range(count):
            keras.backend.clear_session(free_memory=False)  # automatic names begin anew
            keras.utils.set_random_seed(zlib.crc32(f"{seed} {name} {i}".encode()))  # what Keras itself draws: seeds of layers, weights
            d = Draw(seed, name, i)
            try:
                line = make(f"{name}/s{seed}_{i}", d)
            except Exception as e:
                refused.setdefault(name, []).append(f"{type(e).__name__} {str(e)[:160]!r}")
                if DEBUG:
                    traceback.print_exc()
                continue
            if line and has_array_of(line, 200_000):
                lines.append(line)
    text = "".join(json.dumps(line, default=plain_json) + "\n" for line in lines)
    with gzip.open(out, "wt") as f:
        f.write(text)
    for name, why in refused.items():
        print(f"refused {len(why)}/{count} {name}: {why[0]}", file=sys.stderr)
    print(out, len(lines), "lines")


def keep(source, ids):
    here = os.path.dirname(os.path.abspath(__file__))
    kept = os.path.join(here, "../../tests/golden/random.jsonl.gz")
    lines = [json.loads(t) for t in gzip.open(kept, "rt")] if os.path.exists(kept) else []
    have = {line["id"] for line in lines}
    lines += [line for line in map(json.loads, gzip.open(source, "rt")) if line["id"] in ids and line["id"] not in have]
    import golden

    golden.write_lines(kept, sorted(lines, key=lambda line: line["id"]))


if __name__ == "__main__":
    if sys.argv[1] == "--keep":
        keep(sys.argv[2], set(sys.argv[3:]))
    else:
        generate(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else "")
