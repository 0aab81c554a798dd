"""Which settings are measured in the time there is, and their rounds, each setting with its turn in every round."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gpu_findings import Findings, Rate
from gpu_table import BARE, GOAL_BATCH, RECIPE, SERVED

CONCURRENCIES = (4, 8, 1, 2, 16, 32)  # of what is served; the likely best first
BARE_CONCURRENCIES = {1, 2, 4, 8}  # in one process, more callers only wait
BATCHES = (GOAL_BATCH, 8, 1)
IN_TURN, IN_PARALLEL = f"{BARE}, networks in turn", f"{BARE}, networks in parallel"
SECONDS = 0.5  # of a setting in a round; what was begun is waited for
ROUNDS = 3
TRIAL_PART = 0.1  # of the time there is, at most, for trying one setting


@dataclass(frozen=True)
class Setting:
    """`callers` at once, each with `batch` crops a call."""

    way: str
    batch: int
    callers: int


class Way(Protocol):
    """One way of answering crops."""

    def call_s(self, batch: int) -> float:
        """Seconds of one call, after a first one."""

    def rate(self, batch: int, callers: int, seconds: float) -> float:
        """Crops a second."""


def by_importance(ways: Sequence[str]) -> list[Setting]:
    """The recipe; then, batch by batch, the ways in turn at each concurrency."""
    settings = [Setting(RECIPE, 1, 1)] if RECIPE in ways else []
    for batch in BATCHES:
        for callers in CONCURRENCIES:
            for way in ways:
                if way == SERVED or (way.startswith(BARE) and callers in BARE_CONCURRENCIES):
                    settings.append(Setting(way, batch, callers))
    return settings


def measure(
    profile: str,
    precision: str,
    ways: dict[str, Way],
    settings: Sequence[Setting],
    allotted_s: float,
    findings: Findings,
) -> None:
    """Adds a rate a setting that fits into the time; the others are said to be left out."""
    end = time.monotonic() + allotted_s
    estimate = estimator(ways, allotted_s)
    costs_s = {setting: SECONDS + setting.callers * estimate(setting) for setting in settings}
    chosen, rounds = choose(settings, costs_s, end - time.monotonic())
    rates = {setting: Rate(profile, precision, setting.way, setting.batch, setting.callers) for setting in chosen}
    for number in range(rounds):
        for setting, rate in rates.items():
            if time.monotonic() > end and {each.way for each, rate in rates.items() if rate.rounds} == ways.keys():
                findings.drop(f"{profile}, {precision}: the rest of round {number + 1} of {rounds}", "no time")
                break
            rate.rounds.append(ways[setting.way].rate(setting.batch, setting.callers, SECONDS))
            if len(rate.rounds) == 1:
                findings.rates.append(rate)
        findings.write()
        if time.monotonic() > end:
            break
    left: dict[str, list[str]] = {}
    for setting in settings:
        if setting not in rates or not rates[setting].rounds:
            left.setdefault(f"{setting.way}, batch {setting.batch}", []).append(str(setting.callers))
    for what, callers in left.items():
        why = f"{allotted_s:.0f} s were there for its rates"
        findings.drop(f"{profile}, {precision}: {what}, {' and '.join(callers)} callers", why)


def estimator(ways: dict[str, Way], allotted_s: float) -> Callable[[Setting], float]:
    """Seconds of a setting's call: measured where that is cheap, else as many times as long as one crop's."""
    known: dict[tuple[str, int], float] = {}

    def estimate(setting: Setting) -> float:
        way, key, single = ways[setting.way], (setting.way, setting.batch), (setting.way, 1)
        if single not in known:
            known[single] = way.call_s(1)
        if key not in known:
            times = known[single] * setting.batch
            known[key] = way.call_s(setting.batch) if 2 * times < TRIAL_PART * allotted_s else times
        return known[key]

    return estimate


def choose(
    settings: Sequence[Setting], costs_s: Mapping[Setting, float], allotted_s: float
) -> tuple[list[Setting], int]:
    """The most important settings that fit, and in how many rounds: one where several would leave a way out.

    Each way has its cheapest setting measured, whatever it costs.
    """
    ways = {setting.way for setting in settings}
    chosen = fill([], settings, costs_s, allotted_s / ROUNDS)
    if {setting.way for setting in chosen} == ways:
        return chosen, ROUNDS
    cheapest = [min((each for each in settings if each.way == way), key=costs_s.__getitem__) for way in ways]
    return fill(cheapest, settings, costs_s, allotted_s), 1


def fill(
    chosen: list[Setting], settings: Sequence[Setting], costs_s: Mapping[Setting, float], allotted_s: float
) -> list[Setting]:
    """What was chosen, and as many more, in their order, as still fit."""
    left_s = allotted_s - sum(costs_s[each] for each in chosen)
    for setting in settings:
        if setting not in chosen and costs_s[setting] <= left_s:
            chosen = [*chosen, setting]
            left_s -= costs_s[setting]
    return chosen
