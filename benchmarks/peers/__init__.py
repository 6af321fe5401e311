"""Yardsticks that others wrote: queues that do nothing with a job but run it."""
