"""Addresses of endpoints and connections, below `/api/v1/`."""

from django.urls import path

from apps.sync import api, api_connections

urlpatterns = [
    path("endpoints", api.EndpointsView.as_view(), name="endpoints"),
    path("endpoints/<uuid:pk>", api.EndpointView.as_view(), name="endpoint"),
    path("endpoints/<uuid:pk>/test", api.TestEndpointView.as_view(), name="endpoint-test"),
    path(
        "endpoints/<uuid:pk>/rotate-secret",
        api.RotateSecretView.as_view(),
        name="endpoint-rotate-secret",
    ),
    path("endpoints/<uuid:pk>/enable", api.EnableEndpointView.as_view(), name="endpoint-enable"),
    path("endpoints/<uuid:pk>/exchanges", api.ExchangesView.as_view(), name="endpoint-exchanges"),
    path("connections", api_connections.ConnectionsView.as_view(), name="connections"),
    path("connections/<uuid:pk>", api_connections.ConnectionView.as_view(), name="connection"),
    path(
        "connections/<uuid:pk>/rotate-token",
        api_connections.RotateTokenView.as_view(),
        name="connection-rotate-token",
    ),
    path(
        "connections/<uuid:pk>/rotate-secret",
        api_connections.RotateConnectionSecretView.as_view(),
        name="connection-rotate-secret",
    ),
]
