"""Words of the world's scripts: case F3."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from sklstm import LSTMTextClassifier, load
from sklstm._text import scripts
from sklstm.preprocessing import TextSequencer

FIXTURE = Path(__file__).parents[1] / "fixtures" / "classifier-0.1.0.dev0.sklstm"


def nfd(text):
    return unicodedata.normalize("NFD", text)


# A text and its tokens, joined by a bar.
WORDS = {
    "Hindi": ("आधुनिक मानक हिन्दी।", "आधुनिक|मानक|हिन्दी|।"),
    "Bengali": ("বাংলা ভাষা", "বাংলা|ভাষা"),
    "Tamil": ("தமிழ் மொழி", "தமிழ்|மொழி"),
    "Telugu": ("ప్రధానమంత్రిని", "ప్రధానమంత్రిని"),
    "pointed Arabic": ("مُحَمَّدٌ رَسُول", "مُحَمَّدٌ|رَسُول"),
    "pointed Hebrew": ("שָׁלוֹם", nfd("שָׁלוֹם")),
    "Persian": ("می\u200cخواهم", "می\u200cخواهم"),
    "Thai": ("ที่นี่", "ที่|นี่"),
    "Burmese": ("မြန်မာ", "မြ|န်|မာ"),
    "Khmer": ("ខ្មែរ", "ខ្|មែ|រ"),
    "Vietnamese": (nfd("Tiếng Việt"), "tiếng|việt"),
    "French": (nfd("Très sûr"), "très|sûr"),
    "Turkish": ("İstanbul ISPARTA", "istanbul|isparta"),
    "Chinese": ("房间 很好", "房间|很好"),
    "Old Italic with marks": ("\U0001e900\U0001e944a", "\U0001e922\U0001e944a"),
    "apostrophes": ("Don’t, don't", "don't|,|don't"),
    "Ukrainian": ("п’ять п\u02bcять", "п'ять"),
    "quotes": ("‘so’ 5's", "‘|so|'|5's"),
    "numbers": ("3.14 a_b x2", "3|.|14|a_b|x2"),
    "languages": ("C++ or C#, i++; C++17", "c++|or|c#|,|i++|;|17"),
    "emoji": ("👍🏽👩‍👩‍👧‍👦 🏴\u200d☠️!", "👍🏽|👩‍👩‍👧‍👦|🏴\u200d☠|!"),
    "flags and keycaps": ("🇩🇪🇫🇷 1️⃣2 a3\u20e3", "🇩🇪|🇫🇷|1\u20e3|2|a|3\u20e3"),
    "one sign, however drawn": (
        "❤ ❤\ufe0f ☎\ufe0e ☎ ©\ufe0f ✌\ufe0f🏽 👩‍❤‍👨 👩‍❤\ufe0f‍👨",
        "❤|☎|©|✌🏽|👩‍❤‍👨",
    ),
    "a mark alone": ("a \u0301", "a|\u0301"),
    "soft hyphens": ("soft\xadhyphen co\xado\xadperate", "softhyphen|cooperate"),
    "a space without width": ("zero\u200bwidth", "zero|width"),
    "byte order marks": ("\ufeffhello wor\ufeffld", "hello|world"),
    "word joiners": ("x\u2060y", "xy"),
    "directions": ("\u200fمرحبا\u200e \u202bשלום\u202c \u2067a\u2069", "مرحبا|שלום|a"),
    "a mark after a soft hyphen": ("e\xad\u0301", "é"),
    "other apostrophes": ("don´t l`eau O‘zbek `x` 5′", "don't|l'eau|o'zbek|`|x|5|′"),
    "Hebrew abbreviations": ('צה״ל צה"ל ג׳ירפה "אב"', 'צה״ל|ג׳ירפה|"|אב'),
    "Armenian questions": ("Ինչո՞ւ", "ինչո՞ւ"),
    "Catalan": ("col·legi a·b", "col·legi|a|·|b"),
    "joiners at an end": ("می\u200c می. \u200cمی", "می|."),
    "two joiners": ("می\u200c\u200cخ", "می\u200c\u200cخ"),
    "Malayalam": ("അവന്\u200d അവന്", "അവന്\u200d|അവന്"),
    "Bengali with joiners": ("র\u200d্যাব", "র\u200d্যাব"),
    "Mongolian": ("ᠠᠨ\u180eᠠ", "ᠠᠨ\u180eᠠ"),
    "enclosing marks": ("а\u0488б A\u20dd", "а\u0488б|a\u20dd"),
    "grapheme joiners": ("co\u034fop x\u2062y", "coop|xy"),
    "many apostrophes": (
        "O’Neill's rock'n'roll, don''t",
        "o'neill's|rock'n'roll|,|don|'|t",
    ),
}


@pytest.mark.parametrize("script", WORDS)
def test_f3_marks_stay_with_their_letters(script):
    text, expected = WORDS[script]
    for form in ("NFC", "NFD"):
        found = TextSequencer().fit([unicodedata.normalize(form, text)]).vocabulary_
        assert set(found) == set(expected.split("|"))


def test_f3_characters_keep_their_marks():
    sequencer = TextSequencer(analyzer="char")
    ids = sequencer.fit_transform(["हिन्दी 👍🏽", "é e\u0301"])
    assert set(sequencer.vocabulary_) == {"हि", "न्", "दी", "👍🏽", "é"}
    assert sequencer.inverse_transform(ids) == ["हिन्दी👍🏽", "éé"]


def test_f3_a_word_is_known_however_it_is_coded():
    rng = np.random.default_rng(0)
    keys = {0: ["café", "हिन्दी"], 1: ["thé", "हिन्दु"]}
    labels = rng.integers(0, 2, 80)
    texts = [f"le {rng.choice(keys[label])} bon" for label in labels]
    clf = LSTMTextClassifier(
        units=1, embedding_dim=1, epochs=0, validation_fraction=0, random_state=0
    ).fit(texts, labels)
    assert clf.score([nfd(text) for text in texts], labels) == 1


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        ("ﬁne oﬃce ﬂoﬀ", ["fine", "office", "floff"]),
        ("Ｆｕｌｌ １２ Ｃ＋＋！ don＇t", ["full", "12", "c++", "!", "don't"]),
        ("ｶﾞｷﾞ ﾊﾟﾝ", ["ガギ", "パン"]),
        ("ﺍﻟﺴﻼﻡ a\ufe70", ["السلام", "aً"]),
        ("שׁ ﬥ", ["שׁ", "ל"]),
        ("(￣▽￣)", ["(", "￣", "▽", "￣", ")"]),
        ("كتــــاب ߛߺߊ", ["كتاب", "ߛߊ"]),
        ("Ĳsland coŀlegi ǅep ŉ", ["ijsland", "col·legi", "džep", "'", "n"]),
        ("Waſſer 5 \u00b5m", ["wasser", "5", "μm"]),
        ("𝐅𝐑𝐄𝐄 𝓌𝓸𝓇𝓭 𝟙𝟚", ["free", "word", "12"]),
        ("葛\U000e0100城 ᠠ\u180bᠨ က\ufe00", ["葛城", "ᠠᠨ", "က"]),
        ("Oʻzbek Hawaiʻi guaꞌa", ["o'zbek", "hawai'i", "gua'a"]),
        ("ג'ירף", ["ג׳ירף"]),
        ("a\u3164b c\u2800d", ["a", "b", "c", "d"]),
    ],
    ids=["ligatures", "full width", "half width", "Arabic", "Hebrew", "signs"]
    + ["stretches", "digraphs", "long s", "mathematics", "variants"]
    + ["other apostrophes", "geresh", "blank letters"],
)
def test_f3_letters_are_the_same_however_they_are_drawn(drawn, words):
    assert set(TextSequencer().fit([drawn]).vocabulary_) == set(words)


def test_f3_every_code_is_read_alike_in_each_normal_form():
    codes = [chr(code) for code in range(0xA0, 0x30000) if not 0xAC00 <= code < 0xE000]
    codes = [code for code in codes if unicodedata.normalize("NFD", code) != code]
    assert len(codes) > 1500
    find = scripts.word_pattern().findall
    for code in codes:
        text = f"a{code}b {code} א{code}א"
        forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
        found = [find(scripts.normalized(form)) for form in (text, *forms)]
        assert found[0] == found[1] == found[2], hex(ord(code))


def test_f3_plain_words_are_cut_as_before_and_quickly():
    text = "It isn't here, it's (really) gone! 123 items -- x/y; a.b 'quoted'"
    old = TextSequencer(token_pattern=r"\w+(?:'\w+)?|[^\w\s]").fit([text]).vocabulary_
    assert TextSequencer().fit([text]).vocabulary_ == old
    assert len(scripts.marks(0x300, 0xFFFF)) < 2000


def test_f3_files_of_older_versions_keep_their_own_pattern():
    clf = load(FIXTURE)
    assert clf._state.raw_text and clf.token_pattern == r"\w+(?:'\w+)?|[^\w\s]"
    expected = json.loads(FIXTURE.with_suffix(".json").read_text())
    found = clf.predict_proba(["a good film", ""])
    np.testing.assert_allclose(found, expected, rtol=1e-9)  # as the library rounds
    texts = ["a good film", "e\u0301 bad"] * 9
    assert clf.partial_fit(texts, [1, 0] * 9)._state.raw_text
    assert not clf.fit(texts, [1, 0] * 9)._state.raw_text
