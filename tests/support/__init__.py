"""Real parts for tests: a running proxy, a TLS origin that remembers, pictures with secrets."""
