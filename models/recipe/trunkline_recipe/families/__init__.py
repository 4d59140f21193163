"""The published end-to-end families: a reference in torch after the papers and their file layouts, and the converter to ONNX."""
