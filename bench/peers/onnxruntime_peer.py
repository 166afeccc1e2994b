"""ONNX Runtime as a peer of glia-bench, for prediction. The model comes from torch_peer.py export.

    python onnxruntime_peer.py predict cnn32 --batch 1
"""

import os
import subprocess
import sys
import tempfile

import workloads

ARGS = workloads.arguments(__doc__)

import numpy as np
import onnxruntime as ort


def model_file(work, batch):
    """Exported once per work and batch; kept beside the other temporary files of this user."""
    folder = os.path.join(tempfile.gettempdir(), f"glia-bench-onnx-{os.getuid()}")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{work}-{batch}.onnx")
    if not os.path.exists(path):
        here = os.path.dirname(os.path.abspath(__file__))
        command = [sys.executable, os.path.join(here, "torch_peer.py"), "export", work, "--batch", str(batch)]
        subprocess.run(command + ["--out", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return path


def session(work, batch):
    options = ort.SessionOptions()
    options.intra_op_num_threads = ARGS.threads
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    return ort.InferenceSession(model_file(work, batch), options, providers=["CPUExecutionProvider"])


def make_input(work, batch):
    w = workloads.WORKS[work]
    x, _ = workloads.make_batch(w, batch, np.random.default_rng(1))
    if x.ndim == 4:
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    return x.astype("int64") if w["kind"] == "gpt" else x


def main():
    if ARGS.command not in ("predict", "startup"):
        sys.exit("onnxruntime_peer.py: ONNX Runtime only predicts")
    batch = ARGS.batch or 1
    s = session(ARGS.work, batch)
    feed = {"x": make_input(ARGS.work, batch)}
    s.run(None, feed)
    if ARGS.command == "startup":
        return workloads.report("onnxruntime", "startup", ARGS.work, ARGS.threads, first_s=workloads.process_age_s())
    for _ in range(3):
        s.run(None, feed)
    ms = workloads.time_calls(lambda: s.run(None, feed), ARGS.seconds)
    workloads.report("onnxruntime", "predict", ARGS.work, ARGS.threads, ms, batch=batch)


if __name__ == "__main__":
    main()
