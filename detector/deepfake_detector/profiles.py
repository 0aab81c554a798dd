"""The two profiles of the one architecture: `base`, the original system's networks, and `lite`, small ones."""

from deepfake_detector.network import FFTSpec, NetworkSpec
from deepfake_detector.policy import Policy

ROLES = ("efficientnet", "convnext", "swin")  # in stacking order

BASE = tuple(
    NetworkSpec(role, architecture, f"model_{architecture}_best.pth")
    for role, architecture in zip(
        ROLES, ("efficientnet_b4", "convnext_base", "swin_small_patch4_window7_224"), strict=True
    )
)
# What the original did: the whole frame, every 5th from the start, the mean of the frames.
BASE_POLICY = Policy(
    crop="frame", sampling="every_nth:5", frames=32, aggregate="mean", threshold=0.5, uncertain=(0.35, 0.65)
)

# The spectrum is averaged down to a quarter: at full resolution its convolutions took a quarter of all the time.
LITE_FFT = FFTSpec(size=56, channels=(16, 32), features=64)
# Three times the one network that has weights to start from: ConvNeXt and Swin of this size, from nothing, learnt next
# to nothing in the same time (training/EXPERIMENTS.md). What makes the three differ is what each is fed: its diet.
LITE = tuple(
    NetworkSpec(
        role,
        "tf_efficientnet_lite0",
        f"model_{role}_best.pth",
        mean=(0.5, 0.5, 0.5),  # what its ImageNet weights were trained with
        std=(0.5, 0.5, 0.5),
        fft=LITE_FFT,
    )
    for role in ROLES
)
LITE_POLICY = Policy(
    crop="face", sampling="even", frames=32, aggregate="mean", threshold=0.5, uncertain=(0.35, 0.65), face_margin=0.3
)
