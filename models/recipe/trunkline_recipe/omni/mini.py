"""Mini-Omni's layout on our own trunk: the post-adapter that turns the trunk's states into seven delayed layers of codes.

At step s (Xie and Wu, 2024) the trunk reads one text token and the seven codes of the step before, fused into one vector,
and seven heads say layer i of frame s - 1 - i, less the steps that text leads. The heads do not sit on the trunk's last
state itself: Mini-Omni's code provides a "TTS adapter" of own blocks between the two, and it is here. Two additions are
ours, because there are hours of speech to learn from where the published model had thousands:

- a guide: the pronunciation of the text written so far and, by a pointer that moves over it with predicted durations, the
  latent that the shipped talker expects for the frame (models/omni-voice, which stays as it is);
- heads tied to the codec's books: a head moves the guide's point in code space, coarser codes of the frame are taken off,
  and codes are the likelier the nearer they lie to it (2 x.e - |e|^2 + b). Unmoved, it is the codec's own choice.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from .delayed import LAYERS, LEVEL, SLOT, embedded
from .talker import TRUNK_WIDTH, gelu

STEPS = 4  # latents of the guide, in a frame
MOST_COARSER = 2
SPECIALS = ("answer_a", "pad_t")


class Block(nn.Module):
    """A transformer's block: attention over the last `window` steps with a learnt bias by distance, then a net."""

    def __init__(self, width, heads, window):
        super().__init__()
        self.heads, self.window = heads, window
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.near = nn.Parameter(torch.zeros(heads, window))
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x, past):
        """x [B, N, width]; past [B, window - 1, 2 width]: keys and values before; zeros, which are seen, before the first
        step. -> y, next past."""
        b, n, width = x.shape
        q, kv = self.qkv(self.norm(x)).split([width, 2 * width], 2)
        kv = torch.cat([past, kv], 1)
        total = self.window - 1 + n
        k, v = kv.view(b, total, 2, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        q = q.view(b, n, self.heads, -1).transpose(1, 2)
        # Key j stands `away` steps before query i.
        away = (torch.arange(n)[:, None] + self.window - 1) - torch.arange(total)[None]
        bias = self.near[:, away.clamp(0, self.window - 1)].masked_fill((away < 0) | (away >= self.window), -1e4)
        scores = q @ k.transpose(2, 3) / math.sqrt(width // self.heads) + bias
        y = (scores.softmax(3) @ v).transpose(1, 2).reshape(b, n, width)
        x = x + self.out(y)
        return x + self.down(gelu(self.up(self.norm2(x)))), kv[:, n:]


class Mini(nn.Module):
    """The weights that are trained; codec, guide and trunk stay outside."""

    def __init__(self, codec, width=320, blocks=4, heads=5, window=32, hidden=192, trunk=TRUNK_WIDTH):
        super().__init__()
        books = [level.book for level in codec.levels]
        count, code_width = books[0].shape
        guide = STEPS * codec.encode_in.out_channels
        self.width, self.window, self.trunk = width, window, trunk
        self.into_codes = nn.Linear(LAYERS * (code_width + 1), width)
        self.into_guide = nn.Linear(guide, width)
        # The trunk's state of the step: it comes in the second stage, at first it says nothing.
        self.into_state = nn.Linear(trunk, width)
        self.blocks = nn.ModuleList(Block(width, heads, window) for _ in range(blocks))
        self.last = nn.LayerNorm(width)
        size = width + guide + (1 + MOST_COARSER) * code_width
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(size, hidden), nn.GELU(approximate="tanh"), nn.Linear(hidden, code_width)) for _ in range(LAYERS))
        self.sharpness = nn.Parameter(torch.zeros(LAYERS))
        self.bias = nn.Parameter(torch.zeros(LAYERS, count))
        # What the trunk is fed for a code: its entry, carried into the space of the trunk's embeddings.
        self.into_trunk = nn.Linear(LAYERS * code_width, trunk, bias=False)
        self.specials = nn.Embedding(len(SPECIALS), trunk)
        for layer in [self.into_state, *(head[2] for head in self.heads)]:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.specials.weight)
        spread = torch.stack([book.std() for book in books])[torch.tensor(LEVEL)]
        self.register_buffer("spread", spread)

    def start(self, rows):
        """The blocks' pasts before the first step."""
        return [torch.zeros(rows, self.window - 1, 2 * self.width) for _ in self.blocks]

    def told(self, entries, valid):
        """entries [B, N, 7, code width] and whether they are codes [B, N, 7] -> what the post-adapter is told of them."""
        scaled = entries / self.spread[:, None] * valid[..., None]
        return self.into_codes(torch.cat([scaled.flatten(2), valid], 2))

    def fused(self, entries, valid):
        """-> [B, N, trunk]: what is added to the text's embedding (the mean of eight streams, times eight)."""
        return self.into_trunk((entries / self.spread[:, None] * valid[..., None]).flatten(2))

    def states(self, told, guide, state, known, pasts):
        """told, guide of the frame whose layer 0 is next [B, N, .], the trunk's state [B, N, trunk], known [B, N] -> [B, N, width], pasts."""
        x = told + self.into_guide(guide) + self.into_state(F.layer_norm(state, state.shape[-1:])) * known[..., None]
        kept = []
        for block, past in zip(self.blocks, pasts):
            x, past = block(x, past)
            kept.append(past)
        return self.last(x), kept

    def moved(self, layer, state, guide, before, finer):
        """How the layer's point is moved. state; guide of the layer's own frame; its entry one frame before; coarser entries
        of its frame -> [..., code width]."""
        known = [entry / self.spread[k] for entry, k in zip(finer, own_coarser(layer))]
        known += [torch.zeros_like(before)] * (MOST_COARSER - len(known))
        return self.heads[layer](torch.cat([state, guide, before / self.spread[layer], *known], -1)) * self.spread[layer]

    def logits(self, codec, layer, point):
        book = codec.levels[LEVEL[layer]].book
        scale = torch.exp(4 * self.sharpness[layer] - 2) / self.spread[layer] ** 2
        return torch.addmm(self.bias[layer] - scale * (book**2).sum(1), point, 2 * scale * book.T)


