"""What people read about a verdict: never sounder than the evidence."""

from deepfake_client.results import Result

# state: title, what it means
STATES = {
    "FAKE": (
        "Strong sign of manipulation",
        "The networks found traces that manipulated faces leave. They can be wrong: look at the frames yourself.",
    ),
    "REAL": (
        "Little sign of manipulation",
        "Finding nothing is not proof that it is real: a manipulation of a new kind can go unseen.",
    ),
    "UNCERTAIN": ("Uncertain", "The result leans to neither side firmly enough to rely on, for the reasons below."),
    "NO FACE": (
        "No face to analyse",
        "No face was found, so this lies outside what the detector covers. That says nothing about the file.",
    ),
}
REASONS = {
    "near_threshold": "The probability lies close to the threshold.",
    "networks_disagree": "The three networks contradict each other.",
    "few_faces": "Faces were found in few of the frames.",
    "small_faces": "The faces are small, so little detail could be examined.",
    "strong_compression": "Strong compression has removed the fine detail.",
}
# Filled in here and by the page's script.
LIKELIHOOD = "Likelihood of manipulation: {confidence} on a scale from 0 to 1; the threshold is {threshold}."
RATE = "In our tests {rate} of 100 real ones reached that threshold."
RATE_UNKNOWN = "How often it is wrong about real faces has not been measured."


def state(result: Result) -> str:
    """One of STATES: no face, else uncertain if the certainty is low, else the label."""
    return "UNCERTAIN" if result.certainty == "low" else result.label


def likelihood(result: Result) -> str:
    """Probability, threshold and the error rate that belongs to it."""
    rate = result.model.false_positive_rate
    known = RATE_UNKNOWN if rate is None else RATE.format(rate=f"{100 * rate:.1f}")
    numbers = LIKELIHOOD.format(confidence=f"{result.confidence:.2f}", threshold=f"{result.threshold:.2f}")
    return f"{numbers} {known}"
