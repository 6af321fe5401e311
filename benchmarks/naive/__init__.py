"""What a Django team writes first: one row and one Celery task an event. A program of its own."""

from benchmarks.naive.celery import app as celery_app

__all__ = ["celery_app"]
