"""Pictures of speed and growth on logarithmic scales, as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from bench.cohort import SCREEN, Cohort, Grown
from bench.peers import CLIPS, FIRE, LOOP, STOCK, STRAIGHT, ZEN

COLOURS = {
    SCREEN: "#aa3377",
    STRAIGHT: "#228833",
    CLIPS: "#ee6677",
    LOOP: "#3399bb",
    ZEN: "#998811",
    FIRE: "#4477aa",
    STOCK: "#777777",
}
WIDTH, LEFT, RIGHT, TOP = 720, 170, 110, 34
BAR, ROW = 11, 34
PANEL, TALL, GAP = 250, 210, 24  # a panel of growth: width, height; least distance of two labels is half of GAP


def speeds(it: Cohort) -> str:
    """Return rows a second by engine: from the states at hand, and from the table."""
    rows = [(entrant.name, entrant.ready, entrant.whole) for entrant in it.entrants]
    if it.screen:
        rows.append((SCREEN, it.screen, it.screen))
    rows.sort(key=lambda row: -max(row[1:]))
    low = math.floor(math.log10(min(min(row[1:]) for row in rows)))
    high = math.ceil(math.log10(max(max(row[1:]) for row in rows)))
    foot = TOP + len(rows) * ROW

    def along(speed: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(speed) - low) / (high - low)

    parts = [f'<text x="{LEFT}" y="18" font-weight="bold">Rows a second, shipped knowledge base</text>']
    parts += _decades(range(low, high + 1), lambda power: along(10.0**power), foot)
    for number, (name, ready, whole) in enumerate(rows):
        y = TOP + number * ROW + 4
        parts.append(f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{_plain(name)}</text>')
        bars = (
            [(ready, 1.0, "")] if name == SCREEN else [(ready, 1.0, "states at hand"), (whole, 0.45, "from the table")]
        )
        for place, (speed, opacity, how) in enumerate(bars):
            top = y + place * (BAR + 2) + (BAR // 2 if len(bars) == 1 else 0)
            said = f"{speed:,.0f}{f' {how}' if how else ''}"
            parts.append(
                f'<rect x="{LEFT}" y="{top}" width="{along(speed) - LEFT:.1f}" height="{BAR}" fill="{COLOURS[name]}" '
                f'fill-opacity="{opacity}"><title>{_plain(name)}: {said}</title></rect>'
                f'<text x="{along(speed) + 4:.1f}" y="{top + 9}" font-size="9">{said}</text>'
            )
    return _picture("Rows a second, by engine", WIDTH, foot + 24, parts)


def growths(it: Cohort) -> str:
    """Return how a table grows with its rows, and a row with the rules."""
    panels = []
    if it.rows:
        panels.append(("Seconds for a table, by its rows", [it.rows], 1.0))
    panels.append(("Milliseconds for a row, by the rules", list(it.rules), 1000.0))
    parts: list[str] = []
    wide = 70 + PANEL + 175
    for number, (title, lines, unit) in enumerate(panels):
        parts += [f'<g transform="translate({number * wide} 0)">', *_panel(title, lines, unit), "</g>"]
    return _picture("How cohorts grow", wide * len(panels), TOP + TALL + 30, parts)


def _panel(title: str, lines: Sequence[Grown], unit: float) -> Iterator[str]:
    sizes = [size for line in lines for size in line.sizes]
    times = [seconds * unit for line in lines for seconds in line.seconds]
    left, right = math.log10(min(sizes)), math.log10(max(sizes))
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    foot = TOP + TALL

    def along(size: float) -> float:
        return 60 + PANEL * (math.log10(size) - left) / max(right - left, 1e-9)

    def up(time: float) -> float:
        return foot - TALL * (math.log10(time) - low) / max(high - low, 1)

    yield f'<text x="60" y="18" font-weight="bold">{title}</text>'
    for power in range(low, high + 1):
        y = up(10.0**power)
        yield f'<path d="M60 {y:.1f}h{PANEL}" stroke="#ddd"/>'
        yield f'<text x="54" y="{y + 4:.1f}" text-anchor="end">{_amount(10.0**power)}</text>'
    for size in sorted(set(sizes)):
        yield f'<path d="M{along(size):.1f} {foot}v4" stroke="#333"/>'
        yield f'<text x="{along(size):.1f}" y="{foot + 17}" text-anchor="middle" font-size="9">{_amount(size)}</text>'
    yield f'<path d="M60 {foot}h{PANEL}" stroke="#333"/>'
    for line in lines:
        points = [(along(s), up(t * unit)) for s, t in zip(line.sizes, line.seconds, strict=True)]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{drawn}" fill="none" stroke="{COLOURS[line.name]}" stroke-width="2"/>'
        for (x, y), size, seconds in zip(points, line.sizes, line.seconds, strict=True):
            told = f"{_plain(line.name)}, {size:,}: {seconds * unit:.3g}"
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[line.name]}"><title>{told}</title></circle>'
    yield from _labels([(up(line.seconds[-1] * unit), line) for line in lines])


def _labels(ends: list[tuple[float, Grown]]) -> Iterator[str]:
    """Yield the names at the ends of the lines, moved apart where they would touch."""
    last = -math.inf
    for y, line in sorted(ends, key=lambda end: end[0]):
        last = max(y, last + GAP / 2)
        said = f"{_plain(line.name)}, e = {line.exponent:.2f}"
        yield f'<text x="{60 + PANEL + 8}" y="{last + 4:.1f}" font-size="10" fill="{COLOURS[line.name]}">{said}</text>'


def _decades(powers: Sequence[int], along: Callable[[int], float], foot: int) -> Iterator[str]:
    for power in powers:
        yield f'<path d="M{along(power):.1f} {TOP}V{foot}" stroke="#ddd"/>'
        yield f'<text x="{along(power):.1f}" y="{foot + 15}" text-anchor="middle">{_amount(10.0**power)}</text>'


def _amount(number: float) -> str:
    return f"{number:,.0f}" if number >= 1 else f"{number:g}"


def _plain(name: str) -> str:
    return name.replace("`", "")


def _picture(title: str, width: int, height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="11" fill="#333">'
    )
    return (
        "\n".join([head, f"<title>{title}</title>", '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>"])
        + "\n"
    )
