"""What a Triton says about the bundle that it serves, in the ensemble's parameter."""

import json
from dataclasses import dataclass

from deepfake_contract.description import BundleDescription
from deepfake_contract.errors import BundleError, UnavailableError
from deepfake_contract.policy import Policy

from deepfake_client.results import Model


@dataclass(frozen=True)
class ServedBundle:
    """`max_batch_size` is the most crops that the ensemble takes in a request."""

    description: BundleDescription
    max_batch_size: int

    @property
    def policy(self) -> Policy:
        return self.description.policy

    @property
    def model(self) -> Model:
        """As results name it."""
        identity, networks = self.description.identity, self.description.networks
        return Model(
            name=identity.name,
            version=identity.version,
            digest=self.description.digest,
            titles={network.name: network.display_title for network in networks},
            architectures={network.name: network.architecture for network in networks},
            false_positive_rate=self.policy.false_positive_rate,
        )


def parse_bundle(text: str, max_batch_size: int) -> ServedBundle:
    """The parameter's JSON; UnavailableError when this client can't follow what it says."""
    try:
        return ServedBundle(BundleDescription.from_json(json.loads(text)), max_batch_size)
    except (BundleError, ValueError) as cause:
        raise UnavailableError(
            f"The served model describes itself in a way that this client can't read: {str(cause).rstrip('.')}. Export "
            "it again with the client's version."
        ) from cause
