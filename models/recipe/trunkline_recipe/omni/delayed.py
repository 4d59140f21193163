"""The talker's second form: seven layers of codes, delayed 1 to 7 frames, autoregressive on top of the regression.

Mini-Omni's pattern (Xie and Wu, 2024): at step n layer i (0…6, in the order of SNAC's tree) gets the code of frame
n - i - 1, all layers at once, told what all layers got before. Here each layer starts from what the codec would choose
for the regression's latent, less the frame's coarser codes, and a recurrent net corrects that point before the nearest
entry of the code book is taken; with a correction of nothing it is the first form.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

LAYERS = 7
LEVEL = (0, 1, 2, 2, 1, 2, 2)  # scale of each layer
SLOT = (0, 0, 0, 1, 1, 2, 3)  # which of the scale's codes in the frame


def embedded(codec, codes):
    """codes [B, N, 7] -> the code books' entries [B, N, 7, code width]."""
    return torch.stack([F.embedding(codes[..., i], codec.levels[LEVEL[i]].book) for i in range(LAYERS)], 2)


def expanded(codec, layer, entry):
    """An entry [..., code width] of a layer -> what it adds to the steps of its frame [..., 4, width]."""
    level = codec.levels[LEVEL[layer]]
    value = F.linear(entry, level.up.weight[..., 0], level.up.bias)
    own = torch.zeros(4)
    own[SLOT[layer] * level.pool : (SLOT[layer] + 1) * level.pool] = 1
    return value[..., None, :] * own[:, None]


def start(codec, layer, rest):
    """rest [..., 4, width]: latent less coarser codes. -> the point [..., code width] whose nearest entry the codec takes."""
    level = codec.levels[LEVEL[layer]]
    span = rest[..., SLOT[layer] * level.pool : (SLOT[layer] + 1) * level.pool, :].mean(-2)
    return F.linear(span, level.down.weight[..., 0], level.down.bias)


def coarser(layer):
    return [k for k in range(layer) if LEVEL[k] < LEVEL[layer]]


