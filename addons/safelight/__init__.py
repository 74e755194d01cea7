"""Safelight keeps photos from telling AI services more than their owner meant to."""

__version__ = "0.1.0"
