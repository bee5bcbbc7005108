"""The API's operations as a Flask application, and three windows for whoever looks in from outside."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from http import HTTPStatus

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from onlineornot_sandbox.auth import check_access
from onlineornot_sandbox.bodies import (
    IncidentCreate,
    IncidentPatch,
    IncidentUpdateCreate,
    IncidentUpdatePatch,
    read_body,
)
from onlineornot_sandbox.envelopes import RefusedError, failure, success
from onlineornot_sandbox.page_view import render_page
from onlineornot_sandbox.paging import listing
from onlineornot_sandbox.resources import ReceivedRequest
from onlineornot_sandbox.store import MissingError, Store

Route = tuple[str, str, Callable[..., Response]]


def create_app(store: Store) -> Flask:
    """Make the application that serves this store."""
    app = Flask(__name__, static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False  # an id that came out empty is a 404 to the API, not a redirect
    api = Api(store)
    app.before_request(api.admit)
    for method, rule, view in (*operations(api), *windows(store)):
        app.add_url_rule(rule, view_func=view, methods=[method])
    app.register_error_handler(RefusedError, lambda error: failure(error.status, str(error), error.code))
    app.register_error_handler(MissingError, lambda error: failure(HTTPStatus.NOT_FOUND, str(error)))
    app.register_error_handler(HTTPException, _http_failure)
    app.register_error_handler(Exception, _defect)
    return app


class Api:
    """The operations, one method each; by the time one runs, `admit` has seen to the token and the page."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def admit(self) -> None:
        """Look at a request before its operation does, also when there is none for it."""
        request.get_data()  # on a kept connection an unread body would be taken for the next request
        if not request.path.startswith("/v1/"):
            return
        path = str(request.environ["RAW_URI"])
        self.store.requests.append(ReceivedRequest(method=request.method, path=path))
        check_access(request.authorization, request.method)
        page_id = (request.view_args or {}).pop("page_id", self.store.page.id)
        if page_id != self.store.page.id:
            raise MissingError("There is no such status page.")

    def get_page(self) -> Response:
        """Response the page."""
        return success(self.store.describe_page())

    def list_components(self) -> Response:
        """Response components, searched by name."""
        return listing(self.store.components.values(), lambda component: component.name, request.args)

    def list_groups(self) -> Response:
        """Response groups, searched by name."""
        return listing(self.store.groups.values(), lambda group: group.name, request.args)

    def list_incidents(self) -> Response:
        """Response incidents, searched by title."""
        return listing(self.store.incidents.values(), lambda incident: incident.title, request.args)

    def create_incident(self) -> Response:
        """Open an incident."""
        incident = self.store.create_incident(read_body(request, IncidentCreate))
        return success(incident.as_detailed_json(), HTTPStatus.CREATED)

    def get_incident(self, incident_id: str) -> Response:
        """Response an incident with its updates."""
        return success(self.store.incident(incident_id).as_detailed_json())

    def patch_incident(self, incident_id: str) -> Response:
        """Change an incident's title and impact."""
        self.store.incident(incident_id)
        incident = self.store.patch_incident(incident_id, read_body(request, IncidentPatch))
        return success(incident.as_detailed_json())

    def delete_incident(self, incident_id: str) -> Response:
        """Remove an incident."""
        self.store.delete_incident(incident_id)
        return success({"id": incident_id})

    def list_updates(self, incident_id: str) -> Response:
        """Response an incident's updates, searched by description."""
        updates = self.store.timeline(incident_id)
        return listing(updates, lambda update: update.description, request.args)

    def create_update(self, incident_id: str) -> Response:
        """Post an update."""
        self.store.incident(incident_id)
        update = self.store.create_incident_update(incident_id, read_body(request, IncidentUpdateCreate))
        return success(update.as_json(), HTTPStatus.CREATED)

    def get_update(self, incident_id: str, update_id: str) -> Response:
        """Response an update."""
        return success(self.store.incident_update(incident_id, update_id).as_json())

    def patch_update(self, incident_id: str, update_id: str) -> Response:
        """Change an update."""
        self.store.incident_update(incident_id, update_id)
        body = read_body(request, IncidentUpdatePatch)
        return success(self.store.patch_incident_update(incident_id, update_id, body).as_json())

    def delete_update(self, incident_id: str, update_id: str) -> Response:
        """Remove an update."""
        self.store.delete_incident_update(incident_id, update_id)
        return success({"id": update_id})


def operations(api: Api) -> Iterator[Route]:
    """List what the sandbox offers of the API."""
    page = "/v1/status_pages/<page_id>"
    incidents = f"{page}/incidents"
    updates = f"{incidents}/<incident_id>/updates"
    yield "GET", page, api.get_page
    yield "GET", f"{page}/components", api.list_components
    yield "GET", f"{page}/groups", api.list_groups
    yield "GET", incidents, api.list_incidents
    yield "POST", incidents, api.create_incident
    yield "GET", f"{incidents}/<incident_id>", api.get_incident
    yield "PATCH", f"{incidents}/<incident_id>", api.patch_incident
    yield "DELETE", f"{incidents}/<incident_id>", api.delete_incident
    yield "GET", updates, api.list_updates
    yield "POST", updates, api.create_update
    yield "GET", f"{updates}/<update_id>", api.get_update
    yield "PATCH", f"{updates}/<update_id>", api.patch_update
    yield "DELETE", f"{updates}/<update_id>", api.delete_update


def windows(store: Store) -> Iterator[Route]:
    """List what the sandbox shows beside the API, without a token."""

    def show_page() -> Response:
        return Response(render_page(store), mimetype="text/plain")

    def show_mails() -> Response:
        return jsonify([asdict(mail) for mail in store.mails])

    def show_requests() -> Response:
        return jsonify([asdict(received) for received in store.requests])

    yield "GET", "/", show_page
    yield "GET", "/sandbox/mails", show_mails
    yield "GET", "/sandbox/requests", show_requests


def _http_failure(error: HTTPException) -> Response:
    """Put the envelope around what Flask refuses by itself: unknown paths and methods."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return failure(status, error.description or status.phrase)


def _defect(error: Exception) -> Response:
    """Response as the API does when it fails, and show the defect to whoever runs the sandbox."""
    current_app.logger.error("%s %s", request.method, request.path, exc_info=error)
    return failure(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
