#!/usr/bin/env python3
"""Checks what onnx::save writes with ONNX's own checker and runs it in ONNX Runtime.

    python3 tools/check_onnx_export.py [build/release/bin/test_io]

Needs the packages onnx, onnxruntime and numpy. The models are those of src/io/onnx/testing: the test program writes each as
.onnx with inputs and Glia's results in an .npz beside it. A model passes when onnx.checker accepts it (with full shape
inference), ONNX Runtime's results are within 1e-5 (1 + |result|) of Glia's, and it holds no more Transposes than inputs and
outputs of images or sequences need.
"""
import collections
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort

program = sys.argv[1] if len(sys.argv) > 1 else "build/release/bin/test_io"
bad = 0
with tempfile.TemporaryDirectory() as out:
    run = subprocess.run([program, "--gtest_filter=*OnnxExport*"], env={**os.environ, "GLIA_ONNX_OUT": out}, capture_output=True, text=True)
    if run.returncode:
        print(run.stdout[-2000:])
        bad += 1
    files = sorted(glob.glob(os.path.join(out, "*.onnx")))
    for path in files:
        name = os.path.basename(path)[5:-5]
        try:
            model = onnx.load(path)
            onnx.checker.check_model(model, full_check=True)
            ops = collections.Counter(n.op_type for n in model.graph.node)
            options = ort.SessionOptions()
            options.log_severity_level = 3
            session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            arrays = np.load(path[:-5] + ".npz")
            feed = {i.name: arrays[f"input_{k}"] for k, i in enumerate(session.get_inputs())}
            results = session.run(None, feed)
            worst = 0.0
            for k, r in enumerate(results):
                want = arrays[f"output_{k}"]
                assert r.shape == want.shape and r.dtype == want.dtype, f"output {k}: {r.dtype} {r.shape} instead of {want.dtype} {want.shape}"
                worst = max(worst, float(np.max(np.abs(r - want) / (1 + np.abs(want)))) if r.size else 0.0)
            assert worst < 1e-5, f"differs by {worst:.2e}"
            print(f"ok   {name:28s} {worst:.1e}  {sum(ops.values()):4d} nodes, {ops['Transpose']} Transpose   "
                  + " ".join(f"{o}:{c}" for o, c in sorted(ops.items())))
        except Exception as e:  # noqa: BLE001  whatever the checker or the runtime says
            bad += 1
            print(f"FAIL {name:28s} {str(e)[:400]}")
print(f"{len(files)} models, {bad} failures")
sys.exit(1 if bad or not files else 0)
