"""Programs that make pictures with generative AI, by their names and by what they write into what they make."""

import json
import re
from collections.abc import Mapping

MAX_TEXT = 1 << 20  # characters looked through of one text; a workflow has some ten thousand
MAX_LABEL = 4000  # characters of a label
NAMES = (  # as they call themselves; in small letters
    *(
        "midjourney",
        "dall-e",
        "dall·e",
        "adobe firefly",
        "stable diffusion",
        "comfyui",
        "novelai",
        "invokeai",
        "fooocus",
    ),
    *("bing image creator", "google generative ai", "leonardo.ai", "ideogram"),
)
JOB = re.compile(r"Job ID: [0-9a-f]{8}-[0-9a-f]{4}-")
STEPS = re.compile(r"\bSteps: \d+, (?:[\w ]+: [^,\n]*, ){0,4}?Sampler: ")
OWN_KEYS = {  # of texts that nothing else writes
    **dict.fromkeys(("invokeai_metadata", "invokeai_graph", "sd-metadata", "Dream"), "InvokeAI"),
    "fooocus_scheme": "Fooocus",
}


def named(text: str | None) -> bool:
    """Whether a program's name is that of a known one."""
    return any(each in (text or "").lower() for each in NAMES)


def label(text: str | None) -> str | None:
    """Who says, by the label that China asks of generators (GB 45438-2025, annex E), that it made this; empty where it
    gives no name, None where the label is none or says less than that."""
    try:
        found = json.loads(text or "null") if len(text or "") <= MAX_LABEL else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or str(found.get("Label")) != "1":
        return None
    producer = found.get("ContentProducer")
    return producer if isinstance(producer, str) else ""


def of_texts(texts: Mapping[str, str]) -> str | None:
    """Whose details are in a file with these texts, by the key of each; None where there are none."""
    for key, program in OWN_KEYS.items():
        if key in texts:
            return program
    for text in texts.values():
        start = text[:MAX_TEXT]
        if '"class_type"' in start or ('"nodes"' in start and '"last_node_id"' in start):
            return "ComfyUI"
        if '"sui_image_params"' in start:
            return "SwarmUI"
        if STEPS.search(start):
            return "Stable Diffusion web UI"
        if JOB.search(start):
            return "Midjourney"
    return None
