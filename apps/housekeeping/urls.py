"""Addresses of cleans, below `/api/v1/`."""

from django.urls import path

from apps.housekeeping import api

urlpatterns = [
    path("cleaning-tasks", api.CleaningTasksView.as_view(), name="cleaning-tasks"),
    path("cleaning-tasks/<int:pk>", api.CleaningTaskView.as_view(), name="cleaning-task"),
]
