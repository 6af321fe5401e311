#!/usr/bin/env python
"""Django's command line for this product: `python manage.py help`."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import InterfaceError, OperationalError


def main(arguments: list[str]) -> str | None:
    """Run a command. Gives one line about what is no fault of the program, such as a server away.

    `--traceback` shows the whole of it.
    """
    try:
        for argument in arguments:
            argument.encode()
        execute_from_command_line(arguments)
    except UnicodeEncodeError as error:
        return f"an argument is no UTF-8: {error.object!r}"
    except KeyboardInterrupt:
        return "interrupted"
    except ImproperlyConfigured as error:
        if "--traceback" in arguments:
            raise
        return f"the settings are not complete: {error}"
    except (OperationalError, InterfaceError) as error:
        if "--traceback" in arguments:
            raise
        reason = " ".join(str(error).split())
        return f"the database cannot be used, is DATABASE_URL right and the server up? {reason}"
    return None


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.exit(main(sys.argv))
