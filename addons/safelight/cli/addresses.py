"""Addresses as they stand on a command line."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import click

from safelight.proxy import resolve

if TYPE_CHECKING:
    from safelight.proxy.admission import Network
    from safelight.proxy.resolve import Address, Resolution


class AddressType(click.ParamType["Address"]):
    """Where to listen or to connect."""

    name = "ADDR:PORT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        """What click calls."""
        try:
            return resolve.parse_address(str(value))
        except resolve.ResolveError as error:
            self.fail(str(error), param, ctx)


class NetworkType(click.ParamType["Network"]):
    """One address, or a range of them."""

    name = "NETWORK"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Network:
        """What click calls."""
        try:
            return ipaddress.ip_network(str(value))
        except ValueError:
            self.fail(
                f"{value} is no address or network such as 192.168.1.7 or 192.168.1.0/24",
                param,
                ctx,
            )


class ResolutionType(click.ParamType["Resolution"]):
    """Another address for a host."""

    name = "HOST:PORT=ADDR:PORT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Resolution:
        """What click calls."""
        try:
            return resolve.parse(str(value))
        except resolve.ResolveError as error:
            self.fail(str(error), param, ctx)
