"""Whisper's multilingual vocabulary: the special ids that English transcription uses, and its byte-level text."""

from functools import lru_cache

END = 50257
START = 50258
ENGLISH = 50259
TRANSCRIBE = 50359
NO_SPEECH = 50362
NO_TIMESTAMPS = 50363
PROMPT = (START, ENGLISH, TRANSCRIBE, NO_TIMESTAMPS)
# "[", "(", "*" and notes open descriptions of sounds, such as [BLANK_AUDIO] or (coughing).
BLANK_AUDIO = (542, 37592, 62, 29937, 60, END)

# What Whisper never writes when it transcribes words: brackets, quotes, notes. The colon (25) stays, for times of day.
SUPPRESSED = (
    1, 2, 7, 8, 9, 10, 14, 26, 27, 28, 29, 31, 58, 59, 60, 61, 62, 63, 90, 91, 92, 93, 359, 503, 522, 542, 873, 893,
    902, 918, 922, 931, 1350, 1853, 1982, 2460, 2627, 3246, 3253, 3268, 3536, 3846, 3961, 4183, 4667, 6585, 6647, 7273,
    9061, 9383, 10428, 10929, 11938, 12033, 12331, 12562, 13793, 14157, 14635, 15265, 15618, 16553, 16604, 18362,
    18956, 20075, 21675, 22520, 26130, 26161, 26435, 28279, 29464, 31650, 32302, 32470, 36865, 42863, 47425, 49870,
    50254,
)  # fmt: skip
SUPPRESSED_FIRST = (220, END)


@lru_cache
def byte_of_character():
    """GPT-2's table: printable bytes stand for themselves, the others for characters from U+0100 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(byte): byte for byte in printable}
    moved = (byte for byte in range(256) if byte not in printable)
    table.update({chr(256 + i): byte for i, byte in enumerate(moved)})
    return table


def token_bytes(token):
    return bytes(byte_of_character()[c] for c in token)
