"""Whether a file has Content Credentials (C2PA), whether they hold, and what they say: read offline, in the decoding
process."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from deepfake_contract.errors import UsageError

from deepfake_client.media import manifests
from deepfake_client.media.facts import NO_CREDENTIALS, Credentials, Said
from deepfake_client.media.frame import Request
from deepfake_client.media.provenance import MAX_PROBLEMS, one_line
from deepfake_client.media.trust import name_of

MIME = {  # where credentials can be, by the reader's name for the format; the library recognises the kind itself
    **{"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"},
    **{"HEIF": "image/heic", "AVIF": "image/avif", "mov": "video/mp4", "avi": "video/avi"},
}
# A manifest store's first box (C2PA 2.2, 11.1.4.2), and the XMP that names one elsewhere (11.5).
MARKERS = (b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71", b"dcterms:provenance")
BLOCK_BYTES = 1 << 20
OVERLAP_BYTES = max(map(len, MARKERS)) - 1  # a marker may lie across two blocks
ELSEWHERE = "manifest.inaccessible"
UNTRUSTED = "signingCredential.untrusted"
OFFLINE = {  # by default addresses that the file names are fetched
    "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},  # these may name addresses, too
}
STATES: dict[str, Literal["unknown_signer", "trusted"]] = {"Valid": "unknown_signer", "Trusted": "trusted"}


def prepared(request: Request) -> Callable[[], tuple[Credentials, list[Said]]]:
    """What will read the file's credentials, and what they say, once no other file can be opened.

    The library takes a tenth of a second to load, so it is loaded only for a file that holds a marker. UsageError
    where the trust list can't be read.
    """
    if request.format not in MIME or not is_marked(request.fd):
        return lambda: (NO_CREDENTIALS, [])
    os.chdir("/")  # or c2pa would load a library that lies in the working folder
    import c2pa

    context = c2pa.Context.from_dict(OFFLINE | {"trust": {"trust_anchors": _anchors(request.trust_list)}})

    def read() -> tuple[Credentials, list[Said]]:
        trust_list = name_of(request.trust_list)
        os.lseek(request.fd, 0, os.SEEK_SET)
        try:
            with (
                os.fdopen(request.fd, "rb", closefd=False) as file,
                c2pa.Reader(MIME[request.format], file, None, context) as reader,
            ):
                store = json.loads(reader.json())
            return _credentials(store, trust_list), manifests.said(store)
        except c2pa.C2paError.ManifestNotFound:
            return NO_CREDENTIALS, []
        except (c2pa.C2paError, LookupError, TypeError, ValueError, RecursionError) as error:
            if str(error).startswith("Remote:"):
                return replace(NO_CREDENTIALS, problems=[ELSEWHERE]), []
            problem = one_line(f"general.error: {error}")
            return replace(NO_CREDENTIALS, state="broken", trust_list=trust_list, problems=[problem]), []

    return read


def is_marked(descriptor: int) -> bool:
    """Whether a marker is anywhere in the file; reads by position, a block at a time."""
    position = 0
    while len(block := os.pread(descriptor, BLOCK_BYTES, position)) > OVERLAP_BYTES:
        if any(marker in block for marker in MARKERS):
            return True
        position += len(block) - OVERLAP_BYTES
    return False


def _anchors(path: str) -> str | None:
    try:
        return Path(path).read_text() if path else None
    except (OSError, ValueError) as cause:
        raise UsageError(f"The trust list {path} can't be read any more (DEEPFAKE_TRUST_LIST).") from cause


def _credentials(store: dict[str, Any], trust_list: str | None) -> Credentials:
    """From the library's JSON about a manifest store."""
    manifest = store["manifests"][store["active_manifest"]]
    signature = manifest.get("signature_info", {})
    generator: dict[str, str] = next(iter(manifest.get("claim_generator_info") or ()), {})
    results = store["validation_results"]
    failures = results["activeManifest"]["failure"] + [
        failure for delta in results.get("ingredientDeltas", ()) for failure in delta["validationDeltas"]["failure"]
    ]
    codes = dict.fromkeys(failure["code"] for failure in failures if failure["code"] != UNTRUSTED)
    return Credentials(
        state=STATES.get(store["validation_state"], "broken"),
        signer=_joined(", ", signature.get("common_name"), signature.get("issuer")),
        software=_joined(" ", generator.get("name"), generator.get("version")),
        signed_at=_joined("", signature.get("time")),
        trust_list=trust_list,
        problems=[one_line(code) for code in codes][:MAX_PROBLEMS],
    )


def _joined(by: str, *texts: str | None) -> str | None:
    return one_line(by.join(filter(None, texts))) or None
