"""Django's settings. Values from outside come through `environment.py`; the rest is decided here."""

from datetime import timedelta

from celery.schedules import schedule
from django.templatetags.static import static
from kombu import Exchange, Queue

from config.environment import DEBUG as DEBUG
from config.environment import (
    ROOT,
    VAR_DIR,
    allowed_hosts,
    broker,
    database,
    env,
    field_keys,
    flag,
    mail_server,
    number,
    public_url,
    secret_key,
    server,
    whole_number,
)
from pms_events.categories import Category

SECRET_KEY = secret_key()
FIELD_ENCRYPTION_KEYS = field_keys()
ALLOWED_HOSTS = allowed_hosts()

# --- Apps: shared ones live in `public`, tenant ones in each tenant's schema -----------------

_DJANGO = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
]
SHARED_APPS = [
    "apps.tenants",  # before django_tenants, whose create_tenant asks questions
    "django_tenants",
    "apps.dispatch",
    "django_celery_results",
    *_DJANGO,
]
TENANT_APPS = [
    *_DJANGO,
    "apps.events",
    "apps.fallback",
    "apps.properties",
    "apps.calendars",
    "apps.bookings",
    "apps.housekeeping",
    "apps.sync",
    "apps.reporting",
]
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    *SHARED_APPS,
    *[app for app in TENANT_APPS if app not in SHARED_APPS],
    "apps.web",
    "apps.engine",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
# The path is set when a tenant is entered, not before each statement; django-tenants forgets it
# after every rollback, and each group of work asserts current_schema() before it writes.
TENANT_LIMIT_SET_CALLS = True
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

# --- Database, cache, broker ------------------------------------------------------------------

DATABASES = {
    "default": database(
        server("DATABASE_URL", development="postgresql://localhost:5432/pms_events")
    )
}
CELERY_BROKER_URL = broker(server("CELERY_BROKER_URL", development="redis://127.0.0.1:6379/0"))
CACHE_URL = env.str("CACHE_URL", default="") or (
    CELERY_BROKER_URL if CELERY_BROKER_URL.startswith("redis") else ""
)
# The cache spares doorbells and counts for the rate limit. Without one in common every doorbell is
# rung and nothing is counted: one that a process kept to itself would swallow what others wait for.
CACHES = {
    "default": {
        "BACKEND": "config.caching.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "pms",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
}

# --- Timeouts: each must be shorter than the next; checked at start-up (apps.engine.checks) ----

HTTP_TIMEOUT = timedelta(seconds=number("PMS_HTTP_TIMEOUT_SECONDS", default=10))
SMTP_TIMEOUT = timedelta(seconds=number("PMS_SMTP_TIMEOUT_SECONDS", default=10))
LEASE = timedelta(seconds=number("PMS_LEASE_SECONDS", default=60))
VISIBILITY_TIMEOUT = timedelta(hours=1)
CLAIM_BATCH = whole_number("PMS_CLAIM_BATCH", default=500)
EXTERNAL_THREADS = whole_number("PMS_EXTERNAL_THREADS", default=8)
# How long work may be ready without anything moving before it is called stuck.
STUCK_AFTER = timedelta(seconds=number("PMS_STUCK_SECONDS", default=60))
# Pending deliveries, and events a second, beyond which a tenant is asked to come back later (429).
BACKLOG_LIMIT = whole_number("PMS_BACKLOG_LIMIT", default=2_000_000)
INGEST_RATE = whole_number("PMS_INGEST_RATE", default=20_000)
# How often a webhook is tried in all, and the ceiling of the first wait.
WEBHOOK_RETRY_ATTEMPTS = whole_number("PMS_WEBHOOK_RETRY_ATTEMPTS", default=8)
WEBHOOK_RETRY_FIRST = timedelta(seconds=number("PMS_WEBHOOK_RETRY_FIRST_SECONDS", default=5))
# How long the bodies that outside senders post are kept, encrypted, after they were received.
RAW_BODIES_KEPT = timedelta(days=number("PMS_RAW_BODY_DAYS", default=30))
# Tests, demo and machines behind a firewall may send webhooks to loopback and private addresses.
ALLOW_PRIVATE_TARGETS = flag("PMS_ALLOW_PRIVATE_TARGETS", default=DEBUG)

# --- Mail: by Django's own names; without a host no mail can be sent ----------------------------

_MAIL = mail_server()
EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.has_starttls, _MAIL.is_tls
EMAIL_TIMEOUT = SMTP_TIMEOUT.total_seconds()
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _MAIL.sender
# How a tenant's pages are reached from outside, for links in what is sent.
PUBLIC_URL = public_url()

# --- Celery: the hands ------------------------------------------------------------------------

# Each queue has a routing key of its own; without one, Celery would bind all to the default queue's.
_EXCHANGE = Exchange("events", type="direct")
_IS_RABBITMQ = CELERY_BROKER_URL.startswith(("amqp", "pyamqp"))
CELERY_TASK_QUEUES = [
    Queue(
        name,
        _EXCHANGE,
        routing_key=name,
        queue_arguments={"x-queue-type": "quorum"} if _IS_RABBITMQ else None,
    )
    for name in (
        *(category.queue for category in Category),
        "events.route",
        "events.sweep",
        "events.chores",
    )
]
CELERY_TASK_DEFAULT_EXCHANGE = "events"
CELERY_TASK_DEFAULT_ROUTING_KEY = "events.chores"
CELERY_TASK_DEFAULT_QUEUE = "events.chores"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_IGNORE_RESULT = True  # operator tasks opt in
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # the sweep rings again; a poison task must not loop
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"confirm_publish": True}
    if _IS_RABBITMQ
    else {
        "visibility_timeout": VISIBILITY_TIMEOUT.total_seconds(),
        "socket_connect_timeout": 2,
        # Longer than a worker's wait for a message (1 s). Without it, a doorbell to a broker that
        # hangs, or is cut off without a word, waits for ever, and an ingest with it.
        "socket_timeout": 3,
        "max_retries": 0,  # of whoever publishes: a doorbell is not worth a second try
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "engine.sweep",
        "schedule": schedule(timedelta(seconds=1)),
        # A sweep that waited is of no use: the next one does the same work.
        "options": {"queue": "events.sweep", "expires": 5},
    },
    "round": {
        "task": "engine.round",
        "schedule": schedule(timedelta(minutes=5)),
        "options": {"queue": "events.chores", "expires": 300},
    },
}

