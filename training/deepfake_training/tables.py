"""What an evaluation found, as tables: header and cells."""

from collections.abc import Sequence

from deepfake_training.findings import Findings
from deepfake_training.interval import Interval
from deepfake_training.measured_rules import Counted, RuleFindings
from deepfake_training.one_class import OneClass
from deepfake_training.subset_findings import ENSEMBLE, Subset

Rows = tuple[list[str], list[list[str]]]
NONE = "–"
SUBSET_HEADER = [
    *("subset", "real / fake", "no answer", "AUC", "AUC per frame", "average precision", "EER"),
    *("accuracy: reals / fakes", "TPR", "FPR", "TPR at FPR 5 %", "TPR at FPR 1 %", "Brier", "ECE", "AURC"),
    *("wrong at 100 / 80 %", "low certainty: share / wrong / others wrong"),
]


def subset_table(findings: Findings) -> Rows:
    return SUBSET_HEADER, [_subset_row(name, subset) for name, subset in findings.subsets.items()]


def kinds_table(findings: Findings) -> Rows:
    """Every kind has its row."""
    return SUBSET_HEADER, [_kind_row(name, of) for name, of in findings.kinds.items()]


def short_table(findings: Findings) -> Rows:
    """The figures that fit on a terminal."""
    rows = []
    for name, subset in findings.subsets.items():
        of = subset.systems[ENSEMBLE]
        rates = map(_number, (of.true_positive_rate.value, of.false_positive_rate.value))
        rows.append([name, f"{of.reals} / {of.fakes}", str(subset.without_answer), _interval(of.auc), *rates])
    return ["subset", "real / fake", "no answer", "AUC", "TPR", "FPR"], rows


def one_class_table(findings: Findings) -> Rows:
    header = ["source", "files", "no answer", "called FAKE", "from fake_from", "below real_below"]
    rows = [
        [
            *(name, f"{of.files} {of.label}", str(of.without_answer)),
            *map(_interval, (of.called_fake, of.strong_fake, of.strong_real)),
        ]
        for name, of in findings.one_class.items()
    ]
    return header, rows


def short_one_class_table(findings: Findings) -> Rows:
    """The figures that fit on a terminal."""
    header, rows = one_class_table(findings)
    return [*header[:-2], "strong FAKE"], [[*row[:-2], row[-2].split(" ")[0]] for row in rows]


def evidence_table(findings: Findings) -> Rows:
    header = ["source", "reals answered", "fakes answered", "wrong answers", "TPR at fake_from", "FPR at fake_from"]
    rows = [
        [name, *map(_interval, (of.reals_answered, of.fakes_answered, of.wrong, of.tpr, of.fpr))]
        for name, of in findings.strong_evidence.items()
    ]
    return header, rows


def network_table(findings: Findings) -> Rows:
    rows = []
    for name, subset in findings.subsets.items():
        aucs = [_number(of.auc.value) for of in subset.systems.values()]
        rows.append([name, *aucs, f"{_interval(subset.gain.auc, '+')} over {subset.gain.over}"])
    return ["subset", ENSEMBLE, *findings.model.networks, "gain over the best alone"], rows


def correlation_table(findings: Findings) -> Rows:
    networks = findings.model.networks
    named = zip(networks, findings.error_correlation or (), strict=True)
    return ["", *networks], [[name, *(f"{value:.2f}" for value in row)] for name, row in named]


def certainty_table(rules: Sequence[RuleFindings]) -> Rows:
    header = ["rule", "number", "marked: wrong", "others: wrong", "proposed", "marked by it: wrong"]
    rows = [
        [
            *(each.named, _rule_number(each.number), _counted(each.marked), _counted(each.others)),
            *(_rule_number(each.proposed), _counted(each.marked_by_proposed)),
        ]
        for each in rules
    ]
    return header, rows


def robustness_table(findings: Findings) -> Rows:
    sources = sorted({source for changes in findings.robustness.values() for source in changes})
    rows = []
    for name, changes in findings.robustness.items():
        given = [changes.get(source) for source in sources]
        cells = ["" if of is None else f"{of.degraded:.3f} ({of.degraded - of.plain:+.3f})" for of in given]
        rows.append([name, *cells])
    return ["", *sources], rows


def _subset_row(name: str, subset: Subset) -> list[str]:
    of, low = subset.systems[ENSEMBLE], subset.low_certainty
    tpr, fpr = of.true_positive_rate, of.false_positive_rate
    return [
        *(name, f"{of.reals} / {of.fakes}", str(subset.without_answer), _interval(of.auc)),
        *map(_number, (subset.frame_auc, of.average_precision, of.eer)),
        f"{_number(of.accuracy)}: {_number(1 - fpr.value)} / {_number(tpr.value)}",
        *map(_interval, (tpr, fpr)),
        *map(_number, (of.tpr_at_fpr["5%"], of.tpr_at_fpr["1%"], of.brier, of.ece, of.aurc)),
        " / ".join(map(_number, (of.risk_at["100%"], of.risk_at["80%"]))),
        " / ".join(map(_number, (low.share, low.wrong, low.wrong_among_others))),
    ]


def _kind_row(name: str, of: Subset | OneClass | None) -> list[str]:
    if isinstance(of, Subset):
        return _subset_row(name, of)
    cells = dict.fromkeys(SUBSET_HEADER, NONE) | {"subset": name, "real / fake": "no data"}
    if of is not None:
        cells |= {"real / fake": f"0 / {of.files}", "no answer": str(of.without_answer)}
        cells |= {"AUC": "no reals", "TPR": _interval(of.called_fake)}
    return list(cells.values())


def _interval(of: Interval | None, sign: str = "") -> str:
    return NONE if of is None else f"{of.value:{sign}.3f} ({of.low:{sign}.3f} to {of.high:{sign}.3f})"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"


def _rule_number(value: float | tuple[float, float] | None) -> str:
    if value is None:
        return "no rule"
    return f"{value[0]:g} to {value[1]:g}" if isinstance(value, tuple) else f"{value:g}"


def _counted(of: Counted) -> str:
    return f"{of.wrong} of {of.answers}" + ("" if of.error is None else f" ({of.error:.0%})")
