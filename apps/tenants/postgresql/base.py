"""The database backend: django-tenants' own, which tells every lost connection as one.

Depending on the moment, psycopg2 raises a plain DatabaseError when the server goes away
(github.com/psycopg/psycopg2/issues/443 and 527). Callers that give back a batch, try a task again or
answer 503 wait for an OperationalError, as Python's database API has it.

And in debug mode it keeps no statements.
"""

from types import TracebackType

import psycopg2
from django.db.utils import DatabaseErrorWrapper, OperationalError
from django.utils.functional import cached_property
from django_tenants.postgresql_backend import base


class _Errors(DatabaseErrorWrapper):
    wrapper: "DatabaseWrapper"

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Without an SQLSTATE it does not come from the server: the client has lost it.
        is_plain = exc_type is psycopg2.DatabaseError
        if is_plain and isinstance(exc_value, psycopg2.Error) and exc_value.pgcode is None:
            self.wrapper.errors_occurred = True
            raise OperationalError(*exc_value.args).with_traceback(traceback) from exc_value
        super().__exit__(exc_type, exc_value, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of django-tenants; Django looks for this name."""

    @property
    def queries_logged(self) -> bool:
        """Keep statements for those alone who ask (`force_debug_cursor`, as Django's captures do).

        Django keeps the last 9,000 in debug mode, until a request begins. A worker has none.
        """
        return bool(self.force_debug_cursor)

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _Errors(self)
