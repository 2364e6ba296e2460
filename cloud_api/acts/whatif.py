"""What-if as a body that is sent: tried on the ledger as it stands; nothing is kept."""

from __future__ import annotations

from cloud_api.acts.actor import Actor
from cloud_api.answers.question import read
from cloud_api.answers.shapes.whatif import WhatIf, WhatIfBody
from cloud_api.answers.whatif import whatif
from cloud_api.answers.whatif_question import OPTIONS

TAKES = ("from", "to", "site", "machine", "product")


def tried(actor: Actor, body: WhatIfBody) -> WhatIf:
    """The answer to a body. Raises QuestionError for what it gets wrong."""
    named = {"from": body.from_, "to": body.to, "site": body.site}
    named |= {"machine": body.machine, "product": body.product}
    numbers = {
        option.name: getattr(body, "yield_" if option.name == "yield" else option.name) for option in OPTIONS
    }
    parameters = [(name, value) for name, value in named.items() if value is not None]
    parameters += [(name, format(value, "f")) for name, value in numbers.items() if value is not None]
    question = read(
        parameters, actor.places, allowed=TAKES, withheld=actor.principal.withheld, options=OPTIONS
    )
    return whatif(actor.connection, question, actor.principal.sees_money, actor.now)
