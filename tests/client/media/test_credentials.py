"""Content Credentials are one of four states, read without a word to anybody."""

import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import c2pa
import numpy as np
import pytest
from cryptography import x509
from deepfake_client import Detector
from deepfake_client.media import open_media
from deepfake_client.media.credentials import BLOCK_BYTES, MARKERS, is_marked
from deepfake_client.media.facts import NO_CREDENTIALS, Credentials
from deepfake_client.media.frame import Request
from deepfake_client.media.trust import OFFICIAL_LIST
from deepfake_client.results import to_dict
from deepfake_client.settings import ClientSettings
from deepfake_contract.errors import DeepfakeError, UsageError
from PIL import Image, _imaging
from signing import GENERATED, Signer, assertion, new_signer

DEADLINE_S = 20
LIBRARY = "libc2pa_c.so"
KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif", "GIF": "image/gif"}
UNKNOWN = Credentials("unknown_signer", "A Photographer, Test Press", "Test Editor 1.2", None, OFFICIAL_LIST.name, [])
ELSEWHERE = replace(NO_CREDENTIALS, problems=["manifest.inaccessible"])
UNCONFINED = """
import json, sys
from dataclasses import asdict
from deepfake_client.media.credentials import prepared
from deepfake_client.media.frame import Request
from deepfake_client.media.trust import OFFICIAL_LIST
credentials, _ = prepared(Request(**json.loads(sys.argv[1])))()
print(json.dumps(asdict(credentials)))
"""


@pytest.fixture(scope="module")
def signer() -> Signer:
    return new_signer()


@pytest.fixture
def trust_list(tmp_path, signer) -> str:
    """A list that knows the signer's authority, and another."""
    path = tmp_path / "known.pem"
    path.write_bytes(new_signer().authority + b"The next one:\n" + signer.authority)
    return str(path)


@pytest.fixture
def saved(tmp_path):
    def saved(data: bytes) -> Path:
        path = tmp_path / "file"
        path.write_bytes(data)
        return path

    return saved


@pytest.fixture
def credentials(saved, load) -> Callable[..., Credentials]:
    """What is found in a file of these bytes; its frames must have been read, too."""

    def credentials(data: bytes, **settings: str) -> Credentials:
        loaded = load(saved(data), **settings)
        assert loaded.numbers
        return loaded.provenance.credentials

    return credentials


@pytest.fixture
def picture(numbered) -> Callable[..., bytes]:
    def picture(form: str = "JPEG", **options) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(numbered(5)).save(buffer, form, **options)
        return buffer.getvalue()

    return picture


@pytest.fixture
def clip(tmp_path, write_clip) -> bytes:
    return write_clip(tmp_path / "clip.mp4", "libx264", count=12).read_bytes()


