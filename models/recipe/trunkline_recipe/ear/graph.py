"""A small writer of ONNX graphs with 8-bit weights: exactly the operators the runtime has fast kernels for."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CONTRIB = "com.microsoft"
FLOAT, HALF, INT64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64


# The runtime's kernel for processors without VNNI adds two products of an activation (0…255) and a weight in 16 bits, which
# saturate: 2 · 255 · 63 < 2^15 is safe, 2 · 255 · 127 is not.
LARGEST_CODE = 63


def quantise_columns(weight):
    """weight [in, out] -> int8 and one scale per column, symmetric."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-8) / LARGEST_CODE
    return np.clip(np.round(weight / scale), -LARGEST_CODE, LARGEST_CODE).astype(np.int8), scale.astype(np.float32)


class Graph:
    def __init__(self, name, int8=True):
        self.name, self.int8 = name, int8
        self.nodes, self.initializers, self.inputs, self.outputs = [], {}, [], []
        self.count = 0

    def input(self, name, kind, dims):
        self.inputs.append(helper.make_tensor_value_info(name, kind, dims))
        return name

    def output(self, value, name, kind, dims):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, kind, dims))

    def constant(self, array, name=None):
        array = np.asarray(array)
        name = name or f"c{len(self.initializers)}"
        self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def half(self, array):
        """Stored as float16, used as float32; the runtime folds the cast when it loads the model."""
        if not self.int8:
            return self.constant(array.astype(np.float32))
        return self.op("Cast", self.constant(array.astype(np.float16)), to=FLOAT)

    def rows_in_8_bits(self, array):
        """Stored as int8 with a scale per row, used as float32; folded like `half`."""
        if not self.int8:
            return self.constant(array)
        quantised, scale = quantise_columns(np.ascontiguousarray(array.reshape(len(array), -1).T))
        stored = self.constant(np.ascontiguousarray(quantised.T).reshape(array.shape))
        return self.op("DequantizeLinear", stored, self.constant(scale), axis=0)

    def ints(self, *values):
        return self.constant(np.array(values, np.int64))

    def op(self, kind, *inputs, outputs=1, domain="", **attributes):
        names = [f"v{self.count + i}" for i in range(outputs)]
        self.count += outputs
        self.nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def linear(self, x, weight, bias, float_input=False):
        """weight as torch keeps it, [out, in]. float_input: for inputs with outliers, too coarse in 8 bits."""
        weight = np.ascontiguousarray(weight.T)
        if not self.int8:
            return self.op("Add", self.op("MatMul", x, self.constant(weight)), self.constant(bias))
        quantised, scale = quantise_columns(weight)
        if float_input:
            wide = self.op("DequantizeLinear", self.constant(quantised), self.constant(scale), axis=1)
            return self.op("Add", self.op("MatMul", x, wide), self.constant(bias))
        inputs = [x, self.constant(quantised), self.constant(scale), "", self.constant(bias.astype(np.float32))]
        return self.op("DynamicQuantizeMatMul", *inputs, domain=CONTRIB)

    def norm(self, x, weight, bias):
        return self.op("LayerNormalization", x, self.constant(weight), self.constant(bias), axis=-1, epsilon=1e-5)

    def gelu(self, x):
        return self.op("Gelu", x, domain=CONTRIB)

    def attention(self, query, key, value, heads, bias=""):
        inputs = [query, key, value] + (["", "", bias] if bias else [])
        return self.op("MultiHeadAttention", *inputs, domain=CONTRIB, num_heads=heads)

    def size(self, x, axis):
        return self.op("Shape", x, start=axis, end=axis + 1)

    def model(self):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, list(self.initializers.values()))
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="trunkline-recipe")
        onnx.checker.check_model(model)
        return model
