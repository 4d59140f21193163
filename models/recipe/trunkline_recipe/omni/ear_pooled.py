"""How something was said, as an ONNX graph of fixed features: pitch contour, level, spectrum, pace, and the encoder's pooled frames.

Rises and falls are measured without deciding on a pitch, where trackers slip by octaves: the pitch saliences of two stretches of
the tail are correlated along the logarithmic pitch axis, and the best shift between them is the change (after the fundamental
frequency variation of Laskowski, Heldner and Edlund 2008).

Pitch: autocorrelation of the compressed power spectrum of 80 to 2600 Hz (after Tolonen and Karjalainen 2000), which finds
the period on telephone lines that cut the fundamental. The contour is pooled over the last 48 voiced frames (of 20 ms), four
at a time, relative to the utterance's mean, so that what ends a sentence stands at the same place whatever follows it.
"""

import numpy as np

from ..ear.graph import FLOAT, Graph

STATE, HOP, SPAN = 512, 320, 1536
BINS_HZ = np.arange(80, 2601, 15)
PITCHES_HZ = 70 * 2 ** (np.arange(96) / 96 * np.log2(420 / 70))
TAIL_BINS, BIN_FRAMES = 12, 4
# Stretches of the tail (bins from the end, first and one past the last) that are compared: later one, earlier one.
STRETCHES = (((0, 2), (2, 5)), ((0, 2), (5, 9)), ((0, 3), (0, 12)), ((2, 5), (6, 10)))
SHIFTS = 30  # of 1/37 octave, either way
GROUPS = 12
PROSODY = 2 * TAIL_BINS + 12 + len(STRETCHES) * (1 + GROUPS)
POOLED = 3 * STATE


def transform():
    """Hann-windowed cosines and sines, [2·bins, 1, 1536]."""
    t = np.arange(SPAN) / 16000
    window = np.hanning(SPAN + 1)[:-1]
    phase = 2 * np.pi * BINS_HZ[:, None] * t[None]
    return (np.concatenate([np.cos(phase), np.sin(phase)]) * window)[:, None].astype(np.float32)


def ripple():
    """Takes the mean of 300 Hz around every bin away."""
    near = (np.abs(BINS_HZ[:, None] - BINS_HZ[None]) <= 150).astype(np.float64)
    return (np.eye(len(BINS_HZ)) - near / near.sum(axis=1, keepdims=True)).astype(np.float32)


def shift(g, maps, later, earlier, ratio):
    """Saliences per tail bin [1, 12, 96] -> the change of pitch in octaves [1, 1] and the correlation by shift [1, 12]."""
    parts = []
    for first, last in (later, earlier):
        part = g.op("ReduceMean", g.op("Slice", maps, g.ints(first), g.ints(last), g.ints(1)), axes=[1], keepdims=1)
        size = g.op("Sqrt", g.op("ReduceSum", g.op("Mul", part, part), g.ints(2), keepdims=1))
        parts.append(ratio(part, size))
    found = g.op("Conv", parts[0], parts[1], kernel_shape=[len(PITCHES_HZ)], pads=[SHIFTS, SHIFTS])  # [1, 1, 61]
    share = g.op("Softmax", g.op("Mul", found, g.constant(np.float32(12))), axis=2)
    steps = np.arange(-SHIFTS, SHIFTS + 1, dtype=np.float32) * np.float32(np.log2(420 / 70) / len(PITCHES_HZ))
    change = g.op("ReduceSum", g.op("Mul", share, g.constant(steps)), g.ints(2), keepdims=0)
    return change, g.op("Squeeze", g.op("AveragePool", found, kernel_shape=[5], strides=[5]), g.ints(1))


