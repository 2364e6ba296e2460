"""Every page, in the order of the navigation."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.pages.alerts import alerting, ended, kept, tested
from cloud_api.pages.assumptions import accepted, breaking
from cloud_api.pages.brief import in_brief
from cloud_api.pages.constraints import where_to_invest
from cloud_api.pages.decisions import decided
from cloud_api.pages.evidence import evidence
from cloud_api.pages.floor import floor, floors
from cloud_api.pages.forecast import period_end
from cloud_api.pages.home import home
from cloud_api.pages.keys import keyring, made, revoked
from cloud_api.pages.orders import order_book
from cloud_api.pages.page import Form, Page
from cloud_api.pages.periods import close, fiscal_periods, lock, unlock
from cloud_api.pages.plant import change, plant_differences, plant_model, upload
from cloud_api.pages.products import true_cost
from cloud_api.pages.proposals import approved, pack_of
from cloud_api.pages.review import review
from cloud_api.pages.timeline import timeline
from cloud_api.pages.trust import trust
from cloud_api.pages.whatif import what_if
from cloud_api.pages.why import why

PAGES: tuple[Page, ...] = (
    Page("/brief", "Brief", "brief.html", in_brief),
    Page("/", "Overview", "home.html", home),
    Page("/why", "Why", "why.html", why),
    Page("/assumptions", "Assumptions", "assumptions.html", breaking, Area.ASSUMPTIONS),
    Page("/proposals", "", "proposals.html", pack_of, Area.ASSUMPTIONS),
    Page("/forecast", "Forecast", "forecast.html", period_end, Area.ASSUMPTIONS),
    Page("/products", "Products", "products.html", true_cost),
    Page("/orders", "Orders", "orders.html", order_book),
    Page("/constraints", "Constraints", "constraints.html", where_to_invest),
    Page("/whatif", "What if", "whatif.html", what_if),
    Page("/trust", "Trust", "trust.html", trust),
    Page("/floor", "Floor", "floors.html", floors, Area.FLOOR, plant=True),
    Page("/floor/{line}", "", "floor.html", floor, Area.FLOOR, "floor.js"),
    Page("/timeline", "Timeline", "timeline.html", timeline, plant=True),
    Page("/decisions", "Decisions", "decisions.html", decided, plant=True),
    Page("/segments", "Evidence", "segments.html", evidence, plant=True),
    Page("/periods", "Periods", "periods.html", fiscal_periods, Area.PERIODS, plant=True),
    Page("/plant", "Plant model", "plant.html", plant_model, Area.PLANT, plant=True),
    Page("/plant/differences", "", "differences.html", plant_differences, Area.PLANT),
    Page("/alerts", "Alerts", "alerts.html", alerting, Area.ALERTS, plant=True),
    Page("/keys", "Keys", "keys.html", keyring, Area.KEYS, plant=True),
    Page("/review", "", "review.html", review),
)

FORMS: tuple[Form, ...] = (
    Form("/assumptions/{id}/accept", Area.ACCEPTED, accepted),
    Form("/proposals/approve", Area.ACCEPTED, approved),
    Form("/periods/{id}/lock", Area.PERIODS_CLOSED, lock),
    Form("/periods/{id}/unlock", Area.PERIODS_CLOSED, unlock),
    Form("/periods/{id}/close", Area.PERIODS_CLOSED, close),
    Form("/plant", Area.PLANT_KEPT, change),
    Form("/plant/files", Area.PLANT_PRICED, upload),
    Form("/alerts", Area.ALERTS_KEPT, kept),
    Form("/alerts/{id}/test", Area.ALERTS_KEPT, tested),
    Form("/alerts/{id}/end", Area.ALERTS_KEPT, ended),
    Form("/keys", Area.KEYS_KEPT, made),
    Form("/keys/{id}/revoke", Area.KEYS_KEPT, revoked),
)
