"""The speech codec: SNAC's three time scales (Siuzdak et al., 2024) over the latents of the voice's VITS.

A frame is 8 latents of 11.61 ms (92.9 ms, 10.77 frames a second) and becomes 1 + 2 + 4 codes of 4096: residual vector
quantisation at strides 8, 4 and 2 latents. Latents come as the few heard directions of basis.py, two latents to a step.
Encoder and decoder see a frame at once and the past, never a later frame: what was decoded never changes when more
comes. The voice's HiFi-GAN generator turns latents into 22,050 Hz PCM.
"""

import torch
from torch import nn
from torch.nn import functional as F

STEPS = 4  # of two latents, in a frame
POOLS = (4, 2, 1)  # steps that one code of a level stands for
LEFT_FRAMES = 2  # before a frame, that the decoder's output depends on


class CausalResidual(nn.Module):
    """x + mix(gelu(conv(x))), looking back only. `reach` steps of the past are its state."""

    def __init__(self, width, dilation, kernel=3):
        super().__init__()
        self.reach = (kernel - 1) * dilation
        self.convolution = nn.Conv1d(width, width, kernel, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x, past=None):
        """past [B, width, reach] or none for silence. -> y, next past."""
        whole = F.pad(x, (self.reach, 0)) if past is None else torch.cat([past, x], 2)
        y = x + self.mix(F.gelu(self.convolution(whole), approximate="tanh"))
        return y, whole[:, :, whole.shape[2] - self.reach :]


class FrameMix(nn.Module):
    """Lets the four steps of a frame see one another."""

    def __init__(self, width):
        super().__init__()
        self.down = nn.Conv1d(width, width, STEPS, stride=STEPS)
        self.up = nn.Conv1d(width, STEPS * width, 1)

    def forward(self, x):
        y = self.up(F.gelu(self.down(x), approximate="tanh"))
        b, _, frames = y.shape
        return x + y.view(b, STEPS, -1, frames).permute(0, 2, 3, 1).reshape(b, -1, STEPS * frames)


class Quantiser(nn.Module):
    """One level: pool, project, nearest code (moving averages, dead ones restarted), project back."""

    def __init__(self, pool, width, codes, code_width):
        super().__init__()
        self.pool = pool
        self.down = nn.Conv1d(width, code_width, 1)
        self.up = nn.Conv1d(code_width, width, 1)
        self.register_buffer("book", torch.randn(codes, code_width))
        self.register_buffer("used", torch.ones(codes))
        self.register_buffer("total", self.book.clone())

    def project(self, x):
        return self.down(F.avg_pool1d(x, self.pool) if self.pool > 1 else x)

    def nearest(self, e):
        """e [B, code_width, T] -> codes [B, T]."""
        return (e.transpose(1, 2) @ (2 * self.book.T) - (self.book**2).sum(1)).argmax(2)

    def expand(self, e):
        y = self.up(e)
        b, c, t = y.shape
        return y[..., None].expand(b, c, t, self.pool).reshape(b, c, t * self.pool)

    def embed(self, codes):
        """codes [B, T] -> [B, width, T * pool]."""
        return self.expand(F.embedding(codes, self.book).transpose(1, 2))

    def forward(self, x):
        """-> quantised [B, width, T], codes, commitment loss."""
        e = self.project(x)
        with torch.no_grad():
            codes = self.nearest(e)
            q = F.embedding(codes, self.book).transpose(1, 2)
            if self.training:
                self.learn(e.transpose(1, 2).reshape(-1, e.shape[1]), codes.reshape(-1))
        return self.expand(e + (q - e).detach()), codes, F.mse_loss(e, q)

    @torch.no_grad()
    def learn(self, rows, codes, decay=0.97):
        count = torch.zeros_like(self.used).index_add_(0, codes, torch.ones(len(codes)))
        self.used.mul_(decay).add_(count, alpha=1 - decay)
        self.total.mul_(decay).add_(torch.zeros_like(self.total).index_add_(0, codes, rows), alpha=1 - decay)
        self.book.copy_(self.total / self.used.clamp(min=1e-4)[:, None])
        mean = len(codes) / len(self.used)
        dead = (self.used < 0.02 * mean).nonzero()[:, 0]
        if len(dead):
            self.restart(dead, rows, mean)

    def restart(self, which, rows, mean):
        pick = rows[torch.randint(len(rows), (len(which),))]
        pick = pick + 0.02 * pick.std() * torch.randn_like(pick)
        self.book[which] = pick
        self.total[which] = pick * mean
        self.used[which] = mean


