"""deepfake train MANIFEST --output BUNDLE"""

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from deepfake_detector.bundle import Title
from deepfake_detector.network import HybridNetwork
from deepfake_detector.profiles import LITE, LITE_POLICY
from deepfake_detector.writing import write_bundle

from deepfake_training.data import hold_out, read_manifest
from deepfake_training.faces import FindFace, cut_faces, served_faces
from deepfake_training.member import probabilities, train_member
from deepfake_training.pretrained import load_efficientnet_lite0
from deepfake_training.recipes import FACE_MARGIN, LITE_RECIPES, Recipe
from deepfake_training.stack import fit_stack

NAME, VERSION = "lite", "0.1.0"
HELD_OUT = 0.1  # of the training groups: never learnt from, kept for the stacking and its figures
CACHE = Path("~/.cache/deepfake-detector/training").expanduser()
log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="deepfake train",
        description="Trains the lite networks and their stacking, and writes a bundle. Called again with the same "
        "options it goes on where it was stopped. Only rows of the split `train` are read.",
    )
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="CSV: path, label, source, group, split, …")
    parser.add_argument("--output", type=Path, required=True, metavar="BUNDLE", help="folder to write")
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of crops and checkpoints (%(default)s)")
    parser.add_argument("--budget", type=float, default=1.0, help="factor on each network's processor time (1)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repository", type=Path, help="model repository with the face detector (the clone's)")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    recipes = {
        role: replace(recipe, processor_minutes=recipe.processor_minutes * options.budget)
        for role, recipe in LITE_RECIPES.items()
    }
    with served_faces(options.repository) as find_face:
        train(options.manifest, options.output, options.work, find_face, recipes, options.seed)
    return 0


def train(manifest: Path, output: Path, work: Path, find_face: FindFace, recipes: dict[str, Recipe], seed: int) -> None:
    """Cuts the faces, trains a network a recipe, fits the stacking on held-out groups and writes the bundle.

    Crops and checkpoints stay in `work`. The order of the data depends on the seed alone; how many steps a budget of
    processor time buys depends on the machine.
    """
    samples = read_manifest(manifest, "train")
    shown, crops = cut_faces(samples, find_face, FACE_MARGIN, work)
    learn, held = hold_out(shown, HELD_OUT, seed)
    place = {sample.path: index for index, sample in enumerate(shown)}
    learn_crops = crops[[place[sample.path] for sample in learn]]
    held_crops = crops[[place[sample.path] for sample in held]]
    log.info(
        "%d pictures to learn from, %d held out, %d without a face", len(learn), len(held), len(samples) - len(shown)
    )

    networks: list[HybridNetwork] = []
    for spec in LITE:
        torch.manual_seed(seed)
        network = HybridNetwork(spec)
        if spec.architecture == "tf_efficientnet_lite0":
            load_efficientnet_lite0(network.backbone)
        recipe = recipes[spec.role]
        teacher = networks[0] if recipe.distil else None
        networks.append(train_member(network, learn, learn_crops, recipe, work / f"{spec.role}.pt", seed, teacher))

    answers = np.stack([probabilities(network, held_crops) for network in networks], axis=1)
    stack = fit_stack(answers, np.array([sample.fake for sample in held]))
    policy = replace(
        LITE_POLICY,
        face_margin=FACE_MARGIN,
        false_positive_rate=stack.false_positive_rate,
        uncertain=stack.uncertain,
    )
    write_bundle(output, Title(NAME, VERSION), networks, stack.scaler, stack.regression, policy, half=True)
    log.info("wrote %s", output)
