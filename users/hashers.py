"""What verifies the hashes that were made elsewhere: the forms of `users.domain.hashes` that Django
has no hasher for. They make no new ones."""

import base64
import hashlib
import hmac
from typing import Final

import bcrypt
from django.contrib.auth.hashers import BasePasswordHasher

_BCRYPT_READS: Final = 72  # bytes


class BcryptHasher(BasePasswordHasher):
    """As the system that made the hash: what stands behind 72 bytes does not count. The library
    refuses longer passwords, which would be an error at the sign-in."""

    algorithm = "bcrypt"

    def verify(self, password: str, encoded: str) -> bool:
        _, hashed = encoded.split("$", 1)
        return bcrypt.checkpw(password.encode()[:_BCRYPT_READS], hashed.encode())


class Pbkdf2Hasher(BasePasswordHasher):
    """With any of three digests, and a salt that need not be text."""

    algorithm = "pbkdf2_raw"

    def verify(self, password: str, encoded: str) -> bool:
        _, digest, iterations, salt, checksum = encoded.split("$")
        expected = _bytes(checksum)
        made = hashlib.pbkdf2_hmac(
            digest, password.encode(), _bytes(salt), int(iterations), len(expected)
        )
        return hmac.compare_digest(made, expected)


class ScryptHasher(BasePasswordHasher):
    """With a checksum of any length, a salt that need not be text, and as much memory as the
    parameters ask for: OpenSSL's own limit of 32 MiB would be an error at the sign-in."""

    algorithm = "scrypt_raw"

    def verify(self, password: str, encoded: str) -> bool:
        _, *numbers, salt, checksum = encoded.split("$")
        n, r, p = map(int, numbers)
        expected = _bytes(checksum)
        made = hashlib.scrypt(
            password.encode(),
            salt=_bytes(salt),
            n=n,
            r=r,
            p=p,
            maxmem=128 * r * (n + p + 2),
            dklen=len(expected),
        )
        return hmac.compare_digest(made, expected)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
