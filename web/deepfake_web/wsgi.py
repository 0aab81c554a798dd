"""What gunicorn calls in its worker process."""

import logging
import sys

from flask import Flask

from deepfake_web.app import create_app


def application() -> Flask:
    """The application with settings from the environment; its log goes to standard error."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    return create_app()
