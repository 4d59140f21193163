"""The tune of what was said: a pitch contour, and how it ends; the twin of src/audio/pitch.ts and src/model/omni/tune.ts.

The contour is found by normalised cross-correlation (Talkin 1995) of the voice below 1.5 kHz, which telephone lines carry, and a
path through its peaks that leaps as little as it can (Boersma 1993). What tells a question from a statement of the same words is
where the last voiced tenths of a second lie, against the speaker's usual pitch, and where they go.
"""

import numpy as np
from scipy.signal import lfilter

RATE = 4000
HOP, WINDOW = 40, 100
SHORTEST, LONGEST = 9, 57  # lags: 444 to 70 Hz
TAPS, MEAN_SHARE = 48, 0.145
MOST = 4
LEAST_PEAK = 0.3
OCTAVE, LEAP, VOICING, UNVOICED, FAINT, FARTHEST = 0.03, 0.35, 0.14, 0.5, 0.06, 0.95

# Voiced milliseconds before the end: [from, to) of the bins that the tail's heights are averaged in.
BINS_MS = ((0, 30), (30, 60), (60, 100), (100, 150), (150, 220), (220, 320), (320, 480))
SLOPES_MS = (80, 160, 300)
MOST_SAMPLES = 8 * 16000
TUNE = 2 * len(BINS_MS) + len(SLOPES_MS) + 13


def decimated(pcm):
    """16 kHz -> 4 kHz: what lies below 1.5 kHz, by a windowed sinc, less what lies below about 100 Hz."""
    n = np.arange(-TAPS, TAPS + 1)
    taps = np.sinc(n * 2 * 1500 / 16000) * (0.5 + 0.5 * np.cos(np.pi * n / (TAPS + 1)))
    taps /= taps.sum()
    low = np.convolve(np.pad(np.asarray(pcm, np.float64), TAPS), taps, "valid")[::4]
    # Twice the difference from a mean that follows.
    for _ in range(2):
        low = low - lfilter([MEAN_SHARE], [1, MEAN_SHARE - 1], low)
    return low


