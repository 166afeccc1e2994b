"""Keras on TensorFlow as a peer of glia-bench.

    python keras_peer.py train cnn32 --variant jit     # variant: "" (fit as it comes) or jit (jit_compile=True)
    python keras_peer.py predict cnn32 --batch 32      # the model inside tf.function, its fastest form of prediction
"""

import os
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import workloads

ARGS = workloads.arguments(__doc__)

import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(ARGS.threads)
tf.config.threading.set_inter_op_parallelism_threads(ARGS.threads)
import keras
from keras import layers


class AddPosition(layers.Layer):
    """Adds a learned vector per position."""

    def build(self, shape):
        self.table = self.add_weight(shape=shape[1:], initializer="random_normal", name="table")

    def call(self, x):
        return x + self.table


def mlp(w):
    body = [layers.Dense(u, activation="relu") for u in w["units"]]
    return keras.Sequential([layers.Input((w["inputs"],))] + body + [layers.Dense(w["classes"], activation="softmax")])


def cnn(w):
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(w["classes"], activation="softmax"),
        ]
    )


def lstm(w):
    n = w["layers"]
    body = [layers.LSTM(w["units"], return_sequences=i + 1 < n) for i in range(n)]
    inputs = layers.Input((w["steps"], w["inputs"]))
    return keras.Sequential([inputs] + body + [layers.Dense(w["classes"], activation="softmax")])


def lstm_attn(w):
    inputs = keras.Input((w["steps"], w["inputs"]))
    hidden = layers.LSTM(w["units"], return_sequences=True)(inputs)
    x = layers.Attention()([hidden, inputs])
    return keras.Model(inputs, layers.Dense(w["classes"], activation="softmax")(x))


def gpt(w):
    inputs = keras.Input((w["steps"],), dtype="int32")
    x = AddPosition()(layers.Embedding(w["vocabulary"], w["width"])(inputs))
    for _ in range(w["layers"]):
        y = layers.LayerNormalization()(x)
        y = layers.MultiHeadAttention(w["heads"], w["width"] // w["heads"])(y, y, use_causal_mask=True)
        x = layers.Add()([x, y])
        y = layers.LayerNormalization()(x)
        y = layers.Dense(4 * w["width"], activation="gelu")(y)
        x = layers.Add()([x, layers.Dense(w["width"])(y)])
    x = layers.LayerNormalization()(x)
    return keras.Model(inputs, layers.Dense(w["vocabulary"], activation="softmax")(x))


def conv_bn(x, filters, size, stride=1, relu=True):
    x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x


def resnet20(w):
    inputs = keras.Input((w["size"], w["size"], 3))
    x = conv_bn(inputs, 16, 3)
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            stride = 2 if stage > 0 and block == 0 else 1
            y = conv_bn(conv_bn(x, filters, 3, stride), filters, 3, relu=False)
            short = conv_bn(x, filters, 1, stride, relu=False) if stride == 2 else x
            x = layers.ReLU()(layers.Add()([y, short]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(w["classes"], activation="softmax")(x))


def resnet50(w):
    inputs = keras.Input((w["size"], w["size"], 3))
    x = conv_bn(inputs, 64, 7, 2)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for stage, blocks in enumerate(workloads.RESNET50_BLOCKS):
        filters = 64 << stage
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            y = conv_bn(conv_bn(x, filters, 1), filters, 3, stride)
            y = conv_bn(y, 4 * filters, 1, relu=False)
            short = conv_bn(x, 4 * filters, 1, stride, relu=False) if block == 0 else x
            x = layers.ReLU()(layers.Add()([y, short]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(w["classes"], activation="softmax")(x))


MODELS = {"mlp": mlp, "cnn": cnn, "lstm": lstm, "lstm_attn": lstm_attn, "gpt": gpt, "resnet20": resnet20, "resnet50": resnet50}


class StepClock(keras.callbacks.Callback):
    """Time between the ends of consecutive steps; stops the training when the time is up."""

    def __init__(self, seconds, warm):
        super().__init__()
        self.seconds, self.warm, self.count, self.last, self.ms, self.first = seconds, warm, 0, None, [], None

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if self.first is None:
            self.first = now
        self.count += 1
        if self.count > self.warm:
            self.ms.append((now - self.last) * 1e3)
            self.begin = getattr(self, "begin", now)
            if now - self.begin > self.seconds and len(self.ms) >= 3:
                self.model.stop_training = True
                raise StopIteration  # an epoch would run on to its end
        self.last = now


def train(work):
    jit = ARGS.variant == "jit"
    w = workloads.WORKS[work]
    rng = np.random.default_rng(1)
    batches = 64 if w["batch"] * np.prod(workloads.input_shape(w)) < 1e6 else 8
    x, y = workloads.make_batch(w, w["batch"] * batches, rng)
    start = time.perf_counter()
    model = MODELS[w["kind"]](w)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=jit)
    clock = StepClock(ARGS.seconds, 3)
    try:
        model.fit(x, y, batch_size=w["batch"], epochs=10**6, verbose=0, shuffle=False, callbacks=[clock])
    except StopIteration:
        pass
    name = "keras-jit" if jit else "keras"
    workloads.report(name, "train", work, ARGS.threads, clock.ms, first_s=clock.first - start)


def predict(work):
    w = workloads.WORKS[work]
    batch = ARGS.batch or 1
    x, _ = workloads.make_batch(w, batch, np.random.default_rng(1))
    model = MODELS[w["kind"]](w)
    call = tf.function(lambda v: model(v, training=False), jit_compile=ARGS.variant == "jit")
    x = tf.constant(x)
    for _ in range(3):
        call(x).numpy()
    ms = workloads.time_calls(lambda: call(x).numpy(), ARGS.seconds)
    workloads.report("keras-jit" if ARGS.variant == "jit" else "keras", "predict", work, ARGS.threads, ms, batch=batch)


def startup():
    w = workloads.WORKS["cnn32"]
    x, _ = workloads.make_batch(w, 1, np.random.default_rng(1))
    model = cnn(w)
    model(x, training=False).numpy()
    workloads.report("keras", "startup", "cnn32", ARGS.threads, first_s=workloads.process_age_s())


if __name__ == "__main__":
    if ARGS.command == "train":
        train(ARGS.work)
    elif ARGS.command == "predict":
        predict(ARGS.work)
    else:
        startup()
