"""`POST /hooks/{token}`: where outside senders deliver. No API key: the token names the tenant.

A sender does not read what it is told, and most never send again what was answered with a 4xx. So
whatever the body is, it is stored and answered 202; what is wrong with it, a person is told.
"""

import logging

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from apps.sync import receiving
from apps.sync.connectors.registry import NotAuthentic, Received, UnknownConnector
from apps.sync.models import Connection
from apps.sync.secrets import UnreadableSecret
from apps.tenants.entering import PUBLIC, current_schema, enter_for_request, entering_public
from apps.tenants.hook_tokens import find_token
from apps.web.parsing import read_body
from apps.web.problems import Problem, answer

log = logging.getLogger(__name__)

_UNKNOWN = "No connection has this token: nothing was stored."


@csrf_exempt
def receive_hook(request: HttpRequest, token: str) -> HttpResponse:
    """Take a body in: 202. 404 unknown token, 401 not proven, 413 above 10 MiB; 503 come again."""
    if request.method != "POST":
        return answer(405, "Only POST is taken here.", Allow="POST")
    try:
        connection = _enter(token)
        if connection is None:
            return answer(404, _UNKNOWN)
        return _receive(connection, request)
    except Problem as problem:
        return answer(problem.status_code, str(problem.detail))
    except NotAuthentic as error:
        challenge = {"WWW-Authenticate": "StandardWebhooks"}
        return answer(401, f"Nothing was stored: {error}.", **challenge)
    except Connection.DoesNotExist:
        return answer(404, _UNKNOWN)
    except (UnreadableSecret, UnknownConnector) as error:
        log.error(
            "hook cannot be verified", extra={"tenant": current_schema(), "error": str(error)}
        )
        return answer(503, "This cannot be taken in now; send it again.", **{"Retry-After": "300"})
    except (OperationalError, InterfaceError):
        return answer(503, "The database is unavailable; send it again.", **{"Retry-After": "5"})


def _enter(token: str) -> Connection | None:
    """Enter the tenant that the token names, until the middleware leaves it.

    None, and nothing entered, for an unknown token and for one on another tenant's host.
    """
    with entering_public():
        found = find_token(token, now=timezone.now())
    if found is None or current_schema() not in (PUBLIC, found.tenant.schema_name):
        return None
    enter_for_request(found.tenant)
    return Connection.objects.filter(pk=found.connection_id).first()


def _receive(connection: Connection, request: HttpRequest) -> HttpResponse:
    body = read_body(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    received = Received(headers=headers, body=body)
    now = timezone.now()
    receiving.authenticate(connection, received, now=now)
    reception_id = receiving.receive(connection, received, now=now)
    return JsonResponse({"received": str(reception_id)}, status=202)
