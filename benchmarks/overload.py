"""What is left of the service when far too many ask at once.

    .environments/training/bin/python benchmarks/overload.py PICTURE --repository model_repository

Starts `deepfake serve`, measures its throughput with as many clients as it works for at once, then lets 64 clients
post the picture again and again, then 32 clients ask the ensemble over gRPC with full batches. Everything stays on
this machine.
"""

import argparse
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

ROOT = Path(__file__).resolve().parent.parent
PAUSE_S = 0.05  # after a refusal; a client that obeyed Retry-After would be no load
BATCH = 8


@contextmanager
def serving(repository: Path) -> Iterator[tuple[int, str, str]]:
    """Process id, web address and Triton's gRPC address of a running `deepfake serve`."""
    command = [Path(sys.executable).parent / "deepfake", "serve", "--port", "0", "--repository", repository]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines = []
        threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True).start()
        ready = process.stdout.readline()
        web = re.search(r"http://\S+", ready)
        if not web:
            sys.exit("".join(lines))
        grpc = next(match[1] for line in lines if (match := re.search(r"(\S+) \(gRPC\)", line)))
        yield process.pid, web[0], grpc
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def load(ask: Callable[[], str], clients: int, seconds: float) -> tuple[Counter, float]:
    """Answers by kind, and answers "OK" a second, of clients that ask without end."""
    answers: Counter[str] = Counter()
    lock = threading.Lock()
    end = time.monotonic() + seconds

    def client() -> None:
        while time.monotonic() < end:
            kind = ask()
            with lock:
                answers[kind] += 1
            if kind != "OK":
                time.sleep(PAUSE_S)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers, answers["OK"] / (time.monotonic() - start)


def poster(web: str, picture: bytes) -> Callable[[], str]:
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="picture"\r\n\r\n'
    body = head.encode() + picture + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}

    def post() -> str:
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{web}/predict", body, headers), timeout=180):
                return "OK"
        except urllib.error.HTTPError as error:
            return str(error.code)
        except OSError as error:
            return type(error).__name__

    return post


def asker(grpc: str) -> Callable[[], str]:
    crops = np.random.default_rng(0).integers(0, 256, (BATCH, 224, 224, 3), dtype=np.uint8)
    tensor = triton.InferInput("CROPS", crops.shape, "UINT8")
    tensor.set_data_from_numpy(crops)
    client = triton.InferenceServerClient(grpc)

    def ask() -> str:
        try:
            client.infer("deepfake_ensemble", [tensor])
            return "OK"
        except InferenceServerException as error:
            return str(error.status()).removeprefix("StatusCode.")

    return ask


def memory_mib(root: int) -> float:
    """Proportional set size of a process and all below it, MiB."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # gone meanwhile
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        waiting += parents.get(process, [])
        try:
            total += int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(), re.M)[1])
        except (OSError, TypeError):
            continue
    return total / 1024


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("picture", type=Path)
    parser.add_argument("--repository", type=Path, default=ROOT / "model_repository")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each load")
    options = parser.parse_args()
    with serving(options.repository) as (process, web, grpc):
        post, ask = poster(web, options.picture.read_bytes()), asker(grpc)
        good = [_measure(process, "REST", post, {"OK", "429"}, 64, options.seconds)]
        good.append(_measure(process, "gRPC", ask, {"OK", "UNAVAILABLE"}, 32, options.seconds))
    return 0 if all(good) else 1


def _measure(process: int, name: str, ask: Callable[[], str], allowed: set[str], clients: int, seconds: float) -> bool:
    for _ in range(3):
        ask()  # warm-up
    _, unloaded = load(ask, 2, seconds / 4)
    before = memory_mib(process)
    answers, loaded = load(ask, clients, seconds)
    after = memory_mib(process)
    start = time.monotonic()
    last = ask()
    waited = time.monotonic() - start
    print(
        f"{name}: 2 clients {unloaded:.2f} answers/s; {clients} clients {loaded:.2f} answers/s "
        f"({loaded / unloaded:.2f}); answers {dict(answers)}; memory {before:.0f} to {after:.0f} MiB; "
        f"the next one: {last} after {waited:.2f} s"
    )
    return set(answers) <= allowed and last == "OK" and loaded >= unloaded / 2 and Path(f"/proc/{process}").exists()


if __name__ == "__main__":
    sys.exit(main())
