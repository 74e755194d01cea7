"""For people who run their own mitmproxy: `mitmdump -s addons/upload_guard.py`.

The same gate and guard as `safelight run`, inside a proxy that others configure. What cannot be
promised there: that no other script changes a request after it was cleared, that mitmproxy's
options stay as they are, and that its certificate authority can only speak for AI services.
Set SAFELIGHT_POLICY and SAFELIGHT_AUDIT to choose the policy file and the audit folder.
"""

from __future__ import annotations

from safelight.proxy.script import addons

__all__ = ["addons"]
