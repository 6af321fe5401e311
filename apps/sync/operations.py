"""What is done to endpoints. The router's subscriptions change in the same transaction.

Each locks the endpoint's row first, so that two changes at once cannot leave an endpoint that is
disabled and still subscribed, or sign with a secret that nobody was shown.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from apps.sync.checking import check_patterns, check_url, usual_patterns
from apps.sync.models import Endpoint
from apps.sync.secrets import UnreadableSecret, decrypt, encrypt, new_secret
from pms_events.catalogue.operations import EndpointDisabled
from pms_events.publishing import publish, subscribe, unsubscribe

HANDLER = "sync.send_webhook"
OLD_SECRET_LASTS = timedelta(hours=24)


def create_endpoint(
    *, url: str, patterns: Sequence[str] | None = None, description: str = ""
) -> tuple[Endpoint, str]:
    """Make an endpoint; gives it and its secret, which is shown once. Raises: BadEndpoint.

    Without patterns a webhook gets everything, a mail address the alerts alone.
    """
    check_url(url)
    patterns = usual_patterns(url) if patterns is None else patterns
    check_patterns(patterns)
    secret = new_secret()
    with transaction.atomic():
        endpoint = Endpoint.objects.create(
            url=url, patterns=list(patterns), description=description, secret=encrypt(secret)
        )
        _subscribe(endpoint)
    return endpoint, secret


def update_endpoint(
    endpoint: Endpoint,
    *,
    url: str | None = None,
    patterns: Sequence[str] | None = None,
    description: str | None = None,
    is_enabled: bool | None = None,
) -> Endpoint:
    """Change what is given, leave the rest; gives the endpoint as it is now.

    Raises: BadEndpoint, nothing changed; Endpoint.DoesNotExist.
    """
    if url is not None and url != endpoint.url:  # what is kept stays, whatever the settings say now
        check_url(url)
    if patterns is not None:
        check_patterns(patterns)
    with transaction.atomic():
        current = _lock(endpoint)
        was_enabled = current.is_enabled
        current.url = current.url if url is None else url
        current.patterns = current.patterns if patterns is None else list(patterns)
        current.description = current.description if description is None else description
        if is_enabled is not None and is_enabled != current.is_enabled:
            current.is_enabled = is_enabled
            current.disabled_reason = "" if is_enabled else "by a person"
        current.save()
        _subscribe(current)
        if is_enabled is False and was_enabled:
            _tell_disabled(current)
    return current


def enable_endpoint(endpoint: Endpoint) -> Endpoint:
    """Send to an endpoint again, from the next event on. Raises: Endpoint.DoesNotExist."""
    return update_endpoint(endpoint, is_enabled=True)


def disable_endpoint(endpoint: Endpoint, *, reason: str) -> bool:
    """Stop sending to an endpoint, and remember why.

    False, and nothing done, when its URL was changed meanwhile: the reason was about the old one.
    """
    with transaction.atomic():
        current = Endpoint.objects.select_for_update(no_key=True).filter(
            pk=endpoint.pk, url=endpoint.url
        )
        if (found := current.first()) is None:
            return False
        was_enabled = found.is_enabled
        found.is_enabled = False
        found.disabled_reason = reason[:300]
        found.save()
        _subscribe(found)
        if was_enabled:
            _tell_disabled(found)
    return True


def delete_endpoint(endpoint: Endpoint) -> None:
    """Remove an endpoint with its exchanges; deliveries on their way end as discarded.

    Raises: Endpoint.DoesNotExist.
    """
    with transaction.atomic():
        current = _lock(endpoint)
        unsubscribe(handler=HANDLER, target=str(current.pk))
        current.delete()


def rotate_secret(endpoint: Endpoint, *, now: datetime) -> tuple[Endpoint, str]:
    """Give an endpoint a new secret; for 24 hours requests are signed with the old one too.

    An old secret that cannot be read any more is given up. Raises: Endpoint.DoesNotExist.
    """
    secret = new_secret()
    with transaction.atomic():
        current = _lock(endpoint)
        try:
            current.previous_secret = encrypt(decrypt(current.secret))
            current.previous_valid_until = now + OLD_SECRET_LASTS
        except UnreadableSecret:
            current.previous_secret = current.previous_valid_until = None
        current.secret = encrypt(secret)
        current.save()
    return current, secret


def get_secrets(endpoint: Endpoint, *, now: datetime) -> list[str]:
    """The secrets to sign with now, the newest first. Raises: UnreadableSecret."""
    secrets = [decrypt(endpoint.secret)]
    still_valid = endpoint.previous_valid_until is not None and now < endpoint.previous_valid_until
    if endpoint.previous_secret is not None and still_valid:
        secrets.append(decrypt(endpoint.previous_secret))
    return secrets


def _lock(endpoint: Endpoint) -> Endpoint:
    """Read the row anew and keep others from changing it; exchanges can still be written."""
    return Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)


def _subscribe(endpoint: Endpoint) -> None:
    if endpoint.is_enabled:
        subscribe(handler=HANDLER, target=str(endpoint.pk), patterns=endpoint.patterns)
    else:
        unsubscribe(handler=HANDLER, target=str(endpoint.pk))


def _tell_disabled(endpoint: Endpoint) -> None:
    """State that an endpoint was switched off, in the transaction that did so. It does not hear it."""
    payload = EndpointDisabled(
        endpoint_id=str(endpoint.pk), host=endpoint.host, reason=endpoint.disabled_reason
    )
    publish(payload, subject=f"endpoint:{endpoint.pk}")
