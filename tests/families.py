"""One small network of each family, so that the detector and the export are tested with all three."""

from deepfake_detector.network import NetworkSpec
from deepfake_detector.profiles import LITE, LITE_FFT

FAMILIES = (
    LITE[0],
    NetworkSpec("convnext", "convnext_atto", "model_convnext_best.pth", fft=LITE_FFT),
    NetworkSpec(
        "swin",
        "swin_tiny_patch4_window7_224",
        "model_swin_best.pth",
        arguments={"embed_dim": 32, "depths": [2, 2, 6, 2], "num_heads": [1, 2, 4, 8]},
        fft=LITE_FFT,
    ),
)
