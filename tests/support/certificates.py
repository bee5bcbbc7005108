"""Authorities whose certificates, unlike trustme's, lack what Python 3.13 demands with VERIFY_X509_STRICT."""

import hashlib
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """An authority with neither key usage nor key identifier, whose basic constraints are not critical.

    Two authorities need different names.
    """

    def __init__(self, name: str = "Example authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._common_name = name
        self._certificate = self._sign(name, self._key, 30, x509.BasicConstraints(ca=True, path_length=None))

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
        """Make the context of a server for a host; with a negative number of days, its certificate has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(host, key, days, x509.SubjectAlternativeName([x509.DNSName(host)]))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as file:
            file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _sign(
        self, subject: str, key: ec.EllipticCurvePrivateKey, days: int, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(self._common_name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(extension, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
