"""Probability of FAKE for one face crop, by HTTP: python http_client.py CROP.jpg [HOST:PORT]

Needs pillow, nothing else: the KServe v2 protocol with its binary tensor extension. grpc_client.py says what is sent.
"""

import json
import sys
import urllib.request

from PIL import Image

path, address = (*sys.argv[1:], "127.0.0.1:8000")[:2]
model = f"http://{address}/v2/models/deepfake_ensemble"
with urllib.request.urlopen(f"{model}/config", timeout=60) as response:
    bundle = json.loads(json.load(response)["parameters"]["deepfake_bundle"]["string_value"])

side = bundle["policy"]["crop_side"]
pixels = Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BILINEAR).tobytes()
crops = {
    "name": "CROPS",
    "shape": [1, side, side, 3],
    "datatype": "UINT8",
    "parameters": {"binary_data_size": len(pixels)},
}
outputs = [{"name": "PROBABILITY"}, {"name": "MODEL_PROBABILITIES"}]
header = json.dumps({"inputs": [crops], "outputs": outputs}).encode()
request = urllib.request.Request(
    f"{model}/infer",
    data=header + pixels,
    headers={"Inference-Header-Content-Length": str(len(header)), "Content-Type": "application/octet-stream"},
)
with urllib.request.urlopen(request, timeout=60) as response:
    answer = {each["name"]: each["data"] for each in json.load(response)["outputs"]}

print(f"probability of FAKE: {answer['PROBABILITY'][0]:.4f}")
for network, probability in zip(bundle["networks"], answer["MODEL_PROBABILITIES"], strict=True):
    print(f"  {network['name']}: {probability:.4f}")