class Listener:
    """Answers every request with 404, and tells what was asked for."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"
        self._asked: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def asked(self) -> list[str]:
        """What came until now; ends the listening."""
        with socket.create_connection(self._server.getsockname()) as last:
            last.sendall(b"END\n")
            self._thread.join(DEADLINE_S)
        self._server.close()
        return self._asked

    def _serve(self) -> None:
        while True:
            client, _ = self._server.accept()
            with client:
                client.settimeout(DEADLINE_S)
                first = client.recv(4096).split(b"\n", 1)[0].decode()
                if first == "END":
                    return
                self._asked.append(first.strip())
                client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener._server.close()


def unconfined(path: Path, trust_list: str = "") -> Credentials:
    """What our code finds where no sandbox keeps it from the network."""
    with path.open("rb") as file:
        request = Request(file.fileno(), "picture", "JPEG", "even", 1, 1000, 10, 1 << 30, 10, trust_list)
        command = [sys.executable, "-c", UNCONFINED, json.dumps(asdict(request))]
        result = subprocess.run(command, stdout=subprocess.PIPE, check=True, pass_fds=[file.fileno()], timeout=60)
    return Credentials(**json.loads(result.stdout))


def test_most_files_have_none(credentials, picture, clip):
    assert credentials(picture()) == NO_CREDENTIALS
    assert credentials(clip) == NO_CREDENTIALS


@pytest.mark.parametrize("form", KINDS)
def test_intact_picture_of_an_unknown_signer(form, credentials, picture, signer):
    assert credentials(signer.sign(picture(form), KINDS[form])) == UNKNOWN


def test_intact_clip_of_an_unknown_signer(credentials, clip, signer):
    assert credentials(signer.sign(clip, "video/mp4")) == UNKNOWN


@pytest.mark.parametrize("form", KINDS)
def test_intact_picture_of_a_trusted_signer(form, credentials, picture, signer, trust_list):
    found = credentials(signer.sign(picture(form), KINDS[form]), trust_list=trust_list)
    assert found == replace(UNKNOWN, state="trusted", trust_list="known.pem")


def test_intact_clip_of_a_trusted_signer(credentials, clip, signer, trust_list):
    found = credentials(signer.sign(clip, "video/mp4"), trust_list=trust_list)
    assert found == replace(UNKNOWN, state="trusted", trust_list="known.pem")


def test_signer_whom_the_list_does_not_know(credentials, picture, trust_list):
    found = credentials(new_signer().sign(picture(), "image/jpeg"), trust_list=trust_list)
    assert found == replace(UNKNOWN, trust_list="known.pem")


def test_trust_list_may_be_named_from_the_working_folder(credentials, picture, signer, trust_list, monkeypatch):
    monkeypatch.chdir(Path(trust_list).parent)
    assert credentials(signer.sign(picture(), "image/jpeg"), trust_list="known.pem").state == "trusted"


def test_with_no_trust_list_nobody_is_known(credentials, picture, signer):
    found = credentials(signer.sign(picture(), "image/jpeg"), trust_list="")
    assert found == replace(UNKNOWN, trust_list=None)


def test_the_official_list_is_the_one_that_was_published_and_is_read_whole():
    """Its digest is that of the published file; each authority is one that the library takes as an anchor."""
    data = OFFICIAL_LIST.read_bytes()
    assert hashlib.sha256(data).hexdigest() == "75cacc98b79ecac33713c7ecfb58d4a0ef383f3c1f886e7409f9e37e8664aea5"
    certificates = x509.load_pem_x509_certificates(data)
    assert len(certificates) == data.count(b"BEGIN CERTIFICATE") == 30
    assert all(each.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for each in certificates)


def test_a_signer_whom_a_list_in_the_form_of_the_official_one_knows(credentials, picture, signer, tmp_path):
    (tmp_path / "list.pem").write_bytes(OFFICIAL_LIST.read_bytes() + b"\nSubject\tCN=Root\n" + signer.authority)
    found = credentials(signer.sign(picture(), "image/jpeg"), trust_list=str(tmp_path / "list.pem"))
    assert found == replace(UNKNOWN, state="trusted", trust_list="list.pem")


def test_picture_changed_after_signing_is_broken(credentials, picture, signer, trust_list):
    signed = bytearray(signer.sign(picture(), "image/jpeg"))
    signed[-60] ^= 1
    found = credentials(bytes(signed), trust_list=trust_list)
    assert (found.state, found.problems) == ("broken", ["assertion.dataHash.mismatch"])


def test_clip_changed_after_signing_is_broken(credentials, clip, signer, trust_list):
    signed = bytearray(signer.sign(clip, "video/mp4"))
    signed[signed.index(b"x264 - core")] ^= 1  # within the sound and pictures, and yet in none
    found = credentials(bytes(signed), trust_list=trust_list)
    assert (found.state, found.problems) == ("broken", ["assertion.bmffHash.mismatch"])


def test_changed_claim_is_broken(credentials, picture, signer, trust_list):
    signed = signer.sign(picture(), "image/jpeg").replace(b"Test Editor", b"Fake Editor")
    found = credentials(signed, trust_list=trust_list)
    assert (found.state, found.problems) == ("broken", ["claimSignature.mismatch"])


def test_unreadable_manifest_is_broken_and_says_why(credentials, picture, signer):
    signed = bytearray(signer.sign(picture(), "image/jpeg"))
    at = signed.index(MARKERS[0]) + 60
    signed[at : at + 60] = b"\xff" * 60
    found = credentials(bytes(signed))
    assert found.state == "broken"
    assert found.problems[0].startswith("general.error: ")
    assert (found.signer, found.software) == (None, None)


def test_what_credentials_say_is_short_plain_text(credentials, picture, signer):
    name = "<b>me</b>\x1b[2J\n\u202e" + "A" * 100_000
    said = credentials(signer.sign(picture(), "image/jpeg", name=name)).software
    assert said is not None
    assert said.startswith("<b>me</b>�[2J �AAA")
    assert len(said) == 300


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_credentials_at_another_place_are_told_and_not_fetched(form, credentials, picture, signer, listener):
    signed = signer.sign(picture(form), KINDS[form], elsewhere=listener.url + "manifest")
    assert credentials(signed) == ELSEWHERE
    assert listener.asked() == []


def test_settings_alone_keep_remote_credentials_from_being_fetched(saved, picture, signer, listener):
    path = saved(signer.sign(picture(), "image/jpeg", elsewhere=listener.url + "manifest"))
    assert unconfined(path) == ELSEWHERE
    assert listener.asked() == []


def test_the_library_left_to_itself_fetches_them(picture, signer, listener):
    signed = signer.sign(picture(), "image/jpeg", elsewhere=listener.url + "manifest")
    with pytest.raises(c2pa.C2paError):
        c2pa.Reader("image/jpeg", io.BytesIO(signed))
    assert listener.asked() == ["GET /manifest HTTP/1.1"]


def test_nobody_is_asked_whether_a_certificate_was_revoked(saved, credentials, picture, listener, tmp_path):
    signer = new_signer(ocsp=listener.url)
    (tmp_path / "list.pem").write_bytes(signer.authority)
    signed = signer.sign(picture(), "image/jpeg")
    trusted = replace(UNKNOWN, state="trusted", trust_list="list.pem")
    assert credentials(signed, trust_list=str(tmp_path / "list.pem")) == trusted
    assert unconfined(saved(signed), str(tmp_path / "list.pem")) == trusted
    assert listener.asked() == []


def test_the_library_told_to_ask_does_so(picture, listener):
    signer = new_signer(ocsp=listener.url)
    asking = {"verify": {"ocsp_fetch": True}, "trust": {"trust_anchors": signer.authority.decode()}}
    with c2pa.Context.from_dict(asking) as context:
        c2pa.Reader("image/jpeg", io.BytesIO(signer.sign(picture(), "image/jpeg")), None, context).close()
    assert listener.asked()[0].startswith("GET /")


@pytest.mark.parametrize("marker", MARKERS)
def test_marker_by_itself_is_no_credentials(marker, credentials, picture):
    assert credentials(picture(comment=marker)) == NO_CREDENTIALS


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize(
    "at", [40, BLOCK_BYTES - 5, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES - 40, 3 * BLOCK_BYTES]
)
def test_marker_is_found_anywhere(marker, at, saved):
    with saved(bytes(at) + marker).open("rb") as file:
        assert is_marked(file.fileno())
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0


@pytest.mark.parametrize("size", [0, 10, BLOCK_BYTES, 3 * BLOCK_BYTES + 7])
def test_file_without_marker_is_read_to_its_end(size, saved):
    with saved(b"x" * size).open("rb") as file:
        assert not is_marked(file.fileno())


def test_the_library_is_loaded_only_for_a_file_with_a_marker(long_clip, saved, signer, children):
    def maps(path: Path) -> str:
        before = children()
        with open_media(path, "even", 1000, ClientSettings()) as media:
            next(iter(media))
            (child,) = children() - before
            return Path(f"/proc/{child}/maps").read_text()

    assert LIBRARY not in maps(long_clip)
    assert LIBRARY in maps(saved(signer.sign(long_clip.read_bytes(), "video/mp4")))


def test_a_library_in_the_working_folder_is_not_loaded(tmp_path, credentials, picture, signer, monkeypatch):
    (tmp_path / LIBRARY).symlink_to(_imaging.__file__)  # a library, but another: it has no such functions
    monkeypatch.chdir(tmp_path)
    assert credentials(signer.sign(picture(), "image/jpeg")) == UNKNOWN


def test_kind_of_file_that_can_have_none_is_not_searched(tmp_path, write_clip, load, signer):
    def prepare(stream):
        stream.container.metadata["comment"] = MARKERS[1].decode()

    path = write_clip(tmp_path / "a.mkv", "libx264", prepare=prepare)
    assert MARKERS[1] in path.read_bytes()
    assert load(path).provenance.credentials == NO_CREDENTIALS


@pytest.mark.parametrize("text", [None, "", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"], ids=str)
def test_unreadable_trust_list_stops_the_start(text, tmp_path):
    path = tmp_path / "list.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=r"DEEPFAKE_TRUST_LIST.*list\.pem"):
        ClientSettings.from_environment({"DEEPFAKE_TRUST_LIST": str(path)})


def test_trust_list_that_vanished_is_told(saved, picture, signer, trust_list):
    settings = ClientSettings(trust_list=trust_list)
    Path(trust_list).unlink()
    path = saved(signer.sign(picture(), "image/jpeg"))
    with pytest.raises(DeepfakeError, match="DEEPFAKE_TRUST_LIST"), open_media(path, "even", 1, settings):
        pass


def test_result_says_it_and_its_probability_does_not_change(triton, saved, astronaut: np.ndarray, signer, trust_list):
    buffer = io.BytesIO()
    Image.fromarray(astronaut).save(buffer, "JPEG", comment="from the field")
    unsigned = buffer.getvalue()
    generated = signer.sign(unsigned, "image/jpeg", assertions=[assertion(GENERATED)])
    with Detector(triton, ClientSettings(trust_list=trust_list)) as detector:
        without, signed = (to_dict(detector.analyze(saved(data))) for data in (unsigned, generated))
    assert json.loads(json.dumps(signed))["provenance"] == {
        "tags": {"comment": "from the field"},
        "credentials": {
            "state": "trusted",
            "signer": "A Photographer, Test Press",
            "software": "Test Editor 1.2",
            "signed_at": None,
            "trust_list": "known.pem",
            "problems": [],
        },
        "declared": [
            {
                "says": "generated",
                "source": "c2pa",
                "by": "Test Painter 3",
                "at": "2026-05-01T12:00:00Z",
                "ingredient": False,
                "signature": "trusted",
                "sentence": "The file says that it was made by generative AI, with “Test Painter 3”, on 2026-05-01 "
                "12:00:00 UTC (signed by “A Photographer, Test Press”, on the trust list “known.pem”).",
            }
        ],
    }
    assert (without["provenance"]["credentials"]["state"], without["provenance"]["declared"]) == ("none", [])
    same = ("confidence", "label", "certainty", "reasons", "networks", "contributions")
    assert [signed[each] for each in same] == [without[each] for each in same]
