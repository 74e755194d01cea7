"""Where workers and people meet: uploads that wait for a yes, and what happens as it happens."""

from safelight.broker.client import (
    NoBrokerError,
    Teller,
    answer,
    ask,
    ask_for_later,
    waiting,
    watch,
)
from safelight.broker.server import running
from safelight.broker.waiting import Answer, Held

__all__ = [
    "Answer",
    "Held",
    "NoBrokerError",
    "Teller",
    "answer",
    "ask",
    "ask_for_later",
    "running",
    "waiting",
    "watch",
]
