"""Reads event files of callbacks::TensorBoard with TensorFlow, and with TensorBoard where it is installed.

    python tools/check_tensorboard.py LOGDIR            prints what is there; exit code 1 when a reader refuses something
    python tools/check_tensorboard.py LOGDIR KERASDIR   also compares tags and steps with logs that Keras wrote
"""

import pathlib
import sys

import tensorflow as tf
from tensorflow.core.util import event_pb2


def read(logdir):
    """{run: {plugin: {tag: [steps]}}}"""
    runs = {}
    for path in sorted(pathlib.Path(logdir).rglob("*tfevents*")):
        run = runs.setdefault(str(path.parent.relative_to(logdir)), {})
        for record in tf.data.TFRecordDataset(str(path)):  # checks both CRCs
            event = event_pb2.Event.FromString(record.numpy())
            if event.graph_def:
                graph = tf.compat.v1.GraphDef.FromString(event.graph_def)
                run.setdefault("graph", {}).setdefault("nodes", []).append(len(graph.node))
            for value in event.summary.value:
                plugin = value.metadata.plugin_data.plugin_name
                if plugin == "images":
                    for png in tf.make_ndarray(value.tensor)[2:]:
                        tf.io.decode_png(png)
                elif plugin != "hparams":
                    tf.make_ndarray(value.tensor)
                run.setdefault(plugin, {}).setdefault(value.tag, []).append(event.step)
    return runs


def read_with_tensorboard(logdir):
    try:
        from tensorboard.backend.event_processing import event_accumulator
        from tensorboard.plugins.hparams import plugin_data_pb2
    except ImportError:
        print("TensorBoard is not installed; its own reader was not tried")
        return
    for folder in sorted({p.parent for p in pathlib.Path(logdir).rglob("*tfevents*")}):
        acc = event_accumulator.EventAccumulator(str(folder))
        acc.Reload()
        print(folder, {k: v for k, v in acc.Tags().items() if v})
        for tag in acc.Tags()["tensors"]:
            data = acc.SummaryMetadata(tag).plugin_data
            if data.plugin_name == "hparams":
                print("  hparams:", dict(plugin_data_pb2.HParamsPluginData.FromString(data.content).session_start_info.hparams))


def main():
    ours = read(sys.argv[1])
    for run, plugins in ours.items():
        for plugin, tags in plugins.items():
            print(run, plugin, tags)
    read_with_tensorboard(sys.argv[1])
    if len(sys.argv) < 3:
        return 0
    bad = 0
    for run, plugins in read(sys.argv[2]).items():
        for plugin, tags in plugins.items():
            if plugin in ("graph", "graph_keras_model"):
                continue
            for tag, steps in tags.items():
                if ours.get(run, {}).get(plugin, {}).get(tag) != steps:
                    bad += 1
                    print(f"differs from Keras: {run} {plugin} {tag}: Keras {steps}, Glia {ours.get(run, {}).get(plugin, {}).get(tag)}")
    print("tags and steps as Keras" if not bad else f"{bad} differences")
    return bad > 0


sys.exit(main())
