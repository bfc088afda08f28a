"""What cannot go on by itself: somebody has to look."""


class NoSigningKeyError(LookupError):
    """There is none here, and none may be made in silence."""


class MissingRowError(LookupError):
    """A sealed entry is gone: such a bundle would accuse whoever exports it."""
