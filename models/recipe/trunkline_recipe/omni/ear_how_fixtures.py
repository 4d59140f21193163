"""Clips of voices that nothing was fitted to, for the program's tests: python -m trunkline_recipe.omni.ear_how_fixtures WORK OUT

Of WORK/manner's test recordings the first two of each engine of speech (espeak-ng, festival, Piper) for each of statement and
question (calm), hurried and loud, and the first two coughs, noises and silences: Ogg Opus beside clips.json. Two of them once
more as OUT/*.wav, sample for sample, with the numbers of their tune, for the golden test. Needs opusenc.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from ..ear.features import SAMPLE_RATE
from .ear_how import samples
from .ear_replies import situation
from .ear_tune import contour, tune_features

ENGINES = ("espeak", "festival", "piper")
SPOKEN = ("statement", "question", "hurried", "loud")
SOUNDS = ("cough", "noise", "silence")
GOLDEN = (("espeak", "question"), ("festival", "statement"))


def chosen(folder):
    """(engine, situation) -> recordings, in order"""
    found = {}
    for path in sorted(folder.glob("test-*.npz")):
        data = np.load(path)
        name = situation(str(data["sound"]), str(data["intonation"]), str(data["manner"]))
        found.setdefault((str(data["voice"]).split(":")[0], name), []).append((path, data))
    speech = [(engine, name, *one) for engine in ENGINES for name in SPOKEN for one in found[engine, name][:2]]
    return speech + [("generated", name, *one) for name in SOUNDS for one in found["generated", name][:2]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    clips, golden, wanted = [], [], set(GOLDEN)
    for engine, name, path, data in chosen(arguments.work / "manner"):
        file = f"{name}-{path.stem.split('-')[1]}"
        pcm = samples(data, "pcm")
        with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
            soundfile.write(wav.name, pcm, SAMPLE_RATE, subtype="PCM_16")
            subprocess.run(["opusenc", "--quiet", "--bitrate", "24", "--serial", "1", wav.name, str(arguments.out / f"{file}.ogg")], check=True)
        clips.append({"file": f"{file}.ogg", "situation": name, "voice": str(data["voice"])})
        if (engine, name) in wanted:
            wanted.remove((engine, name))
            soundfile.write(arguments.out / f"{file}.wav", pcm, SAMPLE_RATE, subtype="PCM_16")
            read = soundfile.read(arguments.out / f"{file}.wav", dtype="float32")[0]
            pitch = [None if np.isnan(x) else round(float(x), 6) for x in contour(read)[0]]
            golden.append({"file": f"{file}.wav", "octaves": pitch, "tune": [round(float(x), 5) for x in tune_features(read)]})
    (arguments.out / "clips.json").write_text("[\n" + ",\n".join(json.dumps(clip) for clip in clips) + "\n]\n")
    (arguments.out / "golden.json").write_text("[\n" + ",\n".join(json.dumps(one) for one in golden) + "\n]\n")
    print(len(clips), "clips,", sum(p.stat().st_size for p in arguments.out.iterdir()), "bytes")


if __name__ == "__main__":
    main()
