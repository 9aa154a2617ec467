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
INNER_QUOTE = re.compile(
    r"[`\u00b4\u02bb\u02bd\u1fef\u1ffd\u2018\u201b\u2032\ua78c]"
    rf"(?<={LETTER}.)(?={LETTER})"
)
# A Hebrew abbreviation has a gershayim, or a quote, before its last letter, and foreign
# sounds have a geresh, or an apostrophe, after a letter.
HEBREW = r"(?<=[\u05d0-\u05ea].)(?=[\u05d0-\u05ea])"
GERSHAYIM, GERESH = re.compile(rf"[\"\u201d]{HEBREW}"), re.compile(rf"'{HEBREW}")
# Codes that nobody sees: soft hyphens, byte order marks, word and grapheme joiners,
# directions, operators, and variation selectors, which say how a sign is drawn.
INVISIBLE = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2065)]
    + [*range(0x2066, 0x2070), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), 0xFEFF]
    + [*range(0x180B, 0x180E), 0x180F]
)
# Strokes that make a word longer in Arabic and N'Ko.
STRETCHES = dict.fromkeys([0x640, 0x7FA])
# Letters as they are drawn: ligatures, forms of Arabic and Hebrew letters, full and
# half widths, letters of mathematics. They come out of PDF files, of keyboards of East
# Asia, and of those who want to be seen. Digraphs of one code are two letters.
DRAWN = [*range(0xFB00, 0xFE00), *range(0xFE70, 0xFEFD), *range(0xFF01, 0xFFE0)]
DRAWN += [*range(0x1D400, 0x1D800), 0xB5, 0x132, 0x133, 0x13F, 0x140, 0x149, 0x17F]
DRAWN += [*range(0x1C4, 0x1CD), *range(0x1F1, 0x1F4), 0x1E9B]
AS_LETTERS = {
    code: unicodedata.normalize("NFKC", chr(code)).strip().translate(APOSTROPHES)
    for code in DRAWN
}
# A space without width is where a word may end, and so are letters that are blank.
BLANKS = dict.fromkeys([0x200B, 0x2800, 0x3164, 0xFFA0], " ")
READ_AS = AS_LETTERS | APOSTROPHES | INVISIBLE | STRETCHES | BLANKS
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
    text = GERESH.sub("\u05f3", GERSHAYIM.sub("\u05f4", text))
    return unicodedata.normalize("NFC", text)


class Blanks(dict):
    """A table for `str.translate` that turns punctuation into blanks."""

    def __missing__(self, code):
        is_letter = unicodedata.category(chr(code))[0] not in "PZC"
        self[code] = code if is_letter else ord(" ")
        return self[code]


# Apostrophes belong to their words, with or without them.
NO_PUNCTUATION = Blanks({ord("'"): None})


def bare_words(text):
    """Return the words of a text, without case, blanks and punctuation."""
    return tuple(lower(normalized(text)).translate(NO_PUNCTUATION).split())


def lower(text):
    """Return a text in lower case; a dotted capital I becomes i alone."""
    return text.lower().replace("i\u0307", "i")
