"""Bars with their rounds, as SVG."""

from html import escape
from math import floor, log10

from .cells import Cell
from .judge import FLOOR, Row

WIDTH, LEFT, RIGHT, TOP, BAR = 760, 120, 90, 58, 26
COLOURS = {"epr": "#0b6e4f", FLOOR: "#9aa0a6"}
PEER = "#8fb3d9"


def bars(cell: Cell, rows: list[Row]) -> str:
    """A bar for each contender up to its median, and a dot for each round."""
    bottom = TOP + BAR * len(rows)
    most = max((max(row.figures.values()) for row in rows), default=1.0) * 1.02
    # A contender far above the others would make them all look alike.
    if len(rows) > 2 and rows[-1].figure > 6 * rows[len(rows) // 2].figure:
        most = 6 * rows[len(rows) // 2].figure
    across = (WIDTH - LEFT - RIGHT) / most
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 30}" width="{WIDTH}" '
        f'height="{bottom + 30}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15" font-weight="bold">{escape(cell.what)}</text>',
        f'<text x="{LEFT}" y="42" fill="#555">{escape(cell.unit)}; bars: median, dots: rounds</text>',
    ]
    for value in ticks(most):
        x = LEFT + value * across
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 4}" x2="{x:.1f}" y2="{bottom}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#555">{value:,g}</text>')
    for at, row in enumerate(rows):
        parts += bar(row, TOP + at * BAR, across, most)
    return "\n".join([*parts, "</svg>\n"])


def bar(row: Row, y: float, across: float, most: float) -> list[str]:
    colour = COLOURS.get(row.name.split("-")[0].split("@")[0], PEER)
    end = LEFT + min(row.figure, most) * across
    shown = f"{row.figure:,.0f}" if row.figure >= 1000 else f"{row.figure:.3g}"
    middle = y + BAR / 2
    dots = [f'<circle cx="{LEFT + figure * across:.1f}" cy="{middle:.1f}" r="2" fill="black" fill-opacity="0.45"/>'
            for figure in row.figures.values() if figure <= most]
    rightmost = max([end, *(LEFT + figure * across for figure in row.figures.values() if figure <= most)])
    return [
        f'<text x="{LEFT - 8}" y="{middle + 4:.1f}" text-anchor="end">{escape(row.name)}</text>',
        f'<rect x="{LEFT}" y="{y + 4:.1f}" width="{max(0.5, end - LEFT):.1f}" height="{BAR - 8}" fill="{colour}"/>',
        *dots,
        # A bar that is cut has its figure inside.
        f'<text x="{end - 6:.1f}" y="{middle + 4:.1f}" text-anchor="end" fill="white">{shown}, cut here</text>'
        if row.figure > most else f'<text x="{rightmost + 6:.1f}" y="{middle + 4:.1f}">{shown}</text>',
    ]


def ticks(most: float) -> list[float]:
    """Round numbers from 0, five to eleven of them."""
    if most <= 0:
        return [0]
    step = 10 ** floor(log10(most))
    step *= next(part for part in (0.1, 0.2, 0.25, 0.5, 1, 2) if most / (step * part) <= 10)
    return [at * step for at in range(int(most / step) + 1)]
