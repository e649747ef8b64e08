"""Fixtures of all tests: real parts, started once."""

from hypothesis import settings

pytest_plugins = [
    "tests.fixtures.redis",
    "tests.fixtures.events",
    "tests.fixtures.logs",
    "tests.fixtures.system",
    "tests.fixtures.triton",
]

# No test asserts a time: what an example takes is the machine's business.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
