"""Django's Redis cache with one client for all its calls: made anew, it costs as much as a call."""

from functools import cached_property
from typing import Any

from django.core.cache.backends.redis import RedisCache as DjangosRedisCache
from django.core.cache.backends.redis import RedisCacheClient


class _Client(RedisCacheClient):
    @cached_property
    def _kept(self) -> Any:
        return super().get_client(write=True)

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        return self._kept


class RedisCache(DjangosRedisCache):
    """The cache on one Redis or Valkey server. Its connections are pooled, and safe after a fork."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client
