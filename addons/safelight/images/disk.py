"""How documents and drawings write places on somebody's disk, or in the network of an office."""

from __future__ import annotations

# A regular expression for their beginnings.
PLACE = rb"(?:file:|[A-Za-z]:[\\/]|\\\\|/(?:home|Users|Volumes|private|tmp|var|mnt|media)/)"
