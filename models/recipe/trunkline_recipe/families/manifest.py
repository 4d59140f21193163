"""Writes manifest.json of a converted model: sizes, sums, where it came from, what the program must know of it."""

import hashlib
import json
import pathlib

import onnx


def save_graph(model: onnx.ModelProto, path: pathlib.Path) -> None:
    """Weights beside the graph where they are too large for one protobuf message (2 GB)."""
    if model.ByteSize() < 1_000_000_000:
        onnx.save(model, path)
    else:
        onnx.save(model, path, save_as_external_data=True, all_tensors_to_one_file=True, location=path.name + ".data")


def sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 24):
            digest.update(block)
    return digest.hexdigest()


def write_manifest(folder: pathlib.Path, *, name: str, description: str, licence: str, sources: list[dict], recipe: str, parameters: dict) -> None:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in ("manifest.json", "golden.json", "README.md"))
    files = [{"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": sha256(path)} for path in paths]
    manifest = {"name": name, "version": "1", "description": description, "licence": licence, "sources": sources, "recipe": recipe, "files": files, "parameters": parameters}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
