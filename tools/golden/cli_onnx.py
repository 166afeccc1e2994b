#!/usr/bin/env python3
"""ONNX files whose first axis is not the batch, with what ONNX Runtime answers, for the tests of `glia predict`.

    python tools/golden/cli_onnx.py       (torch, onnx, onnxruntime) writes tests/compat/cli
"""
import pathlib

import numpy as np
import onnxruntime
import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/compat/cli"


class TimeFirst(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(3, 4)

    def forward(self, x):
        return self.lstm(x)[0]


class WithState(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = torch.nn.GRU(3, 4, batch_first=True)

    def forward(self, x, h):
        return self.gru(x, h)


def write(name, module, arguments, names, axes=None, feed=None):
    module.eval()
    path = OUT / f"{name}.onnx"
    torch.onnx.export(module, arguments, path, input_names=names, dynamic_axes=axes, dynamo=False)
    feed = feed or [a.numpy() for a in arguments]
    session = onnxruntime.InferenceSession(path)
    try:
        outputs = session.run(None, dict(zip(names, feed)))
    except Exception:  # traced for one row: row by row
        rows = [session.run(None, {n: a[i:i + 1] for n, a in zip(names, feed)}) for i in range(len(feed[0]))]
        outputs = [np.concatenate(parts) for parts in zip(*rows)]
    arrays = {f"in_{n}": a for n, a in zip(names, feed)} | {f"output_{i:02d}": o for i, o in enumerate(outputs)}
    np.savez_compressed(OUT / f"{name}.npz", **arrays)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    write("time_first", TimeFirst(), (torch.randn(40, 2, 3),), ["x"], {"x": {0: "time", 1: "batch"}})
    write("time_first_fixed", TimeFirst(), (torch.randn(11, 2, 3),), ["x"])
    write("with_state", WithState(), (torch.randn(1, 7, 3), torch.randn(1, 1, 4)), ["x", "h"])
    mlp = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    write("one_row", mlp, (torch.randn(1, 5),), ["x"], feed=[torch.randn(7, 5).numpy()])
    (OUT / "README").write_text(f"Written by tools/golden/cli_onnx.py: torch {torch.__version__}, onnxruntime {onnxruntime.__version__}.\n")


if __name__ == "__main__":
    main()
