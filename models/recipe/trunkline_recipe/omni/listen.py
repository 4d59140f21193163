"""Makes the listening page: the same sentences by every voice side by side, each with its spectrogram and what the judge heard.

    python -m trunkline_recipe.omni.listen LINES.jsonl VOICES_DIR OUT_DIR [--lines 20]

VOICES_DIR has a folder for each voice: NNNN.wav for line NNNN, and rows.jsonl as evaluate.py writes it. A voice whose
folder is not there stays on the page as it was, so each can be added or made anew alone. Sound is Ogg/Opus, pictures are
PNG of 85 colours; listening.json holds what the page says.
"""

import argparse
import html
import json
import struct
import zlib
from pathlib import Path

import jiwer
import librosa
import numpy as np
import soundfile

from .evaluate import interval, spoken_words

# In the order of the page; a folder of another name comes last, under its own name.
VOICES = {
    "talker": ("Talker", "Trunkline's own voice: text to codes, the codec, the generator."),
    "mini-omni": ("Mini-Omni layout", "One language model writes text and seven layers of codes."),
    "llama-omni": ("LLaMA-Omni form", "Units by CTC over the language model's states, a unit vocoder."),
    "codec": ("Codec alone", "The teacher's latents as codes and back: the best a talker can sound."),
    "teacher": ("Teacher", "Piper's joe as the talker learnt it: chance 0.2."),
    "cascade": ("Cascade's voice", "Piper's joe as the cascade engine speaks."),
}
RATE = 24000
HEIGHT = 72
COLUMNS_PER_SECOND = 60
WIDEST = 420


