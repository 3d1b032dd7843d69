"""The bill as rows of a table: what, how much, at which price, and dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagemill_app.page import words
from imagemill_contract.reporting.prices import prices_of


@dataclass(frozen=True, slots=True)
class BillRow:
    what: str
    quantity: str
    price: str
    dollars: str
    estimated: str


def bill_rows(report: Mapping[str, Any]) -> list[BillRow]:
    bill, used = report["bill"], report["bill"]["used"]
    prices, requests = prices_of(bill["prices"]["region"]), bill["used"]["requests"]
    expected = report["estimate"].get("dollars", {})
    lines = {
        "vcpu": (
            "Spot vCPU time of the jobs",
            f"{used['vcpu_seconds'] / 3600:,.4f} h",
            f"${prices.vcpu_hour} per h",
        ),
        "get": ("S3 GET", words.count(requests.get("get", 0)), _per_thousand(prices.get)),
        "put": ("S3 PUT", words.count(requests.get("put", 0)), _per_thousand(prices.put)),
        "list": ("S3 LIST", words.count(requests.get("list", 0)), _per_thousand(prices.put)),
        "step_functions": (
            "Step Functions transitions",
            words.count(used["transitions"]),
            _per_thousand(prices.transition),
        ),
        "lambda": (
            "Lambda",
            f"{used['lambda_gb_seconds']:,.1f} GB-s",
            f"${prices.lambda_gb_second * 1000:.4g} per 1,000 GB-s",
        ),
        "sqs": (
            "SQS requests",
            words.count(used["sqs_requests"]),
            _per_thousand(prices.sqs_request),
        ),
    }
    return [
        BillRow(
            what,
            quantity,
            price,
            words.dollars(bill["dollars"][name]),
            words.dollars(expected[name]) if name in expected else "",
        )
        for name, (what, quantity, price) in lines.items()
    ]


def packing_sentence(report: Mapping[str, Any]) -> str:
    packing, million = report["bill"]["packing"], 1e6 / max(report["objects"], 1)
    saving = packing["saving_dollars"]
    if saving <= 0:
        return "So few pictures cost the same as files and packed."
    verb = "saved" if packing["is_packed"] else "would save"
    return (
        f"Packing {verb} {words.dollars(saving)} of requests to S3, "
        f"{words.dollars(saving * million)} per million pictures."
    )


def _per_thousand(price: float) -> str:
    return f"${price * 1000:.4g} per 1,000"
