"""The workloads of glia-bench as plain numbers, shared by the peers, and how a peer measures and reports.

Every peer prints the JSON line of glia-bench: peer, work, threads, ms_med, ms_min per training step, first_s (build,
compile and first step), infer_us per prediction, rss_mb (peak of the process).
"""

import argparse
import json
import os
import statistics
import time

# kind, batch, and the sizes of the model; sequence models: T steps.
WORKS = {
    "mlp": {"kind": "mlp", "batch": 32, "inputs": 32, "units": [64, 64], "classes": 10},
    "cnn32": {"kind": "cnn", "batch": 32, "classes": 10},
    "cnn128": {"kind": "cnn", "batch": 128, "classes": 10},
    "lstm3": {"kind": "lstm", "batch": 32, "steps": 50, "inputs": 32, "units": 64, "layers": 3, "classes": 10},
    "lstm_attn": {"kind": "lstm_attn", "batch": 32, "steps": 50, "inputs": 64, "units": 64, "classes": 10},
    "gpt_mini": {"kind": "gpt", "batch": 12, "steps": 64, "width": 128, "heads": 4, "layers": 4, "vocabulary": 65},
    "gpt": {"kind": "gpt", "batch": 8, "steps": 256, "width": 384, "heads": 6, "layers": 6, "vocabulary": 65},
    "resnet20": {"kind": "resnet20", "batch": 128, "size": 32, "classes": 10},
    "resnet50": {"kind": "resnet50", "batch": 8, "size": 224, "classes": 1000},
}

# ResNet-20: three stages of three basic blocks, a 1x1 projection where the shape changes.
# ResNet-50: bottleneck blocks, the stride on the 3x3 convolution, no biases before batch normalisation.
RESNET50_BLOCKS = [3, 4, 6, 3]


def input_shape(work):
    """Shape of one example."""
    kind = work["kind"]
    if kind == "mlp":
        return (work["inputs"],)
    if kind == "cnn":
        return (28, 28, 1)
    if kind in ("lstm", "lstm_attn"):
        return (work["steps"], work["inputs"])
    if kind == "gpt":
        return (work["steps"],)
    return (work["size"], work["size"], 3)


def make_batch(work, batch, rng):
    """Random input and labels as numpy arrays."""
    shape = (batch,) + input_shape(work)
    if work["kind"] == "gpt":
        return (
            rng.integers(0, work["vocabulary"], shape).astype("int32"),
            rng.integers(0, work["vocabulary"], shape).astype("int32"),
        )
    x = rng.random(shape, dtype="float32")
    label_shape = shape[:2] if work["kind"] == "lstm_attn" else shape[:1]
    return x, rng.integers(0, work["classes"], label_shape).astype("int32")


def arguments(description):
    p = argparse.ArgumentParser(description=description)
    p.add_argument("command", choices=["train", "predict", "startup", "export"])
    p.add_argument("work", choices=list(WORKS), nargs="?", default="cnn32")
    p.add_argument("--seconds", type=float, default=3.0)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--batch", type=int, help="predict: rows of one call (default 1)")
    p.add_argument("--out", help="export: the file to write")
    p.add_argument("--variant", default="", help="see the peer")
    return p.parse_args()


def time_calls(fn, seconds, at_least=3):
    """Times fn() again and again; returns milliseconds per call. The caller has warmed it up."""
    ms = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(ms) < at_least:
        start = time.perf_counter()
        fn()
        ms.append((time.perf_counter() - start) * 1e3)
    return ms


def peak_rss_mb():
    with open("/proc/self/status") as f:
        for row in f:
            if row.startswith("VmHWM:"):
                return int(row.split()[1]) / 1024
    return 0.0


def process_age_s():
    with open("/proc/self/stat") as f:
        started = int(f.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def report(peer, command, work, threads, ms=None, **more):
    line = {"peer": peer, "command": command, "work": work, "threads": threads}
    if ms:
        line["ms_med"], line["ms_min"] = statistics.median(ms), min(ms)
        if command == "predict":
            line["infer_us"] = line["ms_med"] * 1e3
    line.update(more)
    line["rss_mb"] = peak_rss_mb()
    print(json.dumps(line), flush=True)
