"""Tenant, Domain, ApiKey, HookToken: the shared schema's list of who may do what, where."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django_tenants.models import DomainMixin, TenantMixin

SCHEMA_NAME = RegexValidator(
    r"^[a-z][a-z0-9_]{0,47}$", "Use lower-case letters, digits and _, starting with a letter."
)


class Tenant(TenantMixin):
    """One customer: one PostgreSQL schema. The tenant with schema `public` is the platform."""

    schema_name = models.CharField(max_length=48, unique=True, validators=[SCHEMA_NAME])
    name = models.CharField(max_length=100)
    is_active = models.BooleanField(
        default=True, help_text="Off: keys and hosts of this tenant are refused; work waits."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    auto_create_schema = False  # apps.tenants.provisioning makes the schema, in one place

    def __str__(self) -> str:
        return self.name


class Domain(DomainMixin):
    """A host name under which a tenant is reached."""


class ApiKey(models.Model):
    """A key that names its tenant. Only the SHA-256 of its secret is kept; the prefix is shown."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    secret_hash = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=32), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class HookToken(models.Model):
    """What `/hooks/{token}` is recognised by: the token's SHA-256, its tenant and its connection.

    Shared, because the token alone names the tenant. The connection itself is the tenant's.
    """

    token_hash = models.BinaryField(max_length=32, unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    connection_id = models.UUIDField()
    valid_until = models.DateTimeField(null=True, help_text="of one that was rotated out")

    class Meta:
        indexes = [
            # The tokens of a connection, to rotate and to remove; a tenant's, when it is deleted.
            models.Index(fields=["tenant", "connection_id"], name="hook_token_connection")
        ]

    def __str__(self) -> str:
        return f"token of connection {self.connection_id}"
