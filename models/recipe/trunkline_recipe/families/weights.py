"""A graph writer whose matrices are kept in 8 bits with float32 arithmetic between them, or plainly in float32."""

import numpy as np
import torch

from onnx import helper

from ..brain.network import quantise
from ..ear.graph import CONTRIB, FLOAT, Graph

BLOCK = 32


class WeightGraph(Graph):
    def __init__(self, name: str, bits: int):
        """bits: 8 (for use) or 32 (for tests against the reference)."""
        super().__init__(name, int8=False)
        self.bits = bits

    def table(self, weight: torch.Tensor) -> str:
        """An embedding, to be gathered from; in 8-bit models it is kept in half precision."""
        return self.constant(weight.float().numpy() if self.bits == 32 else weight.half().numpy())

    def rows_of(self, table: str, ids: str) -> str:
        rows = self.op("Gather", table, ids)
        return rows if self.bits == 32 else self.op("Cast", rows, to=FLOAT)

    def matrix(self, x: str, weight: torch.Tensor, bias: torch.Tensor | None = None) -> str:
        """x · weightᵀ + bias; weight [out, in] as torch keeps it."""
        rows, columns = weight.shape
        if self.bits == 32 or columns % BLOCK:
            y = self.op("MatMul", x, self.constant(np.ascontiguousarray(weight.float().numpy().T)))
        else:
            codes, scale, zero = quantise(weight.float(), BLOCK, 8)
            inputs = [self.constant(codes.to(torch.uint8).numpy()), self.constant(scale.numpy()), self.constant(zero.to(torch.uint8).numpy())]
            y = self.op("MatMulNBits", x, *inputs, domain=CONTRIB, K=columns, N=rows, bits=8, block_size=BLOCK, accuracy_level=4)
        return y if bias is None else self.op("Add", y, self.constant(bias.float().numpy()))

    def rename(self, value: str, name: str, kind: int, dims: list) -> None:
        """Makes the output `value` of the last node an output of the graph itself, without a copy."""
        node = self.nodes[-1]
        node.output[list(node.output).index(value)] = name
        self.outputs.append(helper.make_tensor_value_info(name, kind, dims))

    def silu(self, x: str) -> str:
        return self.op("Mul", x, self.op("Sigmoid", x))

    def rms_norm(self, x: str, weight: torch.Tensor, epsilon: float) -> str:
        return self.op("SimplifiedLayerNormalization", x, self.constant(weight.float().numpy()), axis=-1, epsilon=epsilon)

    def swiglu(self, x: str, gate: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> str:
        return self.matrix(self.op("Mul", self.silu(self.matrix(x, gate)), self.matrix(x, up)), down)

    def model(self):
        """Without the checker, which knows neither the runtime's own operators nor files beyond two gigabytes."""
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, list(self.initializers.values()))
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="trunkline-recipe")
