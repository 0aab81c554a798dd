"""The wire to Triton as the client sees it: names of models and tensors, shapes, dtypes."""

ENSEMBLE = "deepfake_ensemble"
BUNDLE_PARAMETER = "deepfake_bundle"  # of the ensemble's configuration: JSON
CROPS = "CROPS"  # UINT8 [N, 224, 224, 3] RGB
PROBABILITY = "PROBABILITY"  # FP32 [N, 1] of FAKE
MODEL_PROBABILITIES = "MODEL_PROBABILITIES"  # FP32 [N, 3], in the order of ROLES
HEATMAP = "HEATMAP"  # FP32 [N, 7, 7] logits, positive toward FAKE
ROLES = ("efficientnet", "convnext", "swin")

FACE_DETECTOR = "face_detector"  # one frame a request, without a batch axis
FRAME = "FRAME"  # UINT8 [H, W, 3] RGB
BOXES = "BOXES"  # FP32 [K, 4] x, y, width, height in pixels of the frame
SCORES = "SCORES"  # FP32 [K]
LANDMARKS = "LANDMARKS"  # FP32 [K, 5, 2] x, y: eyes, nose, corners of the mouth