def correlations(x):
    """-> [frames, lags] for lags SHORTEST − 1 … LONGEST + 1, and the power of the frame's window [frames]"""
    frames = len(x) // HOP
    margin = WINDOW + LONGEST
    padded = np.pad(x, margin)
    centres = np.arange(frames) * HOP + HOP // 2 + margin
    energy = np.concatenate([[0], np.cumsum(padded * padded)])
    over = lambda sums, start: sums[start + WINDOW] - sums[start]  # noqa: E731
    out = np.zeros((frames, LONGEST - SHORTEST + 3))
    for i, lag in enumerate(range(SHORTEST - 1, LONGEST + 2)):
        start = centres - (WINDOW + lag) // 2
        product = np.concatenate([[0], np.cumsum(padded[:-lag] * padded[lag:])])
        size = np.sqrt(np.maximum(over(energy, start) * over(energy, start + lag), 0))
        out[:, i] = over(product, start) / (size + 1e-9)
    return out, np.maximum(0, over(energy, centres - WINDOW // 2)) / WINDOW


def candidates(row):
    """Peaks of one frame: [(octaves above 70 Hz, strength)], the strongest MOST."""
    found = []
    for i in range(1, len(row) - 1):
        if row[i] > LEAST_PEAK and row[i] >= row[i - 1] and row[i] > row[i + 1]:
            bend = row[i - 1] - 2 * row[i] + row[i + 1]
            shift = 0.5 * (row[i - 1] - row[i + 1]) / bend if bend < 0 else 0.0
            top = row[i] - 0.25 * (row[i - 1] - row[i + 1]) * shift
            octaves = np.log2(RATE / (SHORTEST - 1 + i + shift) / 70)
            found.append((octaves, top + OCTAVE * octaves))
    found.sort(key=lambda c: -c[1])
    return found[:MOST]


def path(states):
    """The cheapest way through the candidates of all frames: the index in each frame; 0 is "no voice"."""
    cost, back = [-strength for _, strength in states[0]], []
    for before, state in zip(states, states[1:]):
        fresh, origin = [], []
        for octaves, strength in state:
            best, where = np.inf, 0
            for j, (earlier, _) in enumerate(before):
                if octaves is None or earlier is None:
                    step = 0.0 if octaves is earlier else VOICING
                else:
                    step = LEAP * abs(octaves - earlier)
                if cost[j] + step < best:
                    best, where = cost[j] + step, j
            fresh.append(best - strength)
            origin.append(where)
        cost = fresh
        back.append(origin)
    at = int(np.argmin(cost))
    indices = [at]
    for origin in reversed(back):
        at = origin[at]
        indices.append(at)
    return indices[::-1]


def quantile(ordered, share):
    return ordered[int(share * (len(ordered) - 1) + 0.5)]


def contour(pcm):
    """pcm 16 kHz -> per 10 ms: octaves above 70 Hz (NaN: not voiced), strength 0…1, level in dB"""
    rows, power = correlations(decimated(pcm))
    if len(rows) == 0:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    loudest = np.sqrt(power.max())
    level = np.sqrt(power) / (loudest + 1e-9)
    states = [[(None, UNVOICED + max(0.0, 1 - loud / FAINT)), *candidates(row)] for row, loud in zip(rows, level)]
    found = path(states)
    voiced = sorted(state[i][0] for state, i in zip(states, found) if i > 0)
    if voiced:
        # The speaker's usual pitch is known: what lies farther from it is a tracker's slip, most often by an octave.
        usual = quantile(voiced, 0.5)
        states = [[c for c in state if c[0] is None or abs(c[0] - usual) < FARTHEST] for state in states]
        found = path(states)
    pitch = np.array([state[i][0] if i > 0 else np.nan for state, i in zip(states, found)])
    strength = np.array([state[i][1] if i > 0 else 0.0 for state, i in zip(states, found)])
    return pitch, strength, 20 * np.log10(np.sqrt(power) + 1e-5)


def slope(values, ms):
    """Semitones a second through the last `ms` of voiced frames."""
    part = values[-max(2, ms // 10) :]
    if len(part) < 2:
        return 0.0
    t = np.arange(len(part)) - (len(part) - 1) / 2
    return float((t * part).sum() / (t * t).sum() * 100)


def tune_features(pcm):
    """pcm 16 kHz −1…1 -> float32 [TUNE]; zeros where there is no voice"""
    pitch, strength, level = contour(pcm[-MOST_SAMPLES:])
    out = np.zeros(TUNE)
    top = level.max() if len(level) else 0.0
    spoken = level > top - 25
    voiced = np.flatnonzero(~np.isnan(pitch) & spoken)
    if len(voiced) < 4:
        return out.astype(np.float32)
    semitones = 12 * pitch[voiced]
    ordered = np.sort(semitones)
    usual = quantile(ordered, 0.5)
    relative = np.clip(semitones - usual, -14, 14)
    loud, sure = level[voiced] - top, strength[voiced]
    at = 0
    for first, last in BINS_MS:
        a, b = max(0, len(voiced) - last // 10), max(0, len(voiced) - first // 10)
        if b > a:
            out[at] = relative[a:b].mean()
            out[at + 1] = loud[a:b].mean() / 10
        else:  # a short utterance: as its first bin
            out[at] = out[at - 2]
            out[at + 1] = out[at - 1]
        at += 2
    for ms in SLOPES_MS:
        out[at] = np.clip(slope(relative, ms) / 10, -6, 6)
        at += 1
    tail = relative[-40:]
    end = relative[-3:].mean()
    speech_end = int(np.flatnonzero(spoken)[-1])
    last = int(voiced[-1])
    run = 1
    while run < len(voiced) and voiced[-1 - run] == last - run:
        run += 1
    out[at:] = (
        end - tail.min(),
        end - tail.max(),
        float(np.argmin(tail) - len(tail)) / 10,
        quantile(ordered, 0.9) - usual,
        quantile(ordered, 0.1) - usual,
        relative[0 : max(1, len(relative) // 3)].mean(),
        end - relative[-run:].min(),
        min(run, 60) / 10,
        min(speech_end - last, 40) / 10,
        sure[-6:].mean(),
        sure.mean(),
        np.log(len(voiced)),
        usual / 12,
    )
    return out.astype(np.float32)
