"""`deepfake serve`: Triton and the web application together, until Ctrl-C or TERM."""

import argparse
import logging
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace

from deepfake_client.cli.triton_options import add_triton_options, parse
from deepfake_client.embedded import FREE_PORTS, Supervisor, embedded_server
from deepfake_contract.errors import UnavailableError

from deepfake_web import gunicorn_app
from deepfake_web.settings import WebSettings
from deepfake_web.upload import check_folder

WATCH_S = 1.0  # between two checks of the two programs


def main(arguments: list[str]) -> int:
    """Serves until it is told to stop; returns the exit code. DeepfakeError says what hinders it."""
    options = parse(parser(), arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _stop)
    try:
        _serve(options)
    except KeyboardInterrupt:
        _say("Stopped.")
    return 0


def _serve(options: argparse.Namespace) -> None:
    settings = WebSettings.from_environment(
        host=options.host, port=options.port, triton=options.triton, triton_metrics=options.triton_metrics
    )
    check_folder(settings)
    with ExitStack() as stack:
        listener = stack.enter_context(gunicorn_app.bind(settings))
        supervisor = None
        if not settings.triton:
            _say("Starting Triton")
            triton, supervisor = stack.enter_context(
                embedded_server(options.repository, options.device, tuple(options.triton_ports))
            )
            settings = replace(settings, triton=triton.grpc, triton_metrics=triton.metrics)
            _say(f"Triton answers at {triton.grpc} (gRPC) and {triton.http} (HTTP)")
        _say("Starting the web application")
        address = gunicorn_app.address_of(listener)
        web = stack.enter_context(gunicorn_app.running(listener, settings))
        missing = gunicorn_app.why_not_ready(address)
        if missing and supervisor:
            raise UnavailableError(missing)
        if missing:
            _say(f"{missing} It is asked again with each request.")
        print(f"Ready: {address}", flush=True)
        _watch(web, supervisor)


def _watch(web: subprocess.Popen, supervisor: Supervisor | None) -> None:
    """Returns never; raises when one of the two has ended for good."""
    while True:
        try:
            web.wait(WATCH_S)
        except subprocess.TimeoutExpired:
            if supervisor and supervisor.failure:
                raise UnavailableError(supervisor.failure) from None
            continue
        raise UnavailableError("The web application ended by itself; its message stands above.")


def _stop(*_: object) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # stopping is under way, and bounded in time
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    """The options of `deepfake serve`."""
    result = argparse.ArgumentParser(
        prog="deepfake serve",
        description="Starts Triton and the web application, and stops both at Ctrl-C.",
        epilog=WebSettings.described(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("--host", help="address to listen on (DEEPFAKE_HOST)")
    result.add_argument("--port", type=int, help="port to listen on, 0 for a free one (DEEPFAKE_PORT)")
    add_triton_options(result)
    result.add_argument(
        "--triton-ports",
        nargs=3,
        type=int,
        default=FREE_PORTS,
        metavar=("GRPC", "HTTP", "METRICS"),
        help="ports of the Triton that is started, 0 for a free one",
    )
    result.add_argument(
        "--triton-metrics", metavar="HOST:PORT", help="metrics of the running Triton (DEEPFAKE_TRITON_METRICS)"
    )
    return result
