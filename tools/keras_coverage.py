"""Writes docs/keras-coverage.md: every public Keras name, its Glia name, or the reason for its absence.

    /tmp/golden/bin/python tools/keras_coverage.py            # a virtual environment with Keras; --check compares only

Names are looked up in the public headers (include/glia). A name that is neither found nor explained here fails the run, so the
table cannot fall behind Keras or Glia.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include" / "glia"

# Groups of Keras: module, headers that may declare its names, C++ namespace, and what stands for the group.
GROUPS = [
    ("layers", ["layers/*.h", "model.h", "layer.h"], "layers::"),
    ("activations", ["activations.h", "config.h"], "activations::"),
    ("losses", ["losses.h"], "losses::"),
    ("metrics", ["metrics.h"], "metrics::"),
    ("optimizers", ["optimizers.h"], "optimizers::"),
    ("optimizers.schedules", ["schedules.h"], "optimizers::schedules::"),
    ("initializers", ["initializers.h", "variable.h"], "initializers::"),
    ("regularizers", ["regularizers.h", "variable.h"], "regularizers::"),
    ("constraints", ["constraints.h", "variable.h"], "constraints::"),
    ("callbacks", ["callbacks.h", "callback.h", "checkpoint.h", "tensorboard.h", "logs.h"], "callbacks::"),
    ("ops", ["ops/*.h", "function.h"], "ops::"),
    ("ops.image", ["ops/image.h"], "ops::image::"),
    ("random", ["random.h", "layer.h"], "random::"),
    ("models", ["model.h", "saving.h", "*.h"], "models::"),
    ("saving", ["saving.h", "config.h", "*.h"], "models::"),
    ("utils", ["utils.h", "dataset.h", "plot.h", "image.h", "*.h"], "utils::"),
    ("preprocessing", ["utils.h", "dataset.h", "*.h"], "utils::"),
    ("datasets", ["datasets.h"], "datasets::"),
    ("dtype_policies", ["layer.h"], ""),
    ("config", ["layer.h", "*.h"], ""),
    ("backend", ["*.h"], ""),
    ("export", ["export.h", "onnx.h"], ""),
    ("applications", ["applications.h"], "applications::"),
    ("quantizers", ["*.h"], ""),
    ("distribution", ["*.h"], ""),
    ("distillation", ["*.h"], ""),
    ("tree", ["*.h"], ""),
    ("visualization", ["*.h"], ""),
    ("wrappers", ["*.h"], ""),
    ("mixed_precision", ["layer.h", "optimizers.h"], ""),
    ("", ["*.h", "layers/*.h"], ""),
]

# Another name, or another way.
OTHER = {
    r"layers\.(Convolution|SeparableConvolution)(\d)D(Transpose)?": "second name of `Conv…`; configs with it load",
    r"layers\.DepthwiseConvolution\dD": "second name of `DepthwiseConv…`",
    r"layers\.(Avg|Max)Pool\dD|layers\.Global(Avg|Max)Pool\dD": "second name of `…Pooling…`",
    r"layers\.(add|average|concatenate|dot|maximum|minimum|multiply|subtract)": "`layers::Add()({a, b})` and the like",
    r"layers\.Input": "`Input(shape)`",
    r"layers\.Layer": "`Layer`",
    r"layers\.InputSpec": "`build()` checks shapes",
    r"optimizers\.schedules\.LearningRateSchedule": "`ScheduleBase` to derive from",
    r"backend\.clear_session": "`clear_session`",
    r"layers\.Wrapper": "derive from `Layer` and `track()` the wrapped one",
    r".*\.(deserialize|get|serialize)": "`deserialize(kind, json)`, `serialize(object)`; names convert implicitly",
    r"activations\.(swish|hard_swish)": "`activations::silu`, `hard_silu`; the names work as strings",
    r"(losses|metrics)\.[a-z].*": "the class's `call()`; the name works as a string",
    r"(initializers|regularizers|constraints)\.[a-z].*": "the class; the name works as a string",
    r"initializers\.(IdentityInitializer|OrthogonalInitializer|STFTInitializer)": "second names; configs with them load",
    r"ops\.einsum|ops\.numpy|ops\.nn|ops\.linalg|ops\.image": "namespace `ops`",
    r"ops\.(max|min)": "`ops::max`, `ops::min`",
    r"ops\.(shape|ndim|size|dtype)": "`Value::shape()`, `rank()`, `type().elements()`, `dtype()`",
    r"ops\.(array|convert_to_tensor|convert_to_numpy)": "`Tensor::from`, `ops::constant`, `Value::tensor()`",
    r"ops\.is_tensor": "`Value::defined()`: everything is one",
    r"ops\.switch": "`ops::switch_`",
    r"ops\.custom_gradient": "an `OpDef` with its own `vjp` (docs/add-an-op.md)",
    r"ops\.vectorize": "`ops::vectorized_map`",
    r"ops\.view_as_(real|complex)": "complex arrays are pairs {real, imaginary}: `ops::stack`, `ops::unstack`",
    r"random\.SeedGenerator": "`set_random_seed`, and a seed Value per step: random numbers are pure functions",
    r"optimizers\.schedules|optimizers\.legacy": "namespace `schedules`",
    r"callbacks\.(CallbackList|ProgbarLogger|History)": "inside `fit()`, which returns the history",
    r"(models|)\.?(Model|Sequential)": "`Model`, `Sequential`",
    r".*(set|enable|disable|is)_?.*interactive_logging.*": "the library prints only through `verbose` and callbacks",
    r"(config|backend)\.(epsilon|set_epsilon|floatx|set_floatx|image_data_format|set_image_data_format)": "fixed at Keras's defaults; `set_dtype_policy`, and `data_format` per layer",
    r"(config|backend)\.(backend|set_backend)|backend\.get_uid|.*is_nnx_enabled": "there is one backend",
    r"(utils|backend)\.(is_keras_tensor|standardize_dtype|get_source_inputs)|backend\.(is_float_dtype|is_int_dtype|result_type)": "`is_float`, `ops::result_type`, `dtype_from_name`",
    r"(dtype_policies|mixed_precision)\..*Policy(Map)?|mixed_precision\..*|\.?(DTypePolicy|FloatDTypePolicy)": "policies are names: `\"mixed_bfloat16\"`, `set_dtype_policy`",
    r"config\.(dtype_policy|set_dtype_policy)": "`dtype_policy()`, `set_dtype_policy`",
    r"config\..*traceback_filtering.*|config\.enable_unsafe_deserialization": "Python only",
    r"config\..*flash_attention.*": "attention is always computed tile by tile",
    r"config\.(set_)?max_(epochs|steps_per_epoch)": "arguments of `fit()`",
    r"(saving|utils)\.(CustomObjectScope|custom_object_scope|get_custom_objects|get_registered_name|get_registered_object|register_keras_serializable)": "`register_class` (glia/config.h)",
    r"(saving|utils)\.(serialize_keras_object|deserialize_keras_object)": "`serialize`, `deserialize`",
    r"utils\.(PyDataset|Sequence)": "`Dataset` (glia/dataset.h)",
    r"utils\.Progbar": "the progress line of `fit(verbose = 1)`",
    r"utils\.(pack_x_y_sample_weight|unpack_x_y_sample_weight)": "`Batch` of glia/dataset.h",
    r"utils\.(plot_model|model_to_dot)": "`utils::plot_model`, `utils::model_to_dot`",
    r"utils\.(set_random_seed|clear_session)": "`set_random_seed`, `clear_session`",
    r"utils\.normalize": "`ops::normalize`",
    r"utils\.get_file": "`download` of the datasets, checked by SHA-256",
    r"preprocessing\.(image|sequence)": "glia/utils.h: `pad_sequences`, image files",
    r"(export)\.ExportArchive": "`model.save(\"x.onnx\")`, `models::export_cpp`",
    r"\.?(Initializer|Loss|Metric|Optimizer|Regularizer|Layer|Variable|Function|Input|KerasTensor|InputSpec|Operation)": "`…Base` classes, `Layer`, `Variable`, `Input`, `Value`",
    r"\.?(StatelessScope|SymbolicScope|name_scope)": "tracing is always stateless; names come from layers",
    r"\.?device": "runs on the CPU",
    r"tree\..*": "C++ has structs; `Values` is the one nested structure",
    r"(constraints|initializers|regularizers|losses|metrics|optimizers|callbacks)\.(Constraint|Initializer|Regularizer|Loss|Metric|Optimizer|Callback)": "`…Base` to derive from",
    r"datasets\..*": "glia/datasets.h",
    r"saving\.(load_model|load_weights|save_model|save_weights)|models\.(load_model|save_model|model_from_json|clone_model)": "glia/saving.h, `Model::save…`",
    r"utils\.(load_img|save_img|array_to_img|img_to_array)": "glia/image.h",
}

# Not there, and why.
ABSENT = {
    r"layers\.(FlaxLayer|JaxLayer|TFSMLayer|TorchModuleWrapper)": "bridge to another framework",
    r"layers\.TernaryDense": "ternary weights are not supported",
    r"quantizers\..*|dtype_policies\..*(Quantized|Int4|GPTQ|AWQ).*|\.?Quantizer": "weights of 8 bits and less are not trained or stored",
    r"distribution\..*": "one machine",
    r"distillation\..*": "write it as a `Model` with two networks",
    r"visualization\..*": "draws with Matplotlib",
    r"wrappers\..*": "wrappers of scikit-learn",
    r"callbacks\.OrbaxCheckpoint": "a format of JAX",
    r"callbacks\.RemoteMonitor": "no network access from the library",
    r"saving\.KerasFileEditor": "a console tool",
    r"utils\.(audio_dataset_from_directory|text_dataset_from_directory)|preprocessing\.text_dataset_from_directory": "read the files into a `Dataset`",
    r"utils\.(bounding_boxes|Config)": "no boxes besides `MaxNumBoundingBoxes`",
    r"(utils\.|)legacy.*": "of Keras 2",
    r"\.version": "no function for it",
    r"\.(remat|RematScope)": "activations are kept",
}


def header_text(patterns):
    text = ""
    for pattern in patterns:
        for path in sorted(INCLUDE.glob(pattern)):
            text += "\n".join(line.split("//")[0] for line in path.read_text().splitlines()) + "\n"
    return text


def declared(name, text):
    """A function, class, struct or macro-made name of the headers."""
    return re.search(r"\b" + re.escape(name) + r"\s*(\(|\{|;|:|=|final\b)", text) is not None


def match(table, key):
    for pattern, note in table.items():
        if re.fullmatch(pattern, key):
            return note
    return None


def public_names(keras, group):
    import inspect

    module = keras
    for part in filter(None, group.split(".")):
        module = getattr(module, part)
    names = [n for n in dir(module) if not n.startswith("_")]
    if group in ("", "ops", "optimizers", "layers"):
        names = [n for n in names if not inspect.ismodule(getattr(module, n))]
    if group == "applications":
        names = [n for n in names if not inspect.ismodule(getattr(module, n))]
    return names


def main():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    rows, missing, counts = [], [], {"same": 0, "other": 0, "absent": 0}
    for group, patterns, namespace in GROUPS:
        text = header_text(patterns)
        lines = []
        for name in public_names(keras, group):
            key = f"{group}.{name}"
            other = match(OTHER, key)
            if name[0].isupper() or group.startswith(("ops", "activations", "utils", "preprocessing", "random", "config", "models", "saving")):
                found = declared(name, text)
            else:
                found = False
            if found and not (other and group in ("utils", "config", "backend", "models", "saving", "", "mixed_precision", "dtype_policies")):
                lines.append((name, f"`{namespace}{name}`"))
                counts["same"] += 1
            elif other:
                lines.append((name, other))
                counts["other"] += 1
            elif match(ABSENT, key):
                lines.append((name, "absent: " + match(ABSENT, key)))
                counts["absent"] += 1
            else:
                missing.append(key)
        rows.append((group or "keras", lines))
    if missing:
        sys.exit("neither found in include/glia nor explained in tools/keras_coverage.py:\n  " + "\n  ".join(missing))
    out = [
        "# Keras coverage",
        "",
        f"Every public name of Keras {keras.__version__} and what stands for it in Glia; made by `tools/keras_coverage.py`. "
        f"{counts['same']} names are the same, {counts['other']} have another form, {counts['absent']} are absent, with the reason. "
        "The numbers behind the names are compared with Keras's by `glia-parity` (docs/parity.md).",
    ]
    for group, lines in rows:
        out += ["", f"## {group}", "", "| Keras | Glia |", "|---|---|"]
        out += [f"| `{name}` | {note} |" for name, note in lines]
    text, path = "\n".join(out) + "\n", ROOT / "docs" / "keras-coverage.md"
    if "--check" in sys.argv:
        sys.exit(0 if path.exists() and path.read_text() == text else f"{path} is not what tools/keras_coverage.py makes; run it")
    path.write_text(text)
    print(path, counts)


if __name__ == "__main__":
    main()
