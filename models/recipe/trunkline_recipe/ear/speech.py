"""Speech to learn from and to measure on: human telephone prompts, synthetic voices, what a line does to them, and sounds that are no speech."""

import gzip
import hashlib
import re
import subprocess
import tempfile
from pathlib import Path

import librosa
import numpy as np
import soundfile as sf
from scipy.signal import butter, sosfilt

from .features import SAMPLE_RATE

PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
PROMPT_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
MUSIC = Path("/usr/share/asterisk/moh")
FLITE = ("kal16", "awb", "rms", "slt")
ESPEAK = ("en-us", "en-gb", "en-us+f2", "en-us+m3", "en-gb+f4", "en-us+f5", "en-us+m7", "en-gb-scotland", "en-us+f1", "en-gb-x-rp")


def read_wav(path):
    pcm, rate = sf.read(path, dtype="float32")
    if pcm.ndim > 1:
        pcm = pcm.mean(axis=1)
    return pcm if rate == SAMPLE_RATE else librosa.resample(pcm, orig_sr=rate, target_sr=SAMPLE_RATE)


def is_test_prompt(name):
    """Half of the prompts are for measuring only: those whose name's sha256 is odd."""
    return int(hashlib.sha256(name.encode()).hexdigest()[-1], 16) % 2 == 1


def is_validation_prompt(name):
    """About one in six of the half to learn from is kept aside, to choose weights by."""
    return hashlib.sha256(name.encode()).hexdigest()[-2] in "012"


def human_prompts(test):
    """(name, text, path) of the prompts with words, of one half."""
    rows = []
    for line in gzip.open(PROMPT_TEXTS, "rt", errors="ignore"):
        match = re.match(r"^([^;:\s]+): (.+)$", line)
        if not match:
            continue
        name, text = match.group(1), match.group(2).strip()
        path = PROMPTS / f"{name}.wav"
        if "[" in text or "(" in text or not path.exists() or is_test_prompt(name) != test:
            continue
        rows.append((name, text, path))
    return rows


def synthesise(engine, voice, text, rng):
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        if engine == "flite":
            stretch = rng.uniform(0.85, 1.2)
            command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}", "-t", text, "-o", file.name]
        else:
            speed, pitch = rng.integers(140, 200), rng.integers(30, 70)
            command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", file.name, text]
        subprocess.run(command, check=True, capture_output=True)
        return read_wav(file.name)


def level(pcm, peak):
    top = np.abs(pcm).max()
    return pcm if top < 1e-6 else (pcm * (peak / top)).astype(np.float32)


def trim(pcm, threshold=0.01):
    """Without the silence at both ends."""
    loud = np.flatnonzero(np.abs(pcm) > threshold * max(np.abs(pcm).max(), 1e-6))
    return pcm if len(loud) == 0 else pcm[max(loud[0] - 480, 0) : loud[-1] + 800]


BAND = butter(4, (300, 3400), btype="bandpass", fs=8000, output="sos")


def telephone(pcm):
    """300–3400 Hz at 8 kHz through G.711 µ-law and back to 16 kHz."""
    narrow = sosfilt(BAND, librosa.resample(pcm, orig_sr=SAMPLE_RATE, target_sr=8000))
    return librosa.resample(mu_law(narrow), orig_sr=8000, target_sr=SAMPLE_RATE).astype(np.float32)


def mu_law(pcm):
    """To the 255 levels of ITU-T G.711 µ-law and back, by its continuous formula."""
    x = np.clip(pcm, -1, 1)
    coded = np.round(np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256) * 127) / 127
    return (np.sign(coded) * (256 ** np.abs(coded) - 1) / 255).astype(np.float32)


def coloured_noise(samples, rng, slope):
    """slope 0 white, 0.5 pink, 1 brown; unit RMS."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum /= np.maximum(np.arange(len(spectrum)), 20.0) ** slope
    noise = np.fft.irfft(spectrum, samples)
    return (noise / (noise.std() + 1e-9)).astype(np.float32)


def line(pcm, rng, tail=True):
    """One way a caller may arrive: level, silence around the words, noise, lost packets, the phone's band."""
    lead, tail = rng.uniform(0, 0.5), rng.uniform(0, 0.6) if tail else 0
    return arriving(pcm, rng, int(lead * SAMPLE_RATE), int(tail * SAMPLE_RATE))


