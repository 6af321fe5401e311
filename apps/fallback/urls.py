"""Addresses of the fallback queue, below `/api/v1/`."""

from django.urls import path

from apps.fallback import api, api_bulk

_BULK = "dead-letters/bulk/<int:pk>"
_ONE = "dead-letters/<uuid:pk>"

urlpatterns = [
    path("dead-letters", api.DeadLettersView.as_view(), name="dead-letters"),
    path("dead-letters/groups", api.GroupsView.as_view(), name="dead-letter-groups"),
    path("dead-letters/bulk", api_bulk.BulkView.as_view(), name="dead-letters-bulk"),
    path(_BULK, api_bulk.BulkActionView.as_view(), name="dead-letters-bulk-action"),
    path(f"{_BULK}/cancel", api_bulk.CancelView.as_view(), name="dead-letters-bulk-cancel"),
    path(_ONE, api.DeadLetterView.as_view(), name="dead-letter"),
    path(f"{_ONE}/retry", api.RetryView.as_view(), name="dead-letter-retry"),
    path(f"{_ONE}/discard", api.DiscardView.as_view(), name="dead-letter-discard"),
    path(f"{_ONE}/assign", api.AssignView.as_view(), name="dead-letter-assign"),
    path(f"{_ONE}/comment", api.CommentView.as_view(), name="dead-letter-comment"),
]
