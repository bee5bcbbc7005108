"""Request bodies, with the same constraints as in the vendor's OpenAPI document."""

from http import HTTPStatus
from typing import Annotated, TypeVar

from flask import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import from_json

from onlineornot_sandbox.envelopes import RefusedError
from onlineornot_sandbox.resources import ComponentStatus, IncidentStatus, UpdateStatus

Description = Annotated[str, Field(min_length=1)]


class Body(BaseModel):
    """A request body. Values are not converted between types, and unknown fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    @field_validator("*")
    @classmethod
    def _refuse_null(cls, value: object) -> object:
        """Refuse an explicit null, so that None always means "left out"; defaults are not validated."""
        if value is None:
            raise ValueError("null is not allowed")
        return value


class ComponentSetting(Body):
    """A component's new status. The document accepts any string as an id."""

    id: str
    status: ComponentStatus


class IncidentUpdateCreate(Body):
    """Body that posts an update."""

    status: UpdateStatus
    description: Description
    notify_subscribers: bool = True
    components_affected: list[ComponentSetting] = Field(default=[])
    date_happened: str | None = None


class IncidentUpdatePatch(Body):
    """Body that changes an update; fields that are left out keep their values."""

    status: UpdateStatus | None = None
    description: Description | None = None
    date_happened: str | None = None


class IncidentCreate(Body):
    """Body that opens an incident."""

    title: Annotated[str, Field(min_length=1, max_length=256)]
    description: str
    status: IncidentStatus
    components: list[ComponentSetting] = Field(default=[])
    notify_subscribers: bool = True

    def first_update(self) -> IncidentUpdateCreate:
        """Create the incident's first update. Unlike later updates, it may have an empty description."""
        return IncidentUpdateCreate.model_construct(
            status=self.status,
            description=self.description,
            notify_subscribers=self.notify_subscribers,
            components_affected=self.components,
        )


AnyBody = TypeVar("AnyBody", bound=Body)


def read_body(request: Request, kind: type[AnyBody]) -> AnyBody:
    """Parse a request's body.

    Raises:
        RefusedError: The body is invalid; the message names the fields.
    """
    if request.mimetype != "application/json":
        raise _bad_request("body: the Content-Type must be application/json")
    try:
        value = from_json(request.get_data(), allow_inf_nan=False)
    except ValueError as error:
        raise _bad_request(f"body: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise _bad_request("body: must be an object")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise _bad_request("; ".join(problems)) from error


def _bad_request(message: str) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, message)
