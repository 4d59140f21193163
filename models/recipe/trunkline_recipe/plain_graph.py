"""An exported graph without the traces of where it was made: torch's exporter writes a stack trace, with the paths of the
machine, beside every node, more text than some of our graphs have weights."""

from pathlib import Path

import onnx


def strip_origins(path: Path) -> None:
    """Takes documentation and metadata out of the ONNX file at `path`; what it computes stays the same, bit for bit."""
    model = onnx.load(path)
    model.doc_string = ""
    del model.metadata_props[:]
    graphs = [model.graph]
    while graphs:
        graph = graphs.pop()
        graph.doc_string = ""
        del graph.metadata_props[:]
        for value in [*graph.input, *graph.output, *graph.value_info, *graph.initializer]:
            value.doc_string = ""
            del value.metadata_props[:]
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
            graphs += [attribute.g for attribute in node.attribute if attribute.type == onnx.AttributeProto.GRAPH]
    for function in model.functions:
        function.doc_string = ""
        del function.metadata_props[:]
        for node in function.node:
            node.doc_string = ""
            del node.metadata_props[:]
    onnx.save(model, path)
