"""Settings for every test."""

from __future__ import annotations

import warnings

from hypothesis import settings

with warnings.catch_warnings():
    # mitmproxy's own dependencies use names that newer releases of others deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    import mitmproxy.addons  # noqa: F401

# How long an example takes says more about the machine than about the code; a hang is caught
# by the time limit of each test.
settings.register_profile("safelight", deadline=None)
settings.load_profile("safelight")
