"""Programs that tests need from the system."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def needed(name: str) -> str:
    """Where the program is; skips the test where it is missing, or fails it in CI."""
    return shutil.which(name) or missing(name)


def missing(name: str) -> NoReturn:
    """Skip the test for want of a program, or fail it in CI."""
    message = f"{name} is not installed: make test-deps"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
