"""A result's frames as CSV: a row for each face of each frame, for spreadsheets."""

import csv
import io
from typing import Any

from deepfake_contract.tensors import ROLES

from deepfake_client.report.plain_text import plain, spreadsheet_safe
from deepfake_client.results import FaceResult, FrameResult, Result

BOX = ("x", "y", "width", "height")
COLUMNS = ("file", "index", "time_s", "confidence", "track", *BOX, "cut", "face_confidence", *ROLES)


def frames_csv(name: str, result: Result) -> str:
    """COLUMNS and a line a face; a frame without a face is one line whose cells from `confidence` on are empty.

    x, y, width and height are the face's box in pixels, `cut` (at the picture's edge) is "true" or "false" as in JSON,
    the networks' columns are their probabilities of FAKE.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    file = spreadsheet_safe(plain(name))
    for frame in result.frames:
        rows = [_face(face) for face in frame.faces] or [{}]
        writer.writerows({"file": file, **_frame(frame), **row} for row in rows)
    return out.getvalue()


def _frame(frame: FrameResult) -> dict[str, Any]:
    return {"index": frame.index, "time_s": frame.time_s, "confidence": frame.confidence}


def _face(face: FaceResult) -> dict[str, Any]:
    box = dict(zip(BOX, face.box, strict=True))
    networks = {role: face.networks.get(role) for role in ROLES}
    face_values = {"track": face.track, "cut": str(face.cut).lower(), "face_confidence": face.confidence}
    return face_values | box | networks
