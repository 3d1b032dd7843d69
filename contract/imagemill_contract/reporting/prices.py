"""List prices of AWS: the one place for them. Free tiers and discounts are left out."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill_contract.reporting.usage import Request


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars of one region at one date.

    Attributes:
        region: Whose prices these are.
        as_of: Month in which they were looked up.
        vcpu_hour: Spot, Graviton c-family: between 0.012 and 0.018.
        get: One GET or HEAD.
        put: One PUT, COPY, POST or LIST. A DELETE costs nothing.
        transition: One transition of a standard workflow of Step Functions.
        lambda_gb_second: arm64.
        lambda_request: One invocation.
        sqs_request: One request to a standard queue.
    """

    region: str
    as_of: str
    vcpu_hour: float
    get: float
    put: float
    transition: float
    lambda_gb_second: float
    lambda_request: float
    sqs_request: float

    def of_request(self, kind: str) -> float:
        """Dollars of a request to S3, by its kind."""
        of_kind = {Request.GET: self.get, Request.PUT: self.put, Request.LIST: self.put}
        return of_kind.get(Request(kind), 0.0)


_US_EAST_1 = Prices(
    region="us-east-1",
    as_of="2026-11",
    vcpu_hour=0.0155,
    get=0.0004 / 1000,
    put=0.005 / 1000,
    transition=0.025 / 1000,
    lambda_gb_second=0.0000133334,
    lambda_request=0.20 / 1e6,
    sqs_request=0.40 / 1e6,
)
_PRICES = {prices.region: prices for prices in (_US_EAST_1,)}


def prices_of(region: str = "us-east-1") -> Prices:
    """The prices of a region. Raises KeyError for regions whose prices are not known here."""
    return _PRICES[region]
