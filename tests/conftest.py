"""Settings for every test."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says more about the machine than about the code; a hang is caught
# by the time limit of each test.
settings.register_profile("safelight", deadline=None)
settings.load_profile("safelight")
