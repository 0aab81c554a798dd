"""Probability of FAKE for one face crop, by gRPC: python grpc_client.py CROP.jpg [HOST:PORT]

Needs tritonclient[grpc] and pillow. A crop shows one face with some of its surroundings.
"""

import sys

import numpy as np
from PIL import Image
from tritonclient.grpc import InferenceServerClient, InferInput

path, address = (*sys.argv[1:], "127.0.0.1:8001")[:2]
crop = Image.open(path).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
crops = np.asarray(crop)[np.newaxis]  # uint8 [1, 224, 224, 3]; more crops, up to the served batch size, are fine

tensor = InferInput("CROPS", list(crops.shape), "UINT8")
tensor.set_data_from_numpy(crops)
answer = InferenceServerClient(address).infer("deepfake_ensemble", [tensor])

print(f"probability of FAKE: {answer.as_numpy('PROBABILITY')[0, 0]:.4f}")
for name, probability in zip(
    ("efficientnet", "convnext", "swin"), answer.as_numpy("MODEL_PROBABILITIES")[0], strict=True
):
    print(f"  {name}: {probability:.4f}")
