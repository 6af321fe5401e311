"""From the host to the tenant; health answers before any tenant is looked up."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django_tenants.middleware.main import TenantMainMiddleware
from django_tenants.utils import remove_www

from apps.tenants.entering import leave
from apps.tenants.models import Domain, Tenant
from apps.web.problems import answer, instead_of

_TELL_HEALTH = ("/readyz", "/metrics")
"""They say themselves that the database is away, and how the other parts are."""


class HealthMiddleware:
    """`/healthz` says that the process answers, whatever the host and the database say."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        return self.get_response(request)


class ProblemMiddleware:
    """Outside of the admin every error is a problem, also those that Django writes by itself.

    Such are: addresses that do not exist, methods that a page does not take, a form without its
    token, what broke, and in debug mode the pages that tell about it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info:
            return answer(404, "An address has no character U+0000 in it.")
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if response.status_code < 400 or not is_page or request.path_info.startswith("/admin"):
            return response
        return instead_of(response)


class TenantMiddleware(TenantMainMiddleware):
    """Enters the tenant of the host for the request and leaves it after. Unknown hosts are 404."""

    @staticmethod
    def hostname_from_request(request: HttpRequest) -> str:
        """Name the host without its port, in lower case: host names know no other."""
        return str(remove_www(split_domain_port(request.get_host())[0]))

    def get_tenant(self, domain_model: type[Domain], hostname: str) -> Tenant:
        domain = domain_model.objects.select_related("tenant").get(
            domain=hostname, tenant__is_active=True
        )
        return domain.tenant

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        try:
            request.get_host()
            return super().process_request(request)
        except (DisallowedHost, Http404):
            return answer(404, "No tenant has this host name.")
        except (OperationalError, InterfaceError):
            if request.path_info in _TELL_HEALTH:
                request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
                return None
            return answer(503, "The database is unavailable; try again.", **{"Retry-After": "5"})

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        leave()
        return response
