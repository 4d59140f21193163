"""One row of the Mini-Omni layout through the shipped trunk: text tokens and codes fused at every position.

    step       0          1               2              ...  L                  L + 1
    fed        prompt's   text 0          text 1              text L - 1         text L (pad_t behind the end)
               last token
    + codes    answer_a   –               –                   –                  layer 0 of frame 0
    says       text 0     text 1          text 2              text L, layer 0    text L + 1, layer 0 of frame 1, layer 1 of frame 0
                                                              of frame 0

A row whose codes are all pads is the trunk's plain text: pads add nothing, so A1-T2 is the shipped trunk itself.
"""

import torch
import torch.nn.functional as F

from ..brain.network import HEAD_WIDTH, HEADS, KV_HEADS, NORM_EPSILON, ROPE_BASE, WIDTH, rotate
from .delayed import LAYERS, embedded
from .mini import fed

LOOK_AHEAD_WORDS = 2


def turned(start, count):
    positions = torch.arange(start, start + count, dtype=torch.float32)
    frequencies = ROPE_BASE ** (-torch.arange(0, HEAD_WIDTH, 2, dtype=torch.float32) / HEAD_WIDTH)
    angles = (positions[:, None] * frequencies[None]).repeat(1, 2)
    return angles.cos(), angles.sin()


def layer_of(layer, x, cos, sin, past):
    """brain.network's Layer on a batch. x [B, N, width]; past: keys and values [KV, P, head], shared by all rows, or none."""
    b, n, _ = x.shape
    h = F.rms_norm(x, (WIDTH,), layer.norm1, NORM_EPSILON)
    q = rotate(layer.q(h).view(b, n, HEADS, HEAD_WIDTH).transpose(1, 2), cos, sin)
    k = rotate(layer.k(h).view(b, n, KV_HEADS, HEAD_WIDTH).transpose(1, 2), cos, sin)
    v = layer.v(h).view(b, n, KV_HEADS, HEAD_WIDTH).transpose(1, 2)
    own = (k[0].detach(), v[0].detach())
    if past is not None:
        k, v = (torch.cat([p[None].expand(b, -1, -1, -1), new], 2) for p, new in zip(past, (k, v)))
    k, v = (part.repeat_interleave(HEADS // KV_HEADS, 1) for part in (k, v))
    seen = torch.ones(n, k.shape[2], dtype=torch.bool).tril(k.shape[2] - n)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
    x = x + layer.o(y.transpose(1, 2).reshape(b, n, WIDTH))
    h = F.rms_norm(x, (WIDTH,), layer.norm2, NORM_EPSILON)
    return x + layer.down(F.silu(layer.gate(h)) * layer.up(h)), own


def read(trunk, x, past=None):
    """x [B, N, width] behind a shared past of P positions -> last states [B, N, width], keys and values of row 0."""
    start = 0 if past is None else past[0][0].shape[1]
    cos, sin = turned(start, x.shape[1])
    kept = []
    for place, layer in enumerate(trunk.layers):
        x, own = layer_of(layer, x, cos, sin, None if past is None else past[place])
        kept.append(own)
    return F.rms_norm(x, (WIDTH,), trunk.norm, NORM_EPSILON), kept


def lead(tokens, text, offsets):
    """Steps until the first word can be said: it and the words that its sound depends on are written, and a blank behind
    them. offsets: of the tokens in characters."""
    blanks = [place for place, character in enumerate(text) if character == " "]
    if len(blanks) <= LOOK_AHEAD_WORDS:
        return len(tokens) + 1
    place = blanks[LOOK_AHEAD_WORDS]
    return 1 + next((i for i, (_, end) in enumerate(offsets) if end > place), len(tokens))


class Rows:
    """Text and codes of a batch, fused. tokens: lists of ids, leads [B], codes [B, F, 7], real [B, F]."""

    def __init__(self, mini, codec, trunk, last, end, tokens, leads, codes, real):
        b, frames = real.shape
        steps = frames + LAYERS - 1
        self.leads, self.steps, self.counts = leads, steps, [len(t) for t in tokens]
        size = max(leads) + steps
        pad = mini.specials.weight[1] + trunk.embedding[end]
        told, valid = fed(embedded(codec, codes), real, steps)
        fused = mini.fused(told, valid)
        rows = []
        for row in range(b):
            text = torch.tensor([last, *tokens[row], end])
            x = torch.cat([trunk.embedding[text], pad.expand(max(0, size - len(text)), -1)])[:size]
            first = F.pad(mini.specials.weight[:1], (0, 0, 0, size - 1))
            rows.append(x + first + F.pad(fused[row], (0, 0, leads[row], size - leads[row] - steps)))
        self.x = torch.stack(rows)

    def of_codes(self, states):
        """The states from which codes are said: [B, F + 6, width]."""
        return torch.stack([states[row, lead : lead + self.steps] for row, lead in enumerate(self.leads)])

    def of_text(self, states):
        """Those that say the text and its end, of all rows in turn [., width]."""
        return torch.cat([states[row, : count + 1][: states.shape[1]] for row, count in enumerate(self.counts)])
