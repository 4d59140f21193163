"""The prompt as tokens; src/model/trunk/chat-layout.ts is its twin. Caller text is encoded without special tokens."""

# Ids 0 to 16 are control tokens. 5 and 7 to 16 share one embedding with six words that the vocabulary never uses, so no answer can
# end with them for sure; these five are apart from it and from each other.
IM_START, IM_END, HANDOVER, HANGUP, TOOL = 1, 2, 6, 0, 3
ENDS = {None: IM_END, "handover": HANDOVER, "hangup": HANGUP, "tool": TOOL}
STOPS = frozenset(ENDS.values())


class Prompt:
    def __init__(self, tokenizer):
        """`tokenizer`: a `tokenizers.Tokenizer`."""
        self.tokenizer = tokenizer
        tokenizer.encode_special_tokens = True

    def text(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def block(self, role: str, text: str, end: int = IM_END) -> list[int]:
        return [IM_START, *self.text(f"{role}\n{text}"), end, *self.text("\n")]

    def persona(self, instructions: str, facts: list[str], greeting: str) -> list[int]:
        listed = instructions + ("\nFacts:\n" + "\n".join(facts) if facts else "")
        return self.block("system", listed) + (self.block("assistant", greeting) if greeting else [])

    def question(self, text: str, hints: list[str]) -> list[int]:
        """What precedes the answer of a turn: the caller's words, the facts that may settle them, the answer's head."""
        noted = self.block("system", "\n".join(hints)) if hints else []
        return self.block("user", text) + noted + [IM_START, *self.text("assistant\n")]

    def answer(self, text: str, action: str | None) -> list[int]:
        return [*self.text(text), ENDS[action], *self.text("\n")]

    def branch(self, turns: list[dict]) -> tuple[list[int], list[bool]]:
        """Tokens of turns that follow on one another, and which of them the model must say."""
        ids: list[int] = []
        said: list[bool] = []
        for turn in turns:
            head = self.question(turn["user"], turn["hints"])
            # Cut off by the caller: the history holds what was heard, which is nothing to learn from.
            heard = turn.get("heard")
            tail = self.answer(turn["answer"] if heard is None else heard + "...", turn["action"])
            ids += head + tail
            said += [False] * len(head) + ([heard is None] * (len(tail) - 1) + [False])
        return ids, said

    def persona_with_branches(self, d: dict) -> tuple[list[int], list[tuple[list[int], list[bool]]]]:
        return self.persona(d["instructions"], d["facts"], d["greeting"]), [self.branch(turns) for turns in d["branches"]]
