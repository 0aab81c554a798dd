"""Probability of FAKE for one face crop, by HTTP: python http_client.py CROP.jpg [HOST:PORT]

Needs pillow, nothing else: the KServe v2 protocol with its binary tensor extension.
"""

import json
import sys
import urllib.request

from PIL import Image

path, address = (*sys.argv[1:], "127.0.0.1:8000")[:2]
pixels = Image.open(path).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR).tobytes()
header = json.dumps(
    {
        "inputs": [
            {
                "name": "CROPS",
                "shape": [1, 224, 224, 3],
                "datatype": "UINT8",
                "parameters": {"binary_data_size": len(pixels)},
            }
        ],
        "outputs": [{"name": "PROBABILITY"}, {"name": "MODEL_PROBABILITIES"}],
    }
).encode()
request = urllib.request.Request(
    f"http://{address}/v2/models/deepfake_ensemble/infer",
    data=header + pixels,
    headers={"Inference-Header-Content-Length": str(len(header)), "Content-Type": "application/octet-stream"},
)
with urllib.request.urlopen(request, timeout=60) as response:
    outputs = {each["name"]: each["data"] for each in json.load(response)["outputs"]}

print(f"probability of FAKE: {outputs['PROBABILITY'][0]:.4f}")
for name, probability in zip(("efficientnet", "convnext", "swin"), outputs["MODEL_PROBABILITIES"], strict=True):
    print(f"  {name}: {probability:.4f}")
