"""What cannot go on by itself: somebody has to look."""


class NoSigningKeyError(LookupError):
    """There is none here, and none may be made in silence."""


class ArchiveError(Exception):
    """An archive that does not prove itself: what it holds must not leave the database."""


class PruneRefusedError(Exception):
    """Nothing more is pruned; what was, is on record."""


class MissingRowError(LookupError):
    """A sealed entry is gone: such a bundle would accuse whoever exports it."""
