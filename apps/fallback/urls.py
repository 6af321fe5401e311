"""Addresses of the fallback queue, below `/api/v1/`."""

from django.urls import path

from apps.fallback import api

urlpatterns = [
    path("dead-letters", api.DeadLettersView.as_view(), name="dead-letters"),
    path("dead-letters/groups", api.GroupsView.as_view(), name="dead-letter-groups"),
    path("dead-letters/bulk", api.BulkView.as_view(), name="dead-letters-bulk"),
    path("dead-letters/<uuid:pk>", api.DeadLetterView.as_view(), name="dead-letter"),
    path("dead-letters/<uuid:pk>/retry", api.RetryView.as_view(), name="dead-letter-retry"),
    path("dead-letters/<uuid:pk>/discard", api.DiscardView.as_view(), name="dead-letter-discard"),
]