class Codec(nn.Module):
    def __init__(self, basis, width=192, codes=4096, code_width=32):
        super().__init__()
        for name in ("mean", "down", "up"):
            self.register_buffer(name, torch.as_tensor(basis[name]))
        self.size = self.down.shape[1]
        self.encode_in = nn.Conv1d(2 * self.size, width, 1)
        self.encode_past = nn.ModuleList([CausalResidual(width, 1), CausalResidual(width, 2)])
        self.encode_frame = FrameMix(width)
        self.levels = nn.ModuleList(Quantiser(p, width, codes, code_width) for p in POOLS)
        self.decode_frame = FrameMix(width)
        self.decode_past = nn.ModuleList([CausalResidual(width, 1), CausalResidual(width, 2), CausalResidual(width, 1)])
        self.decode_out = nn.Conv1d(width, 2 * self.size, 1)

    def heard(self, z):
        """z [B, 192, 8 F] -> y [B, 2 size, 4 F]."""
        y = (z - self.mean[:, None]).transpose(1, 2) @ self.down
        b, t, size = y.shape
        return y.reshape(b, t // 2, 2 * size).transpose(1, 2)

    def latents(self, y):
        """y [B, 2 size, 4 F] -> z [B, 192, 8 F]."""
        b, c, t = y.shape
        return (y.transpose(1, 2).reshape(b, 2 * t, c // 2) @ self.up + self.mean).transpose(1, 2)

    def encode(self, y, pasts=(None, None)):
        """y [B, 2 size, 4 F] -> h [B, width, 4 F], next pasts."""
        h, kept = self.encode_in(y), []
        for layer, past in zip(self.encode_past, pasts):
            h, past = layer(h, past)
            kept.append(past)
        return self.encode_frame(h), kept

    def quantise(self, h):
        """h -> quantised h, codes of the levels [B, F], [B, 2 F], [B, 4 F], commitment loss."""
        total, codes, loss = torch.zeros_like(h), [], 0
        for level in self.levels:
            q, c, commit = level(h - total)
            total = total + q
            codes.append(c)
            loss = loss + commit
        return total, codes, loss

    def embed(self, codes):
        return sum(level.embed(c) for level, c in zip(self.levels, codes))

    def decode(self, h):
        """Quantised h -> y [B, 2 size, 4 F]."""
        h = self.decode_frame(h)
        for layer in self.decode_past:
            h, _ = layer(h)
        return self.decode_out(h)

    def forward(self, codes0, codes1, codes2):
        """Codes [B, F], [B, 2 F], [B, 4 F] -> z [B, 192, 8 F]."""
        return self.latents(self.decode(self.embed((codes0, codes1, codes2))))


def interleave(codes):
    """Codes of the levels -> [B, F, 7], in the order of SNAC's tree: whole; half, its quarters; half, its quarters."""
    a, b, c = codes
    frames = a.shape[1]
    b, c = b.reshape(-1, frames, 2), c.reshape(-1, frames, 4)
    return torch.stack([a, b[..., 0], c[..., 0], c[..., 1], b[..., 1], c[..., 2], c[..., 3]], 2)


def separate(frames):
    """[B, F, 7] -> codes of the levels [B, F], [B, 2 F], [B, 4 F]."""
    return [frames[..., 0], frames[..., [1, 4]].flatten(1), frames[..., [2, 3, 5, 6]].flatten(1)]
