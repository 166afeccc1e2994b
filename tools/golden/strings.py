"""Models that take strings, trained and printed by Keras: tests/golden/strings.jsonl.gz, and saved: tests/compat/keras/strings_*.

    /work/venv/bin/python tools/golden/strings.py [--files FOLDER] [OUT]

Lines of the kinds "fit" and "summary" as in the shared parity files. Arrays of strings are {"dtype": "string", "shape", "v"};
"adapt" gives, by layer, what adapt() learned from before the model was built.
"""

import os
import pathlib
import sys

import vectors
from vectors import header, plain, summary_text, weight_list

import golden
import keras
import numpy as np
import tensorflow as tf
from golden import array
from keras_files import repack
from keras import layers as L

TEXTS = [
    "The plot is thin, but the actors are GREAT!", "dull, dull, dull", "A great film; a really great film.", "why was this made?",
    "One of the best films of the year", "the worst film of the year...", "actors try, the plot does not", "Ein großer Film – très bon",
    "I laughed; I cried. It's great.", "never again", "the best actors", "boring and far too long", "a plot as thin as paper",
    "GREAT fun for all", "not fun at all", "worst plot, worst actors", "really, really good", "a good film", "too long too dull", "fun fun fun",
    "best of the best", "",
]
LABELS = np.array([1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0], "float32")
JOBS = "clerk nurse clerk teacher smith nurse clerk pilot teacher nurse clerk smith clerk baker teacher nurse pilot clerk baker smith nurse clerk".split()
CITIES = "Oslo Paris Rome Oslo Łódź Rome Paris Oslo Rome Łódź Paris Oslo Rome Oslo Paris Rome Łódź Oslo Rome Paris Oslo Rome".split()
TAGS = ["red", "big", "old", "new", "blue", "small", "round"]
AGES = golden.uniform((22, 1), 11, 18, 70)
ROOMS = golden.integers((22, 1), 12, 5).astype("int64")


def text(values, shape=None):
    a = np.array(values, dtype=object)
    return tf.constant(a.reshape(shape) if shape else a)


def array_of(x):
    if isinstance(x, dict):
        return {k: array_of(v) for k, v in x.items()}
    if isinstance(x, list):
        return [array_of(v) for v in x]
    if isinstance(x, tf.Tensor) and x.dtype == tf.string:
        return {"dtype": "string", "shape": list(x.shape), "v": [s.decode() for s in x.numpy().ravel()]}
    return array(x)


class Case:
    def __init__(self, name, make, x, y, compile, adapt=None, fit=None, validation=None, sample_weight=None):
        self.name, self.make, self.x, self.y, self.compile = name, make, x, y, compile
        self.adapt, self.validation, self.sample_weight = adapt or {}, validation, sample_weight
        self.fit = {"epochs": 3, "batch_size": 8, "shuffle": False} | (fit or {})

    def layer(self, layer):
        """The layer, adapted."""
        if layer.name in self.adapt:
            data = self.adapt[layer.name]
            layer.adapt(data)
        return layer


def sequence(c):
    return keras.Sequential([
        keras.Input((1,), dtype="string"),
        c.layer(L.TextVectorization(max_tokens=30, output_sequence_length=6, name="words")),
        L.Embedding(30, 4, mask_zero=True, name="embed"),
        L.LSTM(5, name="lstm"),
        L.Dense(1, activation="sigmoid", name="score"),
    ], name="sequence")


def open_width(c):
    x = keras.Input((1,), dtype="string", name="text")
    h = c.layer(L.TextVectorization(name="words", split="character", standardize="lower"))(x)
    h = L.Embedding(60, 3, name="embed")(h)
    h = L.Conv1D(4, 3, padding="same", activation="tanh", name="conv")(h)
    return keras.Model(x, L.Dense(2, activation="softmax", name="score")(L.GlobalAveragePooling1D(name="mean")(h)), name="open_width")


