"""Findings as Markdown."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpu_findings import Findings, Rate

PROBABILITY_LIMIT = 1e-3
MAP_LIMIT = 1e-2  # of the map's largest absolute value over the crops
HELD = f"held: probabilities within {PROBABILITY_LIMIT:g}, maps within {MAP_LIMIT:g} of the largest; asked of float32"
RECIPE, SERVED = "recipe", "served"
BARE = "bare"  # begins the name of each way by bare sessions
GOAL_OF_BARE, GOAL_OF_RECIPE, GOAL_BATCH = 0.9, 3.0, 32


def markdown(findings: "Findings") -> str:
    """The machine, what failed, what was left out, parity, rates and the figures that count."""
    return "\n".join(
        [
            "# Served on a GPU" if findings.machine.get("device") == "cuda" else "# Served on a CPU (no GPU was used)",
            "",
            *(f"- {name}: {value}" for name, value in findings.machine.items()),
            *_section("What counts", _summary(findings)),
            *_section("Failed", (f"- {each['name']}: {each['failed']}" for each in findings.parts if "failed" in each)),
            *_section("Left out", (f"- {each['what']}: {each['why']}" for each in findings.dropped)),
            *_section("Sessions", _sessions(findings)),
            *_section(f"Parity with the CPU's answers ({HELD})", _parity(findings)),
            *_section("Crops a second, medians of interleaved rounds", _rates(findings)),
            *_section("File to verdict", (f"- {each}" for each in findings.clips)),
            *_section("Seconds of each part", (f"- {each['name']}: {each.get('seconds')}" for each in findings.parts)),
        ]
    )


def summary(findings: "Findings") -> list[str]:
    """The figures that count, a line each."""
    return list(_summary(findings))


def _summary(findings: "Findings") -> Iterator[str]:
    for profile, precision in _blocks(findings):
        rates = [each for each in findings.rates if (each.profile, each.precision) == (profile, precision)]
        full = [each for each in rates if each.batch == GOAL_BATCH]
        served = max((each for each in full if each.way == SERVED), key=_median, default=None)
        bare = max((each for each in full if each.way.startswith(BARE)), key=_median, default=None)
        recipe = next((each for each in rates if each.way == RECIPE), None)
        if served and bare:
            yield (
                f"- {profile}, {precision}, batch {GOAL_BATCH}: served {served.median:.1f} crops/s at {served.callers} "
                f"callers, {served.median / bare.median:.2f} of bare ({bare.way}, {bare.callers} callers, "
                f"{bare.median:.1f}); goal {GOAL_OF_BARE}"
            )
        best = max((each for each in rates if each.way == SERVED), key=_median, default=None)
        if best and recipe:
            yield (
                f"- {profile}, {precision}: served {best.median:.1f} crops/s (batch {best.batch}, {best.callers} "
                f"callers), {best.median / recipe.median:.1f} times the recipe's {recipe.median:.1f} frames/s; "
                f"goal {GOAL_OF_RECIPE:g}"
            )


def _sessions(findings: "Findings") -> Iterator[str]:
    for each in findings.sessions:
        providers = sorted(set(each["providers"].values()))
        yield f"- {each['profile']}, {each['precision']}, {each['way']}: {', '.join(providers)}"


def _parity(findings: "Findings") -> Iterator[str]:
    if findings.parity:
        yield "| network | precision | way | decided crops | probability | map, worst crop | map, middle crop | held |"
        yield "|---|---|---|---|---|---|---|---|"
    for each in findings.parity:
        differences = f"{each.probability:.1e} | {each.map_worst:.1e} | {each.map_middle:.1e}"
        yield (
            f"| {each.profile} | {each.precision} | {each.way} | {each.decided} of {each.crops} | {differences} "
            f"| {'yes' if each.held else 'NO'} |"
        )


def _rates(findings: "Findings") -> Iterator[str]:
    if findings.rates:
        yield "| network | precision | way | batch | callers | crops/s | least | most | rounds |"
        yield "|---|---|---|---|---|---|---|---|---|"
    for each in sorted(findings.rates, key=lambda each: (each.profile, each.precision, each.batch, each.way)):
        yield (
            f"| {each.profile} | {each.precision} | {each.way} | {each.batch} | {each.callers} | {each.median:.1f} "
            f"| {min(each.rounds):.1f} | {max(each.rounds):.1f} | {len(each.rounds)} |"
        )


def _blocks(findings: "Findings") -> list[tuple[str, str]]:
    return list(dict.fromkeys((each.profile, each.precision) for each in findings.rates))


def _median(rate: "Rate") -> float:
    return rate.median


def _section(title: str, lines: Iterator[str]) -> list[str]:
    content = list(lines)
    return ["", f"## {title}", "", *content] if content else []
