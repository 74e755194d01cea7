"""A month of the audit log as one HTML page: counted, drawn, put into words."""

from safelight.cli.report.month import Month, count, span_of
from safelight.cli.report.page import Trust, page

__all__ = ["Month", "Trust", "count", "page", "span_of"]
