"""What Content Credentials say of how a file came about: its own manifest's actions, and its ingredients'.

C2PA 2.2, 18.15 (actions) and 18.17 (ingredients).
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from deepfake_client.media.facts import Said, Says
from deepfake_client.media.generators import named
from deepfake_client.media.provenance import bounded, moment, name
from deepfake_client.media.source_types import meaning

MAX_MANIFESTS = 100  # looked through: a file that was worked on a hundred times
BEGINNINGS = {"c2pa.created", "c2pa.opened"}
MADE = ("generated", "partly_generated")
# By these nobody sees another picture, or nobody can say; and other bodies' own actions mean what they like.
NO_EDITS = BEGINNINGS | {
    *("c2pa.converted", "c2pa.published", "c2pa.repackaged", "c2pa.transcoded", "c2pa.enhanced", "c2pa.unknown"),
    *("c2pa.resized", "c2pa.resized.proportional", "c2pa.edited.metadata", "c2pa.redacted"),
    *("c2pa.watermarked", "c2pa.watermarked.bound", "c2pa.watermarked.unbound"),
}


def said(store: dict[str, Any]) -> list[Said]:
    """From the library's JSON about a manifest store; a manifest that is not as it should be is passed over."""
    waiting: list[tuple[Any, bool]] = [(store["active_manifest"], False)]
    seen: set[Any] = set()
    found: list[Said] = []
    for label, ingredient in waiting:
        if label in seen or label not in store["manifests"] or len(seen) == MAX_MANIFESTS:
            continue
        seen.add(label)
        with suppress(AttributeError, LookupError, TypeError, ValueError):
            manifest = store["manifests"][label]
            waiting += [(each.get("active_manifest"), True) for each in manifest.get("ingredients") or ()]
            found += _of_manifest(manifest, ingredient)
    return bounded(found)


def _of_manifest(manifest: dict[str, Any], ingredient: bool) -> list[Said]:
    """What it says of the whole hides what it says of a part."""
    found = [replace(each, ingredient=ingredient) for each in _each(manifest)]
    whole = any(each.says == "generated" for each in found)
    return [each for each in found if not (whole and each.says == "partly_generated")]


def _each(manifest: dict[str, Any]) -> Iterator[Said]:
    generator = _program(next(iter(manifest.get("claim_generator_info") or ()), {}))
    for assertion in manifest.get("assertions") or ():
        label, data = assertion["label"], assertion.get("data")
        if not isinstance(data, dict):
            continue
        if label.startswith("c2pa.actions"):
            for action in data.get("actions") or ():
                by = _agent(action, data.get("softwareAgents") or []) or generator
                if says := _says(action, by):
                    yield Said(says, "c2pa", by, moment(action.get("when")))
        else:  # IPTC's, as c2pa.metadata, cawg.metadata or stds.iptc
            for key, value in data.items():
                if key.endswith(":DigitalSourceType") and (says := meaning(value)):
                    yield Said(says, "c2pa", generator)


def _says(action: dict[str, Any], by: str | None) -> Says | None:
    kind, says = action["action"], meaning(action.get("digitalSourceType"))
    if kind in BEGINNINGS:
        return says or ("generated" if kind == "c2pa.created" and named(by) else None)
    edits = kind.startswith("c2pa.") and kind not in NO_EDITS
    if says in MADE or (edits and named(by)):
        return "partly_generated"
    return "edited" if edits else None


def _agent(action: dict[str, Any], agents: list[Any]) -> str | None:
    """Who acted: a text in the first version of actions, in the second an object or a place in a list of them."""
    agent, index = action.get("softwareAgent"), action.get("softwareAgentIndex")
    if agent is None and isinstance(index, int) and 0 <= index < len(agents):
        agent = agents[index]
    return _program(agent) if isinstance(agent, dict) else name(agent)


def _program(agent: dict[str, Any]) -> str | None:
    version = agent.get("version")
    return name(f"{agent.get('name') or ''} {version if isinstance(version, str) else ''}")
