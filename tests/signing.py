"""Signs files with Content Credentials, by a signer and an authority that are made up here."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
CAPTURED = {"action": "c2pa.created", "digitalSourceType": f"{SOURCE_TYPE}digitalCapture"}
GENERATED = {
    "action": "c2pa.created",
    "digitalSourceType": f"{SOURCE_TYPE}trainedAlgorithmicMedia",
    "softwareAgent": {"name": "Test Painter", "version": "3"},
    "when": "2026-05-01T12:00:00Z",
}


def assertion(*actions: dict, **more: object) -> dict:
    """The assertion of these actions."""
    return {"label": "c2pa.actions.v2", "data": {"actions": list(actions)} | more}


@dataclass
class Signer:
    """PEM: the signer's certificate and its authority's, the authority's alone, the signer's key."""

    chain: bytes
    authority: bytes
    key: bytes

    def sign(
        self,
        data: bytes,
        mime: str,
        name: str = "Test Editor",
        elsewhere: str | None = None,
        assertions: Sequence[dict] = (assertion(CAPTURED),),
        ingredients: Sequence[tuple[str, bytes]] = (),
    ) -> bytes:
        """The file with credentials inside, or with only the address where they are said to be. An ingredient is its
        relationship and a file of the same kind; an action names the first by the id "0"."""
        builder = c2pa.Builder(
            {"claim_generator_info": [{"name": name, "version": "1.2"}], "assertions": list(assertions)}
        )
        for number, (relationship, ingredient) in enumerate(ingredients):
            about = {"title": "another", "relationship": relationship, "label": str(number)}
            builder.add_ingredient(json.dumps(about), mime, io.BytesIO(ingredient))
        if elsewhere:
            builder.set_no_embed()
            builder.set_remote_url(elsewhere)
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, self.chain, self.key, None))
        signed = io.BytesIO()
        builder.sign(signer, mime, io.BytesIO(data), signed)
        return signed.getvalue()


def new_signer(ocsp: str | None = None) -> Signer:
    """A photographer's certificate, and that of the authority that gave it; it may name an OCSP address."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority, photographer = _name("Test Authority", "Root"), _name("Test Press", "A Photographer")
    root = _certificate(authority, authority, authority_key.public_key(), authority_key, is_authority=True)
    leaf = _certificate(photographer, authority, key.public_key(), authority_key, is_authority=False)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    if ocsp:
        place = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
        leaf = leaf.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    root_pem, leaf_pem = (
        each.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) for each in (root, leaf)
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Signer(leaf_pem + root_pem, root_pem, key_pem)


def _name(organization: str, name: str) -> x509.Name:
    parts = {NameOID.ORGANIZATION_NAME: organization, NameOID.COMMON_NAME: name}
    return x509.Name([x509.NameAttribute(*part) for part in parts.items()])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    is_authority: bool,
) -> x509.CertificateBuilder:
    """Valid from yesterday for a month, with the extensions that the standard asks for."""
    usages = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
    usages |= {"digital_signature": not is_authority, "key_cert_sign": is_authority, "crl_sign": is_authority}
    usages |= {"encipher_only": False, "decipher_only": False}
    start = datetime.now(UTC) - timedelta(days=1)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.KeyUsage(**usages), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
