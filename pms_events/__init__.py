"""The core of event processing: what an event is, who reacts to it, and what is decided about it.

Plain Python without Django and Celery. It decides; the Django apps store, move and show.
Start with `event_types.py` (what can happen), then `handlers.py` (who reacts), `verdicts.py`
(what follows an attempt) and `publishing.py` (how code states a fact).
"""