def own_coarser(layer):
    """Layers whose codes hold for the span of `layer` in the same frame: layer 4 is not a part of layers 2 and 3."""
    return ([], [0], [0, 1 if SLOT[layer] < 2 else 4])[LEVEL[layer]]


def taken(codec, layer, entries):
    """What coarser codes (`entries`, of own_coarser) say in the code space of `layer` already."""
    level = codec.levels[LEVEL[layer]]
    total = 0
    for entry, k in zip(entries, own_coarser(layer)):
        up = codec.levels[LEVEL[k]].up
        total = total + F.linear(F.linear(entry, up.weight[..., 0], up.bias), level.down.weight[..., 0])
    return total


def points(codec, h):
    """h [B, F, 4, width] of the codec's encoder -> the point of each layer before coarser codes are taken off [B, F, 7, code width]."""
    found = []
    for layer in range(LAYERS):
        level = codec.levels[LEVEL[layer]]
        span = h[:, :, SLOT[layer] * level.pool : (SLOT[layer] + 1) * level.pool].mean(2)
        found.append(F.linear(span, level.down.weight[..., 0], level.down.bias))
    return torch.stack(found, 2)


def nearest(codec, layer, point):
    book = codec.levels[LEVEL[layer]].book
    return (point @ (2 * book.T) - (book**2).sum(1)).argmax(-1)


def fed(entries, real, steps):
    """What step s is told, counted from the step that says frame 0 of layer 0: layer i of frame s - 1 - i.
    entries [B, F, 7, .], real [B, F] -> [B, steps, 7, .], valid [B, steps, 7]."""
    b, frames = entries.shape[:2]
    out = entries.new_zeros(b, steps, LAYERS, entries.shape[3])
    valid = real.new_zeros(b, steps, LAYERS)
    for layer in range(LAYERS):
        count = min(frames, steps - layer - 1)
        out[:, layer + 1 : layer + 1 + count, layer] = entries[:, :count, layer]
        valid[:, layer + 1 : layer + 1 + count, layer] = real[:, :count]
    return out, valid