def arriving(pcm, rng, lead, tail):
    """`line` with so many samples of silence before and after the words."""
    pcm = np.pad(level(pcm, rng.uniform(0.08, 0.9)), (lead, tail))
    if rng.random() < 0.5:
        ratio_db = rng.uniform(10, 35)
        noise = coloured_noise(len(pcm), rng, rng.choice([0, 0.5, 1]))
        pcm = pcm + noise * (pcm.std() * 10 ** (-ratio_db / 20))
    if rng.random() < 0.1:
        pcm = pcm.copy()
        for _ in range(rng.integers(1, 4)):
            at = rng.integers(len(pcm))
            pcm[at : at + 320 * rng.integers(1, 4)] = 0
    pcm = telephone(pcm) if rng.random() < 0.6 else pcm
    return np.clip(pcm, -1, 1).astype(np.float32)


def no_speech(rng, music_paths, samples=None):
    """A sound without words, and its kind; of 0.3 to 5 s unless told."""
    samples = samples or int(rng.uniform(0.3, 5) * SAMPLE_RATE)
    t = np.arange(samples) / SAMPLE_RATE
    kind = rng.choice(["silence", "noise", "hum", "tone", "clicks", "cough", "music", "breath"])
    if kind == "silence":
        pcm = coloured_noise(samples, rng, 0.5) * 10 ** rng.uniform(-5, -3)
    elif kind == "noise":
        swell = 1 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.2, 2) * t)
        pcm = coloured_noise(samples, rng, rng.choice([0, 0.5, 1])) * swell * 10 ** rng.uniform(-3, -1)
    elif kind == "hum":
        base = rng.choice([50, 60, 100, 120])
        pcm = sum(np.sin(2 * np.pi * base * k * t) / k for k in range(1, 6)) * rng.uniform(0.01, 0.1)
    elif kind == "tone":
        pair = [(697, 1209), (770, 1336), (852, 1477), (350, 440), (440, 480), (425, 425), (1000, 1000)][rng.integers(7)]
        gate = (np.floor(t / rng.uniform(0.1, 1)) % 2 == 0) if rng.random() < 0.6 else 1
        pcm = (np.sin(2 * np.pi * pair[0] * t) + np.sin(2 * np.pi * pair[1] * t)) * 0.2 * gate
    elif kind == "music" and music_paths:
        path = music_paths[rng.integers(len(music_paths))]
        pcm = read_wav(path)
        at = rng.integers(len(pcm) - samples)
        pcm = pcm[at : at + samples]
    else:
        pcm = bursts(samples, rng, "cough" if kind == "music" else kind)
    pcm = pcm + coloured_noise(samples, rng, 0.5) * 10 ** rng.uniform(-5, -3)
    pcm = telephone(pcm.astype(np.float32)) if rng.random() < 0.6 else pcm
    return np.clip(pcm, -1, 1).astype(np.float32), str(kind)


def bursts(samples, rng, kind):
    """Clicks of keys, coughs and breaths as bursts of filtered noise that die away."""
    count = {"clicks": rng.integers(2, 20), "cough": rng.integers(1, 4), "breath": rng.integers(1, 3)}[kind]
    decay = {"clicks": 0.004, "cough": 0.12, "breath": 0.4}[kind] * rng.uniform(0.6, 1.6)
    low, high = {"clicks": (1500, 7000), "cough": (250, 4000), "breath": (300, 6000)}[kind]
    band = butter(2, (low * rng.uniform(0.8, 1.2), min(high * rng.uniform(0.8, 1.1), 7800)), "bandpass", fs=SAMPLE_RATE, output="sos")
    pcm = np.zeros(samples, np.float32)
    for _ in range(count):
        at = rng.integers(max(samples - 2000, 1))
        length = min(int(decay * 6 * SAMPLE_RATE), samples - at)
        t = np.arange(length) / SAMPLE_RATE
        attack = 0.3 * decay if kind == "breath" else 0.004
        envelope = np.minimum(t / attack, 1) * np.exp(-t / decay)
        burst = sosfilt(band, rng.standard_normal(length)) * envelope
        pcm[at : at + length] += level(burst, rng.uniform(0.05, 0.6))
    return pcm
