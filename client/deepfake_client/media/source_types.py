"""IPTC's digital source types, and C2PA's own, as what a file says of itself.

IPTC NewsCodes, http://cv.iptc.org/newscodes/digitalsourcetype/ (September 2024); C2PA 2.2, 18.15.
"""

from deepfake_client.media.facts import Says

CODES: dict[str, Says] = {
    "trainedAlgorithmicMedia": "generated",
    "trainedAlgorithmicData": "generated",
    "compositeWithTrainedAlgorithmicMedia": "partly_generated",
    "compositeSynthetic": "partly_synthetic",
    "composite": "composite",
    "compositeCapture": "composite",
    "humanEdits": "edited",
    "minorHumanEdits": "edited",
    "algorithmicallyEnhanced": "edited",
    "algorithmicMedia": "computed",
    "dataDrivenMedia": "computed",
    "digitalCreation": "drawn",
    "digitalArt": "drawn",
    "screenCapture": "screen",
    "virtualRecording": "event",
    "negativeFilm": "digitised",
    "positiveFilm": "digitised",
    "print": "digitised",
    "digitalCapture": "captured",
    "computationalCapture": "captured",
}
BY_LOWER = {code.lower(): says for code, says in CODES.items()}


def meaning(source_type: object) -> Says | None:
    """What a type says, written as address, as `digsrctype:…` or alone; None for what is none."""
    if not isinstance(source_type, str):
        return None
    return BY_LOWER.get(source_type.strip().rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower())
