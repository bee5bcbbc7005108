"""What the bodies of requests may contain, exactly as the vendor's document has it."""

from http import HTTPStatus
from typing import Annotated, TypeVar

from flask import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import from_json

from onlineornot_sandbox.envelopes import RefusedError
from onlineornot_sandbox.resources import ComponentStatus, Impact, IncidentStatus, UpdateStatus

Title = Annotated[str, Field(min_length=1, max_length=256)]
Description = Annotated[str, Field(min_length=1)]


class Body(BaseModel):
    """A body of a request: nothing is converted, and fields nobody knows are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    @field_validator("*")
    @classmethod
    def _refuse_null(cls, value: object) -> object:
        """Leave None to mean "left out": defaults do not come here, a null in the body does."""
        if value is None:
            raise ValueError("null is not allowed")
        return value


class ComponentSetting(Body):
    """The status that a component is to have; its id may be any string."""

    id: str
    status: ComponentStatus


class IncidentUpdateCreate(Body):
    """The body that posts an update."""

    status: UpdateStatus
    description: Description
    notify_subscribers: bool = True
    components_affected: list[ComponentSetting] = Field(default=[])
    date_happened: str | None = None


class IncidentUpdatePatch(Body):
    """The body that changes an update; what is left out stays."""

    status: UpdateStatus | None = None
    description: Description | None = None
    date_happened: str | None = None


class IncidentCreate(Body):
    """The body that opens an incident."""

    title: Title
    description: str
    status: IncidentStatus
    components: list[ComponentSetting] = Field(default=[])
    notify_subscribers: bool = True

    def first_update(self) -> IncidentUpdateCreate:
        """Make the update an incident begins with; unlike later ones it may be without a text."""
        return IncidentUpdateCreate.model_construct(
            status=self.status,
            description=self.description,
            notify_subscribers=self.notify_subscribers,
            components_affected=self.components,
        )


class IncidentPatch(Body):
    """The body that renames an incident; both fields are required."""

    title: Title
    impact: Impact


AnyBody = TypeVar("AnyBody", bound=Body)


def read_body(request: Request, kind: type[AnyBody]) -> AnyBody:
    """Read the request's body, or refuse it with the name of the field that is wrong."""
    if request.mimetype != "application/json":
        raise _bad("body: the Content-Type must be application/json")
    try:
        value = from_json(request.get_data(), allow_inf_nan=False)
    except ValueError as error:
        raise _bad(f"body: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise _bad("body: must be an object")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise _bad(_complaint(error)) from error


def _complaint(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())


def _bad(message: str) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, message)
