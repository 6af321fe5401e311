"""How the fallback queue's screens show times and trends."""

from datetime import UTC, datetime

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
_BAR, _GAP, _HEIGHT = 4, 1, 28


@register.filter
def ago(moment: datetime | None) -> str:
    """Show a time relative to now, with the absolute form as title."""
    if moment is None:
        return "–"
    exact = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        exact.isoformat(timespec="seconds"),
        f"{exact:%Y-%m-%d %H:%M:%S}",
        naturaltime(moment),
    )


@register.simple_tag
def sparkline(trend: list[int]) -> SafeString:
    """Draw the deaths of each of the last hours as bars, the newest at the right."""
    most = max(trend, default=0)
    bars = "".join(
        f"M{index * (_BAR + _GAP)} {_HEIGHT}v-{max(2, round((_HEIGHT - 2) * count / most))}"
        f"h{_BAR}V{_HEIGHT}z"
        for index, count in enumerate(trend)
        if count
    )
    said = f"{sum(trend)} in the last {len(trend)} hours, {most} in the worst of them"
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>'
        '<path class="floor" d="M0 {}h{}"/><path d="{}"/></svg>',
        len(trend) * (_BAR + _GAP), _HEIGHT, said, said, _HEIGHT - 0.5,
        len(trend) * (_BAR + _GAP) - _GAP, bars,
    )  # fmt: skip
