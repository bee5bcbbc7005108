"""The API's operations as a Flask application, and pages that show and change the state of the sandbox."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from http import HTTPStatus

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from onlineornot_sandbox.auth import check_access, permissions_of
from onlineornot_sandbox.bodies import IncidentCreate, IncidentUpdateCreate, IncidentUpdatePatch, read_body
from onlineornot_sandbox.envelopes import RefusedError, failure, success
from onlineornot_sandbox.page_view import render_page
from onlineornot_sandbox.paging import PER_PAGE, AnyItem, list_response
from onlineornot_sandbox.resources import ReceivedRequest
from onlineornot_sandbox.store import Store, missing

PERMISSIONS = "/v1/tokens/permissions"
PAGE = "/v1/status_pages/<page_id>"
INCIDENTS = f"{PAGE}/incidents"
UPDATES = f"{INCIDENTS}/<incident_id>/updates"

API_ROUTES = (
    ("GET", PERMISSIONS, "get_token_permissions"),
    ("GET", "/v1/status_pages", "list_pages"),
    ("GET", PAGE, "get_page"),
    ("GET", f"{PAGE}/components", "list_components"),
    ("GET", f"{PAGE}/groups", "list_groups"),
    ("GET", INCIDENTS, "list_incidents"),
    ("POST", INCIDENTS, "create_incident"),
    ("GET", f"{INCIDENTS}/<incident_id>", "get_incident"),
    ("GET", UPDATES, "list_updates"),
    ("POST", UPDATES, "create_update"),
    ("GET", f"{UPDATES}/<update_id>", "get_update"),
    ("PATCH", f"{UPDATES}/<update_id>", "patch_update"),
    ("DELETE", f"{UPDATES}/<update_id>", "delete_update"),
)
INSPECTION_ROUTES = (
    ("GET", "/", "show_page"),
    ("GET", "/sandbox/mails", "show_mails"),
    ("GET", "/sandbox/requests", "show_requests"),
    ("POST", "/sandbox/lose-response", "lose_response"),
)
URL_MAP = Map(
    [Rule(path, methods=[method], endpoint=view) for method, path, view in (*API_ROUTES, *INSPECTION_ROUTES)],
    merge_slashes=False,  # a path with an empty id is a 404, not a redirect
)
"""Compiled once, since that takes longer than the rest of creating an application."""


def create_app(store: Store) -> Flask:
    """Create the application that serves a store."""
    app = Flask(__name__, static_folder=None)
    api = Api(store)
    app.url_map = URL_MAP
    app.view_functions = {rule.endpoint: getattr(api, rule.endpoint) for rule in URL_MAP.iter_rules()}
    app.before_request(api.check_request)
    app.register_error_handler(RefusedError, lambda error: failure(error.status, str(error), error.code))
    app.register_error_handler(HTTPException, _flask_failure)
    app.register_error_handler(Exception, _internal_error)
    return app


class Api:
    """One method for each route; before an operation of the API runs, `check_request` checks its token and page."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def check_request(self) -> None:
        """Record a request to the API and check its token and page, even if no operation matches its path."""
        request.get_data()  # on a persistent connection an unread body would be parsed as the next request
        if not request.path.startswith("/v1/"):
            return
        path = str(request.environ["RAW_URI"])
        self.store.requests.append(ReceivedRequest(method=request.method, path=path))
        if request.path == PERMISSIONS:
            return  # any token may ask for its permissions
        check_access(request.authorization, request.method)
        page_id = (request.view_args or {}).pop("page_id", self.store.page.id)
        if page_id != self.store.page.id:
            raise missing("There is no such status page.")

    def get_token_permissions(self) -> Response:
        """Return what the token of the request may do."""
        return success({"permissions": permissions_of(request.authorization)})

    def list_pages(self) -> Response:
        """Return the only status page."""
        info = {"page": 1, "per_page": PER_PAGE, "count": 1, "total_count": 1}
        return success([self.store.page_as_json()], result_info=info)

    def get_page(self) -> Response:
        """Return the status page."""
        return success(self.store.page_as_json())

    def list_components(self) -> Response:
        """Return components; `search` matches their names."""
        return self._list("components", self.store.components.values(), lambda component: component.name)

    def list_groups(self) -> Response:
        """Return groups; `search` matches their names."""
        return self._list("groups", self.store.groups.values(), lambda group: group.name)

    def list_incidents(self) -> Response:
        """Return incidents; `search` matches their titles."""
        return self._list("incidents", self.store.incidents.values(), lambda incident: incident.title)

    def create_incident(self) -> Response:
        """Open an incident."""
        incident = self.store.create_incident(read_body(request, IncidentCreate))
        return success(incident.as_detailed_json(), HTTPStatus.CREATED)

    def get_incident(self, incident_id: str) -> Response:
        """Return an incident with its updates."""
        return success(self.store.incident(incident_id).as_detailed_json())

    def list_updates(self, incident_id: str) -> Response:
        """Return the updates of an incident; `search` matches their descriptions."""
        updates = self.store.timeline(incident_id)
        return self._list("updates", updates, lambda update: update.description)

    def create_update(self, incident_id: str) -> Response:
        """Post an update."""
        self.store.incident(incident_id)
        update = self.store.create_incident_update(incident_id, read_body(request, IncidentUpdateCreate))
        return success(update.as_json(), HTTPStatus.CREATED)

    def get_update(self, incident_id: str, update_id: str) -> Response:
        """Return an update."""
        return success(self.store.incident_update(incident_id, update_id).as_json())

    def patch_update(self, incident_id: str, update_id: str) -> Response:
        """Change an update."""
        self.store.incident_update(incident_id, update_id)
        body = read_body(request, IncidentUpdatePatch)
        return success(self.store.patch_incident_update(incident_id, update_id, body).as_json())

    def delete_update(self, incident_id: str, update_id: str) -> Response:
        """Delete an update."""
        self.store.delete_incident_update(incident_id, update_id)
        return success({"id": update_id})

    def _list(self, name: str, items: Iterable[AnyItem], text_of: Callable[[AnyItem], str]) -> Response:
        return list_response(items, text_of, request.args, self.store.hidden[name])

    def show_page(self) -> Response:
        """Return the status page as readers see it. Neither this nor what follows needs a token."""
        return Response(render_page(self.store), mimetype="text/html")

    def show_mails(self) -> Response:
        """Return the mails to subscribers."""
        return jsonify([asdict(mail) for mail in self.store.mails])

    def show_requests(self) -> Response:
        """Return the requests that the API received."""
        return jsonify([asdict(received) for received in self.store.requests])

    def lose_response(self) -> Response:
        """Lose the response to the next write."""
        self.store.lost_responses += 1
        return jsonify(lost_responses=self.store.lost_responses)


def _flask_failure(error: HTTPException) -> Response:
    """Wrap the errors that Flask itself raises, for unknown paths and methods, in the API's envelope."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return failure(status, error.description or status.phrase)


def _internal_error(error: Exception) -> Response:
    """Return a 500 with the API's envelope, and log the exception."""
    current_app.logger.error("%s %s", request.method, request.path, exc_info=error)
    return failure(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
