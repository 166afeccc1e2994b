"""Small ONNX models with loops and operators on images, with ONNX Runtime's results, in the form of ONNX's node tests:
tests/compat/onnx/NAME/{model.onnx, test_data_set_0/*.pb}.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install onnx onnxruntime
    /tmp/golden/bin/python tools/golden/onnx_control.py [OUT]   # default: tests/compat/onnx
"""

import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

F, I, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
info = helper.make_tensor_value_info
node = helper.make_node


def constant(name, value):
    return numpy_helper.from_array(np.array(value), name)


def loop():
    """x doubles and moves for 5 turns; every turn's value is a row of the second result."""
    body = helper.make_graph(
        [node("Cast", ["i"], ["f"], to=F), node("Add", ["x_in", "f"], ["moved"]), node("Mul", ["moved", "w"], ["x_out"]), node("Identity", ["go"], ["go_out"]), node("ReduceSum", ["x_out"], ["row"], keepdims=0)],
        "body", [info("i", I, []), info("go", B, []), info("x_in", F, [2, 3])], [info("go_out", B, []), info("x_out", F, [2, 3]), info("row", F, [])])
    graph = helper.make_graph([node("Loop", ["turns", "on", "x"], ["y", "rows"], body=body)], "loop", [info("x", F, [2, 3])], [info("y", F, [2, 3]), info("rows", F, [5])],
                              [constant("turns", np.int64(5)), constant("on", True), constant("w", np.float32([2, -1, 0.5]))])
    return graph, [np.arange(6, dtype=np.float32).reshape(2, 3)]


def loop_until():
    """Ends by its own condition, which follows from the turn alone."""
    body = helper.make_graph([node("Less", ["i", "three"], ["go_out"]), node("Add", ["x_in", "x_in"], ["x_out"])], "body",
                             [info("i", I, []), info("go", B, []), info("x_in", F, [3])], [info("go_out", B, []), info("x_out", F, [3])], [constant("three", np.int64(3))])
    graph = helper.make_graph([node("Loop", ["", "on", "x"], ["y"], body=body)], "loop", [info("x", F, [3])], [info("y", F, [3])], [constant("on", True)])
    return graph, [np.float32([1, -2, 3])]


def scan():
    """A recurrence over axis 1, read backwards, with running sums as rows."""
    body = helper.make_graph([node("Mul", ["s", "half"], ["faded"]), node("Add", ["faded", "x_t"], ["s_out"]), node("Tanh", ["s_out"], ["y_t"])], "body",
                             [info("s", F, [2]), info("x_t", F, [2])], [info("s_out", F, [2]), info("y_t", F, [2])], [constant("half", np.float32(0.5))])
    graph = helper.make_graph([node("Scan", ["s0", "x"], ["s_end", "y"], body=body, num_scan_inputs=1, scan_input_axes=[1], scan_input_directions=[1], scan_output_axes=[1])], "scan",
                              [info("s0", F, [2]), info("x", F, [2, 4])], [info("s_end", F, [2]), info("y", F, [2, 4])])
    return graph, [np.float32([0.3, -1]), np.linspace(-1, 2, 8, dtype=np.float32).reshape(2, 4)]


def rnn_loop():
    """A loop whose turns come from a shape, as exporters write recurrences."""
    body = helper.make_graph([node("Gather", ["x", "i"], ["x_t"], axis=0), node("MatMul", ["h", "w"], ["hw"]), node("Add", ["hw", "x_t"], ["sum"]), node("Tanh", ["sum"], ["h_out"]), node("Identity", ["go"], ["go_out"]), node("Identity", ["h_out"], ["row"])],
                             "body", [info("i", I, []), info("go", B, []), info("h", F, [2, 3])], [info("go_out", B, []), info("h_out", F, [2, 3]), info("row", F, [2, 3])])
    rng = np.random.default_rng(3)
    graph = helper.make_graph([node("Shape", ["x"], ["s"]), node("Gather", ["s", "first"], ["turns"], axis=0), node("Loop", ["turns", "on", "h0"], ["h", "rows"], body=body)], "rnn",
                              [info("x", F, [4, 2, 3]), info("h0", F, [2, 3])], [info("h", F, [2, 3]), info("rows", F, [4, 2, 3])],
                              [constant("first", np.int64(0)), constant("on", True), constant("w", rng.normal(0, 0.5, (3, 3)).astype(np.float32))])
    return graph, [rng.normal(0, 1, (4, 2, 3)).astype(np.float32), np.zeros((2, 3), np.float32)]


def roi_align():
    rng = np.random.default_rng(5)
    rois = np.float32([[0, 0, 6, 5], [2.5, 1, 9, 8], [-2, -1, 3, 12]])
    graph = helper.make_graph([node("RoiAlign", ["x", "rois", "batch"], ["y"], output_height=3, output_width=2, sampling_ratio=2, spatial_scale=0.75)], "roi",
                              [info("x", F, [2, 3, 8, 9]), info("rois", F, [3, 4]), info("batch", I, [3])], [info("y", F, [3, 3, 3, 2])])
    return graph, [rng.normal(0, 1, (2, 3, 8, 9)).astype(np.float32), rois, np.int64([1, 0, 1])]


