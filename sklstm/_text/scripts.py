"""What belongs together in a text of any script: patterns of words and characters."""

import re
import sys
import unicodedata
from functools import cache

# Emoji, and what may follow one: a variation selector, a skin tone, tags of a region.
EMOJI = (
    r"[\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u25aa-\u27bf\u2934\u2935"
    r"\u2b05-\u2b55\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
)
EMOJI += r"(?:\ufe0f|[\U0001f3fb-\U0001f3ff])?\u20e3?[\U000e0020-\U000e007f]*"
FLAG = r"[\U0001f1e6-\U0001f1ff]{2}"
KEYCAP = r"[0-9#*]\ufe0f?\u20e3"
# Thai, Lao, Burmese and Khmer put no spaces between words.
NO_SPACES = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\ua9e0-\ua9ff\uaa60-\uaa7f"
# What is typed for the apostrophe inside of words.
APOSTROPHES = dict.fromkeys(map(ord, "\u2019\u02bc\uff07"), "'")
# Codes that nobody sees: soft hyphens, byte order marks, word joiners, and directions.
INVISIBLE = dict.fromkeys(
    [0xAD, 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, 0xFEFF]
    + [*range(0x2066, 0x206A)]
)
# A space without width is where a word may end.
READ_AS = APOSTROPHES | INVISIBLE | {0x200B: " "}
# Joiners stand inside of words of Persian and of Indic scripts.
JOINERS = r"\u200c\u200d"
LANGUAGES = r"\b[a-zA-Z](?:\+\+|#)(?!\w)"


@cache
def marks(first, last):
    """Return the ranges of combining marks, as a part of a pattern's character class.

    Python's ``\\w`` has no marks, which `re` cannot name either.
    """
    is_mark = [
        unicodedata.category(chr(code)) in ("Mn", "Mc")
        for code in range(first, min(last, sys.maxunicode) + 1)
    ]
    ranges, start = [], None
    for code, mark in enumerate([*is_mark, False], first):
        if mark and start is None:
            start = code
        elif not mark and start is not None:
            ranges.append(f"{chr(start)}-{chr(code - 1)}")
            start = None
    return "".join(ranges)


@cache
def some_marks():
    """Return a pattern of marks and joiners that follow a letter."""
    # A class beyond the first plane is slow in `re`, so that it is asked for last.
    return f"(?:[{marks(0x300, 0xFFFF)}{JOINERS}]|[{marks(0x10000, 0x1FFFF)}])"


@cache
def emoji():
    """Return a pattern of emoji with all that is joined to them, flags and keycaps."""
    return f"{EMOJI}(?:\u200d{EMOJI})*|{FLAG}|{KEYCAP}"


@cache
def word_pattern():
    """Compile the pattern of words of any script, emoji, and single signs.

    Marks stay with their letter, apostrophes inside a word with the word. A letter
    with its marks is a token in scripts that put no spaces between words.
    """
    letter, mark = rf"[^\W{NO_SPACES}]", some_marks()
    run = rf"{letter}+(?:{mark}+{letter}*)*"
    return re.compile(
        rf"{KEYCAP}|{LANGUAGES}|{run}(?:'{run})*|[{NO_SPACES}]{mark}*|{emoji()}|[^\w\s]"
    )


@cache
def character_pattern():
    """Compile the pattern of characters with their marks, and of emoji."""
    return re.compile(rf"{emoji()}|\S{some_marks()}*")


def normalized(text):
    """Return a text whose equal letters, and apostrophes, are of equal codes.

    Codes that nobody sees are dropped, because words would be cut at them.
    """
    return unicodedata.normalize("NFC", text.translate(READ_AS))


def lower(text):
    """Return a text in lower case; a dotted capital I becomes i alone."""
    return text.lower().replace("i\u0307", "i")
