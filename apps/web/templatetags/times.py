"""Times as people read them: in the browser's zone, with how long ago; in UTC without scripts."""

from datetime import UTC, datetime, timedelta

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """Write a time and how long ago it is; `web/times.js` turns it into the browser's zone."""
    if value is None:
        return "–"
    utc = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}"><span>{} UTC</span> <span class="quiet">{}</span></time>',
        utc.isoformat(),
        f"{utc:%Y-%m-%d %H:%M:%S}",
        naturaltime(value),
    )


@register.filter
def span(value: timedelta | None) -> str:
    """Write a duration with the unit that fits it: 12 ms, 3.4 s, 5 min, 2 h, 4 d."""
    if value is None:
        return "–"
    seconds = value.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 or seconds == 0 else "< 1 ms"
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86400:.3g} d"
