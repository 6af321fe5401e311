"""The base of payload classes, and the value types that payloads share."""

from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

__all__ = ["AwareDatetime", "Identifier", "Money", "Payload"]

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=255)]
"""A reference to something, ours or an outside system's: 1 to 255 characters."""


class Payload(BaseModel):
    """The data of one event type. Fields it does not name are kept in the log and ignored here."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    example: ClassVar[dict[str, Any]] = {}

    def as_data(self) -> dict[str, Any]:
        """Give the payload as the JSON object that goes into the event's `data`."""
        return self.model_dump(mode="json", exclude_none=True)


class Money(BaseModel):
    """An amount in the smallest unit of its currency: 12.50 EUR is 1250, 500 JPY is 500."""

    model_config = ConfigDict(frozen=True)

    amount_minor: int
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(
        description="ISO 4217 code"
    )
