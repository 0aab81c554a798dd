"""One file's way from frames to a Result, as events; decoding, face search and networks overlap."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from deepfake_contract.description import BundleDescription
from deepfake_contract.policy import Policy

from deepfake_client.ahead import ahead, ready
from deepfake_client.analysis.certainty import unmeasured
from deepfake_client.analysis.prepare import FaceCrop, PreparedFrame, frame_result, prepared
from deepfake_client.analysis.served_bundle import ServedBundle
from deepfake_client.analysis.stopwatch import Stopwatch
from deepfake_client.analysis.triton import Answers, Connection
from deepfake_client.analysis.verdict import tracks, verdict
from deepfake_client.faces.detect import CROWDED, MAX_FACES, Face, find_faces
from deepfake_client.media import open_media
from deepfake_client.media.frame import Frame
from deepfake_client.results import Accepted, Events, FrameResult, Progress, Result
from deepfake_client.settings import ClientSettings

Item = TypeVar("Item")

SEARCHES_IN_FLIGHT = 2  # frames whose faces are looked for at once; each is held in full


def analysis(path: Path, triton: Connection, settings: ClientSettings, frames: int | None, heatmaps: bool) -> Events:
    """Accepted; a Progress whenever frames were searched or answered, each FrameResult before it; last the Result.

    Raises the family of DeepfakeError.
    Holds no more than a few frames, whatever the clip's length. Owns the connection, and closes it at the end, also
    when the reader stops early.
    """
    watch, begun = Stopwatch(), datetime.now(UTC)
    with ExitStack() as stack:
        # Left in the order media, connection, threads: requests under way end before their threads are waited for.
        pool = stack.enter_context(ThreadPoolExecutor(settings.requests_in_flight + SEARCHES_IN_FLIGHT))
        stack.callback(triton.close)
        bundle = triton.bundle()
        policy = bundle.policy
        wanted = _frames_wanted(frames, policy, settings)
        with watch.timing("probe"):
            media = stack.enter_context(open_media(path, policy.sampling, wanted, settings))
        is_video = media.kind == "video"
        yield Accepted(media.kind, media.info, media.frames_expected)
        done: list[FrameResult] = []
        decoded = Counted(watch.waiting("decode", media))
        found = Counted(searched(pool, decoded, triton, policy, not is_video, watch))
        made_ready = prepared(found, policy, heatmaps)
        for answered in _answered(pool, made_ready, triton, bundle, settings, heatmaps, watch):
            done += answered
            yield from answered
            yield Progress(len(done), max(decoded.count, media.frames_expected), decoded.count, found.count)
        crowded = any(len(frame.faces) >= MAX_FACES for frame in done)
        outcome = verdict(done, media.info, bundle, is_video, media.truncated)
        yield Result(
            file_type=media.kind,
            frames_processed=len(done),
            confidence=outcome.confidence,
            label=outcome.label,
            certainty=outcome.certainty,
            reasons=outcome.reasons,
            threshold=policy.threshold,
            model=bundle.model,
            networks=outcome.networks,
            contributions=outcome.contributions,
            media=media.info,
            tracks=tracks(done),
            frames=done,
            warnings=[*media.warnings, *([CROWDED] if crowded else [])],
            provenance=media.provenance,
            method=_method(policy, wanted),
            analysed_at=begun.isoformat(timespec="seconds"),
            timing_s=watch.timings(),
        )


class Counted(Generic[Item]):
    """Passes items on; `count` is how many."""

    def __init__(self, items: Iterable[Item]):
        self._items, self.count = items, 0

    def __iter__(self) -> Iterator[Item]:
        for item in self._items:
            self.count += 1
            yield item


def _frames_wanted(frames: int | None, policy: Policy, settings: ClientSettings) -> int:
    if frames is None:
        return min(policy.frames, settings.max_frames)
    return settings.check_frames(frames, "frames")


def searched(
    pool: ThreadPoolExecutor,
    media: Iterable[Frame],
    triton: Connection,
    policy: Policy,
    thorough: bool,
    watch: Stopwatch,
) -> Iterator[tuple[Frame, list[Face] | None]]:
    """Frames with their faces, in order; None where the policy takes whole frames. Few frames are held at once."""
    if policy.crop == "frame":
        return ((frame, None) for frame in media)

    def search(frame: Frame) -> tuple[Frame, list[Face]]:
        with watch.timing("faces"):
            return frame, find_faces(frame.image, triton.face_candidates, thorough)

    return ahead(pool, search, media, SEARCHES_IN_FLIGHT)


def _answered(
    pool: ThreadPoolExecutor,
    frames: Iterable[PreparedFrame],
    triton: Connection,
    bundle: ServedBundle,
    settings: ClientSettings,
    heatmaps: bool,
    watch: Stopwatch,
) -> Iterator[list[FrameResult]]:
    """In order; for each frame taken those that were answered meanwhile, which may be none."""
    size, described = min(settings.batch_size, max(1, bundle.max_batch_size)), bundle.description

    def ask(batch: list[PreparedFrame]) -> list[FrameResult]:
        crops = [crop for frame in batch for crop in frame.crops]
        with watch.timing("networks"):
            requests = [crops[at : at + size] for at in range(0, len(crops), size)]
            answers = _joined([_ask(triton, request, heatmaps, described) for request in requests], described)
        starts = np.cumsum([0] + [len(frame.crops) for frame in batch])
        return [
            frame_result(frame, answers, int(start), described) for frame, start in zip(batch, starts, strict=False)
        ]

    pending: deque[Future[list[FrameResult]]] = deque()
    for batch in _batches(frames, size):
        if batch:
            pending.append(pool.submit(ask, batch))
        yield [frame for results in ready(pending, settings.requests_in_flight) for frame in results]
    yield from ready(pending, 1)


def _batches(frames: Iterable[PreparedFrame], size: int) -> Iterator[list[PreparedFrame]]:
    """Frames together as long as their crops fit one request; for each frame taken a batch, empty while one fills."""
    batch: list[PreparedFrame] = []
    crops = 0
    for frame in frames:
        full = bool(batch) and (crops + len(frame.crops) > size or len(batch) == size)
        yield batch if full else []
        if full:
            batch, crops = [], 0
        batch.append(frame)
        crops += len(frame.crops)
    yield batch


def _ask(triton: Connection, crops: list[FaceCrop], heatmaps: bool, described: BundleDescription) -> Answers:
    sides = np.array([[crop.face_side] for crop in crops], np.float32) if described.wants_face_side else None
    return triton.ask_networks(np.stack([crop.pixels for crop in crops]), heatmaps, sides)


def _joined(answers: list[Answers], described: BundleDescription) -> Answers:
    if not answers:
        return Answers(np.empty(0), np.empty((0, len(described.names))), None)
    heatmaps = [each.heatmaps for each in answers if each.heatmaps is not None]
    return Answers(
        np.concatenate([each.probability for each in answers]),
        np.concatenate([each.networks for each in answers]),
        np.concatenate(heatmaps) if heatmaps else None,
    )


def _method(policy: Policy, frames: int) -> dict[str, str]:
    crop = "whole frame" if policy.crop == "frame" else f"face with a margin of {policy.face_margin:g}"
    lacking = unmeasured(policy)
    return {
        "client": version("deepfake-detector"),
        "sampling": f"{policy.sampling}, at most {frames} frames",
        "crop": crop,
        "aggregate": f"{policy.aggregate} over frames of the highest whole face",
    } | ({"certainty": f"no rule measured for {', '.join(lacking)}"} if lacking else {})
