"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# The first call of a compiled loop takes seconds on a fresh machine, and a loaded one is slow at any time:
# neither says anything of what a property is about.
settings.register_profile("maskgen", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("maskgen")
