"""The rules of `[policy.certainty]`, measured: what each marks, how often that is wrong, which number it should have.

What an answer is judged by, and whether a rule holds, are the client's own functions: rule and measurement can't drift
apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from deepfake_client.analysis.certainty import Measured, rules_that_hold
from deepfake_contract.policy import CertaintyRules, Policy

from deepfake_training.data import Sample
from deepfake_training.predictions import Prediction
from deepfake_training.rule_numbers import BANDS, band, class_weights, loosest

NEAR_THRESHOLD = "near_threshold"
COMPRESSION = "strong_compression"
SPREADS = tuple(round(0.05 * step, 2) for step in range(19, 0, -1))
SHARES = tuple(round(0.05 * step, 2) for step in range(1, 21))
SIDES = tuple(range(16, 257, 8))  # pixels
BITS = tuple(float(f"{0.001 * 1.25**step:.2g}") for step in range(40))  # for each pixel and frame: .001 to 6


@dataclass(frozen=True)
class Counted:
    """How many answers, how many of them are wrong, and the share (0 to 1) that would be wrong, were reals and fakes
    equally common; None without answers."""

    answers: int
    wrong: int
    error: float | None


@dataclass(frozen=True)
class RuleFindings:
    """One rule: `rule` as CertaintyRules names it, that for compression with its `codec`; or NEAR_THRESHOLD, whose
    numbers are two probabilities. `number`: the bundle's, None where it has no such rule; it marks `marked` and not
    `others`. `proposed`: the loosest up to which answers are too often wrong, None where that is no number or not
    known; it would mark `marked_by_proposed`."""

    rule: str
    codec: str
    number: float | tuple[float, float] | None
    marked: Counted
    others: Counted
    proposed: float | tuple[float, float] | None
    marked_by_proposed: Counted

    @property
    def named(self) -> str:
        return f"{self.rule} {self.codec}".strip()


@dataclass(frozen=True)
class _Rule:
    """`numbers` to choose from, the strictest first; `judges`: whether it judges such an answer at all."""

    name: str
    reason: str
    numbers: Sequence[float]
    judges: Callable[[Measured], bool]
    codec: str = ""

    def alone(self, policy: Policy, number: float) -> Policy:
        """The policy with this rule and this number."""
        if self.name == NEAR_THRESHOLD:
            return replace(policy, uncertain=band(policy.threshold, number))
        rules = {self.name: {self.codec: number} if self.codec else number}
        return replace(policy, certainty=CertaintyRules(**rules))  # type: ignore[arg-type]

    def number(self, policy: Policy) -> float | tuple[float, float] | None:
        """What the policy has for this rule; None where it has none."""
        if self.name == NEAR_THRESHOLD:
            return policy.uncertain
        given = getattr(policy.certainty, self.name)
        return given.get(self.codec) if self.codec else given


def certainty_findings(
    samples: Sequence[Sample], predictions: Sequence[Prediction], policy: Policy
) -> tuple[RuleFindings, ...]:
    """Of each rule, over the answers that it judges; files without an answer take no part."""
    pairs = zip(predictions, samples, strict=True)
    answered = [(each.measured, sample.fake) for each, sample in pairs if each.measured]
    codecs = {measured.codec for measured, _ in answered if measured.bits is not None}
    rules = _rules(policy, sorted(codecs | set(policy.certainty.strong_compression)))
    return tuple(_findings(rule, [pair for pair in answered if rule.judges(pair[0])], policy) for rule in rules)


def _rules(policy: Policy, codecs: Sequence[str]) -> list[_Rule]:
    frames = tuple(range(2, policy.frames + 1))
    return [
        _Rule(NEAR_THRESHOLD, NEAR_THRESHOLD, BANDS, lambda of: True),
        _Rule("network_spread", "networks_disagree", SPREADS, lambda of: True),
        _Rule("few_face_frames", "few_faces", frames, lambda of: of.face_frames is not None),
        _Rule("few_face_share", "few_faces", SHARES, lambda of: of.face_frames is not None),
        _Rule("small_face_side", "small_faces", SIDES, lambda of: of.face_side is not None),
        *(_Rule(COMPRESSION, COMPRESSION, BITS, _has_bits(codec), codec) for codec in codecs),
    ]


def _has_bits(codec: str) -> Callable[[Measured], bool]:
    return lambda of: of.codec == codec and of.bits is not None


def _findings(rule: _Rule, judged: Sequence[tuple[Measured, bool]], policy: Policy) -> RuleFindings:
    y_true = np.array([fake for _, fake in judged], dtype=bool)
    wrong = np.array([(of.confidence >= policy.threshold) != fake for of, fake in judged], dtype=bool)
    nothing = np.zeros(len(judged), bool)

    def marks(given: Policy) -> np.ndarray:
        return np.array([rule.reason in rules_that_hold(of, given) for of, _ in judged], dtype=bool)

    def count(marked: np.ndarray) -> Counted:
        error = np.average(wrong[marked], weights=class_weights(y_true)[marked]) if marked.any() else None
        return Counted(int(marked.sum()), int(wrong[marked].sum()), None if error is None else float(error))

    number = rule.number(policy)
    marked = nothing if number is None else marks(_only(rule, policy))
    proposed = loosest(rule.numbers, lambda each: marks(rule.alone(policy, each)), wrong, y_true)
    by_proposed = nothing if proposed is None else marks(rule.alone(policy, proposed))
    shown = band(policy.threshold, proposed) if proposed is not None and rule.name == NEAR_THRESHOLD else proposed
    return RuleFindings(rule.name, rule.codec, number, count(marked), count(~marked), shown, count(by_proposed))


def _only(rule: _Rule, policy: Policy) -> Policy:
    """The policy with no other of its rules: two of them give the same reason."""
    number = rule.number(policy)
    return policy if rule.name == NEAR_THRESHOLD else rule.alone(policy, number)  # type: ignore[arg-type]
