"""Bearer API keys for the API: the key names the tenant, the view's scope says what it may do."""

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.tenants.entering import PUBLIC, current_schema, enter_for_request, entering_public
from apps.tenants.keys import find_key
from apps.tenants.models import ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """Recognise the key and enter its tenant. A key on another tenant's host is 403."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        scheme, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            return None
        with entering_public():
            key = find_key(text.strip(), now=timezone.now())
        if key is None:
            raise AuthenticationFailed("The API key is unknown, expired or revoked.")
        host_schema = current_schema()
        if host_schema not in (PUBLIC, key.tenant.schema_name):
            raise PermissionDenied("This API key belongs to another tenant than this host.")
        if key.tenant.schema_name == PUBLIC:
            raise PermissionDenied("A key of the platform opens no tenant's data.")
        # The whole request runs in the key's tenant; the middleware leaves it at the end.
        enter_for_request(key.tenant)
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def actor_of(request: Request) -> str:
    """Name who acts, for records that people read."""
    key = request.auth
    return f"api key {key.name}" if isinstance(key, ApiKey) else "nobody"


class HasScope(BasePermission):
    """Let a key do what its scopes say: a view names `read_scope` and `write_scope`."""

    message = "This API key lacks the scope for this call."

    def has_permission(self, request: Request, view: object) -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        kind = "read_scope" if request.method in SAFE_METHODS else "write_scope"
        default = "events:read" if kind == "read_scope" else "config"
        scope = getattr(view, kind, default)
        self.message = f"This API key lacks the scope '{scope}'."
        return scope in request.auth.scopes
