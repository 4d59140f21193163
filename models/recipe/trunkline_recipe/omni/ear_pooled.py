"""How something was said, as an ONNX graph of fixed features: level, spectrum, pace, and the encoder's pooled frames.

Beside them stands the tune (ear_tune), which is no matter of frames.
"""

import numpy as np

from ..ear.graph import FLOAT, Graph
from .ear_tune import TUNE

STATE = 512
# Mel bands, first and one past the last, whose level over the loud frames is told against the mean of all.
BANDS = ((0, 6), (6, 12), (12, 20), (20, 28), (28, 36), (36, 46), (46, 58), (58, 80))
SOUND = 9 + len(BANDS)
POOLED = 3 * STATE
LAST_FRAMES = 15


def add_features(g):
    """Declares the inputs and returns the names of tune [1, 30], plain [1, 17] and pooled [1, 1536]."""
    tune = g.input("tune", FLOAT, [1, TUNE])
    mel = g.input("mel", FLOAT, [1, 80, "mel_frames"])
    hidden = g.input("hidden", FLOAT, [1, "frames", STATE])
    scalar = lambda value: g.constant(np.float32(value))  # noqa: E731
    total = lambda x: g.op("ReduceSum", x, g.ints(1), keepdims=1)  # noqa: E731
    ratio = lambda a, b: g.op("Div", a, g.op("Max", b, scalar(1e-6)))  # noqa: E731

    # Two mel frames stand for one frame here.
    pairs = g.op("ReduceMean", g.op("Reshape", mel, g.ints(1, 80, -1, 2)), axes=[3], keepdims=0)  # [1, 80, F]
    energy = g.op("ReduceMean", pairs, axes=[1], keepdims=0)  # [1, F]
    top = g.op("ReduceMax", energy, axes=[1], keepdims=1)
    loud = g.op("Sigmoid", g.op("Mul", g.op("Sub", energy, g.op("Sub", top, scalar(0.55))), scalar(14)))  # [1, F]
    weight = total(loud)
    average = lambda x: ratio(total(g.op("Mul", loud, x)), weight)  # noqa: E731
    band = lambda a, b: g.op("ReduceMean", g.op("Slice", pairs, g.ints(a), g.ints(b), g.ints(1)), axes=[1], keepdims=0)  # noqa: E731
    tilt = average(g.op("Sub", band(34, 62), band(8, 24)))
    usual = average(energy)
    bands = [g.op("Sub", average(band(a, b)), usual) for a, b in BANDS]
    frames = g.op("Cast", g.op("Unsqueeze", g.op("Squeeze", g.size(hidden, 1)), g.ints(0, 1)), to=FLOAT)
    step = lambda x, axis: g.op("Sub", g.op("Slice", x, g.ints(1), g.ints(1 << 30), g.ints(axis)), g.op("Slice", x, g.ints(0), g.ints(-1), g.ints(axis)))  # noqa: E731
    change = g.op("ReduceMean", g.op("Abs", step(energy, 1)), axes=[1], keepdims=1)
    moved = step(hidden, 1)
    pace = g.op("Sqrt", g.op("ReduceMean", g.op("Mul", moved, moved), axes=[2], keepdims=0))  # [1, F-1]
    later = g.op("Slice", loud, g.ints(1), g.ints(1 << 30), g.ints(1))
    pace = ratio(total(g.op("Mul", later, pace)), total(later))
    floor = g.op("ReduceMin", energy, axes=[1], keepdims=1)
    length, spoken = g.op("Log", frames), g.op("Log", g.op("Add", weight, scalar(1)))
    plain = g.op("Concat", top, usual, tilt, length, spoken, change, ratio(change, ratio(weight, frames)), pace, floor, *bands, axis=1)

    column = g.op("Unsqueeze", loud, g.ints(2))
    heavy = g.op("Unsqueeze", weight, g.ints(2))
    centre = ratio(g.op("ReduceSum", g.op("Mul", column, hidden), g.ints(1), keepdims=1), heavy)
    apart = g.op("Sub", hidden, centre)
    width = g.op("Sqrt", ratio(g.op("ReduceSum", g.op("Mul", column, g.op("Mul", apart, apart)), g.ints(1), keepdims=1), heavy))
    ahead = g.op("CumSum", loud, g.constant(np.int64(1)), reverse=1, exclusive=1)
    last = g.op("Unsqueeze", g.op("Mul", loud, g.op("Cast", g.op("Less", ahead, scalar(LAST_FRAMES)), to=FLOAT)), g.ints(2))
    end = ratio(g.op("ReduceSum", g.op("Mul", last, hidden), g.ints(1), keepdims=1), g.op("ReduceSum", last, g.ints(1), keepdims=1))
    pooled = g.op("Squeeze", g.op("Concat", centre, width, end, axis=2), g.ints(1))
    return tune, plain, pooled


def feature_model():
    g = Graph("omni-ear-features")
    _, plain, pooled = add_features(g)
    g.output(plain, "plain", FLOAT, [1, SOUND])
    g.output(pooled, "pooled", FLOAT, [1, POOLED])
    return g.model()
