from audit.application.recording import Recorder
from audit.repositories import DjangoTrail


def recorder(alias: str) -> Recorder:
    return Recorder(DjangoTrail(alias))