# --- Web --------------------------------------------------------------------------------------

ROOT_URLCONF = "config.urls_tenant"
PUBLIC_SCHEMA_URLCONF = "config.urls_platform"
WSGI_APPLICATION = "config.wsgi.application"
MIDDLEWARE = [
    "apps.web.middleware.HealthMiddleware",
    "apps.web.middleware.ProblemMiddleware",
    "apps.web.middleware.TenantMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.web.pages.PagesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"live": "config.live.tags"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # also when the login page itself was opened
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
CSRF_TRUSTED_ORIGINS = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])
X_FRAME_OPTIONS = "DENY"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.web.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.web.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.web.parsing.StrictJsonParser"],
    "DEFAULT_PAGINATION_CLASS": "apps.web.pagination.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.web.problems.handle",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "PMS events",
    "DESCRIPTION": "Events of hotels and vacation rentals: take in, follow, review, replay.",
    "VERSION": "1",
    "ENUM_NAME_OVERRIDES": {
        "BookingStatus": "apps.bookings.models.BookingStatus",
        "BulkActionState": "apps.fallback.models.BulkState",
        "BulkActionVerb": "apps.fallback.orders.ACTIONS",
        "DeadLetterState": "apps.fallback.models.DeadLetterState",
        "EventState": "apps.events.filters.STATES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.web.openapi.describe_problems",
    ],
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
UNFOLD = {
    "SITE_TITLE": "PMS events",
    "SITE_HEADER": "config.admin.get_header",
    "SITE_SUBHEADER": "PMS events",
    "SITE_SYMBOL": "vital_signs",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("web/icon.svg")}
    ],
    "STYLES": [lambda request: static("web/theme.css")],
    "SCRIPTS": [lambda request: static("web/times.js"), lambda request: static("web/keys.js")],
    "SHOW_HISTORY": False,
    "DASHBOARD_CALLBACK": "config.live.views.add_live",
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"show_search": False, "navigation": "config.admin.get_navigation"},
}

# --- The rest ---------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logging.LineFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("PMS_LOG_LEVEL", default="INFO")},
    "loggers": {
        "celery": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "django_tenants": {"level": "WARNING"},
    },
}
