"""The path of what-if: the same ledger, had a product run otherwise."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.acts.whatif import TAKES, tried
from cloud_api.answers.shapes.whatif import WhatIf, WhatIfBody
from cloud_api.answers.whatif import whatif
from cloud_api.answers.whatif_question import OPTIONS
from cloud_api.api.action import Action
from cloud_api.api.endpoint import Endpoint

SAID = (
    "Scales the ledger of one product on one machine by another cycle, yield, crew or lot size, and says "
    "unit cost, price floor, what an hour of the constraint earns, the next constraint, the value of a year "
    "and the payback of an investment. Good output stays as it was. Nothing is changed or kept."
)

ENDPOINTS = (
    Endpoint(
        "/whatif",
        Area.VARIANCES,
        (*TAKES, "format"),
        (),
        WhatIf,
        "What if a product ran otherwise",
        f"{SAID} Example: `/v1/whatif?from=2026-03-02&to=2026-03-30&machine=press-1&product=P&cycle_s=34`.",
        whatif,
        OPTIONS,
        "from=2026-03-02&to=2026-03-05&machine=cut&product=P&cycle_s=34",
    ),
)

ACTIONS = (
    Action(
        "POST",
        "/whatif",
        Area.VARIANCES,
        WhatIfBody,
        WhatIf,
        "What if a product ran otherwise",
        SAID,
        tried,
        example={
            "from": "2026-03-02",
            "to": "2026-03-30",
            "machine": "press-1",
            "product": "hinge-80",
            "cycle_s": 8.5,
            "investment": 40000,
        },
    ),
)
