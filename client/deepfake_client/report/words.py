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
# reason: in a table, as a sentence
REASONS = {
    "near_threshold": ("close to the threshold", "The probability lies close to the threshold."),
    "networks_disagree": ("networks disagree", "The networks contradict each other."),
    "few_faces": ("faces in few frames", "Faces were found in few of the frames."),
    "small_faces": ("small faces", "The faces are small, so little detail could be examined."),
    "strong_compression": ("strong compression", "Strong compression has removed the fine detail."),
    "truncated": ("a part is missing", "A part of the picture is missing, so it could not be examined."),
}
# state of Content Credentials: title, what it means
CREDENTIALS = {
    "none": ("No Content Credentials", "The file carries no signed statement of where it comes from."),
    "broken": (
        "Content Credentials that do not hold",
        "They could not be confirmed: the file was changed since it was signed, the signature is not valid, or it "
        "can't be read here. The codes say which.",
    ),
    "unknown_signer": (
        "Content Credentials of an unknown signer",
        "The file is as it was signed, but the signer is not on the trust list that was used, if any was: anybody can "
        "sign under any name.",
    ),
    "trusted": (
        "Content Credentials of a known signer",
        "The file is as it was signed, and the trust list that was used knows the signer. That says who answers for "
        "it, not that what it shows is true.",
    ),
}
NO_CREDENTIALS_PROVE_NOTHING = (
    "Most files have no Content Credentials, and most uploads remove them: that there are none proves nothing."
)
CREDENTIALS_ELSEWHERE = "The file names credentials at another address, where nobody looked."
NO_TAGS = "No camera, software or time is named in it."
PROVENANCE = "Anybody can write or remove such details. They are no part of the likelihood, and no proof."
LIMITS = (
    "It looks for traces that manipulations of the kinds it learnt from leave in faces. A fake of a kind it never saw "
    "can look real to it, even more so than real ones.",
    "Talking faces, lip-sync and pictures generated as a whole are often missed.",
    "Small faces, strong compression, blur, and faces in profile or partly covered leave little to go by.",
    "A clip's likelihood is a mean over the frames analysed: a short manipulated passage can go under in it.",
    "Where fakes are rare, most alarms are false.",
    "It sees pictures only: no sound, and nothing but faces. It does not say who is shown, nor who made the file.",
    "It is a first look for a person who goes on to check. It is not evidence, in either direction.",
    "The default weights (lite) are for research and other non-commercial use only, as the pictures are that they "
    "learnt from.",
)
# what is added beside the networks: title, what it means
PARTS = {
    "intercept": ("Intercept", "the same for every file"),
    "faces": ("Number of faces", "the highest of several counts for less"),
}
AGREED = "Each network on its own leans toward {side}."
SPLIT = "The networks are split: {fake} toward FAKE, {real} toward REAL."
LOGITS = "What it adds is in logits, which are log-odds: 0 stands for even odds, more for FAKE, less for REAL."
MEANS = "The figures are means over the frames with a face."
# Filled in here and by the page's script.
LIKELIHOOD = "Likelihood of manipulation: {confidence} on a scale from 0 to 1; the threshold is {threshold}."
RATE = (
    "Among held-out pictures of the kinds it learnt from, {rate} of 100 real ones reached that threshold; elsewhere "
    "expect more."
)
RATE_UNKNOWN = "How often it is wrong about real faces has not been measured."


def state(result: Result) -> str:
    """One of STATES: no face, else uncertain if the certainty is low, else the label."""
    return "UNCERTAIN" if result.certainty == "low" else result.label


def probability(value: float) -> str:
    """With two decimals, and never as certainty: 0.996 is not 1."""
    return "> 0.99" if value > 0.99 else "< 0.01" if value < 0.01 else f"{value:.2f}"


def false_positives(rate: float | None) -> str:
    """What is known of how often reals reach the threshold; `rate` is a share."""
    if rate is None:
        return RATE_UNKNOWN
    return RATE.format(rate="fewer than 0.1" if rate < 0.001 else f"{100 * rate:.1f}")


def likelihood(result: Result) -> str:
    """Probability, threshold and the error rate that belongs to it."""
    assert result.confidence is not None
    numbers = LIKELIHOOD.format(confidence=probability(result.confidence), threshold=f"{result.threshold:.2f}")
    return f"{numbers} {false_positives(result.model.false_positive_rate)}"


def agreement(result: Result) -> str:
    """Whether the networks lean to the same side of the threshold, each on its own."""
    sides: dict[str, list[str]] = {"FAKE": [], "REAL": []}
    for network, probability in (result.networks or {}).items():
        sides["FAKE" if probability >= result.threshold else "REAL"].append(title(result, network))
    if all(sides.values()):
        return SPLIT.format(fake=_leaning(sides["FAKE"]), real=_leaning(sides["REAL"]))
    return AGREED.format(side="FAKE" if sides["FAKE"] else "REAL")


def title(result: Result, network: str) -> str:
    """What to call a network; by its name where the model has no title for it."""
    return result.model.titles.get(network, network)


def _leaning(titles: list[str]) -> str:
    *first, last = titles
    return f"{', '.join(first)} and {last} lean" if first else f"{last} leans"