def bag(c):
    x = keras.Input((), dtype="string", name="text")
    h = c.layer(L.TextVectorization(max_tokens=40, ngrams=2, output_mode="tf_idf", pad_to_max_tokens=True, name="bag"))(x)
    return keras.Model(x, L.Dense(1, activation="sigmoid", name="score")(h), name="bag")


def count(c):
    return keras.Sequential([
        keras.Input((), dtype="string", name="text"),
        c.layer(L.TextVectorization(output_mode="count", name="count")),
        L.Dense(3, activation="tanh", name="hidden"),
        L.Dense(1, name="score"),
    ], name="count")


def table(c):
    job, city = (keras.Input((1,), dtype="string", name=n) for n in ("job", "city"))
    age, rooms = keras.Input((1,), name="age"), keras.Input((1,), dtype="int64", name="rooms")
    ids = c.layer(L.StringLookup(name="jobs", num_oov_indices=2))(job)
    parts = [
        L.CategoryEncoding(7, output_mode="one_hot", name="job_hot")(ids),
        L.StringLookup(vocabulary=["Oslo", "Rome", "Łódź"], output_mode="one_hot", name="cities")(city),
        L.Flatten(name="flat")(L.Embedding(9, 2, name="city_embed")(L.Hashing(9, name="hash", salt=7)(city))),
        L.HashedCrossing(11, output_mode="one_hot", name="cross")([job, city]),
        c.layer(L.Normalization(name="norm"))(age),
        c.layer(L.Discretization(num_bins=4, output_mode="one_hot", name="bins"))(age),
        c.layer(L.IntegerLookup(output_mode="one_hot", name="rooms_hot"))(rooms),
        L.Hashing(5, output_mode="one_hot", name="rooms_hash")(rooms),
    ]
    h = L.Dense(6, activation="relu", name="hidden")(L.Concatenate(name="all")(parts))
    outputs = {"rich": L.Dense(1, activation="sigmoid", name="rich")(h), "rent": L.Dense(1, name="rent")(h)}
    return keras.Model({"job": job, "city": city, "age": age, "rooms": rooms}, outputs, name="table")


def nested(c):
    job, tags = keras.Input((1,), dtype="string", name="job"), keras.Input((3,), dtype="string", name="tags")
    encoded = L.Concatenate(name="pair")([
        c.layer(L.StringLookup(name="jobs", output_mode="one_hot"))(job),
        L.StringLookup(vocabulary=TAGS[:5], output_mode="multi_hot", name="tag_hot")(tags),
    ])
    prepare = keras.Model([job, tags], encoded, name="prepare")
    a, b = keras.Input((1,), dtype="string", name="a"), keras.Input((3,), dtype="string", name="b")
    return keras.Model([a, b], L.Dense(1, activation="sigmoid", name="score")(prepare([a, b])), name="outer")


def features(c):
    space = keras.utils.FeatureSpace({"age": "float_discretized", "job": "string_categorical", "rooms": "integer_categorical", "rent": "float"},
                                     crosses=[("job", "age")], crossing_dim=8, num_discretization_bins=3)
    space.adapt(c.table)
    return keras.Model(space.get_inputs(), L.Dense(1, activation="sigmoid", name="score")(space.get_encoded_features()), name="features")


