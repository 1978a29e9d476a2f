"""A picture (SVG) of a run of k6: times and counts by second, from the points that `k6 run --out csv=FILE` wrote."""

import csv
from collections import defaultdict

# For each script: the time to show, and the counts to show.
SHOWN = {
    "echo": ("echo_ms", ["replies"]),
    "connect": ("connect_ms", ["opened", "closed"]),
    "fanout": ("delivery_ms", ["deliveries"]),
    "recovery": ("recover_ms", ["opened", "deliveries"]),
    "drain": ("back_ms", ["moved", "opened", "replies"]),
    "storm": ("back_ms", ["closed", "opened"]),
    "soak": ("echo_ms", ["opened", "deliveries"]),
}
COLOURS = ["#1f6feb", "#d9480f", "#2b8a3e"]
WIDTH, HEIGHT, LEFT, TOP, GAP = 720, 180, 70, 34, 60


def draw(name, points, out):
    trend, counts = SHOWN[name]
    series = read(points, [trend, *counts])
    seconds = sorted({s for by_second in series.values() for s in by_second})
    if not seconds:
        return
    first, last = seconds[0], seconds[-1]
    times = {
        label: {s: percentile(v, q) for s, v in series[trend].items()}
        for label, q in (("median", 50), ("p95", 95), ("p99", 99))
    }
    numbers = {count: {s: sum(series[count].get(s, [0])) for s in range(first, last + 1)} for count in counts}
    height = TOP + 2 * HEIGHT + GAP + 40
    out.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 30} {height}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>\n'
        + panel(f"{trend} (milliseconds)", times, first, last, TOP, dots=True)
        + panel("each second", numbers, first, last, TOP + HEIGHT + GAP)
        + "</svg>\n"
    )


def read(points, wanted):
    series = {name: defaultdict(list) for name in wanted}
    with open(points, newline="") as file:
        for row in csv.DictReader(file):
            if row["metric_name"] in series:
                series[row["metric_name"]][int(row["timestamp"])].append(float(row["metric_value"]))
    return series


def percentile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * q // 100)]


def panel(title, lines, first, last, top, dots=False):
    highest = round_up(max((v for line in lines.values() for v in line.values()), default=1))
    x = lambda s: LEFT + WIDTH * (s - first) / max(1, last - first)  # noqa: E731
    y = lambda v: top + HEIGHT * (1 - v / highest)  # noqa: E731
    svg = [f'<text x="{LEFT}" y="{top - 12}" font-weight="bold">{title}</text>']
    for part in range(5):
        v = highest * part / 4
        svg.append(f'<path d="M{LEFT} {y(v):.1f}h{WIDTH}" stroke="#e3e8ee"/>')
        svg.append(f'<text x="{LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end" fill="#556">{v:g}</text>')
    step = next(s for s in (1, 2, 5, 10, 30, 60, 300, 600, 3600, 10**6) if (last - first) / s <= 12)
    for s in range(first, last + 1, step):
        svg.append(f'<text x="{x(s):.1f}" y="{top + HEIGHT + 16}" text-anchor="middle" fill="#556">{s - first} s</text>')
    for i, (label, line) in enumerate(lines.items()):
        places = [f"{x(s):.1f} {y(line[s]):.1f}" for s in sorted(line)]
        svg.append(f'<path d="M{" L".join(places)}" fill="none" stroke="{COLOURS[i]}" stroke-width="1.6"/>')
        if dots:
            svg += [f'<circle cx="{p.split()[0]}" cy="{p.split()[1]}" r="2" fill="{COLOURS[i]}"/>' for p in places]
        svg.append(f'<text x="{LEFT + WIDTH - 90 * (len(lines) - i)}" y="{top - 12}" fill="{COLOURS[i]}">{label}</text>')
    return "\n".join(svg) + "\n"


def round_up(value):
    scale = 1
    while scale * 10 <= value:
        scale *= 10
    return next((scale * m for m in (1, 2, 4, 6, 8, 10) if scale * m >= value), value)
