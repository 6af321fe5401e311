"""Connections, a tenant's outside senders, and the bodies they brought."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q


class Connection(models.Model):
    """A tenant's outside sender. Its tokens are in the shared schema; its secrets are encrypted.

    Change it through `connecting` and `receiving` only. Its health: `usual_gap`, `longest_gap` and
    `gaps_seen` are what `silence` learned; `watched_since` is when it was made or enabled;
    `silent_since`, set while it is silent, is when it was last heard.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    connector = models.CharField(max_length=32, default="generic")
    is_enabled = models.BooleanField("enabled", default=True)
    secret = models.BinaryField(null=True, editable=False)
    previous_secret = models.BinaryField(null=True, editable=False)
    previous_valid_until = models.DateTimeField(null=True, editable=False)
    silent_after = models.DurationField(null=True, blank=True)
    watched_since = models.DateTimeField(editable=False)
    received_count = models.BigIntegerField("received", default=0, editable=False)
    last_received_at = models.DateTimeField("last received", null=True, editable=False)
    usual_gap = models.DurationField(null=True, editable=False)
    longest_gap = models.DurationField(null=True, editable=False)
    gaps_seen = models.IntegerField(default=0, editable=False)
    silent_since = models.DateTimeField(null=True, editable=False)
    refused_count = models.BigIntegerField("refused", default=0, editable=False)
    last_refused_at = models.DateTimeField("last refused", null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(silent_after=None) | Q(silent_after__gt=timedelta(0)),
                name="connection_silent_after_some_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_signed(self) -> bool:
        """Whether requests must carry a signature."""
        return self.secret is not None


class Reception(models.Model):
    """A body that was received, as it came: encrypted, and gone when it expires.

    Its id is made of the connection and what the connector says identifies it, so that the same
    delivery is stored once. `read_at` is when the events it carried were published.
    """

    id = models.UUIDField(primary_key=True)
    # The index below serves the foreign key too.
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="receptions", db_index=False
    )
    received_at = models.DateTimeField()
    size = models.IntegerField(help_text="bytes of the body")
    sealed = models.BinaryField(editable=False)
    read_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = "received body"
        verbose_name_plural = "received bodies"
        indexes = [
            # What a connection brought, newest first.
            models.Index(fields=["connection", "-received_at"], name="reception_connection"),
            # forgetting.forget_expired
            models.Index(fields=["expires_at"], name="reception_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.size} bytes at {self.received_at:%Y-%m-%d %H:%M:%S} UTC"
