"""The fixtures stand in tests/plugin/fixtures.py, which the conftest.py of the root loads."""
