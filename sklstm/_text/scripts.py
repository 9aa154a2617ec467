"""What belongs together in a text of any script: patterns of words and characters."""

import re
import sys
import unicodedata
from functools import cache

# Emoji, and what may follow one: a skin tone, tags of a region.
EMOJI = (
    r"[\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u25aa-\u27bf\u2934\u2935"
    r"\u2b05-\u2b55\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
)
EMOJI += r"[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
FLAG = r"[\U0001f1e6-\U0001f1ff]{2}"
KEY = 0x20E3  # encloses the character before it
KEYCAP = rf"[0-9#*]{chr(KEY)}"
# Thai, Lao, Burmese and Khmer put no spaces between words.
NO_SPACES = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\ua9e0-\ua9ff\uaa60-\uaa7f"
# What is typed for the apostrophe inside of words; some of it is a quote elsewhere.
APOSTROPHES = dict.fromkeys(map(ord, "\u2019\u02bc\uff07"), "'")
LETTER = r"[^\W\d_]"
INNER_QUOTE = re.compile(rf"[`\u00b4\u2018\u201b\u2032](?<={LETTER}.)(?={LETTER})")
# A Hebrew abbreviation has a gershayim, or a quote, before its last letter.
GERSHAYIM = re.compile(r"[\"\u201d](?<=[\u05d0-\u05ea].)(?=[\u05d0-\u05ea])")
# Codes that nobody sees: soft hyphens, byte order marks, word and grapheme joiners,
# directions, operators, and whether a sign is drawn as an emoji.
INVISIBLE = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2065)]
    + [*range(0x2066, 0x2070), 0xFE0E, 0xFE0F, 0xFEFF]
)
# Letters as they are drawn: ligatures, forms of Arabic and Hebrew letters, full and
# half widths. They come out of PDF files and of keyboards of East Asia.
DRAWN = [*range(0xFB00, 0xFE00), *range(0xFE70, 0xFEFD), *range(0xFF01, 0xFFE0)]
AS_LETTERS = {code: unicodedata.normalize("NFKC", chr(code)).strip() for code in DRAWN}
# A space without width is where a word may end.
READ_AS = AS_LETTERS | APOSTROPHES | INVISIBLE | {0x200B: " "}
# Joiners stand inside of words of Persian, of Indic scripts, and of Mongolian.
JOINERS = r"\u200c\u200d\u180e"
# After a sign that kills the vowel a joiner makes another letter, at a word's end too.
KILLERS = r"\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca"
LANGUAGES = r"\b[a-zA-Z](?:\+\+|#)(?![^\W\d])"
# Signs inside of words: apostrophes, those of Hebrew and Armenian, and Catalan's l·l.
INNER = r"(?:['\u055a-\u055c\u055e\u055f\u05f3\u05f4]|(?<=[lL])·(?=[lL]))"


@cache
def marks(first, last):
    """Return the ranges of combining marks, as a part of a pattern's character class.

    Python's ``\\w`` has no marks, which `re` cannot name either.
    """
    is_mark = [
        unicodedata.category(chr(code)) in ("Mn", "Mc", "Me") and code != KEY
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
    some = marks(0x300, 0xFFFF)
    joiner = rf"[{JOINERS}]+(?=[\w{some}])|(?<=[{KILLERS}])\u200d"
    # A class beyond the first plane is slow in `re`, so that it is asked for last.
    return rf"(?:[{some}]|{joiner}|[{marks(0x10000, 0x1FFFF)}])"


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
        rf"{KEYCAP}|{LANGUAGES}|{run}(?:{INNER}{run})*|[{NO_SPACES}]{mark}*|{emoji()}"
        rf"|[^\w\s{JOINERS}]"
    )


@cache
def character_pattern():
    """Compile the pattern of characters with their marks, and of emoji."""
    return re.compile(rf"{emoji()}|[^\s{JOINERS}]{some_marks()}*")


def normalized(text):
    """Return a text whose equal letters, and apostrophes, are of equal codes.

    Codes that nobody sees are dropped, because words would be cut at them.
    """
    if text.isascii():
        return INNER_QUOTE.sub("'", text)
    text = INNER_QUOTE.sub("'", text.translate(READ_AS))
    if chr(KEY) in text:  # after a letter or number, too
        text = re.sub(KEYCAP, r" \g<0>", text)
    return unicodedata.normalize("NFC", GERSHAYIM.sub("\u05f4", text))


def lower(text):
    """Return a text in lower case; a dotted capital I becomes i alone."""
    return text.lower().replace("i\u0307", "i")
