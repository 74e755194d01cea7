"""Is the proxy able to do its work? Exit code 0 if a TLS handshake through it succeeds.

The proxy answers the handshake for an AI service itself, so nothing leaves the machine.
"""

import http.client
import ssl

HOST = "chatgpt.com"

context = ssl.create_default_context(cafile="/data/state/safelight-ca.pem")
connection = http.client.HTTPSConnection("127.0.0.1", 8080, timeout=8, context=context)
connection.set_tunnel(HOST, 443)
try:
    connection.connect()
except OSError as error:
    # It wants to know who asks, and nobody told this script a password.
    if "407" not in str(error):
        raise
connection.close()
