"""The number of frames analysed does not make the decoder grow."""

import numpy as np
from deepfake_client.media import open_media
from deepfake_client.settings import ClientSettings


def test_as_many_frames_as_may_be_asked_for_come_within_the_decoders_memory(tmp_path):
    import av

    path = tmp_path / "long.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, width=320, height=240)
        for at in range(300):
            picture = np.full((240, 320, 3), at % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    settings = ClientSettings(decoder_memory_bytes=768 << 20)
    with open_media(path, "even", settings.max_frames, settings) as media:
        assert sum(1 for _ in media) == settings.max_frames
