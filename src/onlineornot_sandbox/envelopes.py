"""The object that surrounds every response, and the refusals that end up in one."""

import json
from enum import IntEnum
from http import HTTPStatus

from flask import Response

from onlineornot_sandbox.resources import Json


class Code(IntEnum):
    """The API's own numbers for what went wrong."""

    GENERIC = 10001
    NOT_AUTHENTICATED = 10002
    NOT_ALLOWED = 10003


class RefusedError(Exception):
    """Raised wherever a request turns out to be one that the API refuses."""

    def __init__(self, status: HTTPStatus, message: str, code: Code = Code.GENERIC) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def success(result: object, status: HTTPStatus = HTTPStatus.OK, **beside: object) -> Response:
    """Wrap a result; `beside` is for what a list says next to it."""
    return _response({"result": result, **beside, "success": True, "errors": [], "messages": []}, status)


def failure(status: HTTPStatus, message: str, code: Code = Code.GENERIC) -> Response:
    """Wrap a refusal."""
    errors = [{"code": code, "message": message}]
    return _response({"success": False, "result": None, "errors": errors, "messages": []}, status)


def _response(envelope: Json, status: HTTPStatus) -> Response:
    return Response(json.dumps(envelope, ensure_ascii=False), status, mimetype="application/json")
