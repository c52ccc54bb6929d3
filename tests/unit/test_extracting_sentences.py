"""A summary without a model: sentences of the text, in order, always the same."""

from execution_worker import extracts

TEXT = (
    "The harbour of Lund was rebuilt in 2021. Many people like coffee. The new harbour has two docks, and the docks of "
    "the harbour take ships of any size. Dr. Berg designed the harbour. It rained a little on the day. "
    "The harbour cost 4.5 million, most of it for the docks."
)


def test_sentences_about_what_the_text_is_about_are_taken_in_their_order() -> None:
    summary = extracts.extract(TEXT, 2)

    assert summary.startswith("The harbour of Lund was rebuilt in 2021.")
    assert "docks" in summary
    assert "coffee" not in summary
    assert "rained" not in summary


def test_the_summary_has_as_many_sentences_as_asked_for_and_is_always_the_same() -> None:
    assert len(extracts.split(extracts.extract(TEXT, 3))) == 3
    assert extracts.extract(TEXT, 3) == extracts.extract(TEXT, 3)


def test_a_short_text_is_its_own_summary() -> None:
    assert extracts.extract("One thing.  Another thing.", 3) == "One thing. Another thing."


def test_abbreviations_and_decimals_do_not_end_a_sentence() -> None:
    assert extracts.split("Dr. Berg paid 4.5 million, e.g. For docks. Then J. Doe left!") == [
        "Dr. Berg paid 4.5 million, e.g. For docks.",
        "Then J. Doe left!",
    ]


def test_sentences_of_other_scripts_are_told_apart() -> None:
    assert extracts.split("東京は大きい。京都は古い。") == ["東京は大きい。", "京都は古い。"]


def test_a_sentence_that_comes_twice_counts_once() -> None:
    assert extracts.split("Read on. Read on. The end.") == ["Read on.", "The end."]


def test_a_text_of_nothing_but_initials_takes_no_time() -> None:
    assert len(extracts.split("A. " * 20_000)) == 1
