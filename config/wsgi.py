"""The WSGI application that gunicorn serves."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()
# Loaded by name, for it needs Django set up.
application = import_module("apps.web.chunked").with_chunked_bodies(_django)

# With --preload, gunicorn forks its workers after this: what is loaded here is shared by them, as long
# as the garbage collector does not write into it.
for urls in (settings.ROOT_URLCONF, settings.PUBLIC_SCHEMA_URLCONF):
    import_module(urls)
gc.collect()
gc.freeze()
