"""Words and pieces of words of any script, hashed: no dictionary, no list of languages.

Text is first made alike (NFKC, casefold): full-width letters, ligatures and capitals do not part
what people read as one word. Marks, such as the vowels of Hindi and Thai, belong to their letter.
"""

import unicodedata
import zlib
from functools import cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

TEXT_BUCKETS = 4096
PIECE = 4
"""Letters of a piece of a word, its two ends counted as letters."""
MAX_WORDS = 8

RUN_ON = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # Han radicals
    (0x3005, 0x3007),
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""Code points of scripts that are written without spaces."""


def text_grams(text: str) -> list[str]:
    """Return a text's words with their pieces, and characters, pairs and triples of scripts
    without spaces, each once.
    """
    grams: dict[str, None] = {}
    for runs_on, word in _stretches(text):
        for gram in _of_run(word) if runs_on else _of_word(word):
            grams[gram] = None
    return list(grams)


def text_buckets(text: str) -> list[int]:
    """Hash a text's grams into buckets, each once, rising."""
    return sorted({zlib.crc32(gram.encode()) % TEXT_BUCKETS for gram in text_grams(text)})


def words_of(text: str) -> list[str]:
    """Split a text into words and, for scripts without spaces, pairs of characters."""
    words: list[str] = []
    for runs_on, word in _stretches(text):
        if runs_on:
            words.extend(word[i : i + 2] for i in range(max(1, len(word) - 1)))
        else:
            words.append(word)
    return words


def title_words(titles: list[str]) -> NDArray[np.int64]:
    """Number the words of titles (`words_of`), the first 8 of each: [V, 8].

    Numbers are hashes, so that a word has the same number in every catalogue; 0 is none.
    """
    numbers = np.zeros((len(titles), MAX_WORDS), dtype=np.int64)
    for row, title in enumerate(titles):
        found = [1 + zlib.crc32(word.encode()) % TEXT_BUCKETS for word in words_of(title)]
        unique = list(dict.fromkeys(found))[:MAX_WORDS]
        numbers[row, : len(unique)] = unique
    return numbers


def _of_word(word: str) -> list[str]:
    edged = f"#{word}#"
    return [word, *(edged[i : i + PIECE] for i in range(max(0, len(word) - 1)))]


def _of_run(run: str) -> list[str]:
    return [run[i : i + size] for size in (1, 2, 3) for i in range(len(run) - size + 1)]


def _stretches(text: str) -> list[tuple[bool, str]]:
    """Return stretches of letters, digits and marks, and whether their script has no spaces."""
    alike = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return [
        (kind == "run", "".join(characters))
        for kind, characters in groupby(alike, key=_kind)
        if kind
    ]


@cache
def _kind(character: str) -> str:
    if unicodedata.category(character)[0] not in "LNM":
        return ""
    point = ord(character)
    return "run" if any(low <= point <= high for low, high in RUN_ON) else "word"
