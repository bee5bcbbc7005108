"""The envelope around every response, and the error that is sent in it."""

import json
from enum import IntEnum
from http import HTTPStatus

from flask import Response

from onlineornot_sandbox.resources import Json


class Code(IntEnum):
    """Error codes of the API."""

    GENERIC = 10001
    NOT_AUTHENTICATED = 10002
    NOT_ALLOWED = 10003


class RefusedError(Exception):
    """Raised when the API refuses a request."""

    def __init__(self, status: HTTPStatus, message: str, code: Code = Code.GENERIC) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def success(result: object, status: HTTPStatus = HTTPStatus.OK, **fields: object) -> Response:
    """Wrap a result; `fields` are added to the envelope, such as `result_info` of a list."""
    return _response({"result": result, **fields, "success": True, "errors": [], "messages": []}, status)


def failure(status: HTTPStatus, message: str, code: Code = Code.GENERIC) -> Response:
    """Wrap an error."""
    errors = [{"code": code, "message": message}]
    return _response({"success": False, "result": None, "errors": errors, "messages": []}, status)


def _response(envelope: Json, status: HTTPStatus) -> Response:
    return Response(json.dumps(envelope, ensure_ascii=False), status, mimetype="application/json")
