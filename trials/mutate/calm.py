"""A plugin for runs of many mutants in one process, on a machine that is busy with them: generated
examples are the same each time, and may take their time."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "mutate",
    deadline=None,
    derandomize=True,
    database=None,
    # mutmut runs the same test in one process more than once, on other instances of its class.
    suppress_health_check=[*HealthCheck],
)
settings.load_profile("mutate")
