"""The proposed numbers of `[policy.certainty]`, ready to be pasted into bundle.toml."""

from collections.abc import Sequence

from deepfake_contract.plain_types import to_toml

from deepfake_training.measured_rules import Counted, RuleFindings


def certainty_toml(findings: Sequence[RuleFindings], about: str) -> str:
    """A table of TOML; `about`, what each number marks, and what has no number, stand in it as comments."""
    head, lines = [f"# {line}" for line in about.splitlines()], []
    tables: dict[str, dict[str, float]] = {}
    for each in findings:
        marks = _said(each.marked_by_proposed)
        if each.proposed is None:
            lines.append(f"# {each.named}: no rule ({each.marked.answers + each.others.answers} answers to judge by)")
        elif isinstance(each.proposed, tuple):
            head.append(f"# In [policy]: uncertain = {to_toml(each.proposed)}  # {marks}")
        elif each.codec:
            tables.setdefault(each.rule, {})[each.codec] = each.proposed
            lines.append(f"# {each.named}: {marks}")
        else:
            lines.append(f"{each.rule} = {to_toml(each.proposed)}  # {marks}")
    lines += [f"{rule} = {to_toml(numbers)}" for rule, numbers in tables.items()]
    return "\n".join([*head, "[policy.certainty]", *lines]) + "\n"


def _said(marks: Counted) -> str:
    return f"{marks.wrong} of the {marks.answers} marked are wrong ({marks.error or 0:.0%} with equal classes)"
