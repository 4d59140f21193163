"""Log-mel features as Whisper takes them: 80 bands, 25 ms Hann windows every 10 ms at 16 kHz, reflected ends."""

from functools import lru_cache

import librosa
import numpy as np

SAMPLE_RATE = 16000
WINDOW = 400
HOP = 160
# The shortest context the encoder is run on, and the silence appended to what was said.
TAIL_SAMPLES = 3200


@lru_cache
def filterbank():
    return librosa.filters.mel(sr=SAMPLE_RATE, n_fft=WINDOW, n_mels=80).astype(np.float32)


def log_mel(pcm):
    """pcm float32 −1…1 -> [80, frames], frames = samples // 160."""
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    padded = np.pad(pcm, WINDOW // 2, mode="reflect")
    count = len(pcm) // HOP
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    power = np.abs(np.fft.rfft(frames * window, axis=1)).astype(np.float32) ** 2
    mel = np.log10(np.maximum(filterbank() @ power.T, 1e-10))
    return ((np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0).astype(np.float32)


def cut_context(pcm):
    """What the recogniser sees: the speech, 0.2 s of zeros, whole encoder frames (20 ms)."""
    samples = len(pcm) + TAIL_SAMPLES
    samples = -(-samples // (2 * HOP)) * 2 * HOP
    return log_mel(np.pad(pcm, (0, samples - len(pcm))))


def padded_context(pcm, seconds=30):
    return log_mel(np.pad(pcm, (0, seconds * SAMPLE_RATE - len(pcm))))
