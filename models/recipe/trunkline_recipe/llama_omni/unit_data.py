"""Sentences laid out on upsampled positions: which symbol a position belongs to, where in it it stands, which step of the
teacher's speech lies there. Durations are known, so the alignment that CTC would have to find is given.
"""

import numpy as np
import torch

from .units import LATENTS_PER_STEP, nearest, steps_heard

START_LATENTS, START_WEIGHT = 28, 3.0
PLACES = 3  # numbers that say where in its symbol a position stands


def layout(symbols, table):
    """symbols [S] -> symbol of each position [P], place [P, 3]: share before, share behind, positions of the symbol / 12."""
    counts = table[symbols]
    index = np.repeat(np.arange(len(symbols)), counts)
    within = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    count = counts[index]
    place = np.stack([(within + 0.5) / count, (count - within - 0.5) / count, count / 12], 1)
    return index, place.astype(np.float32)


def times(durations, index, place):
    """Time of each position in latents (its middle) and how much time it stands for. durations [S] latents."""
    durations = durations.astype(np.float64)
    start = np.cumsum(durations) - durations
    middle = start[index] + place[:, 0] * durations[index]
    share = np.bincount(index, minlength=len(durations))
    return middle, durations[index] / share[index]


def start_weight(latents):
    """What an error counts for, by its time in latents [N] from the beginning: three times as much in the first third of a second.

    There the voice is loudest and nothing was said yet that a listener could lean on; words were misread there most."""
    return np.where(latents < START_LATENTS, START_WEIGHT, 1.0).astype(np.float32)


class Units:
    """What units.py found."""

    def __init__(self, path):
        data = np.load(path)
        self.basis = {name: data[name] for name in ("mean", "down", "up")}
        self.centres = torch.as_tensor(data["centres"])
        self.positions = data["positions"]

    @property
    def count(self):
        return len(self.centres)

    def heard(self, z):
        return steps_heard(z, self.basis)

    def of(self, y):
        return nearest(torch.as_tensor(y), self.centres).argmin(1).cpu().numpy()


def padded(rows, value=0):
    """Arrays of unlike length -> [B, longest, ...] tensor."""
    size = max(len(row) for row in rows)
    out = np.full((len(rows), size, *rows[0].shape[1:]), value, rows[0].dtype)
    for number, row in enumerate(rows):
        out[number, : len(row)] = row
    return torch.as_tensor(out)


def steps_in(z):
    return -(-len(z) // LATENTS_PER_STEP)