class Delayed(nn.Module):
    def __init__(self, width=192, code_width=32, hidden=384):
        super().__init__()
        self.into = nn.Linear(4 * width + LAYERS * code_width, hidden)
        self.recurrent = nn.GRU(hidden, hidden, batch_first=True)
        self.points = nn.ModuleList(nn.Sequential(nn.Linear(hidden + 2 * code_width + 4 * width, hidden // 2), nn.GELU(approximate="tanh"), nn.Linear(hidden // 2, code_width)) for _ in range(LAYERS))
        for head in self.points:
            nn.init.zeros_(head[2].weight)
            nn.init.zeros_(head[2].bias)
        self.sharpness = nn.Parameter(torch.zeros(LAYERS))
        # Which directions of code space matter for the choice.
        self.metric = nn.Parameter(torch.eye(code_width).repeat(LAYERS, 1, 1))

    def state(self, latents, entries, memory=None):
        """latents [B, N, 4 width] of frame n - 1 at step n, entries [B, N, 7, code width] of the step before."""
        x = F.gelu(self.into(torch.cat([latents, entries.flatten(2)], 2)), approximate="tanh")
        return self.recurrent(x, memory)

    def point(self, codec, layer, state, latent, rest, before):
        """-> where in code space the layer's code is, [..., code width]. latent, rest [..., 4, width]; before: the
        layer's entry one frame earlier."""
        base = start(codec, layer, rest)
        return base + self.points[layer](torch.cat([state, base, before, latent.flatten(-2)], -1))

    def logits(self, codec, layer, point):
        book = codec.levels[LEVEL[layer]].book @ self.metric[layer]
        near = (point @ self.metric[layer]) @ (2 * book.T) - (book**2).sum(1)
        return near * torch.exp(4 * self.sharpness[layer] - 1)


def delay(frames, fill):
    """[B, F, 7, ...] of frames -> [B, F + 7, 7, ...] of steps: layer i at step n - 1 (from 0) has frame n - 1 - i."""
    count = frames.shape[1]
    steps = [torch.cat([fill.expand(frames.shape[0], i, *frames.shape[3:]), frames[:, :, i], fill.expand(frames.shape[0], LAYERS - i, *frames.shape[3:])], 1) for i in range(LAYERS)]
    return torch.stack(steps, 2)[:, : count + LAYERS]


@torch.no_grad()
def calibrate(net, codec, latents, codes):
    """Sets the sharpness of each layer's choice to the one under which the true codes are likeliest at the start."""
    b, frames, _ = codes.shape
    h = latents.transpose(1, 2).reshape(b, frames, 4, -1)
    entries = embedded(codec, codes)
    for layer in range(LAYERS):
        rest = h - sum(expanded(codec, k, entries[:, :, k]) for k in coarser(layer)) if coarser(layer) else h
        net.sharpness[layer] = 0.25
        scores = net.logits(codec, layer, start(codec, layer, rest)).flatten(0, 1)
        found = [(F.cross_entropy(scores * 2.0**k, codes[:, :, layer].flatten()), k) for k in range(-8, 7)]
        net.sharpness[layer] += min(found)[1] * math.log(2) / 4


def losses(net, codec, latents, codes, real, corrupt=0.15):
    """Cross entropy of all layers. latents [B, width, 4 F] of the regression, codes [B, F, 7] of the teacher, real [B, F]."""
    b, frames, _ = codes.shape
    width = latents.shape[1]
    h = latents.transpose(1, 2).reshape(b, frames, 4, width)
    seen = torch.where(torch.rand(codes.shape) < corrupt, torch.randint(len(codec.levels[0].book), codes.shape), codes)
    entries = embedded(codec, seen)
    nothing = torch.zeros(1, 1, entries.shape[3])
    steps = delay(entries, nothing)  # what layer i got at step n, n from 1
    past = torch.cat([torch.zeros_like(steps[:, :1]), steps[:, :-1]], 1)
    told = torch.cat([h.flatten(2), torch.zeros(b, LAYERS, 4 * width)], 1)
    states, _ = net.state(told, past)
    earlier = torch.cat([torch.zeros_like(entries[:, :1]), entries[:, :-1]], 1)
    total, right = 0, []
    added = [expanded(codec, k, entries[:, :, k]) for k in range(LAYERS)]
    for layer in range(LAYERS):
        rest = h - sum(added[k] for k in coarser(layer)) if coarser(layer) else h
        point = net.point(codec, layer, states[:, layer : layer + frames], h, rest, earlier[:, :, layer])
        scores = net.logits(codec, layer, point)
        loss = F.cross_entropy(scores.flatten(0, 1), codes[:, :, layer].flatten(), reduction="none").view(b, frames)
        total = total + (loss * real).sum() / real.sum()
        right.append(((scores.argmax(2) == codes[:, :, layer]) * real).sum() / real.sum())
    return total / LAYERS, torch.stack(right)


class StepGraph(nn.Module):
    """One step for ONNX. latent [1, width, 4] of frame n - 1 (zeros behind the end); codes [1, 7]: layer i's of frame
    n - 1 - i, of no meaning where there is no such frame. `valid` [1, 7]: 1 where there is one.

    State: latents [1, 7, 4 width] of the last seven frames, sums [1, 7, 4 width] of what their codes added so far by scale
    (one for halves, one for quarters), entries [1, 7, code width] of the step before, memory [1, 1, hidden].
    """

    def __init__(self, net, codec):
        super().__init__()
        self.net, self.codec = net, codec

    def forward(self, latent, valid, latents, halves, quarters, entries, memory):
        width = latent.shape[1]
        new = latent.transpose(1, 2).reshape(1, 1, 4 * width)
        latents = torch.cat([new, latents[:, :-1]], 1)  # row i: the frame of layer i
        zero = torch.zeros_like(new)
        halves = torch.cat([zero, halves[:, :-1]], 1)
        quarters = torch.cat([zero, quarters[:, :-1]], 1)
        state, memory = self.net.state(new, entries[:, None], memory)
        codes, chosen = [], []
        half, quarter = list(halves.unbind(1)), list(quarters.unbind(1))
        for layer in range(LAYERS):
            h = latents[:, layer].view(1, 4, width)
            taken = (0, half[layer], quarter[layer])[LEVEL[layer]]
            rest = h - (taken.view(1, 4, width) if LEVEL[layer] else 0)
            point = self.net.point(self.codec, layer, state[:, 0], h, rest, entries[:, layer])
            code = self.net.logits(self.codec, layer, point).argmax(1)
            entry = F.embedding(code, self.codec.levels[LEVEL[layer]].book) * valid[:, layer : layer + 1]
            added = (expanded(self.codec, layer, entry) * valid[:, layer].view(1, 1, 1)).flatten(1)
            # Finer scales start from what coarser ones leave.
            if LEVEL[layer] == 0:
                half[layer] = half[layer] + added
            if LEVEL[layer] <= 1:
                quarter[layer] = quarter[layer] + added
            codes.append(code)
            chosen.append(entry)
        return torch.stack(codes, 1), latents, torch.stack(half, 1), torch.stack(quarter, 1), torch.stack(chosen, 1), memory


@torch.no_grad()
def generate(graph, h, frames):
    """Greedy. h [1, width, 4 F] -> codes [1, F, 7]."""
    width, code_width = h.shape[1], graph.codec.levels[0].book.shape[1]
    state = [torch.zeros(1, LAYERS, 4 * width), torch.zeros(1, LAYERS, 4 * width), torch.zeros(1, LAYERS, 4 * width), torch.zeros(1, LAYERS, code_width), torch.zeros(1, 1, graph.net.recurrent.hidden_size)]
    out = torch.zeros(1, frames, LAYERS, dtype=torch.long)
    for n in range(frames + LAYERS - 1):
        latent = h[:, :, 4 * n : 4 * n + 4] if n < frames else torch.zeros(1, width, 4)
        valid = torch.tensor([[1.0 if 0 <= n - i < frames else 0.0 for i in range(LAYERS)]])
        codes, *state = graph(latent, valid, *state)
        for i in range(LAYERS):
            if 0 <= n - i < frames:
                out[0, n - i, i] = codes[0, i]
    return out
