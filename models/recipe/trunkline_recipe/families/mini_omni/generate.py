"""The reference of Mini-Omni's tasks: prompts, greedy loops, stop rules, frames. Every step reads the whole sequence anew."""

from dataclasses import dataclass

import torch

from .network import AUDIO_LAYERS, SPECIAL_IDS, Config, MiniOmni


class Ids:
    """Text specials follow the tokenizer's ids; audio specials follow the codes of each layer."""

    def __init__(self, c: Config):
        text, audio = c.text_vocabulary - SPECIAL_IDS, c.audio_vocabulary - SPECIAL_IDS
        self.codes = audio
        self.eot, self.pad_t, self.input_t, self.answer_t, self.asr = range(text, text + 5)
        self.eoa, self.pad_a, self.input_a, self.answer_a = range(audio, audio + 4)
        self.c = c

    def shifted(self, code: int, layer: int) -> int:
        return self.c.text_vocabulary + layer * self.c.audio_vocabulary + code


def prompt(ids: Ids, task: str, heard: int = 0, text: list[int] | None = None) -> list[list[int]]:
    """Positions of eight ids. task: A1A2, A1T2, A1T1, T1A2, T1T2."""
    if task[0] == "A":
        audio = [ids.input_a] + [ids.pad_a] * heard + [ids.eoa, ids.answer_a if task == "A1A2" else ids.pad_a]
        words = [ids.input_t] + [ids.pad_t] * heard + [ids.eot, ids.asr if task == "A1T1" else ids.answer_t]
    else:
        text = text or []
        audio = [ids.pad_a] * (len(text) + 2) + [ids.answer_a if task == "T1A2" else ids.pad_a]
        words = [ids.input_t, *text, ids.eot, ids.answer_t]
    return [[ids.shifted(a, layer) for layer in range(AUDIO_LAYERS)] + [t] for a, t in zip(audio, words, strict=True)]


@dataclass
class Rules:
    """guarded: leading pads are forced and ids that can be no answer are masked; plain: whatever the model says."""

    guarded: bool
    most_steps: int


def choose(ids: Ids, audio: torch.Tensor, step: int, rules: Rules) -> list[int]:
    codes = []
    for layer in range(AUDIO_LAYERS):
        if rules.guarded and step <= layer:
            codes.append(ids.pad_a)
        else:
            codes.append(int(audio[layer][: ids.pad_a + 1].argmax() if rules.guarded else audio[layer].argmax()))
    return codes


def choose_text(ids: Ids, logits: torch.Tensor, rules: Rules) -> int:
    # Of the specials only the end of the text is an answer.
    return int(logits[: ids.eot + 1].argmax() if rules.guarded else logits.argmax())


@torch.inference_mode()
def speak(model: MiniOmni, task: str, rules: Rules, heard: torch.Tensor | None = None, text: list[int] | None = None, batch: bool = False) -> list[list[int]]:
    """A1A2 and T1A2, with one row or (batch) with a second row that thinks in text. Steps of seven local codes and a text id."""
    ids = Ids(model.c)
    count = 0 if heard is None else len(heard)
    rows = [prompt(ids, task, count, text)]
    if batch:
        rows.append(prompt(ids, task.replace("A2", "T2"), count, text))
    steps: list[list[int]] = []
    done = False
    while len(steps) < rules.most_steps and len(rows[0]) < model.c.positions:
        text_logits, audio_logits = model(torch.tensor(rows), heard)
        codes = choose(ids, audio_logits[0], len(steps), rules)
        word = ids.pad_t if done else choose_text(ids, text_logits[-1], rules)
        if codes[-1] == ids.eoa:
            break
        done = done or word == ids.eot
        steps.append([*codes, word])
        rows[0].append([*(ids.shifted(code, layer) for layer, code in enumerate(codes)), word])
        if batch:
            rows[1].append([*(ids.shifted(ids.pad_a, layer) for layer in range(AUDIO_LAYERS)), word])
    return steps


@torch.inference_mode()
def write(model: MiniOmni, task: str, rules: Rules, heard: torch.Tensor | None = None, text: list[int] | None = None) -> list[int]:
    """A1T2, A1T1 and T1T2: text alone, audio streams fed with pads."""
    ids = Ids(model.c)
    row = prompt(ids, task, 0 if heard is None else len(heard), text)
    out: list[int] = []
    while len(out) < rules.most_steps and len(row) < model.c.positions:
        text_logits, _ = model(torch.tensor([row]), heard)
        word = choose_text(ids, text_logits[0], rules)
        if word == ids.eot:
            break
        out.append(word)
        row.append([*(ids.shifted(ids.pad_a, layer) for layer in range(AUDIO_LAYERS)), word])
    return out


def frames(steps: list[list[int]]) -> list[list[int]]:
    """Layer i's code of frame f stands at step f + i + 1."""
    return [[steps[f + layer + 1][layer] for layer in range(AUDIO_LAYERS)] for f in range(max(0, len(steps) - AUDIO_LAYERS))]
