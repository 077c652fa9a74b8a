"""What must hold of the scales in the manifest: numbers in their bounds, one of each name, one outcome, every topic."""

from __future__ import annotations

from collections.abc import Iterator

from psoas.faults import Fault, quoted, suggest
from psoas.knowledge.model import Disposition, Kind, Knowledge, Manifest, Named
from psoas.knowledge.reader import Places, to_number


def scales(knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    """Yield the faults of the manifest's scales, at the places of their keys."""
    manifest = knowledge.manifest
    yield from _weights(manifest, places)
    yield from _twice(manifest, places)
    yield from _otherwise(manifest, places)
    if sum(kind.outcome for kind in manifest.kinds) != 1:
        place = places.of(manifest, "kinds")
        yield Fault(place, "kinds: exactly one must be the outcome, where chains end", "write outcome: yes in one only")
    yield from _topics(knowledge, places)


def _weights(manifest: Manifest, places: Places) -> Iterator[Fault]:
    for scale, values in (("strengths", manifest.strengths), ("certainty", manifest.certainty)):
        for name, text in values.items():
            number = to_number(text)
            if number is None or not 0 <= number <= 1:
                yield Fault(places.of(manifest, scale, name), f"{scale}: {name} must be a number from 0 to 1")
            elif scale == "strengths" and number == 0:
                yield Fault(places.of(manifest, scale, name), f"strengths: {name} must be more than 0")
    least = [to_number(text) for text in manifest.certainty.values()]
    numbers = [number for number in least if number is not None and 0 <= number <= 1]
    falling = numbers == sorted(numbers, reverse=True) and numbers[-1:] == [0]
    if not falling and len(numbers) == len(least):
        place = places.of(manifest, "certainty")
        yield Fault(place, "certainty: the words go from the strongest to the weakest, which stands for 0")


def _twice(manifest: Manifest, places: Places) -> Iterator[Fault]:
    scales: dict[str, tuple[Disposition | Kind | Named, ...]] = {
        "dispositions": manifest.dispositions,
        "kinds": manifest.kinds,
        "tiers": manifest.tiers,
        "occasions": manifest.occasions,
    }
    for scale, members in scales.items():
        seen: dict[str, int] = {}
        for number, member in enumerate(members):
            first = seen.setdefault(member.id, number)
            if first != number:
                hint = f"first at {places.of(manifest, scale, first)}"
                yield Fault(
                    places.of(manifest, scale, number), f"{scale}: the id {quoted(member.id)} stands twice", hint
                )


def _otherwise(manifest: Manifest, places: Places) -> Iterator[Fault]:
    otherwise = manifest.otherwise
    levels = [d.id for d in manifest.dispositions]
    for key in ("settled", "unknown", "unasked"):
        name = getattr(otherwise, key)
        if name not in levels:
            place = places.of(manifest, "otherwise", key)
            yield Fault(place, f"otherwise: there is no disposition {quoted(name)}", suggest(name, levels))
    if otherwise.unasked in (otherwise.settled, otherwise.unknown):
        place = places.of(manifest, "otherwise", "unasked")
        yield Fault(place, "otherwise: what was not asked needs a disposition of its own")
    elif otherwise.unasked in levels and levels[-1] != otherwise.unasked:
        place = places.of(manifest, "dispositions", levels.index(otherwise.unasked))
        yield Fault(place, f"dispositions: {otherwise.unasked}, which is no level of urgency, must come last")


def _topics(knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    manifest = knowledge.manifest
    files = {finding.topic: finding.place.file for finding in knowledge.findings.values()}
    for topic in sorted(files.keys() - set(manifest.topics)):
        message = f"topics: {quoted(topic)} is missing, the topic of {files[topic]}"
        yield Fault(places.of(manifest, "topics"), message, "put it where its questions are to be asked")
    for topic in sorted(set(manifest.topics) - files.keys()):
        message = f"topics: no finding stands in findings/{topic}.yaml"
        hint = suggest(topic, files.keys() - set(manifest.topics), "leave it out, or write that file")
        yield Fault(places.of(manifest, "topics", topic), message, hint)
