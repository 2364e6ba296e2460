"""Every path of the API under /v1 that is read, in the order in which the manual shows them."""

from __future__ import annotations

from cloud_api.api.endpoint import Endpoint
from cloud_api.api.paths import (
    alerts,
    bridge,
    brief,
    context,
    keys,
    ledger,
    periods,
    plant,
    products,
    proposals,
    verdicts,
    whatif,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *ledger.ENDPOINTS,
    *periods.ENDPOINTS,
    *plant.ENDPOINTS,
    *context.ENDPOINTS,
    *products.ENDPOINTS,
    *brief.ENDPOINTS,
    *bridge.ENDPOINTS,
    *verdicts.ENDPOINTS,
    *proposals.ENDPOINTS,
    *alerts.ENDPOINTS,
    *keys.ENDPOINTS,
    *whatif.ENDPOINTS,
)
