"""From the host to the tenant; health answers before any tenant is looked up."""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django_tenants.middleware.main import TenantMainMiddleware

from apps.tenants.entering import leave
from apps.tenants.models import Domain, Tenant
from apps.web.problems import answer


class HealthMiddleware:
    """`/healthz` says that the process answers, whatever the host and the database say."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        return self.get_response(request)


class TenantMiddleware(TenantMainMiddleware):
    """Enters the tenant of the host for the request and leaves it after. Unknown hosts are 404."""

    def get_tenant(self, domain_model: type[Domain], hostname: str) -> Tenant:
        domain = domain_model.objects.select_related("tenant").get(
            domain=hostname, tenant__is_active=True
        )
        return domain.tenant

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        try:
            return super().process_request(request)
        except Http404:
            return answer(404, "No tenant has this host name.")
        except (OperationalError, InterfaceError):
            return answer(503, "The database is unavailable; try again.", **{"Retry-After": "5"})

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        leave()
        return response
