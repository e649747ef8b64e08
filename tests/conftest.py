"""Fixtures of all tests: real parts, started once."""

pytest_plugins = [
    "tests.fixtures.redis",
    "tests.fixtures.events",
    "tests.fixtures.system",
    "tests.fixtures.triton",
]
