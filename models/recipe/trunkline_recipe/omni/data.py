"""Reads the teacher's shards and makes batches of them: whole sentences of like length, padded to frames of 8 latents."""

from pathlib import Path

import numpy as np
import torch

LATENTS_PER_FRAME = 8


class Shards:
    """Sentences of all shards of a folder, z kept in float16 in memory (119 MB an hour)."""

    def __init__(self, folder, most=10**9):
        self.symbols, self.words, self.durations, self.z, self.lines = [], [], [], [], []
        for path in sorted(Path(folder).glob("latents-?????.npz")):
            data = np.load(path)
            frames, symbols = np.cumsum(data["frameCounts"]), np.cumsum(data["symbolCounts"])
            for kept, name, bounds in ((self.symbols, "symbols", symbols), (self.words, "words", symbols), (self.durations, "durations", symbols), (self.z, "z", frames)):
                kept += np.split(data[name], bounds[:-1])
            self.lines += list(data["line"])
            if len(self.lines) >= most:
                break

    def __len__(self):
        return len(self.lines)

    @property
    def hours(self):
        return sum(len(z) for z in self.z) * 256 / 22050 / 3600

    def scale(self):
        """Standard deviation of each of the 192 channels."""
        some = np.concatenate([z.astype(np.float32) for z in self.z[:300]])
        return torch.tensor(some.std(0))

    def batches(self, random, latents):
        """Indices of sentences of like length, about `latents` a batch, for ever; each sentence once per round."""
        while True:
            length = np.array([len(z) for z in self.z]) * random.uniform(0.9, 1.1, len(self))
            order = np.argsort(length)
            groups, group, longest = [], [], 0
            for index in order:
                longest = max(longest, len(self.z[index]))
                if group and longest * (len(group) + 1) > latents:
                    groups.append(group)
                    group, longest = [], len(self.z[index])
                group.append(int(index))
            groups.append(group)
            random.shuffle(groups)
            yield from groups

    def latents(self, group):
        """-> z [B, 192, 8 F] (the last latent repeated behind a sentence's end), counts [B] of latents."""
        counts = [len(self.z[i]) for i in group]
        frames = -(-max(counts) // LATENTS_PER_FRAME)
        z = np.zeros((len(group), frames * LATENTS_PER_FRAME, 192), np.float32)
        for row, index in enumerate(group):
            z[row, : counts[row]] = self.z[index]
            z[row, counts[row] :] = z[row, counts[row] - 1]
        return torch.as_tensor(z.transpose(0, 2, 1).copy()), torch.tensor(counts)

    def most_words(self, group):
        """Words of the sentence that has most."""
        return 1 + max(int(self.words[i][-1]) for i in group)

    def text(self, group):
        """-> symbols [B, S] int64 (0 behind the end), words [B, S] int64 (the last word's number goes on), durations [B, S]."""
        size = max(len(self.symbols[i]) for i in group)
        symbols, words, durations = (np.zeros((len(group), size), np.int64) for _ in range(3))
        for row, index in enumerate(group):
            count = len(self.symbols[index])
            symbols[row, :count] = self.symbols[index]
            words[row, :count] = self.words[index]
            words[row, count:] = self.words[index][-1]
            durations[row, :count] = self.durations[index]
        return torch.as_tensor(symbols), torch.as_tensor(words), torch.as_tensor(durations)


def conv_pre(voice_folder):
    """The generator's first convolution as torch weights [out, 192, 7], bias: what z means to the ear is weighed by it."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(Path(voice_folder) / "generator.onnx")).graph
    weights = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    cast = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Cast"}
    first = next(n for n in graph.node if n.op_type == "Conv")
    weight, bias = (weights[cast.get(name, name)] for name in first.input[1:3])
    assert weight.shape[1] == 192
    return torch.tensor(weight.reshape(weight.shape[0], 192, -1).astype(np.float32)), torch.tensor(bias.astype(np.float32))
