"""What keras.applications compute: tests/golden/applications_forward.jsonl.gz, one model a line.

    /tmp/golden/bin/python tools/golden/applications_forward.py [PART-OF-NAME]     # Keras 3.15 on TensorFlow, see parity_more.py

The weights of a line are `weight(i, name, shape)` of every weight in get_weights() order, made of exact pseudo-random numbers that
the test makes too (tests/golden/applications_test.cpp); kept are "model", "args", the input's shape and the outputs of one
inference. Softmax is left out (classifier_activation "linear"), so that no difference hides in a saturated class.
"""

import os
import sys

import vectors  # sets up Keras on TensorFlow

import golden
import keras
import numpy as np
from applications import CASES

HERE = os.path.dirname(os.path.abspath(__file__))


def weight(i, name, shape):
    """Numbers that keep a signal of size 1: what kind of weight it is says its name."""
    if name in ("count",):
        return np.ones(shape, np.int32)
    if name in ("variance", "moving_variance"):
        return golden.uniform(shape, i, 0.5, 1.5)
    if name == "gamma":
        return golden.uniform(shape, i, 0.4, 1.2)
    if "kernel" not in name:
        return golden.uniform(shape, i, -0.2, 0.2)
    depthwise = len(shape) == 4 and shape[3] == 1
    fan_in = np.prod(shape[:2] if depthwise else shape[:-1])
    limit = float(np.sqrt(3.0 / fan_in))
    return golden.uniform(shape, i, -limit, limit)


def line(name, args):
    keras.backend.clear_session()
    args = dict(args)
    if args.get("include_top", True):
        args["classifier_activation"] = "linear"
    model = getattr(keras.applications, name)(weights=None, **args)
    for i, v in enumerate(model.weights):
        v.assign(weight(i, v.name, tuple(v.shape)))
    size = [d or 64 for d in model.input_shape[1:]]
    x = golden.uniform((1, *size), 9000, 0, 255)
    if "MobileNetV2" in name or "NASNet" in name or "preprocessing" in str(args) or not any(s in name for s in ("EfficientNet", "MobileNetV3", "ConvNeXt")):
        x = golden.uniform((1, *size), 9000, -1, 1)
    y = model(x, training=False).numpy()
    flat = y.ravel()
    at = np.unique(np.linspace(0, flat.size - 1, 64).astype(int))
    print(name, args, float(np.abs(flat).max()), float(flat.std()), flush=True)
    return {"model": name, "args": args, "params": model.count_params(), "input": list(x.shape), "hi": 255 if x.max() > 2 else 1, "shape": list(y.shape), "max": float(np.abs(flat).max()), "at": at.tolist(), "values": [float(str(v)) for v in flat[at]]}


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    made = [line(n, a) for n, a in CASES if wanted in n]
    if not wanted:
        golden.write_lines(os.path.join(HERE, "../../tests/golden/applications_forward.jsonl.gz"), made)
