"""Finds names that are words of a text: for mentions, and for the completion of names.

Spellings are compared as the server compares names (`protocol/names.py`). In many scripts no space
separates a name from the text after it: there the name can end without a space, as in `太郎さん`.
Pure functions; safe in any thread.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import takewhile

from tertulia.protocol.names import MAX_NAME_CHARS, fold

AT_SIGNS = ("@", "＠")
_JOINERS = "._-"  # inside a name they belong to it, around a word they are punctuation
# Scripts without spaces, by the first word of their letters' names in Unicode. Korean has spaces,
# but none between a name and its suffix: 민수야, 민수님.
_SPACELESS = {
    "BOPOMOFO": "BOPOMOFO", "CJK": "HAN", "HANGUL": "HANGUL", "HIRAGANA": "HIRAGANA",
    "IDEOGRAPHIC": "HAN", "KATAKANA": "KATAKANA", "KATAKANA-HIRAGANA": "KATAKANA",
    "KHMER": "KHMER", "LAO": "LAO", "MYANMAR": "MYANMAR", "THAI": "THAI", "TIBETAN": "TIBETAN",
}  # fmt: skip
# Vowels of Thai and Lao that are letters, but belong to the letter after or before them.
_VOWELS_BEFORE, _VOWELS_AFTER = "เแโใไເແໂໃໄ", "ะาๅະາ"
# Chinese characters that may follow or precede a name without being part of it: titles and small
# words.
_SMALL_WORDS = (
    "様君氏殿兄哥姐姊弟妹总總董啊吧呢吗嗎呀喂嗨的是在来來去说說和跟与與给給叫请請问問谢謝好你我他她"
)


class Mention:
    """The rule for mentions of one user: the name, or with `only_at` only `@name`."""

    def __init__(self, name: str, *, only_at: bool = False) -> None:
        self._key = fold(name)
        self._only_at = only_at

    def is_in(self, text: str) -> bool:
        """Return whether a text mentions the user."""
        folded = fold(text)
        start = folded.find(self._key) if self._key else -1
        while start >= 0:
            if self._is_at(folded, start):
                return True
            start = folded.find(self._key, start + 1)
        return False

    def _is_at(self, text: str, start: int) -> bool:
        end = start + len(self._key)
        if self._only_at and not calls_with_at(text[:start]):
            return False
        return begins_word(text, start) and _ends_word(text, end) and _is_whole(text, start, end)


def begins_word(text: str, start: int) -> bool:
    """Return whether a word begins at a position, which must be that of a letter or a digit."""
    before = text[max(0, start - MAX_NAME_CHARS) : start]
    joined = before.rstrip(_JOINERS)
    if joined == before:
        return _can_part(_last_letter(before), text[start], is_start=True)
    # In "...ana" the word is ana after a pause; "la-ana" is one word.
    return ".." in before[len(joined) :] or not _last_letter(joined)


def _ends_word(text: str, end: int) -> bool:
    following = text[end : end + MAX_NAME_CHARS]
    joiners = "".join(takewhile(_JOINERS.__contains__, following))
    if joiners:
        return ".." in joiners or not is_letter(following[len(joiners) :][:1])
    if not following:
        return True
    if _is_mark(following[0]):  # a mark, such as a vowel, changes the last letter of the name
        return False
    return _can_part(_last_letter(text[:end]), following[0], is_start=False)


def _can_part(letter: str, following: str, *, is_start: bool) -> bool:
    """Return whether a word can begin, or else end, between two neighbouring characters."""
    if not (is_letter(letter) and is_letter(following)):
        return True
    if letter in _VOWELS_BEFORE or following in _VOWELS_AFTER:
        return False
    if letter.isdecimal() or following.isdecimal():
        return False  # luis2 and 太郎2 are other people
    script, other = _spaceless_script(letter), _spaceless_script(following)
    if script != other:
        return True
    if script == "HANGUL":
        return not is_start  # 김민수 is another person than 민수
    return script not in ("", "KATAKANA")  # a word of Katakana ends where another script begins


def _is_whole(text: str, start: int, end: int) -> bool:
    """Return whether a word of Chinese characters is not part of a slightly longer word.

    One more character probably makes another word or name: 日本語 is not 日本. With more
    characters it is probably a sentence: 李明你好.
    """
    before = after = ""
    if _is_han(text[start]):
        before = _han_run(reversed(text[max(0, start - 2) : start]))
    if _is_han(text[end - 1]):
        after = _han_run(text[end : end + 2])
    return len(before + after) != 1 or before + after in _SMALL_WORDS


def calls_with_at(before: str) -> bool:
    """Return whether a text ends in an `@` for a name, not in that of an e-mail address."""
    if not before.endswith(AT_SIGNS):
        return False
    before = before[-MAX_NAME_CHARS:-1]
    return not _last_letter(before) or ends_without_space(before)


def ends_without_space(text: str) -> bool:
    """Return whether a text ends in a script in which no space follows a word."""
    return bool(_spaceless_script(_last_letter(text)))


def _last_letter(text: str) -> str:
    """Return the final letter or digit of a text, without its marks; "" if there is none."""
    for character in reversed(text):
        if not _is_mark(character):
            return character if is_letter(character) else ""
    return ""


def _han_run(characters: Iterable[str]) -> str:
    return "".join(takewhile(_is_han, characters))


def _is_han(character: str) -> bool:
    return _spaceless_script(character) == "HAN"


def is_letter(character: str) -> bool:
    """Return whether a character is a letter or a digit that names may contain."""
    return bool(character) and unicodedata.category(character)[0] in "LN"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Mc")


@lru_cache(maxsize=1024)
def _spaceless_script(letter: str) -> str:
    """Return the script of a letter if words in it are not separated by spaces, else ""."""
    if not is_letter(letter):
        return ""
    words = unicodedata.name(letter, "").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ")
    return _SPACELESS.get(words.partition(" ")[0], "")