class Said:
    """All layers of all frames at once, told `codes` [B, F, 7]: the true ones, or some that the model must live with.

    latents [B, F, 4 width] of the guide, real [B, F], state [B, F + 6, trunk] or none.
    """

    def __init__(self, mini, codec, latents, codes, real, state=None, known=None):
        self.mini, self.codec = mini, codec
        b, frames = real.shape
        steps = frames + LAYERS - 1
        self.latents = latents * real[..., None]
        guide = torch.cat([self.latents, latents.new_zeros(b, LAYERS - 1, latents.shape[2])], 1)
        self.entries = embedded(codec, codes)
        told = mini.told(*fed(self.entries, real, steps))
        if state is None:
            state, known = torch.zeros(b, steps, mini.trunk), torch.zeros(b, steps)
        self.states, _ = mini.states(told, guide, state, known, mini.start(b))
        self.base = points(codec, self.latents.view(b, frames, STEPS, -1))
        self.before = torch.cat([torch.zeros_like(self.entries[:, :1]), self.entries[:, :-1]], 1)

    def point(self, layer, where):
        """The points of `layer` at the places of `where` [B, F] -> [places, code width], before coarser codes are taken off,
        and what those say."""
        state = self.states[:, layer : layer + where.shape[1]][where]
        finer = [self.entries[:, :, k][where] for k in own_coarser(layer)]
        moved = self.mini.moved(layer, state, self.latents[where], self.before[:, :, layer][where], finer)
        return self.base[:, :, layer][where] + moved, taken(self.codec, layer, finer) if finer else 0

    def choice(self, where):
        """The model's own codes at those places [places, 7]."""
        found = []
        for layer in range(LAYERS):
            point, said = self.point(layer, where)
            found.append(self.mini.logits(self.codec, layer, point - said).argmax(1))
        return torch.stack(found, 1)

    def losses(self, teacher, where):
        """Cross entropy [7] of the nearest code to the teacher's point given the coarser codes that were told, squared error
        [7] in units of the book, share of codes found [7]; at the places of `where`. teacher [B, F, 7, code width]."""
        entropy, error, right = [], [], []
        for layer in range(LAYERS):
            point, said = self.point(layer, where)
            aim = teacher[:, :, layer][where]
            target = nearest(self.codec, layer, aim - said)
            scores = self.mini.logits(self.codec, layer, point - said)
            entropy.append(F.cross_entropy(scores, target))
            error.append(F.mse_loss(point, aim) / self.mini.spread[layer] ** 2)
            right.append((scores.detach().argmax(1) == target).float().mean())
        return torch.stack(entropy), torch.stack(error), torch.stack(right)


@torch.no_grad()
def calibrate(mini, codec, latents, codes, real, teacher):
    """Sets the sharpness of each layer to the one under which the true codes are likeliest at the start."""
    said = Said(mini, codec, latents, codes, real)
    found = []
    for step in range(-8, 9):
        mini.sharpness.fill_(step / 8)
        found.append(said.losses(teacher, real > 0)[0])
    mini.sharpness.copy_((torch.stack(found).argmin(0) - 8) / 8)


class Step(nn.Module):
    """One step for ONNX.

    recent [1, 7, 7]: codes of the last seven steps, the newest first, layer by layer, -1 where there was none; latents [1,
    7, 4 width]: the guide of the frame whose layer 0 is next and of the six before it, zeros where there is none; state [1,
    trunk] of the trunk; pasts [blocks, 1, window - 1, 2 width]. -> logits of the layers [1, 7, codes], next pasts.
    """

    def __init__(self, mini, codec):
        super().__init__()
        self.mini, self.codec = mini, codec

    def entry(self, codes, layer):
        return F.embedding(codes.clamp(min=0), self.codec.levels[LEVEL[layer]].book) * (codes >= 0)[:, None].to(torch.float32)

    def forward(self, recent, latents, state, pasts):
        mini, codec = self.mini, self.codec
        newest = recent[:, 0]
        entries = torch.stack([self.entry(newest[:, i], i) for i in range(LAYERS)], 1)[:, None]
        told = mini.told(entries, (newest >= 0).to(torch.float32)[:, None])
        known = torch.ones_like(state[:, None, 0])
        x, kept = mini.states(told, latents[:, :1], state[:, None], known, pasts.unbind(0))
        base = points(codec, latents.view(latents.shape[0], LAYERS, STEPS, -1))
        scores = []
        for layer in range(LAYERS):
            # Layer k of the same frame was said layer - k steps ago.
            finer = [self.entry(recent[:, layer - k - 1, k], k) for k in own_coarser(layer)]
            point = base[:, layer, layer] + mini.moved(layer, x[:, 0], latents[:, layer], self.entry(newest[:, layer], layer), finer)
            scores.append(mini.logits(codec, layer, point - taken(codec, layer, finer) if finer else point))
        return torch.stack(scores, 1), torch.stack(kept)


class Fuse(nn.Module):
    """For ONNX: codes [N, 7] (-1: none) -> what is added to the embedding of the text [N, trunk]."""

    def __init__(self, mini, codec):
        super().__init__()
        self.step = Step(mini, codec)

    def forward(self, codes):
        entries = torch.stack([self.step.entry(codes[:, i], i) for i in range(LAYERS)], 1)
        return self.step.mini.fused(entries[None], (codes >= 0).to(torch.float32)[None])[0]
