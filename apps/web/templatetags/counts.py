"""Counts that stop somewhere, as people read them."""

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma

from apps.web.lists import MOST_COUNTED

register = template.Library()


@register.filter
def capped(count: int) -> str:
    """Show a count that stops at `MOST_COUNTED` as "10,000+"."""
    return f"{intcomma(min(count, MOST_COUNTED))}{'+' if count >= MOST_COUNTED else ''}"
