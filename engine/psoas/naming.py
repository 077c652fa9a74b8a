"""What is typed of a list, by number or in words → which of its lines is meant. Where in doubt, none."""

from __future__ import annotations

import re
from collections.abc import Mapping

from psoas.case import Refused
from psoas.faults import nearest

NONE = {"none", "no", "n", "0", "none of these", "none of them", "none of the above", "none of that", "none of it",
        "none at all", "nothing", "nope", "no to all"}  # fmt: skip
FINE = {"fine", "all fine", "all were fine", "all was fine", "ok", "all ok", "okay", "good", "all good", "normal",
        "all normal"}  # fmt: skip
LITTLE = {"the", "and", "with", "without", "not", "all", "any", "can", "cannot", "one", "other", "for", "from", "that",
          "than", "has", "was", "have", "you", "your", "its", "but"}  # fmt: skip
"""Words that name no line, although only one may hold them."""
DENIES = {"no", "not", "never", "without", "cannot"}
"""Words that turn round what stands behind them."""


def bare(text: str) -> str:
    """Return `text` without what says nothing: capitals, curled signs, blanks, a full stop."""
    return " ".join(text.lower().replace("’", "'").split()).rstrip(".!")


def misses(text: str, lines: list[str]) -> str:
    """Return why `text` names none of `lines`, and what was meant."""
    holding = [line for line in lines if _holds(text, line)]
    if holding:
        why = "stands in several lines" if len(holding) > 1 else "could be misread"
        return f"{why}; type the number of the line that is meant"
    words = {word.strip(",();"): line for line in lines for word in line.lower().split() if len(word) > 3}
    vague = bare(text) in NONE | LITTLE | FINE
    close = () if vague else nearest(text, lines) or tuple(words[word] for word in nearest(text, words, cutoff=0.75))
    hint = f"did you mean: {close[0]}?" if close else "type numbers or words from it, or skip if you do not know"
    return f"is not in the list; {hint}"


def _holds(text: str, words: str) -> bool:
    """Tell whether `words` hold `text`, from the beginning of a word on, and it is not too little."""
    said = bare(text).replace("_", " ")
    return len(said) >= 3 and said not in LITTLE | FINE and bool(re.search(rf"\b{re.escape(said)}", words.lower()))


def _means(text: str, words: str) -> bool:
    """Tell whether `words` hold `text` and do not deny it: `rust` does not mean `no rust`."""
    said = bare(text).replace("_", " ")
    before = re.split(rf"\b{re.escape(said)}", words.lower(), maxsplit=1)[0]
    return _holds(text, words) and DENIES.isdisjoint(re.split(r"\W+", before))


def index(text: str, length: int) -> int:
    """Return the place in a list of the number that a person counts from 1."""
    number = int(text) if len(text) < 10 else 0
    if not 1 <= number <= length:
        raise Refused(f"there is no {text[:20]} in the list; it goes from 1 to {length}")
    return number - 1


def by_words(text: str, known: Mapping[str, str]) -> str:
    """Return the one of `known` (id → words) that `text` names; `text` itself where none or several would do."""
    said = bare(text).replace("-", "_").replace(" ", "_")
    if said in known or not said:
        return said
    if bare(text) in NONE | LITTLE | FINE:
        return next((value for value in ("none", "no") if value in known and bare(text) in NONE), text)
    starting = [value for value in known if value.startswith(said)]
    holding = starting or [value for value, words in known.items() if _holds(text, words)]
    if len(holding) == 1 and (starting or _means(text, known[holding[0]])):
        return holding[0]
    return text