def cases():
    adam = lambda: keras.optimizers.Adam(0.02)
    binary = lambda: {"optimizer": adam(), "loss": "binary_crossentropy", "metrics": ["accuracy"]}
    texts, column = text(TEXTS), text(TEXTS, (22, 1))
    yield Case("sequence", sequence, column, LABELS, binary(), {"words": texts})
    yield Case("sequence_rank1", sequence, texts, LABELS, binary(), {"words": texts}, validation=(texts[:9], LABELS[:9]))
    yield Case("open_width", open_width, column, LABELS.astype("int32"),
               {"optimizer": keras.optimizers.RMSprop(0.002), "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, {"words": texts})
    yield Case("bag", bag, texts, LABELS, {"optimizer": keras.optimizers.SGD(0.3, momentum=0.9), "loss": "mse", "metrics": ["mae"]}, {"bag": texts},
               sample_weight=golden.uniform((22,), 5, 0.2, 2.0))
    yield Case("count", count, texts, LABELS, {"optimizer": adam(), "loss": "mse", "metrics": ["mae"]}, {"count": texts}, fit={"batch_size": 5})
    jobs, cities = text(JOBS, (22, 1)), text(CITIES, (22, 1))
    rent = golden.uniform((22, 1), 21, 0, 2)
    yield Case("table", table, {"job": jobs, "city": cities, "age": AGES, "rooms": ROOMS}, {"rich": LABELS.reshape(22, 1), "rent": rent},
               {"optimizer": adam(), "loss": {"rich": "binary_crossentropy", "rent": "mse"}, "metrics": {"rich": ["accuracy"], "rent": ["mae"]}},
               {"jobs": jobs, "norm": AGES, "bins": AGES, "rooms_hot": ROOMS[:15]})
    c = Case("features", features, {"job": jobs, "age": AGES, "rooms": ROOMS.astype("int32"), "rent": rent}, LABELS.reshape(22, 1), binary(),
             {"job_preprocessor": jobs, "age_preprocessor": AGES, "rooms_preprocessor": ROOMS.astype("int32")})
    c.table = c.x
    yield c
    tags = text([TAGS[i % 7] for i in golden.integers((66,), 3, 50)], (22, 3))
    yield Case("nested", nested, [jobs, tags], LABELS, binary(), {"jobs": jobs}, fit={"epochs": 4, "batch_size": 6})


def small(weights):
    return [np.asarray(v) for v in weights]


def lines(folder):
    os.environ["COLUMNS"] = "110"
    for c in cases():
        keras.utils.clear_session()
        model = c.make(c)
        saved = keras.saving.serialize_keras_object(model)
        spec = {"class_name": saved["class_name"], "config": saved["config"]}
        adapt = {name: array_of(data) for name, data in c.adapt.items()}
        yield header("summary", f"strings/{c.name}", model=spec, width=110, args={}, text=summary_text(model)) | {"tol": {"rtol": 0.0, "atol": 0.0}}
        learned = {"norm", "bins", "age_preprocessor"}
        for i, v in enumerate(model.weights):
            if v.path.split("/")[0] not in learned:
                v.assign(golden.uniform(v.shape, 100 + i, -0.5, 0.5))
        initial = weight_list(model.weights, small(model.weights))
        compiled = dict(c.compile)
        model.compile(**compiled)
        described = {"optimizer": plain(compiled.pop("optimizer"))} | compiled
        history = model.fit(c.x, c.y, sample_weight=c.sample_weight, validation_data=c.validation, verbose=0, **c.fit).history
        yield header("fit", f"strings/{c.name}", model=spec) | {
            "tol": {"rtol": 1e-4, "atol": 1e-5},
            "adapt": adapt,
            "compile": described,
            "initial_weights": initial,
            "x": array_of(c.x),
            "y": array_of(c.y),
            "sample_weight": None if c.sample_weight is None else array(c.sample_weight),
            "class_weight": None,
            "validation_data": None if c.validation is None else [array_of(v) for v in c.validation],
            "fit": c.fit,
            "callbacks": [],
            "history": {name: [float(v) for v in values] for name, values in history.items()},
            "final_weights": weight_list(model.weights, small(model.weights)),
            "evaluate": model.evaluate(c.x, c.y, batch_size=c.fit["batch_size"], sample_weight=c.sample_weight, verbose=0, return_dict=True),
            "predict": array_of(model.predict(c.x, verbose=0)),
        }
        if folder and c.name != "sequence_rank1":
            write_file(folder, c, model, repack)


def feature_spaces():
    """What keras.utils.FeatureSpace makes of a table: tests/golden/feature_space.jsonl.gz. The spaces: feature_space_test.cpp."""
    F = keras.utils.FeatureSpace
    table = {"job": text(JOBS), "city": text(CITIES), "age": AGES, "rooms": ROOMS.astype("int32"), "rent": golden.uniform((22,), 21, 0, 2)}
    spaces = {
        "by_type": F({"age": "float_discretized", "rent": "float_normalized", "job": "string_categorical", "city": "string_hashed", "rooms": "integer_categorical"},
                     crosses=[("job", "age"), ("city", "rooms")], crossing_dim=9, hashing_dim=5, num_discretization_bins=4),
        "by_factory": F({"age": F.float_rescaled(0.1, -1), "rent": F.float(), "rooms": F.integer_hashed(6), "job": F.string_categorical(max_tokens=5, num_oov_indices=2),
                         "city": F.string_categorical(output_mode="int")}, output_mode="dict",
                        crosses=[F.cross(("job", "city"), 12), F.cross(("rooms", "job"), 7, output_mode="int")]),
    }
    for name, space in spaces.items():
        space.adapt(table)
        encoded = space(table)
        encoded = {k: array(v) for k, v in encoded.items()} if isinstance(encoded, dict) else array(encoded)
        yield {"id": name, "table": array_of(table), "encoded": encoded}


def as_numpy(a, as_bytes):
    """Strings as NumPy keeps them in files: of bytes ("S") or of Unicode ("U")."""
    a = np.asarray(a)
    if a.dtype != object:
        return a
    return np.array([s if as_bytes else s.decode() for s in a.ravel()]).reshape(a.shape)


def write_file(folder, c, model, repack=None):
    """The trained model, its data in the order of its inputs, and what it predicts."""
    path = pathlib.Path(folder) / f"strings_{c.name}.keras"
    model.save(path)
    if repack:
        repack(path)
    x, y = keras.tree.flatten(c.x), keras.tree.flatten(c.y)
    out = keras.tree.flatten(model.predict(c.x, verbose=0))
    arrays = {f"in_{i:02}": as_numpy(a, i % 2) for i, a in enumerate(x)} | {f"out_{i:02}": np.asarray(a) for i, a in enumerate(out)}
    if repack is None:
        arrays |= {f"target_{i:02}": np.asarray(a) for i, a in enumerate(y)}
    np.savez_compressed(path.with_suffix(".npz"), **arrays)


def prepare_case(folder, name):
    """For tools/check_keras_roundtrip.py: a compiled model with a trained optimizer."""
    c = {f"strings_{c.name}": c for c in cases()}[name]
    model = c.make(c)
    model.compile(**c.compile)
    model.fit(c.x, c.y, sample_weight=c.sample_weight, verbose=0, **c.fit)
    write_file(folder, c, model)


def write_inverted(path):
    """A model that answers with words: the largest of three numbers is "[UNK]", "cat" or "dog"."""
    x = keras.Input((3,), name="x")
    words = keras.layers.StringLookup(vocabulary=["cat", "dog"], invert=True, name="words")(keras.ops.argmax(x, axis=-1))
    keras.Model(x, words, name="answers").save(path)


NAMES = ["strings_" + n for n in ("sequence", "sequence_rank1", "open_width", "bag", "count", "table", "features", "nested")]


if __name__ == "__main__":
    args = sys.argv[1:]
    folder = args.pop(args.index("--files") + 1) if "--files" in args else None
    args = [a for a in args if a != "--files"]
    here = os.path.dirname(os.path.abspath(__file__))
    write_inverted(os.path.join(here, "../../tests/compat/keras/inverted_lookup.keras"))
    golden.write_lines(os.path.join(here, "../../tests/golden/feature_space.jsonl.gz"), list(feature_spaces()))
    golden.write_lines(args[0] if args else os.path.join(here, "../../tests/golden/strings.jsonl.gz"), list(lines(folder)))
