"""What makes it move: router, worker loop, settling, sweep and their Celery tasks. No tables."""
