"""Results of operator tasks (replays, polls, purges): kept in the shared schema, platform only.

Importing this also registers the screens of `admin_tenants` and `admin_people`.
"""

from django.contrib import admin
from django_celery_results import admin as their_admin
from django_celery_results.models import GroupResult, TaskResult

from apps.engine import admin_people as admin_people
from apps.engine import admin_tenants as admin_tenants
from apps.web.admin import PlatformAdmin, ReadOnly

# Their module shows both everywhere; the shared table would be open to each tenant's staff.
admin.site.unregister([their_admin.TaskResult, their_admin.GroupResult])


@admin.register(TaskResult)
class TaskResultAdmin(ReadOnly, PlatformAdmin):
    """What operator tasks answered."""

    list_display = ["task_name", "status", "worker", "date_created", "date_done"]
    list_filter = ["status"]
    search_fields = ["task_name", "task_id"]
    fields = [
        "task_id", "task_name", "status", "worker", "task_args", "task_kwargs", "result",
        "traceback", "date_created", "date_started", "date_done",
    ]  # fmt: skip
    nothing_title = "No task has left a result"
    nothing_why = "Replays, polls and purges leave their results here."


@admin.register(GroupResult)
class GroupResultAdmin(ReadOnly, PlatformAdmin):
    """Results of task groups."""

    list_display = ["group_id", "date_created", "date_done"]
    list_filter = ["date_done"]
    search_fields = ["group_id"]
    search_help_text = "part of the id"
