"""Numbers of src/ops/attention_test.cpp (MatchesKeras), by Keras 3.15.1 with TensorFlow 2.21.

    KERAS_BACKEND=tensorflow python tools/golden/attention.py
"""

import keras
import numpy as np


def numbers(shape, step):
    n = int(np.prod(shape))
    return (np.round(8 * np.sin(step * (np.arange(n) + 1))) / 4).astype("float32").reshape(shape)


q, k, v = numbers((1, 3, 2, 4), 0.61), numbers((1, 5, 2, 4), 0.37), numbers((1, 5, 2, 3), 0.9)
bias = numbers((1, 2, 3, 5), 1.3)
mask = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 0, 1]], bool).reshape(1, 1, 3, 5)
for name, options in {
    "plain": {},
    "bias": {"bias": bias},
    "mask": {"mask": mask},
    "causal": {"is_causal": True, "scale": 0.25},
    "both": {"bias": bias, "mask": mask},
}.items():
    y = keras.ops.dot_product_attention(q, k, v, **options)
    print(name, ", ".join(f"{x:.8g}" for x in np.asarray(y).ravel()))
