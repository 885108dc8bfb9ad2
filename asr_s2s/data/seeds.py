"""Seeds of random choices that depend on names alone."""

import hashlib


def stable_seed(*parts: object) -> int:
    """Make a number below 2^63 from the parts alone; Python's hash() differs from process to process."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
