"""The tests: `make test`, or `python -m tests.runner tests.test_ids` for some of them."""

from hypothesis import HealthCheck, settings

# A test says what is true, never how fast a loaded machine finds it out.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
