"""Probability of FAKE for one face crop, by gRPC: python grpc_client.py CROP.jpg [HOST:PORT]

Needs tritonclient[grpc] and pillow. A crop shows one face with some of its surroundings. Where a network of the bundle
has `face_side`, a second input is needed: FACE_SIDE, FP32 [1, 1], the face's longer side in pixels of the source.
"""

import json
import sys

import numpy as np
from PIL import Image
from tritonclient.grpc import InferenceServerClient, InferInput

path, address = (*sys.argv[1:], "127.0.0.1:8001")[:2]
client = InferenceServerClient(address)
parameters = client.get_model_config("deepfake_ensemble").config.parameters
bundle = json.loads(parameters["deepfake_bundle"].string_value)

side = bundle["policy"]["crop_side"]
crop = Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
crops = np.asarray(crop)[np.newaxis]  # uint8 [1, side, side, 3]; more crops, up to the served batch size, are fine

tensor = InferInput("CROPS", list(crops.shape), "UINT8")
tensor.set_data_from_numpy(crops)
answer = client.infer("deepfake_ensemble", [tensor])

print(f"probability of FAKE: {answer.as_numpy('PROBABILITY')[0, 0]:.4f}")
for network, probability in zip(bundle["networks"], answer.as_numpy("MODEL_PROBABILITIES")[0], strict=True):
    print(f"  {network['name']}: {probability:.4f}")
