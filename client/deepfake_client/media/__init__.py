"""From a file to upright RGB frames."""

from deepfake_client.media.decoder import Media, open_media
from deepfake_client.media.frame import Frame

__all__ = ["Frame", "Media", "open_media"]