def add_features(g):
    """Declares the inputs and returns the names of prosody [1, 88] and pooled [1, 1536]."""
    pcm = g.input("pcm", FLOAT, [1, "samples"])
    mel = g.input("mel", FLOAT, [1, 80, "mel_frames"])
    hidden = g.input("hidden", FLOAT, [1, "frames", STATE])
    f32 = lambda value: g.constant(np.float32(value))  # noqa: E731
    total = lambda x, axes=(1,): g.op("ReduceSum", x, g.ints(*axes), keepdims=1)  # noqa: E731
    ratio = lambda a, b: g.op("Div", a, g.op("Max", b, f32(1e-6)))  # noqa: E731

    bins = len(BINS_HZ)
    spectrum = g.op("Conv", g.op("Unsqueeze", pcm, g.ints(1)), g.half(transform()), kernel_shape=[SPAN], strides=[HOP], pads=[(SPAN - HOP) // 2] * 2)
    re, im = g.op("Split", g.op("Mul", spectrum, spectrum), g.ints(bins, bins), outputs=2, axis=1)
    power = g.op("Pow", g.op("Add", g.op("Add", re, im), f32(1e-7)), f32(0.33))
    power = g.op("MatMul", g.constant(ripple()), power)  # what stands out from the envelope
    cosines = np.cos(2 * np.pi * BINS_HZ[None] / PITCHES_HZ[:, None])
    cosines /= np.linalg.norm(cosines, axis=1, keepdims=True)
    size = g.op("Sqrt", g.op("ReduceSum", g.op("Mul", power, power), g.ints(1), keepdims=1))
    salience = ratio(g.op("MatMul", g.constant(cosines.astype(np.float32)), power), size)
    # A period twice as long fits as well: the shorter one is preferred by a little.
    salience = g.op("Add", salience, g.constant((0.07 * np.arange(96) / 96).astype(np.float32)[:, None]))
    clear = g.op("Unsqueeze", g.op("Squeeze", g.op("ReduceMax", salience, axes=[1], keepdims=0), g.ints(0)), g.ints(0))  # [1, F]

    # Two mel frames stand for one frame here.
    pairs = g.op("ReduceMean", g.op("Reshape", mel, g.ints(1, 80, -1, 2)), axes=[3], keepdims=0)  # [1, 80, F]
    energy = g.op("ReduceMean", pairs, axes=[1], keepdims=0)  # [1, F]
    band = lambda a, b: g.op("ReduceMean", g.op("Slice", pairs, g.ints(a), g.ints(b), g.ints(1)), axes=[1], keepdims=0)  # noqa: E731
    tilt = g.op("Sub", band(34, 62), band(8, 24))
    top = g.op("ReduceMax", energy, axes=[1], keepdims=1)
    loud = g.op("Sigmoid", g.op("Mul", g.op("Sub", energy, g.op("Sub", top, f32(0.55))), f32(14)))  # [1, F]
    voiced = g.op("Mul", g.op("Cast", g.op("Greater", clear, f32(0.38)), to=FLOAT), g.op("Cast", g.op("Greater", loud, f32(0.5)), to=FLOAT))
    # The speaker's usual pitch first; then every frame's within an octave of it, so that no tracker's slip remains.
    usual = g.op("ReduceSum", g.op("Mul", salience, g.op("Unsqueeze", voiced, g.ints(1))), g.ints(2), keepdims=1)  # [1, 96, 1]
    usual = g.op("Cast", g.op("ArgMax", usual, axis=1, keepdims=1), to=FLOAT)
    away = g.op("Mul", g.op("Sub", g.constant(np.arange(96, dtype=np.float32)[None, :, None]), usual), f32(1 / 20))
    salience = g.op("Sub", salience, g.op("Mul", g.op("Mul", away, away), f32(0.15)))
    octave = g.op("Mul", g.op("Cast", g.op("ArgMax", salience, axis=1, keepdims=0), to=FLOAT), f32(np.log2(420 / 70) / 96))  # [1, F]
    count = total(voiced)
    mean = ratio(total(g.op("Mul", voiced, octave)), count)
    relative = g.op("Mul", voiced, g.op("Clip", g.op("Sub", octave, mean), f32(-0.6), f32(0.6)))
    spread = g.op("Sqrt", ratio(total(g.op("Mul", relative, relative)), count))

    after = g.op("CumSum", voiced, g.constant(np.int64(1)), reverse=1, exclusive=1)  # voiced frames still to come
    edges = np.arange(TAIL_BINS, dtype=np.float32)[:, None] * BIN_FRAMES
    inside = g.op("And", g.op("GreaterOrEqual", after, g.constant(edges)), g.op("Less", after, g.constant(edges + BIN_FRAMES)))
    inside = g.op("Mul", g.op("Cast", inside, to=FLOAT), voiced)  # [12, F]
    present = total(inside)
    peaks = g.op("Relu", g.op("Sub", salience, f32(0.1)))  # [1, 96, F]
    maps = g.op("Unsqueeze", g.op("MatMul", inside, g.op("Transpose", g.op("Squeeze", peaks, g.ints(0)), perm=[1, 0])), g.ints(0))
    shifts = [x for later, earlier in STRETCHES for x in shift(g, maps, later, earlier, ratio)]
    contour = ratio(total(g.op("Mul", inside, relative)), present)
    contour, present = (g.op("Transpose", x, perm=[1, 0]) for x in (contour, g.op("Mul", present, f32(1 / BIN_FRAMES))))

    weight = total(loud)
    average = lambda x: ratio(total(g.op("Mul", loud, x)), weight)  # noqa: E731
    frames = g.op("Cast", g.op("Unsqueeze", g.op("Squeeze", g.size(hidden, 1)), g.ints(0, 1)), to=FLOAT)
    length = g.op("Log", frames)
    step = lambda x, axis: g.op("Sub", g.op("Slice", x, g.ints(1), g.ints(1 << 30), g.ints(axis)), g.op("Slice", x, g.ints(0), g.ints(-1), g.ints(axis)))  # noqa: E731
    change = g.op("ReduceMean", g.op("Abs", step(energy, 1)), axes=[1], keepdims=1)
    pace = g.op("Sqrt", g.op("ReduceMean", g.op("Mul", step(hidden, 1), step(hidden, 1)), axes=[2], keepdims=0))  # [1, F-1]
    later = g.op("Slice", loud, g.ints(1), g.ints(1 << 30), g.ints(1))
    pace = ratio(total(g.op("Mul", later, pace)), total(later))
    flips = ratio(total(g.op("Abs", step(voiced, 1))), weight)
    floor = g.op("ReduceMin", energy, axes=[1], keepdims=1)
    clearness = average(clear)
    prosody = g.op("Concat", contour, present, mean, spread, ratio(count, weight), top, average(energy), average(tilt), length, g.op("Log", g.op("Add", weight, f32(1))), change, pace, flips, g.op("Add", clearness, g.op("Mul", floor, f32(0.1))), *shifts, axis=1)

    column = g.op("Unsqueeze", loud, g.ints(2))
    heavy = g.op("Unsqueeze", weight, g.ints(2))
    centre = ratio(g.op("ReduceSum", g.op("Mul", column, hidden), g.ints(1), keepdims=1), heavy)
    apart = g.op("Sub", hidden, centre)
    width = g.op("Sqrt", ratio(g.op("ReduceSum", g.op("Mul", column, g.op("Mul", apart, apart)), g.ints(1), keepdims=1), heavy))
    ahead = g.op("CumSum", loud, g.constant(np.int64(1)), reverse=1, exclusive=1)
    last = g.op("Unsqueeze", g.op("Mul", loud, g.op("Cast", g.op("Less", ahead, f32(15)), to=FLOAT)), g.ints(2))
    end = ratio(g.op("ReduceSum", g.op("Mul", last, hidden), g.ints(1), keepdims=1), g.op("ReduceSum", last, g.ints(1), keepdims=1))
    pooled = g.op("Squeeze", g.op("Concat", centre, width, end, axis=2), g.ints(1))
    return prosody, pooled


def feature_model():
    g = Graph("omni-ear-features")
    prosody, pooled = add_features(g)
    g.output(prosody, "prosody", FLOAT, [1, PROSODY])
    g.output(pooled, "pooled", FLOAT, [1, POOLED])
    return g.model()
