"""A graph that was exported tells nothing of where, and computes what it did."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from trunkline_recipe.plain_graph import strip_origins


def test_strips_every_trace_and_changes_no_number(tmp_path):
    node = helper.make_node("Mul", ["x", "w"], ["y"], doc_string="made at /somewhere/net.py")
    entry = node.metadata_props.add()
    entry.key, entry.value = "pkg.torch.onnx.stack_trace", "File /somewhere/net.py, line 1"
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy")
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2], [2.0, 3.0])
    model = helper.make_model(
        helper.make_graph([node], "net", [x], [y], [weights], doc_string="/somewhere"),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=10,
    )
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    strip_origins(path)
    assert b"somewhere" not in path.read_bytes()
    result = onnxruntime.InferenceSession(str(path)).run(None, {"x": np.array([5, 7], np.float32)})[0]
    assert result.tolist() == [10.0, 21.0]
