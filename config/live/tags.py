"""Template filters of the live view (`{% load live %}`)."""

from datetime import datetime

from django import template

from config.live.wording import describe_span

register = template.Library()


@register.filter
def span(at: datetime, now: datetime) -> str:
    """Say how long ago something was: "3 min"."""
    return describe_span(now - at)
