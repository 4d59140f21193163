"""What a graph of quantised products and its fp32 copy compute is the same but for what quantised arithmetic rounds."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from trunkline_recipe.brain.network import quantise
from trunkline_recipe.full_precision import copy_folder

WIDTH, ROWS = 64, 48


def value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def blocks(weight):
    """MatMulNBits with scales in half precision, as export.py writes the trunk."""
    codes, scales, zeros = (part.numpy() for part in quantise(weight, 32, 4))
    codes, zeros = codes.astype(np.uint8), zeros.astype(np.uint8)
    made = {"L0.o.codes": codes[:, :, 0::2] | (codes[:, :, 1::2] << 4), "L0.o.scales16": scales.astype(np.float16), "L0.o.zeros": zeros[:, 0::2] | (zeros[:, 1::2] << 4)}
    nodes = [
        helper.make_node("Cast", ["L0.o.scales16"], ["L0.o.scales"], to=TensorProto.FLOAT),
        helper.make_node("MatMulNBits", ["x", "L0.o.codes", "L0.o.scales", "L0.o.zeros"], ["L0.o"], domain="com.microsoft", K=WIDTH, N=ROWS, bits=4, block_size=32, accuracy_level=4),
    ]
    return nodes, made


def columns(weight, bias):
    scale = np.abs(weight).max(0) / 63
    made = {"codes": np.round(weight / scale).astype(np.int8), "scale": scale.astype(np.float32), "bias": bias}
    return [helper.make_node("DynamicQuantizeMatMul", ["L0.o", "codes", "scale", "", "bias"], ["y"], domain="com.microsoft")], made


@pytest.fixture
def folder(tmp_path):
    draw = np.random.default_rng(5)
    first, made = blocks(torch.from_numpy(draw.standard_normal((ROWS, WIDTH)).astype(np.float32)))
    second, more = columns(draw.standard_normal((ROWS, 40)).astype(np.float32), draw.standard_normal(40).astype(np.float32))
    graph = helper.make_graph([*first, *second], "two", [value("x", ["n", WIDTH])], [value("y", ["n", 40])], [numpy_helper.from_array(v, k) for k, v in {**made, **more}.items()])
    source = tmp_path / "source"
    source.mkdir()
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)], ir_version=10), str(source / "trunk.onnx"))
    (source / "words.txt").write_text("kept\n")
    names = ["trunk.onnx", "words.txt"]
    (source / "manifest.json").write_text(json.dumps({"name": "two", "files": [{"path": name} for name in names]}))
    return source


def outputs(path, x):
    return onnxruntime.InferenceSession(str(path / "trunk.onnx"), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


def test_same_function_without_rounded_activations(folder, tmp_path):
    assert copy_folder(folder, tmp_path / "out", {}) == 2
    graph = onnx.load(str(tmp_path / "out" / "trunk.onnx")).graph
    assert [node.op_type for node in graph.node] == ["MatMul", "MatMul", "Add"]
    x = np.random.default_rng(6).standard_normal((7, WIDTH)).astype(np.float32)
    shipped, full = outputs(folder, x), outputs(tmp_path / "out", x)
    far = np.linalg.norm(shipped - full) / np.linalg.norm(full)
    assert 0 < far < 0.03


def test_takes_floats_for_a_trunk_before_its_grid(folder, tmp_path):
    weight = np.random.default_rng(7).standard_normal((ROWS, WIDTH)).astype(np.float32)
    copy_folder(folder, tmp_path / "out", {"L0.o": weight})
    graph = onnx.load(str(tmp_path / "out" / "trunk.onnx")).graph
    kept = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    assert np.array_equal(kept["L0.o.full"], weight.T)


def test_manifest_names_what_lies_in_the_copy(folder, tmp_path):
    copy_folder(folder, tmp_path / "out", {})
    files = {entry["path"]: entry for entry in json.loads((tmp_path / "out" / "manifest.json").read_text())["files"]}
    assert set(files) == {"trunk.onnx", "words.txt"}
    assert files["trunk.onnx"]["bytes"] == (tmp_path / "out" / "trunk.onnx").stat().st_size
