"""Which events are alerts: a person wants to be told of them at once. All else is daily business."""

ALERTS = (
    "delivery.died",
    "fallback.grown",
    "category.stalled",
    "category.recovered",
    "endpoint.disabled",
    "connection.silent",
    "connection.resumed",
)
