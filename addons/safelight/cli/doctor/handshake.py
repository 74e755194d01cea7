"""The running proxy opens connections to AI services: a handshake (RFC 8446) with it, for one.

It answers that itself: nothing is sent to the service.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
from typing import TYPE_CHECKING

from safelight.cli.doctor.canary import SERVICE
from safelight.cli.doctor.check import Check, note, ok, wrong
from safelight.proxy import resolve
from safelight.trust import ROOT_FILE

if TYPE_CHECKING:
    from safelight.cli.doctor.check import Looked

_NAME = "opens"
_LONGEST = 10  # seconds


def check(looked: Looked) -> Check:
    """Does it show a certificate that this machine's own signed?"""
    root = looked.state / ROOT_FILE
    if not root.exists():
        return wrong(_NAME, f"There is no certificate in {looked.state} yet.", looked.set_up())
    try:
        host, port = resolve.parse_address(looked.proxy)
        context = ssl.create_default_context(cafile=root)
        connection = http.client.HTTPSConnection(host, port, context=context, timeout=_LONGEST)
        connection.set_tunnel(SERVICE, 443)
        with contextlib.closing(connection):
            connection.connect()
    except ssl.SSLCertVerificationError:
        says = f"The proxy at {looked.proxy} does not use the certificate in {looked.state}."
        return wrong(_NAME, says, "Start it anew, or name its folder by --state.")
    except (OSError, ValueError, http.client.HTTPException) as error:
        if "407" in str(error):
            return note(_NAME, "It wants to know who you are, so this was not tried.")
        says = f"No connection to {SERVICE} could be opened: {error}."
        return wrong(_NAME, says, looked.run())
    return ok(_NAME, "It opens connections to AI services, by its own certificate.")
