"""Certificates of authorities that lack what a strict verification demands."""

import hashlib
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_KEY_USAGE = dict.fromkeys(
    (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    ),
    False,
)


@dataclass(frozen=True)
class Omissions:
    """What an authority's certificate lacks."""

    critical: bool = False
    key_usage: bool = False
    key_identifier: bool = False


OMISSIONS = {
    "basicConstraints not critical": Omissions(critical=True),
    "no keyUsage": Omissions(key_usage=True),
    "no key identifier": Omissions(key_identifier=True),
    "nothing of these": Omissions(critical=True, key_usage=True, key_identifier=True),
}


class Authority:
    """An authority that signs for one host at a time.

    Args:
        omissions: What its own certificate, and those that it signs, lack.
        name: Its common name; two authorities need different ones.
    """

    def __init__(self, omissions: Omissions | None = None, name: str = "Example authority") -> None:
        self._omissions = omissions or Omissions()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._common_name = name
        self._name = _name(name)
        builder = _builder(self._name, self._name, self._key, days=30)
        basic = x509.BasicConstraints(ca=True, path_length=None)
        builder = builder.add_extension(basic, critical=not self._omissions.critical)
        if not self._omissions.key_usage:
            usage = x509.KeyUsage(**{**_KEY_USAGE, "key_cert_sign": True, "crl_sign": True})
            builder = builder.add_extension(usage, critical=True)
        self._certificate = self._identified(builder, self._key).sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        """The authority's certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def write_to(self, path: Path) -> str:
        """Write the authority's certificate into a file, and return its path."""
        path.write_bytes(self.pem)
        return str(path)

    @property
    def hashed_name(self) -> str:
        """The name that OpenSSL looks for in a folder: https://docs.openssl.org/master/man1/openssl-rehash/."""
        canonical = _name(self._common_name.lower()).public_bytes()[2:]
        return f"{int.from_bytes(hashlib.sha1(canonical, usedforsecurity=False).digest()[:4], 'little'):08x}.0"

    def server_context(self, host: str = "localhost", *, days: int = 10) -> ssl.SSLContext:
        """Make the context of a server for a host; a negative number of days makes its certificate an expired one."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(host), self._name, key, days)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        certificate = self._identified(builder, key).sign(self._key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as file:
            file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _identified(self, builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        if self._omissions.key_identifier:
            return builder
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return builder.add_extension(own, critical=False).add_extension(signer, critical=False)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
    )
