"""The catalogue of AI services: their hosts, their upload steps, what they say about privacy."""

from safelight.services.catalogue import Catalogue, Destination
from safelight.services.learnt import Learnt
from safelight.services.model import Category, Host, Privacy, Road, Role, Service

__all__ = [
    "Catalogue",
    "Category",
    "Destination",
    "Host",
    "Learnt",
    "Privacy",
    "Road",
    "Role",
    "Service",
]
