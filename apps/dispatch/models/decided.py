"""What tenants and operators decided: who gets what, who is switched off, paused or limited."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.tenants.models import Tenant
from pms_events.categories import Category, Priority
from pms_events.patterns import is_pattern


class TargetSubscription(models.Model):
    """A target of a fanned-out handler and the event types it wants, kept for the router."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    handler = models.CharField(max_length=100)
    target = models.CharField(max_length=64)
    patterns = ArrayField(models.CharField(max_length=255))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "handler", "target"], name="one_subscription_per_target"
            )
        ]


def validate_pattern(value: str) -> None:
    """Raises: ValidationError unless `value` is an event type or a pattern."""
    if not is_pattern(value):
        raise ValidationError(f"'{value}' is no event type: write booking.created, booking.* or *")


class Route(models.Model):
    """What a tenant decided about a handler: switched off for some event types, or more urgent."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    pattern = models.CharField(
        max_length=255, default="*", validators=[validate_pattern], verbose_name="event types"
    )
    handler = models.CharField(max_length=100)
    is_on = models.BooleanField(default=True, verbose_name="on")
    priority = models.SmallIntegerField(
        choices=[(p.value, p.name) for p in Priority], null=True, blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "pattern", "handler"], name="one_route")
        ]

    def __str__(self) -> str:
        return f"{self.pattern} → {self.handler}"


class Cap(models.Model):
    """At most so many deliveries of a scope are leased at once; 0 is a pause.

    The scope is what the filled fields say together; an empty one means any. A delivery that a cap
    keeps back is moved out of the way of the claim, and comes back when the cap is gone or has room.
    """

    category = models.CharField(
        max_length=16, blank=True, choices=[(c.value, c.value) for c in Category]
    )
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, blank=True)
    handler = models.CharField(max_length=100, blank=True)
    target = models.CharField(max_length=64, blank=True)
    at_most = models.PositiveIntegerField(
        default=0, verbose_name="at most at once", help_text="0 pauses it."
    )
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "pause or limit"
        verbose_name_plural = "pauses and limits"
        constraints = [
            models.UniqueConstraint(
                fields=["category", "tenant", "handler", "target"],
                nulls_distinct=False,
                name="one_cap_per_scope",
            ),
            models.CheckConstraint(
                condition=~Q(category="", handler="", target="", tenant__isnull=True),
                name="cap_names_a_scope",
            ),
            models.CheckConstraint(
                condition=Q(target="") | ~Q(handler=""), name="cap_of_a_target_names_its_handler"
            ),
        ]

    def __str__(self) -> str:
        scope = " of ".join(part for part in (self.handler, self.target, self.category) if part)
        return scope or "everything"


class TenantShare(models.Model):
    """How many turns a tenant gets when others got one: 2 is twice the usual, 0.5 half of it."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True)
    weight = models.FloatField(
        default=1.0, validators=[MinValueValidator(0.01), MaxValueValidator(100)]
    )

    class Meta:
        verbose_name = "tenant share"
        constraints = [
            models.CheckConstraint(
                condition=Q(weight__gte=0.01, weight__lte=100), name="weight_is_sane"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tenant}: {self.weight:g}"
