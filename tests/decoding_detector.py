"""A detector that decodes for real and judges nothing: what a file's fault and our own look like over HTTP."""

from deepfake_client.media import open_media
from deepfake_client.results import Accepted
from deepfake_client.settings import ClientSettings
from deepfake_web.app import create_app
from deepfake_web.settings import WebSettings
from fake_detector import FakeDetector


class DecodingDetector(FakeDetector):
    """Answers once every frame was decoded."""

    def events(self, path, frames=None, heatmaps=False):
        with open_media(path, "even", frames or 4, ClientSettings()) as media:
            yield Accepted(media.kind, media.info, media.frames_expected)
            list(media)
        yield self.answer


def application():
    """What gunicorn serves in these tests."""
    return create_app(WebSettings.from_environment(), DecodingDetector())  # type: ignore[arg-type]
