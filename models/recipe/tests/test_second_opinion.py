"""Where the words of a record end in what a judge read."""

from trunkline_recipe.voice.second_opinion import lacking

RECORD = "Thank you for calling. Our house has been open"


def test_same_end():
    assert lacking(RECORD, "our house has been open.") == 0


def test_judge_lacks_words():
    assert lacking(RECORD, "Thank you for calling. Our house") == 3


def test_judge_has_words_behind_the_record():
    assert lacking(RECORD, "house has been open for a") == 2


def test_end_not_found():
    assert lacking(RECORD, "something else") is None
