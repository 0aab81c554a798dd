"""Whose Content Credentials are trusted: where the list is, and what results call it."""

from pathlib import Path

from deepfake_client.media.provenance import one_line
from deepfake_client.settings import OFFICIAL

# The C2PA's of that day, byte for byte (github.com/c2pa-org/conformance-public, trust-list/C2PA-TRUST-LIST.pem).
OFFICIAL_LIST = Path(__file__).with_name("C2PA-TRUST-LIST-2026-09-24.pem")


def path_of(setting: str) -> str:
    """The whole path of the list that the setting names; empty for none."""
    if setting == OFFICIAL:
        return str(OFFICIAL_LIST)
    return str(Path(setting).absolute()) if setting else ""


def name_of(path: str) -> str | None:
    """What results call the list at this path, or None for no list."""
    return one_line(Path(path).name) or None