def sequences():
    """Parts of x, changed in a list by a loop, joined again."""
    body = helper.make_graph([node("SequenceAt", ["s_in", "i"], ["part"]), node("Mul", ["part", "part"], ["square"]), node("SequenceErase", ["s_in", "i"], ["less"]),
                              node("SequenceInsert", ["less", "square", "i"], ["s_out"]), node("Identity", ["go"], ["go_out"])],
                             "body", [info("i", I, []), info("go", B, []), helper.make_tensor_sequence_value_info("s_in", F, None)],
                             [info("go_out", B, []), helper.make_tensor_sequence_value_info("s_out", F, None)])
    graph = helper.make_graph([node("SplitToSequence", ["x", "two"], ["parts"], axis=1), node("SequenceLength", ["parts"], ["count"]), node("Loop", ["count", "on", "parts"], ["all"], body=body),
                               node("ConcatFromSequence", ["all"], ["y"], axis=1), node("SequenceConstruct", ["x", "y"], ["both"]), node("ConcatFromSequence", ["both"], ["z"], axis=-1, new_axis=1)],
                              "sequences", [info("x", F, [2, 5])], [info("y", F, [2, 5]), info("z", F, [2, 5, 2]), info("count", I, [])], [constant("two", np.int64(2)), constant("on", True)])
    return graph, [np.linspace(-1, 2, 10, dtype=np.float32).reshape(2, 5)]


def detection():
    """Boxes and scores of a network's head, the best boxes kept, and their rows gathered: as many as the data say."""
    rng = np.random.default_rng(8)
    f = rng.normal(0, 1, (6, 6)).astype(np.float32)
    graph = helper.make_graph([node("MatMul", ["x", "f"], ["h"]), node("Slice", ["h", "zero", "four", "two"], ["where"]), node("Slice", ["h", "four", "six", "two"], ["what"]), node("Abs", ["where"], ["boxes"]),
                               node("Softmax", ["what"], ["p"]), node("Transpose", ["p"], ["scores"], perm=[0, 2, 1]),
                               node("NonMaxSuppression", ["boxes", "scores", "most", "iou", "least"], ["kept"]), node("Slice", ["kept", "two", "three", "one"], ["index"]), node("Squeeze", ["index", "one"], ["rows"]),
                               node("Squeeze", ["boxes", "zero"], ["flat"]), node("Gather", ["flat", "rows"], ["found"]), node("NonZero", ["found"], ["any"]), node("Shape", ["any"], ["size"])],
                              "detection", [info("x", F, [1, 9, 6])], [info("kept", I, ["n", 3]), info("found", F, ["n", 4]), info("size", I, [2])],
                              [constant("f", f), constant("zero", np.int64([0])), constant("one", np.int64([1])), constant("two", np.int64([2])), constant("three", np.int64([3])), constant("four", np.int64([4])), constant("six", np.int64([6])),
                               constant("most", np.int64([4])), constant("iou", np.float32([0.4])), constant("least", np.float32([0.45]))])
    return graph, [rng.normal(0, 1, (1, 9, 6)).astype(np.float32)]


def branch_on_data():
    """Which branch is taken follows from the numbers."""
    yes = helper.make_graph([node("Add", ["x", "x"], ["a"])], "yes", [], [info("a", F, [3])])
    no = helper.make_graph([node("Neg", ["x"], ["b"])], "no", [], [info("b", F, [3])])
    graph = helper.make_graph([node("ReduceSum", ["x"], ["s"], keepdims=0), node("Greater", ["s", "zero"], ["c"]), node("If", ["c"], ["y"], then_branch=yes, else_branch=no)],
                              "branch", [info("x", F, [3])], [info("y", F, [3])], [constant("zero", np.float32(0))])
    return graph, [np.float32([1, -2, 0.5])]


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../../tests/compat/onnx")
    for make in (loop, loop_until, scan, rnn_loop, roi_align, sequences, detection, branch_on_data):
        graph, inputs = make()
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8, producer_name="tools/golden/onnx_control.py")
        onnx.checker.check_model(model)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        names = [i.name for i in session.get_inputs()]
        outputs = session.run(None, dict(zip(names, inputs)))
        folder = os.path.join(out, "control_" + make.__name__)
        os.makedirs(os.path.join(folder, "test_data_set_0"), exist_ok=True)
        onnx.save(model, os.path.join(folder, "model.onnx"))
        for kind, arrays in (("input", inputs), ("output", outputs)):
            for i, a in enumerate(arrays):
                with open(os.path.join(folder, "test_data_set_0", f"{kind}_{i}.pb"), "wb") as f:
                    f.write(numpy_helper.from_array(np.asarray(a)).SerializeToString())
        print(folder, [o.shape for o in outputs], onnxruntime.__version__)


if __name__ == "__main__":
    main()
