"""The proxy: mitmproxy, with nothing leaving unless the engine let it."""
