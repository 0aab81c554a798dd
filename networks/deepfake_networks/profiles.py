"""The two profiles of the one architecture: `base`, the original system's networks, and `lite`, small ones."""

from deepfake_contract.description import FFTSpec, NetworkSpec
from deepfake_contract.policy import Policy

BASE = tuple(
    NetworkSpec(name, architecture, f"model_{architecture}_best.pth", title, fft=FFTSpec())
    for name, architecture, title in (
        ("efficientnet", "efficientnet_b4", "EfficientNet-B4"),
        ("convnext", "convnext_base", "ConvNeXt-Base"),
        ("swin", "swin_small_patch4_window7_224", "Swin-Small"),
    )
)
# What the original did: the whole frame, every 5th from the start, the mean of the frames.
BASE_POLICY = Policy(
    crop="frame", sampling="every_nth:5", frames=32, aggregate="mean", threshold=0.5, uncertain=(0.35, 0.65)
)

# The spectrum is averaged down to a quarter: at full resolution its convolutions took a quarter of all the time.
LITE_FFT = FFTSpec(size=56, channels=(16, 32), features=64)
# Three times the one network that has weights to start from: ConvNeXt and Swin of this size, from nothing, learnt next
# to nothing in the same time (training/EXPERIMENTS.md). What makes the three differ is each one's training mixture.
LITE = tuple(
    NetworkSpec(
        name,
        "tf_efficientnet_lite0",
        f"{name}.pth",
        title,
        mean=(0.5, 0.5, 0.5),  # what its ImageNet weights were trained with
        std=(0.5, 0.5, 0.5),
        fft=LITE_FFT,
    )
    for name, title in (
        ("lite0_labelled", "EfficientNet-Lite0 (usual augmentation)"),
        ("lite0_self_blended", "EfficientNet-Lite0 (fakes made of real photographs)"),
        ("lite0_augmented", "EfficientNet-Lite0 (strong augmentation)"),
    )
)
# Measured with the face detector on the training pictures: the box fills 1.01 of a dfdc crop (from 0.90 at the 5th to
# 1.10 at the 95th percentile) but 0.5 to 0.8 of the other sources' pictures, so a wider margin than this would show
# context that the largest source can't teach.
LITE_POLICY = Policy(
    crop="face", sampling="even", frames=32, aggregate="mean", threshold=0.5, uncertain=(0.35, 0.65), face_margin=0.05
)
