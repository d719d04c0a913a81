"""Checks FOLDER/model.onnx and runs it on the inputs of FOLDER/tensors.json: prints the largest difference from its outputs as JSON."""

import collections
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

folder = pathlib.Path(sys.argv[1])
path = str(folder / "model.onnx")
model = onnx.load(path)
# The full check infers shapes, and knows no operator that takes a sparse initializer.
is_full = len(model.graph.sparse_initializer) == 0
onnx.checker.check_model(path, full_check=is_full)
domains = {opset.domain for opset in model.opset_import}
assert domains == {""}, f"the file has operators of {domains}"

tensors = json.loads((folder / "tensors.json").read_text())


def array(tensor, dtype="float32"):
    return np.array(tensor["values"], dtype).reshape(tensor["shape"])


options = onnxruntime.SessionOptions()
options.log_severity_level = 3
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
feeds = {tensor["name"]: array(tensor, tensor["dtype"]) for tensor in tensors["inputs"]}
difference = largest = 0.0
for tensor in tensors["outputs"]:
    (actual,) = session.run([tensor["name"]], feeds)
    expected = array(tensor)
    assert actual.shape == expected.shape, f"{tensor['name']} is {actual.shape}, not {expected.shape}"
    difference = max(difference, float(np.abs(actual - expected).max()))
    largest = max(largest, float(np.abs(expected).max()))

operators = collections.Counter(node.op_type for node in model.graph.node)
named = [f"{count} {op}" for op, count in operators.most_common() if op in ("Conv", "MatMul", "Gemm", "LSTM", "GRU", "RNN")]
print(
    json.dumps(
        {
            "difference": difference,
            "largest": largest,
            "versions": f"Python {sys.version.split()[0]}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, numpy {np.__version__}",
            "operators": f"{'full check' if is_full else 'check without shapes'}, {len(model.graph.node)} nodes ({', '.join(named)})",
        }
    )
)
