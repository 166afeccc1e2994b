"""The layers of keras.applications: tests/golden/applications.jsonl.gz, one model a line.

    /tmp/golden/bin/python tools/golden/applications.py      # Keras 3.15 on TensorFlow, see parity_more.py

A line holds the call ("model", "args") and, in the order of the configuration, each layer's class, name, configuration (without
what a dtype or a seed says) and the names of the layers it is called on.
"""

import os

import vectors  # sets up Keras on TensorFlow

import golden
import keras

SMALL, TINY = (64, 64, 3), (32, 32, 3)
CASES = [("VGG16", {"include_top": False, "input_shape": TINY}), ("VGG19", {"include_top": False, "input_shape": TINY, "pooling": "max"}), ("VGG16", {"input_shape": TINY, "classes": 5}),
         ("ResNet50", {"input_shape": SMALL, "classes": 7}), ("ResNet101", {"include_top": False, "input_shape": TINY, "pooling": "avg"}), ("ResNet152", {"include_top": False, "input_shape": TINY}),
         ("ResNet50V2", {"input_shape": SMALL, "classes": 3, "classifier_activation": "linear"}), ("ResNet101V2", {"include_top": False, "input_shape": TINY}), ("ResNet152V2", {"include_top": False, "input_shape": TINY, "pooling": "max"}),
         ("DenseNet121", {"input_shape": SMALL, "classes": 4}), ("DenseNet169", {"include_top": False, "input_shape": TINY}), ("DenseNet201", {"include_top": False, "input_shape": TINY, "pooling": "avg"}),
         ("MobileNet", {"input_shape": SMALL, "classes": 6, "alpha": 0.5}), ("MobileNet", {"include_top": False, "input_shape": SMALL, "pooling": "avg", "depth_multiplier": 2}),
         ("MobileNetV2", {"input_shape": SMALL, "classes": 6}), ("MobileNetV2", {"include_top": False, "input_shape": (75, 90, 3), "alpha": 1.4}), ("MobileNetV2", {"include_top": False, "input_shape": TINY, "alpha": 0.35, "pooling": "max"}),
         ("Xception", {"input_shape": (75, 75, 3), "classes": 4}), ("InceptionV3", {"input_shape": (75, 76, 3), "classes": 3}), ("InceptionV3", {"include_top": False, "input_shape": (75, 75, 3), "pooling": "avg"}), ("Xception", {"include_top": False, "input_shape": (75, 75, 3), "pooling": "avg"})]  # fmt: skip
CASES += [(f"EfficientNetB{i}", {"input_shape": SMALL, "classes": 4} if i in (0, 3) else {"include_top": False, "input_shape": (65, 64, 3)}) for i in range(8)]

CASES += [(f"EfficientNetV2{v}", {"input_shape": SMALL, "classes": 4} if v in ("B0", "S") else {"include_top": False, "input_shape": (65, 64, 3)}) for v in ("B0", "B1", "B2", "B3", "S", "M", "L")]

CASES += [("MobileNetV3Small", {"input_shape": SMALL, "classes": 4}), ("MobileNetV3Large", {"input_shape": SMALL, "classes": 4, "classifier_activation": "linear"}), ("MobileNetV3Small", {"alpha": 0.75, "minimalistic": True, "include_top": False, "pooling": "avg"}),
          ("MobileNetV3Large", {"alpha": 1.25, "input_shape": (65, 90, 3), "dropout_rate": 0, "include_preprocessing": False}), ("InceptionResNetV2", {"input_shape": (75, 80, 3), "classes": 4}), ("InceptionResNetV2", {"input_shape": (75, 75, 3), "include_top": False, "pooling": "max"}),
          ("NASNetMobile", {"input_shape": (65, 97, 3), "classes": 4}), ("NASNetLarge", {"input_shape": SMALL, "include_top": False, "pooling": "avg"}), ("ConvNeXtTiny", {"input_shape": SMALL, "classes": 4}), ("ConvNeXtSmall", {"input_shape": SMALL, "include_top": False, "pooling": "max"}),
          ("ConvNeXtBase", {"input_shape": (65, 70, 2), "include_top": False}), ("ConvNeXtLarge", {"input_shape": SMALL, "include_preprocessing": False, "classifier_activation": "linear"}), ("ConvNeXtXLarge", {"input_shape": SMALL, "include_top": False})]  # fmt: skip


def reduced(value):
    """Nested objects without module and registered name, and without seeds."""
    if isinstance(value, dict):
        if "class_name" in value:
            return {"class_name": value["class_name"], "config": reduced(value["config"])}
        return {k: reduced(v) for k, v in value.items() if k != "seed" and v is not None}
    return [reduced(v) for v in value] if isinstance(value, (list, tuple)) else value


def sources(nodes):
    found = []

    def walk(v):
        if isinstance(v, dict):
            if v.get("class_name") == "__keras_tensor__":
                found.append(v["config"]["keras_history"][0])
            else:
                for x in v.values():
                    walk(x)
        elif isinstance(v, (list, tuple)):
            for x in v:
                walk(x)

    walk(nodes)
    return found


def lines():
    for name, args in CASES:
        keras.backend.clear_session()
        model = getattr(keras.applications, name)(weights=None, **args)
        config = model.get_config()
        rows = [{"class_name": v["class_name"], "name": v["name"], "config": {k: x for k, x in reduced(v["config"]).items() if k not in ("dtype", "name")}, "inputs": sources(v["inbound_nodes"])} for v in config["layers"]]
        yield {"model": name, "args": args, "name": model.name, "params": model.count_params(), "layers": rows}


if __name__ == "__main__":
    golden.write_lines(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/golden/applications.jsonl.gz"), list(lines()))