def picture(pcm, rate):
    """Log-mel spectrogram, 50 Hz to 8 kHz, 60 dB deep, as an 8-bit palette PNG."""
    pcm = librosa.resample(pcm, orig_sr=rate, target_sr=16000)
    hop = max(1, len(pcm) // min(WIDEST, max(60, int(len(pcm) / 16000 * COLUMNS_PER_SECOND))))
    mel = librosa.feature.melspectrogram(y=pcm, sr=16000, n_fft=1024, win_length=512, hop_length=hop, n_mels=HEIGHT, fmin=50)
    db = librosa.power_to_db(mel, ref=np.max, top_db=60)
    return png(np.rint((db[::-1] + 60) / 60 * 84).astype(np.uint8), palette(85))


def palette(count):
    """From the night's blue over violet and coral to a pale yellow."""
    at = np.linspace(0, 1, count)
    stops = np.array([[18, 16, 48], [72, 28, 110], [170, 50, 110], [240, 110, 80], [252, 190, 110], [252, 248, 200]], float)
    return np.stack([np.interp(at, np.linspace(0, 1, len(stops)), stops[:, c]) for c in range(3)], 1).astype(np.uint8)


def png(rows, colours):
    """PNG (ISO/IEC 15948) of colour type 3: length | kind | data | CRC-32, four chunks."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = rows.shape
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"PLTE", colours.tobytes()) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")


def add(folder, lines, out):
    """Sound, pictures and figures of one voice -> its entry of listening.json."""
    target = out / folder.name
    target.mkdir(parents=True, exist_ok=True)
    for number in range(len(lines)):
        pcm, rate = soundfile.read(folder / f"{number:04d}.wav", dtype="float32")
        even = 0.7 * pcm / max(0.05, np.abs(pcm).max())
        opus = librosa.resample(even, orig_sr=rate, target_sr=RATE)
        soundfile.write(target / f"{number:02d}.opus", opus, RATE, format="OGG", subtype="OPUS", compression_level=0.95)
        (target / f"{number:02d}.png").write_bytes(picture(pcm, rate))
    path = folder / "rows.jsonl"
    rows = [json.loads(row) for row in path.read_text().splitlines()] if path.exists() else []
    entry = {"heard": [None] * len(lines)}
    if rows:
        want, texts = spoken_words([row["text"] for row in rows]), [json.loads(line)["text"] for line in lines]
        for band in ("wide", "g711"):
            judged = [(row, w) for row, w in zip(rows, want) if band in row]
            if not judged:
                continue
            got = spoken_words([row[band] for row, _ in judged])
            rate, bounds = interval([w for _, w in judged], got, np.random.default_rng(1))
            entry[band] = {"wer": rate, "interval": bounds, "lines": len(judged)}
            if band == "wide":
                for (row, w), g in list(zip(judged, got))[: len(lines)]:
                    if row["text"] in texts:
                        entry["heard"][texts.index(row["text"])] = {"text": row["wide"].strip(), "wer": round(100 * jiwer.wer(w, g or "*"))}
        mos = [row["mos"] for row in rows if "mos" in row]
        if mos:
            entry["dnsmos"] = round(float(np.mean(mos)), 2)
    return entry


STYLE = """
:root { color-scheme: light dark; --ground: #faf8f5; --card: #fff; --ink: #23202b; --soft: #6d6878; --edge: #e4dfd8; --good: #1d7a4f; --fair: #9a6a00; --bad: #b3362b; --accent: #7a3b8f; }
@media (prefers-color-scheme: dark) { :root { --ground: #16141c; --card: #201d29; --ink: #ece8f2; --soft: #a39cb3; --edge: #353041; --good: #6fd3a0; --fair: #e5b65c; --bad: #ff8f80; --accent: #d6a3ea; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 96rem; padding: 2.5rem 1.25rem 4rem; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 .3rem; font-size: 1.9rem; letter-spacing: -.02em; }
h2 { margin: 2.4rem 0 .7rem; font-size: 1.12rem; font-weight: 600; }
h2 small { margin-right: .6rem; color: var(--accent); font-weight: 600; font-variant-numeric: tabular-nums; }
p { margin: .4rem 0; max-width: 46rem; }
p, td.note, figcaption { color: var(--soft); }
table { margin: 1.4rem 0; border-collapse: collapse; font-size: .92rem; }
.wide { overflow-x: auto; }
th, td { padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--edge); text-align: left; vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
td.note { min-width: 17rem; }
td small { color: var(--soft); }
td.figure { white-space: nowrap; font-variant-numeric: tabular-nums; }
.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); gap: .7rem; }
@media (min-width: 68rem) { .row { grid-template-columns: repeat(var(--voices), minmax(0, 1fr)); } }
figure { margin: 0; padding: .7rem; min-width: 0; background: var(--card); border: 1px solid var(--edge); border-radius: .8rem; }
.head { display: flex; justify-content: space-between; gap: .5rem; font-weight: 600; font-size: .92rem; }
.rate { font-variant-numeric: tabular-nums; font-weight: 500; }
.good { color: var(--good); } .fair { color: var(--fair); } .bad { color: var(--bad); }
figure img { display: block; width: 100%; height: 4.6rem; margin: .5rem 0; border-radius: .45rem; background: #12102f; image-rendering: auto; }
audio { display: block; width: 100%; height: 2.2rem; }
figcaption { margin-top: .45rem; font-size: .84rem; line-height: 1.4; }
"""


def figure_of(name, number, heard):
    title = VOICES.get(name, (name, ""))[0]
    rate, caption = "", ""
    if heard:
        mood = "good" if heard["wer"] == 0 else "fair" if heard["wer"] <= 15 else "bad"
        rate = f'<span class="rate {mood}">{heard["wer"]} %</span>'
        caption = f"<figcaption>{html.escape(heard['text'])}</figcaption>"
    return (
        f'<figure><div class="head"><span>{html.escape(title)}</span>{rate}</div><img src="{name}/{number:02d}.png" alt="Spectrogram" loading="lazy">'
        f'<audio controls preload="none" src="{name}/{number:02d}.opus"></audio>{caption}</figure>'
    )


def page(told):
    names = sorted(told["voices"], key=lambda n: (list(VOICES).index(n) if n in VOICES else len(VOICES), n))

    def rate(entry, band):
        found = entry.get(band)
        return f"{found['wer']:.1f} % [{found['interval'][0]:.1f}, {found['interval'][1]:.1f}]<br><small>{found['lines']} lines</small>" if found else "–"

    table = "".join(
        f"<tr><th>{html.escape(VOICES.get(n, (n, ''))[0])}</th><td class='figure'>{rate(e, 'wide')}</td><td class='figure'>{rate(e, 'g711')}</td>"
        f"<td class='figure'>{e.get('dnsmos', '–')}</td><td class='note'>{html.escape(VOICES.get(n, ('', ''))[1])}</td></tr>"
        for n, e in ((n, told["voices"][n]) for n in names)
    )
    rows = "".join(
        f"<h2><small>{number + 1:02d}</small>{html.escape(text)}</h2><div class='row'>" + "".join(figure_of(n, number, told["voices"][n]["heard"][number]) for n in names) + "</div>"
        for number, text in enumerate(told["lines"])
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Trunkline: voices side by side</title><style>{STYLE}</style></head>
<body style="--voices: {len(names)}"><h1>Voices side by side</h1>
<p>Sentences that no voice was trained on, drawn by a fixed seed from every kind of text. The figure on a card is the word error rate of that one sentence, the text below it is what Whisper base heard (float32, 30 s of padding, greedy); figures count as the words they are read out as.</p>
<div class="wide"><table><tr><th>Voice</th><th>WER wide</th><th>WER G.711</th><th>DNSMOS</th><th></th></tr>{table}</table></div>
{rows}
</body></html>
"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("sentences", "voices", "out"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--lines", type=int, default=20)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    lines = options.sentences.read_text().splitlines()[: options.lines]
    texts, path = [json.loads(line)["text"] for line in lines], options.out / "listening.json"
    told = json.loads(path.read_text()) if path.exists() else {"lines": texts, "voices": {}}
    if told["lines"] != texts:
        raise SystemExit(f"{path} was made of other sentences. Give the same ones, or remove {options.out} and make every voice anew.")
    for folder in sorted(p for p in options.voices.iterdir() if p.is_dir()):
        told["voices"][folder.name] = add(folder, lines, options.out)
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    (options.out / "index.html").write_text(page(told))
    size = sum(p.stat().st_size for p in options.out.rglob("*") if p.is_file())
    print(json.dumps({"voices": list(told["voices"]), "sentences": len(texts), "kilobytes": size // 1000}))


if __name__ == "__main__":
    main()
